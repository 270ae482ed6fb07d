/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens: distribution's token authentication (docs.docker.com/registry/spec/auth). The realm may be on another host; credentials go there only over TLS, or
 * to the registry's own host. */
#include <ctype.h>

#include "transfer/registry_internal.h"

#define TOKEN_MAX (1u << 20)

static void add_escaped(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			strbuf_add(out, text, 1);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)*text);
	}
}

static void add_parameter(struct strbuf *out, const char *first, const char *name,
			  const char *value)
{
	if (!value || !*value)
		return;
	strbuf_addf(out, "%s%s=", out->length && !*first ? "&" : first, name);
	add_escaped(out, value);
}

/* service, scope ... as a query behind the realm, or as a form. */
static char *parameters(const struct registry *r, const struct challenge *c,
			const char *extra_scope, bool is_form)
{
	struct strbuf b = {0};
	_cleanup_free_ char *scope = NULL;

	/* A registry that names no scope gets the one that we need. */
	if (asprintf(&scope, "repository:%s:%s", r->path, r->opts.is_push ? "pull,push" : "pull") <
	    0) {
		scope = NULL;
		return NULL;
	}
	if (is_form) {
		add_parameter(&b, "", "grant_type", "refresh_token");
		add_parameter(&b, "", "client_id", "dhow");
		add_parameter(&b, "", "refresh_token", r->credentials.identity_token);
	}
	add_parameter(&b, "", "service", c->service);
	add_parameter(&b, "", "scope", c->scope ? c->scope : *r->path ? scope : NULL);
	add_parameter(&b, "", "scope", extra_scope);
	return strbuf_take(&b);
}

/* May the realm know who we are? */
static bool is_trusted_realm(const struct endpoint *e, const char *realm)
{
	char host[512], own[512];
	bool is_https, own_https;

	if (!url_host(realm, host, sizeof host, &is_https))
		return false;
	if (is_https)
		return true;
	return url_host(e->base, own, sizeof own, &own_https) && !own_https &&
	       strcmp(host, own) == 0;
}

static int read_token(const char *text, size_t length, char **token, struct error **err)
{
	_cleanup_json_ json_t *document = NULL;
	struct json_at top = {0}, member;
	const char *value = NULL;
	int r = json_parse(text ? text : "", length, "the answer of the token server", &document,
			   err);

	if (r)
		return r;
	top.value = document;
	member = json_member(&top, "token");
	r = json_get_string(&member, &value, err);
	member = json_member(&top, "access_token");
	if (!r && (!value || !*value))
		r = json_get_string(&member, &value, err);
	if (!r && (!value || !*value))
		r = error_set(err, EPROTO, "the token server gave no token");
	for (const char *c = value; !r && c && *c; c++)
		if (*c < 0x21 || *c > 0x7e)
			r = error_set(err, EPROTO, "the token server gave a token that is none");
	if (r)
		return r;
	*token = strdup(value);
	return *token ? 0 : error_errno(err, ENOMEM, "authenticate");
}

int registry_token(struct registry *r, struct endpoint *e, const struct challenge *c,
		   const char *extra_scope, char **token, struct error **err)
{
	bool has_identity = r->credentials.identity_token && *r->credentials.identity_token;
	bool is_ours = !e->is_mirror && is_trusted_realm(e, c->realm);
	bool is_form = has_identity && is_ours;
	_cleanup_free_ char *query = parameters(r, c, extra_scope, is_form);
	_cleanup_free_ char *url = NULL;
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_strv_ struct strv headers = {0};
	struct http_request request = {.method = is_form ? "POST" : "GET", .max = TOKEN_MAX};
	char host[512];
	bool is_https;
	int result;

	if (!url_host(c->realm, host, sizeof host, &is_https))
		return error_set(err, EPROTO, "the registry names no proper token server");
	if (!query || asprintf(&url, "%s%s%s", c->realm,
			       is_form                 ? ""
			       : strchr(c->realm, '?') ? "&"
						       : "?",
			       is_form ? "" : query) < 0) {
		url = NULL;
		return error_errno(err, ENOMEM, "authenticate");
	}
	if ((r->credentials.user || has_identity) && !e->is_mirror && !is_ours)
		return error_set(
			err, EACCES,
			"the registry %s sends its users to %s without TLS, where dhow gives no "
			"credentials",
			e->host, host);
	request.url = url;
	if (is_form) {
		if (strv_add(&headers, "Content-Type: application/x-www-form-urlencoded"))
			return error_errno(err, ENOMEM, "authenticate");
		request.headers = &headers;
		request.text = query;
		request.text_length = strlen(query);
	} else if (is_ours && r->credentials.user) {
		request.user = r->credentials.user;
		request.password = r->credentials.password;
	}
	result = http_perform(e->http, &request, &answer, err);
	if (result)
		return result;
	if (answer.status != 200)
		return registry_fail(r, &answer, "log in", err);
	return read_token(answer.body, answer.length, token, err);
}

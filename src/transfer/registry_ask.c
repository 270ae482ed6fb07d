/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a registry: scheme, authentication, redirects, and trying again. See registry.h. */
#include <ctype.h>
#include <strings.h>
#include <time.h>

#include "transfer/registry_internal.h"

#define REDIRECTS_MAX  10
#define RETRIES        3
#define PAUSE_FIRST_MS 500
#define PAUSE_MAX_MS   60000

struct endpoint *registry_origin(struct registry *r)
{
	return &r->endpoints[r->endpoint_count - 1];
}

/* --- One exchange ---------------------------------------------------------------------------------------------------------- */

/* Whether what we know of ourselves may go to that address. */
static bool is_own_host(const struct endpoint *e, const char *url)
{
	char host[512], own[512];
	bool is_https, own_https;

	return url_host(url, host, sizeof host, &is_https) &&
	       url_host(e->base, own, sizeof own, &own_https) && strcmp(host, own) == 0 &&
	       is_https == own_https;
}

static int add_headers(const struct registry_request *q, const char *token, struct strv *headers)
{
	int r = 0;

	if (q->accept)
		r = strv_addf(headers, "Accept: %s", q->accept);
	if (!r && q->content_type)
		r = strv_addf(headers, "Content-Type: %s", q->content_type);
	if (!r && q->range)
		r = strv_addf(headers, "Range: %s", q->range);
	if (!r && q->content_range)
		r = strv_addf(headers, "Content-Range: %s", q->content_range);
	if (!r && token)
		r = strv_addf(headers, "Authorization: Bearer %s", token);
	return r;
}

static int send_to(struct registry *r, struct endpoint *e, const struct registry_request *q,
		   const char *url, struct http_answer *answer, struct error **err)
{
	_cleanup_strv_ struct strv headers = {0};
	_cleanup_free_ char *token = NULL;
	bool is_own = is_own_host(e, url), is_basic;
	struct http_request request = {
		.method = q->method,
		.url = url,
		.sink = q->sink,
		.on_body = q->on_body,
		.body_data = q->body_data,
		.max = q->max,
		.cancel = q->cancel,
		.text = q->text,
		.text_length = q->text_length,
		.has_file = q->has_file,
		.fd = q->fd,
		.offset = q->offset,
		.size = q->size,
		.on_sent = q->on_sent,
		.data = q->data,
	};

	pthread_mutex_lock(&r->lock);
	is_basic = e->is_basic;
	token = is_own && e->token ? strdup(e->token) : NULL;
	pthread_mutex_unlock(&r->lock);
	if (add_headers(q, token, &headers))
		return error_errno(err, ENOMEM, "ask the registry");
	request.headers = &headers;
	if (is_own && is_basic && r->credentials.user && !e->is_mirror) {
		request.user = r->credentials.user;
		request.password = r->credentials.password;
	}
	return http_perform(e->http, &request, answer, err);
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows redirects; a body is sent only to the first. */
static int follow(struct registry *r, struct endpoint *e, const struct registry_request *q,
		  char **url, struct http_answer *answer, struct error **err)
{
	bool is_read = strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;

	for (int hops = 0;; hops++) {
		char host[512];
		bool is_https, was_https = str_starts(*url, "https:");
		char *next;
		int code = send_to(r, e, q, *url, answer, err);

		if (code || !is_read || !is_redirect(answer->status) || !*answer->location)
			return code;
		next = url_resolve(*url, answer->location);
		free(*url);
		*url = next;
		http_answer_clear(answer);
		if (!next)
			return error_set(err, EPROTO, "the registry %s redirects to nowhere",
					 e->host);
		if (hops == REDIRECTS_MAX)
			return error_set(err, ELOOP, "the registry %s redirects too often",
					 e->host);
		if (!url_host(next, host, sizeof host, &is_https) || (was_https && !is_https))
			return error_set(
				err, EPROTO,
				"the registry %s redirects from https to an address that is not",
				e->host);
	}
}

/* --- Authentication ------------------------------------------------------------------------------------------------------ */

/* 1: something new to try with. */
static int authenticate(struct registry *r, struct endpoint *e, const struct http_answer *answer,
			const char *extra_scope, struct error **err)
{
	_cleanup_(challenge_clear) struct challenge c = {0};
	char *token = NULL;
	int code;

	if (!*answer->challenge)
		return 0;
	code = challenge_parse(answer->challenge, &c, err);
	if (code)
		return code;
	if (c.is_basic) {
		bool is_new;

		pthread_mutex_lock(&r->lock);
		is_new = !e->is_basic && r->credentials.user && !e->is_mirror;
		e->is_basic = true;
		pthread_mutex_unlock(&r->lock);
		return is_new;
	}
	code = registry_token(r, e, &c, extra_scope, &token, err);
	if (code)
		return code;
	pthread_mutex_lock(&r->lock);
	free(e->token);
	e->token = token;
	pthread_mutex_unlock(&r->lock);
	return 1;
}

/* With whatever the registry wants to know. A token that expired is got anew, once. */
static int exchange(struct registry *r, struct endpoint *e, const struct registry_request *q,
		    const char *base, struct http_answer *answer, struct error **err)
{
	_cleanup_free_ char *url = NULL;
	int code = 0;

	for (int tries = 0; tries < 2; tries++) {
		free(url);
		if (asprintf(&url, "%s%s", *q->path == '/' ? base : "", q->path) < 0) {
			url = NULL;
			return error_errno(err, ENOMEM, "ask the registry");
		}
		code = follow(r, e, q, &url, answer, err);
		if (code || answer->status != 401 || tries || !is_own_host(e, url))
			return code;
		code = authenticate(r, e, answer, q->extra_scope, err);
		if (code <= 0)
			return code;
		http_answer_clear(answer);
	}
	return code;
}

/* --- Scheme ----------------------------------------------------------------------------------------------------------------- */

static bool is_plain_trouble(int code)
{
	return code == -EPROTO || code == -EIO || code == -ECONNREFUSED;
}

/* A registry on loopback most likely speaks plain HTTP, and one that speaks TLS says so at once; elsewhere TLS is tried first,
 * where plain HTTP is allowed at all. */
static int ask_once(struct registry *r, struct endpoint *e, const struct registry_request *q,
		    struct http_answer *answer, struct error **err)
{
	const char *schemes[2] = {"https", "http"};
	struct error *first = NULL;
	int code = -EIO;

	if (*e->base)
		return exchange(r, e, q, e->base, answer, err);
	if (e->may_be_plain && host_is_loopback(e->host)) {
		schemes[0] = "http";
		schemes[1] = "https";
	}
	for (int i = 0; i < (e->may_be_plain ? 2 : 1); i++) {
		struct error *failure = NULL;
		char *base = NULL;
		bool is_misplaced;

		if (asprintf(&base, "%s://%s", schemes[i], e->host) < 0)
			return error_errno(err, ENOMEM, "ask the registry");
		pthread_mutex_lock(&r->lock);
		free(e->base);
		e->base = base;
		pthread_mutex_unlock(&r->lock);
		code = exchange(r, e, q, base, answer, &failure);
		/* A TLS server's answer to plain HTTP. */
		is_misplaced = code == 0 && answer->status == 400 &&
			       strcmp(schemes[i], "http") == 0 && i == 0;
		if (code == 0 && !is_misplaced)
			break;
		if (!first)
			first = failure;
		else
			error_free(failure);
		if (is_misplaced || (is_plain_trouble(code) && i + 1 < (e->may_be_plain ? 2 : 1))) {
			http_answer_clear(answer);
			code = is_misplaced ? -EPROTO : code;
			continue;
		}
		break;
	}
	if (code < 0) {
		pthread_mutex_lock(&r->lock);
		free(e->base);
		e->base = strdup("");
		pthread_mutex_unlock(&r->lock);
		if (first)
			error_set(err, first->code, "%s", first->message);
		else
			error_errno(err, -code, "ask the registry %s", e->host);
	}
	error_free(first);
	return code;
}

/* --- Trying again -------------------------------------------------------------------------------------------------------- */

static bool may_pass(int code, const struct http_answer *answer)
{
	if (code)
		return code == -EIO || code == -ETIMEDOUT || code == -ECONNREFUSED;
	return answer->status == 408 || answer->status == 429 || answer->status >= 500;
}

/* Retry-After in seconds; its other form, a date, counts as not given. */
static uint64_t pause_ms(const struct http_answer *answer, uint32_t tries)
{
	uint64_t seconds, pause = (uint64_t)PAUSE_FIRST_MS << (tries < 8 ? tries : 8);

	if (parse_u64(answer->retry_after, PAUSE_MAX_MS / 1000, &seconds) == 0)
		pause = seconds * 1000;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

static void rest(uint64_t ms, const bool *cancel)
{
	const uint64_t step = 100;

	for (uint64_t slept = 0; slept < ms && !(cancel && *cancel); slept += step) {
		struct timespec t = {0, (long)(ms - slept < step ? ms - slept : step) * 1000000};

		nanosleep(&t, NULL);
	}
}

static uint32_t retries_of(const struct registry *r)
{
	return r->opts.retries ? r->opts.retries : RETRIES;
}

int endpoint_ask(struct registry *r, struct endpoint *e, const struct registry_request *q,
		 struct http_answer *answer, struct error **err)
{
	/* A mirror that is down is passed over at once. */
	uint32_t retries = q->no_retry || e->is_mirror ? 0 : retries_of(r);
	int code;

	for (uint32_t tries = 0;; tries++) {
		char why[128];
		uint64_t pause;

		code = ask_once(r, e, q, answer, err);
		if (tries == retries || !may_pass(code, answer) || (q->cancel && *q->cancel))
			return code;
		/* Nobody listens: on this machine that is final. */
		if (code == -ECONNREFUSED && host_is_loopback(e->host))
			return code;
		if (code)
			snprintf(why, sizeof why, "%.120s",
				 err && *err ? (*err)->message : "no answer");
		else
			snprintf(why, sizeof why, "status %ld", answer->status);
		pause = pause_ms(answer, tries);
		if (r->opts.on_retry)
			r->opts.on_retry(r->opts.data, q->path, pause, why);
		error_freep(err);
		http_answer_clear(answer);
		rest(pause, q->cancel);
	}
}

/* --- The registry's own words ------------------------------------------------------------------------------------------- */

/* {"errors":[{"code":"DENIED","message":"..."}]}: the first message, without what could move a terminal's cursor. */
static char *first_message(const struct http_answer *answer)
{
	_cleanup_json_ json_t *document = NULL;
	struct strbuf b = {0};
	const json_t *entry;
	const char *text;

	if (!answer->body || json_parse(answer->body, answer->length, "answer", &document, NULL))
		return NULL;
	entry = json_array_get(json_object_get(document, "errors"), 0);
	text = json_string_value(json_object_get(entry, "message"));
	if (!text || !*text)
		text = json_string_value(json_object_get(entry, "code"));
	if (!text)
		text = json_string_value(json_object_get(document, "details"));
	for (size_t i = 0; text && text[i] && i < 300; i++)
		strbuf_add(&b, iscntrl((unsigned char)text[i]) ? "?" : text + i, 1);
	return b.length ? strbuf_take(&b) : NULL;
}

int registry_fail(const struct registry *r, const struct http_answer *answer, const char *what,
		  struct error **err)
{
	_cleanup_free_ char *message = first_message(answer);
	const char *text = message ? message : "no reason given";

	switch (answer->status) {
	case 404:
		return error_set(err, ENOENT, "%s: %s", what, message ? message : "not found");
	case 401:
		return error_set(err, EACCES, "%s: %s; \"dhow login %s\" may help", what,
				 message ? message : "unauthorized", r->registry);
	case 403:
		return error_set(err, EACCES, "%s: %s", what,
				 message ? message : "requested access to the resource is denied");
	case 429:
		return error_set(err, EAGAIN, "%s: too many requests: %s", what, text);
	default:
		return error_set(err, EIO, "%s: the registry %s answers %ld: %s", what, r->registry,
				 answer->status, text);
	}
}

int registry_ask(struct registry *r, const struct registry_request *q, struct http_answer *answer,
		 struct error **err)
{
	int code = -ENOENT;

	for (size_t i = 0; i < r->endpoint_count; i++) {
		bool is_last = i + 1 == r->endpoint_count;

		error_freep(err);
		http_answer_clear(answer);
		code = endpoint_ask(r, &r->endpoints[i], q, answer, err);
		if (is_last || code == -ECANCELED ||
		    (!code && answer->status >= 200 && answer->status < 300))
			return code;
	}
	return code;
}

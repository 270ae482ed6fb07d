/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What registries write into headers: challenges (RFC 9110, 11.6.1) and addresses. All of it is untrusted. */
#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

#include "transfer/registry_internal.h"

void challenge_clear(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct challenge){0};
}

/* A token or a quoted string at *at into *out. */
static int take_value(const char **at, char **out)
{
	struct strbuf b = {0};
	const char *c = *at;

	if (*c == '"') {
		for (c++; *c && *c != '"'; c++) {
			if (*c == '\\' && c[1])
				c++;
			strbuf_add(&b, c, 1);
		}
		if (*c != '"') {
			strbuf_free(&b);
			return -EINVAL;
		}
		c++;
	} else {
		size_t length = strcspn(c, ", \t");

		strbuf_add(&b, c, length);
		c += length;
	}
	*at = c;
	*out = strbuf_take(&b);
	return *out ? 0 : -ENOMEM;
}

static char **member_of(struct challenge *c, const char *name, size_t length)
{
	if (length == 5 && strncasecmp(name, "realm", 5) == 0)
		return &c->realm;
	if (length == 7 && strncasecmp(name, "service", 7) == 0)
		return &c->service;
	if (length == 5 && strncasecmp(name, "scope", 5) == 0)
		return &c->scope;
	return NULL;
}

static int take_parameters(const char *at, struct challenge *out)
{
	while (*at) {
		size_t length;
		const char *name;
		char *value = NULL, **member;
		int r;

		at += strspn(at, " \t,");
		if (!*at)
			return 0;
		length = strcspn(at, "= \t,");
		name = at;
		at += length;
		at += strspn(at, " \t");
		if (*at != '=')
			return 0; /* the next challenge of the same header */
		at++;
		at += strspn(at, " \t");
		r = take_value(&at, &value);
		if (r)
			return r;
		member = member_of(out, name, length);
		if (member && !*member)
			*member = value;
		else
			free(value);
	}
	return 0;
}

int challenge_parse(const char *text, struct challenge *out, struct error **err)
{
	int r = 0;

	*out = (struct challenge){0};
	text += strspn(text, " \t");
	if (strncasecmp(text, "bearer ", 7) == 0) {
		out->is_bearer = true;
		r = take_parameters(text + 7, out);
		if (!r && !out->realm)
			r = -EINVAL;
	} else if (strncasecmp(text, "basic", 5) == 0 &&
		   (!text[5] || isspace((unsigned char)text[5]))) {
		out->is_basic = true;
	} else {
		r = -EINVAL;
	}
	if (!r)
		return 0;
	challenge_clear(out);
	if (r == -ENOMEM)
		return error_errno(err, ENOMEM, "authenticate");
	return error_set(err, EPROTO,
			 "the registry asks for a kind of authentication that dhow doesn't know");
}

/* --- Addresses ------------------------------------------------------------------------------------------------------------- */

bool url_host(const char *url, char *out, size_t size, bool *is_https)
{
	const char *host;
	size_t length;

	if (strncasecmp(url, "https://", 8) == 0)
		host = url + 8;
	else if (strncasecmp(url, "http://", 7) == 0)
		host = url + 7;
	else
		return false;
	*is_https = host == url + 8;
	length = strcspn(host, "/?#");
	/* Names before an '@' are no host; nobody needs them here. */
	if (!length || length >= size || memchr(host, '@', length) || memchr(host, '\\', length))
		return false;
	memcpy(out, host, length);
	out[length] = '\0';
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

char *url_resolve(const char *base, const char *location)
{
	char host[512], *out = NULL;
	bool is_https;

	if (strncasecmp(location, "http://", 7) == 0 || strncasecmp(location, "https://", 8) == 0)
		return strdup(location);
	if (!url_host(base, host, sizeof host, &is_https))
		return NULL;
	if (str_starts(location, "//")) {
		if (asprintf(&out, "%s:%s", is_https ? "https" : "http", location) < 0)
			return NULL;
	} else if (*location == '/') {
		if (asprintf(&out, "%s://%s%s", is_https ? "https" : "http", host, location) < 0)
			return NULL;
	} else {
		size_t length = strcspn(base, "?#");

		while (length && base[length - 1] != '/')
			length--;
		if (asprintf(&out, "%.*s%s", (int)length, base, location) < 0)
			return NULL;
	}
	return out;
}

/* The name or address without port and brackets. */
static void bare_host(const char *host, char *out, size_t size)
{
	size_t length;

	if (*host == '[') {
		host++;
		length = strcspn(host, "]");
	} else {
		length = strcspn(host, ":");
	}
	snprintf(out, size, "%.*s", (int)length, host);
}

bool host_is_loopback(const char *host)
{
	char bare[256];
	struct in_addr v4;
	struct in6_addr v6;

	bare_host(host, bare, sizeof bare);
	if (strcasecmp(bare, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, bare, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

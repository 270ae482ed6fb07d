/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the registry client share. */
#ifndef DHOW_TRANSFER_REGISTRY_INTERNAL_H
#define DHOW_TRANSFER_REGISTRY_INTERNAL_H

#include <pthread.h>

#include "transfer/http.h"
#include "transfer/registry.h"

/* One place to ask: the registry itself, or a mirror of it. */
struct endpoint {
	char *host; /* "127.0.0.1:5000": whom credentials belong to */
	char *base; /* "https://host"; "" until the scheme is known */
	bool may_be_plain, is_mirror;
	char *token;
	char *scope_token; /* realm and scope that the token is for */
	bool is_basic;     /* the challenge asked for Basic */
	struct http *http;
};

struct registry {
	struct registry_opts opts;
	char *registry, *path;
	struct endpoint *endpoints; /* in the order of asking; the last is the registry itself */
	size_t endpoint_count;
	struct credentials credentials;
	pthread_mutex_t lock; /* of tokens and schemes */
};

/* A request to the registry's API. path begins behind the base: "/v2/...", or is a whole URL that the registry gave (uploads). */
struct registry_request {
	const char *method, *path;
	const char *accept;       /* or NULL */
	const char *content_type; /* or NULL */
	const char *range;        /* "bytes=5-", or NULL */
	const char *content_range;
	const struct sink *sink;
	int (*on_body)(void *body_data, const struct http_answer *answer,
		       struct error **err); /* as http_request's */
	void *body_data;
	size_t max;
	const bool *cancel;
	const char *text;
	size_t text_length;
	bool has_file, no_retry;
	int fd;
	uint64_t offset, size;
	void (*on_sent)(void *data, uint64_t bytes);
	void *data;
	const char *extra_scope; /* "repository:x:pull", for mounts */
};
/* Asks one endpoint: finds the scheme, authenticates on a challenge, follows redirects, tries again what may pass. 0 with the last answer, whatever
 * its status (clear it), or a negative errno. */
int endpoint_ask(struct registry *r, struct endpoint *e, const struct registry_request *q,
		 struct http_answer *answer, struct error **err);
/* Asks the endpoints in turn until one has it (2xx); 404 of a mirror goes on. Fills *err from the status of the last one otherwise. */
int registry_ask(struct registry *r, const struct registry_request *q, struct http_answer *answer,
		 struct error **err);
/* The registry itself, for whatever writes. */
struct endpoint *registry_origin(struct registry *r);
/* An answer that is no success, as an error: 404 -ENOENT, 401 and 403 -EACCES, 429 -EAGAIN, others -EIO, with the registry's own words. */
int registry_fail(const struct registry *r, const struct http_answer *answer, const char *what,
		  struct error **err);

/* WWW-Authenticate: Bearer realm="...",service="...",scope="...". Members are NULL where absent; all owned. */
struct challenge {
	bool is_bearer, is_basic;
	char *realm, *service, *scope;
};
int challenge_parse(const char *text, struct challenge *out, struct error **err);
void challenge_clear(struct challenge *c);
/* Gets a token for the challenge; *token is the caller's. */
int registry_token(struct registry *r, struct endpoint *e, const struct challenge *c,
		   const char *extra_scope, char **token, struct error **err);

/* "host:port" of a URL into out; false when it is none of http and https. */
bool url_host(const char *url, char *out, size_t size, bool *is_https);
/* Absolute form of location, which base (a whole URL) answered with. Caller frees. */
char *url_resolve(const char *base, const char *location);
bool host_is_loopback(const char *host);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP requests over libcurl, one at a time per handle, with limits on all that a server decides. Inside the room.
 *
 * Redirects are not followed here: who may get credentials is registry.c's business. */
#ifndef DHOW_TRANSFER_HTTP_H
#define DHOW_TRANSFER_HTTP_H

#include <curl/curl.h>

#include "layer/stream.h"

/* Handles that share connections, TLS sessions and names. */
struct http;
struct http_opts {
	bool no_verify;
	const char *ca, *cert, *key; /* files, or NULL */
};
int http_new(const struct http_opts *opts, struct http **out, struct error **err);
void http_free(struct http *h);

#define HTTP_TEXT 1024

/* What a server said. Header values are cut to their room. */
struct http_answer {
	long status;
	char content_type[256], location[8192], challenge[4096], digest[160], link[4096],
		range[128], content_range[128], retry_after[64], upload_uuid[256];
	int64_t content_length; /* -1: unknown */
	char *body;             /* where no sink was given; owned */
	size_t length;
};
void http_answer_clear(struct http_answer *a);

struct http_request {
	const char *method; /* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
	const char *url;
	const struct strv *headers;
	const char *user, *password; /* Basic; NULL: none */
	const struct sink *sink;     /* for the body of a 2xx answer; NULL: into answer->body */
	/* Called before the first byte for sink, with what is known of the answer; a negative errno ends the request. May be NULL. */
	int (*on_body)(void *body_data, const struct http_answer *answer, struct error **err);
	void *body_data;
	size_t max; /* of the body in memory */
	const bool *cancel;
	/* Body to send: text, or size bytes of fd from offset. */
	const char *text;
	size_t text_length;
	int fd;
	uint64_t offset, size;
	bool has_file;
	void (*on_sent)(void *data, uint64_t bytes);
	void *data;
};
/* 0 when there was an answer, whatever its status; else a negative errno: -ECONNREFUSED, -ETIMEDOUT, -EPROTO for TLS trouble, -EIO for a broken
 * connection, or what the sink or cancel made of it. */
int http_perform(struct http *h, const struct http_request *request, struct http_answer *answer,
		 struct error **err);

#endif

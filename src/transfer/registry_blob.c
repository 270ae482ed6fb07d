/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A blob's bytes from a registry: streamed, and resumed where a connection broke. */
#include "transfer/registry_internal.h"

#define RESUMES_MAX 20

struct fetch {
	const struct descriptor *d;
	struct sink out;
	uint64_t at;   /* the next byte that out wants */
	uint64_t skip; /* of what comes, since the server started from the beginning */
};

static int take(void *data, const void *buf, size_t length, struct error **err)
{
	struct fetch *f = data;
	size_t skipped = f->skip < length ? (size_t)f->skip : length;
	int r;

	f->skip -= skipped;
	length -= skipped;
	if (!length)
		return 0;
	if (length > f->d->size - f->at)
		return error_set(err, EFBIG,
				 "blob %s is larger than the %ju bytes that the manifest says",
				 f->d->digest, (uintmax_t)f->d->size);
	r = f->out.write(f->out.data, (const char *)buf + skipped, length, err);
	if (!r)
		f->at += length;
	return r;
}

/* "bytes 5-99/100" begins where we asked. */
static bool begins_at(const char *content_range, uint64_t at)
{
	char expected[64];

	snprintf(expected, sizeof expected, "bytes %ju-", (uintmax_t)at);
	return str_starts(content_range, expected);
}

/* Whether the server honours the range shows with the answer's header: a whole blob is skipped up to where we are. */
static int begin(void *data, const struct http_answer *answer, struct error **err)
{
	struct fetch *f = data;

	f->skip = answer->status == 206 ? 0 : f->at;
	if (answer->status != 206 || begins_at(answer->content_range, f->at))
		return 0;
	return error_set(err, EPROTO, "the registry sent another part of %s than it was asked for",
			 f->d->digest);
}

static int fetch_once(struct registry *r, struct endpoint *e, struct fetch *f, const char *path,
		      const bool *cancel, struct http_answer *answer, struct error **err)
{
	struct sink sink = {.write = take, .data = f};
	char range[64];
	struct registry_request request = {.method = "GET",
					   .path = path,
					   .sink = &sink,
					   .on_body = begin,
					   .body_data = f,
					   .max = 65536,
					   .cancel = cancel};

	if (f->at) {
		snprintf(range, sizeof range, "bytes=%ju-", (uintmax_t)f->at);
		request.range = range;
	}
	return endpoint_ask(r, e, &request, answer, err);
}

static bool is_final(int code)
{
	return code == -ECANCELED || code == -EFBIG || code == -ENOSPC || code == -ENOMEM ||
	       code == -EDQUOT || code == -EPROTO;
}

static int fetch_from(struct registry *r, struct endpoint *e, struct fetch *f, const char *path,
		      const bool *cancel, struct error **err)
{
	int code = 0;

	for (int tries = 0; tries < RESUMES_MAX && f->at < f->d->size; tries++) {
		_cleanup_(http_answer_clear) struct http_answer answer = {0};
		uint64_t before = f->at;

		error_freep(err);
		code = fetch_once(r, e, f, path, cancel, &answer, err);
		if (is_final(code))
			return code;
		if (!code && answer.status != 200 && answer.status != 206)
			return registry_fail(r, &answer, f->d->digest, err);
		if (f->at == before && code)
			return code; /* endpoint_ask has tried already */
		if (r->opts.on_retry && f->at < f->d->size)
			r->opts.on_retry(r->opts.data, f->d->digest, 0, "the connection broke");
	}
	if (f->at < f->d->size)
		return code ? code
			    : error_set(err, EIO,
					"the registry %s sends only %ju of %ju bytes of %s",
					e->host, (uintmax_t)f->at, (uintmax_t)f->d->size,
					f->d->digest);
	error_freep(err);
	return 0;
}

int registry_blob_fetch(struct registry *r, const struct descriptor *d, uint64_t offset,
			struct sink sink, const bool *cancel, struct error **err)
{
	struct fetch f = {.d = d, .out = sink, .at = offset};
	_cleanup_free_ char *path = NULL;
	int code = 0;

	if (asprintf(&path, "/v2/%s/blobs/%s", r->path, d->digest) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "ask for a blob");
	}
	for (size_t i = 0; i < r->endpoint_count; i++) {
		error_freep(err);
		code = fetch_from(r, &r->endpoints[i], &f, path, cancel, err);
		if (!code || is_final(code))
			break;
	}
	return code;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blobs and manifests to a registry. OCI distribution spec 1.1, "Push".
 *
 * A blob goes in one request (PATCH with all of it, then PUT with the digest); where that breaks, the registry is asked how far it came,
 * and the rest follows in chunks from there. */
#include "transfer/registry_internal.h"

#define CHUNK       (32ull << 20)
#define UPLOADS_MAX 10
#define ANSWER_MAX  65536

int registry_blob_exists(struct registry *r, const char *digest, struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_free_ char *path = NULL;
	struct registry_request request = {.method = "HEAD", .max = ANSWER_MAX};
	int code;

	if (asprintf(&path, "/v2/%s/blobs/%s", r->path, digest) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "ask for a blob");
	}
	request.path = path;
	code = endpoint_ask(r, registry_origin(r), &request, &answer, err);
	if (code)
		return code;
	if (answer.status == 200)
		return 1;
	return answer.status == 404 ? 0 : registry_fail(r, &answer, r->path, err);
}

/* Where an upload goes on: a whole URL on the registry's host (or where it says). */
static int upload_place(struct registry *r, const struct http_answer *answer, char **url,
			struct error **err)
{
	const struct endpoint *e = registry_origin(r);

	free(*url);
	*url = *answer->location ? url_resolve(e->base, answer->location) : NULL;
	if (*url)
		return 0;
	return error_set(err, EPROTO, "the registry %s names no place for an upload", e->host);
}

static void cancel_upload(struct registry *r, const struct http_answer *answer)
{
	_cleanup_(http_answer_clear) struct http_answer ignored = {0};
	_cleanup_free_ char *url = NULL;
	struct registry_request request = {.method = "DELETE", .max = ANSWER_MAX, .no_retry = true};

	if (upload_place(r, answer, &url, NULL) < 0)
		return;
	request.path = url;
	endpoint_ask(r, registry_origin(r), &request, &ignored, NULL);
}

int registry_blob_mount(struct registry *r, const char *digest, const char *from,
			struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_free_ char *path = NULL, *scope = NULL;
	struct registry_request request = {.method = "POST", .max = ANSWER_MAX};
	int code;

	if (asprintf(&path, "/v2/%s/blobs/uploads/?mount=%s&from=%s", r->path, digest, from) < 0 ||
	    asprintf(&scope, "repository:%s:pull", from) < 0)
		return error_errno(err, ENOMEM, "mount a blob");
	request.path = path;
	request.extra_scope = scope;
	code = endpoint_ask(r, registry_origin(r), &request, &answer, err);
	if (code)
		return code;
	if (answer.status == 201)
		return 1;
	if (answer.status == 202)
		cancel_upload(r, &answer);
	return 0;
}

/* --- Uploads ----------------------------------------------------------------------------------------------------------------- */

struct upload {
	struct registry *r;
	const char *digest;
	int fd;
	uint64_t size, at;
	char *url;
	void (*progress)(void *data, uint64_t bytes);
	void *data;
	bool is_chunked;
};

static int begin(struct upload *u, struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_free_ char *path = NULL;
	struct registry_request request = {.method = "POST", .max = ANSWER_MAX};
	int code;

	if (asprintf(&path, "/v2/%s/blobs/uploads/", u->r->path) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "upload a blob");
	}
	request.path = path;
	code = endpoint_ask(u->r, registry_origin(u->r), &request, &answer, err);
	if (code)
		return code;
	if (answer.status != 202)
		return registry_fail(u->r, &answer, u->r->path, err);
	u->at = 0;
	return upload_place(u->r, &answer, &u->url, err);
}

/* "0-99": the bytes that the registry has. */
static uint64_t received(const char *range)
{
	const char *dash = strchr(range, '-');
	uint64_t last;

	return dash && parse_u64(dash + 1, INT64_MAX, &last) == 0 ? last + 1 : 0;
}

static int send_part(struct upload *u, struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	uint64_t left = u->size - u->at, length = u->is_chunked && left > CHUNK ? CHUNK : left;
	char range[64];
	struct registry_request request = {
		.method = "PATCH",
		.path = u->url,
		.content_type = "application/octet-stream",
		.max = ANSWER_MAX,
		.has_file = true,
		.no_retry = true,
		.fd = u->fd,
		.offset = u->at,
		.size = length,
		.on_sent = u->progress,
		.data = u->data,
	};
	int code;

	snprintf(range, sizeof range, "%ju-%ju", (uintmax_t)u->at,
		 (uintmax_t)(u->at + (length ? length - 1 : 0)));
	if (u->is_chunked || u->at)
		request.content_range = range;
	code = endpoint_ask(u->r, registry_origin(u->r), &request, &answer, err);
	if (code)
		return code;
	if (answer.status != 202 && answer.status != 201 && answer.status != 204)
		return registry_fail(u->r, &answer, u->digest, err);
	u->at += length;
	return upload_place(u->r, &answer, &u->url, err);
}

/* How far it came before it broke. */
static int ask_how_far(struct upload *u, struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	const struct registry_request request = {
		.method = "GET", .path = u->url, .max = ANSWER_MAX};
	int code = endpoint_ask(u->r, registry_origin(u->r), &request, &answer, err);

	if (code)
		return code;
	if (answer.status != 204 && answer.status != 202)
		return registry_fail(u->r, &answer, u->digest, err);
	u->at = *answer.range ? received(answer.range) : 0;
	if (u->at > u->size)
		return error_set(err, EPROTO, "the registry has more of %s than there is",
				 u->digest);
	return *answer.location ? upload_place(u->r, &answer, &u->url, err) : 0;
}

static int commit(struct upload *u, struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_free_ char *url = NULL;
	struct registry_request request = {.method = "PUT",
					   .max = ANSWER_MAX,
					   .content_type = "application/octet-stream",
					   .text = ""};
	int code;

	if (!u->url)
		return error_set(err, EPROTO, "the registry names no place for an upload");
	if (asprintf(&url, "%s%cdigest=%s", u->url, strchr(u->url, '?') ? '&' : '?', u->digest) <
	    0) {
		url = NULL;
		return error_errno(err, ENOMEM, "upload a blob");
	}
	request.path = url;
	code = endpoint_ask(u->r, registry_origin(u->r), &request, &answer, err);
	if (code)
		return code;
	return answer.status == 201 || answer.status == 204
		       ? 0
		       : registry_fail(u->r, &answer, u->digest, err);
}

static bool may_resume(int code)
{
	return code == -EIO || code == -ETIMEDOUT || code == -EAGAIN || code == -ENOENT ||
	       code == -ECONNREFUSED;
}

static int send_all(struct upload *u, struct error **err)
{
	int code = begin(u, err);

	for (int failures = 0; !code && (u->at < u->size || u->size == 0);) {
		code = send_part(u, err);
		if (!code && u->size == 0)
			break;
		if (!code)
			continue;
		if (!may_resume(code) || ++failures == UPLOADS_MAX)
			return code;
		if (u->r->opts.on_retry)
			u->r->opts.on_retry(u->r->opts.data, u->digest, 0, "the connection broke");
		error_freep(err);
		u->is_chunked = true;
		code = ask_how_far(u, err);
		if (code) {
			error_freep(err);
			code = begin(u, err);
		}
	}
	return code ? code : commit(u, err);
}

int registry_blob_upload(struct registry *r, const char *digest, int fd, uint64_t size,
			 void (*progress)(void *data, uint64_t bytes), void *data,
			 struct error **err)
{
	struct upload u = {.r = r,
			   .digest = digest,
			   .fd = fd,
			   .size = size,
			   .progress = progress,
			   .data = data};
	int code = send_all(&u, err);

	free(u.url);
	return code;
}

int registry_manifest_put(struct registry *r, const char *what, const char *media_type,
			  const char *data, size_t length, struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_free_ char *path = NULL;
	struct registry_request request = {.method = "PUT",
					   .content_type = media_type,
					   .text = data,
					   .text_length = length,
					   .max = ANSWER_MAX};
	int code;

	if (asprintf(&path, "/v2/%s/manifests/%s", r->path, what) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "push a manifest");
	}
	request.path = path;
	code = endpoint_ask(r, registry_origin(r), &request, &answer, err);
	if (code)
		return code;
	return answer.status == 201 || answer.status == 200
		       ? 0
		       : registry_fail(r, &answer, r->path, err);
}

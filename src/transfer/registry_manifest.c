/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests, small blobs and tags of a repository. OCI distribution spec 1.1. */
#include "layer/hash.h"
#include "transfer/registry_internal.h"

#define TAGS_MAX   100000
#define PAGES_MAX  1000
#define PAGE_BYTES (16u << 20)

static const char accepted[] =
	MEDIA_OCI_INDEX ", " MEDIA_OCI_MANIFEST ", " MEDIA_DOCKER_LIST ", " MEDIA_DOCKER_MANIFEST;

void registry_document_clear(struct registry_document *d)
{
	free(d->data);
	free(d->content_type);
	*d = (struct registry_document){0};
}

static int ask_manifest(struct registry *r, const char *method, const char *what,
			struct http_answer *answer, struct error **err)
{
	const struct store_limits *limits =
		r->opts.config ? &r->opts.config->limits : &store_limits_default;
	_cleanup_free_ char *path = NULL;
	struct registry_request request = {
		.method = method, .accept = accepted, .max = limits->manifest_bytes};
	int code;

	if (asprintf(&path, "/v2/%s/manifests/%s", r->path, what) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "ask for a manifest");
	}
	request.path = path;
	code = registry_ask(r, &request, answer, err);
	if (code || answer->status == 200)
		return code;
	if (answer->status == 404 && !answer->body)
		return error_set(err, ENOENT, "manifest for %s/%s%s%s not found: manifest unknown",
				 r->registry, r->path, digest_is_valid(what) ? "@" : ":", what);
	return registry_fail(r, answer, r->path, err);
}

int registry_manifest_head(struct registry *r, const char *what, struct registry_document *out,
			   struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	int code = ask_manifest(r, "HEAD", what, &answer, err);

	*out = (struct registry_document){0};
	if (code)
		return code;
	if (digest_is_valid(answer.digest))
		memcpy(out->digest, answer.digest, strlen(answer.digest) + 1);
	out->content_type = strdup(answer.content_type);
	return out->content_type ? 0 : error_errno(err, ENOMEM, "ask for a manifest");
}

int registry_manifest_get(struct registry *r, const char *what, struct registry_document *out,
			  struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_hash_ struct hash *hash = NULL;
	int code = ask_manifest(r, "GET", what, &answer, err);

	*out = (struct registry_document){0};
	if (code)
		return code;
	hash = hash_new(digest_is_valid(what) ? what : "sha256");
	if (!hash)
		return error_errno(err, ENOMEM, "ask for a manifest");
	hash_add(hash, answer.body ? answer.body : "", answer.length);
	hash_finish(hash, out->digest);
	if (digest_is_valid(what) && strcmp(what, out->digest) != 0)
		return error_set(err, EUCLEAN, "what the registry %s gave as %s has the digest %s",
				 r->registry, what, out->digest);
	out->content_type = strdup(answer.content_type);
	out->data = answer.body ? answer.body : strdup("");
	out->length = answer.length;
	answer.body = NULL;
	if (out->content_type && out->data)
		return 0;
	registry_document_clear(out);
	return error_errno(err, ENOMEM, "ask for a manifest");
}

int registry_blob_get(struct registry *r, const struct descriptor *d, size_t max, char **data,
		      size_t *length, struct error **err)
{
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	_cleanup_free_ char *path = NULL;
	struct registry_request request = {.method = "GET", .max = max};
	_cleanup_hash_ struct hash *hash = hash_new(d->digest);
	char digest[DIGEST_SIZE];
	int code;

	if (d->size > max)
		return error_set(err, EFBIG, "blob %s has %ju bytes, more than the limit of %zu",
				 d->digest, (uintmax_t)d->size, max);
	if (!hash || asprintf(&path, "/v2/%s/blobs/%s", r->path, d->digest) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "ask for a blob");
	}
	request.path = path;
	code = registry_ask(r, &request, &answer, err);
	if (code)
		return code;
	if (answer.status != 200)
		return registry_fail(r, &answer, d->digest, err);
	hash_add(hash, answer.body ? answer.body : "", answer.length);
	hash_finish(hash, digest);
	if (answer.length != d->size || strcmp(digest, d->digest) != 0)
		return error_set(err, EUCLEAN, "what the registry %s gave as %s is something else",
				 r->registry, d->digest);
	*data = answer.body ? answer.body : strdup("");
	*length = answer.length;
	answer.body = NULL;
	return *data ? 0 : error_errno(err, ENOMEM, "ask for a blob");
}

/* --- Tags -------------------------------------------------------------------------------------------------------------------- */

static int read_tags(const struct http_answer *answer, struct strv *out, struct error **err)
{
	_cleanup_json_ json_t *document = NULL;
	struct json_at top = {0}, tags;
	ssize_t count;
	int r = json_parse(answer->body ? answer->body : "", answer->length, "list of tags",
			   &document, err);

	if (r)
		return r;
	top.value = document;
	tags = json_member(&top, "tags");
	count = json_get_array(&tags, err);
	if (count < 0)
		return (int)count;
	for (size_t i = 0; i < (size_t)count; i++) {
		struct json_at at = json_element(&tags, i);
		const char *tag = NULL;

		r = json_get_string(&at, &tag, err);
		if (r)
			return r;
		if (!tag || !reference_tag_is_valid(tag))
			continue;
		if (out->count == TAGS_MAX)
			return error_set(err, EFBIG, "the registry lists more than %d tags",
					 TAGS_MAX);
		if (strv_add(out, tag))
			return error_errno(err, ENOMEM, "list tags");
	}
	return 0;
}

/* Link: </v2/x/tags/list?last=b&n=5>; rel="next". On the same registry, or it is none. NULL: the end. */
static char *next_page(const char *link)
{
	size_t length;

	if (*link != '<' || !strstr(link, "next"))
		return NULL;
	length = strcspn(link + 1, ">");
	return link[1] == '/' && link[2] != '/' ? strndup(link + 1, length) : NULL;
}

int registry_tags(struct registry *r, struct strv *out, struct error **err)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "/v2/%s/tags/list", r->path) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "list tags");
	}
	for (int pages = 0; path && pages < PAGES_MAX; pages++) {
		_cleanup_(http_answer_clear) struct http_answer answer = {0};
		const struct registry_request request = {
			.method = "GET", .path = path, .max = PAGE_BYTES};
		int code = registry_ask(r, &request, &answer, err);

		if (code)
			return code;
		if (answer.status != 200)
			return registry_fail(r, &answer, "list tags", err);
		code = read_tags(&answer, out, err);
		if (code)
			return code;
		free(path);
		path = next_page(answer.link);
	}
	return 0;
}

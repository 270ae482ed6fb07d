/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests and indexes, taken apart. See manifest.h. */
#include "image/manifest.h"

#define ITEMS_MAX 4096

static const char *const manifest_types[] = {MEDIA_OCI_MANIFEST, MEDIA_DOCKER_MANIFEST};
static const char *const index_types[] = {MEDIA_OCI_INDEX, MEDIA_DOCKER_LIST};

static const struct {
	const char *type;
	enum layer_compression compression;
} layer_types[] = {
	{MEDIA_OCI_LAYER, LAYER_PLAIN},
	{MEDIA_OCI_LAYER_GZIP, LAYER_GZIP},
	{MEDIA_OCI_LAYER_ZSTD, LAYER_ZSTD},
	{MEDIA_DOCKER_LAYER, LAYER_PLAIN},
	{MEDIA_DOCKER_LAYER_GZIP, LAYER_GZIP},
	{MEDIA_DOCKER_LAYER_ZSTD, LAYER_ZSTD},
	/* Not to be pushed elsewhere by their licence, but complete where they have no urls. */
	{"application/vnd.oci.image.layer.nondistributable.v1.tar", LAYER_PLAIN},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LAYER_GZIP},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LAYER_ZSTD},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LAYER_GZIP},
};

int layer_media_compression(const char *media_type, enum layer_compression *out, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(layer_types); i++)
		if (strcmp(layer_types[i].type, media_type) == 0) {
			*out = layer_types[i].compression;
			return 0;
		}
	return error_set(err, EINVAL, "\"%.200s\" is no kind of layer that dhow knows", media_type);
}

void descriptor_clear(struct descriptor *d)
{
	free(d->media_type);
	free(d->digest);
	free(d->name);
	platform_clear(&d->platform);
	*d = (struct descriptor){0};
}

void manifest_clear(struct manifest *m)
{
	descriptor_clear(&m->config);
	for (size_t i = 0; i < m->count; i++)
		descriptor_clear(&m->items[i]);
	free(m->items);
	free(m->artifact_type);
	*m = (struct manifest){0};
}

/* --- Descriptors --------------------------------------------------------------------------------------------------- */

static int copy_string(const struct json_at *at, const char *key, char **out, struct error **err)
{
	struct json_at member = json_member(at, key);
	const char *text = NULL;
	int r = json_get_string(&member, &text, err);

	if (r || !text)
		return r;
	free(*out);
	*out = strdup(text);
	return *out ? 0 : error_errno(err, ENOMEM, "read a manifest");
}

static int read_platform(const struct json_at *at, struct platform *out, struct error **err)
{
	struct json_at platform = json_member(at, "platform");
	int r;

	if (!platform.value)
		return 0;
	r = json_get_object(&platform, err);
	if (!r)
		r = copy_string(&platform, "os", &out->os, err);
	if (!r)
		r = copy_string(&platform, "architecture", &out->architecture, err);
	return r ? r : copy_string(&platform, "variant", &out->variant, err);
}

static int read_name(const struct json_at *at, struct descriptor *out, struct error **err)
{
	struct json_at annotations = json_member(at, "annotations");
	int r;

	if (!annotations.value)
		return 0;
	r = json_get_object(&annotations, err);
	if (!r)
		r = copy_string(&annotations, "org.opencontainers.image.ref.name", &out->name, err);
	return r ? r : copy_string(&annotations, "io.containerd.image.name", &out->name, err);
}

static int read_descriptor(const struct json_at *at, struct descriptor *out, struct error **err)
{
	struct json_at size = json_member(at, "size"), urls = json_member(at, "urls");
	ssize_t url_count;
	int r = json_get_object(at, err);

	if (!r && !at->value)
		r = json_fail(at, err, "expected an object");
	if (!r)
		r = copy_string(at, "mediaType", &out->media_type, err);
	if (!r)
		r = copy_string(at, "digest", &out->digest, err);
	if (!r && !digest_is_valid(out->digest))
		r = json_fail(at, err, "invalid digest \"%.150s\"", out->digest ? out->digest : "");
	if (!r && (!out->media_type || !*out->media_type))
		r = json_fail(at, err, "no mediaType");
	if (!r && !size.value)
		r = json_fail(at, err, "no size");
	if (!r)
		r = json_get_u64(&size, INT64_MAX, &out->size, err);
	if (r)
		return r;
	url_count = json_get_array(&urls, err);
	if (url_count < 0)
		return (int)url_count;
	out->has_urls = url_count > 0;
	r = read_platform(at, &out->platform, err);
	return r ? r : read_name(at, out, err);
}

static int read_items(const struct json_at *array, uint64_t max, struct manifest *out,
		      struct error **err)
{
	ssize_t count = json_get_array(array, err);

	if (count < 0)
		return (int)count;
	if ((uint64_t)count > max)
		return json_fail(array, err, "%zd entries are more than the limit of %ju", count,
				 (uintmax_t)max);
	out->items = calloc(count ? (size_t)count : 1, sizeof *out->items);
	if (!out->items)
		return error_errno(err, ENOMEM, "read a manifest");
	for (size_t i = 0; i < (size_t)count; i++) {
		struct json_at element = json_element(array, i);
		int r;

		out->count = i + 1;
		r = read_descriptor(&element, &out->items[i], err);
		if (r)
			return r;
	}
	return 0;
}

/* --- Documents ------------------------------------------------------------------------------------------------------- */

static const char *known_type(const char *type, const char *const *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(types[i], type) == 0)
			return types[i];
	return NULL;
}

/* What came with a parameter ("; charset=utf-8") is compared without. */
static bool same_type(const char *content_type, const char *media_type)
{
	size_t length = strcspn(content_type, "; ");

	return strlen(media_type) == length && strncmp(content_type, media_type, length) == 0;
}

static bool is_generic(const char *content_type)
{
	return same_type(content_type, "application/json") ||
	       same_type(content_type, "text/plain") ||
	       same_type(content_type, "application/octet-stream");
}

/* The document's own word, else how it came, else what it looks like. They may not contradict each other. */
static int choose_type(const struct json_at *top, const char *content_type, struct manifest *out,
		       struct error **err)
{
	bool has_items = json_member(top, "manifests").value != NULL;
	bool has_config = json_member(top, "config").value || json_member(top, "layers").value;
	_cleanup_free_ char *said = NULL;
	_cleanup_free_ char *came = NULL;
	const char *type;
	int r;

	if (has_items && has_config)
		return error_set(err, EINVAL, "the document is both a manifest and an index");
	r = copy_string(top, "mediaType", &said, err);
	if (r)
		return r;
	if (content_type && *content_type && !is_generic(content_type)) {
		if (said && !same_type(content_type, said))
			return error_set(err, EINVAL,
					 "the document says it is %.100s, but came as %.100s", said,
					 content_type);
		came = strndup(content_type, strcspn(content_type, "; "));
		if (!came)
			return error_errno(err, ENOMEM, "read a manifest");
	}
	type = said ? said : came ? came : has_items ? MEDIA_OCI_INDEX : MEDIA_OCI_MANIFEST;
	out->media_type = known_type(type, manifest_types, ARRAY_SIZE(manifest_types));
	if (!out->media_type) {
		out->media_type = known_type(type, index_types, ARRAY_SIZE(index_types));
		out->is_index = out->media_type != NULL;
	}
	if (strstr(type, "distribution.manifest.v1"))
		return error_set(
			err, EINVAL,
			"the manifest is of Docker's schema 1, which dhow does not read; push the "
			"image anew with a recent tool");
	if (!out->media_type)
		return error_set(err, EINVAL, "\"%.200s\" is no kind of manifest that dhow knows",
				 type);
	if (out->is_index ? has_config : has_items)
		return error_set(err, EINVAL,
				 "the document says it is %s, but looks like another kind",
				 out->media_type);
	return 0;
}

static int read_manifest(const struct json_at *top, const struct store_limits *limits,
			 struct manifest *out, struct error **err)
{
	struct json_at config = json_member(top, "config"), layers = json_member(top, "layers");
	int r;

	if (!config.value)
		return json_fail(&config, err, "is missing");
	if (!layers.value)
		return json_fail(&layers, err, "is missing");
	r = read_descriptor(&config, &out->config, err);
	if (!r)
		r = copy_string(top, "artifactType", &out->artifact_type, err);
	return r ? r : read_items(&layers, limits->layers, out, err);
}

static int read_document(const struct json_at *top, const char *content_type,
			 const struct store_limits *limits, struct manifest *out,
			 struct error **err)
{
	struct json_at version = json_member(top, "schemaVersion");
	struct json_at manifests = json_member(top, "manifests");
	uint64_t number = 2;
	int r;

	r = json_get_object(top, err);
	if (!r && !top->value)
		r = error_set(err, EINVAL, "the manifest is empty");
	if (!r)
		r = json_get_u64(&version, UINT32_MAX, &number, err);
	if (!r && number == 1)
		r = error_set(
			err, EINVAL,
			"the manifest is of Docker's schema 1, which dhow does not read; push the image "
			"anew with a recent tool");
	if (!r && number != 2)
		r = json_fail(&version, err, "expected 2, found %ju", (uintmax_t)number);
	if (!r)
		r = choose_type(top, content_type, out, err);
	if (r)
		return r;
	if (!out->is_index)
		return read_manifest(top, limits, out, err);
	if (!manifests.value)
		return json_fail(&manifests, err, "is missing");
	return read_items(&manifests, ITEMS_MAX, out, err);
}

int manifest_parse(const char *text, size_t length, const char *content_type,
		   const struct store_limits *limits, struct manifest *out, struct error **err)
{
	_cleanup_json_ json_t *document = NULL;
	struct json_at top = {0};
	int r;

	*out = (struct manifest){0};
	if (length > limits->manifest_bytes)
		return error_set(err, EFBIG,
				 "the manifest has %zu bytes, more than the limit of %ju", length,
				 (uintmax_t)limits->manifest_bytes);
	r = json_parse(text, length, "manifest", &document, err);
	if (r)
		return r;
	top.value = document;
	r = read_document(&top, content_type, limits, out, err);
	if (r)
		manifest_clear(out);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image out of layers and a configuration. See assemble.h. OCI image spec, manifest.md, config.md; Docker image manifest V2.2.
 *
 * The documents are written compactly and with their members in one order, so that the same layers, configuration and times give the same id. */
#include <string.h>
#include <time.h>

#include "transfer/assemble.h"

static int no_memory(struct error **err)
{
	return error_errno(err, ENOMEM, "assemble an image");
}

void assembly_clear(struct assembly *a)
{
	for (size_t i = 0; i < a->count; i++)
		descriptor_clear(&a->layers[i]);
	free(a->layers);
	a->layers = NULL;
	a->count = 0;
	json_drop(&a->document);
}

json_t *json_time(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	char text[40];

	if (t.tv_nsec < 0) {
		t.tv_nsec += 1000000000;
		t.tv_sec--;
	}
	format_time_rfc3339(&t, text, sizeof text);
	return json_string(text);
}

static const char *media_type(const struct assembly *a, enum layer_compression compression)
{
	static const char *const types[][2] = {
		[LAYER_PLAIN] = {MEDIA_OCI_LAYER, MEDIA_DOCKER_LAYER},
		[LAYER_GZIP] = {MEDIA_OCI_LAYER_GZIP, MEDIA_DOCKER_LAYER_GZIP},
		[LAYER_ZSTD] = {MEDIA_OCI_LAYER_ZSTD, MEDIA_DOCKER_LAYER_ZSTD},
	};

	return (size_t)compression < ARRAY_SIZE(types) ? types[compression][a->is_docker] : NULL;
}

/* The member key of parent, made where it is missing or no such thing. Borrowed. */
static json_t *need(json_t *parent, const char *key, json_t *(*make)(void))
{
	json_t *value = json_object_get(parent, key), *fresh = make();

	if (fresh && value && json_typeof(value) == json_typeof(fresh)) {
		json_decref(fresh);
		return value;
	}
	return fresh && json_object_set_new(parent, key, fresh) == 0 ? fresh : NULL;
}

int assembly_add(struct assembly *a, const struct assembly_layer *layer, struct error **err)
{
	struct descriptor *grown = reallocarray(a->layers, a->count + 1, sizeof *grown), *d;
	json_t *rootfs = need(a->document, "rootfs", json_object);
	json_t *ids = rootfs ? need(rootfs, "diff_ids", json_array) : NULL;
	const char *type = media_type(a, layer->compression);

	if (grown)
		a->layers = grown;
	if (!grown || !ids)
		return no_memory(err);
	if (!type)
		return error_set(err, EOPNOTSUPP,
				 "layer %s is compressed in a way that no image may have",
				 layer->digest);
	d = &a->layers[a->count++];
	*d = (struct descriptor){
		.size = layer->size, .media_type = strdup(type), .digest = strdup(layer->digest)};
	if (!d->media_type || !d->digest ||
	    json_object_set_new(rootfs, "type", json_string("layers")) < 0 ||
	    json_array_append_new(ids, json_string(layer->diff_id)) < 0)
		return no_memory(err);
	return 0;
}

int assembly_history(struct assembly *a, json_t *entry, struct error **err)
{
	json_t *history = need(a->document, "history", json_array);

	return !history || json_array_append(history, entry) < 0 ? no_memory(err) : 0;
}

static json_t *describe(const char *type, const char *digest, uint64_t size)
{
	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
			 (json_int_t)size);
}

static int write_manifest(const struct assembly *a, const char *config_digest, size_t config_length,
			  char digest[DIGEST_SIZE], struct error **err)
{
	const char *type = a->is_docker ? MEDIA_DOCKER_MANIFEST : MEDIA_OCI_MANIFEST;
	const char *config_type = a->is_docker ? MEDIA_DOCKER_CONFIG : MEDIA_OCI_CONFIG;
	_cleanup_json_ json_t *layers = json_array(), *manifest = NULL;
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; layers && i < a->count; i++) {
		const struct descriptor *d = &a->layers[i];

		if (json_array_append_new(layers, describe(d->media_type, d->digest, d->size)) < 0)
			return no_memory(err);
	}
	manifest =
		json_pack("{s:i, s:s, s:o, s:O}", "schemaVersion", 2, "mediaType", type, "config",
			  describe(config_type, config_digest, config_length), "layers", layers);
	text = manifest ? json_dumps(manifest, JSON_COMPACT) : NULL;
	return text ? intake_document(a->intake, text, strlen(text), NULL, digest, err)
		    : no_memory(err);
}

/* All layers are in the store or spooled; the intake places the files of those that the driver lacks. */
static int begin_layers(const struct assembly *a, struct error **err)
{
	for (size_t i = 0; i < a->count; i++) {
		uint64_t offset;
		int r = intake_layer_begin(a->intake, i, false, &offset, err);

		if (r > 0)
			r = error_set(err, ENOENT, "layer %s isn't in the store any more",
				      a->layers[i].digest);
		if (r < 0)
			return r;
	}
	return 0;
}

int assembly_finish(struct assembly *a, char **image_id, struct error **err)
{
	char config_digest[DIGEST_SIZE], manifest_digest[DIGEST_SIZE];
	_cleanup_image_config_ struct image_config config = {0};
	struct image_name name = {0};
	struct intake_names names = {.manifest = manifest_digest,
				     .manifest_type = a->is_docker ? MEDIA_DOCKER_MANIFEST
								   : MEDIA_OCI_MANIFEST,
				     .names = &name,
				     .parent = a->parent};
	_cleanup_free_ char *text = json_dumps(a->document, JSON_COMPACT);
	int r;

	if (!text)
		return no_memory(err);
	if (a->name) {
		name.repository = a->name->repository;
		name.tag = a->name->tag;
		names.count = 1;
	}
	r = intake_document(a->intake, text, strlen(text), NULL, config_digest, err);
	if (r == 0)
		r = image_config_parse(text, strlen(text), &store_config(a->store)->limits, &config,
				       err);
	if (r == 0)
		r = intake_image(a->intake, config_digest, &config, a->layers, a->count, err);
	if (r == 0)
		r = begin_layers(a, err);
	if (r == 0)
		r = write_manifest(a, config_digest, strlen(text), manifest_digest, err);
	return r < 0 ? r : intake_finish(a->intake, &names, image_id, err);
}

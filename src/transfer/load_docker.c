/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of manifest.json: what docker save and podman save write.
 *
 * Such an archive has a configuration and layers, but no manifest; we make one. A layer's diff id is in the configuration, so the
 * digest of a plain tar is known before it is read, and so is that of a compressed one that is named by it (blobs/sha256/HEX). Else
 * the layer is spooled first, to learn it. Old dockers wrote a layer that several images share once, and symbolic links to it. */
#include "layer/compress.h"
#include "transfer/load_internal.h"

static const struct {
	enum layer_compression compression;
	const char *docker, *oci;
} layer_types[] = {
	{LAYER_PLAIN, MEDIA_DOCKER_LAYER, MEDIA_OCI_LAYER},
	{LAYER_GZIP, MEDIA_DOCKER_LAYER_GZIP, MEDIA_OCI_LAYER_GZIP},
	/* Docker's own manifests have no zstd. */
	{LAYER_ZSTD, NULL, MEDIA_OCI_LAYER_ZSTD},
};

/* What is known of a layer before the manifest is made. */
struct found_layer {
	enum layer_compression compression;
	char digest[DIGEST_SIZE];
	uint64_t size;
};

static int find_compression(const struct archive_member *m, enum layer_compression *out,
			    struct error **err)
{
	char magic[6];
	size_t length = sizeof magic;
	int r = archive_member_peek(m, magic, &length, err);

	if (!r)
		*out = compression_detect(magic, length);
	return r;
}

/* xz and bzip2 are no layers' compressions: the tar is kept as it is. */
static int spool(struct load_image *image, struct archive_member *m, struct found_layer *out,
		 struct error **err)
{
	struct source source = archive_member_source(m);
	bool is_kept = out->compression == LAYER_GZIP || out->compression == LAYER_ZSTD;
	struct decompressor *d = NULL;
	struct intake_blob blob;
	int r = is_kept ? 0 : decompressor_new(out->compression, source, &d, err);

	if (!r)
		r = intake_spool(image->intake, is_kept ? source : decompressor_source(d),
				 LAYER_PLAIN, &blob, err);
	decompressor_free(d);
	if (r)
		return r;
	memcpy(out->digest, blob.digest, sizeof out->digest);
	out->size = blob.size;
	out->compression = blob.compression;
	return 0;
}

static int find_layer(struct load_image *image, const char *name, const char *diff_id,
		      struct found_layer *out, struct error **err)
{
	_cleanup_archive_member_ struct archive_member m = {.fd = -1};
	bool has_digest = false;
	int r;

	r = archive_find(image->loading->archive, name, &m, err);
	if (!r)
		r = find_compression(&m, &out->compression, err);
	if (r)
		return r;
	out->size = m.size;
	if (out->compression == LAYER_PLAIN) {
		snprintf(out->digest, sizeof out->digest, "%s", diff_id);
		has_digest = true;
	} else if (out->compression == LAYER_GZIP || out->compression == LAYER_ZSTD) {
		has_digest = str_starts(name, "blobs/") && archive_name_digest(name, out->digest);
	}
	return has_digest ? 1 : spool(image, &m, out, err);
}

static int describe_layer(struct load_image *image, size_t position, const char *name,
			  struct error **err)
{
	struct descriptor *d = &image->layers[position];
	struct found_layer found = {0};
	int r = find_layer(image, name, image->config.diff_ids.items[position], &found, err);

	if (r < 0)
		return error_prefix(err, "layer %s", name);
	if (r == 1) {
		image->members[position] = strdup(name);
		if (!image->members[position])
			return error_errno(err, ENOMEM, "load");
	}
	if (found.compression == LAYER_ZSTD)
		image->manifest_type = MEDIA_OCI_MANIFEST;
	d->digest = strdup(found.digest);
	d->size = found.size;
	for (size_t i = 0; i < ARRAY_SIZE(layer_types); i++)
		if (layer_types[i].compression == found.compression)
			d->media_type = strdup(layer_types[i].oci);
	return d->digest && d->media_type ? 0 : error_errno(err, ENOMEM, "load");
}

static int describe_layers(struct load_image *image, const struct docker_entry *entry,
			   struct error **err)
{
	int r;

	if (entry->layers.count != image->config.diff_ids.count)
		return error_set(err, EINVAL,
				 "manifest.json lists %zu layers, but %s has %zu diff ids",
				 entry->layers.count, entry->config, image->config.diff_ids.count);
	r = load_image_layers(image, entry->layers.count, err);
	for (size_t i = 0; i < entry->layers.count && r == 0; i++)
		r = describe_layer(image, i, entry->layers.items[i], err);
	return r;
}

/* Layers were given OCI's types; a manifest of docker's has its own. */
static int use_docker_types(struct load_image *image, struct error **err)
{
	for (size_t i = 0; i < image->layer_count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(layer_types); j++)
			if (strcmp(image->layers[i].media_type, layer_types[j].oci) == 0) {
				free(image->layers[i].media_type);
				image->layers[i].media_type = strdup(layer_types[j].docker);
				if (!image->layers[i].media_type)
					return error_errno(err, ENOMEM, "load");
				break;
			}
	return 0;
}

static json_t *describe(const char *media_type, const char *digest, uint64_t size)
{
	return json_pack("{s:s, s:I, s:s}", "mediaType", media_type, "size", (json_int_t)size,
			 "digest", digest);
}

static int make_manifest(struct load_image *image, uint64_t config_size, struct error **err)
{
	bool is_docker = strcmp(image->manifest_type, MEDIA_DOCKER_MANIFEST) == 0;
	json_t *layers _cleanup_json_ = json_array();
	json_t *manifest _cleanup_json_ = NULL;
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < image->layer_count; i++) {
		const struct descriptor *d = &image->layers[i];

		if (json_array_append_new(layers, describe(d->media_type, d->digest, d->size)))
			return error_errno(err, ENOMEM, "load");
	}
	manifest = json_pack("{s:i, s:s, s:o, s:O}", "schemaVersion", 2, "mediaType",
			     image->manifest_type, "config",
			     describe(is_docker ? MEDIA_DOCKER_CONFIG : MEDIA_OCI_CONFIG,
				      image->config_digest, config_size),
			     "layers", layers);
	text = manifest ? json_dumps(manifest, JSON_COMPACT) : NULL;
	if (!text)
		return error_errno(err, ENOMEM, "load");
	return intake_document(image->intake, text, strlen(text), NULL, image->manifest, err);
}

static int load_entry(struct loading *l, const struct docker_entry *entry, struct error **err)
{
	_cleanup_load_image_ struct load_image image = {.manifest_type = MEDIA_DOCKER_MANIFEST};
	_cleanup_archive_member_ struct archive_member config = {.fd = -1};
	char digest[DIGEST_SIZE];
	bool has_digest = archive_name_digest(entry->config, digest);
	int r;

	r = load_image_begin(l, &image, err);
	if (!r)
		r = archive_find(l->archive, entry->config, &config, err);
	if (!r)
		r = load_image_config(&image, entry->config, has_digest ? digest : NULL, err);
	if (!r)
		r = describe_layers(&image, entry, err);
	if (!r && strcmp(image.manifest_type, MEDIA_DOCKER_MANIFEST) == 0)
		r = use_docker_types(&image, err);
	if (!r)
		r = make_manifest(&image, config.size, err);
	for (size_t i = 0; i < entry->names.count && r == 0; i++)
		if (strv_add(&image.names, entry->names.items[i]))
			r = error_errno(err, ENOMEM, "load");
	return r ? r : load_image_finish(&image, err);
}

int load_docker(struct loading *l, struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < l->docker.count && r == 0; i++)
		r = load_entry(l, &l->docker.entries[i], err);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be pushed: the image's own manifest and blobs, or ones made anew where another compression or kind of
 * manifest is wanted. Layers that are compressed for a push are unnamed files, gone when it ends. */
#include <unistd.h>

#include "transfer/push_internal.h"

#define RECOMPRESS_BUFFER (1u << 20)

/* --- Compressing a layer anew ------------------------------------------------------------------------------------ */

struct hashed_file {
	int fd;
	struct hash *hash;
	uint64_t size;
};

static int write_hashed(void *data, const void *buf, size_t length, struct error **err)
{
	struct hashed_file *f = data;

	errno = 0;
	if (fd_write_all(f->fd, buf, length) < 0)
		return error_errno(err, errno ? errno : EIO, "write a compressed layer");
	hash_add(f->hash, buf, length);
	f->size += length;
	return 0;
}

static int copy(struct source from, struct sink to, struct error **err)
{
	_cleanup_free_ char *buf = malloc(RECOMPRESS_BUFFER);
	ssize_t n;
	int r = 0;

	if (!buf)
		return error_errno(err, ENOMEM, "compress a layer");
	while (r == 0 && (n = from.read(from.data, buf, RECOMPRESS_BUFFER, err)) != 0)
		r = n < 0 ? (int)n : to.write(to.data, buf, (size_t)n, err);
	return r;
}

static int recompress_to(struct push *p, int from, enum layer_compression kind,
			 enum layer_compression wanted, struct hashed_file *out, struct error **err)
{
	struct decompressor *d = NULL;
	struct compressor *c = NULL;
	struct sink file = {.write = write_hashed, .data = out};
	int r;

	r = decompressor_new(kind, source_fd(&from), &d, err);
	if (!r)
		r = compressor_new(wanted, p->opts->level, (int)sysconf(_SC_NPROCESSORS_ONLN), file,
				   &c, err);
	if (!r)
		r = copy(decompressor_source(d), compressor_sink(c), err);
	if (!r)
		r = compressor_finish(c, err);
	compressor_free(c);
	decompressor_free(d);
	return r;
}

static int recompress(struct push *p, struct push_part *part, enum layer_compression kind,
		      enum layer_compression wanted, struct error **err)
{
	_cleanup_fd_ int from = blob_open(p->opts->store, part->digest, NULL, err);
	_cleanup_hash_ struct hash *hash = hash_new("sha256");
	struct hashed_file out = {.hash = hash};
	int r;

	if (from < 0)
		return from;
	if (!hash)
		return error_errno(err, ENOMEM, "compress a layer");
	progress_state(p->opts->progress, part->digest, "Compressing", 0);
	part->fd = out.fd = blob_ingest_anonymous(p->opts->store, err);
	if (part->fd < 0)
		return part->fd;
	r = recompress_to(p, from, kind, wanted, &out, err);
	if (r)
		return error_prefix(err, "compress layer %s", part->digest);
	hash_finish(hash, part->digest);
	part->size = out.size;
	p->is_rewritten = true;
	return 0;
}

/* --- Media types ---------------------------------------------------------------------------------------------------- */

static const struct {
	enum layer_compression kind;
	const char *oci, *docker;
} layer_types[] = {
	{LAYER_PLAIN, MEDIA_OCI_LAYER, MEDIA_DOCKER_LAYER},
	{LAYER_GZIP, MEDIA_OCI_LAYER_GZIP, MEDIA_DOCKER_LAYER_GZIP},
	{LAYER_ZSTD, MEDIA_OCI_LAYER_ZSTD, MEDIA_DOCKER_LAYER_ZSTD},
};

static const char *layer_type(enum layer_compression kind, bool is_docker)
{
	for (size_t i = 0; i < ARRAY_SIZE(layer_types); i++)
		if (layer_types[i].kind == kind)
			return is_docker ? layer_types[i].docker : layer_types[i].oci;
	return MEDIA_OCI_LAYER;
}

static int wanted_compression(const struct push *p, enum layer_compression kind,
			      enum layer_compression *wanted, struct error **err)
{
	const char *name = p->opts->compression;

	*wanted = kind == LAYER_PLAIN ? LAYER_GZIP : kind;
	if (!name)
		return 0;
	if (strcmp(name, "gzip") == 0)
		*wanted = LAYER_GZIP;
	else if (strcmp(name, "zstd") == 0)
		*wanted = LAYER_ZSTD;
	else
		return error_set(err, EINVAL, "compression format \"%s\" is none of gzip, zstd",
				 name);
	return 0;
}

static int prepare_layer(struct push *p, const struct descriptor *d, bool is_docker,
			 struct error **err)
{
	struct push_part *part = &p->parts[p->part_count];
	enum layer_compression kind, wanted;
	int r;

	*part = (struct push_part){.fd = -1, .size = d->size};
	p->part_count++;
	snprintf(part->digest, sizeof part->digest, "%s", d->digest);
	r = layer_media_compression(d->media_type, &kind, err);
	if (!r)
		r = wanted_compression(p, kind, &wanted, err);
	if (r)
		return r;
	if (wanted == LAYER_ZSTD && is_docker)
		return error_set(err, EINVAL, "zstd layers need an OCI manifest: add --format oci");
	if (wanted != kind)
		r = recompress(p, part, kind, wanted, err);
	part->media_type = strdup(layer_type(wanted, is_docker));
	return r || part->media_type ? r : error_errno(err, ENOMEM, "push");
}

static int prepare_config(struct push *p, bool is_docker, struct error **err)
{
	struct push_part *part = &p->parts[p->part_count];

	*part = (struct push_part){.fd = -1, .size = p->original.config.size};
	p->part_count++;
	snprintf(part->digest, sizeof part->digest, "%s", p->original.config.digest);
	part->media_type = strdup(is_docker ? MEDIA_DOCKER_CONFIG : MEDIA_OCI_CONFIG);
	return part->media_type ? 0 : error_errno(err, ENOMEM, "push");
}

/* --- The manifest --------------------------------------------------------------------------------------------------- */

static json_t *describe(const struct push_part *part)
{
	return json_pack("{s:s, s:I, s:s}", "mediaType", part->media_type, "size",
			 (json_int_t)part->size, "digest", part->digest);
}

static int write_manifest(struct push *p, bool is_docker, struct error **err)
{
	_cleanup_json_ json_t *document = NULL;
	json_t *layers = json_array();

	for (size_t i = 0; i + 1 < p->part_count; i++)
		if (json_array_append_new(layers, describe(&p->parts[i])))
			break;
	p->manifest_type = is_docker ? MEDIA_DOCKER_MANIFEST : MEDIA_OCI_MANIFEST;
	document =
		json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", p->manifest_type,
			  "config", describe(&p->parts[p->part_count - 1]), "layers", layers);
	if (document && json_array_size(layers) + 1 == p->part_count)
		p->manifest = json_dumps(document, JSON_COMPACT);
	if (!p->manifest)
		return error_errno(err, ENOMEM, "push");
	p->manifest_length = strlen(p->manifest);
	return 0;
}

static int read_manifest(struct push *p, struct error **err)
{
	const struct store_limits *limits = &store_config(p->opts->store)->limits;
	int r;

	r = blob_read(p->opts->store, p->image->manifest, limits->manifest_bytes, &p->manifest,
		      &p->manifest_length, err);
	return r ? r
		 : manifest_parse(p->manifest, p->manifest_length, p->image->manifest_type, limits,
				  &p->original, err);
}

static bool is_docker_type(const char *media_type)
{
	return strcmp(media_type, MEDIA_DOCKER_MANIFEST) == 0;
}

/* --format, else as it is; zstd makes it OCI, since docker's own kind has no such layers. */
static int choose_type(struct push *p, bool *is_docker, struct error **err)
{
	const char *asked = p->opts->manifest_type;

	*is_docker = is_docker_type(p->original.media_type);
	if (!asked && p->opts->compression && strcmp(p->opts->compression, "zstd") == 0)
		*is_docker = false;
	if (asked && strcmp(asked, "oci") == 0)
		*is_docker = false;
	else if (asked && strcmp(asked, "v2s2") == 0)
		*is_docker = true;
	else if (asked)
		return error_set(err, EINVAL, "format \"%s\" is none of oci, v2s2", asked);
	p->is_rewritten = *is_docker != is_docker_type(p->original.media_type);
	return 0;
}

int push_prepare(struct push *p, struct error **err)
{
	bool is_docker;
	int r;

	r = store_lease_open(p->opts->store, &p->lease, err);
	if (!r)
		r = read_manifest(p, err);
	if (!r)
		r = choose_type(p, &is_docker, err);
	if (r)
		return r;
	p->manifest_type = p->original.media_type;
	p->parts = calloc(p->original.count + 1, sizeof *p->parts);
	if (!p->parts)
		return error_errno(err, ENOMEM, "push");
	for (size_t i = 0; i < p->original.count && r == 0; i++) {
		r = store_lease_add(p->lease, p->original.items[i].digest, err);
		if (!r)
			r = prepare_layer(p, &p->original.items[i], is_docker, err);
	}
	if (!r)
		r = prepare_config(p, is_docker, err);
	if (!r && p->is_rewritten) {
		free(TAKE_PTR(p->manifest));
		r = write_manifest(p, is_docker, err);
	}
	if (!r)
		hash_bytes(p->manifest, p->manifest_length, p->manifest_digest);
	return r;
}

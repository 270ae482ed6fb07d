/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blobs on their way into an archive: each is written once, most as they are stored.
 *
 * A layer whose compression must change is written to a file without a name first, because its size and digest come before
 * it in the archive or in the manifest. */
#include <sys/stat.h>

#include "transfer/save_internal.h"

#define COPY_BYTES (1u << 20)

char *save_blob_name(const struct saving *s, const char *digest)
{
	char *name = NULL;

	if (s->format->is_flat)
		return strdup(digest_hex(digest));
	if (asprintf(&name, "blobs/%.6s/%s", digest, digest_hex(digest)) < 0)
		return NULL;
	return name;
}

static const struct saved_blob *find_blob(const struct saving *s, const char *digest)
{
	for (size_t i = 0; i < s->blob_count; i++)
		if (strcmp(s->blobs[i].digest, digest) == 0)
			return &s->blobs[i];
	return NULL;
}

static const struct saved_blob *find_changed(const struct saving *s, const char *source,
					     enum layer_compression compression)
{
	for (size_t i = 0; i < s->blob_count; i++)
		if (strcmp(s->blobs[i].source, source) == 0 &&
		    s->blobs[i].compression == compression)
			return &s->blobs[i];
	return NULL;
}

static int remember(struct saving *s, const struct saved_blob *blob, struct error **err)
{
	struct saved_blob *grown = reallocarray(s->blobs, s->blob_count + 1, sizeof *grown);

	if (!grown)
		return error_errno(err, ENOMEM, "save");
	s->blobs = grown;
	s->blobs[s->blob_count++] = *blob;
	return 0;
}

/* The folder of the usual digests is there from the start. */
static int make_folder(struct saving *s, const char *digest, struct error **err)
{
	if (s->format->is_flat || s->has_sha512 || !str_starts(digest, "sha512:"))
		return 0;
	s->has_sha512 = true;
	return archive_out_folder(s->out, "blobs/sha512/", err);
}

/* Writes what fd holds, unless the archive has that digest. */
static int write_blob(struct saving *s, const struct saved_blob *blob, int fd, struct error **err)
{
	_cleanup_free_ char *name = save_blob_name(s, blob->digest);
	int r;

	if (!name)
		return error_errno(err, ENOMEM, "save");
	if (!find_blob(s, blob->digest)) {
		progress_state(s->opts->progress, blob->digest, "Saving", blob->size);
		r = make_folder(s, blob->digest, err);
		if (!r)
			r = archive_out_blob(s->out, name, fd, blob->size, err);
		if (r)
			return r;
		progress_state(s->opts->progress, blob->digest, "Saved", 0);
	}
	return remember(s, blob, err);
}

static int open_stored(const struct saving *s, const char *digest, uint64_t *size,
		       struct error **err)
{
	int fd = blob_open(s->opts->store, digest, size, err);

	if (fd == -ENOENT)
		return error_set(err, ENOENT,
				 "blob %s is missing in the store; pull or load the "
				 "image again",
				 digest);
	return fd;
}

static int write_stored(struct saving *s, const char *digest, enum layer_compression compression,
			struct saved_blob *out, struct error **err)
{
	_cleanup_fd_ int fd = -1;

	*out = (struct saved_blob){.compression = compression};
	snprintf(out->digest, sizeof out->digest, "%s", digest);
	snprintf(out->source, sizeof out->source, "%s", digest);
	fd = open_stored(s, digest, &out->size, err);
	return fd < 0 ? fd : write_blob(s, out, fd, err);
}

int save_stored_blob(struct saving *s, const char *digest, struct error **err)
{
	struct saved_blob blob;

	return find_blob(s, digest) ? 0 : write_stored(s, digest, LAYER_PLAIN, &blob, err);
}

int save_document_blob(struct saving *s, const char *digest, const char *data, size_t length,
		       struct error **err)
{
	_cleanup_free_ char *name = save_blob_name(s, digest);
	struct saved_blob blob = {.size = length};
	int r;

	if (!name)
		return error_errno(err, ENOMEM, "save");
	if (find_blob(s, digest))
		return 0;
	snprintf(blob.digest, sizeof blob.digest, "%s", digest);
	snprintf(blob.source, sizeof blob.source, "%s", digest);
	r = make_folder(s, digest, err);
	if (!r)
		r = archive_out_document(s->out, name, data, length, err);
	return r ? r : remember(s, &blob, err);
}

/* --- Changing the compression --------------------------------------------------------------------------------------- */

/* The new blob: a file, and what is known of it. */
struct rewrite {
	int fd;
	struct hash *hash;
	uint64_t size;
};

static void rewrite_clear(struct rewrite *w)
{
	close_fd(&w->fd);
	hash_free(w->hash);
}

static int write_rewritten(void *data, const void *buf, size_t size, struct error **err)
{
	struct rewrite *w = data;
	int r = fd_write_all(w->fd, buf, size);

	if (r)
		return error_errno(err, -r, "write a layer");
	hash_add(w->hash, buf, size);
	w->size += size;
	return 0;
}

static int pump(struct source from, struct sink to, struct error **err)
{
	_cleanup_free_ char *buf = malloc(COPY_BYTES);
	ssize_t n;
	int r = 0;

	if (!buf)
		return error_errno(err, ENOMEM, "save");
	while (r == 0 && (n = from.read(from.data, buf, COPY_BYTES, err)) != 0)
		r = n < 0 ? (int)n : to.write(to.data, buf, (size_t)n, err);
	return r;
}

static int recompress(int from, enum layer_compression is, enum layer_compression to,
		      struct rewrite *w, struct error **err)
{
	struct sink into = {.write = write_rewritten, .data = w};
	struct decompressor *d = NULL;
	struct compressor *c = NULL;
	int r;

	r = decompressor_new(is, source_fd(&from), &d, err);
	if (!r)
		r = compressor_new(to, 0, 1, into, &c, err);
	if (!r)
		r = pump(decompressor_source(d), compressor_sink(c), err);
	if (!r)
		r = compressor_finish(c, err);
	compressor_free(c);
	decompressor_free(d);
	return r;
}

static int write_changed(struct saving *s, const char *digest, enum layer_compression is,
			 struct saved_blob *out, struct error **err)
{
	_cleanup_(rewrite_clear) struct rewrite w = {.fd = -1, .hash = hash_new("sha256")};
	_cleanup_fd_ int from = open_stored(s, digest, NULL, err);
	int r;

	if (from < 0)
		return from;
	if (!w.hash)
		return error_errno(err, ENOMEM, "save");
	w.fd = blob_ingest_anonymous(s->opts->store, err);
	if (w.fd < 0)
		return w.fd;
	r = recompress(from, is, out->compression, &w, err);
	if (r)
		return error_prefix(err, "layer %s", digest);
	hash_finish(w.hash, out->digest);
	out->size = w.size;
	snprintf(out->source, sizeof out->source, "%s", digest);
	return write_blob(s, out, w.fd, err);
}

/* What the layer shall be. */
static enum layer_compression wanted_compression(const struct saving *s, enum layer_compression is)
{
	if (s->opts->is_uncompressed)
		return LAYER_PLAIN;
	if (!s->format->layer_types[is])
		return LAYER_GZIP;
	return is == LAYER_PLAIN && s->opts->is_compressed ? LAYER_GZIP : is;
}

int save_layer(struct saving *s, const struct descriptor *layer, struct saved_blob *out,
	       struct error **err)
{
	enum layer_compression is, wanted;
	const struct saved_blob *known;
	int r;

	if (layer->has_urls)
		return error_set(err, ENOTSUP, "layer %s is kept elsewhere (a foreign layer)",
				 layer->digest);
	r = layer_media_compression(layer->media_type, &is, err);
	if (r)
		return r;
	wanted = wanted_compression(s, is);
	known = find_changed(s, layer->digest, wanted);
	if (known) {
		*out = *known;
		return 0;
	}
	if (wanted == is)
		return write_stored(s, layer->digest, is, out, err);
	*out = (struct saved_blob){.compression = wanted};
	return write_changed(s, layer->digest, is, out, err);
}

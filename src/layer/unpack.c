/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pipeline of unpacking: source -> decompress -> digest (a thread, ring.c) -> libarchive -> placing (place.h, with its writers).
 *
 * libarchive reads the tar's dialects; what it says is checked here against the limits. The digest covers every byte, so what is behind
 * the archive's end is read, too; it may be padding, but not without bounds. */
#include "layer/unpack_internal.h"

#define RATIO_FREE (64ull << 20)

static la_ssize_t next_piece(struct archive *a, void *data, const void **buf)
{
	struct unpacking *u = data;
	ssize_t n = ring_next(u->ring, buf, &u->source_error);

	if (n < 0) {
		archive_set_error(a, EIO, "%s", error_text(u->source_error));
		return ARCHIVE_FATAL;
	}
	return n;
}

int unpacking_fail(struct unpacking *u, struct error **err)
{
	const char *text = archive_error_string(u->archive);

	if (u->source_error)
		return error_set(err, u->source_error->code, "%s", u->source_error->message);
	return error_set(err, EINVAL, "the tar is damaged: %s", text ? text : "unknown reason");
}

int unpacking_open(struct unpacking *u, struct source source, const struct unpack_opts *opts,
		   struct error **err)
{
	int r;

	u->opts = opts;
	u->hash = hash_new("sha256");
	u->archive = archive_read_new();
	if (!u->hash || !u->archive)
		return error_errno(err, ENOMEM, "unpack");
	r = decompressor_new(opts->compression, source, &u->decompressor, err);
	if (!r)
		r = ring_new(decompressor_source(u->decompressor), u->hash, &u->ring, err);
	if (r)
		return r;
	if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(u->archive) != ARCHIVE_OK)
		return error_errno(err, ENOMEM, "unpack");
	if (archive_read_open2(u->archive, u, NULL, next_piece, NULL, NULL) != ARCHIVE_OK)
		return unpacking_fail(u, err);
	return 0;
}

void unpacking_clear(struct unpacking *u)
{
	placer_free(u->placer);
	archive_read_free(u->archive);
	ring_free(u->ring);
	decompressor_free(u->decompressor);
	hash_free(u->hash);
	error_free(u->source_error);
}

/* --- Limits -------------------------------------------------------------------------------------------------------------- */

static int check_bytes(const struct unpacking *u, uint64_t bytes, struct error **err)
{
	const struct store_limits *limits = u->opts->limits;
	uint64_t compressed = u->opts->compressed_size;

	if (bytes > limits->layer_bytes)
		return error_set(err, EFBIG,
				 "the layer is larger than the limit of %ju bytes (layer-bytes)",
				 (uintmax_t)limits->layer_bytes);
	if (compressed && bytes > RATIO_FREE && bytes / limits->ratio > compressed)
		return error_set(
			err, EFBIG,
			"the layer unpacks to more than %ju times its compressed size (ratio)",
			(uintmax_t)limits->ratio);
	return 0;
}

static int check_entry(struct unpacking *u, struct archive_entry *entry, struct error **err)
{
	const struct store_limits *limits = u->opts->limits;
	int64_t size = archive_entry_size(entry);

	if (++u->result.entries > limits->layer_entries)
		return error_set(err, EFBIG,
				 "the layer has more entries than the limit of %ju (layer-entries)",
				 (uintmax_t)limits->layer_entries);
	/* A sparse file may say any size; it costs nothing before it is read. */
	if (size < 0 || (uint64_t)size > limits->layer_bytes)
		return error_set(err, EFBIG,
				 "a file is larger than the limit of %ju bytes (layer-bytes)",
				 (uintmax_t)limits->layer_bytes);
	return check_bytes(u, ring_total(u->ring), err);
}

int unpacking_next(struct unpacking *u, struct archive_entry **entry, struct error **err)
{
	int r = archive_read_next_header(u->archive, entry);

	if (r == ARCHIVE_EOF)
		return 0;
	/* Warnings are about names and attributes in other character sets; their bytes are what counts here. */
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return unpacking_fail(u, err);
	r = check_entry(u, *entry, err);
	return r ? r : 1;
}

int unpacking_end(struct unpacking *u, struct unpack_result *out, struct error **err)
{
	const void *piece;
	ssize_t n;
	int r = 0;

	while ((n = ring_next(u->ring, &piece, err)) > 0 && r == 0)
		r = check_bytes(u, ring_total(u->ring), err);
	if (n < 0 || r)
		return r ? r : (int)n;
	u->result.tar_size = ring_total(u->ring);
	/* The thread has ended: the hash is ours now. */
	hash_finish(u->hash, u->result.diff_id);
	*out = u->result;
	return 0;
}

/* --- The whole ----------------------------------------------------------------------------------------------------------- */

static int unpack_all(struct unpacking *u, struct source source, const struct unpack_opts *opts,
		      struct error **err)
{
	const struct placer_opts placer = {
		.root = opts->root,
		.is_fresh = opts->whiteouts != WHITEOUTS_APPLY,
		.ignore_chown_errors = opts->ignore_chown_errors,
	};
	struct archive_entry *entry;
	int r;

	r = unpacking_open(u, source, opts, err);
	if (!r)
		r = placer_new(&placer, &u->placer, err);
	if (r)
		return r;
	while ((r = unpacking_next(u, &entry, err)) == 1) {
		r = unpack_entry(u, entry, err);
		if (r)
			return r;
	}
	return r ? r : place_finish(u->placer, err);
}

int layer_unpack(struct source source, const struct unpack_opts *opts, struct unpack_result *out,
		 struct error **err)
{
	_cleanup_(unpacking_clear) struct unpacking u = {0};
	int r = unpack_all(&u, source, opts, err);

	return r ? r : unpacking_end(&u, out, err);
}

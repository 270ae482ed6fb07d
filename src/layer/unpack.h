/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A layer's tar becomes files.
 *
 * Pipeline: source -> decompress -> digest of the tar -> libarchive's reader -> placing. Stages run in threads where that helps; rings of buffers
 * between them bound the memory. Files are placed through directory descriptors inside root, by openat2(2): no name, link or
 * device of the archive reaches outside. */
#ifndef DHOW_LAYER_UNPACK_H
#define DHOW_LAYER_UNPACK_H

#include "layer/compress.h"
#include "layer/stream.h"
#include "storage/storage.h"
#include "store/store.h"

struct unpack_opts {
	int root; /* the layer's "/" */
	enum storage_whiteouts whiteouts;
	enum layer_compression compression;
	const struct store_limits *limits;
	uint64_t compressed_size; /* 0: unknown; for the ratio */
	bool is_plain; /* no layer but a tar: names that look like whiteouts are files (import) */
	bool ignore_chown_errors; /* a user namespace with one id */
};
struct unpack_result {
	char diff_id[DIGEST_SIZE]; /* of the uncompressed tar, padding included */
	uint64_t tar_size;
	uint64_t size; /* of regular files' content */
	uint64_t entries;
};
/* Reads source to its end. On failure root holds part of the layer: the caller removes it. Errors name the entry. */
int layer_unpack(struct source source, const struct unpack_opts *opts, struct unpack_result *out,
		 struct error **err);

#endif

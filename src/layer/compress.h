/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compression of layers: ISA-L (gzip), libzstd, and for archives that people bring, xz and bzip2 through libarchive's filters. In
 * process, never by a program that might be found elsewhere. */
#ifndef DHOW_LAYER_COMPRESS_H
#define DHOW_LAYER_COMPRESS_H

#include "image/manifest.h"
#include "layer/stream.h"

/* A source of the uncompressed bytes of in. Concatenated gzip members and zstd frames are one stream. Data behind the end that is no
 * further member, and an early end, are errors. */
struct decompressor;
int decompressor_new(enum layer_compression kind, struct source in, struct decompressor **out,
		     struct error **err);
struct source decompressor_source(struct decompressor *d);
void decompressor_free(struct decompressor *d);
/* By magic bytes: the first bytes of a stream (at least 6 where there are that many). */
enum layer_compression compression_detect(const void *start, size_t length);

/* The reverse: LAYER_PLAIN, LAYER_GZIP (ISA-L, reproducible: no time, no name) or LAYER_ZSTD (level; 0 is the default). threads > 1 lets zstd use as many. */
struct compressor;
int compressor_new(enum layer_compression kind, int level, int threads, struct sink out,
		   struct compressor **c, struct error **err);
struct sink compressor_sink(struct compressor *c);
int compressor_finish(struct compressor *c, struct error **err);
void compressor_free(struct compressor *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the unpacker share: reading a layer's tar, entry by entry. */
#ifndef DHOW_LAYER_UNPACK_INTERNAL_H
#define DHOW_LAYER_UNPACK_INTERNAL_H

#include <archive.h>
#include <archive_entry.h>

#include "layer/place.h"
#include "layer/ring.h"
#include "layer/unpack.h"

struct unpacking {
	const struct unpack_opts *opts;
	struct decompressor *decompressor;
	struct hash *hash;
	struct ring *ring;
	struct archive *archive;
	struct placer *placer;
	struct unpack_result result;
	struct error *source_error; /* what made the archive's reader fail */
};

/* Opens the pipeline up to the archive's reader. unpacking_clear() ends it. */
int unpacking_open(struct unpacking *u, struct source source, const struct unpack_opts *opts,
		   struct error **err);
/* 1: *entry is the next one, within the limits; 0: the end. */
int unpacking_next(struct unpacking *u, struct archive_entry **entry, struct error **err);
/* Reads what is behind the archive's end, and fills in the result. */
int unpacking_end(struct unpacking *u, struct unpack_result *out, struct error **err);
void unpacking_clear(struct unpacking *u);
/* What went wrong in the reader. */
int unpacking_fail(struct unpacking *u, struct error **err);

/* Owner, mode, times and attributes of an entry, freed with attributes_clear. Attributes that an image may not set are left out. */
int entry_attributes(struct archive_entry *entry, struct attributes *out, struct error **err);

/* Places one entry. */
int unpack_entry(struct unpacking *u, struct archive_entry *entry, struct error **err);

/* Nothing of the layers below shows in the directory. */
int unpack_opaque(struct unpacking *u, const char *directory, struct error **err);
/* A whiteout's file name ("x/.wh.name"): 1 when it was one, and was dealt with. */
int unpack_whiteout(struct unpacking *u, const char *name, struct error **err);

#endif

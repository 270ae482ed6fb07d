/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source read ahead by a thread of its own: decompression and digest go on while the reader places files. Inside the room. */
#ifndef DHOW_LAYER_RING_H
#define DHOW_LAYER_RING_H

#include "layer/hash.h"
#include "layer/stream.h"

struct ring;

/* Reads in with a thread, adding what comes to hash (borrowed, not to be touched until ring_free). */
int ring_new(struct source in, struct hash *hash, struct ring **out, struct error **err);
/* The next piece, valid until the next call; its length, 0 at the end, or a negative errno. */
ssize_t ring_next(struct ring *r, const void **data, struct error **err);
/* Bytes that came through so far. */
uint64_t ring_total(const struct ring *r);
/* Stops the thread, also in the middle. */
void ring_free(struct ring *r);

#endif

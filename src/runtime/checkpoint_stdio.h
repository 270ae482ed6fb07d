/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standard streams of a container that is saved and restored. See checkpoint_stdio.c. */
#ifndef DHOW_RUNTIME_CHECKPOINT_STDIO_H
#define DHOW_RUNTIME_CHECKPOINT_STDIO_H

#include "base/base.h"

#define STDIO_COUNT 3

/* What a container without terminal has for streams that gets these descriptors of ours; -1 is the stream of that
 * number. An array of three strings, or NULL without memory; caller frees. */
json_t *stdio_describe(const int fds[STDIO_COUNT]);
/* Writes the descriptions, NULL where the streams are a terminal, into the images' directory, and adds to argv what
 * CRIU must be told of them. Returns 0 or a negative errno. */
int stdio_save(const json_t *streams, const char *images, struct strv *argv, struct error **err);
/* Adds to argv that this process's own streams take the places of those that were saved. fds are what is
 * inherited for it, open over exec: the caller closes them. */
int stdio_inherit(const char *images, struct strv *argv, int fds[STDIO_COUNT], struct error **err);

#endif

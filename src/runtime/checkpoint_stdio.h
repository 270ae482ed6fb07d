/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standard streams of a container that is saved and restored. See checkpoint_stdio.c. */
#ifndef DHOW_RUNTIME_CHECKPOINT_STDIO_H
#define DHOW_RUNTIME_CHECKPOINT_STDIO_H

#include <sys/types.h>

#include "base/base.h"

#define STDIO_COUNT 3

/* Writes descriptors.json into the images' directory, and adds to argv what CRIU must be told of the streams of
 * process pid. Returns 0 or a negative errno. */
int stdio_save(pid_t pid, const char *images, struct strv *argv, struct error **err);
/* Adds to argv that this process's own streams take the places of those that were saved. fds are what is
 * inherited for it, open over exec: the caller closes them. */
int stdio_inherit(const char *images, struct strv *argv, int fds[STDIO_COUNT], struct error **err);

#endif

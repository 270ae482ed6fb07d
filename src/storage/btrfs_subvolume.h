/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subvolumes of btrfs by ioctl, ioctl_btrfs(2) and linux/btrfs.h. Inside the room. Names are single components in dir. All return 0 or a
 * negative errno with *err filled in. */
#ifndef DHOW_STORAGE_BTRFS_SUBVOLUME_H
#define DHOW_STORAGE_BTRFS_SUBVOLUME_H

#include "base/base.h"

/* dir is on btrfs. */
bool subvolume_is_possible(int dir);
int subvolume_create(int dir, const char *name, struct error **err);
/* A snapshot of the subvolume whose root source is. */
int subvolume_snapshot(int source, int dir, const char *name, struct error **err);
int subvolume_set_read_only(int fd, struct error **err);
/* With the subvolumes that somebody made inside it. -ENOENT is success. */
int subvolume_remove(int dir, const char *name, struct error **err);
/* At most bytes may be the subvolume's own, that is not shared with what it was made from. Turns the file system's quotas on where they
 * are off. */
int subvolume_limit(int fd, uint64_t bytes, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount.h's functions for kernels that lack the system call: mount(2) on names in /proc/self/fd. For
 * mount.c alone. */
#ifndef DHOW_KERNEL_MOUNT_LEGACY_H
#define DHOW_KERNEL_MOUNT_LEGACY_H

#include "kernel/mount.h"

int mount_legacy_new(const struct mount_fs *fs, const struct mount_target *target,
		     struct error **err);
/* An O_PATH descriptor of the source, which mount_legacy_attach binds. */
int mount_legacy_clone(int dir, const char *path, enum mount_clone_flags flags, struct error **err);
int mount_legacy_attach(int *fd, const struct mount_target *target, enum mount_clone_flags flags,
			struct error **err);
int mount_legacy_set(int fd, const struct mount_change *change, struct error **err);

#endif

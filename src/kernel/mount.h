/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts by descriptor: fsopen(2), open_tree(2), move_mount(2), mount_setattr(2) and pivot_root(2), typed,
 * traced, and with the kernel's own words in their errors.
 *
 * A mount is made first and then attached to a target, which is a descriptor that kernel/path.h resolved.
 * From Linux 5.10 to 5.11 mount_setattr is missing, and a sandbox may lack all of these calls: then, and
 * only then, mount(2) is used on the descriptors' names in a verified /proc/self/fd. */
#ifndef DHOW_KERNEL_MOUNT_H
#define DHOW_KERNEL_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* A parameter of a file system; value NULL is a flag. */
struct mount_parameter {
	const char *key, *value;
};

/* A new instance of a file system. */
struct mount_fs {
	const char *type;   /* "tmpfs" */
	const char *source; /* as mountinfo shows it; NULL is "none" */
	const struct mount_parameter *parameters;
	size_t parameter_count;
	uint64_t attributes; /* MOUNT_ATTR_* of the mount */
};

/* Where a mount goes. */
struct mount_target {
	int fd;   /* O_PATH, what gets covered */
	int root; /* fd was found as path in root; looked up again, and checked, only where the */
	const char *path; /* kernel lacks the mount API. Also names the target in errors. */
};

/* Makes a file system that is mounted nowhere yet. Returns its descriptor, the caller's; -ENOSYS where the
 * kernel can't. Where the descriptor is the last trace of the mount, closing it unmounts. */
int mount_detached(const struct mount_fs *fs, struct error **err);
/* Makes a file system and mounts it on target. Returns a descriptor of its root, the caller's. */
int mount_new(const struct mount_fs *fs, const struct mount_target *target, struct error **err);
/* Reconfigures the superblock of the mount at fd (mount -o remount). */
int mount_reconfigure(int fd, const struct mount_parameter *parameters, size_t count,
		      struct error **err);

enum mount_clone_flags {
	MOUNT_CLONE_RECURSIVE = 1, /* with everything mounted below */
	MOUNT_CLONE_NOFOLLOW = 2,  /* a symbolic link at the end is cloned itself */
};
/* Clones the mount at path (dir itself when path is ""), for mount_attach. Returns its descriptor. */
int mount_clone(int dir, const char *path, enum mount_clone_flags flags, struct error **err);
/* Attaches what mount_clone or mount_detached returned. *fd is the mount's root afterwards. flags as they
 * were for mount_clone. */
int mount_attach(int *fd, const struct mount_target *target, enum mount_clone_flags flags,
		 struct error **err);

/* A change of a mount's own attributes, MOUNT_ATTR_*. An access time mode (MOUNT_ATTR__ATIME) in set
 * needs the whole of MOUNT_ATTR__ATIME in clear. */
struct mount_change {
	uint64_t set, clear;
	unsigned long propagation; /* one of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, or 0 */
	int id_map;                /* user namespace with MOUNT_ATTR_IDMAP in set */
	bool is_recursive;
};
/* Changes the mount whose root fd is. On kernels without mount_setattr a recursive change of attributes and an id map
 * are -EOPNOTSUPP. */
int mount_set(int fd, const struct mount_change *change, struct error **err);
/* The attributes in force on fd's mount: MOUNT_ATTR_*. */
int mount_attributes(int fd, uint64_t *attributes, struct error **err);
/* Sets the propagation of "/" in the caller's namespace. */
int mount_set_root_propagation(unsigned long propagation, bool is_recursive, struct error **err);
/* The mount that fd is in, made private. */
int mount_make_parent_private(int fd, struct error **err);

/* Whether a mount's root is at path: 1 or 0 (nothing is there: 0), or a negative errno. statx(2), Linux 5.8. */
int mount_is_root(int dir, const char *path, struct error **err);
/* Detaches (MNT_DETACH) the mount at path, never following a link at its end. */
int mount_detach(const char *path, struct error **err);
/* The same, but -EBUSY where files of it are open. */
int mount_unmount(const char *path, struct error **err);
/* pivot_root(".", ".") with dir as ".": dir is the root and the working directory then, and the old root is
 * stacked on top of it. */
int mount_pivot(int dir, struct error **err);
/* Moves the attached mount at fd over "/", and makes it the root of the caller (chroot). */
int mount_move_to_root(int fd, struct error **err);
/* chroot(2) to the directory fd. */
int mount_chroot(int fd, struct error **err);

/* fd is on a file system of this type (statfs(2), f_type). */
bool mount_is_type(int fd, long magic);

#endif

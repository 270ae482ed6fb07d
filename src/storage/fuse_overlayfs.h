/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process of fuse-overlayfs and its mount. Inside the driver. */
#ifndef DHOW_STORAGE_FUSE_OVERLAYFS_H
#define DHOW_STORAGE_FUSE_OVERLAYFS_H

#include "base/base.h"

struct fuse_start {
	const char *program; /* path */
	const char *options; /* "lowerdir=a:b,upperdir=c,workdir=d" */
	const char *label;   /* SELinux context, or NULL */
	int directory;       /* that the paths in options are relative to */
	int log;             /* what the process says: opened for reading and appending */
	int lock;            /* kept open by the process as long as it lives; -1: none */
	bool is_read_only;
};
/* Starts the process and returns its detached mount, once it answers. The process ends when nothing uses the mount any more. */
int fuse_start(const struct fuse_start *start, struct error **err);

#endif

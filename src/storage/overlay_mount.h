/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making an overlay mount of any number of layers. Inside the room. */
#ifndef DHOW_STORAGE_OVERLAY_MOUNT_H
#define DHOW_STORAGE_OVERLAY_MOUNT_H

#include "base/base.h"

struct overlay_mount {
	const struct strv *lowers; /* paths, top first */
	const char *upper, *work;  /* NULL: read-only */
	const char *options;       /* "volatile,metacopy=on", or NULL */
	const char *label;         /* SELinux context, or NULL */
	bool is_user;              /* userxattr */
};

/* Returns the descriptor of a detached mount, the caller's. */
int overlay_mount(const struct overlay_mount *m, struct error **err);

#endif

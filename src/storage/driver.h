/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a storage driver is: one const struct in its own file, listed once in storage.c. Inside the room. See storage.h for
 * what each function promises; storage.c does what all share (locks, names, arguments, the sweep) before it calls them. */
#ifndef DHOW_STORAGE_DRIVER_H
#define DHOW_STORAGE_DRIVER_H

#include "storage/storage.h"

struct storage {
	const struct storage_driver *driver;
	int root;            /* ROOT/storage/NAME, O_PATH-less directory descriptor */
	char *path;          /* the same */
	struct strv options; /* the driver's own, without its prefix: "mount_program=..." */
	bool is_rootless;
	void *data; /* the driver's */
};

/* Directories of a driver, made by storage.c: layers/ (visible, by chain id's HEX), staging/ (HEX or a random name, locked), containers/, trash/. */
struct storage_driver {
	const char *name;
	const char *const *options; /* known ones, NULL-terminated */
	/* Can it work here? Tries for real, in s->root, and leaves nothing. 0, or a negative errno with what is missing. */
	int (*probe)(struct storage *s, struct error **err);
	int (*open)(struct storage *s, struct error **err);                       /* may be NULL */
	void (*close)(struct storage *s);                                         /* may be NULL */
	int (*status)(struct storage *s, struct strv *pairs, struct error **err); /* may be NULL */
	bool layers_are_independent;
	enum storage_whiteouts (*whiteouts)(const struct storage *s);
	bool (*layer_exists)(struct storage *s,
			     const char *id); /* NULL: layers/HEX is a directory */
	int (*layer_begin)(struct storage *s, struct storage_staging *staging, struct error **err);
	int (*layer_flush)(struct storage *s, struct storage_staging *staging,
			   struct error **err); /* may be NULL */
	int (*layer_commit)(struct storage *s, struct storage_staging *staging, struct error **err);
	void (*layer_abort)(struct storage *s, struct storage_staging *staging);
	int (*layer_remove)(struct storage *s, const char *id, struct error **err);
	int (*container_create)(struct storage *s, const struct storage_container_opts *opts,
				struct error **err);
	int (*container_remove)(struct storage *s, const char *id, struct error **err);
	int (*mount)(struct storage *s, const struct storage_mount_opts *opts, struct error **err);
	int (*release)(struct storage *s, const struct storage_mount_opts *opts,
		       struct error **err); /* may be NULL */
	int (*diff_open)(struct storage *s, const struct storage_mount_opts *opts,
			 struct storage_diff *out, struct error **err);
	void (*diff_close)(struct storage *s, struct storage_diff *d); /* may be NULL */
	/* Removes staging/NAME or trash/NAME, relative to s->root, whose owner is gone. NULL: remove_tree_at does. */
	int (*rest_remove)(struct storage *s, const char *path, struct error **err);
	void (*sweep)(struct storage *s); /* beyond staging/ and trash/; may be NULL */
};

extern const struct storage_driver storage_overlay, storage_fuse_overlayfs, storage_btrfs,
	storage_vfs, storage_devicemapper, storage_aufs;

#endif

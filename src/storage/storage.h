/* SPDX-License-Identifier: GPL-2.0-or-later */
/* storage: layers as the kernel can mount them. Drivers behind one table of functions.
 *
 * A driver keeps layers, read-only and named by chain id, each on top of its parent, and containers' writable layers on top of those.
 * A layer is filled in a staging place and becomes visible by one rename once its data is on disk: what is visible is whole. Staging places are locked (flock) while
 * their owner lives; others are rests, which storage_sweep() removes.
 *
 * This room knows no database, no images, no archives. */
#ifndef DHOW_STORAGE_STORAGE_H
#define DHOW_STORAGE_STORAGE_H

#include "base/base.h"

/* How a layer's deletions are kept (layer/unpack.h writes, layer/diff.h reads them). */
enum storage_whiteouts {
	WHITEOUTS_APPLY,        /* the staging place has the parent's files: a whiteout deletes */
	WHITEOUTS_OVERLAY,      /* character device 0:0, trusted.overlay.opaque */
	WHITEOUTS_OVERLAY_USER, /* the same for a user namespace: user.overlay.opaque, and user.overlay.whiteout where mknod isn't allowed */
	WHITEOUTS_AUFS,         /* the names of the archive themselves: .wh.NAME, .wh..wh..opq */
};

struct storage; /* one driver's data in one root */
struct storage_driver;

struct storage_opts {
	int root; /* directory of the store, borrowed: the driver's is ROOT/storage/NAME */
	const char *root_path; /* the same */
	const char *driver;    /* NULL: *remembered, or the best that works */
	const struct strv *
		options; /* "overlay.mount_program=PATH", "dm.basesize=10g"; unknown ones are errors */
	const char *remembered;
	bool is_rootless;
};

/* Opens (probing where no driver was chosen). A driver that was chosen and can't work here is an error that says what is missing. */
int storage_open(const struct storage_opts *opts, struct storage **out, struct error **err);
void storage_close(struct storage *s);
static inline void storage_closep(struct storage **s)
{
	storage_close(*s);
}
#define _cleanup_storage_ _cleanup_(storage_closep)
const char *storage_name(const struct storage *s);
/* "Backing Filesystem", "Supports d_type" ... of `info`: pairs of key and value, NULL-terminated. Caller frees with strv_free. */
int storage_status(struct storage *s, struct strv *pairs, struct error **err);

/* --- Layers --- */
/* Staging of a layer. Several may be open at a time, also from threads. With WHITEOUTS_APPLY the parent must be committed before begin;
 * else layers may be filled in any order (storage_layers_are_independent). */
struct storage_staging {
	char *id, *parent; /* chain ids; parent NULL: the lowest layer */
	int root;          /* directory to fill: the layer's "/" */
	int lock;
	enum storage_whiteouts whiteouts;
	void *data; /* the driver's */
};
bool storage_layers_are_independent(const struct storage *s);
enum storage_whiteouts storage_whiteouts(const struct storage *s);
bool storage_layer_exists(struct storage *s, const char *id);
/* -EEXIST when it is there already. Another process that is filling it is waited for where the caller may_wait (it may
 * then exist: -EEXIST), else -EBUSY. */
int storage_layer_begin(struct storage *s, const char *id, const char *parent, bool may_wait,
			struct storage_staging *out, struct error **err);
/* When everything is filled: the driver's own data to disk where syncfs on the store doesn't reach it (devicemapper). The store's barrier comes after it. */
int storage_layer_flush(struct storage *s, struct storage_staging *staging, struct error **err);
/* Makes it visible, by rename. Ends the staging. */
int storage_layer_commit(struct storage *s, struct storage_staging *staging, struct error **err);
/* Removes what was filled. Does nothing for one that was committed or is zeroed. */
void storage_layer_abort(struct storage *s, struct storage_staging *staging);
/* fsync of the directories that commits renamed in; once per image. */
int storage_sync_directories(struct storage *s, struct error **err);
/* Renames away, then removes. -ENOENT is success. -EBUSY where something is mounted from it. */
int storage_layer_remove(struct storage *s, const char *id, struct error **err);
/* Calls fn for each visible layer, until it returns non-zero, which is returned. */
int storage_layer_each(struct storage *s, int (*fn)(void *data, const char *id), void *data,
		       struct error **err);

/* --- Containers' writable layers --- */
struct storage_container_opts {
	const char *id;            /* [a-zA-Z0-9_.-]+ */
	const char *const *layers; /* chain ids, top first */
	size_t layer_count;
	uint64_t size_limit; /* bytes; 0: none. A driver that can't is an error */
};
int storage_container_create(struct storage *s, const struct storage_container_opts *opts,
			     struct error **err);
int storage_container_remove(struct storage *s, const char *id, struct error **err);

/* --- Mounts --- */
struct storage_mount_opts {
	const char *const *layers; /* chain ids, top first; at least one */
	size_t layer_count;
	const char *container; /* writable on top of it; NULL: read-only */
	const char *label;     /* SELinux mount label, or NULL */
};
/* The file system as one detached mount (or a clone of one), for mount_attach() or the runtime. Returns its descriptor, the caller's. */
int storage_mount(struct storage *s, const struct storage_mount_opts *opts, struct error **err);
/* What the mount held (a device, a fuse process) is let go, after it was unmounted everywhere. */
int storage_release(struct storage *s, const struct storage_mount_opts *opts, struct error **err);

/* --- Differences --- */
enum storage_diff_kind {
	STORAGE_DIFF_UPPER, /* upper is a directory with only the changes, whiteouts as storage_whiteouts() says; lower is the mounted parent (or -1) */
	STORAGE_DIFF_TREES, /* upper and lower are whole trees, to be compared */
};
struct storage_diff {
	enum storage_diff_kind kind;
	int upper, lower; /* directories, the caller's to close; lower -1: nothing below */
	void *data;
};
/* Opens what is needed to tell a container's changes (container set), or those of the layer layers[0] to its parent. End with storage_diff_close. */
int storage_diff_open(struct storage *s, const struct storage_mount_opts *opts,
		      struct storage_diff *out, struct error **err);
void storage_diff_close(struct storage *s, struct storage_diff *d);

/* Removes rests: staging places without an owner. Best effort. */
void storage_sweep(struct storage *s);

/* Names of all drivers, in the order of preference. NULL-terminated. */
extern const char *const storage_driver_names[];

#endif

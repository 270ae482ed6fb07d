/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Placing entries of a layer below its root. Inside the room.
 *
 * Names come as clean relative paths (place_clean_name): no "..", no empty component. Their parents are opened by
 * openat2(2) within the root, so links inside the layer may be followed, but never out of it; the last component is never followed.
 * Small files go to a few writers, threads that create them; what could depend on one of these waits for it. */
#ifndef DHOW_LAYER_PLACE_H
#define DHOW_LAYER_PLACE_H

#include <stdint.h>
#include <sys/stat.h>

#include "layer/unpack.h"

struct attribute {
	char *name;
	void *value;
	size_t size;
};

/* What an entry is to have. */
struct attributes {
	mode_t mode; /* type and permissions */
	uid_t uid;
	gid_t gid;
	struct timespec atime, mtime;
	struct attribute *xattrs;
	size_t xattr_count;
};
void attributes_clear(struct attributes *a);

struct placer;
struct placer_opts {
	int root;
	bool is_fresh; /* the root was empty: nothing of a parent layer is there */
	bool ignore_chown_errors;
};
int placer_new(const struct placer_opts *opts, struct placer **out, struct error **err);
void placer_free(struct placer *p);

/* Relative and clean: leading "/" and "./" go, "." components too; ".." is -EINVAL. "" is the root itself. Caller frees. */
int place_clean_name(const char *name, uint64_t depth_max, char **out, struct error **err);

/* 1 when it replaced a whiteout: it is to be opaque then. */
int place_directory(struct placer *p, const char *name, struct attributes *a, struct error **err);
int place_link(struct placer *p, const char *name, const char *target, const struct attributes *a,
	       struct error **err);
int place_hard_link(struct placer *p, const char *name, const char *target, struct error **err);
/* Devices and FIFOs. */
int place_node(struct placer *p, const char *name, dev_t device, const struct attributes *a,
	       struct error **err);
/* A file whose content is data, taken over with the attributes. */
int place_file(struct placer *p, const char *name, struct attributes *a, void *data, size_t size,
	       struct error **err);
/* A file that the caller writes: returns its descriptor; place_file_end sets its attributes and closes it. */
int place_file_begin(struct placer *p, const char *name, struct error **err);
int place_file_end(struct placer *p, int fd, const char *name, const struct attributes *a,
		   struct error **err);

/* Removes what is there, with all below it: a whiteout where the layer lies on a copy of its parent. */
int place_remove(struct placer *p, const char *name, struct error **err);
/* Empties a directory of what its parent layer had, keeping what this layer placed. */
int place_opaque(struct placer *p, const char *name, struct error **err);
/* Sets an attribute on a directory: the mark of an opaque one. */
int place_mark(struct placer *p, const char *name, const char *attribute, const char *value,
	       struct error **err);

/* What is there: S_IFREG and so on, or 0 for nothing. Waits for everything that was handed out. */
int place_type(struct placer *p, const char *name, mode_t *type, struct error **err);
/* Everything that was handed out is done, and the directories get their attributes. */
int place_finish(struct placer *p, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing tar archives whose every byte is decided by what is in them: pax interchange format (POSIX.1-2017, pax), with
 * extended headers only for what the ustar header can't say. No names of users, no access or change times.
 *
 * An archive is any number of (tar_write_header, the content of exactly size bytes, tar_write_padding), then tar_write_end. */
#ifndef DHOW_LAYER_TAR_WRITE_H
#define DHOW_LAYER_TAR_WRITE_H

#include <sys/stat.h>

#include "layer/stream.h"

/* Extended attributes of one file, sorted by name. */
struct tar_xattr {
	char *name, *value;
	size_t length; /* of value */
};
struct tar_xattrs {
	struct tar_xattr *items;
	size_t count;
};
void tar_xattrs_clear(struct tar_xattrs *x);
#define _cleanup_tar_xattrs_ _cleanup_(tar_xattrs_clear)

struct tar_entry {
	const char *path; /* "etc/passwd", "." for the root; a directory's slash is added here */
	mode_t mode;      /* with the type. Sockets can't be said */
	uid_t uid;
	gid_t gid;
	uint64_t size; /* of a regular file's content; 0 for all else */
	struct timespec mtime;
	dev_t device;              /* of a character or block device */
	const char *hard_link;     /* path of the entry that this one is another name of; or NULL */
	const char *symbolic_link; /* target */
	const struct tar_xattrs *xattrs; /* or NULL */
};
/* Returns 0 or a negative errno: -EINVAL for what no archive can hold (it says what), or the sink's. */
int tar_write_header(struct sink out, const struct tar_entry *e, struct error **err);
/* After size bytes of content: up to the next block. */
int tar_write_padding(struct sink out, uint64_t size, struct error **err);
/* The two empty blocks at the end. */
int tar_write_end(struct sink out, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tar around an image: where its members are, and how one is written. Inside the room.
 *
 * An image archive needs little of tar: names, sizes, links, and the place of each member's bytes in the file, so that
 * layers are read where they lie. That place is what a general reader doesn't tell. POSIX ustar and pax, GNU's long
 * names and base-256 sizes are understood; sparse members are refused, nobody writes an image with them. */
#ifndef DHOW_TRANSFER_ARCHIVE_TAR_H
#define DHOW_TRANSFER_ARCHIVE_TAR_H

#include "base/base.h"

#define TAR_BLOCK 512u

enum tar_type { TAR_FILE, TAR_DIRECTORY, TAR_SYMLINK, TAR_HARDLINK, TAR_OTHER };

struct tar_member {
	char *name; /* without leading "./" and trailing "/" */
	char *link; /* of the links; as it is written */
	enum tar_type type;
	uint64_t offset, size; /* of the content; 0 but for files */
};
void tar_member_clear(struct tar_member *m);

struct tar_reader {
	int fd;       /* a file; borrowed */
	uint64_t at;  /* of the next header */
	uint64_t end; /* size of the file */
};
/* 1 with the next member in *out (caller clears), 0 at the end, or a negative errno: a header that is none, a member that ends behind
 * the file's end, a name or an extended header out of bounds. */
int tar_next(struct tar_reader *r, struct tar_member *out, struct error **err);

/* The header of a file (mode 0444), or a directory (0755) whose name ends with "/"; root's, from 1970. */
int tar_header_append(struct strbuf *out, const char *name, uint64_t size, struct error **err);
/* Zeros between size and the next block. */
static inline size_t tar_padding(uint64_t size)
{
	return (size_t)(-size % TAR_BLOCK);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An archive as a set of members with names, whether it is a tar, a compressed tar, a pipe with either, or a directory.
 * Inside the room.
 *
 * What can't be read twice is first copied to a file of the store's ingest/ that has no name, and is gone with us; from then on
 * there is one way to read: find a member, read its bytes where they lie. Names from the archive are keys, never paths on disk;
 * below a directory they are resolved without leaving it. */
#ifndef DHOW_TRANSFER_ARCHIVE_READ_H
#define DHOW_TRANSFER_ARCHIVE_READ_H

#include "layer/stream.h"
#include "store/store.h"

struct archive;

/* fd (borrowed) is a file or a stream; or path is a directory, and fd is -1. */
int archive_open(int fd, const char *path, struct store *store, struct archive **out,
		 struct error **err);
void archive_close(struct archive *a);
static inline void archive_closep(struct archive **a)
{
	archive_close(*a);
}
#define _cleanup_archive_ _cleanup_(archive_closep)

bool archive_has(const struct archive *a, const char *name);

/* Bytes of a file, read in order. */
struct archive_member {
	int fd;
	bool owns_fd;
	uint64_t offset, size; /* what is left */
};
void archive_member_clear(struct archive_member *m);
#define _cleanup_archive_member_ _cleanup_(archive_member_clear)
/* Follows links inside the archive. -ENOENT: "NAME is missing in the archive"; a link that leads out or round, a name that is there
 * twice and what is no file are -EINVAL. */
int archive_find(const struct archive *a, const char *name, struct archive_member *out,
		 struct error **err);
/* Reads on in the member. */
struct source archive_member_source(struct archive_member *m);
/* The first bytes, without reading on. *length is the room in buf, then what there is. */
int archive_member_peek(const struct archive_member *m, void *buf, size_t *length,
			struct error **err);
/* A document, whole: at most max bytes. Caller frees. */
int archive_read_document(const struct archive *a, const char *name, size_t max, char **data,
			  size_t *length, struct error **err);
/* The member's bytes are not needed again: a copy of ours gives their space back. */
void archive_forget(const struct archive *a, const char *name);

#endif

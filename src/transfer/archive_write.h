/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an image is saved to: a tar on a descriptor, or a directory. Inside the room.
 *
 * Bytes of blobs are copied by the kernel (copy_file_range(2), which shares extents where the file system can, sendfile(2) to
 * pipes). A directory, or a file by struct archive_file, appears under its name when it is whole and on disk, or not at all. */
#ifndef DHOW_TRANSFER_ARCHIVE_WRITE_H
#define DHOW_TRANSFER_ARCHIVE_WRITE_H

#include "base/base.h"

struct archive_out;

/* fd is borrowed; or path is the directory to make (or an empty one), and fd is -1. */
int archive_out_open(int fd, const char *path, struct archive_out **out, struct error **err);
/* Removes what wasn't finished of a directory. */
void archive_out_free(struct archive_out *out);
static inline void archive_out_freep(struct archive_out **out)
{
	archive_out_free(*out);
}
#define _cleanup_archive_out_ _cleanup_(archive_out_freep)

/* name ends with "/". */
int archive_out_folder(struct archive_out *out, const char *name, struct error **err);
int archive_out_document(struct archive_out *out, const char *name, const char *data, size_t length,
			 struct error **err);
/* All size bytes of fd, from its start. */
int archive_out_blob(struct archive_out *out, const char *name, int fd, uint64_t size,
		     struct error **err);
int archive_out_finish(struct archive_out *out, struct error **err);

#endif

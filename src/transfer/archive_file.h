/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file for people that appears when it is whole: dhow save -o. Until then it has no name, so whatever ends us leaves nothing.
 * What is there already and is no regular file (a FIFO, /dev/null) is written to as it is. */
#ifndef DHOW_TRANSFER_ARCHIVE_FILE_H
#define DHOW_TRANSFER_ARCHIVE_FILE_H

#include "base/base.h"

struct archive_file {
	int fd;
	char *path;      /* where it will be; NULL: it is there */
	char *temporary; /* NULL: it has no name yet */
};
/* Caller clears, whether commit was reached or not. */
int archive_file_open(const char *path, struct archive_file *out, struct error **err);
/* To disk, then to its name, replacing what had it. */
int archive_file_commit(struct archive_file *f, struct error **err);
void archive_file_clear(struct archive_file *f);
#define _cleanup_archive_file_ _cleanup_(archive_file_clear)

#endif

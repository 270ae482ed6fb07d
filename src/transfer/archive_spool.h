/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream or a compressed archive becomes a tar that can be read anywhere. Inside the room. See archive_read.h. */
#ifndef DHOW_TRANSFER_ARCHIVE_SPOOL_H
#define DHOW_TRANSFER_ARCHIVE_SPOOL_H

#include "store/store.h"

/* 0: fd is a file with a plain tar, which begins at *start. 1: it must be copied. */
int archive_spool_needed(int fd, uint64_t *start, struct error **err);
/* Copies all of fd, uncompressed, to a file of the store that has no name. Returns its descriptor (the caller's) or a negative errno. */
int archive_spool(int fd, struct store *store, struct error **err);

#endif

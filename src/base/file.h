/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of our own: whole reads with a limit, durable and atomic writes. Paths are relative to a
 * directory descriptor (AT_FDCWD for the caller's). Never for a path under a root we don't own: that
 * is kernel/path.h. */
#ifndef DHOW_BASE_FILE_H
#define DHOW_BASE_FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Reads all of fd from its position into *data (NUL-terminated, caller frees). More than max bytes
 * is -EFBIG. what names it in errors. Returns 0 or a negative errno. */
int fd_read_all(int fd, size_t max, const char *what, char **data, size_t *length,
		struct error **err);
/* Opens (regular file or kernel file; never blocks on a FIFO) and reads it. */
int file_read_at(int dirfd, const char *path, size_t max, char **data, size_t *length,
		 struct error **err);

/* Writes everything, going on after short writes and EINTR. Returns 0 or a negative errno. */
int fd_write_all(int fd, const void *data, size_t length);

/* Replaces the file at path with data: written beside it under a temporary name, then renamed, so that
 * a reader sees the old or the new file and never a part. is_durable adds fsync of file and directory. */
int file_replace_at(int dirfd, const char *path, const void *data, size_t length, mode_t mode,
		    bool is_durable, struct error **err);

/* Opens the file at path read-write (flags: O_CREAT, which makes it 0600, or 0), never through a link, and locks it (flock, LOCK_EX). The file that is
 * returned is the one that has the name: who held the lock may have removed or renamed it. Returns its descriptor, the caller's, or a
 * negative errno: -EBUSY where somebody holds it and the caller won't wait. */
int file_lock_at(int dirfd, const char *path, int flags, bool may_wait);

/* mkdir -p for a directory of ours; existing directories stay as they are. */
int make_dirs(const char *path, mode_t mode, struct error **err);

/* Removes the tree at path without following links or leaving its file system. ENOENT is success. */
int remove_tree_at(int dirfd, const char *path, struct error **err);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_ns(void);

/* "2006-01-02T15:04:05.999999999Z" in UTC, as Go's RFC3339Nano; buf holds at least 36 bytes. */
void format_time_rfc3339(const struct timespec *ts, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ownership made visible: cleanup attributes on declarations, TAKE_* where ownership leaves. */
#ifndef DHOW_BASE_CLEANUP_H
#define DHOW_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <errno.h>

#define _cleanup_(fn)  __attribute__((__cleanup__(fn)))
#define _printf_(a, b) __attribute__((__format__(__printf__, a, b)))
#define _unused_       __attribute__((__unused__))
#define _noreturn_     __attribute__((__noreturn__))
#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))

/* Closes *fd unless negative, and sets it to -1. Keeps errno. */
static inline void close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_ _cleanup_(free_ptr)
#define _cleanup_fd_   _cleanup_(close_fd)
#define _cleanup_dir_  _cleanup_(close_dir)
#define _cleanup_file_ _cleanup_(close_file)

/* Hands the value on and leaves nothing behind for the cleanup. */
#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})
#define TAKE_FD(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

#endif

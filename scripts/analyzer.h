/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clang's analyzer is told before every file (but base/error.c): errno is positive after a failure, and
 * the functions that make errors return something negative. Without this it follows paths on which a
 * failure looks like a success. Never compiled into anything. */
#include <errno.h>

static inline int *analyzer_errno(void)
{
	static int value;

	if (value <= 0)
		__builtin_unreachable();
	return &value;
}

#undef errno
#define errno (*analyzer_errno())

#if __has_include("base/error.h")
#include "base/error.h"
#define error_errno(...)  (error_errno(__VA_ARGS__), -EINVAL)
#define error_set(...)    (error_set(__VA_ARGS__), -EINVAL)
#define error_prefix(...) (error_prefix(__VA_ARGS__), -EINVAL)
#endif

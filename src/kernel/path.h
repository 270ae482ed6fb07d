/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths under a root that we don't own: a container's file system, whose symbolic links and directories
 * may change while we look. The only module that resolves such paths.
 *
 * A path is resolved inside root as if root were "/": absolute links and ".." can't leave it, the magic
 * links of procfs are not followed (openat2(2), RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS). What comes back
 * is a descriptor; nothing is ever resolved a second time. Where openat2 is missing (before Linux 5.6, or
 * refused by a sandbox), the path is walked one component at a time with O_PATH | O_NOFOLLOW.
 *
 * All functions return a descriptor (O_CLOEXEC, the caller's) or a negative errno with *err filled in. */
#ifndef DHOW_KERNEL_PATH_H
#define DHOW_KERNEL_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"

enum path_rules {
	PATH_ANY = 0,
	PATH_NO_SYMLINKS = 1, /* a symbolic link anywhere on the way is -ELOOP */
	PATH_MISSING = 2,     /* for mkdirs and create: a look just before found nothing at path */
};

/* Opens an existing path with open(2)'s flags. O_CREAT is not among them. */
int path_open_in_root(int root, const char *path, int flags, enum path_rules rules,
		      struct error **err);

/* Opens the directory at path (O_PATH), making it and its parents with mode where they are missing. A link
 * that points nowhere is followed, inside the root, and what it names is made. */
int path_mkdirs_in_root(int root, const char *path, mode_t mode, enum path_rules rules,
			struct error **err);

/* Opens what is at path (O_PATH), making an empty regular file with mode where nothing is, and the
 * parents with 0755. */
int path_create_in_root(int root, const char *path, mode_t mode, enum path_rules rules,
			struct error **err);

/* Opens the directory that holds the last component of path (O_PATH), making it where it is missing. *name points
 * into path. A path without a last component ("/") is -EINVAL. */
int path_parent_in_root(int root, const char *path, const char **name, struct error **err);

/* Where in the root fd is: "/dev/pts". Caller frees. -EXDEV when it is not below root. The answer is as old as
 * the moment it was made, so it serves texts and refusals, never a second look-up. */
int path_within_root(int root, int fd, char **path, struct error **err);

/* Lexically cleaned: absolute, no empty, "." or ".." components ("a//../b/" is "/b"). Caller frees; NULL
 * when memory runs out. */
char *path_clean(const char *path);

#endif

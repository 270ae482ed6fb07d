/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owner, mode, extended attributes and times, in the order that keeps them: a change of owner clears setuid and capabilities, and times come last. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "layer/place_internal.h"

void attributes_clear(struct attributes *a)
{
	for (size_t i = 0; i < a->xattr_count; i++) {
		free(a->xattrs[i].name);
		free(a->xattrs[i].value);
	}
	free(a->xattrs);
	a->xattrs = NULL;
	a->xattr_count = 0;
}

static int set_owner(const struct placer *p, int fd, const struct attributes *a, int flags,
		     const char *name)
{
	/* Where nothing is inherited, new files are ours already. */
	if (p->opts.is_fresh && a->uid == p->uid && a->gid == p->gid)
		return 0;
	if (fchownat(fd, name, a->uid, a->gid, flags) == 0)
		return 0;
	return p->opts.ignore_chown_errors && (errno == EPERM || errno == EINVAL) ? 0 : -errno;
}

static bool must_set_mode(const struct placer *p, const struct attributes *a)
{
	return !p->opts.is_fresh || (a->mode & (p->umask | 07000)) || a->uid != p->uid ||
	       a->gid != p->gid || S_ISDIR(a->mode);
}

/* A normal user can't have an attribute that only root may set. */
static bool may_lack(const struct attribute *x)
{
	return errno == EPERM && str_starts(x->name, "trusted.");
}

int attributes_set_fd(const struct placer *p, int fd, const struct attributes *a)
{
	const struct timespec times[2] = {a->atime, a->mtime};
	int r = set_owner(p, fd, a, AT_EMPTY_PATH, "");

	if (r)
		return r;
	if (must_set_mode(p, a) && fchmod(fd, a->mode & 07777) < 0)
		return -errno;
	for (size_t i = 0; i < a->xattr_count; i++)
		if (fsetxattr(fd, a->xattrs[i].name, a->xattrs[i].value, a->xattrs[i].size, 0) <
			    0 &&
		    !may_lack(&a->xattrs[i]))
			return -errno;
	return futimens(fd, times) < 0 ? -errno : 0;
}

/* What can't be opened: the name is one component, and never followed. */
int attributes_set_at(const struct placer *p, int dir, const char *name, const struct attributes *a)
{
	const struct timespec times[2] = {a->atime, a->mtime};
	_cleanup_fd_ int fd = -1;
	char path[64];
	int r = set_owner(p, dir, a, AT_SYMLINK_NOFOLLOW, name);

	if (r)
		return r;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	/* A link has no mode, and of all attributes only those of the trusted and security kinds. */
	if (!S_ISLNK(a->mode) && chmod(path, a->mode & 07777) < 0)
		return -errno;
	for (size_t i = 0; i < a->xattr_count && !S_ISLNK(a->mode); i++)
		if (setxattr(path, a->xattrs[i].name, a->xattrs[i].value, a->xattrs[i].size, 0) < 0)
			return -errno;
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

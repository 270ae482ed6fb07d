/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tmpcopyup: what a directory holds, copied into the tmpfs that covers it.
 *
 * The source is a descriptor of the covered directory and stays readable under the mount. Everything goes by
 * descriptor and name, links are never followed. Owners, modes, extended attributes and times go
 * along; hard links become files of their own. Sockets are left out: nobody can be listening on a copy. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "runtime/rootfs_internal.h"

/* Deeper trees than this don't occur where programs expect a tmpfs, and each level holds descriptors. */
#define DEPTH_MAX       128
#define XATTR_LIST_MAX_ 65536

static int copy_tree(int from, int to, int depth, struct error **err);

/* Extended attributes, all but those that the target refuses. from and to are opened for reading. */
static int copy_xattrs(int from, int to)
{
	_cleanup_free_ char *names = NULL, *value = NULL;
	ssize_t length = flistxattr(from, NULL, 0);

	if (length <= 0)
		return 0;
	names = malloc(XATTR_LIST_MAX_);
	value = malloc(XATTR_SIZE_MAX);
	if (!names || !value)
		return -ENOMEM;
	length = flistxattr(from, names, XATTR_LIST_MAX_);
	for (const char *name = names; length > 0 && name < names + length;
	     name += strlen(name) + 1) {
		ssize_t size = fgetxattr(from, name, value, XATTR_SIZE_MAX);

		if (size >= 0 && fsetxattr(to, name, value, (size_t)size, 0) < 0 &&
		    errno != EOPNOTSUPP && errno != EPERM && errno != EINVAL)
			return -errno;
	}
	return 0;
}

/* Owner before mode, since chown takes set-user-ID away; times last. */
static int copy_status(int from, int to, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	int r;

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from, to);
	if (r == 0 && futimens(to, times) < 0)
		r = -errno;
	return r;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	_cleanup_fd_ int from =
		openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_fd_ int to = -1;
	struct stat now;
	ssize_t n;

	if (from < 0 || fstat(from, &now) < 0)
		return -errno;
	if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return -EAGAIN;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	while ((n = sendfile(to, from, NULL, 1 << 24)) > 0)
		;
	return n < 0 ? -errno : copy_status(from, to, st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	_cleanup_free_ char *target = malloc((size_t)st->st_size + 1);
	ssize_t n;

	if (!target)
		return -ENOMEM;
	n = readlinkat(from_dir, name, target, (size_t)st->st_size + 1);
	if (n < 0)
		return -errno;
	if (n > st->st_size)
		return -EAGAIN;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* Devices and FIFOs. */
static int copy_node(int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0 ||
	    utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_directory(int from_dir, int to_dir, const char *name, int depth, struct error **err)
{
	_cleanup_fd_ int from =
		openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int to = -1;
	struct stat st;
	int r;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	r = copy_tree(from, to, depth + 1, err);
	return r < 0 ? r : copy_status(from, to, &st);
}

static int copy_entry(int from, int to, const char *name, int depth, struct error **err)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return copy_directory(from, to, name, depth, err);
	case S_IFREG:
		return copy_file(from, to, name, &st);
	case S_IFLNK:
		return copy_link(from, to, name, &st);
	case S_IFSOCK:
		return 0;
	default:
		return copy_node(to, name, &st);
	}
}

static int copy_tree(int from, int to, int depth, struct error **err)
{
	int listed = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *entry;

	if (!dir) {
		close_fd(&listed);
		return error_errno(err, errno, "read the directory to copy");
	}
	if (depth > DEPTH_MAX)
		return error_set(err, ELOOP, "the directory to copy is deeper than %d", DEPTH_MAX);
	while ((entry = readdir(dir))) {
		int r;

		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		r = copy_entry(from, to, entry->d_name, depth, err);
		if (r < 0 && err && *err)
			return error_prefix(err, "%s", entry->d_name);
		if (r < 0)
			return error_errno(err, -r, "%s", entry->d_name);
	}
	return 0;
}

int rootfs_copy_up(int from, int to, struct error **err)
{
	_cleanup_error_ struct error *why = NULL;
	uint64_t begin = trace_begin();
	_cleanup_fd_ int source = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int root = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r = source < 0 || root < 0 || fstat(source, &st) < 0 ? -errno : 0;

	if (r == 0)
		r = copy_tree(source, root, 0, &why);
	/* The mode came with the mount's options. */
	if (r == 0 && fchown(root, st.st_uid, st.st_gid) < 0)
		r = -errno;
	if (r == 0)
		r = copy_xattrs(source, root);
	trace_step(TRACE_MOUNTS, begin, "copy", r, "tmpcopyup");
	if (r < 0)
		return why ? error_set(err, -r, "tmpcopyup: %s", error_text(why))
			   : error_errno(err, -r, "tmpcopyup");
	return 0;
}

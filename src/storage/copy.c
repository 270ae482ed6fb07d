/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of whole trees. See copy.h. The trees are ours and nobody changes them meanwhile; symbolic links are copied, never followed. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <search.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "storage/copy.h"

#define DEPTH_MAX  4096
#define XATTR_MAX  65536
#define COPY_CHUNK (1u << 30)

/* The first copy of a file with several names. */
struct link {
	ino_t inode;
	char path[];
};

struct copying {
	int to; /* the root of the copy */
	dev_t device;
	void *links;         /* tree of struct link, by inode */
	struct strbuf path;  /* of the directory that is copied, relative to to */
	char *names, *value; /* of extended attributes */
};

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static int fail(const struct copying *c, const char *name, int code, struct error **err)
{
	return error_errno(err, code, "copy %s%s", c->path.text ? c->path.text : "", name);
}

/* --- Content --------------------------------------------------------------------------------------------------------- */

static int copy_range(int from, int to, off_t begin, off_t end)
{
	off_t in = begin, out = begin;

	while (in < end) {
		size_t left = (size_t)(end - in);
		ssize_t n = copy_file_range(from, &in, to, &out,
					    left < COPY_CHUNK ? left : COPY_CHUNK, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
	}
	return 0;
}

static int copy_content(int from, int to, off_t size)
{
	off_t at = 0;

	if (size == 0 || ioctl(to, FICLONE, from) == 0)
		return 0;
	if (ftruncate(to, size) < 0)
		return -errno;
	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA), hole;
		int r;

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		r = copy_range(from, to, data, hole);
		if (r)
			return r;
		at = hole;
	}
	return 0;
}

/* --- Metadata -------------------------------------------------------------------------------------------------------- */

/* By the names of the descriptors, since links and devices can't be opened. */
static int copy_xattrs(struct copying *c, int from, int to)
{
	char source[64], target[64];
	ssize_t length;

	snprintf(source, sizeof source, "/proc/self/fd/%d", from);
	snprintf(target, sizeof target, "/proc/self/fd/%d", to);
	length = listxattr(source, c->names, XATTR_MAX);
	if (length < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *key = c->names; key < c->names + length; key += strlen(key) + 1) {
		ssize_t size = getxattr(source, key, c->value, XATTR_MAX);

		if (size < 0 || setxattr(target, key, c->value, (size_t)size, 0) < 0)
			return -errno;
	}
	return 0;
}

/* fd and source are O_PATH or open; the owner first, since it clears setuid and capabilities. */
static int copy_metadata(struct copying *c, int source, int fd, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	char path[64];
	int r;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fchownat(fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode)) {
		if (chmod(path, st->st_mode & 07777) < 0)
			return -errno;
		r = copy_xattrs(c, source, fd);
		if (r)
			return r;
	}
	return utimensat(fd, "", times, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* --- Entries ------------------------------------------------------------------------------------------------------------ */

/* 1: the name is a further one of a file that was copied. */
static int link_again(struct copying *c, const struct stat *st, int to, const char *name)
{
	struct link key = {.inode = st->st_ino};
	struct link *const *found = tfind(&key, &c->links, compare_links);

	if (!found)
		return 0;
	return linkat(c->to, (*found)->path, to, name, 0) < 0 ? -errno : 1;
}

static int remember_link(struct copying *c, const struct stat *st, const char *name)
{
	size_t size = c->path.length + strlen(name) + 1;
	struct link *l = malloc(sizeof *l + size);

	if (!l)
		return -ENOMEM;
	l->inode = st->st_ino;
	snprintf(l->path, size, "%s%s", c->path.text ? c->path.text : "", name);
	if (tsearch(l, &c->links, compare_links))
		return 0;
	free(l);
	return -ENOMEM;
}

static int make_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof target - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to, name) < 0 ? -errno : 0;
}

static int make_file(int from, int to, const char *name, const struct stat *st)
{
	_cleanup_fd_ int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int out =
		openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return in < 0 || out < 0 ? -errno : copy_content(in, out, st->st_size);
}

static int make_entry(int from, int to, const char *name, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return make_file(from, to, name, st);
	if (S_ISLNK(st->st_mode))
		return make_link(from, to, name);
	if (S_ISDIR(st->st_mode))
		return mkdirat(to, name, 0700) < 0 ? -errno : 0;
	return mknodat(to, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ? -errno : 0;
}

static int copy_directory(struct copying *c, int from, int to, unsigned int depth,
			  struct error **err);

static int descend(struct copying *c, int from, int to, const char *name, unsigned int depth,
		   struct error **err)
{
	size_t length = c->path.length;
	_cleanup_fd_ int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (in < 0 || out < 0)
		return fail(c, name, errno, err);
	strbuf_addf(&c->path, "%s/", name);
	if (c->path.failed)
		return error_errno(err, ENOMEM, "copy %s", name);
	r = copy_directory(c, in, out, depth + 1, err);
	c->path.length = length;
	c->path.text[length] = '\0';
	return r;
}

static int copy_entry(struct copying *c, int from, int to, const char *name, unsigned int depth,
		      struct error **err)
{
	_cleanup_fd_ int source = -1, fd = -1;
	struct stat st;
	int r;

	source = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0 || fstat(source, &st) < 0)
		return fail(c, name, errno, err);
	if (st.st_dev != c->device)
		return 0;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		r = link_again(c, &st, to, name);
		if (r)
			return r < 0 ? fail(c, name, -r, err) : 0;
	}
	r = make_entry(from, to, name, &st);
	if (!r && !S_ISDIR(st.st_mode) && st.st_nlink > 1)
		r = remember_link(c, &st, name);
	if (r)
		return fail(c, name, -r, err);
	if (S_ISDIR(st.st_mode)) {
		r = descend(c, from, to, name, depth, err);
		if (r)
			return r;
	}
	fd = openat(to, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : copy_metadata(c, source, fd, &st);
	return r ? fail(c, name, -r, err) : 0;
}

static int copy_directory(struct copying *c, int from, int to, unsigned int depth,
			  struct error **err)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r = 0;

	if (!d) {
		int code = errno;

		if (fd >= 0)
			close(fd);
		return fail(c, "", code, err);
	}
	if (depth > DEPTH_MAX)
		return fail(c, "", ELOOP, err);
	while (r == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = copy_entry(c, from, to, e->d_name, depth, err);
	return r;
}

int copy_tree(int from, int to, struct error **err)
{
	struct copying c = {.to = to, .names = malloc(XATTR_MAX), .value = malloc(XATTR_MAX)};
	struct stat st;
	int r;

	if (!c.names || !c.value)
		r = error_errno(err, ENOMEM, "copy a tree");
	else if (fstat(from, &st) < 0)
		r = error_errno(err, errno, "copy a tree");
	else {
		c.device = st.st_dev;
		r = copy_directory(&c, from, to, 0, err);
		if (!r) {
			r = copy_metadata(&c, from, to, &st);
			if (r)
				fail(&c, ".", -r, err);
		}
	}
	tdestroy(c.links, free);
	strbuf_free(&c.path);
	free(c.names);
	free(c.value);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whiteouts and opaque directories: what a layer takes away from those below it. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "layer/place_internal.h"

int place_remove(struct placer *p, const char *name, struct error **err)
{
	struct parent *parent = NULL;
	const char *last;
	int r = writers_drain(p, err);

	if (!r)
		r = place_parent(p, name, &parent, &last, err);
	if (r)
		return r;
	r = place_clear_way(parent->fd, last);
	parent_drop(p, parent);
	place_forget_parents(p);
	return r ? error_errno(err, -r, "remove it") : 0;
}

/* This layer placed it, or something below it. */
static bool is_placed(const struct placer *p, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < p->placed.count; i++) {
		const char *other = p->placed.items[i];

		if (strncmp(other, path, length) == 0 && (!other[length] || other[length] == '/'))
			return true;
	}
	return false;
}

/* Removes what below the directory is not this layer's. */
static int empty_directory(struct placer *p, int dir, const char *path, struct error **err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r = 0;

	if (!d) {
		close_fd(&fd);
		return error_errno(err, errno, "empty %s", path);
	}
	while (r == 0 && (e = readdir(d))) {
		_cleanup_free_ char *below = NULL;
		_cleanup_fd_ int child = -1;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&below, "%s%s%s", path, *path ? "/" : "", e->d_name) < 0)
			return error_errno(err, ENOMEM, "empty %s", path);
		if (!is_placed(p, below)) {
			r = place_clear_way(dir, e->d_name);
			if (r)
				return error_errno(err, -r, "remove %s", below);
			continue;
		}
		child = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0)
			r = empty_directory(p, child, below, err);
	}
	return r;
}

/* The directory itself: opened, without following a link at its end. */
static int open_directory(struct placer *p, const char *name, struct error **err)
{
	struct parent *parent = NULL;
	const char *last;
	int fd, r;

	if (!*name) {
		fd = openat(p->opts.root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? error_errno(err, errno, "open the root") : fd;
	}
	r = place_parent(p, name, &parent, &last, err);
	if (r)
		return r;
	fd = openat(parent->fd, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdirat(parent->fd, last, 0755) == 0)
		fd = openat(parent->fd, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fd = error_errno(err, errno, "open the directory");
	parent_drop(p, parent);
	return fd;
}

int place_opaque(struct placer *p, const char *name, struct error **err)
{
	_cleanup_fd_ int fd = -1;
	int r = writers_drain(p, err);

	if (r)
		return r;
	fd = open_directory(p, name, err);
	if (fd < 0)
		return fd;
	r = empty_directory(p, fd, name, err);
	place_forget_parents(p);
	return r;
}

int place_mark(struct placer *p, const char *name, const char *attribute, const char *value,
	       struct error **err)
{
	_cleanup_fd_ int fd = -1;
	int r = writers_drain(p, err);

	if (r)
		return r;
	fd = open_directory(p, name, err);
	if (fd < 0)
		return fd;
	if (fsetxattr(fd, attribute, value, strlen(value), 0) < 0)
		return error_errno(err, errno, "set %s", attribute);
	return 0;
}

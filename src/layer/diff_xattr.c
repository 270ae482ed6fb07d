/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes of files that are looked at through O_PATH descriptors. xattr(7), acl(5).
 *
 * flistxattr(2) refuses such descriptors, so their names below /proc/self/fd are used, which lead to the very file, be it a link or a
 * device, without resolving anything. POSIX ACLs are the attributes system.posix_acl_access and _default, and travel in that form. */
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "layer/diff_internal.h"

/* xattr(7): what the VFS lists and what it lets a value be. */
#define LIST_MAX  65536
#define VALUE_MAX 65536

struct fd_path {
	char text[32];
};
static struct fd_path fd_path(int fd)
{
	struct fd_path p;

	snprintf(p.text, sizeof p.text, "/proc/self/fd/%d", fd);
	return p;
}

ssize_t xattr_get(int fd, const char *name, void *buf, size_t size)
{
	ssize_t n = getxattr(fd_path(fd).text, name, buf, size);

	if (n >= 0)
		return n;
	return errno == EOPNOTSUPP ? -ENODATA : -errno;
}

/* An attribute that says something about the file's place on this host is no part of the file. */
static bool travels(const char *name)
{
	static const char *const kinds[] = {"user.", "trusted.", NULL};
	static const char *const names[] = {"security.capability", "security.ima",
					    "system.posix_acl_access", "system.posix_acl_default",
					    NULL};
	static const char *const private[] = {"trusted.overlay.", "user.overlay.",
					      "user.fuseoverlayfs.", NULL};

	for (size_t i = 0; private[i]; i++)
		if (str_starts(name, private[i]))
			return false;
	for (size_t i = 0; names[i]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; kinds[i]; i++)
		if (str_starts(name, kinds[i]))
			return true;
	return false;
}

/* 1 when there was one, 0 when it has vanished meanwhile. */
static int read_one(const char *path, const char *name, struct tar_xattr *out)
{
	_cleanup_free_ char *value = malloc(VALUE_MAX), *copy = NULL;
	ssize_t n;

	if (!value)
		return -ENOMEM;
	n = getxattr(path, name, value, VALUE_MAX);
	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	copy = realloc(value, n ? (size_t)n : 1);
	if (copy)
		value = NULL;
	out->name = strdup(name);
	if (!out->name || !copy)
		return -ENOMEM;
	out->value = TAKE_PTR(copy);
	out->length = (size_t)n;
	return 1;
}

static int by_name(const void *a, const void *b)
{
	const struct tar_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Adds those of names, which hold length bytes, to out. */
static int read_listed(const char *path, const char *names, size_t length, struct tar_xattrs *out)
{
	size_t most = 0;

	for (size_t i = 0; i < length; i++)
		most += names[i] == '\0';
	out->items = calloc(most + 1, sizeof *out->items);
	if (!out->items)
		return -ENOMEM;
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		int r = travels(name) ? read_one(path, name, &out->items[out->count]) : 0;

		if (r < 0) {
			free(out->items[out->count].name);
			return r;
		}
		out->count += (size_t)r;
	}
	qsort(out->items, out->count, sizeof *out->items, by_name);
	return 0;
}

int xattrs_read(int fd, struct tar_xattrs *out, struct error **err)
{
	struct fd_path path = fd_path(fd);
	_cleanup_free_ char *names = NULL;
	ssize_t n = listxattr(path.text, NULL, 0);
	int r;

	*out = (struct tar_xattrs){0};
	if (n == 0 || (n < 0 && errno == EOPNOTSUPP))
		return 0;
	/* The list may grow between two looks, so there is room for any. */
	names = malloc(LIST_MAX + 1);
	if (!names)
		return error_errno(err, ENOMEM, "read extended attributes");
	n = listxattr(path.text, names, LIST_MAX);
	if (n < 0)
		return error_errno(err, errno, "read extended attributes");
	names[n] = '\0';
	r = read_listed(path.text, names, (size_t)n, out);
	if (r < 0) {
		tar_xattrs_clear(out);
		return error_errno(err, -r, "read extended attributes");
	}
	return 0;
}

bool xattrs_equal(const struct tar_xattrs *a, const struct tar_xattrs *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct tar_xattr *x = &a->items[i], *y = &b->items[i];

		if (strcmp(x->name, y->name) != 0 || x->length != y->length ||
		    memcmp(x->value, y->value, x->length) != 0)
			return false;
	}
	return true;
}

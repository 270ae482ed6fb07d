/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root file system becomes "/", and the host's tree goes. pivot_root(2), "pivot_root(".", ".")".
 *
 * With --no-pivot (an initramfs can't be pivoted away from) the root is moved over "/" and chroot hides the
 * rest. The kernel would still take the host's procfs and sysfs, somewhere below, as leave to mount
 * new ones without masks, so these are unmounted, or covered where that is refused. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "runtime/rootfs_internal.h"

/* What is unmounted here must stay mounted with the host. Not private: then a mount of the host that
 * goes away would stay alive in our copy until we are done. */
static int part_tree(int fd, struct error **err)
{
	const struct mount_change slave = {
		.propagation = MS_SLAVE, .is_recursive = true, .id_map = -1};

	return mount_set(fd, &slave, err);
}

/* pivot_root stacks the old root on the new one, which is then the working directory; umount2 finds the
 * topmost mount there. */
int rootfs_switch_by_pivot(struct rootfs *r, struct error **err)
{
	_cleanup_fd_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int n;

	if (old < 0)
		return error_errno(err, errno, "open /");
	n = mount_pivot(r->root_fd, err);
	if (n == 0)
		n = part_tree(old, err);
	return n < 0 ? n : mount_detach(".", err);
}

static int detach_tree(const char *path, struct error **err)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int n;

	if (fd < 0)
		return error_errno(err, errno, "open %s", path);
	n = part_tree(fd, err);
	return n < 0 ? n : mount_detach(path, err);
}

/* mountinfo writes blank, tab, newline and backslash as octal. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		unsigned byte;

		if (*text == '\\' && sscanf(text + 1, "%3o", &byte) == 1) {
			*out++ = (char)byte;
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

/* One line of mountinfo: id, parent, device, root, mount point, ..., "-", type. Returns the mount point
 * when it is a whole procfs or sysfs. */
static char *whole_pseudo_mount(char *line)
{
	char *fields[5], *rest = line, *type = strstr(line, " - ");

	if (!type || !(str_starts(type + 3, "proc ") || str_starts(type + 3, "sysfs ")))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return NULL;
	}
	unescape(fields[4]);
	return str_equal(fields[3], "/") ? fields[4] : NULL;
}

static int cover(const char *path, struct error **err)
{
	const struct mount_fs fs = {.type = "tmpfs", .source = "tmpfs"};
	_cleanup_fd_ int covered = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mount_target target = {covered, root, path};
	_cleanup_fd_ int fd = -1;

	if (covered < 0 || root < 0)
		return error_errno(err, errno, "cover %s", path);
	fd = mount_new(&fs, &target, err);
	return fd < 0 ? fd : 0;
}

static int hide_host_pseudo(struct rootfs *r, struct error **err)
{
	_cleanup_fd_ int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *table = NULL, *own = NULL;
	char *rest, *line;
	size_t length;
	int n = procfs_read("self/mountinfo", &table, &length, err);

	if (n == 0)
		n = path_within_root(host, r->root_fd, &own, err);
	length = n == 0 ? strlen(own) : 0;
	rest = table;
	while (n == 0 && (line = strsep(&rest, "\n"))) {
		char *path = whole_pseudo_mount(line);

		if (!path ||
		    (strncmp(path, own, length) == 0 && (path[length] == '/' || !path[length])))
			continue;
		n = detach_tree(path, err);
		if (n == -ENOENT)
			n = 0; /* went with the one above it */
		else if (n == -EINVAL || n == -EPERM)
			n = cover(path, err);
	}
	return n;
}

int rootfs_switch_by_move(struct rootfs *r, struct error **err)
{
	int n = hide_host_pseudo(r, err);

	return n < 0 ? n : mount_move_to_root(r->root_fd, err);
}

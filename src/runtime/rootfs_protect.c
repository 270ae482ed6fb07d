/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sysctls, masked and read-only paths. Specification: "Sysctl", "Masked Paths", "Readonly Paths".
 *
 * Which sysctls a container may have is spec_validate.c's matter. They are written through the procfs that
 * was verified, since a mount over /proc/sys could send the value elsewhere (CVE-2025-52881).
 *
 * A file is masked by the container's /dev/null, which must be the null device indeed: with something else
 * there a mask would bind that over a file of procfs (CVE-2025-31133). Directories are masked by one
 * empty tmpfs, read-only by itself and in each of its mounts. A path that does not exist needs no mask; any
 * other failure is an error. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/rootfs_internal.h"

/* In a key dots separate, and a slash is a dot of the file's name ("net.ipv4.conf.eth0/1.forwarding"). */
int rootfs_write_sysctls(const struct spec *spec, struct error **err)
{
	const struct spec_pairs *sysctl = &spec->linux.sysctl;

	for (size_t i = 0; i < sysctl->count; i++) {
		_cleanup_free_ char *path = NULL;
		int n;

		if (asprintf(&path, "sys/%s", sysctl->items[i].key) < 0)
			return error_errno(err, ENOMEM, "sysctl %s", sysctl->items[i].key);
		for (char *p = path + 4; *p; p++)
			*p = (char)(*p == '.' ? '/' : *p == '/' ? '.' : *p);
		n = procfs_write(TRACE_PROCESS, path, sysctl->items[i].value, err);
		if (n < 0)
			return error_prefix(err, "sysctl %s", sysctl->items[i].key);
	}
	return 0;
}

struct masks {
	int null, tmpfs; /* -1 until the first use */
};

static bool is_absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR;
}

int rootfs_make_paths_readonly(struct rootfs *r, struct error **err)
{
	const struct spec_strings *paths = &r->spec->linux.readonly_paths;
	const struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY, .id_map = -1};

	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->items[i];
		_cleanup_fd_ int fd = path_open_in_root(r->root_fd, path, O_PATH, PATH_ANY, NULL);
		struct mount_target target = {fd, r->root_fd, path};
		_cleanup_fd_ int tree = -1;
		int n;

		if (is_absent(fd))
			continue;
		if (fd < 0)
			return error_errno(err, -fd, "make %s read-only", path);
		tree = mount_clone(fd, "", MOUNT_CLONE_RECURSIVE, err);
		n = tree < 0 ? tree : mount_attach(&tree, &target, MOUNT_CLONE_RECURSIVE, err);
		if (n == 0)
			n = mount_set(tree, &readonly, err);
		if (n < 0)
			return error_prefix(err, "make %s read-only", path);
	}
	return 0;
}

static int open_null(struct rootfs *r, struct masks *masks, struct error **err)
{
	struct stat st;

	if (masks->null >= 0)
		return 0;
	masks->null = path_open_in_root(r->root_fd, "/dev/null", O_PATH | O_NOFOLLOW,
					PATH_NO_SYMLINKS, err);
	if (masks->null < 0)
		return masks->null;
	if (fstat(masks->null, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return error_set(err, EPERM, "the container's /dev/null is not the null device");
	return 0;
}

/* The first mask is the file system's own mount, the others are clones of that. */
static int mask_directory(struct rootfs *r, struct masks *masks, const struct mount_target *target,
			  struct error **err)
{
	const struct mount_parameter parameters[] = {
		{"ro", NULL}, {"mode", "755"}, {"context", rootfs_mount_label(r)}};
	const struct mount_fs fs = {
		.type = "tmpfs",
		.source = "tmpfs",
		.parameters = parameters,
		.parameter_count = parameters[2].value ? 3 : 2,
		.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			      MOUNT_ATTR_NOEXEC,
	};
	_cleanup_fd_ int tree = -1;

	if (masks->tmpfs < 0) {
		masks->tmpfs = mount_new(&fs, target, err);
		return masks->tmpfs < 0 ? masks->tmpfs : 0;
	}
	tree = mount_clone(masks->tmpfs, "", 0, err);
	return tree < 0 ? tree : mount_attach(&tree, target, 0, err);
}

static int mask(struct rootfs *r, struct masks *masks, const char *path, struct error **err)
{
	_cleanup_fd_ int fd = path_open_in_root(r->root_fd, path, O_PATH, PATH_ANY, NULL);
	struct mount_target target = {fd, r->root_fd, path};
	_cleanup_fd_ int tree = -1;
	struct stat st;
	int n;

	if (is_absent(fd))
		return 0;
	if (fd < 0)
		return error_errno(err, -fd, "open it");
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "look at it");
	if (S_ISDIR(st.st_mode))
		return mask_directory(r, masks, &target, err);
	n = open_null(r, masks, err);
	if (n < 0)
		return n;
	tree = mount_clone(masks->null, "", 0, err);
	return tree < 0 ? tree : mount_attach(&tree, &target, 0, err);
}

int rootfs_mask_paths(struct rootfs *r, struct error **err)
{
	const struct spec_strings *paths = &r->spec->linux.masked_paths;
	struct masks masks = {-1, -1};
	int n = 0;

	for (size_t i = 0; n == 0 && i < paths->count; i++) {
		n = mask(r, &masks, paths->items[i], err);
		if (n < 0)
			error_prefix(err, "mask %s", paths->items[i]);
	}
	close_fd(&masks.null);
	close_fd(&masks.tmpfs);
	return n;
}

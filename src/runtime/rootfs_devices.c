/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container's devices: the default ones, linux.devices, and the links in /dev. Specification: "Devices",
 * "Default Devices"; mknod(2).
 *
 * Nodes are made in the directory that was opened inside the root. In a user namespace, or where mknod is
 * refused, the host's node is bound over an empty file instead. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/rootfs_internal.h"

static const struct spec_device default_devices[] = {
	{.path = "/dev/null", .type = 'c', .major = 1, .minor = 3},
	{.path = "/dev/zero", .type = 'c', .major = 1, .minor = 5},
	{.path = "/dev/full", .type = 'c', .major = 1, .minor = 7},
	{.path = "/dev/random", .type = 'c', .major = 1, .minor = 8},
	{.path = "/dev/urandom", .type = 'c', .major = 1, .minor = 9},
	{.path = "/dev/tty", .type = 'c', .major = 5, .minor = 0},
};

static mode_t type_bits(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

/* Makes the node name in dir. -EEXIST where something is there already. */
static int make_node(int dir, const char *name, const struct spec_device *d)
{
	mode_t mode = type_bits(d->type) | (d->mode.is_set ? (mode_t)d->mode.value & 07777 : 0666);
	dev_t number = makedev((unsigned)d->major, (unsigned)d->minor);
	uint64_t begin = trace_begin();
	int r = mknodat(dir, name, mode, d->type == 'p' ? 0 : number) < 0 ? -errno : 0;

	trace_step(TRACE_DEVICES, begin, "mknodat", r, "%s, %c %u:%u %04o", d->path, d->type,
		   major(number), minor(number), mode & 07777);
	if (r < 0 || (!d->uid.is_set && !d->gid.is_set))
		return r;
	begin = trace_begin();
	r = fchownat(dir, name, d->uid.is_set ? (uid_t)d->uid.value : 0,
		     d->gid.is_set ? (gid_t)d->gid.value : 0, AT_SYMLINK_NOFOLLOW) < 0
		    ? -errno
		    : 0;
	trace_step(TRACE_DEVICES, begin, "fchownat", r, "%s", d->path);
	return r;
}

static bool is_device(const struct stat *st, const struct spec_device *d)
{
	return (st->st_mode & S_IFMT) == type_bits(d->type) &&
	       (d->type == 'p' || st->st_rdev == makedev((unsigned)d->major, (unsigned)d->minor));
}

static bool is_same_device(int dir, const char *name, const struct spec_device *d)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_device(&st, d);
}

static int bind_node(struct rootfs *r, const struct spec_device *d, struct error **err)
{
	_cleanup_fd_ int tree = mount_clone(AT_FDCWD, d->path, 0, err);
	_cleanup_fd_ int covered = -1;
	struct mount_target target = {.root = r->root_fd, .path = d->path};
	struct stat st;

	if (tree < 0)
		return tree;
	if (fstat(tree, &st) < 0 || !is_device(&st, d))
		return error_set(err, EINVAL, "the host's %s is another device", d->path);
	covered = path_create_in_root(r->root_fd, d->path, 0666, PATH_ANY, err);
	if (covered < 0)
		return covered;
	target.fd = covered;
	return mount_attach(&tree, &target, 0, err);
}

/* dev is /dev, opened, where d is directly in there, or -1. */
static int make_device(struct rootfs *r, const struct spec_device *d, int dev, struct error **err)
{
	_cleanup_fd_ int parent = -1;
	const char *name = d->path + sizeof "/dev/" - 1;
	int n = -EPERM;

	if (r->opts.has_user_namespace && d->type != 'p')
		return bind_node(r, d, err);
	if (dev < 0) {
		parent = path_parent_in_root(r->root_fd, d->path, &name, err);
		if (parent < 0)
			return parent;
		dev = parent;
	}
	n = make_node(dev, name, d);
	if (n == -EPERM)
		return bind_node(r, d, err);
	if (n == -EEXIST)
		return is_same_device(dev, name, d)
			       ? 0
			       : error_set(err, EEXIST, "something else is there already");
	return n < 0 ? error_errno(err, -n, "mknod") : 0;
}

static bool is_listed(const struct spec_linux *config, const char *path)
{
	for (size_t i = 0; i < config->device_count; i++)
		if (str_equal(config->devices[i].path, path))
			return true;
	return false;
}

static int make_listed(struct rootfs *r, const struct spec_device *d, struct error **err)
{
	_cleanup_free_ char *path = path_clean(d->path);
	struct spec_device device = *d;
	int n;

	if (!path)
		return error_errno(err, ENOMEM, "device %s", d->path);
	/* /dev/ptmx is always a link to the container's own devpts. */
	if (strcmp(path, "/dev/ptmx") == 0)
		return 0;
	device.path = path;
	n = make_device(r, &device, -1, err);
	return n < 0 ? error_prefix(err, "device %s", d->path) : 0;
}

int rootfs_make_devices(struct rootfs *r, struct error **err)
{
	const struct spec_linux *config = &r->spec->linux;
	_cleanup_fd_ int dev = path_mkdirs_in_root(r->root_fd, "/dev", 0755, PATH_ANY, err);

	if (dev < 0)
		return dev;
	for (size_t i = 0; i < config->device_count; i++) {
		int n = make_listed(r, &config->devices[i], err);

		if (n < 0)
			return n;
	}
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		const struct spec_device *d = &default_devices[i];

		int n = is_listed(config, d->path) ? 0 : make_device(r, d, dev, err);

		/* What the image brought stays. Masks verify their /dev/null (rootfs_protect.c). */
		if (n < 0 && n != -EEXIST)
			return error_prefix(err, "default device %s", d->path);
	}
	return 0;
}

static int make_link(int dev, const char *name, const char *target, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = symlinkat(target, dev, name) < 0 ? -errno : 0;

	trace_step(TRACE_DEVICES, begin, "symlinkat", r, "%s, /dev/%s", target, name);
	return r < 0 && r != -EEXIST ? error_errno(err, -r, "link /dev/%s to %s", name, target) : r;
}

int rootfs_make_dev_links(struct rootfs *r, struct error **err)
{
	static const struct {
		const char *name, *target;
	} links[] = {
		{"fd", "/proc/self/fd"},
		{"stdin", "/proc/self/fd/0"},
		{"stdout", "/proc/self/fd/1"},
		{"stderr", "/proc/self/fd/2"},
		/* Last, and left out where the kernel has none. */
		{"core", "/proc/kcore"},
	};
	_cleanup_fd_ int dev =
		path_open_in_root(r->root_fd, "/dev", O_PATH | O_DIRECTORY, PATH_ANY, err);
	int root, n;

	if (dev < 0)
		return dev;
	n = make_link(dev, "ptmx", "pts/ptmx", err);
	if (n == -EEXIST) {
		if (unlinkat(dev, "ptmx", 0) < 0)
			return error_errno(err, errno, "replace /dev/ptmx");
		n = make_link(dev, "ptmx", "pts/ptmx", err);
	}
	root = procfs_root(err);
	for (size_t i = 0; n >= 0 && root >= 0 && i < ARRAY_SIZE(links); i++) {
		if (str_equal(links[i].name, "core") && faccessat(root, "kcore", F_OK, 0) < 0)
			break;
		n = make_link(dev, links[i].name, links[i].target, err);
		n = n == -EEXIST ? 0 : n;
	}
	return root < 0 ? root : n;
}

static bool is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

int rootfs_adopt_null(struct rootfs *r, struct error **err)
{
	_cleanup_fd_ int found = -1, null = -1;

	for (int fd = 0; fd < 3; fd++) {
		if (!is_null(fd))
			continue;
		if (found < 0)
			found = path_open_in_root(r->root_fd, "/dev/null", O_PATH, PATH_ANY, err);
		if (found < 0)
			return found;
		/* An image's own /dev/null may be anything, and to open it may have effects; the host's then
		 * stays. */
		if (!is_null(found))
			return 0;
		if (null < 0)
			null = procfs_reopen(found, O_RDWR, err);
		if (null < 0)
			return null;
		if (dup2(null, fd) < 0)
			return error_errno(err, errno, "replace standard stream %d", fd);
	}
	return 0;
}

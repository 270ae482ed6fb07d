/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subvolumes of btrfs. See btrfs_subvolume.h.
 *
 * A subvolume's root directory has inode number 256 and a device number of its own. One that holds other subvolumes can't be
 * destroyed, and a container may have made some, so that removal looks for them where the kernel refuses. */
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "storage/btrfs_subvolume.h"

#define SUBVOLUME_INODE 256 /* BTRFS_FIRST_FREE_OBJECTID */
#define DEPTH_MAX       1000

/* Each of these is a change to the kernel's state. */
static int traced_ioctl(int fd, unsigned long request, void *arguments, const char *call,
			const char *name)
{
	uint64_t begin = trace_begin();
	int r = ioctl(fd, request, arguments) < 0 ? -errno : 0;

	trace_step(TRACE_IMAGE, begin, call, r, "%s", name);
	return r;
}

static int set_name(struct btrfs_ioctl_vol_args_v2 *arguments, const char *name, struct error **err)
{
	size_t length = strlen(name);

	if (length >= sizeof arguments->name)
		return error_errno(err, ENAMETOOLONG, "subvolume %s", name);
	memcpy(arguments->name, name, length + 1);
	return 0;
}

bool subvolume_is_possible(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC;
}

int subvolume_create(int dir, const char *name, struct error **err)
{
	struct btrfs_ioctl_vol_args_v2 arguments = {0};
	int r = set_name(&arguments, name, err);

	if (r < 0)
		return r;
	r = traced_ioctl(dir, BTRFS_IOC_SUBVOL_CREATE_V2, &arguments, "btrfs_subvol_create", name);
	return r < 0 ? error_errno(err, -r, "create the subvolume %s", name) : 0;
}

int subvolume_snapshot(int source, int dir, const char *name, struct error **err)
{
	struct btrfs_ioctl_vol_args_v2 arguments = {.fd = source};
	int r = set_name(&arguments, name, err);

	if (r < 0)
		return r;
	r = traced_ioctl(dir, BTRFS_IOC_SNAP_CREATE_V2, &arguments, "btrfs_snap_create", name);
	return r < 0 ? error_errno(err, -r, "create the snapshot %s", name) : 0;
}

int subvolume_set_read_only(int fd, struct error **err)
{
	uint64_t flags = 0;
	int r;

	if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
		return error_errno(err, errno, "read the flags of a subvolume");
	flags |= BTRFS_SUBVOL_RDONLY;
	r = traced_ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags, "btrfs_subvol_setflags",
			 "read-only");
	return r < 0 ? error_errno(err, -r, "make a subvolume read-only") : 0;
}

static int set_writable(int fd, struct error **err)
{
	uint64_t flags = 0;

	if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
		return error_errno(err, errno, "read the flags of a subvolume");
	if (!(flags & BTRFS_SUBVOL_RDONLY))
		return 0;
	flags &= ~(uint64_t)BTRFS_SUBVOL_RDONLY;
	if (ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0)
		return error_errno(err, errno, "make a subvolume writable");
	return 0;
}

static int destroy(int dir, const char *name, struct error **err)
{
	struct btrfs_ioctl_vol_args arguments = {0};
	size_t length = strlen(name);
	int r;

	if (length >= sizeof arguments.name)
		return error_errno(err, ENAMETOOLONG, "subvolume %s", name);
	memcpy(arguments.name, name, length + 1);
	r = traced_ioctl(dir, BTRFS_IOC_SNAP_DESTROY, &arguments, "btrfs_snap_destroy", name);
	return r < 0 ? error_errno(err, -r, "remove the subvolume %s", name) : 0;
}

static int remove_inner(int dir, unsigned depth, struct error **err);

/* A directory below a subvolume: one of the container's own subvolumes, or one that may hold some. */
static int remove_inner_one(int dir, const char *name, unsigned depth, struct error **err)
{
	_cleanup_fd_ int child = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (child < 0)
		return errno == ENOTDIR || errno == ELOOP || errno == ENOENT
			       ? 0
			       : error_errno(err, errno, "remove the subvolumes in %s", name);
	if (fstat(child, &st) < 0)
		return error_errno(err, errno, "remove the subvolumes in %s", name);
	if (st.st_ino == SUBVOLUME_INODE) {
		r = set_writable(child, err);
		if (r < 0)
			return r;
	}
	r = remove_inner(child, depth + 1, err);
	if (r == 0 && st.st_ino == SUBVOLUME_INODE)
		r = destroy(dir, name, err);
	return r;
}

static int remove_inner(int dir, unsigned depth, struct error **err)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!d) {
		int code = errno;

		close_fd(&copy);
		return error_errno(err, code, "look for subvolumes");
	}
	if (depth > DEPTH_MAX)
		return error_errno(err, ELOOP, "look for subvolumes");
	while ((entry = readdir(d))) {
		int r;

		if (entry->d_type != DT_DIR || str_equal(entry->d_name, ".") ||
		    str_equal(entry->d_name, ".."))
			continue;
		r = remove_inner_one(dirfd(d), entry->d_name, depth, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int subvolume_remove(int dir, const char *name, struct error **err)
{
	_cleanup_fd_ int fd = -1;
	int r = destroy(dir, name, err);

	if (r == -ENOENT) {
		if (err) {
			error_free(*err);
			*err = NULL;
		}
		return 0;
	}
	if (r != -ENOTEMPTY)
		return r;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "remove the subvolume %s", name);
	r = set_writable(fd, err);
	if (r == 0)
		r = remove_inner(fd, 0, err);
	close_fd(&fd);
	return r < 0 ? r : destroy(dir, name, err);
}

static int enable_quota(int fd, struct error **err)
{
	struct btrfs_ioctl_quota_ctl_args arguments = {.cmd = BTRFS_QUOTA_CTL_ENABLE};
	int r = traced_ioctl(fd, BTRFS_IOC_QUOTA_CTL, &arguments, "btrfs_quota_ctl", "enable");

	return r < 0 ? error_errno(err, -r, "turn on the quotas of the btrfs file system") : 0;
}

int subvolume_limit(int fd, uint64_t bytes, struct error **err)
{
	/* qgroupid 0 is the subvolume that fd is in. */
	struct btrfs_ioctl_qgroup_limit_args arguments = {
		.lim = {.flags = BTRFS_QGROUP_LIMIT_MAX_EXCL, .max_excl = bytes},
	};
	int r = traced_ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &arguments, "btrfs_qgroup_limit",
			     "exclusive");

	if (r == -ENOTCONN) {
		r = enable_quota(fd, err);
		if (r < 0)
			return r;
		r = traced_ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &arguments, "btrfs_qgroup_limit",
				 "exclusive");
	}
	return r < 0 ? error_errno(err, -r, "limit the size of a subvolume") : 0;
}

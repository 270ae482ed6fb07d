/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts by descriptor. See mount.h. The new mount API's manual pages are in its authors' tree; the calls
 * are made by number, since the C library of older systems lacks them. */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "kernel/mount.h"
#include "kernel/mount_legacy.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#define DETACH        2 /* MNT_DETACH, of a header that clashes with linux/mount.h */
#define AT_RECURSIVE_ 0x8000

/* fsconfig(2) takes no longer strings. mount(2) takes a page of them. */
#define PARAMETER_MAX 255

static void trace_parameters(const struct mount_fs *fs, uint64_t begin, int ret)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	if (trace_sink_ < 0)
		return;
	for (size_t i = 0; i < fs->parameter_count; i++)
		strbuf_addf(&text, "%s%s%s%s", i ? "," : "", fs->parameters[i].key,
			    fs->parameters[i].value ? "=" : "",
			    fs->parameters[i].value ? fs->parameters[i].value : "");
	trace_step(TRACE_MOUNTS, begin, "fsmount", ret, "%s, %s, attributes 0x%llx", fs->type,
		   text.text ? text.text : "", (unsigned long long)fs->attributes);
}

/* Fills *err with what failed and what the kernel wrote into the context's log: lines that begin with
 * "e ", "w " or "i ". */
static int context_error(int context, int code, const char *type, const char *what,
			 struct error **err)
{
	char text[512];
	ssize_t n;

	if (!err)
		return -code;
	while ((n = read(context, text, sizeof text - 1)) > 0) {
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (str_starts(text, "e "))
			return error_errno(err, code, "%s %s: %s", what, type, text + 2);
	}
	return error_errno(err, code, "%s %s", what, type);
}

static int set_parameter(int context, const char *type, const struct mount_parameter *p,
			 struct error **err)
{
	if (syscall(SYS_fsconfig, context, p->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
		    p->key, p->value, 0) == 0)
		return 0;
	if (!err)
		return -errno;
	context_error(context, errno, type, "mount", err);
	return error_prefix(err, "option %s%s%s", p->key, p->value ? "=" : "",
			    p->value ? p->value : "");
}

static int make_detached(const struct mount_fs *fs, struct error **err)
{
	const struct mount_parameter source = {"source", fs->source};
	_cleanup_fd_ int context = (int)syscall(SYS_fsopen, fs->type, FSOPEN_CLOEXEC);
	int fd, r = 0;

	if (context < 0)
		return error_errno(err, errno, "mount %s", fs->type);
	if (fs->source)
		r = set_parameter(context, fs->type, &source, err);
	for (size_t i = 0; r == 0 && i < fs->parameter_count; i++)
		r = set_parameter(context, fs->type, &fs->parameters[i], err);
	if (r < 0)
		return r;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_error(context, errno, fs->type, "mount", err);
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned)fs->attributes);
	return fd < 0 ? context_error(context, errno, fs->type, "mount", err) : fd;
}

int mount_detached(const struct mount_fs *fs, struct error **err)
{
	uint64_t begin = trace_begin();
	int fd = make_detached(fs, err);

	trace_parameters(fs, begin, fd < 0 ? fd : 0);
	return fd;
}

/* What only mount(2) can say: long values, and the flag that fsconfig has no word for. */
static bool wants_legacy(const struct mount_fs *fs)
{
	for (size_t i = 0; i < fs->parameter_count; i++) {
		const struct mount_parameter *p = &fs->parameters[i];

		if (p->value ? strlen(p->value) > PARAMETER_MAX : str_equal(p->key, "iversion"))
			return true;
	}
	return false;
}

int mount_new(const struct mount_fs *fs, const struct mount_target *target, struct error **err)
{
	_cleanup_fd_ int fd = -ENOSYS;
	int r;

	if (!wants_legacy(fs))
		fd = mount_detached(fs, err);
	if (fd == -ENOSYS)
		return mount_legacy_new(fs, target, err);
	if (fd < 0)
		return fd;
	r = mount_attach(&fd, target, 0, err);
	return r < 0 ? r : TAKE_FD(fd);
}

int mount_reconfigure(int fd, const struct mount_parameter *parameters, size_t count,
		      struct error **err)
{
	uint64_t begin = trace_begin();
	_cleanup_fd_ int context =
		(int)syscall(SYS_fspick, fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	int r = context < 0 ? error_errno(err, errno, "remount") : 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = set_parameter(context, "with it", &parameters[i], err);
	if (r == 0 && syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		r = context_error(context, errno, "with new options", "remount", err);
	trace_step(TRACE_MOUNTS, begin, "fspick", r, "%zu parameters", count);
	return r;
}

int mount_clone(int dir, const char *path, enum mount_clone_flags flags, struct error **err)
{
	unsigned how = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH) |
		       (flags & MOUNT_CLONE_RECURSIVE ? AT_RECURSIVE_ : 0) |
		       (flags & MOUNT_CLONE_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
	uint64_t begin = trace_begin();
	int fd = (int)syscall(SYS_open_tree, dir, path, how);
	int r = fd < 0 ? -errno : 0;

	trace_step(TRACE_MOUNTS, begin, "open_tree", r, "%s, OPEN_TREE_CLONE%s", path,
		   flags & MOUNT_CLONE_RECURSIVE ? "|AT_RECURSIVE" : "");
	if (r == -ENOSYS)
		return mount_legacy_clone(dir, path, flags, err);
	return r < 0 ? error_errno(err, -r, "bind %s", *path ? path : "a mount") : fd;
}

int mount_attach(int *fd, const struct mount_target *target, enum mount_clone_flags flags,
		 struct error **err)
{
	uint64_t begin = trace_begin();
	int r = (int)syscall(SYS_move_mount, *fd, "", target->fd, "",
			     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
			? -errno
			: 0;

	trace_step(TRACE_MOUNTS, begin, "move_mount", r, "%s", target->path);
	if (r == -ENOSYS)
		return mount_legacy_attach(fd, target, flags, err);
	return r < 0 ? error_errno(err, -r, "mount on %s", target->path) : 0;
}

int mount_set(int fd, const struct mount_change *change, struct error **err)
{
	struct mount_attr attr = {
		.attr_set = change->set,
		.attr_clr = change->clear,
		.propagation = change->propagation,
		.userns_fd = change->id_map >= 0 && change->set & MOUNT_ATTR_IDMAP
				     ? (uint64_t)change->id_map
				     : 0,
	};
	uint64_t begin = trace_begin();
	int r = (int)syscall(SYS_mount_setattr, fd, "",
			     AT_EMPTY_PATH | (change->is_recursive ? AT_RECURSIVE_ : 0), &attr,
			     sizeof attr) < 0
			? -errno
			: 0;

	trace_step(TRACE_MOUNTS, begin, "mount_setattr", r,
		   "%sset 0x%llx, clear 0x%llx, propagation 0x%lx",
		   change->is_recursive ? "AT_RECURSIVE, " : "", (unsigned long long)change->set,
		   (unsigned long long)change->clear, change->propagation);
	if (r == -ENOSYS)
		return mount_legacy_set(fd, change, err);
	if (r == -EINVAL && (change->set | change->clear) & MOUNT_ATTR_NOSYMFOLLOW)
		return error_set(err, EINVAL, "nosymfollow needs Linux 5.14");
	return r < 0 ? error_errno(err, -r, "set the attributes of a mount") : 0;
}

int mount_attributes(int fd, uint64_t *attributes, struct error **err)
{
	static const struct {
		unsigned long statfs; /* ST_*, statvfs(3) */
		uint64_t attribute;
	} table[] = {
		{0x1, MOUNT_ATTR_RDONLY},         {0x2, MOUNT_ATTR_NOSUID},
		{0x4, MOUNT_ATTR_NODEV},          {0x8, MOUNT_ATTR_NOEXEC},
		{0x400, MOUNT_ATTR_NOATIME},      {0x800, MOUNT_ATTR_NODIRATIME},
		{0x2000, MOUNT_ATTR_NOSYMFOLLOW},
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return error_errno(err, errno, "look at a mount");
	*attributes = 0;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if ((unsigned long)fs.f_flags & table[i].statfs)
			*attributes |= table[i].attribute;
	/* Neither noatime nor relatime (0x1000). */
	if (!(fs.f_flags & (0x400 | 0x1000)))
		*attributes |= MOUNT_ATTR_STRICTATIME;
	return 0;
}

int mount_set_root_propagation(unsigned long propagation, bool is_recursive, struct error **err)
{
	unsigned long flags = propagation | (is_recursive ? MS_REC : 0);
	uint64_t begin = trace_begin();
	int r = (int)syscall(SYS_mount, NULL, "/", NULL, flags, NULL) < 0 ? -errno : 0;

	trace_step(TRACE_MOUNTS, begin, "mount", r, "/, propagation 0x%lx", flags);
	return r < 0 ? error_errno(err, -r, "set the propagation of /") : 0;
}

int mount_make_parent_private(int fd, struct error **err)
{
	const struct mount_change private = {.propagation = MS_PRIVATE, .id_map = -1};
	_cleanup_fd_ int dir = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	/* Only the root of a mount takes attributes, and EINVAL tells that this is not one; the root of
	 * everything is one, unless a chroot ends the way. */
	while (dir >= 0) {
		struct stat here, above;
		int up, r = mount_set(dir, &private, err);

		if (r != -EINVAL)
			return r;
		up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(dir, &here) < 0 || fstat(up, &above) < 0) {
			close_fd(&up);
			break;
		}
		close(dir);
		dir = up;
		if (here.st_dev == above.st_dev && here.st_ino == above.st_ino)
			return error_set(
				err, EINVAL,
				"the root directory is not a mount point; its propagation can't be set");
	}
	return error_errno(err, errno, "make the mount of the root file system private");
}

int mount_is_root(int dir, const char *path, struct error **err)
{
	struct statx st;

	if (statx(dir, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) == 0)
		return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	return errno == ENOENT ? 0 : error_errno(err, errno, "look at %s", path);
}

static int unmount(const char *path, int flags, struct error **err)
{
	uint64_t begin = trace_begin();
	/* 8 is UMOUNT_NOFOLLOW. */
	int r = (int)syscall(SYS_umount2, path, flags | 8) < 0 ? -errno : 0;

	trace_step(TRACE_MOUNTS, begin, "umount2", r, "%s, %sUMOUNT_NOFOLLOW", path,
		   flags ? "MNT_DETACH|" : "");
	return r < 0 ? error_errno(err, -r, "unmount %s", path) : 0;
}

int mount_detach(const char *path, struct error **err)
{
	return unmount(path, DETACH, err);
}

int mount_unmount(const char *path, struct error **err)
{
	return unmount(path, 0, err);
}

int mount_pivot(int dir, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = fchdir(dir) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ? -errno : 0;

	trace_step(TRACE_MOUNTS, begin, "pivot_root", r, "., .");
	return r < 0 ? error_errno(err, -r, "pivot_root") : 0;
}

int mount_chroot(int fd, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = fchdir(fd) < 0 || chroot(".") < 0 || chdir("/") < 0 ? -errno : 0;

	trace_step(TRACE_MOUNTS, begin, "chroot", r, ".");
	return r < 0 ? error_errno(err, -r, "chroot to the root file system") : 0;
}

int mount_move_to_root(int fd, struct error **err)
{
	uint64_t begin = trace_begin();
	/* A mount on "/" covers the root without becoming it, hence the chroot. */
	int r = fchdir(fd) < 0 || syscall(SYS_mount, ".", "/", NULL, MS_MOVE, NULL) < 0 ? -errno
											: 0;

	trace_step(TRACE_MOUNTS, begin, "mount", r, "., /, MS_MOVE");
	if (r < 0)
		return error_errno(err, -r, "move the root file system over /");
	return mount_chroot(fd, err);
}

bool mount_is_type(int fd, long magic)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (long)fs.f_type == magic;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount(2) by descriptor, for kernels without the newer calls. See mount_legacy.h. mount(2), proc(5).
 *
 * mount(2) wants names. "N" is a name for descriptor N when the working directory is /proc/self/fd, and that
 * directory comes from the verified procfs, so that nothing mounted over /proc misleads us. After
 * mount(2) the target's descriptor is what lies underneath; the new mount's root is looked up once more and
 * must then be a mount other than the covered one. */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/mount_legacy.h"
#include "kernel/path.h"
#include "kernel/procfs.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

static const struct {
	uint64_t attribute;
	unsigned long flag;
} flag_table[] = {
	{MOUNT_ATTR_RDONLY, MS_RDONLY},         {MOUNT_ATTR_NOSUID, MS_NOSUID},
	{MOUNT_ATTR_NODEV, MS_NODEV},           {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
	{MOUNT_ATTR_NOATIME, MS_NOATIME},       {MOUNT_ATTR_STRICTATIME, MS_STRICTATIME},
	{MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}, {MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW},
};

/* Parameters of a file system that mount(2) takes as flags. */
static const struct {
	const char *key;
	unsigned long flag;
} parameter_flags[] = {
	{"ro", MS_RDONLY},          {"sync", MS_SYNCHRONOUS},  {"dirsync", MS_DIRSYNC},
	{"mand", MS_MANDLOCK},      {"lazytime", MS_LAZYTIME}, {"rw", 0},
	{"iversion", MS_I_VERSION},
};

static unsigned long flags_of(uint64_t attributes)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flag_table); i++)
		if (attributes & flag_table[i].attribute)
			flags |= flag_table[i].flag;
	/* The default of new mounts is relatime; a remount must name it to lose another. */
	if (!(attributes & MOUNT_ATTR__ATIME))
		flags |= MS_RELATIME;
	return flags;
}

/* What mount(2) is given, with descriptors for names. */
struct call {
	int source; /* -1: source_text */
	const char *source_text, *type, *data;
	int target;
	unsigned long flags;
};

static int mount_at(const struct call *call, struct error **err)
{
	_cleanup_fd_ int dir = procfs_open("self/fd", O_PATH | O_DIRECTORY, err);
	_cleanup_fd_ int old = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char source[16], target[16];
	int r;

	if (dir < 0)
		return dir;
	if (old < 0 || fchdir(dir) < 0)
		return error_errno(err, errno, "enter /proc/self/fd");
	snprintf(source, sizeof source, "%d", call->source);
	snprintf(target, sizeof target, "%d", call->target);
	r = syscall(SYS_mount, call->source >= 0 ? source : call->source_text, target, call->type,
		    call->flags, call->data) < 0
		    ? -errno
		    : 0;
	if (fchdir(old) < 0)
		return error_errno(err, errno, "return to the working directory");
	return r;
}

/* Looks target up again. A root itself is found only from above: from the caller's "/". */
static int look_up(const struct mount_target *target, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int host = -1;
	int r;

	if (!str_equal(target->path, "/"))
		return path_open_in_root(target->root, target->path, O_PATH, PATH_ANY, err);
	host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (host < 0)
		return error_errno(err, errno, "open /");
	r = path_within_root(host, target->fd, &path, err);
	return r < 0 ? r : path_open_in_root(host, path, O_PATH, PATH_ANY, err);
}

/* The root of the mount that is now on target. */
static int reopen_target(const struct mount_target *target, struct error **err)
{
	struct statx covered, top;
	int fd = look_up(target, err);

	if (fd < 0)
		return fd;
	if (statx(target->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &covered) < 0 ||
	    statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &top) < 0 ||
	    covered.stx_mnt_id == top.stx_mnt_id || !(top.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		close(fd);
		return error_set(err, EAGAIN, "%s changed while it was mounted on", target->path);
	}
	return fd;
}

int mount_legacy_new(const struct mount_fs *fs, const struct mount_target *target,
		     struct error **err)
{
	_cleanup_strbuf_ struct strbuf data = {0};
	struct call call = {
		.source = -1,
		.source_text = fs->source ? fs->source : "none",
		.type = fs->type,
		.target = target->fd,
		.flags = flags_of(fs->attributes),
	};
	uint64_t begin = trace_begin();
	int r;

	for (size_t i = 0; i < fs->parameter_count; i++) {
		const struct mount_parameter *p = &fs->parameters[i];
		bool is_flag = false;

		for (size_t k = 0; k < ARRAY_SIZE(parameter_flags) && !p->value; k++)
			if (str_equal(p->key, parameter_flags[k].key)) {
				call.flags |= parameter_flags[k].flag;
				is_flag = true;
			}
		if (!is_flag)
			strbuf_addf(&data, "%s%s%s%s", data.length ? "," : "", p->key,
				    p->value ? "=" : "", p->value ? p->value : "");
	}
	if (data.failed)
		return error_errno(err, ENOMEM, "mount %s", fs->type);
	call.data = data.text;
	r = mount_at(&call, err);
	trace_step(TRACE_MOUNTS, begin, "mount", r, "%s, %s, %s, 0x%lx, %s", call.source_text,
		   target->path, fs->type, call.flags, data.text ? data.text : "");
	if (r < 0)
		return error_errno(err, -r, "mount %s on %s", fs->type, target->path);
	return reopen_target(target, err);
}

int mount_legacy_clone(int dir, const char *path, enum mount_clone_flags flags, struct error **err)
{
	int fd =
		*path ? openat(dir, path,
			       O_PATH | O_CLOEXEC | (flags & MOUNT_CLONE_NOFOLLOW ? O_NOFOLLOW : 0))
		      : fcntl(dir, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? error_errno(err, errno, "bind %s", path) : fd;
}

int mount_legacy_attach(int *fd, const struct mount_target *target, enum mount_clone_flags flags,
			struct error **err)
{
	struct call call = {
		.source = *fd,
		.target = target->fd,
		.flags = MS_BIND | (flags & MOUNT_CLONE_RECURSIVE ? MS_REC : 0),
	};
	uint64_t begin = trace_begin();
	int r = mount_at(&call, err);

	trace_step(TRACE_MOUNTS, begin, "mount", r, "%s, MS_BIND, 0x%lx", target->path, call.flags);
	if (r < 0)
		return error_errno(err, -r, "bind on %s", target->path);
	r = reopen_target(target, err);
	if (r < 0)
		return r;
	close(*fd);
	*fd = r;
	return 0;
}

int mount_legacy_set(int fd, const struct mount_change *change, struct error **err)
{
	struct call call = {.source = -1, .source_text = NULL, .target = fd};
	uint64_t begin, attributes;
	int r = 0;

	if (change->set & MOUNT_ATTR_IDMAP)
		return error_set(err, EOPNOTSUPP, "id-mapped mounts need Linux 5.12");
	if (change->is_recursive && (change->set || change->clear))
		return error_set(err, EOPNOTSUPP, "recursive mount attributes need Linux 5.12");
	if (change->set || change->clear) {
		r = mount_attributes(fd, &attributes, err);
		if (r < 0)
			return r;
		attributes = (attributes & ~change->clear) | change->set;
		call.flags = MS_REMOUNT | MS_BIND | flags_of(attributes);
		begin = trace_begin();
		r = mount_at(&call, err);
		trace_step(TRACE_MOUNTS, begin, "mount", r, "MS_REMOUNT|MS_BIND, 0x%lx",
			   call.flags);
	}
	if (r == 0 && change->propagation) {
		call.flags = change->propagation | (change->is_recursive ? MS_REC : 0);
		begin = trace_begin();
		r = mount_at(&call, err);
		trace_step(TRACE_MOUNTS, begin, "mount", r, "propagation 0x%lx", call.flags);
	}
	return r < 0 ? error_errno(err, -r, "set the attributes of a mount") : 0;
}

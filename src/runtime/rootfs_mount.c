/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One entry of "mounts" becomes a mount. Specification: "Mounts"; semantics as runc's.
 *
 * The life of each: find or make what gets covered, inside the root and by descriptor; make the mount; attach
 * it; set attributes and propagation. The target is never looked up again, so that whoever shares the
 * root file system and swaps names can't send a mount elsewhere (CVE-2021-30465). What is on /proc stays procfs: anything
 * mounted there, but for the files that lxcfs imitates, is refused (CVE-2019-16884, CVE-2023-28642). */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "runtime/rootfs_internal.h"

static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/uptime",
};

const char *rootfs_mount_label(const struct rootfs *r)
{
	const char *label = r->spec->linux.mount_label;

	return label && *label ? label : NULL;
}

int rootfs_source_dir(struct rootfs *r, const char *source, struct error **err)
{
	if (*source == '/')
		return AT_FDCWD;
	/* opts.bundle_fd is of the parent's mount namespace and can't be the source of a mount here. */
	if (r->bundle_fd < 0)
		r->bundle_fd = open(r->opts.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r->bundle_fd < 0 ? error_errno(err, errno, "open the bundle %s", r->opts.bundle)
				: r->bundle_fd;
}

/* where is the destination without links. like is the source of a bind mount or -1. */
static int check_proc(const struct mount_plan *m, const char *where, int like, struct error **err)
{
	if (!str_starts(where, "/proc") || (where[5] && where[5] != '/'))
		return 0;
	if (!where[5]) {
		if (m->is_bind ? mount_is_type(like, PROC_SUPER_MAGIC) : str_equal(m->type, "proc"))
			return 0;
		return error_set(err, EPERM, "only a procfs can be mounted on /proc");
	}
	for (size_t i = 0; i < ARRAY_SIZE(proc_files); i++)
		if (str_equal(where, proc_files[i]))
			return 0;
	return error_set(err, EPERM, "nothing can be mounted inside /proc");
}

/* Opens or makes m's destination. -ELOOP where rules forbid a link that is on the way. */
static int open_or_make(struct rootfs *r, struct mount_plan *m, int like, enum path_rules rules,
			bool *is_new)
{
	int flags = O_PATH | (m->destination_nofollow ? O_NOFOLLOW : 0);
	int fd = path_open_in_root(r->root_fd, m->destination, flags, rules, NULL);
	struct stat st;

	*is_new = fd == -ENOENT;
	if (fd != -ENOENT)
		return fd;
	if (like >= 0 && fstat(like, &st) < 0)
		return -errno;
	if (like >= 0 && !S_ISDIR(st.st_mode))
		return path_create_in_root(r->root_fd, m->destination, 0755, rules | PATH_MISSING,
					   NULL);
	return path_mkdirs_in_root(r->root_fd, m->destination, 0755, rules | PATH_MISSING, NULL);
}

int rootfs_open_target(struct rootfs *r, struct mount_plan *m, int like, bool *is_new,
		       struct error **err)
{
	_cleanup_free_ char *where = NULL;
	_cleanup_fd_ int fd = -1;
	bool made;
	int n;

	/* The usual destination has no links, and then it is where it says. */
	n = check_proc(m, m->destination, like, err);
	if (n < 0)
		return n;
	fd = open_or_make(r, m, like, PATH_NO_SYMLINKS, &made);
	if (fd == -ELOOP && m->kind->wants_plain_directory)
		return error_set(err, ELOOP, "%s must be mounted on an ordinary directory",
				 m->type);
	if (fd == -ELOOP) {
		fd = open_or_make(r, m, like, PATH_ANY, &made);
		if (fd >= 0) {
			n = path_within_root(r->root_fd, fd, &where, err);
			if (n == 0)
				n = check_proc(m, where, like, err);
			if (n < 0)
				return n;
		}
	}
	if (fd < 0)
		return error_errno(err, -fd, "open the destination in the root");
	if (is_new)
		*is_new = made;
	return TAKE_FD(fd);
}

static int set_propagation(struct mount_plan *m, int fd, struct error **err)
{
	for (size_t i = 0; i < m->propagation_count; i++) {
		struct mount_change change = {
			.propagation = m->propagation[i].type,
			.is_recursive = m->propagation[i].is_recursive,
			.id_map = -1,
		};
		int n = mount_set(fd, &change, err);

		if (n < 0)
			return n;
	}
	return 0;
}

/* The attributes that a less privileged mount namespace may not clear, when the source of a bind mount had
 * them. mount_namespaces(7), "locked". */
#define LOCKABLE (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* A bind mount with any attribute option gets exactly those attributes, and one with none keeps its
 * source's. Those that are locked stay, unless the configuration asks for their opposite. */
static int set_bind_attributes(struct mount_plan *m, int fd, struct error **err)
{
	struct mount_change change = {
		.set = m->set,
		.clear = m->clear | (m->is_remount ? 0 : LOCKABLE & ~m->set),
		.id_map = -1,
	};
	uint64_t current;
	int n = mount_set(fd, &change, NULL);

	if (n != -EPERM)
		return n < 0 ? mount_set(fd, &change, err) : 0;
	n = mount_attributes(fd, &current, err);
	if (n < 0)
		return n;
	if (current & LOCKABLE & m->clear)
		return error_errno(
			err, EPERM, "the source is mounted %s, which can't be undone here",
			current & m->clear & MOUNT_ATTR_RDONLY ? "read-only" : "with restrictions");
	change.clear &= ~LOCKABLE;
	return mount_set(fd, &change, err);
}

int rootfs_finish_mount(struct rootfs *r, struct mount_plan *m, int target, int fd,
			struct error **err)
{
	int n = 0;

	if (m->has_attributes && (m->is_bind || m->is_remount))
		n = set_bind_attributes(m, fd, err);
	if (n == 0 && (m->recursive_set || m->recursive_clear)) {
		struct mount_change change = {
			.set = m->recursive_set,
			.clear = m->recursive_clear,
			.is_recursive = true,
			.id_map = -1,
		};

		n = mount_set(fd, &change, err);
	}
	if (n == 0)
		n = set_propagation(m, fd, err);
	/* A mount on "/" is the root from now on. */
	if (n == 0 && str_equal(m->destination, "/") && !m->is_remount) {
		int root = fcntl(fd, F_DUPFD_CLOEXEC, 3);

		if (root < 0)
			return error_errno(err, errno, "keep the root");
		close_fd(&r->root_fd);
		r->root_fd = root;
	}
	return n;
}

static int attach_bind(struct rootfs *r, struct mount_plan *m, int *tree, bool is_recursive,
		       struct error **err)
{
	_cleanup_fd_ int fd = rootfs_open_target(r, m, *tree, NULL, err);
	struct mount_target target = {fd, r->root_fd, m->destination};
	int n;

	if (fd < 0)
		return fd;
	n = mount_attach(tree, &target, is_recursive ? MOUNT_CLONE_RECURSIVE : 0, err);
	return n < 0 ? n : rootfs_finish_mount(r, m, fd, *tree, err);
}

int rootfs_bind_path(struct rootfs *r, struct mount_plan *m, const char *path, bool is_recursive,
		     struct error **err)
{
	_cleanup_fd_ int tree =
		mount_clone(AT_FDCWD, path, is_recursive ? MOUNT_CLONE_RECURSIVE : 0, err);

	return tree < 0 ? tree : attach_bind(r, m, &tree, is_recursive, err);
}

/* copy-symlink: a source that is a link is made anew in the root. Returns 1 when it was one. */
static int copy_symlink(struct rootfs *r, struct mount_plan *m, int dir, struct error **err)
{
	_cleanup_fd_ int parent = -1;
	uint64_t begin;
	const char *name;
	char text[4096];
	ssize_t n = readlinkat(dir, m->source, text, sizeof text - 1);
	int result;

	if (n < 0)
		return errno == EINVAL ? 0 : error_errno(err, errno, "read the link %s", m->source);
	text[n] = '\0';
	parent = path_parent_in_root(r->root_fd, m->destination, &name, err);
	if (parent < 0)
		return parent;
	begin = trace_begin();
	result = symlinkat(text, parent, name) < 0 ? -errno : 1;
	trace_step(TRACE_ROOTFS, begin, "symlinkat", result, "%s, %s", text, m->destination);
	if (result == -EEXIST) {
		char old[sizeof text];
		ssize_t length = readlinkat(parent, name, old, sizeof old - 1);

		if (length == n && memcmp(old, text, (size_t)n) == 0)
			return 1;
	}
	return result < 0 ? error_errno(err, -result, "make the link %s", m->destination) : 1;
}

static int mount_bind(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	_cleanup_fd_ int tree = TAKE_FD(m->source_fd);
	int dir = AT_FDCWD, n;

	if (tree < 0) {
		dir = rootfs_source_dir(r, m->source, err);
		if (dir < 0 && dir != AT_FDCWD)
			return dir;
		n = m->copies_symlink ? copy_symlink(r, m, dir, err) : 0;
		if (n != 0)
			return n < 0 ? n : 0;
		tree = mount_clone(dir, m->source,
				   (m->is_recursive ? MOUNT_CLONE_RECURSIVE : 0) |
					   (m->source_nofollow ? MOUNT_CLONE_NOFOLLOW : 0),
				   err);
		if (tree < 0)
			return tree;
	}
	return attach_bind(r, m, &tree, m->is_recursive, err);
}

/* What must still be written to below becomes read-only in rootfs_finish. */
static bool is_readonly_late(const struct mount_plan *m)
{
	return m->set & MOUNT_ATTR_RDONLY &&
	       (str_equal(m->type, "tmpfs") || str_equal(m->destination, "/dev"));
}

static void add_parameter(struct mount_plan *m, const char *key, const char *value)
{
	m->parameters[m->parameter_count++] = (struct mount_parameter){key, value};
}

static int keep_late(struct mount_plan *m, int fd, struct error **err)
{
	if (!is_readonly_late(m))
		return 0;
	m->late_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return m->late_fd < 0 ? error_errno(err, errno, "keep a mount") : 0;
}

/* Mounts a new file system of m's type on target. Returns its root's descriptor. */
static int mount_on(struct rootfs *r, struct mount_plan *m, int target_fd, struct error **err)
{
	struct mount_target target = {target_fd, r->root_fd, m->destination};
	struct mount_fs fs = {
		.type = m->type,
		.source = m->source ? m->source : m->type,
		.attributes = m->set & ~(is_readonly_late(m) ? MOUNT_ATTR_RDONLY : 0u),
	};

	if (m->kind->takes_context && rootfs_mount_label(r))
		add_parameter(m, "context", rootfs_mount_label(r));
	fs.parameters = m->parameters;
	fs.parameter_count = m->parameter_count;
	return mount_new(&fs, &target, err);
}

static int mount_plain(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	_cleanup_fd_ int target = rootfs_open_target(r, m, -1, NULL, err);
	_cleanup_fd_ int fd = -1;
	int n;

	if (target < 0)
		return target;
	fd = mount_on(r, m, target, err);
	if (fd < 0)
		return fd;
	n = keep_late(m, fd, err);
	return n < 0 ? n : rootfs_finish_mount(r, m, target, fd, err);
}

/* A file system that may have a device below wants to know whether it will be written to. */
static int mount_other(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	if (m->set & MOUNT_ATTR_RDONLY && !is_readonly_late(m))
		add_parameter(m, "ro", NULL);
	return mount_plain(r, m, err);
}

static int mount_sysfs(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	int n = mount_plain(r, m, err);

	/* The kernel gives a new sysfs only to who owns the network namespace. Read-only, and with what is
	 * mounted below, the host's shows nothing that a process of this user couldn't see anyway. */
	if (n == -EPERM && r->opts.has_user_namespace) {
		m->is_bind = true;
		m->recursive_set |= m->set | MOUNT_ATTR_RDONLY;
		n = rootfs_bind_path(r, m, "/sys", true, err);
	}
	return n;
}

static int mount_tmpfs(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	bool is_new;
	_cleanup_fd_ int target = rootfs_open_target(r, m, -1, &is_new, err);
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int n = 0;

	if (target < 0)
		return target;
	/* As the directory that it covers; the kernel's default (1777) where there was none. */
	if (!is_new && !mount_plan_parameter(m, "mode")) {
		if (fstat(target, &st) < 0)
			return error_errno(err, errno, "look at the destination");
		snprintf(m->mode, sizeof m->mode, "%04o", st.st_mode & 07777);
		add_parameter(m, "mode", m->mode);
	}
	fd = mount_on(r, m, target, err);
	if (fd < 0)
		return fd;
	if (m->copies_up && !is_new)
		n = rootfs_copy_up(target, fd, err);
	if (n == 0)
		n = keep_late(m, fd, err);
	return n < 0 ? n : rootfs_finish_mount(r, m, target, fd, err);
}

/* mqueue takes no context parameter; its root is labelled instead. */
static int mount_mqueue(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	const char *label = rootfs_mount_label(r);
	_cleanup_fd_ int fd = -1;
	int n = mount_plain(r, m, err);

	if (n < 0 || !label)
		return n;
	fd = path_open_in_root(r->root_fd, m->destination, O_RDONLY | O_DIRECTORY, PATH_ANY, err);
	if (fd < 0)
		return fd;
	if (fsetxattr(fd, "security.selinux", label, strlen(label), 0) < 0)
		return error_errno(err, errno, "label it %s", label);
	return 0;
}

/* "remount": changes what is mounted at the destination already. */
static int remount(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	_cleanup_fd_ int fd = path_open_in_root(r->root_fd, m->destination, O_PATH, PATH_ANY, err);
	int n = 0;

	if (fd < 0)
		return fd;
	if (!m->is_bind) {
		if (m->set & MOUNT_ATTR_RDONLY)
			add_parameter(m, "ro", NULL);
		if (m->clear & MOUNT_ATTR_RDONLY)
			add_parameter(m, "rw", NULL);
		if (m->parameter_count)
			n = mount_reconfigure(fd, m->parameters, m->parameter_count, err);
	}
	return n < 0 ? n : rootfs_finish_mount(r, m, fd, fd, err);
}

const struct mount_kind mount_kind_bind = {"bind", false, false, mount_bind};
static const struct mount_kind kind_proc = {"proc", true, false, mount_plain};
static const struct mount_kind kind_sysfs = {"sysfs", true, false, mount_sysfs};
static const struct mount_kind kind_tmpfs = {"tmpfs", false, true, mount_tmpfs};
static const struct mount_kind kind_mqueue = {"mqueue", false, false, mount_mqueue};
static const struct mount_kind kind_devpts = {"devpts", false, true, mount_plain};
static const struct mount_kind kind_other = {NULL, false, true, mount_other};

const struct mount_kind *const mount_kinds[] = {
	&kind_proc,   &kind_sysfs,        &kind_tmpfs, &kind_mqueue,
	&kind_devpts, &mount_kind_cgroup, &kind_other,
};

int rootfs_mount(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	int n = m->is_remount ? remount(r, m, err) : m->kind->mount(r, m, err);

	return n < 0 ? error_prefix(err, "mount %s on %s",
				    m->is_bind && m->source ? m->source
				    : m->type               ? m->type
							    : "nothing",
				    m->destination)
		     : 0;
}

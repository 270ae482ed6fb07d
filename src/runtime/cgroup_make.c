/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making one cgroup directory: its parents, cpuset's masks, v2's controllers.
 *
 * The directory itself is tried first, since its parent is nearly always there. A new v1 cpuset starts
 * empty (unless its parent has cgroup.clone_children) and takes no process before it has CPUs and memory
 * nodes: it gets its parent's, and an empty parent its own parent's before. A v2 directory has the
 * controllers that every directory above it passes on by cgroup.subtree_control. Documentation/admin-guide/
 * cgroup-v1/cpusets.rst, cgroup-v2.rst "Enabling and Disabling". */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cgroup_internal.h"

typedef int prefix_fn(struct cgroup_dir *dir, const char *path, struct error **err);

/* Calls step for each directory from the mount point's child to the container's own, and with
 * from_mount for the mount point itself before. */
static int each_prefix(struct cgroup_dir *dir, bool from_mount, prefix_fn *step, struct error **err)
{
	_cleanup_free_ char *path = strdup(dir->path);
	size_t length = dir->mount_length;
	int r = 0;

	if (!path)
		return error_errno(err, ENOMEM, "make cgroup %s", dir->path);
	if (from_mount) {
		path[length] = '\0';
		r = step(dir, path, err);
		path[length] = '/';
	}
	while (r >= 0 && dir->path[length] != '\0') {
		length += 1 + strcspn(dir->path + length + 1, "/");
		path[length] = '\0';
		r = step(dir, path, err);
		path[length] = dir->path[length];
	}
	return r;
}

static int make_prefix(struct cgroup_dir *dir, const char *path, struct error **err)
{
	int r = cgroup_make(path, err);

	if (r == -EEXIST) {
		dir->kept_length = strlen(path);
		return 0;
	}
	return r;
}

static int open_parent(const char *path)
{
	_cleanup_free_ char *parent = strndup(path, (size_t)(strrchr(path, '/') - path));

	return parent ? open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

/* Copies the mask name of the parent. Returns 1 when the parent has none either. */
static int inherit_mask(int parent_fd, int fd, const char *path, const char *name,
			struct error **err)
{
	_cleanup_free_ char *mask = NULL;
	int r = cgroup_read(parent_fd, "the cgroup above", name, &mask, err);

	if (r < 0)
		return error_prefix(err, "%s", path);
	if (*mask == '\0')
		return 1;
	r = cgroup_write(fd, path, name, mask, err);
	/* A sibling has CPUs for itself (cpuset.cpu_exclusive): then linux.resources.cpu.cpus must say
	 * which are left, and joining fails where it doesn't. */
	if (r == -EINVAL) {
		if (err)
			error_freep(err);
		r = 0;
	}
	return r;
}

static const char *const masks[] = {"cpuset.cpus", "cpuset.mems"};

/* Fills a directory that may have masks already. */
static int fill_prefix(_unused_ struct cgroup_dir *dir, const char *path, struct error **err)
{
	_cleanup_fd_ int parent_fd = open_parent(path);
	_cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || parent_fd < 0)
		return error_errno(err, errno, "open cgroup %s", path);
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		_cleanup_free_ char *mask = NULL;
		int r = cgroup_read(fd, path, masks[i], &mask, err);

		if (r == 0 && *mask == '\0')
			r = inherit_mask(parent_fd, fd, path, masks[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_cpuset(struct cgroup_dir *dir, bool is_new, struct error **err)
{
	_cleanup_fd_ int parent_fd = -1;
	int r;

	if (!is_new)
		return each_prefix(dir, false, fill_prefix, err);
	r = cgroup_dir_open(dir, err);
	if (r < 0)
		return r;
	parent_fd = open_parent(dir->path);
	if (parent_fd < 0)
		return error_errno(err, errno, "open the cgroup above %s", dir->path);
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		r = inherit_mask(parent_fd, dir->fd, dir->path, masks[i], err);
		if (r == 1)
			return each_prefix(dir, false, fill_prefix, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "memory pids" to "+memory +pids". */
static char *plus_list(const char *controllers)
{
	_cleanup_strv_ struct strv names = {0};
	_cleanup_strbuf_ struct strbuf list = {0};

	if (strv_split(&names, controllers, " \n") < 0)
		return NULL;
	for (size_t i = 0; i < names.count; i++)
		strbuf_addf(&list, "%s+%s", i > 0 ? " " : "", names.items[i]);
	return strbuf_take(&list);
}

/* Passes on all controllers that path has. What can't be passed on (a controller in use by v1, a
 * directory with processes) is noticed where a limit needs it. */
static int pass_on(struct cgroup_dir *dir, const char *path, _unused_ struct error **err)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *have = NULL, *list = NULL;
	_cleanup_strv_ struct strv each = {0};

	if (strcmp(path, dir->path) == 0)
		return 0;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || cgroup_read(fd, path, "cgroup.controllers", &have, NULL) < 0)
		return 0;
	list = plus_list(have);
	if (!list || *list == '\0' ||
	    cgroup_write(fd, path, "cgroup.subtree_control", list, NULL) == 0)
		return 0;
	if (strv_split(&each, list, " ") < 0)
		return 0;
	for (size_t i = 0; i < each.count; i++)
		cgroup_write(fd, path, "cgroup.subtree_control", each.items[i], NULL);
	return 0;
}

/* The mount point's controllers, all of them, are there already. */
static bool has_all_controllers(struct cgroup_dir *dir)
{
	_cleanup_free_ char *mount = strndup(dir->path, dir->mount_length);
	_cleanup_free_ char *above = NULL, *own = NULL;
	_cleanup_fd_ int fd = mount ? open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 && cgroup_dir_open(dir, NULL) >= 0 &&
	       cgroup_read(fd, mount, "cgroup.controllers", &above, NULL) == 0 &&
	       cgroup_read(dir->fd, dir->path, "cgroup.controllers", &own, NULL) == 0 &&
	       strcmp(above, own) == 0;
}

/* Below a cgroup that has processes and passes on what threads can share (in a container, say, whose root
 * cgroup is no root), a new cgroup takes no process before it is a threaded one, too. What it can't have
 * then, memory for one, shows when a limit is set. cgroup-v2.rst, "Threads". */
static int fix_type(_unused_ struct cgroup_dir *dir, const char *path, _unused_ struct error **err)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *type = NULL;

	if (fd >= 0 && cgroup_read(fd, path, "cgroup.type", &type, NULL) == 0 &&
	    strcmp(type, "domain invalid") == 0)
		cgroup_write(fd, path, "cgroup.type", "threaded", NULL);
	return 0;
}

static bool is_valid_domain(struct cgroup_dir *dir)
{
	_cleanup_free_ char *type = NULL;

	return cgroup_dir_open(dir, NULL) < 0 ||
	       cgroup_read(dir->fd, dir->path, "cgroup.type", &type, NULL) < 0 ||
	       strcmp(type, "domain invalid") != 0;
}

int cgroup_dir_enable(struct cgroup_dir *dir, struct error **err)
{
	int r = has_all_controllers(dir) ? 0 : each_prefix(dir, true, pass_on, err);

	return r < 0 || is_valid_domain(dir) ? r : each_prefix(dir, false, fix_type, err);
}

int cgroup_dir_make(struct cgroup_dir *dir, struct error **err)
{
	const char *slash = strrchr(dir->path, '/');
	int r = cgroup_make(dir->path, err);
	bool is_new = r == 0;

	dir->kept_length = is_new ? (size_t)(slash - dir->path) : strlen(dir->path);
	if (r == -ENOENT) {
		if (err)
			error_freep(err);
		dir->kept_length = dir->mount_length;
		r = each_prefix(dir, false, make_prefix, err);
	}
	if (r < 0 && r != -EEXIST)
		return r;
	if (cgroup_controllers_have(dir->controllers, "cpuset"))
		return fill_cpuset(dir, is_new, err);
	return 0;
}

void cgroup_dir_unmake(struct cgroup_dir *dir)
{
	close_fd(&dir->fd);
	if (dir->kept_length == 0)
		return;
	while (dir->path[dir->kept_length] != '\0') {
		char *slash;

		if (cgroup_unmake(dir->path, 0, NULL) < 0)
			return;
		slash = strrchr(dir->path, '/');
		*slash = '\0';
	}
}

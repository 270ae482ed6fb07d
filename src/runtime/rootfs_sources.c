/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parent opens for the child: sources that the container's user can't reach, and id-mapped clones.
 * mount_setattr(2), "ID-mapped mounts"; user_namespaces(7).
 *
 * The child binds what it can by itself, since the kernel then locks the source's restrictions
 * (read-only, nosuid, ...) for its less privileged mount namespace. Only where the root of its user namespace lacks the right to
 * walk to a source does the parent clone it. A clone made here belongs to the host's peer groups,
 * so it gets the propagation that the child's copy of the tree gets. */
#include <fcntl.h>
#include <sys/syscall.h>

#include "kernel/namespace.h"
#include "runtime/rootfs_internal.h"

/* Where the mapping of a joined user namespace is not known: an id with no rights but everybody's. */
#define NOBODY 65534

static uid_t host_id(const struct spec_id_maps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (id - maps->items[i].container_id < maps->items[i].size &&
		    id >= maps->items[i].container_id)
			return maps->items[i].host_id + (id - maps->items[i].container_id);
	return NOBODY;
}

/* Whether the container's root may open path. Changing the file system ids drops the capabilities that
 * override permissions, and changing them back restores those: setfsuid(2). The raw calls, for
 * this process has one thread. */
static bool can_child_open(const struct rootfs *r, const char *path)
{
	const struct spec_linux *config = &r->spec->linux;
	_cleanup_fd_ int dir = -1, fd = -1;
	bool is_refused = false;

	syscall(SYS_setfsgid, host_id(&config->gid_maps, 0));
	syscall(SYS_setfsuid, host_id(&config->uid_maps, 0));
	/* The child walks to the bundle by its name as well. */
	if (*path != '/') {
		dir = open(r->opts.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
		is_refused = dir < 0 && errno == EACCES;
	}
	if (!is_refused) {
		fd = openat(dir, path, O_PATH | O_CLOEXEC);
		is_refused = fd < 0 && errno == EACCES;
	}
	syscall(SYS_setfsuid, geteuid());
	syscall(SYS_setfsgid, getegid());
	return !is_refused;
}

static int clone_source(const struct rootfs *r, int dir, const char *path,
			enum mount_clone_flags flags, struct error **err)
{
	const struct mount_change propagation = {
		.propagation = r->setup_propagation,
		.is_recursive = true,
		.id_map = -1,
	};
	_cleanup_fd_ int fd = mount_clone(dir, path, flags, err);
	int n;

	if (fd < 0 || !r->is_propagation_recursive)
		return TAKE_FD(fd);
	n = mount_set(fd, &propagation, err);
	return n < 0 ? n : TAKE_FD(fd);
}

static int to_lines(const struct spec_id_maps *maps, struct id_map_line **out)
{
	struct id_map_line *lines = calloc(maps->count + 1, sizeof *lines);

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < maps->count; i++)
		lines[i] = (struct id_map_line){maps->items[i].container_id, maps->items[i].host_id,
						maps->items[i].size};
	*out = lines;
	return 0;
}

/* A user namespace with m's own maps, or the container's. */
static int open_id_map(const struct rootfs *r, const struct mount_plan *m, struct error **err)
{
	const struct spec_linux *config = &r->spec->linux;
	const struct spec_id_maps *uids = &m->spec->uid_maps, *gids = &m->spec->gid_maps;
	const char *joined = config->namespaces[NAMESPACE_USER].path;
	_cleanup_free_ struct id_map_line *uid_lines = NULL, *gid_lines = NULL;
	struct id_maps maps;

	if (!uids->count && joined)
		return namespace_open(&namespace_types[NAMESPACE_USER], joined, err);
	if (!uids->count) {
		uids = &config->uid_maps;
		gids = &config->gid_maps;
	}
	if (to_lines(uids, &uid_lines) < 0 || to_lines(gids, &gid_lines) < 0)
		return error_errno(err, ENOMEM, "map ids");
	maps = (struct id_maps){uid_lines, gid_lines, uids->count, gids->count};
	return id_maps_namespace(&maps, err);
}

static int set_id_map(const struct rootfs *r, const struct mount_plan *m, int fd,
		      struct error **err)
{
	_cleanup_fd_ int map = open_id_map(r, m, err);
	struct mount_change change = {
		.set = MOUNT_ATTR_IDMAP,
		.id_map = map,
		.is_recursive = m->is_id_map_recursive,
	};
	int n;

	if (map < 0)
		return map;
	n = mount_set(fd, &change, err);
	if (n == -EINVAL)
		return error_set(err, EINVAL,
				 "the file system of %s does not support id-mapped mounts",
				 m->source);
	return n < 0 ? error_prefix(err, "idmap") : 0;
}

static int open_source(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	enum mount_clone_flags flags = (m->is_recursive ? MOUNT_CLONE_RECURSIVE : 0) |
				       (m->source_nofollow ? MOUNT_CLONE_NOFOLLOW : 0);
	int dir = *m->source == '/' ? AT_FDCWD : r->opts.bundle_fd;

	if (!m->has_id_map && (!r->opts.has_user_namespace || can_child_open(r, m->source)))
		return 0;
	m->source_fd = clone_source(r, dir, m->source, flags, err);
	if (m->source_fd < 0)
		return m->source_fd;
	return m->has_id_map ? set_id_map(r, m, m->source_fd, err) : 0;
}

bool rootfs_wants_parent(const struct rootfs *r)
{
	bool has_id_map = false;

	for (size_t i = 0; i < r->plan_count; i++)
		has_id_map |= r->plans[i].has_id_map;
	return r->opts.has_mount_namespace && (r->opts.has_user_namespace || has_id_map);
}

int rootfs_open_sources(struct rootfs *r, struct error **err)
{
	const char *root = r->spec->root.path;
	int dir;

	if (!rootfs_wants_parent(r))
		return 0;
	/* A normal user has nothing that the root of its user namespace lacks. */
	if (geteuid() != 0 && r->opts.has_user_namespace)
		return 0;
	if (r->opts.has_user_namespace && !can_child_open(r, root)) {
		dir = *root == '/' ? AT_FDCWD : r->opts.bundle_fd;
		r->root_source_fd = clone_source(r, dir, root, MOUNT_CLONE_RECURSIVE, err);
		if (r->root_source_fd < 0)
			return error_prefix(err, "root %s", root);
	}
	for (size_t i = 0; i < r->plan_count; i++) {
		struct mount_plan *m = &r->plans[i];

		if (m->is_bind && !m->is_remount && open_source(r, m, err) < 0)
			return error_prefix(err, "mount %s on %s", m->source, m->destination);
	}
	return 0;
}

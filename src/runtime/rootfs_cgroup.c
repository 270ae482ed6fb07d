/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts of type "cgroup": what the container sees of its cgroups. cgroups(7), cgroup_namespaces(7).
 *
 *   v2      a cgroup2 mount; where the kernel refuses one (a user namespace without a cgroup namespace), a
 *           bind of the container's own cgroup
 *   v1      a tmpfs with a directory for each hierarchy, named as on the host, and links for the controllers
 *           that share one (cpu -> cpu,cpuacct). With a cgroup namespace each is mounted anew, and its
 *           root is the container's cgroup; without, the container's cgroup is bound
 *   hybrid  the same, with cgroup2 at "unified"
 *   none    an empty, read-only tmpfs, so that programs find no cgroups rather than a broken tree */
#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/rootfs_internal.h"

#define CGROUP_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* The host's directory of the container's cgroup in h. Caller frees; NULL when memory runs out. */
static char *own_directory(const struct rootfs *r, const struct cgroup_hierarchy *h)
{
	_cleanup_strbuf_ struct strbuf path = {0};
	const char *relative = h->own_path ? h->own_path : "/", *known = NULL;
	size_t root = h->root && !str_equal(h->root, "/") ? strlen(h->root) : 0;

	if (r->opts.cgroup) {
		_cleanup_free_ char *first = strndup(h->controllers, strcspn(h->controllers, ","));

		if (!first)
			return NULL;
		known = cgroup_directory(r->opts.cgroup, first);
	}
	if (known)
		return strdup(known);
	if (root && strncmp(relative, h->root, root) == 0)
		relative += root;
	strbuf_addf(&path, "%s/%s", h->mount_point, relative);
	return strbuf_take(&path);
}

/* Mounts a new instance of h on target. */
static int mount_hierarchy(const struct cgroup_hierarchy *h, const struct mount_target *target,
			   uint64_t attributes, struct error **err)
{
	_cleanup_strv_ struct strv controllers = {0};
	struct mount_parameter parameters[32];
	struct mount_fs fs = {
		.type = h->is_unified ? "cgroup2" : "cgroup",
		.source = h->is_unified ? "cgroup2" : "cgroup",
		.parameters = parameters,
		.attributes = attributes,
	};

	if (!h->is_unified && strv_split(&controllers, h->controllers, ",") < 0)
		return error_errno(err, ENOMEM, "mount cgroup");
	for (size_t i = 0; i < controllers.count && i < ARRAY_SIZE(parameters); i++) {
		char *value = strchr(controllers.items[i], '=');

		if (value)
			*value++ = '\0';
		parameters[fs.parameter_count++] =
			(struct mount_parameter){controllers.items[i], value};
	}
	return mount_new(&fs, target, err);
}

static int bind_hierarchy(struct rootfs *r, const struct cgroup_hierarchy *h,
			  const struct mount_target *target, uint64_t attributes,
			  struct error **err)
{
	_cleanup_free_ char *directory = own_directory(r, h);
	struct mount_change change = {.set = attributes, .id_map = -1};
	_cleanup_fd_ int fd = -1;
	int n;

	if (!directory)
		return error_errno(err, ENOMEM, "bind cgroup");
	fd = mount_clone(AT_FDCWD, directory, 0, err);
	if (fd < 0)
		return fd;
	n = mount_attach(&fd, target, 0, err);
	if (n == 0)
		n = mount_set(fd, &change, err);
	return n < 0 ? n : TAKE_FD(fd);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* cpu -> cpu,cpuacct, for who looks a controller up by its own name. */
static int link_controllers(int tmpfs, const char *name, struct error **err)
{
	_cleanup_strv_ struct strv parts = {0};

	if (!strchr(name, ','))
		return 0;
	if (strv_split(&parts, name, ",") < 0)
		return error_errno(err, ENOMEM, "link cgroup controllers");
	for (size_t i = 0; i < parts.count; i++) {
		uint64_t begin = trace_begin();
		int r = symlinkat(name, tmpfs, parts.items[i]) < 0 ? -errno : 0;

		trace_step(TRACE_MOUNTS, begin, "symlinkat", r, "%s, %s", name, parts.items[i]);
		if (r < 0 && r != -EEXIST)
			return error_errno(err, -r, "link cgroup controller %s", parts.items[i]);
	}
	return 0;
}

static int place_hierarchy(struct rootfs *r, struct mount_plan *m, int tmpfs,
			   const struct cgroup_hierarchy *h, struct error **err)
{
	uint64_t attributes = CGROUP_ATTRIBUTES | (m->set & MOUNT_ATTR_RDONLY);
	const char *name = base_name(h->mount_point);
	struct mount_target target = {.root = tmpfs, .path = name};
	_cleanup_fd_ int fd = -1, covered = -1;

	/* The tmpfs is ours alone, so plain names do. A hierarchy that is mounted twice is taken once. */
	if (mkdirat(tmpfs, name, 0755) < 0)
		return errno == EEXIST ? 0 : error_errno(err, errno, "make %s for cgroups", name);
	covered = openat(tmpfs, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (covered < 0)
		return error_errno(err, errno, "open %s for cgroups", name);
	target.fd = covered;
	if (r->opts.has_cgroup_namespace)
		fd = mount_hierarchy(h, &target, attributes, err);
	if (fd < 0)
		fd = bind_hierarchy(r, h, &target, attributes, err);
	if (fd < 0)
		return error_prefix(err, "cgroup hierarchy %s", name);
	return link_controllers(tmpfs, name, err);
}

static int mount_tree(struct rootfs *r, struct mount_plan *m, const struct cgroup_host *host,
		      struct error **err)
{
	const struct mount_parameter parameters[] = {{"mode", "755"},
						     {"context", rootfs_mount_label(r)}};
	const struct mount_fs fs = {
		.type = "tmpfs",
		.source = "tmpfs",
		.parameters = parameters,
		.parameter_count = parameters[1].value ? 2 : 1,
		.attributes = CGROUP_ATTRIBUTES,
	};
	_cleanup_fd_ int covered = rootfs_open_target(r, m, -1, NULL, err);
	struct mount_target target = {covered, r->root_fd, m->destination};
	struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY, .id_map = -1};
	_cleanup_fd_ int fd = -1;
	int n = 0;

	if (covered < 0)
		return covered;
	fd = mount_new(&fs, &target, err);
	if (fd < 0)
		return fd;
	for (size_t i = 0; n == 0 && i < host->count; i++)
		n = place_hierarchy(r, m, fd, &host->hierarchies[i], err);
	if (n == 0 && (m->set & MOUNT_ATTR_RDONLY || host->layout == CGROUP_NONE))
		n = mount_set(fd, &readonly, err);
	return n < 0 ? n : rootfs_finish_mount(r, m, covered, fd, err);
}

static int mount_unified(struct rootfs *r, struct mount_plan *m, const struct cgroup_hierarchy *h,
			 struct error **err)
{
	_cleanup_fd_ int covered = rootfs_open_target(r, m, -1, NULL, err);
	struct mount_target target = {covered, r->root_fd, m->destination};
	_cleanup_fd_ int fd = -1;

	if (covered < 0)
		return covered;
	fd = mount_hierarchy(h, &target, m->set, err);
	if (fd == -EPERM || fd == -EBUSY)
		fd = bind_hierarchy(r, h, &target, m->set, err);
	return fd < 0 ? fd : rootfs_finish_mount(r, m, covered, fd, err);
}

static int mount_cgroup(struct rootfs *r, struct mount_plan *m, struct error **err)
{
	const struct cgroup_hierarchy *unified;
	const struct cgroup_host *host;
	int n = cgroup_host_get(&host, err);

	if (n < 0)
		return n;
	unified = host->layout == CGROUP_V2 ? cgroup_host_find(host, "") : NULL;
	return unified ? mount_unified(r, m, unified, err) : mount_tree(r, m, host, err);
}

const struct mount_kind mount_kind_cgroup = {"cgroup", false, false, mount_cgroup};

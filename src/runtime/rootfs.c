/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container's root file system, step by step. See rootfs.h. The order is runc's:
 *
 *   prepare  propagation of the tree; the rootfs bound on itself; each mount in the order of the configuration; devices
 *            and links, unless the host's /dev is bound
 *   pivot    the rootfs becomes "/"; its propagation; standard streams leave the host's /dev/null
 *   finish   what was kept writable so far becomes read-only; sysctls; read-only and masked paths
 *
 * The whole configuration is understood in rootfs_new(), so that its errors come before anything is made. */
#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/rootfs_internal.h"

static int check_without_namespace(const struct rootfs_opts *opts, struct error **err)
{
	const struct spec *spec = opts->spec;
	bool is_joined = spec->linux.namespaces[NAMESPACE_MOUNT].is_set;

	if (!is_joined && spec->root.is_readonly)
		return error_set(err, EINVAL, "root.readonly needs a mount namespace");
	if (!is_joined && spec->mount_count)
		return error_set(err, EINVAL, "mounts need a mount namespace");
	if (spec->mount_count || spec->linux.masked_paths.count || spec->linux.readonly_paths.count)
		log_warning("the joined mount namespace keeps its own mounts and masks");
	return 0;
}

static int parse_mounts(struct rootfs *r, struct error **err)
{
	const struct spec *spec = r->spec;
	int n = 0;

	if (!r->opts.has_mount_namespace)
		return check_without_namespace(&r->opts, err);
	r->plans = calloc(spec->mount_count + 1, sizeof *r->plans);
	if (!r->plans)
		return error_errno(err, ENOMEM, "read the mounts");
	for (size_t i = 0; n == 0 && i < spec->mount_count; i++) {
		struct mount_plan *m = &r->plans[i];

		n = mount_plan_parse(&spec->mounts[i], m, err);
		r->plan_count = i + 1;
		if (n == 0 && m->is_bind && str_equal(m->destination, "/dev"))
			r->sets_up_dev = false;
	}
	return n;
}

static int parse_root(struct rootfs *r, struct error **err)
{
	const char *propagation = r->spec->linux.rootfs_propagation;
	const char *label = rootfs_mount_label(r);
	struct stat st;

	r->propagation = r->setup_propagation = MS_SLAVE;
	r->is_propagation_recursive = true;
	if (propagation && rootfs_parse_propagation(propagation, &r->propagation,
						    &r->is_propagation_recursive) < 0)
		return error_set(err, EINVAL, "rootfsPropagation %s is unknown", propagation);
	/* What is unbindable couldn't be bound to set the root up. */
	r->setup_propagation = r->propagation == MS_UNBINDABLE ? MS_PRIVATE : r->propagation;
	if (!r->spec->root.path && r->opts.has_mount_namespace)
		return error_set(err, EINVAL, "root.path is missing");
	if (label && stat("/sys/fs/selinux/enforce", &st) < 0)
		return error_set(err, EOPNOTSUPP, "linux.mountLabel %s: SELinux is not enabled",
				 label);
	return 0;
}

int rootfs_new(const struct rootfs_opts *opts, struct rootfs **out, struct error **err)
{
	struct rootfs *r = calloc(1, sizeof *r);
	int n;

	if (!r)
		return error_errno(err, ENOMEM, "set up the root file system");
	*r = (struct rootfs){
		.opts = *opts,
		.spec = opts->spec,
		.sets_up_dev = opts->has_mount_namespace,
		.root_fd = -1,
		.root_source_fd = -1,
		.bundle_fd = -1,
	};
	/* While /proc is the host's and shows everybody; the child then needs no instance of its own. Where there is
	 * none, the child makes one. */
	procfs_root(NULL);
	n = parse_root(r, err);
	if (n == 0)
		n = parse_mounts(r, err);
	if (n < 0) {
		rootfs_free(r);
		return n;
	}
	*out = r;
	return 0;
}

void rootfs_free(struct rootfs *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->plan_count; i++)
		mount_plan_clear(&r->plans[i]);
	free(r->plans);
	close_fd(&r->root_fd);
	close_fd(&r->root_source_fd);
	close_fd(&r->bundle_fd);
	free(r);
}

static int open_root(struct rootfs *r, struct error **err)
{
	const char *path = r->spec->root.path;
	int dir = rootfs_source_dir(r, path, err), fd;

	if (dir < 0 && dir != AT_FDCWD)
		return dir;
	fd = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open root.path %s", path) : fd;
}

/* Mounts inside a root on a shared mount would appear with the host. Nothing of the tree is shared after
 * a recursive "slave" or "private". */
static int part_from_host(struct rootfs *r, int root, struct error **err)
{
	int n = mount_set_root_propagation(r->setup_propagation, r->is_propagation_recursive, err);

	if (n == 0 && root >= 0 &&
	    (!r->is_propagation_recursive || r->setup_propagation == MS_SHARED))
		n = mount_make_parent_private(root, err);
	return n;
}

/* Makes the root a mount of its own, on itself. One that the parent cloned is mounted on "/" instead, as its
 * path can't be walked here; who has "/" as root goes on seeing what is underneath. */
static int mount_root(struct rootfs *r, struct error **err)
{
	_cleanup_fd_ int tree = TAKE_FD(r->root_source_fd);
	_cleanup_fd_ int covered =
		tree < 0 ? open_root(r, err) : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mount_target target = {covered, covered, "/"};
	int n;

	if (covered < 0)
		return tree < 0 ? covered : error_errno(err, errno, "open /");
	n = part_from_host(r, covered, err);
	if (n == 0 && tree < 0)
		tree = mount_clone(covered, "", MOUNT_CLONE_RECURSIVE, err);
	if (n == 0)
		n = tree < 0 ? tree : mount_attach(&tree, &target, MOUNT_CLONE_RECURSIVE, err);
	if (n < 0)
		return error_prefix(err, "bind the root file system %s", r->spec->root.path);
	r->root_fd = TAKE_FD(tree);
	return 0;
}

static int fill_root(struct rootfs *r, struct error **err)
{
	int n = 0;

	for (size_t i = 0; n == 0 && i < r->plan_count; i++)
		n = rootfs_mount(r, &r->plans[i], err);
	if (n == 0 && r->sets_up_dev)
		n = rootfs_make_devices(r, err);
	if (n == 0 && r->sets_up_dev)
		n = rootfs_make_dev_links(r, err);
	return n;
}

int rootfs_prepare(struct rootfs *r, struct error **err)
{
	mode_t mask;
	int n;

	if (!r->opts.has_mount_namespace) {
		if (r->spec->root.path)
			r->root_fd = open_root(r, err);
		return r->spec->root.path && r->root_fd < 0 ? r->root_fd : 0;
	}
	/* Modes are meant as given. */
	mask = umask(0);
	n = mount_root(r, err);
	if (n == 0)
		n = fill_root(r, err);
	umask(mask);
	return n;
}

int rootfs_pivot(struct rootfs *r, struct error **err)
{
	const struct mount_change propagation = {
		.propagation = r->propagation,
		.is_recursive = r->is_propagation_recursive,
		.id_map = -1,
	};
	int n;

	if (!r->opts.has_mount_namespace)
		return r->root_fd >= 0 ? mount_chroot(r->root_fd, err) : 0;
	n = r->opts.no_pivot ? rootfs_switch_by_move(r, err) : rootfs_switch_by_pivot(r, err);
	if (n == 0 && r->spec->linux.rootfs_propagation && r->propagation != MS_PRIVATE)
		n = mount_set(r->root_fd, &propagation, err);
	if (n == 0 && r->sets_up_dev)
		n = rootfs_adopt_null(r, err);
	return n;
}

int rootfs_finish(struct rootfs *r, struct error **err)
{
	const struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY, .id_map = -1};
	int n = 0;

	for (size_t i = 0; n == 0 && i < r->plan_count; i++)
		if (r->plans[i].late_fd >= 0)
			n = mount_set(r->plans[i].late_fd, &readonly, err);
	if (n == 0 && r->spec->root.is_readonly && r->opts.has_mount_namespace)
		n = mount_set(r->root_fd, &readonly, err);
	if (n < 0)
		return error_prefix(err, "make the root file system read-only");
	n = rootfs_write_sysctls(r->spec, err);
	if (n == 0 && r->opts.has_mount_namespace)
		n = rootfs_make_paths_readonly(r, err);
	if (n == 0 && r->opts.has_mount_namespace)
		n = rootfs_mask_paths(r, err);
	return n;
}

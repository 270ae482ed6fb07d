/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver aufs: directories as directory.h has them, merged by the file system aufs of patched kernels.
 *
 * A mount begins with the topmost branch, br=DIR=rw for a container's and =ro+wh for a layer's (read-only, and its .wh. names are
 * heeded); the others are appended one by one by remounting, since one option string holds few. Branches are named by
 * /proc/self/fd/N, so that a name is always short and nothing is resolved again. A layer's deletions are the names .wh.NAME of the
 * archive itself; aufs writes the same in a container's directory. aufs(5). */
#include <linux/mount.h>
#include <sys/stat.h>

#include "kernel/mount.h"
#include "storage/directory.h"
#include "storage/places.h"

#define BRANCH_SIZE 64 /* "/proc/self/fd/2147483647=ro+wh" */
/* aufs keeps inode numbers in a file that it deletes at once; a branch that is read-only has no place for it. */
#define XINO_SIZE 96

/* fs is a word of a line of /proc/filesystems. */
static bool is_known(const char *text, const char *fs)
{
	size_t length = strlen(fs);

	for (const char *at = text; (at = strstr(at, fs)); at += length)
		if (at > text && at[-1] == '\t' && at[length] == '\n')
			return true;
	return false;
}

/* fsopen loads the module where there is one. */
static int check_kernel(struct error **err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -1;
	_cleanup_error_ struct error *why = NULL;
	int r = file_read_at(AT_FDCWD, "/proc/filesystems", 1 << 20, &text, NULL, err);

	if (r < 0 || is_known(text, "aufs"))
		return r;
	fd = mount_detached(&(struct mount_fs){.type = "aufs"}, &why);
	/* Without a branch it fails; but known it is. */
	if (fd != -ENODEV)
		return 0;
	return error_set(
		err, ENOTSUP,
		"the kernel has no aufs: no such file system in /proc/filesystems, and no module aufs; "
		"it is a patch that Debian's kernels don't carry");
}

static int open_container(struct storage *s, const char *id, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "containers/%s/fs", id) < 0)
		return error_errno(err, ENOMEM, "container %s", id);
	fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open the container %s", id) : fd;
}

static int mount_first(struct storage *s, int branch, bool is_writable, const char *label,
		       struct error **err)
{
	char text[BRANCH_SIZE], xino[XINO_SIZE];
	const struct mount_parameter parameters[] = {
		{"br", text}, {"dirperm1", NULL}, {"dio", NULL}, {"xino", xino}, {"context", label},
	};

	snprintf(text, sizeof text, "/proc/self/fd/%d=%s", branch, is_writable ? "rw" : "ro+wh");
	snprintf(xino, sizeof xino, "/proc/self/fd/%d/staging/xino.%d.%llx", s->root, getpid(),
		 (unsigned long long)now_ns());
	return mount_detached(
		&(struct mount_fs){.type = "aufs",
				   .parameters = parameters,
				   .parameter_count = ARRAY_SIZE(parameters) - (label ? 0 : 1),
				   .attributes = is_writable ? 0 : MOUNT_ATTR_RDONLY},
		err);
}

static int append_layer(struct storage *s, int mount, const char *id, struct error **err)
{
	_cleanup_fd_ int branch = directory_open_layer(s, id, err);
	char text[BRANCH_SIZE];
	const struct mount_parameter append = {"append", text};
	int r;

	if (branch < 0)
		return branch;
	snprintf(text, sizeof text, "/proc/self/fd/%d=ro+wh", branch);
	r = mount_reconfigure(mount, &append, 1, err);
	return r < 0 ? error_prefix(err, "layer %s", id) : 0;
}

static int aufs_mount(struct storage *s, const struct storage_mount_opts *opts, struct error **err)
{
	_cleanup_fd_ int top = opts->container ? open_container(s, opts->container, err)
					       : directory_open_layer(s, opts->layers[0], err);
	_cleanup_fd_ int mount = -1;

	if (top < 0)
		return top;
	mount = mount_first(s, top, opts->container, opts->label, err);
	if (mount < 0)
		return mount;
	for (size_t i = opts->container ? 0 : 1; i < opts->layer_count; i++) {
		int r = append_layer(s, mount, opts->layers[i], err);

		if (r < 0)
			return r;
	}
	return TAKE_FD(mount);
}

static int aufs_probe(struct storage *s, struct error **err)
{
	_cleanup_free_ char *place = NULL;
	_cleanup_fd_ int branch = -1, mount = -1;
	int r = check_kernel(err);

	if (r < 0)
		return r;
	if (s->is_rootless)
		return error_set(err, EPERM, "aufs needs root");
	if (asprintf(&place, "staging/probe.%d.%llx", getpid(), (unsigned long long)now_ns()) < 0)
		return error_errno(err, ENOMEM, "try aufs");
	if (mkdirat(s->root, place, 0700) < 0)
		return error_errno(err, errno, "create %s", place);
	branch = openat(s->root, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mount = branch < 0 ? error_errno(err, errno, "open %s", place)
			   : mount_first(s, branch, true, NULL, err);
	r = mount < 0 ? mount : 0;
	close_fd(&mount);
	close_fd(&branch);
	/* aufs leaves directories of its own in a writable branch. */
	remove_tree_at(s->root, place, NULL);
	return r;
}

static enum storage_whiteouts aufs_whiteouts(const struct storage *s)
{
	return WHITEOUTS_AUFS;
}

static int aufs_diff_open(struct storage *s, const struct storage_mount_opts *opts,
			  struct storage_diff *out, struct error **err)
{
	struct storage_mount_opts below = *opts;
	_cleanup_fd_ int upper = opts->container ? open_container(s, opts->container, err)
						 : directory_open_layer(s, opts->layers[0], err);
	_cleanup_fd_ int mount = -1;

	if (upper < 0)
		return upper;
	if (!opts->container) {
		below.layers++;
		below.layer_count--;
	}
	below.container = NULL;
	out->lower = -1;
	if (below.layer_count) {
		mount = aufs_mount(s, &below, err);
		if (mount < 0)
			return mount;
		out->lower = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (out->lower < 0)
			return error_errno(err, errno, "open a mount");
	}
	out->kind = STORAGE_DIFF_UPPER;
	out->upper = TAKE_FD(upper);
	return 0;
}

const struct storage_driver storage_aufs = {
	.name = "aufs",
	.options = (const char *const[]){NULL},
	.probe = aufs_probe,
	.layers_are_independent = true,
	.whiteouts = aufs_whiteouts,
	.layer_begin = directory_layer_begin,
	.layer_commit = directory_layer_commit,
	.layer_abort = directory_layer_abort,
	.layer_remove = directory_layer_remove,
	.container_create = directory_container_create,
	.container_remove = directory_container_remove,
	.mount = aufs_mount,
	.diff_open = aufs_diff_open,
};

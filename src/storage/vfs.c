/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver vfs: no union at all. A layer is layers/HEX, a copy of its parent with the layer's changes applied; a container is
 * containers/ID/fs, a copy of its top layer. It works everywhere, and costs a copy each time, of which file systems with reflinks
 * (btrfs, xfs) share the content. */
#include <linux/mount.h>
#include <sys/stat.h>

#include "kernel/mount.h"
#include "storage/copy.h"
#include "storage/directory.h"
#include "storage/places.h"

static enum storage_whiteouts vfs_whiteouts(const struct storage *s)
{
	return WHITEOUTS_APPLY;
}

static int vfs_probe(struct storage *s, struct error **err)
{
	return 0;
}

static int copy_layer(struct storage *s, const char *id, int to, struct error **err)
{
	_cleanup_fd_ int from = directory_open_layer(s, id, err);

	return from < 0 ? from : copy_tree(from, to, err);
}

static int vfs_layer_begin(struct storage *s, struct storage_staging *staging, struct error **err)
{
	int r = directory_layer_begin(s, staging, err);

	if (r || !staging->parent)
		return r;
	return copy_layer(s, staging->parent, staging->root, err);
}

static int open_container(struct storage *s, const char *id, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "containers/%s/fs", id) < 0)
		return error_errno(err, ENOMEM, "container %s", id);
	fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open %s", path) : fd;
}

/* Filled under another name: fs is there only when it is whole. */
static int fill_container(struct storage *s, const struct storage_container_opts *opts, int dir,
			  struct error **err)
{
	_cleanup_fd_ int fs = -1;
	int r = 0;

	remove_tree_at(dir, "staged", NULL);
	if (mkdirat(dir, "staged", 0755) < 0)
		return error_errno(err, errno, "create a container's directory");
	fs = openat(dir, "staged", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fs < 0)
		return error_errno(err, errno, "open a container's directory");
	if (opts->layer_count)
		r = copy_layer(s, opts->layers[0], fs, err);
	if (!r && renameat(dir, "staged", dir, "fs") < 0)
		r = error_errno(err, errno, "create a container's directory");
	return r;
}

static int vfs_container_create(struct storage *s, const struct storage_container_opts *opts,
				struct error **err)
{
	_cleanup_fd_ int dir = -1;
	int r;

	if (opts->size_limit)
		return error_set(err, ENOTSUP, "vfs can't limit a container's size");
	dir = storage_make_container(s, opts->id, "fs", err);
	if (dir < 0)
		return dir;
	r = fill_container(s, opts, dir, err);
	if (r)
		directory_container_remove(s, opts->id, NULL);
	return r;
}

static int vfs_mount(struct storage *s, const struct storage_mount_opts *opts, struct error **err)
{
	_cleanup_fd_ int dir = opts->container ? open_container(s, opts->container, err)
					       : directory_open_layer(s, opts->layers[0], err);

	if (dir < 0)
		return dir;
	if (opts->label)
		return error_set(err, ENOTSUP, "vfs can't give a mount an SELinux label");
	return storage_bind(dir, !opts->container, err);
}

static int vfs_diff_open(struct storage *s, const struct storage_mount_opts *opts,
			 struct storage_diff *out, struct error **err)
{
	size_t lower = opts->container ? 0 : 1;

	out->kind = STORAGE_DIFF_TREES;
	out->upper = opts->container ? open_container(s, opts->container, err)
				     : directory_open_layer(s, opts->layers[0], err);
	if (out->upper < 0)
		return out->upper;
	if (opts->layer_count <= lower)
		return 0;
	out->lower = directory_open_layer(s, opts->layers[lower], err);
	return out->lower < 0 ? out->lower : 0;
}

const struct storage_driver storage_vfs = {
	.name = "vfs",
	.probe = vfs_probe,
	.whiteouts = vfs_whiteouts,
	.layer_begin = vfs_layer_begin,
	.layer_commit = directory_layer_commit,
	.layer_abort = directory_layer_abort,
	.layer_remove = directory_layer_remove,
	.container_create = vfs_container_create,
	.container_remove = directory_container_remove,
	.mount = vfs_mount,
	.diff_open = vfs_diff_open,
};

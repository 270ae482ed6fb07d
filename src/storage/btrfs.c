/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver btrfs: each layer is a read-only snapshot of its parent with the layer's changes applied, each container a writable one.
 *
 * A layer is layers/HEX/fs and a container containers/ID/fs, where fs is the subvolume. The directory around it is there since the
 * kernel refuses to move a read-only subvolume to another directory, while a directory that holds one is moved by a plain
 * rename. A mount is a bind of the subvolume. No program is run: ioctl_btrfs(2).
 *
 * A size is a limit of the subvolume's quota group on what is exclusively the container's, as other drivers count it. */
#include <linux/mount.h>
#include <sys/stat.h>

#include "kernel/mount.h"
#include "storage/btrfs_subvolume.h"
#include "storage/driver.h"
#include "storage/places.h"

static int open_fs(struct storage *s, const char *folder, const char *name, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s/fs", folder, name) < 0)
		return error_errno(err, ENOMEM, "open %s", name);
	fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open %s", path) : fd;
}

static int open_layer(struct storage *s, const char *id, struct error **err)
{
	return open_fs(s, "layers", storage_hex(id), err);
}

/* Makes the subvolume fs in the directory at path, empty or a snapshot of the layer parent. Returns its root. */
static int make_fs(struct storage *s, const char *path, const char *parent, struct error **err)
{
	_cleanup_fd_ int source = parent ? open_layer(s, parent, err) : -1;
	_cleanup_fd_ int dir =
		openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd, r;

	if (dir < 0)
		return error_errno(err, errno, "open %s", path);
	if (parent && source < 0)
		return source;
	r = parent ? subvolume_snapshot(source, dir, "fs", err) : subvolume_create(dir, "fs", err);
	if (r < 0)
		return r;
	fd = openat(dir, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open %s/fs", path) : fd;
}

/* Empties the place of its subvolume. */
static int remove_fs(struct storage *s, const char *path, struct error **err)
{
	_cleanup_fd_ int dir =
		openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_errno(err, errno, "remove %s", path);
	return subvolume_remove(dir, "fs", err);
}

static int remove_place(struct storage *s, const char *path, struct error **err)
{
	int r = remove_fs(s, path, err);

	return r < 0 ? r : remove_tree_at(s->root, path, err);
}

static int try_it(int dir, struct error **err)
{
	_cleanup_fd_ int first = -1;
	int r = subvolume_create(dir, "first", err);

	if (r < 0)
		return r;
	first = openat(dir, "first", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (first < 0)
		return error_errno(err, errno, "open a subvolume");
	r = subvolume_set_read_only(first, err);
	if (r == 0)
		r = subvolume_snapshot(first, dir, "fs", err);
	if (r == 0)
		r = subvolume_remove(dir, "first", err);
	return r;
}

static int btrfs_probe(struct storage *s, struct error **err)
{
	_cleanup_free_ char *place = NULL;
	_cleanup_fd_ int dir = -1;
	int r;

	if (!subvolume_is_possible(s->root))
		return error_set(err, ENOTSUP, "%s is not on btrfs", s->path);
	if (asprintf(&place, "staging/probe.%d", getpid()) < 0)
		return error_errno(err, ENOMEM, "try subvolumes");
	if (mkdirat(s->root, place, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create %s", place);
	dir = openat(s->root, place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = dir < 0 ? error_errno(err, errno, "open %s", place) : try_it(dir, err);
	if (r == -EPERM && s->is_rootless)
		error_prefix(err, "a normal user needs the mount option user_subvol_rm_allowed");
	if (dir >= 0)
		subvolume_remove(dir, "first", NULL);
	remove_place(s, place, NULL);
	return r;
}

static enum storage_whiteouts btrfs_whiteouts(const struct storage *s)
{
	return WHITEOUTS_APPLY;
}

static int btrfs_layer_begin(struct storage *s, struct storage_staging *staging, struct error **err)
{
	_cleanup_free_ char *place = NULL;
	int r;

	if (asprintf(&place, "staging/%s", storage_hex(staging->id)) < 0)
		return error_errno(err, ENOMEM, "begin the layer %s", staging->id);
	if (mkdirat(s->root, place, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create %s", place);
	/* The place is ours; what is in it is a rest. */
	r = remove_fs(s, place, err);
	if (r < 0)
		return r;
	staging->root = make_fs(s, place, staging->parent, err);
	return staging->root < 0 ? staging->root : 0;
}

static int btrfs_layer_commit(struct storage *s, struct storage_staging *staging,
			      struct error **err)
{
	int r = subvolume_set_read_only(staging->root, err);

	return r < 0 ? r : storage_publish(s, staging, err);
}

static void btrfs_layer_abort(struct storage *s, struct storage_staging *staging)
{
	_cleanup_free_ char *place = NULL;

	if (asprintf(&place, "staging/%s", storage_hex(staging->id)) >= 0)
		remove_place(s, place, NULL);
}

static int btrfs_remove(struct storage *s, const char *folder, const char *name, struct error **err)
{
	_cleanup_free_ char *place = NULL;
	int r = storage_discard(s, folder, name, &place, err);

	return r < 0 || !place ? r : remove_place(s, place, err);
}

static int btrfs_layer_remove(struct storage *s, const char *id, struct error **err)
{
	return btrfs_remove(s, "layers", storage_hex(id), err);
}

/* min_space: smaller sizes are refused, since they'd leave no room to work in. */
static int check_size(const struct storage *s, uint64_t size, struct error **err)
{
	const char *text = storage_option(s, "min_space");
	uint64_t min;

	if (!text)
		return 0;
	if (parse_bytes(text, &min) < 0)
		return error_set(err, EINVAL, "btrfs.min_space: %s is not a size", text);
	if (size && size < min)
		return error_set(err, EINVAL, "the size is below btrfs.min_space, %s", text);
	return 0;
}

static int btrfs_open(struct storage *s, struct error **err)
{
	return check_size(s, 0, err);
}

static int btrfs_container_create(struct storage *s, const struct storage_container_opts *opts,
				  struct error **err)
{
	_cleanup_free_ char *place = NULL;
	_cleanup_fd_ int dir = -1, fs = -1;
	int r = check_size(s, opts->size_limit, err);

	if (r < 0)
		return r;
	if (asprintf(&place, "containers/%s", opts->id) < 0)
		return error_errno(err, ENOMEM, "container %s", opts->id);
	dir = storage_make_container(s, opts->id, "fs", err);
	if (dir < 0)
		return dir;
	fs = make_fs(s, place, opts->layer_count ? opts->layers[0] : NULL, err);
	r = fs;
	if (r >= 0)
		r = opts->size_limit ? subvolume_limit(fs, opts->size_limit, err) : 0;
	if (r < 0)
		remove_place(s, place, NULL);
	return r;
}

static int btrfs_container_remove(struct storage *s, const char *id, struct error **err)
{
	return btrfs_remove(s, "containers", id, err);
}

static int btrfs_mount(struct storage *s, const struct storage_mount_opts *opts, struct error **err)
{
	_cleanup_fd_ int fs = -1;

	if (opts->label)
		return error_set(err, ENOTSUP, "btrfs can't label a mount: %s", opts->label);
	fs = opts->container ? open_fs(s, "containers", opts->container, err)
			     : open_layer(s, opts->layers[0], err);
	return fs < 0 ? fs : storage_bind(fs, !opts->container, err);
}

static int btrfs_diff_open(struct storage *s, const struct storage_mount_opts *opts,
			   struct storage_diff *out, struct error **err)
{
	size_t below = opts->container ? 0 : 1;
	_cleanup_fd_ int upper = opts->container ? open_fs(s, "containers", opts->container, err)
						 : open_layer(s, opts->layers[0], err);

	if (upper < 0)
		return upper;
	out->lower = -1;
	if (opts->layer_count > below) {
		out->lower = open_layer(s, opts->layers[below], err);
		if (out->lower < 0)
			return out->lower;
	}
	out->kind = STORAGE_DIFF_TREES;
	out->upper = TAKE_FD(upper);
	return 0;
}

const struct storage_driver storage_btrfs = {
	.name = "btrfs",
	.options = (const char *const[]){"min_space", NULL},
	.probe = btrfs_probe,
	.open = btrfs_open,
	.whiteouts = btrfs_whiteouts,
	.layer_begin = btrfs_layer_begin,
	.layer_commit = btrfs_layer_commit,
	.layer_abort = btrfs_layer_abort,
	.layer_remove = btrfs_layer_remove,
	.container_create = btrfs_container_create,
	.container_remove = btrfs_container_remove,
	.mount = btrfs_mount,
	.diff_open = btrfs_diff_open,
	.rest_remove = remove_place,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver overlay: the kernel merges directories. Linux, Documentation/filesystems/overlayfs.rst.
 *
 * A layer is layers/HEX, with only its own files; a whiteout is a character device 0:0, an opaque directory has the
 * attribute trusted.overlay.opaque, or user.overlay.opaque in a user namespace (mount option userxattr). A container is
 * containers/ID with fs (upperdir) and work. Where one layer would be mounted alone, an empty directory is put below it, since
 * an overlay without an upper one wants two.
 *
 * metacopy is off and redirects are not followed: both would trust attributes of the layers' files, and images bring their own
 * (the unpacker drops them). So a rename of a directory that is in a lower layer is EXDEV, which programs know from moving
 * between file systems; a diff of the upper directory tells the whole truth. The option mountopt changes that, and may add volatile. */
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "kernel/mount.h"
#include "storage/directory.h"
#include "storage/overlay_mount.h"
#include "storage/places.h"

static enum storage_whiteouts overlay_whiteouts(const struct storage *s)
{
	return s->is_rootless ? WHITEOUTS_OVERLAY_USER : WHITEOUTS_OVERLAY;
}

/* --- Mounts ------------------------------------------------------------------------------------------------------------ */

static int add_path(struct strv *list, const struct storage *s, const char *folder,
		    const char *name)
{
	return strv_addf(list, "%s/%s/%s", s->path, folder, name);
}

static int add_lowers(struct storage *s, const struct storage_mount_opts *opts, struct strv *lowers)
{
	int r = 0;

	for (size_t i = 0; i < opts->layer_count && r == 0; i++)
		r = add_path(lowers, s, "layers", storage_hex(opts->layers[i]));
	if (!r && opts->layer_count + (opts->container ? 1 : 0) < 2)
		r = strv_addf(lowers, "%s/empty", s->path);
	return r;
}

static int mount_layers(struct storage *s, const struct storage_mount_opts *opts,
			struct error **err)
{
	_cleanup_strv_ struct strv lowers = {0};
	_cleanup_free_ char *upper = NULL, *work = NULL;
	struct overlay_mount mount = {
		.options = storage_option(s, "mountopt"),
		.label = opts->label,
		.is_user = s->is_rootless,
	};
	int r = add_lowers(s, opts, &lowers);

	if (!r && opts->container &&
	    (asprintf(&upper, "%s/containers/%s/fs", s->path, opts->container) < 0 ||
	     asprintf(&work, "%s/containers/%s/work", s->path, opts->container) < 0))
		r = -ENOMEM;
	if (r)
		return error_errno(err, ENOMEM, "mount the layers");
	mount.lowers = &lowers;
	mount.upper = upper;
	mount.work = work;
	return overlay_mount(&mount, err);
}

/* A layer that is missing gives a better error than the kernel's. */
static int check_layers(struct storage *s, const struct storage_mount_opts *opts,
			struct error **err)
{
	for (size_t i = 0; i < opts->layer_count; i++)
		if (!storage_layer_exists(s, opts->layers[i]))
			return error_set(err, ENOENT, "layer %s is not in the store",
					 opts->layers[i]);
	return 0;
}

static int overlay_mount_all(struct storage *s, const struct storage_mount_opts *opts,
			     struct error **err)
{
	int r = check_layers(s, opts, err);

	return r ? r : mount_layers(s, opts, err);
}

/* --- Differences --------------------------------------------------------------------------------------------------------- */

static int overlay_diff_open(struct storage *s, const struct storage_mount_opts *opts,
			     struct storage_diff *out, struct error **err)
{
	struct storage_mount_opts below = *opts;
	_cleanup_free_ char *path = NULL;

	out->kind = STORAGE_DIFF_UPPER;
	if (opts->container) {
		if (asprintf(&path, "containers/%s/fs", opts->container) < 0)
			return error_errno(err, ENOMEM, "open the changes");
		out->upper = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (out->upper < 0)
			return error_errno(err, errno, "open %s", path);
		below.container = NULL;
	} else {
		out->upper = directory_open_layer(s, opts->layers[0], err);
		if (out->upper < 0)
			return out->upper;
		below.layers++;
		below.layer_count--;
	}
	if (!below.layer_count)
		return 0;
	out->lower = overlay_mount_all(s, &below, err);
	return out->lower < 0 ? out->lower : 0;
}

/* --- Can it work here? --------------------------------------------------------------------------------------------------- */

static int make_probe(int dir, struct error **err)
{
	static const char *const names[] = {"low", "high", "upper", "work"};
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(dir, names[i], 0700) < 0 && errno != EEXIST)
			return error_errno(err, errno, "make a directory to try with");
	fd = openat(dir, "low/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "make a file to try with");
	close(fd);
	if (mknodat(dir, "high/file", S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
		return error_errno(err, errno, "make a whiteout (a character device 0:0)");
	return 0;
}

static int try_mount(struct storage *s, struct error **err)
{
	_cleanup_strv_ struct strv lowers = {0};
	_cleanup_free_ char *upper = NULL, *work = NULL;
	struct overlay_mount mount = {.lowers = &lowers, .is_user = s->is_rootless};
	_cleanup_fd_ int fd = -1, file = -1;

	if (strv_addf(&lowers, "%s/staging/probe/high", s->path) ||
	    strv_addf(&lowers, "%s/staging/probe/low", s->path) ||
	    asprintf(&upper, "%s/staging/probe/upper", s->path) < 0 ||
	    asprintf(&work, "%s/staging/probe/work", s->path) < 0)
		return error_errno(err, ENOMEM, "try an overlay");
	mount.upper = upper;
	mount.work = work;
	fd = overlay_mount(&mount, err);
	if (fd < 0)
		return fd;
	if (faccessat(fd, "file", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, ENOTSUP, "the kernel doesn't honour whiteouts here");
	file = openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		return error_errno(err, errno, "write to an overlay");
	if (unlinkat(fd, "file", 0) < 0)
		return error_errno(err, errno, "remove from an overlay");
	return 0;
}

static int overlay_probe(struct storage *s, struct error **err)
{
	struct statfs fs;
	_cleanup_fd_ int dir = -1;
	int r;

	if (fstatfs(s->root, &fs) < 0)
		return error_errno(err, errno, "look at the file system of %s", s->path);
	if (fs.f_type == OVERLAYFS_SUPER_MAGIC)
		return error_set(
			err, ENOTSUP,
			"%s is on an overlay itself, which can't hold another one's changes",
			s->path);
	remove_tree_at(s->root, "staging/probe", NULL);
	if (mkdirat(s->root, "staging/probe", 0700) < 0)
		return error_errno(err, errno, "make %s/staging/probe", s->path);
	dir = openat(s->root, "staging/probe", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? error_errno(err, errno, "open %s/staging/probe", s->path)
		    : make_probe(dir, err);
	if (!r)
		r = try_mount(s, err);
	remove_tree_at(s->root, "staging/probe", NULL);
	return r;
}

static int overlay_open(struct storage *s, struct error **err)
{
	if (mkdirat(s->root, "empty", 0755) < 0 && errno != EEXIST)
		return error_errno(err, errno, "make %s/empty", s->path);
	return 0;
}

static int overlay_status(struct storage *s, struct strv *pairs, struct error **err)
{
	struct statfs fs;
	const char *name = "unknown";

	if (fstatfs(s->root, &fs) < 0)
		return error_errno(err, errno, "look at the file system of %s", s->path);
	switch (fs.f_type) {
	case EXT4_SUPER_MAGIC:
		name = "extfs";
		break;
	case XFS_SUPER_MAGIC:
		name = "xfs";
		break;
	case BTRFS_SUPER_MAGIC:
		name = "btrfs";
		break;
	case TMPFS_MAGIC:
		name = "tmpfs";
		break;
	default:
		break;
	}
	if (strv_add(pairs, "Backing Filesystem") || strv_add(pairs, name) ||
	    strv_add(pairs, "Supports d_type") || strv_add(pairs, "true") ||
	    strv_add(pairs, "Using metacopy") || strv_add(pairs, "false") ||
	    strv_add(pairs, "userxattr") || strv_add(pairs, s->is_rootless ? "true" : "false"))
		return error_errno(err, ENOMEM, "look at the storage");
	return 0;
}

static const char *const overlay_options[] = {"mountopt", NULL};

const struct storage_driver storage_overlay = {
	.name = "overlay",
	.options = overlay_options,
	.probe = overlay_probe,
	.open = overlay_open,
	.status = overlay_status,
	.layers_are_independent = true,
	.whiteouts = overlay_whiteouts,
	.layer_begin = directory_layer_begin,
	.layer_commit = directory_layer_commit,
	.layer_abort = directory_layer_abort,
	.layer_remove = directory_layer_remove,
	.container_create = directory_container_create,
	.container_remove = directory_container_remove,
	.mount = overlay_mount_all,
	.diff_open = overlay_diff_open,
};

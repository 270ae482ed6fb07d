/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts of images on the host. See image_mount.h.
 *
 * RUNROOT/mounts/HEX.lock holds the number of users, and is locked while that is changed. The rows in the database that keep the
 * layers from removal come before the mount and go after it; those of a mount that a crash or a reboot ended are known by the
 * file's absence or its zero (image/use.c). */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/mount.h"
#include "transfer/image_mount.h"
#include "transfer/intake.h"

struct place {
	struct store *store;
	const char *hex;
	char *user;                    /* "mount:HEX" */
	char *path, *name, *lock_name; /* absolute; below runroot */
	int lock;
	uint64_t count;
	bool is_mounted;
};

static void place_clear(struct place *p)
{
	close_fd(&p->lock);
	free(p->user);
	free(p->path);
	free(p->name);
	free(p->lock_name);
}
#define _cleanup_place_ _cleanup_(place_clear)

static int name_place(struct place *p, struct store *s, const struct image *image,
		      struct error **err)
{
	p->store = s;
	p->hex = digest_hex(image->id);
	if (asprintf(&p->user, "mount:%s", p->hex) < 0 ||
	    asprintf(&p->path, "%s/mounts/%s", store_runroot(s), p->hex) < 0 ||
	    asprintf(&p->name, "mounts/%s", p->hex) < 0 ||
	    asprintf(&p->lock_name, "mounts/%s.lock", p->hex) < 0)
		return error_errno(err, ENOMEM, "mount an image");
	return 0;
}

static int look_at_mount(struct place *p, struct error **err)
{
	int r = mount_is_root(store_runroot_fd(p->store), p->name, err);

	p->is_mounted = r > 0;
	return r < 0 ? r : 0;
}

static int read_count(struct place *p, struct error **err)
{
	char text[24] = "";
	ssize_t n = pread(p->lock, text, sizeof text - 1, 0);

	if (n < 0)
		return error_errno(err, errno, "read %s.lock", p->path);
	text[strcspn(text, "\n")] = '\0';
	p->count = 0;
	if (*text && parse_u64(text, UINT32_MAX, &p->count))
		return error_set(err, EUCLEAN, "%s.lock holds no number", p->path);
	return 0;
}

static int write_count(const struct place *p, uint64_t count, struct error **err)
{
	char text[24];
	int length = snprintf(text, sizeof text, "%ju\n", (uintmax_t)count);

	if (pwrite(p->lock, text, (size_t)length, 0) != length || ftruncate(p->lock, length) < 0)
		return error_errno(err, errno ? errno : EIO, "write %s.lock", p->path);
	return 0;
}

/* The lock, and what it guards. flags: O_CREAT, or 0: then -ENOENT where the image isn't mounted. */
static int lock_place(struct place *p, int flags, struct error **err)
{
	int root = store_runroot_fd(p->store), r;

	if (flags && mkdirat(root, "mounts", 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "make %s/mounts", store_runroot(p->store));
	p->lock = file_lock_at(root, p->lock_name, flags, true);
	if (p->lock < 0)
		return error_errno(err, -p->lock, "lock %s.lock", p->path);
	r = read_count(p, err);
	return r ? r : look_at_mount(p, err);
}

static int attach(const struct place *p, int fd, struct error **err)
{
	_cleanup_fd_ int target = -1;
	int root = store_runroot_fd(p->store);
	struct mount_target to = {.root = root, .path = p->name};

	if (mkdirat(root, p->name, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "make %s", p->path);
	target = openat(root, p->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return error_errno(err, errno, "open %s", p->path);
	to.fd = target;
	return mount_attach(&fd, &to, 0, err);
}

static int mount_layers(const struct place *p, struct storage *storage, const struct image *image,
			struct error **err)
{
	_cleanup_free_ const char **chain = image_chain(image, image->layer_count);
	const struct storage_mount_opts opts = {.layers = chain, .layer_count = image->layer_count};
	_cleanup_fd_ int fd = -1;
	int r;

	if (!chain)
		return error_errno(err, ENOMEM, "mount an image");
	fd = storage_mount(storage, &opts, err);
	if (fd < 0)
		return fd;
	r = attach(p, fd, err);
	if (r < 0) {
		close_fd(&fd);
		storage_release(storage, &opts, NULL);
	}
	return r;
}

static void forget(const struct place *p)
{
	int root = store_runroot_fd(p->store);

	unlinkat(root, p->name, AT_REMOVEDIR);
	image_use_remove(p->store, p->user, NULL);
	unlinkat(root, p->lock_name, 0);
}

static int mount_first(const struct place *p, struct storage *storage, const struct image *image,
		       struct progress *progress, struct error **err)
{
	int r = write_count(p, 0, err);

	if (!r)
		r = image_use_add(p->store, image, p->user, err);
	if (!r)
		r = image_layers_ensure(p->store, storage, image, progress, err);
	if (!r)
		r = mount_layers(p, storage, image, err);
	if (r)
		forget(p);
	return r;
}

int image_mount(struct store *s, struct storage *storage, const struct image *image,
		struct progress *progress, char **path, struct error **err)
{
	_cleanup_place_ struct place p = {.lock = -1};
	int r = name_place(&p, s, image, err);

	if (!r)
		r = lock_place(&p, O_CREAT, err);
	if (r)
		return r;
	/* Where it isn't mounted the count says nothing: somebody may have unmounted it by hand. */
	r = p.is_mounted ? 0 : mount_first(&p, storage, image, progress, err);
	if (!r)
		r = write_count(&p, p.is_mounted ? p.count + 1 : 1, err);
	if (!r)
		*path = TAKE_PTR(p.path);
	return r;
}

static int unmount_last(const struct place *p, struct storage *storage, const struct image *image,
			bool is_forced, struct error **err)
{
	_cleanup_free_ const char **chain = image_chain(image, image->layer_count);
	const struct storage_mount_opts opts = {.layers = chain, .layer_count = image->layer_count};
	int r = 0;

	if (!chain)
		return error_errno(err, ENOMEM, "unmount an image");
	if (p->is_mounted)
		r = is_forced ? mount_detach(p->path, err) : mount_unmount(p->path, err);
	if (!r)
		r = storage_release(storage, &opts, err);
	if (!r)
		forget(p);
	return r;
}

int image_unmount(struct store *s, struct storage *storage, const struct image *image,
		  bool is_forced, struct error **err)
{
	_cleanup_place_ struct place p = {.lock = -1};
	int r = name_place(&p, s, image, err);

	if (!r)
		r = lock_place(&p, 0, err);
	if (r == -ENOENT) {
		error_freep(err);
		return error_set(err, ENOENT, "image %s is not mounted", image->id);
	}
	if (r)
		return r;
	if (p.is_mounted && p.count > 1 && !is_forced)
		return write_count(&p, p.count - 1, err);
	return unmount_last(&p, storage, image, is_forced, err);
}

int image_mountpoint(struct store *s, const struct image *image, char **path, struct error **err)
{
	_cleanup_place_ struct place p = {.lock = -1};
	int r = name_place(&p, s, image, err);

	*path = NULL;
	if (!r)
		r = look_at_mount(&p, err);
	if (!r && p.is_mounted)
		*path = TAKE_PTR(p.path);
	return r;
}

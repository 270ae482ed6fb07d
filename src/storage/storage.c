/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The storage room's door: choosing and opening a driver, and what all drivers share. See storage.h.
 *
 * A staging place is guarded by a lock file, staging/HEX.lock (flock), which is held from begin to commit or abort. Who
 * finds it held waits, and then looks whether the layer is there. What lies in staging/ without a holder is a rest:
 * begin removes its own, storage_sweep() all. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "storage/driver.h"
#include "storage/places.h"

/* In the order of preference. The last two only where they were chosen: they need set-up. */
static const struct storage_driver *const drivers[] = {
	&storage_overlay, &storage_fuse_overlayfs, &storage_btrfs,
	&storage_vfs,     &storage_devicemapper,   &storage_aufs,
};
#define PROBED 4

const char *const storage_driver_names[] = {
	"overlay", "fuse-overlayfs", "btrfs", "vfs", "devicemapper", "aufs", NULL,
};

static const char *const folders[] = {"layers", "staging", "containers", "trash"};

/* --- Choosing and opening ------------------------------------------------------------------------------------------ */

static const struct storage_driver *find_driver(const char *name)
{
	/* docker's name for it, which people have in their configurations. */
	if (strcmp(name, "overlay2") == 0)
		name = "overlay";
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

static int unknown_driver(const char *name, struct error **err)
{
	const char *nearest = str_nearest(name, storage_driver_names);

	if (nearest)
		return error_set(err, EINVAL, "unknown storage driver \"%s\"; did you mean \"%s\"?",
				 name, nearest);
	return error_set(
		err, EINVAL,
		"unknown storage driver \"%s\"; known are overlay, fuse-overlayfs, btrfs, vfs, "
		"devicemapper and aufs",
		name);
}

/* "overlay." of "overlay.mount_program=X"; docker's devicemapper options begin with "dm.". */
static bool has_prefix(const struct storage_driver *d, const char *option, size_t *length)
{
	const char *name = strcmp(d->name, "devicemapper") == 0 ? "dm" : d->name;

	*length = strlen(name) + 1;
	return str_starts(option, name) && option[strlen(name)] == '.';
}

static bool is_known_prefix(const char *option)
{
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (has_prefix(drivers[i], option, &length))
			return true;
	return false;
}

static int take_option(struct storage *s, const char *option, struct error **err)
{
	size_t prefix, length = strcspn(option, "=");
	const char *name;

	if (!has_prefix(s->driver, option, &prefix)) {
		/* Another driver's, in a configuration that serves several hosts. */
		if (is_known_prefix(option))
			return 0;
		return error_set(err, EINVAL,
				 "unknown storage option \"%s\": expected DRIVER.NAME=VALUE",
				 option);
	}
	name = option + prefix;
	if (!option[length])
		return error_set(err, EINVAL, "storage option \"%s\": expected %s=VALUE", option,
				 option);
	for (const char *const *known = s->driver->options; known && *known; known++)
		if (strlen(*known) == length - prefix &&
		    strncmp(*known, name, length - prefix) == 0)
			return strv_add(&s->options, name)
				       ? error_errno(err, ENOMEM, "take a storage option")
				       : 0;
	return error_set(err, EINVAL, "the storage driver %s has no option \"%.*s\"",
			 s->driver->name, (int)(length - prefix), name);
}

static int make_folders(struct storage *s, const struct storage_opts *opts, struct error **err)
{
	_cleanup_free_ char *relative = NULL;

	if (asprintf(&relative, "storage/%s", s->driver->name) < 0 ||
	    asprintf(&s->path, "%s/%s", opts->root_path, relative) < 0)
		return error_errno(err, ENOMEM, "open the storage");
	s->root = openat(opts->root, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0 && errno == ENOENT) {
		if ((mkdirat(opts->root, "storage", 0700) < 0 && errno != EEXIST) ||
		    (mkdirat(opts->root, relative, 0700) < 0 && errno != EEXIST))
			return error_errno(err, errno, "make %s", s->path);
		s->root = openat(opts->root, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (s->root < 0)
		return error_errno(err, errno, "open %s", s->path);
	if (faccessat(s->root, folders[ARRAY_SIZE(folders) - 1], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdirat(s->root, folders[i], 0700) < 0 && errno != EEXIST)
			return error_errno(err, errno, "make %s/%s", s->path, folders[i]);
	return 0;
}

static int open_driver(const struct storage_driver *driver, const struct storage_opts *opts,
		       bool is_probing, struct storage **out, struct error **err)
{
	_cleanup_storage_ struct storage *s = calloc(1, sizeof *s);
	int r = 0;

	if (!s)
		return error_errno(err, ENOMEM, "open the storage");
	s->driver = driver;
	s->root = -1;
	s->is_rootless = opts->is_rootless;
	for (size_t i = 0; opts->options && i < opts->options->count && r == 0; i++)
		r = take_option(s, opts->options->items[i], err);
	if (!r)
		r = make_folders(s, opts, err);
	if (!r && is_probing)
		r = driver->probe(s, err);
	if (!r && driver->open)
		r = driver->open(s, err);
	if (r)
		return error_prefix(err, "storage driver %s", driver->name);
	*out = TAKE_PTR(s);
	return 0;
}

/* Probes work in places with fixed names, and take away what they made: one process at a time. The descriptor holds the
 * lock. */
static int lock_probing(const struct storage_opts *opts, struct error **err)
{
	_cleanup_fd_ int fd = -1;
	int r;

	if (mkdirat(opts->root, "storage", 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "make %s/storage", opts->root_path);
	fd = openat(opts->root, "storage", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open %s/storage", opts->root_path);
	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_errno(err, errno, "lock %s/storage", opts->root_path);
	return TAKE_FD(fd);
}

/* Takes away the folders of a driver that turned out not to work, unless somebody has something there. */
static void remove_folders(const struct storage_opts *opts, const char *driver)
{
	_cleanup_free_ char *top = NULL;
	_cleanup_fd_ int fd = -1;

	if (asprintf(&top, "storage/%s", driver) < 0)
		return;
	fd = openat(opts->root, top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(folders); i++)
		unlinkat(fd, folders[i], AT_REMOVEDIR);
	unlinkat(opts->root, top, AT_REMOVEDIR);
}

/* The best that works. The reasons of those that don't are told when none does. */
static int open_best(const struct storage_opts *opts, struct storage **out, struct error **err)
{
	_cleanup_strbuf_ struct strbuf reasons = {0};
	_cleanup_fd_ int lock = lock_probing(opts, err);

	if (lock < 0)
		return lock;
	for (size_t i = 0; i < PROBED; i++) {
		_cleanup_error_ struct error *reason = NULL;

		if (open_driver(drivers[i], opts, true, out, &reason) == 0)
			return 0;
		strbuf_addf(&reasons, "%s%s", reasons.length ? "; " : "", error_text(reason));
		remove_folders(opts, drivers[i]->name);
	}
	return error_set(err, ENOTSUP, "no storage driver works here: %s",
			 reasons.text ? reasons.text : "");
}

int storage_open(const struct storage_opts *opts, struct storage **out, struct error **err)
{
	const struct storage_driver *driver;
	_cleanup_error_ struct error *ignored = NULL;

	if (opts->driver && *opts->driver) {
		bool is_new = !opts->remembered || strcmp(opts->remembered, opts->driver) != 0;
		_cleanup_fd_ int lock = is_new ? lock_probing(opts, err) : -1;

		if (is_new && lock < 0)
			return lock;
		driver = find_driver(opts->driver);
		return driver ? open_driver(driver, opts, is_new, out, err)
			      : unknown_driver(opts->driver, err);
	}
	driver = opts->remembered ? find_driver(opts->remembered) : NULL;
	if (driver)
		return open_driver(driver, opts, false, out, err);
	return open_best(opts, out, err);
}

void storage_close(struct storage *s)
{
	if (!s)
		return;
	if (s->driver->close)
		s->driver->close(s);
	close_fd(&s->root);
	free(s->path);
	strv_free(&s->options);
	free(s);
}

const char *storage_name(const struct storage *s)
{
	return s->driver->name;
}

int storage_status(struct storage *s, struct strv *pairs, struct error **err)
{
	return s->driver->status ? s->driver->status(s, pairs, err) : 0;
}

bool storage_layers_are_independent(const struct storage *s)
{
	return s->driver->layers_are_independent;
}

enum storage_whiteouts storage_whiteouts(const struct storage *s)
{
	return s->driver->whiteouts(s);
}

/* --- Names --------------------------------------------------------------------------------------------------------------- */

/* A chain id: nothing else may become part of a path. */
static int check_id(const char *id, struct error **err)
{
	const char *hex = id ? storage_hex(id) : "";
	size_t length = strlen(hex);

	if (str_starts(id ? id : "", "sha256:") && length == 64 &&
	    strspn(hex, "0123456789abcdef") == length)
		return 0;
	return error_set(err, EINVAL, "invalid layer id \"%.150s\"", id ? id : "");
}

static int check_container(const char *id, struct error **err)
{
	bool ok = id && isalnum((unsigned char)*id) && strlen(id) <= 255;

	for (const char *c = id; ok && *c; c++)
		ok = isalnum((unsigned char)*c) || strchr("_.-", *c);
	return ok ? 0 : error_set(err, EINVAL, "invalid container id \"%.255s\"", id ? id : "");
}

static int check_layers(const char *const *layers, size_t count, struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = check_id(layers[i], err);
	return r;
}

/* --- Layers -------------------------------------------------------------------------------------------------------------- */

bool storage_layer_exists(struct storage *s, const char *id)
{
	_cleanup_free_ char *path = NULL;

	if (check_id(id, NULL))
		return false;
	if (s->driver->layer_exists)
		return s->driver->layer_exists(s, id);
	return asprintf(&path, "layers/%s", storage_hex(id)) >= 0 &&
	       faccessat(s->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Locks staging/HEX.lock; may_wait: for whoever holds it, else that is -EBUSY. */
static int lock_staging(struct storage *s, const char *id, bool may_wait, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "staging/%s.lock", storage_hex(id)) < 0)
		return error_errno(err, ENOMEM, "begin the layer %s", id);
	fd = file_lock_at(s->root, path, O_CREAT, may_wait);
	return fd < 0 ? error_errno(err, -fd, "lock %s", path) : fd;
}

static void end_staging(struct storage *s, struct storage_staging *staging)
{
	_cleanup_free_ char *path = NULL;

	close_fd(&staging->root);
	if (asprintf(&path, "staging/%s.lock", storage_hex(staging->id)) >= 0)
		unlinkat(s->root, path, 0);
	close_fd(&staging->lock);
	free(staging->id);
	free(staging->parent);
	*staging = (struct storage_staging){0};
}

int storage_layer_begin(struct storage *s, const char *id, const char *parent, bool may_wait,
			struct storage_staging *out, struct error **err)
{
	struct storage_staging staging = {
		.root = -1, .lock = -1, .whiteouts = s->driver->whiteouts(s)};
	int r = check_id(id, err);

	if (!r && parent)
		r = check_id(parent, err);
	if (r)
		return r;
	staging.id = strdup(id);
	staging.parent = parent ? strdup(parent) : NULL;
	if (!staging.id || (parent && !staging.parent)) {
		free(staging.id);
		free(staging.parent);
		return error_errno(err, ENOMEM, "begin the layer %s", id);
	}
	staging.lock = lock_staging(s, id, may_wait, err);
	r = staging.lock < 0 ? staging.lock : 0;
	if (!r && storage_layer_exists(s, id))
		r = error_errno(err, EEXIST, "layer %s", id);
	if (!r) {
		/* What a killed one left under this name. */
		s->driver->layer_abort(s, &staging);
		r = s->driver->layer_begin(s, &staging, err);
		if (r)
			s->driver->layer_abort(s, &staging);
	}
	if (!r) {
		*out = staging;
		return 0;
	}
	if (staging.lock >= 0)
		end_staging(s, &staging);
	else {
		free(staging.id);
		free(staging.parent);
	}
	return r;
}

int storage_layer_flush(struct storage *s, struct storage_staging *staging, struct error **err)
{
	return s->driver->layer_flush ? s->driver->layer_flush(s, staging, err) : 0;
}

int storage_layer_commit(struct storage *s, struct storage_staging *staging, struct error **err)
{
	int r = s->driver->layer_commit(s, staging, err);

	if (!r)
		end_staging(s, staging);
	return r;
}

void storage_layer_abort(struct storage *s, struct storage_staging *staging)
{
	if (!staging->id)
		return;
	close_fd(&staging->root);
	s->driver->layer_abort(s, staging);
	end_staging(s, staging);
}

int storage_sync_directories(struct storage *s, struct error **err)
{
	_cleanup_fd_ int layers = openat(s->root, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (layers < 0 || fsync(layers) < 0)
		return error_errno(err, errno, "write %s/layers to disk", s->path);
	return 0;
}

int storage_layer_remove(struct storage *s, const char *id, struct error **err)
{
	int r = check_id(id, err);

	return r ? r : s->driver->layer_remove(s, id, err);
}

static DIR *open_folder(struct storage *s, const char *name)
{
	int fd = openat(s->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

int storage_layer_each(struct storage *s, int (*fn)(void *data, const char *id), void *data,
		       struct error **err)
{
	_cleanup_dir_ DIR *d = open_folder(s, "layers");
	const struct dirent *e;
	int r = 0;

	if (!d)
		return error_errno(err, errno, "look through %s/layers", s->path);
	while (r == 0 && (e = readdir(d))) {
		char id[80];

		snprintf(id, sizeof id, "sha256:%.70s", e->d_name);
		if (check_id(id, NULL) == 0)
			r = fn(data, id);
	}
	return r;
}

/* --- Containers, mounts, differences --------------------------------------------------------------------------------- */

int storage_container_create(struct storage *s, const struct storage_container_opts *opts,
			     struct error **err)
{
	int r = check_container(opts->id, err);

	if (!r)
		r = check_layers(opts->layers, opts->layer_count, err);
	return r ? r : s->driver->container_create(s, opts, err);
}

int storage_container_remove(struct storage *s, const char *id, struct error **err)
{
	int r = check_container(id, err);

	return r ? r : s->driver->container_remove(s, id, err);
}

static int check_mount(const struct storage_mount_opts *opts, struct error **err)
{
	int r = check_layers(opts->layers, opts->layer_count, err);

	if (!r && opts->container)
		r = check_container(opts->container, err);
	if (!r && !opts->layer_count && !opts->container)
		r = error_set(err, EINVAL, "there is no layer to mount");
	return r;
}

int storage_mount(struct storage *s, const struct storage_mount_opts *opts, struct error **err)
{
	int r = check_mount(opts, err);

	return r ? r : s->driver->mount(s, opts, err);
}

int storage_release(struct storage *s, const struct storage_mount_opts *opts, struct error **err)
{
	int r = check_mount(opts, err);

	return r || !s->driver->release ? r : s->driver->release(s, opts, err);
}

int storage_diff_open(struct storage *s, const struct storage_mount_opts *opts,
		      struct storage_diff *out, struct error **err)
{
	int r = check_mount(opts, err);

	*out = (struct storage_diff){.upper = -1, .lower = -1};
	if (!r)
		r = s->driver->diff_open(s, opts, out, err);
	if (r)
		storage_diff_close(s, out);
	return r;
}

void storage_diff_close(struct storage *s, struct storage_diff *d)
{
	close_fd(&d->upper);
	close_fd(&d->lower);
	if (s->driver->diff_close)
		s->driver->diff_close(s, d);
	*d = (struct storage_diff){.upper = -1, .lower = -1};
}

/* --- The sweep --------------------------------------------------------------------------------------------------------- */

/* A rest, unless somebody holds its lock. */
static void sweep_staging(struct storage *s, const char *hex)
{
	struct storage_staging staging = {.root = -1, .lock = -1};
	_cleanup_free_ char *path = NULL, *id = NULL;

	if (asprintf(&path, "staging/%s.lock", hex) < 0 || asprintf(&id, "sha256:%s", hex) < 0)
		return;
	staging.lock = openat(s->root, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (staging.lock < 0 || flock(staging.lock, LOCK_EX | LOCK_NB) < 0) {
		close_fd(&staging.lock);
		return;
	}
	staging.id = TAKE_PTR(id);
	s->driver->layer_abort(s, &staging);
	end_staging(s, &staging);
}

static void sweep_trash(struct storage *s, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "trash/%s", name) < 0)
		return;
	if (s->driver->rest_remove)
		s->driver->rest_remove(s, path, NULL);
	else
		remove_tree_at(s->root, path, NULL);
}

void storage_sweep(struct storage *s)
{
	_cleanup_dir_ DIR *staging = open_folder(s, "staging");
	_cleanup_dir_ DIR *trash = open_folder(s, "trash");
	const struct dirent *e;

	while (staging && (e = readdir(staging))) {
		char hex[65] = {0};

		if (strlen(e->d_name) >= 64) {
			memcpy(hex, e->d_name, 64);
			if (strspn(hex, "0123456789abcdef") == 64)
				sweep_staging(s, hex);
		}
	}
	if (s->driver->sweep)
		s->driver->sweep(s);
	while (trash && (e = readdir(trash)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			sweep_trash(s, e->d_name);
}

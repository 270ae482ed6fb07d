/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver devicemapper: each layer is a thin device, a snapshot of its parent's with the layer's changes applied, each container another.
 *
 * devicemapper_pool.c keeps the pool, devicemapper_device.c makes devices file systems, devicemapper_records.c writes down what there is,
 * devicemapper_ioctl.c talks to the kernel. Here the store's places meet them: staging/HEX, layers/HEX and containers/ID are directories
 * with only a file "device", so that a layer becomes visible by rename as in the other drivers, and what such a place
 * names is in use.
 *
 * A layer's file system is made read-only when it is filled, which writes all of it to the pool. */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/mount.h"
#include "storage/devicemapper.h"
#include "storage/places.h"

#define BASE_SIZE     (UINT64_C(10) << 30)
#define DATA_SIZE     (UINT64_C(100) << 30)
#define METADATA_SIZE (UINT64_C(2) << 30)
#define BLOCK_SIZE    (UINT64_C(64) << 10)
#define BLOCK_MAX     (UINT64_C(1) << 30) /* thin-provisioning.rst */
#define MIN_FREE      10                  /* percent */

/* --- Options --- */

static int get_size(const struct storage *s, const char *name, uint64_t unit, uint64_t *bytes,
		    struct error **err)
{
	const char *text = storage_option(s, name);

	if (!text)
		return 0;
	if (parse_bytes(text, bytes) < 0 || *bytes == 0)
		return error_set(err, EINVAL, "dm.%s: %s is not a size", name, text);
	*bytes -= *bytes % unit;
	return *bytes ? 0 : error_set(err, EINVAL, "dm.%s: %s is too small", name, text);
}

static int get_percent(const struct storage *s, unsigned *percent, struct error **err)
{
	_cleanup_free_ char *digits = NULL;
	const char *text = storage_option(s, "min_free_space");
	uint64_t value;
	size_t length;

	if (!text)
		return 0;
	length = strlen(text);
	digits = strndup(text, length && text[length - 1] == '%' ? length - 1 : length);
	if (!digits)
		return error_errno(err, ENOMEM, "dm.min_free_space");
	if (parse_u64(digits, 99, &value) < 0)
		return error_set(err, EINVAL, "dm.min_free_space: %s is not 0%% to 99%%", text);
	*percent = (unsigned)value;
	return 0;
}

static int get_options(const struct storage *s, struct dm_options *o, struct error **err)
{
	*o = (struct dm_options){
		.base_size = BASE_SIZE,
		.data_size = DATA_SIZE,
		.metadata_size = METADATA_SIZE,
		.block_size = BLOCK_SIZE,
		.min_free_percent = MIN_FREE,
		.fs = storage_option(s, "fs") ?: "ext4",
		.mkfs_arguments = storage_option(s, "mkfsarg"),
		.mount_options = storage_option(s, "mountopt"),
		.thin_pool = storage_option(s, "thinpooldev"),
		.data_device = storage_option(s, "datadev"),
		.metadata_device = storage_option(s, "metadatadev"),
	};
	if (get_size(s, "basesize", BLOCK_SIZE, &o->base_size, err) < 0 ||
	    get_size(s, "loopdatasize", BLOCK_SIZE, &o->data_size, err) < 0 ||
	    get_size(s, "loopmetadatasize", 4096, &o->metadata_size, err) < 0 ||
	    get_size(s, "blocksize", BLOCK_SIZE, &o->block_size, err) < 0 ||
	    get_percent(s, &o->min_free_percent, err) < 0 || dm_check_fs(o->fs, err) < 0)
		return -EINVAL;
	if (o->block_size > BLOCK_MAX)
		return error_set(err, EINVAL, "dm.blocksize: at most 1 GiB");
	if (o->thin_pool && (o->data_device || o->metadata_device))
		return error_set(
			err, EINVAL,
			"dm.thinpooldev is a whole pool: no dm.datadev or dm.metadatadev with it");
	return 0;
}

/* --- The store --- */

static int devicemapper_probe(struct storage *s, struct error **err)
{
	_cleanup_fd_ int control = -1;
	struct dm_options options;
	int r;

	if (s->is_rootless)
		return error_set(err, EPERM, "devicemapper needs root");
	control = dm_open_control(err);
	if (control < 0)
		return control;
	r = dm_check_target(control, "thin-pool", err);
	if (r == 0)
		r = get_options(s, &options, err);
	if (r == 0 && !options.thin_pool && !(options.data_device && options.metadata_device) &&
	    access("/dev/loop-control", R_OK | W_OK) < 0)
		r = error_errno(err, errno, "open /dev/loop-control");
	return r;
}

static void devicemapper_close(struct storage *s)
{
	struct dm_pool *pool = s->data;

	if (!pool)
		return;
	dm_pool_stop(pool);
	free(pool->prefix);
	free(pool->name);
	free(pool);
	s->data = NULL;
}

static int devicemapper_open(struct storage *s, struct error **err)
{
	struct dm_pool *pool = calloc(1, sizeof *pool);
	struct stat st;
	int r;

	if (!pool)
		return error_errno(err, ENOMEM, "open the storage");
	s->data = pool;
	pool->control = pool->hold = -1;
	r = get_options(s, &pool->options, err);
	if (r == 0 && fstat(s->root, &st) < 0)
		r = error_errno(err, errno, "look at %s", s->path);
	if (r == 0 && (asprintf(&pool->prefix, "dhow-%u:%u-%ju", major(st.st_dev), minor(st.st_dev),
				(uintmax_t)st.st_ino) < 0 ||
		       asprintf(&pool->name, "%s-pool", pool->prefix) < 0))
		r = error_errno(err, ENOMEM, "open the storage");
	pool->is_ours = !pool->options.thin_pool;
	if (r < 0)
		devicemapper_close(s);
	return r;
}

/* The lock, with the pool started. */
static int lock_pool(struct storage *s, struct error **err)
{
	_cleanup_fd_ int lock = dm_lock(s, err);
	int r = lock < 0 ? lock : dm_pool_start(s, err);

	return r < 0 ? r : TAKE_FD(lock);
}

static int devicemapper_status(struct storage *s, struct strv *pairs, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_fd_ int lock = lock_pool(s, err);
	struct dm_usage usage = {0};
	int r = lock < 0 ? lock : dm_pool_usage(s, &usage, err);
	const struct {
		const char *key;
		uint64_t bytes;
	} sizes[] = {
		{"Pool Blocksize", pool->options.block_size},
		{"Base Device Size", pool->options.base_size},
		{"Data Space Used", usage.data_used},
		{"Data Space Total", usage.data_total},
		{"Metadata Space Used", usage.metadata_used},
		{"Metadata Space Total", usage.metadata_total},
	};

	if (r < 0)
		return r;
	r = strv_add(pairs, "Pool Name") ?: strv_add(pairs, pool->name);
	r = r ?: strv_add(pairs, "Backing Filesystem") ?: strv_add(pairs, pool->options.fs);
	for (size_t i = 0; i < ARRAY_SIZE(sizes) && r == 0; i++)
		r = strv_add(pairs, sizes[i].key)
			    ?: strv_addf(pairs, "%llu B", (unsigned long long)sizes[i].bytes);
	return r < 0 ? error_errno(err, -r, "status of the storage") : 0;
}

static enum storage_whiteouts devicemapper_whiteouts(const struct storage *s)
{
	return WHITEOUTS_APPLY;
}

/* The device of a layer, or the base device. */
static int find_layer(struct storage *s, const char *id, struct dm_thin *thin, struct error **err)
{
	_cleanup_free_ char *path = NULL;

	if (!id)
		return dm_base(s, thin, err);
	if (asprintf(&path, "layers/%s", storage_hex(id)) < 0)
		return error_errno(err, ENOMEM, "layer %s", id);
	return dm_thin_read(s, path, thin, err);
}

/* The "/" of a mount, which keeps it and its device as long as it is open. */
static int open_mount(int mount, struct error **err)
{
	int fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, errno, "open a mount") : fd;
}

/* Deletes the device that the place names, in the pool and in the records. Nothing where it names none. */
static int delete_device(struct storage *s, const char *place, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_fd_ int lock = -1;
	struct dm_thin thin;
	int r = dm_thin_read(s, place, &thin, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_errno(err, -r, "read %s/device", place);
	lock = lock_pool(s, err);
	if (lock < 0)
		return lock;
	r = dm_thin_end(s, &thin, pool->is_ours, err);
	return r < 0 ? r : dm_pool_delete(s, thin.id, err);
}

/* --- Layers --- */

static int devicemapper_layer_begin(struct storage *s, struct storage_staging *staging,
				    struct error **err)
{
	_cleanup_free_ char *place = NULL;
	_cleanup_fd_ int lock = -1, mount = -1;
	struct dm_thin origin, thin;
	int r;

	if (asprintf(&place, "staging/%s", storage_hex(staging->id)) < 0)
		return error_errno(err, ENOMEM, "begin the layer %s", staging->id);
	if (mkdirat(s->root, place, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create %s", place);
	lock = lock_pool(s, err);
	if (lock < 0)
		return lock;
	r = find_layer(s, staging->parent, &origin, err);
	if (r < 0)
		return r;
	thin.sectors = origin.sectors;
	r = dm_pool_add(s, &origin, place, &thin, err);
	if (r < 0)
		return r;
	mount = dm_thin_mount(s, &(struct dm_mount){.thin = &thin}, err);
	if (mount < 0)
		return mount;
	staging->root = open_mount(mount, err);
	return staging->root < 0 ? staging->root : 0;
}

static int devicemapper_layer_flush(struct storage *s, struct storage_staging *staging,
				    struct error **err)
{
	const struct mount_parameter read_only = {"ro", NULL};

	/* First, since only this tells of what could not be written, such as to a pool that is full. */
	if (syncfs(staging->root) < 0)
		return error_errno(err, errno, "sync the layer %s", staging->id);
	/* The journal is emptied and the mark "clean" set; what somebody has open for writing forbids that, and the journal
	 * serves. */
	mount_reconfigure(staging->root, &read_only, 1, NULL);
	if (syncfs(staging->root) < 0)
		return error_errno(err, errno, "sync the layer %s", staging->id);
	return 0;
}

static int devicemapper_layer_commit(struct storage *s, struct storage_staging *staging,
				     struct error **err)
{
	return storage_publish(s, staging, err);
}

static void devicemapper_layer_abort(struct storage *s, struct storage_staging *staging)
{
	_cleanup_free_ char *place = NULL;

	if (asprintf(&place, "staging/%s", storage_hex(staging->id)) < 0)
		return;
	/* It keeps the device busy. */
	close_fd(&staging->root);
	if (delete_device(s, place, NULL) == 0)
		remove_tree_at(s->root, place, NULL);
}

/* The place and its device; what is mounted stays whole, -EBUSY. */
static int discard(struct storage *s, const char *folder, const char *name, struct error **err)
{
	_cleanup_free_ char *place = NULL, *trash = NULL;
	_cleanup_fd_ int lock = -1;
	struct dm_pool *pool = s->data;
	struct dm_thin thin = {0};
	int r;

	if (asprintf(&place, "%s/%s", folder, name) < 0)
		return error_errno(err, ENOMEM, "remove %s", name);
	r = dm_thin_read(s, place, &thin, NULL);
	if (r < 0 && r != -ENOENT)
		return error_errno(err, -r, "read %s/device", place);
	if (thin.id) {
		lock = lock_pool(s, err);
		r = lock < 0 ? lock : dm_thin_end(s, &thin, false, err);
		if (r < 0)
			return r;
	}
	r = storage_discard(s, folder, name, &trash, err);
	if (r < 0 || !trash)
		return r;
	if (thin.id) {
		r = dm_thin_end(s, &thin, pool->is_ours, err);
		if (r == 0)
			r = dm_pool_delete(s, thin.id, err);
	}
	return r < 0 ? r : remove_tree_at(s->root, trash, err);
}

static int devicemapper_layer_remove(struct storage *s, const char *id, struct error **err)
{
	return discard(s, "layers", storage_hex(id), err);
}

/* --- Containers --- */

/* The size is that of the device and the file system in it. */
static int set_size(struct storage *s, const struct dm_thin *thin, struct error **err)
{
	_cleanup_fd_ int mount = dm_thin_mount(s, &(struct dm_mount){.thin = thin}, err);
	_cleanup_fd_ int root = mount < 0 ? mount : open_mount(mount, err);

	return root < 0 ? root : dm_grow(root, thin->sectors * SECTOR_SIZE, err);
}

static int choose_size(const struct dm_thin *origin, uint64_t limit, struct dm_thin *thin,
		       struct error **err)
{
	thin->sectors = limit ? limit / SECTOR_SIZE : origin->sectors;
	if (thin->sectors < origin->sectors)
		return error_set(
			err, EINVAL,
			"devicemapper can't make a container smaller than its image's device, %llu bytes (dm.basesize)",
			(unsigned long long)origin->sectors * SECTOR_SIZE);
	return 0;
}

static int devicemapper_container_create(struct storage *s,
					 const struct storage_container_opts *opts,
					 struct error **err)
{
	_cleanup_free_ char *place = NULL;
	_cleanup_fd_ int dir = -1, lock = -1;
	struct dm_thin origin, thin;
	int r;

	if (asprintf(&place, "containers/%s", opts->id) < 0)
		return error_errno(err, ENOMEM, "container %s", opts->id);
	lock = lock_pool(s, err);
	if (lock < 0)
		return lock;
	r = find_layer(s, opts->layer_count ? opts->layers[0] : NULL, &origin, err);
	if (r == 0)
		r = choose_size(&origin, opts->size_limit, &thin, err);
	if (r < 0)
		return r;
	dir = storage_make_container(s, opts->id, "device", err);
	if (dir < 0)
		return dir;
	r = dm_pool_add(s, &origin, place, &thin, err);
	if (r == 0 && thin.sectors > origin.sectors)
		r = set_size(s, &thin, err);
	close_fd(&lock);
	if (r < 0)
		discard(s, "containers", opts->id, NULL);
	return r;
}

static int devicemapper_container_remove(struct storage *s, const char *id, struct error **err)
{
	return discard(s, "containers", id, err);
}

/* --- Mounts --- */

static int mount_layer(struct storage *s, const char *id, const char *label, struct error **err)
{
	struct dm_thin thin;
	int r = find_layer(s, id, &thin, err);

	return r < 0 ? r
		     : dm_thin_mount(s,
				     &(struct dm_mount){
					     .thin = &thin, .is_read_only = true, .label = label},
				     err);
}

static int mount_container(struct storage *s, const char *id, const char *label, struct error **err)
{
	_cleanup_free_ char *place = NULL;
	struct dm_thin thin;
	int r;

	if (asprintf(&place, "containers/%s", id) < 0)
		return error_errno(err, ENOMEM, "container %s", id);
	r = dm_thin_read(s, place, &thin, err);
	return r < 0 ? r : dm_thin_mount(s, &(struct dm_mount){.thin = &thin, .label = label}, err);
}

static int devicemapper_mount(struct storage *s, const struct storage_mount_opts *opts,
			      struct error **err)
{
	_cleanup_fd_ int lock = lock_pool(s, err);

	if (lock < 0)
		return lock;
	return opts->container ? mount_container(s, opts->container, opts->label, err)
			       : mount_layer(s, opts->layers[0], opts->label, err);
}

static int devicemapper_diff_open(struct storage *s, const struct storage_mount_opts *opts,
				  struct storage_diff *out, struct error **err)
{
	size_t below = opts->container ? 0 : 1;
	_cleanup_fd_ int upper_mount = devicemapper_mount(s, opts, err), lower_mount = -1;
	_cleanup_fd_ int upper = upper_mount < 0 ? upper_mount : open_mount(upper_mount, err);
	_cleanup_fd_ int lock = -1;

	if (upper < 0)
		return upper;
	out->lower = -1;
	if (opts->layer_count > below) {
		lock = lock_pool(s, err);
		if (lock < 0)
			return lock;
		lower_mount = mount_layer(s, opts->layers[below], opts->label, err);
		out->lower = lower_mount < 0 ? lower_mount : open_mount(lower_mount, err);
		if (out->lower < 0)
			return out->lower;
	}
	out->kind = STORAGE_DIFF_TREES;
	out->upper = TAKE_FD(upper);
	return 0;
}

/* --- Rests --- */

/* Deletes the devices that no place names. The pool is started only where there is one. */
static void devicemapper_sweep(struct storage *s)
{
	struct dm_pool *pool = s->data;
	_cleanup_records_ struct dm_records records = {0};
	_cleanup_fd_ int lock = dm_lock(s, NULL);
	_cleanup_free_ uint32_t *ids = NULL;
	ssize_t count;

	if (lock < 0 || dm_records_read(s, &records, NULL) < 0 || records.count == 0)
		return;
	ids = calloc(records.count, sizeof *ids);
	count = ids ? dm_find_unused(s, &records, ids, NULL) : 0;
	if (count <= 0 || dm_pool_start(s, NULL) < 0)
		return;
	for (ssize_t i = 0; i < count; i++) {
		const struct dm_thin thin = {ids[i], records.base_sectors};

		if (dm_thin_end(s, &thin, pool->is_ours, NULL) == 0)
			dm_pool_delete(s, ids[i], NULL);
	}
}

const struct storage_driver storage_devicemapper = {
	.name = "devicemapper",
	.options = (const char *const[]){"basesize", "loopdatasize", "loopmetadatasize",
					 "blocksize", "min_free_space", "fs", "mkfsarg", "mountopt",
					 "thinpooldev", "datadev", "metadatadev", NULL},
	.probe = devicemapper_probe,
	.open = devicemapper_open,
	.close = devicemapper_close,
	.status = devicemapper_status,
	.whiteouts = devicemapper_whiteouts,
	.layer_begin = devicemapper_layer_begin,
	.layer_flush = devicemapper_layer_flush,
	.layer_commit = devicemapper_layer_commit,
	.layer_abort = devicemapper_layer_abort,
	.layer_remove = devicemapper_layer_remove,
	.container_create = devicemapper_container_create,
	.container_remove = devicemapper_container_remove,
	.mount = devicemapper_mount,
	.diff_open = devicemapper_diff_open,
	.sweep = devicemapper_sweep,
};

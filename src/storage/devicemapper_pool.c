/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thin pool: where its two devices come from, its start and end, and what is made and deleted in it.
 *
 * Without a device given, the pool's data and metadata are sparse files on loop devices, which free themselves when the pool goes. A pool of ours
 * goes when nobody has it open: each process that needs it opens its node, each active device in it holds it, and
 * the kernel is told to remove it after the last of them ("deferred"). So nothing has to be ended after a kill -9.
 *
 * Order of a change, crash-proof at each step: records (durable), then the pool (a message is on disk when it returns), last the
 * transaction number. At start the pool's number must be the records', or one less where a crash came between.
 *
 * Kernel docs, admin-guide/device-mapper/thin-provisioning.rst. */
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "storage/devicemapper.h"

#define ID_MAX       0xffffff
#define RETRIES      500 /* of 10 ms: udev opens what is new for a moment, and removal takes one */
#define LOOP_RETRIES 64

int dm_lock(struct storage *s, struct error **err)
{
	_cleanup_fd_ int fd = openat(s->root, "pool.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(err, errno, "open %s/pool.lock", s->path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "lock %s/pool.lock", s->path);
	return TAKE_FD(fd);
}

/* --- Devices below the pool --- */

/* Configures a free loop device for the file. Another program may take the one we were told of first. */
static int attach_loop(int file, const char *path, struct error **err)
{
	const struct loop_config config = {
		.fd = (uint32_t)file,
		.block_size = 0,
		.info = {.lo_flags = LO_FLAGS_AUTOCLEAR},
	};
	_cleanup_fd_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return error_errno(err, errno, "open /dev/loop-control");
	for (int i = 0; i < LOOP_RETRIES; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);
		_cleanup_fd_ int loop = -1;
		char name[32];

		if (n < 0)
			return error_errno(err, errno, "find a free loop device");
		snprintf(name, sizeof name, "/dev/loop%d", n);
		loop = open(name, O_RDWR | O_CLOEXEC);
		if (loop < 0)
			return error_errno(err, errno, "open %s", name);
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			return TAKE_FD(loop);
		if (errno != EBUSY)
			return error_errno(err, errno, "make %s of %s", name, path);
	}
	return error_set(err, EBUSY, "no loop device stays free for %s", path);
}

/* The sparse file, made where it is missing, or lengthened, as a loop device. */
static int open_loop(struct storage *s, const char *name, uint64_t size, struct error **err)
{
	_cleanup_fd_ int file =
		openat(s->root, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0)
		return error_errno(err, errno, "open %s/%s", s->path, name);
	if ((uint64_t)st.st_size < size && ftruncate(file, (off_t)size) < 0)
		return error_errno(err, errno, "lengthen %s/%s", s->path, name);
	return attach_loop(file, name, err);
}

static int open_given(const char *path, struct error **err)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "open %s", path);
	return S_ISBLK(st.st_mode) ? TAKE_FD(fd)
				   : error_set(err, ENOTBLK, "%s is not a block device", path);
}

/* A pool is made on what is empty: the kernel would take anything else for a pool, or damage it. */
static int check_empty(int fd, const char *what, struct error **err)
{
	char block[4096], zeros[sizeof block] = {0};

	if (pread(fd, block, sizeof block, 0) != (ssize_t)sizeof block)
		return error_errno(err, errno ? errno : EIO, "read %s", what);
	if (memcmp(block, zeros, sizeof block) != 0)
		return error_set(err, EEXIST, "%s is not empty: its first 4096 bytes must be zeros",
				 what);
	return 0;
}

static int device_of(int fd, dev_t *device, uint64_t *bytes, struct error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || ioctl(fd, BLKGETSIZE64, bytes) < 0)
		return error_errno(err, errno, "look at a block device");
	*device = st.st_rdev;
	return 0;
}

/* --- Start and end --- */

static int make_pool(struct storage *s, bool is_new, struct error **err)
{
	struct dm_pool *pool = s->data;
	const struct dm_options *o = &pool->options;
	_cleanup_fd_ int data = -1, metadata = -1;
	_cleanup_free_ char *parameters = NULL;
	struct dm_target target = {.type = "thin-pool"};
	uint64_t bytes, ignored;
	dev_t data_device, metadata_device;
	int r;

	data = o->data_device ? open_given(o->data_device, err)
			      : open_loop(s, "data", o->data_size, err);
	if (data < 0)
		return data;
	metadata = o->metadata_device ? open_given(o->metadata_device, err)
				      : open_loop(s, "metadata", o->metadata_size, err);
	if (metadata < 0)
		return metadata;
	r = is_new ? check_empty(metadata,
				 o->metadata_device ? o->metadata_device : "the pool's metadata",
				 err)
		   : 0;
	if (r == 0)
		r = device_of(data, &data_device, &bytes, err);
	if (r == 0)
		r = device_of(metadata, &metadata_device, &ignored, err);
	if (r < 0)
		return r;
	if (asprintf(&parameters,
		     "%u:%u %u:%u %" PRIu64 " 0 2 skip_block_zeroing error_if_no_space",
		     major(metadata_device), minor(metadata_device), major(data_device),
		     minor(data_device), o->block_size / SECTOR_SIZE) < 0)
		return error_errno(err, ENOMEM, "start the pool");
	target.parameters = parameters;
	target.sectors = bytes / SECTOR_SIZE;
	return dm_create(pool->control, pool->name, &target, &pool->device, err);
}

/* Opens the node of the pool and checks that it is still the pool's: others end it when they are the last. */
static int hold_pool(struct dm_pool *pool, struct error **err)
{
	struct dm_state state;
	char node[DM_NODE_SIZE];
	_cleanup_fd_ int fd = -1;
	int r = dm_state(pool->control, pool->name, &state, err);

	if (r == 0)
		r = dm_node(state.device, node, err);
	if (r < 0)
		return r;
	fd = open(node, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open %s", node);
	r = dm_state(pool->control, pool->name, &state, err);
	if (r < 0)
		return r;
	pool->device = state.device;
	pool->hold = TAKE_FD(fd);
	return 0;
}

static int start_ours(struct storage *s, bool is_new, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_error_ struct error *last = NULL;
	int r = -ENXIO;

	for (int i = 0; i < RETRIES; i++) {
		struct dm_state state;

		if (dm_state(pool->control, pool->name, &state, NULL) == -ENXIO) {
			r = make_pool(s, is_new, &last);
			/* Busy may be what it is made of, or its name, which another took. */
			if (r < 0 && dm_state(pool->control, pool->name, &state, NULL) < 0)
				break;
		}
		r = hold_pool(pool, &last);
		/* The one that was there is just going. */
		if (r != -ENXIO && r != -ENOENT && r != -ENODEV)
			break;
		poll(NULL, 0, 10);
	}
	if (r == 0)
		return dm_remove(pool->control, pool->name, true, err);
	return error_set(err, -r, "%s", error_text(last));
}

int dm_pool_usage(struct storage *s, struct dm_usage *usage, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_free_ char *text = NULL, *table = NULL;
	uint64_t block_sectors;
	char mode[32];
	int r = dm_status(pool->control, pool->name, false, &text, err);

	if (r == 0)
		r = dm_status(pool->control, pool->name, true, &table, err);
	if (r < 0)
		return r;
	*usage = (struct dm_usage){0};
	/* The kernel's own text, not anybody's input. */
	if (sscanf(text, "%" SCNu64 " %" SCNu64 "/%" SCNu64 " %" SCNu64 "/%" SCNu64 " %*s %31s",
		   &usage->transaction, &usage->metadata_used, &usage->metadata_total,
		   &usage->data_used, &usage->data_total, mode) != 6 ||
	    sscanf(table, "%*s %*s %" SCNu64, &block_sectors) != 1)
		return error_set(err, EIO, "the thin pool %s has failed (%s): see thin_check(8)",
				 pool->name, text);
	if (str_equal(mode, "ro") || strstr(text, "needs_check"))
		return error_set(err, EROFS,
				 "the thin pool %s is read-only (%s): see thin_check(8)",
				 pool->name, text);
	usage->metadata_used *= 4096;
	usage->metadata_total *= 4096;
	usage->data_used *= block_sectors * SECTOR_SIZE;
	usage->data_total *= block_sectors * SECTOR_SIZE;
	return 0;
}

static int set_transaction(struct dm_pool *pool, uint64_t from, uint64_t to, struct error **err)
{
	char message[80];

	snprintf(message, sizeof message, "set_transaction_id %" PRIu64 " %" PRIu64, from, to);
	return dm_message(pool->control, pool->name, message, err);
}

static int check_transaction(struct storage *s, struct dm_records *records, struct error **err)
{
	struct dm_pool *pool = s->data;
	struct dm_usage usage;
	int r = dm_pool_usage(s, &usage, err);

	if (r < 0 || usage.transaction == records->transaction)
		return r;
	if (usage.transaction + 1 == records->transaction)
		return set_transaction(pool, usage.transaction, records->transaction, err);
	if (records->count > 0 || pool->is_ours)
		return error_set(err, EUCLEAN,
				 "the thin pool %s is at transaction %" PRIu64
				 ", but %s/pool.json at %" PRIu64 ": they don't belong together",
				 pool->name, usage.transaction, s->path, records->transaction);
	/* A pool that was given to us with a past. */
	records->transaction = usage.transaction;
	return dm_records_write(s, records, err);
}

/* The device's name for the device mapper, which is the last part of its path. */
static int use_given_pool(struct dm_pool *pool, struct error **err)
{
	struct dm_state state;
	const char *slash = strrchr(pool->options.thin_pool, '/');
	int r;

	free(pool->name);
	pool->name = strdup(slash ? slash + 1 : pool->options.thin_pool);
	if (!pool->name)
		return error_errno(err, ENOMEM, "use the pool %s", pool->options.thin_pool);
	r = dm_state(pool->control, pool->name, &state, err);
	if (r == -ENXIO)
		return error_set(err, ENXIO, "dm.thinpooldev: there is no thin pool %s",
				 pool->name);
	return r < 0 ? r : hold_pool(pool, err);
}

/* A device of ours that isn't the pool: to go with its last user. */
static int let_go(void *data, const char *name)
{
	const struct dm_pool *pool = data;
	size_t length = strlen(pool->prefix);

	if (strncmp(name, pool->prefix, length) == 0 && name[length] == '-' &&
	    !str_equal(name, pool->name))
		dm_remove(pool->control, name, true, NULL);
	return 0;
}

int dm_pool_start(struct storage *s, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_records_ struct dm_records records = {0};
	int r;

	if (pool->hold >= 0)
		return 0;
	if (pool->control < 0)
		pool->control = dm_open_control(err);
	if (pool->control < 0)
		return pool->control;
	r = dm_records_read(s, &records, err);
	if (r < 0)
		return r;
	if (!records.exist && pool->is_ours) {
		/* Files without records are of a pool that never came to be. */
		if (!pool->options.data_device)
			unlinkat(s->root, "data", 0);
		if (!pool->options.metadata_device)
			unlinkat(s->root, "metadata", 0);
	}
	r = pool->is_ours ? start_ours(s, !records.exist, err) : use_given_pool(pool, err);
	if (r == 0 && !records.exist)
		r = dm_records_write(s, &records, err);
	if (r == 0)
		r = check_transaction(s, &records, err);
	/* Whoever made one may have been killed before it was marked so. */
	if (r == 0)
		r = dm_each(pool->control, let_go, pool, err);
	if (r < 0)
		close_fd(&pool->hold);
	return r;
}

void dm_pool_stop(struct dm_pool *pool)
{
	close_fd(&pool->hold);
	close_fd(&pool->control);
}

/* --- Changes --- */

static int check_space(struct storage *s, struct error **err)
{
	struct dm_pool *pool = s->data;
	unsigned percent = pool->options.min_free_percent;
	struct dm_usage usage;
	int r = dm_pool_usage(s, &usage, err);

	if (r < 0)
		return r;
	if (usage.data_total - usage.data_used < usage.data_total / 100 * percent ||
	    usage.metadata_total - usage.metadata_used < usage.metadata_total / 100 * percent)
		return error_set(err, ENOSPC,
				 "the thin pool has less than dm.min_free_space=%u%% free: %" PRIu64
				 " of %" PRIu64 " MiB of data, %" PRIu64 " of %" PRIu64
				 " KiB of metadata are used",
				 percent, usage.data_used >> 20, usage.data_total >> 20,
				 usage.metadata_used >> 10, usage.metadata_total >> 10);
	return 0;
}

/* A snapshot of a device in use is one of a moment at which nothing is being written. */
static int send_create(struct storage *s, const struct dm_thin *origin, uint32_t id,
		       struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_free_ char *name = origin ? dm_thin_name(pool, origin->id) : NULL;
	struct dm_state state;
	bool is_active;
	char message[80];
	int r;

	if (!origin) {
		snprintf(message, sizeof message, "create_thin %" PRIu32, id);
		return dm_message(pool->control, pool->name, message, err);
	}
	if (!name)
		return error_errno(err, ENOMEM, "make a snapshot");
	is_active = dm_state(pool->control, name, &state, NULL) == 0;
	r = is_active ? dm_suspend(pool->control, name, true, err) : 0;
	if (r < 0)
		return r;
	snprintf(message, sizeof message, "create_snap %" PRIu32 " %" PRIu32, id, origin->id);
	r = dm_message(pool->control, pool->name, message, err);
	if (is_active) {
		int resumed = dm_suspend(pool->control, name, false, r < 0 ? NULL : err);

		r = r < 0 ? r : resumed;
	}
	return r;
}

static uint32_t next_id(const struct dm_records *records, uint32_t id)
{
	for (;;) {
		bool is_used = false;

		id = id >= ID_MAX ? 1 : id + 1;
		for (size_t i = 0; i < records->count && !is_used; i++)
			is_used = records->ids[i] == id;
		if (!is_used)
			return id;
	}
}

/* One try with the number thin->id. */
static int add_one(struct storage *s, struct dm_records *records, const struct dm_thin *origin,
		   const char *place, struct dm_thin *thin, struct error **err)
{
	struct dm_pool *pool = s->data;
	int r = *place ? dm_thin_write(s, place, thin, err) : 0;

	if (r < 0)
		return r;
	if (dm_records_add(records, thin->id) < 0)
		return error_errno(err, ENOMEM, "add a device");
	records->next = thin->id;
	records->transaction++;
	r = dm_records_write(s, records, err);
	if (r < 0)
		return r;
	r = send_create(s, origin, thin->id, err);
	if (r < 0) {
		/* The pool doesn't have it, or a pool that is shared had it before. */
		dm_records_drop(records, thin->id);
		records->transaction--;
		dm_records_write(s, records, NULL);
		return r;
	}
	return set_transaction(pool, records->transaction - 1, records->transaction, err);
}

int dm_pool_add(struct storage *s, const struct dm_thin *origin, const char *place,
		struct dm_thin *thin, struct error **err)
{
	_cleanup_records_ struct dm_records records = {0};
	int r = dm_records_read(s, &records, err);

	/* Another process may have been cut off since we started. */
	if (r == 0)
		r = check_transaction(s, &records, err);
	if (r == 0)
		r = check_space(s, err);
	if (r < 0)
		return r;
	thin->id = records.next;
	do {
		thin->id = next_id(&records, thin->id);
		r = add_one(s, &records, origin, place, thin, err);
	} while (r == -EEXIST);
	return r;
}

int dm_pool_delete(struct storage *s, uint32_t id, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_records_ struct dm_records records = {0};
	char message[80];
	int r = dm_records_read(s, &records, err);

	if (r < 0)
		return r;
	snprintf(message, sizeof message, "delete %" PRIu32, id);
	r = dm_message(pool->control, pool->name, message, NULL);
	if (r < 0 && r != -ENODATA)
		return error_errno(err, -r, "delete the device %" PRIu32 " in the pool %s", id,
				   pool->name);
	dm_records_drop(&records, id);
	return dm_records_write(s, &records, err);
}

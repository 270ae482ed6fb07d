/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thin pool, and its devices as file systems. Inside the driver; devicemapper.c tells the whole. */
#ifndef DHOW_STORAGE_DEVICEMAPPER_H
#define DHOW_STORAGE_DEVICEMAPPER_H

#include "storage/devicemapper_ioctl.h"
#include "storage/devicemapper_records.h"

#define SECTOR_SIZE 512

struct dm_options {
	uint64_t base_size, data_size, metadata_size; /* bytes */
	uint64_t block_size;
	unsigned min_free_percent;
	const char *fs;                                        /* "ext4", "xfs" */
	const char *mkfs_arguments, *mount_options;            /* "-O x -E y"; "a,b=c"; or NULL */
	const char *thin_pool, *data_device, *metadata_device; /* or NULL */
};

/* The driver's data in struct storage. */
struct dm_pool {
	struct dm_options options;
	int control;  /* -1 until the pool is needed */
	int hold;     /* the pool's node: it stays as long as somebody has it open */
	char *prefix; /* of our devices' names */
	char *name;   /* the pool's */
	bool is_ours; /* made by us, to go when unused */
	dev_t device;
};

/* --- The pool (devicemapper_pool.c) --- */

/* The lock over the pool, its records and the making and mounting of devices, between threads and processes. Returns the
 * descriptor that holds it, or a negative errno. */
int dm_lock(struct storage *s, struct error **err);
/* Starts the pool, making it on the first use, and checks that it and the records belong together. Under the lock. */
int dm_pool_start(struct storage *s, struct error **err);
void dm_pool_stop(struct dm_pool *pool);
/* New devices in the pool, recorded first: an empty one, or a snapshot of origin. thin->sectors is given; its
 * number is filled in and kept in the "device" file of the directory place ("" : nowhere). Under the lock, with the pool started. */
int dm_pool_add(struct storage *s, const struct dm_thin *origin, const char *place,
		struct dm_thin *thin, struct error **err);
/* Deletes the device, which is not in use. Nothing happens to one that isn't there. Under the lock, with the pool started. */
int dm_pool_delete(struct storage *s, uint32_t id, struct error **err);
/* "used/total" of data and metadata in bytes. */
struct dm_usage {
	uint64_t data_used, data_total, metadata_used, metadata_total, transaction;
};
int dm_pool_usage(struct storage *s, struct dm_usage *usage, struct error **err);

/* --- Devices (devicemapper_device.c) --- */

/* The file system is one we know, and its mkfs is there. */
int dm_check_fs(const char *name, struct error **err);
/* The device's name for the device mapper. Caller frees. */
char *dm_thin_name(const struct dm_pool *pool, uint32_t id);
struct dm_mount {
	const struct dm_thin *thin;
	bool is_read_only; /* the file system; a writable one may be mounted several times */
	const char *label;
};
/* Its file system as a detached mount. The device goes with the last clone of it. Under the lock. */
int dm_thin_mount(struct storage *s, const struct dm_mount *mount, struct error **err);
/* Ends the device. -EBUSY while it is mounted. Gives its blocks back where asked to. Under the lock. */
int dm_thin_end(struct storage *s, const struct dm_thin *thin, bool discard, struct error **err);
/* The device with an empty file system that all others come from, made where it is missing. Under the lock. */
int dm_base(struct storage *s, struct dm_thin *base, struct error **err);
/* Lets the file system at dir fill a device that is larger than it. */
int dm_grow(int dir, uint64_t bytes, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written down about the thin pool and its devices. Inside the driver. */
#ifndef DHOW_STORAGE_DEVICEMAPPER_RECORDS_H
#define DHOW_STORAGE_DEVICEMAPPER_RECORDS_H

#include "storage/driver.h"

/* A thin device: its number in the pool, and its size, which the pool doesn't keep. */
struct dm_thin {
	uint32_t id;
	uint64_t sectors;
};

/* pool.json. Replaced as a whole, durably, before the pool is changed. */
struct dm_records {
	bool exist; /* false: no pool was made yet */
	uint64_t transaction;
	uint32_t next; /* where the search for an unused number begins */
	char *fs;      /* of the base device */
	uint64_t base_sectors;
	uint32_t base; /* the device with an empty file system; 0: not made yet */
	uint32_t *ids; /* that are, or may be, in the pool */
	size_t count;
};
int dm_records_read(struct storage *s, struct dm_records *records, struct error **err);
int dm_records_write(struct storage *s, const struct dm_records *records, struct error **err);
/* Return 0 or -ENOMEM. */
int dm_records_add(struct dm_records *records, uint32_t id);
void dm_records_drop(struct dm_records *records, uint32_t id);
void dm_records_free(struct dm_records *records);
#define _cleanup_records_ _cleanup_(dm_records_free)

/* The file "device" in the directory at path: which device a layer or container is. -ENOENT where there is none. */
int dm_thin_read(struct storage *s, const char *path, struct dm_thin *thin, struct error **err);
int dm_thin_write(struct storage *s, const char *path, const struct dm_thin *thin,
		  struct error **err);
/* Keeps in ids (count of them) those that nothing names: no layer, container, staging place. Returns how many, or a negative
 * errno. */
ssize_t dm_find_unused(struct storage *s, const struct dm_records *records, uint32_t *ids,
		       struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's device mapper by ioctl: linux/dm-ioctl.h, kernel docs admin-guide/device-mapper. Inside the driver. Devices are known by their
 * names. All return 0 or a negative errno with *err filled in; -ENXIO where there is no such device.
 *
 * No udev cookies are made, since nobody here waits for udev: devtmpfs has the node /dev/dm-N as soon as there is a table. */
#ifndef DHOW_STORAGE_DEVICEMAPPER_IOCTL_H
#define DHOW_STORAGE_DEVICEMAPPER_IOCTL_H

#include "base/base.h"

#define DM_NODE_SIZE 32 /* "/dev/dm-1048575" */

struct dm_target {
	const char *type;       /* "thin" */
	const char *parameters; /* one line, as in its documentation */
	uint64_t sectors;
};
struct dm_state {
	dev_t device;
	uint32_t open_count;
	bool is_suspended;
};

/* /dev/mapper/control, its version checked. The caller's. */
int dm_open_control(struct error **err);
/* The kernel has this target, as a module that loads or built in. */
int dm_check_target(int control, const char *type, struct error **err);
/* Makes a device of one target, and starts it. -EBUSY where the name is taken. */
int dm_create(int control, const char *name, const struct dm_target *target, dev_t *device,
	      struct error **err);
int dm_state(int control, const char *name, struct dm_state *state, struct error **err);
/* The one target's status line, or its table's. Caller frees. */
int dm_status(int control, const char *name, bool is_table, char **text, struct error **err);
int dm_message(int control, const char *name, const char *message, struct error **err);
/* Suspending freezes the file system on it, and waits for what is under way. */
int dm_suspend(int control, const char *name, bool is_on, struct error **err);
/* -EBUSY while it is open; deferred: it goes when it isn't any more. */
int dm_remove(int control, const char *name, bool is_deferred, struct error **err);
/* Calls fn for each device, also for those of others, until it returns non-zero, which is returned. */
int dm_each(int control, int (*fn)(void *data, const char *name), void *data, struct error **err);
/* The block device's node, checked to be it. */
int dm_node(dev_t device, char node[DM_NODE_SIZE], struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's device mapper by ioctl. See devicemapper_ioctl.h.
 *
 * Each call is one buffer: a header that names the device, and behind it what the call takes or gives. An answer that doesn't fit is
 * marked so, and asked for again with more room. */
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "storage/devicemapper_ioctl.h"

#define CONTROL  "/dev/mapper/control"
#define DATA_MAX (1U << 20)

#ifndef DM_GET_TARGET_VERSION
#define DM_GET_TARGET_VERSION _IOWR(DM_IOCTL, 17, struct dm_ioctl)
#endif

/* A call's buffer with room for size bytes behind the header. NULL when memory or name are too much. */
static struct dm_ioctl *new_call(const char *name, size_t size, uint32_t flags)
{
	size_t total = sizeof(struct dm_ioctl) + size;
	struct dm_ioctl *call;

	if (name && strlen(name) >= DM_NAME_LEN) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	call = calloc(1, total);
	if (!call)
		return NULL;
	/* The kernel refuses only another major number, or a newer minor one. */
	call->version[0] = DM_VERSION_MAJOR;
	call->data_size = (uint32_t)total;
	call->data_start = sizeof *call;
	call->flags = flags;
	if (name)
		memcpy(call->name, name, strlen(name) + 1);
	return call;
}

static void *call_data(struct dm_ioctl *call)
{
	return (char *)call + sizeof *call;
}

static int make_call(int control, unsigned long request, struct dm_ioctl *call, const char *word)
{
	uint64_t begin = trace_begin();
	int r = ioctl(control, request, call) < 0 ? -errno : 0;

	trace_step(TRACE_DEVICES, begin, word, r, "%s", call->name);
	return r;
}

/* A call that takes the name alone. */
static int simple_call(int control, unsigned long request, const char *word, const char *name,
		       uint32_t flags)
{
	_cleanup_free_ struct dm_ioctl *call = new_call(name, 0, flags);

	return call ? make_call(control, request, call, word) : -errno;
}

int dm_open_control(struct error **err)
{
	_cleanup_fd_ int fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return error_set(err, ENOTSUP, "the kernel has no device mapper: no " CONTROL);
	if (fd < 0)
		return error_errno(err, errno, "open " CONTROL);
	r = simple_call(fd, DM_VERSION, "dm_version", NULL, 0);
	return r < 0 ? error_errno(err, -r, "the kernel's device mapper") : TAKE_FD(fd);
}

int dm_check_target(int control, const char *type, struct error **err)
{
	_cleanup_free_ struct dm_ioctl *call = new_call(type, 1024, 0);
	int r = call ? make_call(control, DM_GET_TARGET_VERSION, call, "dm_get_target_version")
		     : -errno;

	/* Before Linux 5.4 only use tells. */
	if (r == 0 || r == -ENOTTY)
		return 0;
	return error_set(err, ENOTSUP,
			 "the kernel's device mapper has no target %s: no module dm_%s", type,
			 str_equal(type, "thin-pool") ? "thin_pool" : type);
}

static int load_table(int control, const char *name, const struct dm_target *target)
{
	size_t length = strlen(target->parameters) + 1;
	size_t size = (sizeof(struct dm_target_spec) + length + 7) & ~(size_t)7;
	_cleanup_free_ struct dm_ioctl *call = new_call(name, size, 0);
	struct dm_target_spec *spec;

	if (!call)
		return -errno;
	if (strlen(target->type) >= sizeof spec->target_type)
		return -ENAMETOOLONG;
	call->target_count = 1;
	spec = call_data(call);
	spec->length = target->sectors;
	spec->next = (uint32_t)size;
	memcpy(spec->target_type, target->type, strlen(target->type) + 1);
	memcpy(spec + 1, target->parameters, length);
	return make_call(control, DM_TABLE_LOAD, call, "dm_table_load");
}

int dm_create(int control, const char *name, const struct dm_target *target, dev_t *device,
	      struct error **err)
{
	struct dm_state state;
	int r = simple_call(control, DM_DEV_CREATE, "dm_dev_create", name, 0);

	if (r < 0)
		return error_errno(err, -r, "create the device %s", name);
	r = load_table(control, name, target);
	if (r < 0)
		error_errno(err, -r, "create the device %s (%s %s)", name, target->type,
			    target->parameters);
	if (r == 0)
		r = dm_suspend(control, name, false, err);
	if (r == 0)
		r = dm_state(control, name, &state, err);
	if (r < 0) {
		dm_remove(control, name, false, NULL);
		return r;
	}
	*device = state.device;
	return 0;
}

int dm_state(int control, const char *name, struct dm_state *state, struct error **err)
{
	_cleanup_free_ struct dm_ioctl *call = new_call(name, 0, 0);
	int r = call ? make_call(control, DM_DEV_STATUS, call, "dm_dev_status") : -errno;

	if (r < 0)
		return error_errno(err, -r, "look at the device %s", name);
	/* The kernel's encoding of 32 bits (huge_encode_dev) is the C library's for them. */
	*state = (struct dm_state){.device = (dev_t)call->dev,
				   .open_count = (uint32_t)call->open_count,
				   .is_suspended = call->flags & DM_SUSPEND_FLAG};
	return 0;
}

int dm_status(int control, const char *name, bool is_table, char **text, struct error **err)
{
	for (size_t size = 4096; size <= DATA_MAX; size *= 4) {
		_cleanup_free_ struct dm_ioctl *call =
			new_call(name, size, is_table ? DM_STATUS_TABLE_FLAG : 0);
		const struct dm_target_spec *spec;
		int r = call ? make_call(control, DM_TABLE_STATUS, call, "dm_table_status")
			     : -errno;

		if (r < 0)
			return error_errno(err, -r, "look at the device %s", name);
		if (call->flags & DM_BUFFER_FULL_FLAG)
			continue;
		if (call->target_count != 1)
			return error_set(err, EINVAL, "the device %s has %u targets, not one", name,
					 call->target_count);
		/* Where the answer begins is the kernel's to say. */
		spec = (const void *)((const char *)call + call->data_start);
		*text = strdup((const char *)(spec + 1));
		return *text ? 0 : error_errno(err, ENOMEM, "look at the device %s", name);
	}
	return error_errno(err, EFBIG, "look at the device %s", name);
}

int dm_message(int control, const char *name, const char *message, struct error **err)
{
	size_t length = strlen(message) + 1;
	_cleanup_free_ struct dm_ioctl *call =
		new_call(name, sizeof(struct dm_target_msg) + length, 0);
	struct dm_target_msg *data;
	int r;

	if (!call)
		return error_errno(err, errno, "tell the device %s: %s", name, message);
	data = call_data(call);
	memcpy(data->message, message, length);
	r = make_call(control, DM_TARGET_MSG, call, message);
	return r < 0 ? error_errno(err, -r, "tell the device %s: %s", name, message) : 0;
}

int dm_suspend(int control, const char *name, bool is_on, struct error **err)
{
	int r = simple_call(control, DM_DEV_SUSPEND, is_on ? "dm_dev_suspend" : "dm_dev_resume",
			    name, is_on ? DM_SUSPEND_FLAG : 0);

	return r < 0 ? error_errno(err, -r, "%s the device %s", is_on ? "suspend" : "start", name)
		     : 0;
}

int dm_remove(int control, const char *name, bool is_deferred, struct error **err)
{
	int r = simple_call(control, DM_DEV_REMOVE, "dm_dev_remove", name,
			    is_deferred ? DM_DEFERRED_REMOVE : 0);

	return r < 0 ? error_errno(err, -r, "remove the device %s", name) : 0;
}

/* The list's entries tell where the next one begins; the last says 0, as an empty list's first does with no device. */
static int walk_list(const char *list, const char *end, int (*fn)(void *data, const char *name),
		     void *data)
{
	const struct dm_name_list *entry = (const void *)list;

	while (list + sizeof *entry < end && entry->dev) {
		int r = fn(data, entry->name);

		if (r != 0 || entry->next == 0)
			return r;
		list += entry->next;
		entry = (const void *)list;
	}
	return 0;
}

int dm_each(int control, int (*fn)(void *data, const char *name), void *data, struct error **err)
{
	for (size_t size = 16384; size <= DATA_MAX; size *= 4) {
		_cleanup_free_ struct dm_ioctl *call = new_call(NULL, size, 0);
		int r = call ? make_call(control, DM_LIST_DEVICES, call, "dm_list_devices")
			     : -errno;

		if (r < 0)
			return error_errno(err, -r, "list the devices of the device mapper");
		if (!(call->flags & DM_BUFFER_FULL_FLAG))
			return walk_list((const char *)call + call->data_start,
					 (const char *)call + call->data_size, fn, data);
	}
	return error_errno(err, EFBIG, "list the devices of the device mapper");
}

int dm_node(dev_t device, char node[DM_NODE_SIZE], struct error **err)
{
	struct stat st;

	snprintf(node, DM_NODE_SIZE, "/dev/dm-%u", minor(device));
	if (stat(node, &st) < 0)
		return error_errno(err, errno, "find %s (devtmpfs on /dev would have it)", node);
	if (!S_ISBLK(st.st_mode) || st.st_rdev != device)
		return error_set(err, ENODEV, "%s is not the device %u:%u", node, major(device),
				 minor(device));
	return 0;
}

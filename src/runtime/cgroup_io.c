/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block I/O controller (v1 blkio, v2 io): linux.resources.blockIO, and its statistics.
 *
 * Weights exist where the scheduler has them: v1's blkio.weight was CFQ's and went with it in 5.0,
 * blkio.bfq.weight and v2's io.bfq.weight are BFQ's, io.weight is iocost's on another scale.
 * Documentation/admin-guide/cgroup-v1/blkio-controller.rst; cgroup-v2.rst, "IO"; block/bfq-iosched.rst. */
#include <inttypes.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

static bool has_file(const struct cgroup_target *t, const char *name)
{
	return t->dir && faccessat(t->dir->fd, name, F_OK, 0) == 0;
}

static bool given(struct spec_u64 v)
{
	return v.is_set && v.value != 0;
}

/* The four lists of linux.resources.blockIO and where they go. */
struct throttle_kind {
	const char *field, *file_v1, *key_v2;
	size_t offset;
};

#define THROTTLE(member) offsetof(struct spec_resources, block_io.member)
static const struct throttle_kind throttle_kinds[] = {
	{"blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps",
	 THROTTLE(read_bps)},
	{"blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps",
	 THROTTLE(write_bps)},
	{"blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops",
	 THROTTLE(read_iops)},
	{"blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops",
	 THROTTLE(write_iops)},
};

static int put_throttle(const struct cgroup_target *t, const struct throttle_kind *kind,
			const struct spec_throttle *throttle, bool is_v2)
{
	if (!is_v2)
		return cgroup_put(t, kind->field, kind->file_v1, "%" PRId64 ":%" PRId64 " %" PRIu64,
				  throttle->major, throttle->minor, throttle->rate);
	/* v1 lifts a limit by 0, v2 by "max". */
	if (throttle->rate == 0)
		return cgroup_put(t, kind->field, "io.max", "%" PRId64 ":%" PRId64 " %s=max",
				  throttle->major, throttle->minor, kind->key_v2);
	return cgroup_put(t, kind->field, "io.max", "%" PRId64 ":%" PRId64 " %s=%" PRIu64,
			  throttle->major, throttle->minor, kind->key_v2, throttle->rate);
}

static int set_throttles(const struct cgroup_target *t, const struct spec_resources *resources,
			 bool is_v2)
{
	for (size_t i = 0; i < ARRAY_SIZE(throttle_kinds); i++) {
		const struct throttle_kind *kind = &throttle_kinds[i];
		const struct spec_throttles *list =
			(const void *)((const char *)resources + kind->offset);

		for (size_t j = 0; j < list->count; j++) {
			int r = put_throttle(t, kind, &list->items[j], is_v2);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int set_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	bool has_cfq = has_file(t, "blkio.weight");
	const char *weight_file = has_cfq ? "blkio.weight" : "blkio.bfq.weight";
	const char *device_file = has_cfq ? "blkio.weight_device" : "blkio.bfq.weight_device";
	int r = 0;

	if (given(resources->block_io.weight))
		r = cgroup_put(t, "blockIO.weight", weight_file, "%" PRIu64,
			       resources->block_io.weight.value);
	if (r == 0 && given(resources->block_io.leaf_weight))
		r = cgroup_put(t, "blockIO.leafWeight", "blkio.leaf_weight", "%" PRIu64,
			       resources->block_io.leaf_weight.value);
	for (size_t i = 0; r == 0 && i < resources->block_io.weight_device_count; i++) {
		const struct spec_weight_device *d = &resources->block_io.weight_devices[i];

		if (given(d->weight))
			r = cgroup_put(t, "blockIO.weightDevice", device_file,
				       "%" PRId64 ":%" PRId64 " %" PRIu64, d->major, d->minor,
				       d->weight.value);
		if (r == 0 && given(d->leaf_weight))
			r = cgroup_put(t, "blockIO.weightDevice", "blkio.leaf_weight_device",
				       "%" PRId64 ":%" PRId64 " %" PRIu64, d->major, d->minor,
				       d->leaf_weight.value);
	}
	return r < 0 ? r : set_throttles(t, resources, false);
}

static int set_weight_v2(const struct cgroup_target *t, uint64_t weight)
{
	/* A missing controller is reported by the name of the file that needs nothing but it. */
	if (!t->dir || !has_file(t, "io.bfq.weight"))
		return cgroup_put(t, "blockIO.weight", "io.weight", "%" PRIu64,
				  cgroup_blkio_to_io_weight(weight));
	return cgroup_put(t, "blockIO.weight", "io.bfq.weight", "%" PRIu64, weight);
}

static int set_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int r = 0;

	if (given(resources->block_io.leaf_weight))
		return cgroup_refuse(t, "blockIO.leafWeight", "cgroup v2 has no leaf weights");
	if (given(resources->block_io.weight))
		r = set_weight_v2(t, resources->block_io.weight.value);
	for (size_t i = 0; r == 0 && i < resources->block_io.weight_device_count; i++) {
		const struct spec_weight_device *d = &resources->block_io.weight_devices[i];

		if (given(d->leaf_weight))
			return cgroup_refuse(t, "blockIO.weightDevice",
					     "cgroup v2 has no leaf weights");
		if (!given(d->weight))
			continue;
		if (has_file(t, "io.bfq.weight"))
			r = cgroup_put(t, "blockIO.weightDevice", "io.bfq.weight",
				       "%" PRId64 ":%" PRId64 " %" PRIu64, d->major, d->minor,
				       d->weight.value);
		else
			r = cgroup_put(t, "blockIO.weightDevice", "io.weight",
				       "%" PRId64 ":%" PRId64 " %" PRIu64, d->major, d->minor,
				       cgroup_blkio_to_io_weight(d->weight.value));
	}
	return r < 0 ? r : set_throttles(t, resources, true);
}

static json_t *io_entry(uint64_t major, uint64_t minor, const char *op, uint64_t value)
{
	return json_pack("{s:I, s:I, s:s*, s:o}", "major", (json_int_t)major, "minor",
			 (json_int_t)minor, "op", op, "value", cgroup_number(value));
}

/* "8:0 Read 123" and "8:0 123" lines; the grand total is left out. NULL where the file isn't there or
 * has no device. */
static json_t *read_entries_v1(const struct cgroup_target *t, const char *file)
{
	_cleanup_free_ char *text = NULL;
	json_t *entries = json_array();
	char *save = NULL;

	if (cgroup_read(t->dir->fd, t->dir->path, file, &text, NULL) < 0)
		text = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		uint64_t major, minor, value;
		char op[16] = "";

		if (sscanf(line, "%" SCNu64 ":%" SCNu64 " %15[A-Za-z] %" SCNu64, &major, &minor, op,
			   &value) == 4)
			json_array_append_new(entries, io_entry(major, minor, op, value));
		else if (sscanf(line, "%" SCNu64 ":%" SCNu64 " %" SCNu64, &major, &minor, &value) ==
			 3)
			json_array_append_new(entries, io_entry(major, minor, NULL, value));
	}
	if (json_array_size(entries) == 0)
		json_drop(&entries);
	return entries;
}

static int stat_v1(const struct cgroup_target *t, json_t *data)
{
	static const struct {
		const char *key, *name;
	} lists[] = {
		{"ioServiceBytesRecursive", "io_service_bytes"},
		{"ioServicedRecursive", "io_serviced"},
		{"ioQueueRecursive", "io_queued"},
		{"ioServiceTimeRecursive", "io_service_time"},
		{"ioWaitTimeRecursive", "io_wait_time"},
		{"ioMergedRecursive", "io_merged"},
		{"ioTimeRecursive", "time"},
		{"sectorsRecursive", "sectors"},
	};
	/* Whoever counts: BFQ where it schedules, CFQ on old kernels, else the throttle layer. */
	static const char *const counters[] = {
		"blkio.bfq.%s_recursive",
		"blkio.%s_recursive",
		"blkio.throttle.%s_recursive",
		"blkio.throttle.%s",
	};
	json_t *blkio = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(counters); j++) {
			_cleanup_free_ char *file = NULL;
			json_t *entries = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			if (asprintf(&file, counters[j], lists[i].name) < 0) {
#pragma GCC diagnostic pop
				file = NULL;
				break;
			}
			entries = read_entries_v1(t, file);
			if (!entries)
				continue;
			json_object_set_new(blkio, lists[i].key, entries);
			break;
		}
	}
	return json_object_set_new(data, "blkio", blkio);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" */
static int stat_v2(const struct cgroup_target *t, json_t *data)
{
	static const struct {
		const char *key_v2, *op;
		bool is_bytes;
	} keys[] = {
		{"rbytes=", "Read", true}, {"wbytes=", "Write", true}, {"dbytes=", "Discard", true},
		{"rios=", "Read", false},  {"wios=", "Write", false},  {"dios=", "Discard", false},
	};
	_cleanup_free_ char *text = NULL;
	json_t *bytes = json_array(), *count = json_array(), *blkio = json_object();
	json_t *psi = cgroup_pressure(t, "io.pressure");
	char *save = NULL, *save_word = NULL;

	if (cgroup_read(t->dir->fd, t->dir->path, "io.stat", &text, NULL) < 0)
		text = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		uint64_t major, minor, value;
		char *word = strtok_r(line, " ", &save_word);

		if (!word || sscanf(word, "%" SCNu64 ":%" SCNu64, &major, &minor) != 2)
			continue;
		while ((word = strtok_r(NULL, " ", &save_word))) {
			for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
				size_t n = strlen(keys[i].key_v2);

				if (strncmp(word, keys[i].key_v2, n) == 0 &&
				    parse_u64(word + n, UINT64_MAX, &value) == 0)
					json_array_append_new(
						keys[i].is_bytes ? bytes : count,
						io_entry(major, minor, keys[i].op, value));
			}
		}
	}
	json_object_set_new(blkio, "ioServiceBytesRecursive", bytes);
	json_object_set_new(blkio, "ioServicedRecursive", count);
	if (psi)
		json_object_set_new(blkio, "psi", psi);
	return json_object_set_new(data, "blkio", blkio);
}

const struct cgroup_controller cgroup_controller_io = {
	.name = "blkio",
	.unified_name = "io",
	.set_v1 = set_v1,
	.set_v2 = set_v2,
	.stat_v1 = stat_v1,
	.stat_v2 = stat_v2,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory controller: linux.resources.memory, and its statistics.
 *
 * v1 keeps memory and memory+swap, and refuses a value that would make the first greater than the
 * second: an update must write them in the order that fits the old values. v2 keeps swap by itself. A
 * limit below what is in use is refused by v1 (EBUSY); v2 kills for it, unless checkBeforeUpdate.
 * Documentation/admin-guide/cgroup-v1/memory.rst; cgroup-v2.rst, "Memory". */
#include <inttypes.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

#define LIMIT_V1 "memory.limit_in_bytes"
#define SWAP_V1  "memory.memsw.limit_in_bytes"

static int64_t value_of(struct spec_i64 v)
{
	return v.is_set ? v.value : 0;
}

static bool has_file(const struct cgroup_target *t, const char *name)
{
	return t->dir && faccessat(t->dir->fd, name, F_OK, 0) == 0;
}

static int put_limit_v1(const struct cgroup_target *t, int64_t limit)
{
	int r;

	if (limit == 0)
		return 0;
	r = cgroup_put(t, "memory.limit", LIMIT_V1, "%" PRId64, limit);
	if (r == -EBUSY) {
		uint64_t usage = cgroup_get(t, "memory.usage_in_bytes");

		return error_set(t->err, EBUSY,
				 "linux.resources.memory.limit: %" PRId64
				 " bytes are less than the %" PRIu64 " in use",
				 limit, usage);
	}
	return r;
}

static int put_swap_v1(const struct cgroup_target *t, int64_t swap)
{
	return swap == 0 ? 0 : cgroup_put(t, "memory.swap", SWAP_V1, "%" PRId64, swap);
}

static int set_limits_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int64_t limit = value_of(resources->memory.limit), swap = value_of(resources->memory.swap);
	bool is_swap_first = false;
	int r;

	if (limit == -1 && swap == 0 && has_file(t, SWAP_V1))
		swap = -1;
	if (limit != 0 && swap != 0 && t->dir && t->is_update)
		is_swap_first = swap == -1 || cgroup_get(t, LIMIT_V1) < (uint64_t)swap;
	r = is_swap_first ? put_swap_v1(t, swap) : put_limit_v1(t, limit);
	if (r < 0)
		return r;
	return is_swap_first ? put_limit_v1(t, limit) : put_swap_v1(t, swap);
}

static void warn_kernel(const struct spec_resources *resources)
{
	if (value_of(resources->memory.kernel) != 0)
		log_warning("linux.resources.memory.kernel is ignored: kernels since 5.16 count "
			    "kernel memory in the memory limit");
}

static int set_hierarchy_v1(const struct cgroup_target *t, const struct spec_bool *wanted)
{
	/* Since 5.11 every v1 memory cgroup is hierarchical, and 0 is refused. */
	if (!wanted->is_set ||
	    (t->dir && (cgroup_get(t, "memory.use_hierarchy") != 0) == wanted->value))
		return 0;
	return cgroup_put(t, "memory.useHierarchy", "memory.use_hierarchy", "%d", wanted->value);
}

static int set_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int r = set_hierarchy_v1(t, &resources->memory.use_hierarchy);

	if (r == 0)
		r = set_limits_v1(t, resources);
	if (r == 0 && value_of(resources->memory.reservation) != 0)
		r = cgroup_put(t, "memory.reservation", "memory.soft_limit_in_bytes", "%" PRId64,
			       resources->memory.reservation.value);
	if (r == 0 && value_of(resources->memory.kernel_tcp) != 0)
		r = cgroup_put(t, "memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes", "%" PRId64,
			       resources->memory.kernel_tcp.value);
	if (r == 0 && resources->memory.disable_oom_killer.is_set &&
	    (resources->memory.disable_oom_killer.value || (t->is_update && t->dir)))
		r = cgroup_put(t, "memory.disableOOMKiller", "memory.oom_control", "%d",
			       resources->memory.disable_oom_killer.value);
	if (r == 0 && resources->memory.swappiness.is_set)
		r = cgroup_put(t, "memory.swappiness", "memory.swappiness", "%" PRIu64,
			       resources->memory.swappiness.value);
	warn_kernel(resources);
	return r;
}

static int check_usage_v2(const struct cgroup_target *t, int64_t limit, int64_t swap)
{
	uint64_t usage = cgroup_get(t, "memory.current");

	if (swap > 0 && (uint64_t)swap <= usage)
		return error_set(t->err, EBUSY,
				 "linux.resources.memory.swap: %" PRId64
				 " bytes are not more than the %" PRIu64 " in use",
				 swap, usage);
	if (limit > 0 && (uint64_t)limit <= usage)
		return error_set(t->err, EBUSY,
				 "linux.resources.memory.limit: %" PRId64
				 " bytes are not more than the %" PRIu64 " in use",
				 limit, usage);
	return 0;
}

static int put_bytes(const struct cgroup_target *t, const char *field, const char *file,
		     int64_t value)
{
	return value == -1 ? cgroup_put(t, field, file, "max")
			   : cgroup_put(t, field, file, "%" PRId64, value);
}

static int set_swap_v2(const struct cgroup_target *t, int64_t limit, int64_t swap)
{
	const char *why;
	bool is_set;
	int64_t value;

	/* Updating swap alone: it counts with the memory limit in force. */
	if (swap > 0 && limit == 0 && t->is_update && t->dir) {
		uint64_t current = cgroup_get(t, "memory.max");

		limit = current > INT64_MAX ? -1 : (int64_t)current;
	}
	if (cgroup_swap_to_v2(swap, limit, &is_set, &value, &why) < 0)
		return cgroup_refuse(t, "memory.swap", why);
	if (!is_set)
		return 0;
	/* A kernel without swap accounting gives no swap to limit: nothing to do for none and for all. */
	if ((value == -1 || value == 0) && t->dir && !has_file(t, "memory.swap.max"))
		return 0;
	return put_bytes(t, "memory.swap", "memory.swap.max", value);
}

static int refuse_v1_only(const struct cgroup_target *t, const struct spec_resources *resources)
{
	if (value_of(resources->memory.kernel_tcp) != 0)
		return cgroup_refuse(t, "memory.kernelTCP", "cgroup v2 has no such limit");
	if (resources->memory.disable_oom_killer.value)
		return cgroup_refuse(t, "memory.disableOOMKiller",
				     "cgroup v2 can't turn the OOM killer off");
	if (resources->memory.swappiness.is_set)
		return cgroup_refuse(t, "memory.swappiness", "cgroup v2 has no swappiness");
	if (resources->memory.use_hierarchy.is_set && !resources->memory.use_hierarchy.value)
		return cgroup_refuse(t, "memory.useHierarchy", "cgroup v2 is always hierarchical");
	return 0;
}

static int set_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int64_t limit = value_of(resources->memory.limit), swap = value_of(resources->memory.swap);
	int r = refuse_v1_only(t, resources);

	if (r == 0 && resources->memory.check_before_update.value && t->dir)
		r = check_usage_v2(t, limit, swap);
	if (r == 0)
		r = set_swap_v2(t, limit, swap);
	if (r == 0 && limit != 0)
		r = put_bytes(t, "memory.limit", "memory.max", limit);
	if (r == 0 && value_of(resources->memory.reservation) != 0)
		r = put_bytes(t, "memory.reservation", "memory.low",
			      resources->memory.reservation.value);
	warn_kernel(resources);
	return r;
}

/* The four numbers of one kind of memory. */
static json_t *entry_v1(const struct cgroup_target *t, const char *kind)
{
	static const struct {
		const char *key, *file;
	} numbers[] = {{"limit", "limit_in_bytes"},
		       {"usage", "usage_in_bytes"},
		       {"max", "max_usage_in_bytes"},
		       {"failcnt", "failcnt"}};
	json_t *entry = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char file[64];

		snprintf(file, sizeof file, "memory.%s%s", kind, numbers[i].file);
		json_object_set_new(entry, numbers[i].key, cgroup_number(cgroup_get(t, file)));
	}
	return entry;
}

static int stat_v1(const struct cgroup_target *t, json_t *data)
{
	json_t *raw = cgroup_pairs(t, "memory.stat");
	json_t *memory =
		json_pack("{s:O*, s:o, s:o, s:o, s:o, s:o}", "cache", json_object_get(raw, "cache"),
			  "usage", entry_v1(t, ""), "swap", entry_v1(t, "memsw."), "kernel",
			  entry_v1(t, "kmem."), "kernelTCP", entry_v1(t, "kmem.tcp."), "raw", raw);

	return json_object_set_new(data, "memory", memory);
}

static json_t *entry_v2(uint64_t limit, uint64_t usage, uint64_t max, uint64_t failcnt)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "limit", cgroup_number(limit), "usage",
			 cgroup_number(usage), "max", cgroup_number(max), "failcnt",
			 cgroup_number(failcnt));
}

static int stat_v2(const struct cgroup_target *t, json_t *data)
{
	uint64_t limit = cgroup_get(t, "memory.max"), usage = cgroup_get(t, "memory.current");
	uint64_t swap_limit = cgroup_get(t, "memory.swap.max");
	uint64_t swap_usage = cgroup_get(t, "memory.swap.current");
	json_t *raw = cgroup_pairs(t, "memory.stat");
	json_t *events = cgroup_pairs(t, "memory.events");
	/* In v1's terms swap is memory and swap together. */
	uint64_t both = swap_limit > UINT64_MAX - limit ? UINT64_MAX : swap_limit + limit;
	json_t *memory =
		json_pack("{s:O*, s:o, s:o, s:o, s:o, s:o, s:o*, s:o}", "cache",
			  json_object_get(raw, "file"), "usage",
			  entry_v2(limit, usage, cgroup_get(t, "memory.peak"),
				   (uint64_t)json_integer_value(json_object_get(events, "max"))),
			  "swap", entry_v2(both, swap_usage + usage, 0, 0), "kernel",
			  entry_v2(0, 0, 0, 0), "kernelTCP", entry_v2(0, 0, 0, 0), "raw", raw,
			  "psi", cgroup_pressure(t, "memory.pressure"), "event_count", events);

	return json_object_set_new(data, "memory", memory);
}

const struct cgroup_controller cgroup_controller_memory = {
	.name = "memory",
	.unified_name = "memory",
	.set_v1 = set_v1,
	.set_v2 = set_v2,
	.stat_v1 = stat_v1,
	.stat_v2 = stat_v2,
};

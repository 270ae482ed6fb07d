/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cpu, cpuacct and cpuset controllers: linux.resources.cpu, and their statistics.
 *
 * Quota, period and burst bound each other, as do the realtime runtime and period: the kernel refuses
 * (EINVAL) a period or burst that doesn't fit the old quota, and the write is tried again after the new quota.
 * Documentation/scheduler/sched-bwc.rst; cgroup-v2.rst, "CPU" and "Cpuset". */
#include <inttypes.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

static bool given(struct spec_u64 v)
{
	return v.is_set && v.value != 0;
}

static bool given_signed(struct spec_i64 v)
{
	return v.is_set && v.value != 0;
}

/* One value of a pair that bound each other. */
struct bound_put {
	const char *field, *file;
	struct spec_u64 value;
	bool is_again; /* refused for the other's old value: to be tried again */
};

static int put_bound(const struct cgroup_target *t, struct bound_put *b, bool has_other)
{
	int r;

	if (!b->value.is_set)
		return 0;
	r = cgroup_put(t, b->field, b->file, "%" PRIu64, b->value.value);
	if (r == -EINVAL && has_other && !b->is_again) {
		b->is_again = true;
		if (t->err)
			error_freep(t->err);
		return 0;
	}
	b->is_again = false;
	return r;
}

static int set_realtime(const struct cgroup_target *t, const struct spec_resources *resources)
{
	struct bound_put period = {
		.field = "cpu.realtimePeriod",
		.file = "cpu.rt_period_us",
		.value = {given(resources->cpu.realtime_period),
			  resources->cpu.realtime_period.value},
	};
	bool has_runtime = given_signed(resources->cpu.realtime_runtime);
	int r = put_bound(t, &period, has_runtime);

	if (r == 0 && has_runtime)
		r = cgroup_put(t, "cpu.realtimeRuntime", "cpu.rt_runtime_us", "%" PRId64,
			       resources->cpu.realtime_runtime.value);
	if (r == 0 && period.is_again)
		r = put_bound(t, &period, true);
	return r;
}

static int set_bandwidth_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	struct bound_put period = {
		.field = "cpu.period",
		.file = "cpu.cfs_period_us",
		.value = {given(resources->cpu.period), resources->cpu.period.value},
	};
	struct bound_put burst = {
		.field = "cpu.burst",
		.file = "cpu.cfs_burst_us",
		.value = resources->cpu.burst,
	};
	bool has_quota = given_signed(resources->cpu.quota);
	int r = put_bound(t, &period, has_quota);

	if (r == 0)
		r = put_bound(t, &burst, has_quota);
	if (r == 0 && has_quota)
		r = cgroup_put(t, "cpu.quota", "cpu.cfs_quota_us", "%" PRId64,
			       resources->cpu.quota.value);
	if (r == 0 && period.is_again)
		r = put_bound(t, &period, true);
	if (r == 0 && burst.is_again)
		r = put_bound(t, &burst, true);
	return r;
}

/* The kernel clamps shares to its range in silence. */
static int set_shares_v1(const struct cgroup_target *t, uint64_t shares)
{
	uint64_t now;
	int r = cgroup_put(t, "cpu.shares", "cpu.shares", "%" PRIu64, shares);

	if (r < 0)
		return r;
	if (shares >= 2 && shares <= 262144)
		return 0;
	now = cgroup_get(t, "cpu.shares");
	if (now == shares)
		return 0;
	return error_set(t->err, ERANGE,
			 "linux.resources.cpu.shares: %" PRIu64
			 " is out of range, the %s is %" PRIu64,
			 shares, shares > now ? "maximum" : "minimum", now);
}

static int set_cpu_v1(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int r = 0;

	if (given(resources->cpu.shares))
		r = set_shares_v1(t, resources->cpu.shares.value);
	if (r == 0)
		r = set_bandwidth_v1(t, resources);
	if (r == 0 && resources->cpu.idle.is_set)
		r = cgroup_put(t, "cpu.idle", "cpu.idle", "%" PRId64, resources->cpu.idle.value);
	return r < 0 ? r : set_realtime(t, resources);
}

static int set_bandwidth_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	uint64_t period = given(resources->cpu.period) ? resources->cpu.period.value : 0;
	int64_t quota = given_signed(resources->cpu.quota) ? resources->cpu.quota.value : 0;
	struct bound_put burst = {
		.field = "cpu.burst",
		.file = "cpu.max.burst",
		.value = resources->cpu.burst,
	};
	const char *field = quota != 0 ? "cpu.quota" : "cpu.period";
	_cleanup_free_ char *now = NULL;
	int r = put_bound(t, &burst, quota != 0);

	if (r < 0 || (quota == 0 && period == 0))
		return r;
	/* Both are in one file. What is not given stays as it is; a new directory has "max 100000". */
	if (quota > 0 && period > 0)
		r = cgroup_put(t, field, "cpu.max", "%" PRId64 " %" PRIu64, quota, period);
	else if (quota > 0)
		r = cgroup_put(t, field, "cpu.max", "%" PRId64, quota);
	else if (quota < 0 && period == 0)
		r = cgroup_put(t, field, "cpu.max", "max");
	else if (quota == 0 && t->dir && t->is_update &&
		 cgroup_read(t->dir->fd, t->dir->path, "cpu.max", &now, NULL) == 0)
		r = cgroup_put(t, field, "cpu.max", "%.*s %" PRIu64, (int)strcspn(now, " "), now,
			       period);
	else
		r = cgroup_put(t, field, "cpu.max", "max %" PRIu64, period);
	return r == 0 && burst.is_again ? put_bound(t, &burst, true) : r;
}

static int set_cpu_v2(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int r = 0;

	if (given(resources->cpu.realtime_period))
		return cgroup_refuse(t, "cpu.realtimePeriod", "cgroup v2 has no realtime limits");
	if (given_signed(resources->cpu.realtime_runtime))
		return cgroup_refuse(t, "cpu.realtimeRuntime", "cgroup v2 has no realtime limits");
	if (resources->cpu.idle.is_set)
		r = cgroup_put(t, "cpu.idle", "cpu.idle", "%" PRId64, resources->cpu.idle.value);
	/* An idle cgroup has weight 0 by definition, and refuses another. */
	if (r == 0 && given(resources->cpu.shares) &&
	    !(resources->cpu.idle.is_set && resources->cpu.idle.value == 1))
		r = cgroup_put(t, "cpu.shares", "cpu.weight", "%" PRIu64,
			       cgroup_shares_to_weight(resources->cpu.shares.value));
	return r < 0 ? r : set_bandwidth_v2(t, resources);
}

static int set_cpuset(const struct cgroup_target *t, const struct spec_resources *resources)
{
	int r = 0;

	if (resources->cpu.cpus && *resources->cpu.cpus)
		r = cgroup_put(t, "cpu.cpus", "cpuset.cpus", "%s", resources->cpu.cpus);
	if (r == 0 && resources->cpu.mems && *resources->cpu.mems)
		r = cgroup_put(t, "cpu.mems", "cpuset.mems", "%s", resources->cpu.mems);
	return r;
}

static json_t *cpu_object(json_t *data)
{
	json_t *cpu = json_object_get(data, "cpu");

	if (!cpu) {
		cpu = json_object();
		json_object_set_new(data, "cpu", cpu);
	}
	return cpu;
}

static uint64_t member(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void add_throttling(json_t *cpu, uint64_t periods, uint64_t throttled, uint64_t time_ns)
{
	json_object_set_new(cpu, "throttling",
			    json_pack("{s:I, s:I, s:I}", "periods", (json_int_t)periods,
				      "throttledPeriods", (json_int_t)throttled, "throttledTime",
				      (json_int_t)time_ns));
}

static int stat_cpu_v1(const struct cgroup_target *t, json_t *data)
{
	_cleanup_json_ json_t *stat = cgroup_pairs(t, "cpu.stat");

	add_throttling(cpu_object(data), member(stat, "nr_periods"), member(stat, "nr_throttled"),
		       member(stat, "throttled_time"));
	return 0;
}

static int stat_cpu_v2(const struct cgroup_target *t, json_t *data)
{
	_cleanup_json_ json_t *stat = cgroup_pairs(t, "cpu.stat");
	json_t *cpu = cpu_object(data);
	json_t *psi = cgroup_pressure(t, "cpu.pressure");

	json_object_set_new(cpu, "usage",
			    json_pack("{s:I, s:I, s:I}", "total",
				      (json_int_t)member(stat, "usage_usec") * 1000, "kernel",
				      (json_int_t)member(stat, "system_usec") * 1000, "user",
				      (json_int_t)member(stat, "user_usec") * 1000));
	add_throttling(cpu, member(stat, "nr_periods"), member(stat, "nr_throttled"),
		       member(stat, "throttled_usec") * 1000);
	if (psi)
		json_object_set_new(cpu, "psi", psi);
	return 0;
}

/* "cpu user system" lines under a heading, nanoseconds. */
static void add_percpu(const struct cgroup_target *t, json_t *usage)
{
	_cleanup_free_ char *text = NULL;
	json_t *total = json_array(), *kernel = json_array(), *user = json_array();
	char *save = NULL;

	if (cgroup_read(t->dir->fd, t->dir->path, "cpuacct.usage_all", &text, NULL) == 0)
		strtok_r(text, "\n", &save);
	while (text) {
		const char *line = strtok_r(NULL, "\n", &save);
		uint64_t cpu, user_ns, kernel_ns;

		if (!line || sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &cpu, &user_ns,
				    &kernel_ns) != 3)
			break;
		json_array_append_new(user, cgroup_number(user_ns));
		json_array_append_new(kernel, cgroup_number(kernel_ns));
	}
	free(text);
	text = NULL;
	save = NULL;
	if (cgroup_read(t->dir->fd, t->dir->path, "cpuacct.usage_percpu", &text, NULL) == 0) {
		for (char *word = strtok_r(text, " \n", &save); word;
		     word = strtok_r(NULL, " \n", &save)) {
			uint64_t ns;

			if (parse_u64(word, UINT64_MAX, &ns) == 0)
				json_array_append_new(total, cgroup_number(ns));
		}
	}
	json_object_set_new(usage, "percpu", total);
	json_object_set_new(usage, "percpu_kernel", kernel);
	json_object_set_new(usage, "percpu_user", user);
}

static int stat_cpuacct_v1(const struct cgroup_target *t, json_t *data)
{
	/* cpuacct.stat counts in hundredths of a second (USER_HZ). */
	const json_int_t tick_ns = 10000000;
	_cleanup_json_ json_t *stat = cgroup_pairs(t, "cpuacct.stat");
	json_t *usage =
		json_pack("{s:o, s:I, s:I}", "total", cgroup_number(cgroup_get(t, "cpuacct.usage")),
			  "kernel", (json_int_t)member(stat, "system") * tick_ns, "user",
			  (json_int_t)member(stat, "user") * tick_ns);

	add_percpu(t, usage);
	json_object_set_new(cpu_object(data), "usage", usage);
	return 0;
}

/* "0-2,7" to [0,1,2,7]. */
json_t *cgroup_mask_to_array(const char *mask)
{
	json_t *array = json_array();

	for (const char *p = mask; *p;) {
		unsigned first, last;
		int n = 0;

		if (sscanf(p, "%u%n", &first, &n) != 1 || n == 0)
			break;
		last = first;
		p += n;
		n = 0;
		if (sscanf(p, "-%u%n", &last, &n) == 1)
			p += n;
		for (unsigned i = first; i <= last && i <= UINT16_MAX; i++)
			json_array_append_new(array, json_integer(i));
		p += *p == ',';
	}
	return array;
}

static int stat_cpuset_v1(const struct cgroup_target *t, json_t *data)
{
	static const char *const numbers[] = {
		"cpu_exclusive",   "mem_hardwall",       "mem_exclusive",
		"memory_migrate",  "memory_spread_page", "memory_spread_slab",
		"memory_pressure", "sched_load_balance", "sched_relax_domain_level",
	};
	static const char *const lists[] = {"cpus", "mems"};
	json_t *cpuset = json_object();
	char file[64];

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_free_ char *mask = NULL;

		snprintf(file, sizeof file, "cpuset.%s", lists[i]);
		if (cgroup_read(t->dir->fd, t->dir->path, file, &mask, NULL) == 0)
			json_object_set_new(cpuset, lists[i], cgroup_mask_to_array(mask));
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t value;

		snprintf(file, sizeof file, "cpuset.%s", numbers[i]);
		value = cgroup_get(t, file);
		json_object_set_new(cpuset, numbers[i],
				    value == UINT64_MAX ? json_integer(-1) : cgroup_number(value));
	}
	return json_object_set_new(data, "cpuset", cpuset);
}

const struct cgroup_controller cgroup_controller_cpu = {
	.name = "cpu",
	.unified_name = "cpu",
	.set_v1 = set_cpu_v1,
	.set_v2 = set_cpu_v2,
	.stat_v1 = stat_cpu_v1,
	.stat_v2 = stat_cpu_v2,
};

const struct cgroup_controller cgroup_controller_cpuacct = {
	.name = "cpuacct",
	.stat_v1 = stat_cpuacct_v1,
};

const struct cgroup_controller cgroup_controller_cpuset = {
	.name = "cpuset",
	.unified_name = "cpuset",
	.set_v1 = set_cpuset,
	.set_v2 = set_cpuset,
	.stat_v1 = stat_cpuset_v1,
};

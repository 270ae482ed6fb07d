/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.resources as systemd's properties.
 *
 * The same values are written to the cgroup's files by the controllers, which also check them. What is told to
 * systemd is what it would otherwise undo, as it writes all files that it knows of a unit again whenever it is
 * told to reload or one of the unit's properties changes. */
#include <inttypes.h>

#include "runtime/cgroup_devices.h"
#include "runtime/cgroup_internal.h"
#include "runtime/cgroup_systemd.h"

#define PERIOD_DEFAULT_US 100000
#define SECOND_US         1000000
#define PERCENT_US        10000 /* of a second of CPU time */
#define MASK_BITS         8192  /* more than any kernel has CPUs or nodes */
#define VERSION_PERIOD    "242"
#define VERSION_CPUSET    "244"
#define VERSION_IDLE      "252"
#define VERSION_ZSWAP     "253"

/* What the functions below add to. */
struct translation {
	struct strv *properties;
	const struct systemd_limits *limits;
	struct error **err;
};

static int add(const struct translation *t, const char *format, ...) _printf_(2, 3);
static int add(const struct translation *t, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		text = NULL;
	if (n < 0 || strv_add(t->properties, text) < 0)
		return error_errno(t->err, ENOMEM, "tell systemd the limits");
	return 0;
}

/* A limit where -1 is none and 0 is not given. */
static int add_limit(const struct translation *t, const char *name, int64_t value)
{
	if (value == 0)
		return 0;
	return value < 0 ? add(t, "%s=t:infinity", name) : add(t, "%s=t:%" PRId64, name, value);
}

static int64_t value_of(struct spec_i64 v)
{
	return v.is_set ? v.value : 0;
}

static uint64_t value_of_u(struct spec_u64 v)
{
	return v.is_set ? v.value : 0;
}

static int add_memory(const struct translation *t, const struct spec_resources *resources)
{
	int64_t limit = value_of(resources->memory.limit), swap;
	bool has_swap;
	const char *why;
	int r;

	if (!t->limits->is_v2)
		return add_limit(t, "MemoryLimit", limit);
	r = add_limit(t, "MemoryMax", limit);
	if (r == 0)
		r = add_limit(t, "MemoryLow", value_of(resources->memory.reservation));
	if (r < 0)
		return r;
	if (cgroup_swap_to_v2(value_of(resources->memory.swap), limit, &has_swap, &swap, &why) < 0)
		return error_set(t->err, EINVAL, "linux.resources.memory.swap: %s", why);
	if (!has_swap)
		return 0;
	return swap == 0 ? add(t, "MemorySwapMax=t:0") : add_limit(t, "MemorySwapMax", swap);
}

/* Microseconds of CPU time in a second, in whole percents, rounded up. */
static uint64_t quota_per_second(int64_t quota, uint64_t period)
{
	unsigned __int128 per_second = (unsigned __int128)quota * SECOND_US / period;
	unsigned __int128 percents = (per_second + PERCENT_US - 1) / PERCENT_US;

	return percents > UINT64_MAX / PERCENT_US ? UINT64_MAX : (uint64_t)percents * PERCENT_US;
}

static int add_quota(const struct translation *t, int64_t quota, uint64_t period)
{
	uint64_t per_second;
	int r = 0;

	if (period != 0)
		r = add(t, VERSION_PERIOD ":CPUQuotaPeriodUSec=t:%" PRIu64, period);
	if (r < 0 || (quota == 0 && period == 0))
		return r;
	if (quota <= 0)
		return add(t, "CPUQuotaPerSecUSec=t:infinity");
	per_second = quota_per_second(quota, period ? period : PERIOD_DEFAULT_US);
	return add(t, "CPUQuotaPerSecUSec=t:%" PRIu64, per_second);
}

/* "0-2,7" as the bits 0x87 in the first byte. */
static int parse_mask(const char *list, uint8_t bits[MASK_BITS / 8])
{
	_cleanup_strv_ struct strv ranges = {0};

	if (strv_split(&ranges, list, ", \n") < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ranges.count; i++) {
		char *dash = strchr(ranges.items[i], '-');
		uint64_t first, last;

		if (dash)
			*dash++ = '\0';
		if (parse_u64(ranges.items[i], MASK_BITS - 1, &first) < 0 ||
		    parse_u64(dash ? dash : ranges.items[i], MASK_BITS - 1, &last) < 0 ||
		    last < first)
			return -EINVAL;
		for (uint64_t bit = first; bit <= last; bit++)
			bits[bit / 8] |= (uint8_t)(1u << (bit % 8));
	}
	return 0;
}

static int add_mask(const struct translation *t, const char *property, const char *field,
		    const char *list)
{
	uint8_t bits[MASK_BITS / 8] = {0};
	char hex[MASK_BITS / 4 + 1] = "";
	size_t length = sizeof bits;
	int r;

	if (!list || !*list)
		return 0;
	r = parse_mask(list, bits);
	if (r < 0)
		return error_errno(t->err, -r, "linux.resources.%s: \"%s\"", field, list);
	while (length > 0 && bits[length - 1] == 0)
		length--;
	for (size_t i = 0; i < length; i++)
		snprintf(hex + 2 * i, 3, "%02x", bits[i]);
	return add(t, VERSION_CPUSET ":%s=ay:%s", property, hex);
}

/* Before 252 systemd knows no idle cgroups: the file has it, until systemd writes that again. */
static int add_idle(const struct translation *t)
{
	return add(t, VERSION_IDLE ":CPUWeight=t:0");
}

static int add_cpu(const struct translation *t, const struct spec_resources *resources)
{
	uint64_t shares = value_of_u(resources->cpu.shares);
	int r = 0;

	if (!t->limits->is_v2 && shares != 0)
		r = add(t, "CPUShares=t:%" PRIu64, shares);
	else if (t->limits->is_v2 && value_of(resources->cpu.idle) == 1)
		r = add_idle(t);
	else if (shares != 0)
		r = add(t, "CPUWeight=t:%" PRIu64, cgroup_shares_to_weight(shares));
	if (r == 0)
		r = add_quota(t, value_of(resources->cpu.quota), value_of_u(resources->cpu.period));
	if (r == 0)
		r = add_mask(t, "AllowedCPUs", "cpu.cpus", resources->cpu.cpus);
	if (r == 0)
		r = add_mask(t, "AllowedMemoryNodes", "cpu.mems", resources->cpu.mems);
	return r;
}

/* 0 becomes 1, as in the file: systemd takes no 0, and the first process is there anyway. */
static int add_pids(const struct translation *t, const struct spec_resources *resources)
{
	int64_t limit = resources->pids_limit.value;

	if (!resources->pids_limit.is_set || (limit < 0 && !t->limits->is_update))
		return 0;
	return add_limit(t, "TasksMax", limit == 0 ? 1 : limit);
}

static int add_io(const struct translation *t, const struct spec_resources *resources)
{
	uint64_t weight = value_of_u(resources->block_io.weight);

	if (weight == 0)
		return 0;
	if (!t->limits->is_v2)
		return add(t, "BlockIOWeight=t:%" PRIu64, weight);
	return add(t, "IOWeight=t:%" PRIu64, cgroup_blkio_to_io_weight(weight));
}

/* systemd takes exact devices by the path that names their numbers, all of a major by its group, and all of a
 * type by "*"; a minor of every major it can't say. */
static int add_device(struct strbuf *list, const struct device_exception *e)
{
	const char *type = e->type == 'b' ? "block" : "char";

	if (e->major < 0 && e->minor >= 0)
		return 0;
	strbuf_adds(list, list->length ? "\n" : "");
	if (e->major < 0)
		strbuf_addf(list, "%s-*", type);
	else if (e->minor < 0)
		strbuf_addf(list, "%s-%" PRId64, type, e->major);
	else
		strbuf_addf(list, "/dev/%s/%" PRId64 ":%" PRId64, type, e->major, e->minor);
	strbuf_addf(list, "\t%s%s%s", e->access & DEVICE_READ ? "r" : "",
		    e->access & DEVICE_WRITE ? "w" : "", e->access & DEVICE_MKNOD ? "m" : "");
	return 0;
}

/* systemd knows lists of what is allowed only. A list of what is denied is ours to enforce: on v2 by a program that
 * systemd's doesn't undo; on v1, where there is one list, systemd must not open it, so it denies all till ours is
 * written. */
static int add_denials(const struct translation *t, const struct device_state *state)
{
	bool is_closed = !t->limits->is_v2 && state->count > 0;
	int r = add(t, "DevicePolicy=s:%s", is_closed ? "strict" : "auto");

	return r == 0 ? add(t, "DeviceAllow=a(ss):") : r;
}

static int add_devices(const struct translation *t, const struct spec_resources *resources)
{
	_cleanup_strbuf_ struct strbuf list = {0};
	_cleanup_free_ struct device_exception *exceptions = NULL;
	struct device_state state = {0};
	int r;

	if (t->limits->is_user || (t->limits->is_update && resources->device_count == 0))
		return 0;
	r = device_state_build(resources->devices, resources->device_count, &state, t->err);
	if (r < 0)
		return r;
	exceptions = state.exceptions;
	if (state.is_allowed)
		return add_denials(t, &state);
	for (size_t i = 0; i < state.count; i++)
		add_device(&list, &exceptions[i]);
	if (list.failed)
		return error_errno(t->err, ENOMEM, "tell systemd the devices");
	r = add(t, "DevicePolicy=s:strict");
	/* An empty list first: what there is would stay, and this adds to it. */
	if (r == 0)
		r = add(t, "DeviceAllow=a(ss):");
	if (r == 0 && list.length > 0)
		r = add(t, "DeviceAllow=a(ss):%s", list.text);
	return r;
}

/* "max", a number, or io.weight's "default NUMBER". */
static int parse_value(const char *text, int64_t *out)
{
	if (strcmp(text, "max") == 0) {
		*out = -1;
		return 0;
	}
	return parse_i64(str_starts(text, "default ") ? text + strlen("default ") : text, 0,
			 INT64_MAX, out);
}

/* "QUOTA PERIOD" */
static int add_cpu_max(const struct translation *t, const char *value)
{
	_cleanup_strv_ struct strv words = {0};
	uint64_t period = PERIOD_DEFAULT_US;
	int64_t quota;

	if (strv_split(&words, value, " ") < 0)
		return error_errno(t->err, ENOMEM, "linux.resources.unified");
	if (words.count < 1 || words.count > 2 || parse_value(words.items[0], &quota) < 0 ||
	    (words.count == 2 && parse_u64(words.items[1], INT64_MAX, &period) < 0) || period == 0)
		return error_set(t->err, EINVAL, "linux.resources.unified: cpu.max: \"%s\"", value);
	return add_quota(t, quota, period);
}

/* The files of a v2 cgroup that systemd has properties for, as plain numbers. */
static const struct {
	const char *file, *property;
} unified_numbers[] = {
	{"cpu.weight", "CPUWeight"},
	{"io.weight", "IOWeight"},
	{"memory.high", "MemoryHigh"},
	{"memory.low", "MemoryLow"},
	{"memory.max", "MemoryMax"},
	{"memory.min", "MemoryMin"},
	{"memory.swap.max", "MemorySwapMax"},
	{"memory.zswap.max", VERSION_ZSWAP ":MemoryZSwapMax"},
	{"pids.max", "TasksMax"},
};

static int add_unified_number(const struct translation *t, const struct spec_pair *pair)
{
	int64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(unified_numbers); i++) {
		if (strcmp(pair->key, unified_numbers[i].file) != 0)
			continue;
		/* io.weight may have lines for devices, which are no matter of IOWeight. */
		if (parse_value(pair->value, &value) < 0)
			return strcmp(pair->key, "io.weight") == 0
				       ? 0
				       : error_set(t->err, EINVAL,
						   "linux.resources.unified: %s: \"%s\"", pair->key,
						   pair->value);
		if (value < 0)
			return add(t, "%s=t:infinity", unified_numbers[i].property);
		return add(t, "%s=t:%" PRId64, unified_numbers[i].property, value);
	}
	return 0;
}

static int add_unified(const struct translation *t, const struct spec_pairs *unified)
{
	int r = 0;

	for (size_t i = 0; r == 0 && t->limits->is_v2 && i < unified->count; i++) {
		const struct spec_pair *pair = &unified->items[i];

		if (strcmp(pair->key, "cpu.max") == 0)
			r = add_cpu_max(t, pair->value);
		else if (strcmp(pair->key, "cpu.idle") == 0)
			r = strcmp(pair->value, "1") == 0 ? add_idle(t) : 0;
		else if (strcmp(pair->key, "cpuset.cpus") == 0)
			r = add_mask(t, "AllowedCPUs", "unified: cpuset.cpus", pair->value);
		else if (strcmp(pair->key, "cpuset.mems") == 0)
			r = add_mask(t, "AllowedMemoryNodes", "unified: cpuset.mems", pair->value);
		else
			r = add_unified_number(t, pair);
	}
	return r;
}

int systemd_add_resources(struct strv *properties, const struct spec_resources *resources,
			  const struct systemd_limits *limits, struct error **err)
{
	const struct translation t = {properties, limits, err};
	int r = add_devices(&t, resources);

	r = r ? r : add_memory(&t, resources);
	r = r ? r : add_cpu(&t, resources);
	r = r ? r : add_pids(&t, resources);
	r = r ? r : add_io(&t, resources);
	return r ? r : add_unified(&t, &resources->unified);
}

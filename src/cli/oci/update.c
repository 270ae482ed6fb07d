/* SPDX-License-Identifier: GPL-2.0-or-later */
/* update: changes the limits of a container, by options or by a JSON file of linux.resources. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/oci/oci.h"

#define FILE_MAX (4U << 20)

struct update_values {
	const char *resources;
	const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpu_idle, *cpuset_cpus, *cpuset_mems;
	const char *kernel_memory, *kernel_memory_tcp, *memory, *memory_reservation, *memory_swap;
	const char *l3_cache_schema, *mem_bw_schema;
	int blkio_weight, pids_limit;
};

#define LIMIT_OPTION(option, member, what, text)             \
	{                                                    \
		.name = option, .value = what, .help = text, \
		OPTION_TO(struct update_values, member)      \
	}

static const struct command_option options[] = {
	{.name = "resources",
	 .alias = "r",
	 .value = "file",
	 .completion = COMPLETE_FILE,
	 .help = "read the resources to update from this file, or from standard input where it is "
		 "'-'",
	 .details =
		 "The format is that of linux.resources in config.json; what is left out stays as\n"
		 "it is. The other options about limits have no effect then. For example:\n"
		 "\n"
		 "    {\"memory\": {\"limit\": 268435456}, \"cpu\": {\"shares\": 512}}\n",
	 OPTION_TO(struct update_values, resources)},
	{.name = "blkio-weight",
	 .value = "weight",
	 .help = "block IO weight, from 10 to 1000",
	 OPTION_TO(struct update_values, blkio_weight)},
	LIMIT_OPTION(
		"cpu-period", cpu_period, "us",
		"CPU CFS period to be used for hardcapping (in usecs), 0 to use system default"),
	LIMIT_OPTION("cpu-quota", cpu_quota, "us",
		     "CPU CFS hardcap limit (in usecs): allowed cpu time in a given period"),
	LIMIT_OPTION(
		"cpu-burst", cpu_burst, "us",
		"CPU CFS hardcap burst limit (in usecs): additional cpu time accumulated for a "
		"burst in a given period"),
	LIMIT_OPTION("cpu-share", cpu_share, "shares",
		     "CPU shares (relative weight vs. other containers)"),
	LIMIT_OPTION("cpu-rt-period", cpu_rt_period, "us",
		     "CPU realtime period to be used for hardcapping (in usecs), 0 to use system "
		     "default"),
	LIMIT_OPTION("cpu-rt-runtime", cpu_rt_runtime, "us",
		     "CPU realtime hardcap limit (in usecs): allowed cpu time in a given period"),
	LIMIT_OPTION("cpu-idle", cpu_idle, "0|1",
		     "set cgroup SCHED_IDLE or not, 0: default behavior, 1: SCHED_IDLE"),
	LIMIT_OPTION("cpuset-cpus", cpuset_cpus, "list", "CPU(s) to use"),
	LIMIT_OPTION("cpuset-mems", cpuset_mems, "list", "memory node(s) to use"),
	LIMIT_OPTION("memory", memory, "bytes", "memory limit, with an optional unit (k, m, g)"),
	LIMIT_OPTION("memory-reservation", memory_reservation, "bytes",
		     "memory reservation or soft limit"),
	LIMIT_OPTION("memory-swap", memory_swap, "bytes",
		     "total memory usage (memory + swap), -1 for unlimited swap"),
	LIMIT_OPTION("kernel-memory", kernel_memory, "bytes",
		     "ignored with a warning: kernels no longer have this limit"),
	LIMIT_OPTION("kernel-memory-tcp", kernel_memory_tcp, "bytes",
		     "kernel memory limit for TCP buffers (cgroup v1)"),
	{.name = "pids-limit",
	 .value = "number",
	 .help = "maximum number of pids allowed in the container, -1 for unlimited",
	 OPTION_TO(struct update_values, pids_limit)},
	LIMIT_OPTION("l3-cache-schema", l3_cache_schema, "schema", "Intel RDT/CAT L3 cache schema"),
	LIMIT_OPTION("mem-bw-schema", mem_bw_schema, "schema",
		     "Intel RDT/MBA memory bandwidth schema"),
	{0},
};

/* Options whose text is a number, and the field of struct spec_resources it goes to. */
enum limit_kind { LIMIT_UNSIGNED, LIMIT_SIGNED, LIMIT_BYTES };

#define LIMIT(kind, option, member, field)                            \
	{                                                             \
		kind, option, offsetof(struct update_values, member), \
			offsetof(struct spec_resources, field)        \
	}

static const struct limit {
	enum limit_kind kind;
	const char *option;
	size_t value_offset, field_offset;
} limits[] = {
	LIMIT(LIMIT_UNSIGNED, "cpu-period", cpu_period, cpu.period),
	LIMIT(LIMIT_UNSIGNED, "cpu-burst", cpu_burst, cpu.burst),
	LIMIT(LIMIT_UNSIGNED, "cpu-share", cpu_share, cpu.shares),
	LIMIT(LIMIT_UNSIGNED, "cpu-rt-period", cpu_rt_period, cpu.realtime_period),
	LIMIT(LIMIT_SIGNED, "cpu-quota", cpu_quota, cpu.quota),
	LIMIT(LIMIT_SIGNED, "cpu-rt-runtime", cpu_rt_runtime, cpu.realtime_runtime),
	LIMIT(LIMIT_SIGNED, "cpu-idle", cpu_idle, cpu.idle),
	LIMIT(LIMIT_BYTES, "memory", memory, memory.limit),
	LIMIT(LIMIT_BYTES, "memory-reservation", memory_reservation, memory.reservation),
	LIMIT(LIMIT_BYTES, "memory-swap", memory_swap, memory.swap),
	LIMIT(LIMIT_BYTES, "kernel-memory", kernel_memory, memory.kernel),
	LIMIT(LIMIT_BYTES, "kernel-memory-tcp", kernel_memory_tcp, memory.kernel_tcp),
};

/* Sizes are docker's, "-1" is unlimited. */
static int parse_size(const char *text, int64_t *out)
{
	uint64_t bytes;
	int r;

	if (strcmp(text, "-1") == 0) {
		*out = -1;
		return 0;
	}
	r = parse_bytes(text, &bytes);
	if (r || bytes > INT64_MAX)
		return r ? r : -ERANGE;
	*out = (int64_t)bytes;
	return 0;
}

static int set_limit(const struct limit *limit, const struct update_values *values,
		     struct spec_resources *resources, struct error **err)
{
	const char *text = *(const char *const *)((const char *)values + limit->value_offset);
	void *field = (char *)resources + limit->field_offset;
	struct spec_u64 number = {.is_set = true};
	struct spec_i64 signed_number = {.is_set = true};
	int r;

	if (!text || !*text)
		return 0;
	if (limit->kind == LIMIT_UNSIGNED)
		r = parse_u64(text, UINT64_MAX, &number.value);
	else if (limit->kind == LIMIT_SIGNED)
		r = parse_i64(text, INT64_MIN, INT64_MAX, &signed_number.value);
	else
		r = parse_size(text, &signed_number.value);
	if (r)
		return error_errno(err, -r, "invalid value for %s: \"%s\"", limit->option, text);
	if (limit->kind == LIMIT_UNSIGNED)
		*(struct spec_u64 *)field = number;
	else
		*(struct spec_i64 *)field = signed_number;
	return 0;
}

/* 0 and "" mean unchanged, as in runc. */
static int resources_from_options(const struct update_values *values,
				  struct spec_resources *resources, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		int r = set_limit(&limits[i], values, resources, err);

		if (r)
			return r;
	}
	if (values->cpuset_cpus && *values->cpuset_cpus)
		resources->cpu.cpus = values->cpuset_cpus;
	if (values->cpuset_mems && *values->cpuset_mems)
		resources->cpu.mems = values->cpuset_mems;
	if (values->blkio_weight) {
		if (values->blkio_weight < 10 || values->blkio_weight > 1000)
			return error_set(
				err, ERANGE,
				"invalid value for blkio-weight: %d is not from 10 to 1000",
				values->blkio_weight);
		resources->block_io.weight.is_set = true;
		resources->block_io.weight.value = (uint64_t)values->blkio_weight;
	}
	if (values->pids_limit)
		resources->pids_limit =
			(struct spec_i64){.is_set = true, .value = values->pids_limit};
	return 0;
}

static int resources_from_file(const char *path, struct spec **out, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	if (strcmp(path, "-") == 0)
		r = fd_read_all(STDIN_FILENO, FILE_MAX, "standard input", &text, &length, err);
	else
		r = file_read_at(AT_FDCWD, path, FILE_MAX, &text, &length, err);
	if (!r)
		r = spec_parse_resources(text, length, out, err);
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct update_values *values = call->values;
	struct spec_resources from_options = {0}, *resources = &from_options;
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r;

	if (values->resources && *values->resources)
		r = resources_from_file(values->resources, &spec, err);
	else
		r = resources_from_options(values, &from_options, err);
	if (r)
		return r;
	if (spec)
		resources = &spec->linux.resources;
	/* Memory without limit means swap without limit, where nothing else is said. */
	if (resources->memory.limit.is_set && resources->memory.limit.value == -1 &&
	    !resources->memory.swap.is_set)
		resources->memory.swap = (struct spec_i64){.is_set = true, .value = -1};
	r = oci_runtime(call, &rt, &root, err);
	return r ? r
		 : container_update(&rt, call->arguments[0], resources, values->l3_cache_schema,
				    values->mem_bw_schema, err);
}

const struct command oci_update = {
	.name = "update",
	.arguments = "<container-id>",
	.summary = "update container resource constraints",
	.options = options,
	.values_size = sizeof(struct update_values),
	.min_arguments = 1,
	.max_arguments = 1,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

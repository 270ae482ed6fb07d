/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.resources of the configuration. Runtime specification, "Control groups". */
#include "runtime/spec_internal.h"

/* dev_t holds 12 and 20 bits in the kernel. */
#define MAX_MAJOR 0xfff
#define MAX_MINOR 0xfffff

#define MEMBER_AT(field) offsetof(struct spec_resources, field)
#define UNSET            MEMBER_ZERO_IS_ABSENT

static int parse_device_rule(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"allow", MEMBER_BOOL, offsetof(struct spec_device_rule, allow), MEMBER_REQUIRED},
		{"major", MEMBER_I64, offsetof(struct spec_device_rule, major), 0, -1, MAX_MAJOR},
		{"minor", MEMBER_I64, offsetof(struct spec_device_rule, minor), 0, -1, MAX_MINOR},
		{"access", MEMBER_STRING, offsetof(struct spec_device_rule, access),
		 MEMBER_REQUIRED},
	};
	struct spec_device_rule *rule = item;
	struct json_at type = json_member(at, "type"), access = json_member(at, "access");
	const char *name = "a";
	int r;

	rule->major = rule->minor = -1;
	r = spec_members_of(p, at, members, rule);
	r = r ?: json_get_string(&type, &name, p->err);
	if (r)
		return r;
	if (!*name)
		name = "a";
	if (strlen(name) != 1 || !strchr("abc", *name))
		return spec_refuse(p, &type, name, "is not known (a, b, c)");
	rule->type = *name;
	if (strspn(rule->access, "rwm") != strlen(rule->access))
		return spec_refuse(p, &access, rule->access, "has other letters than r, w and m");
	return 0;
}

static int parse_memory(struct spec_parser *p, const struct json_at *resources)
{
	static const struct spec_member members[] = {
		{"limit", MEMBER_OPTIONAL_I64, MEMBER_AT(memory.limit), UNSET, -1, INT64_MAX},
		{"reservation", MEMBER_OPTIONAL_I64, MEMBER_AT(memory.reservation), UNSET, -1,
		 INT64_MAX},
		{"swap", MEMBER_OPTIONAL_I64, MEMBER_AT(memory.swap), UNSET, -1, INT64_MAX},
		{"kernel", MEMBER_OPTIONAL_I64, MEMBER_AT(memory.kernel), UNSET, -1, INT64_MAX},
		{"kernelTCP", MEMBER_OPTIONAL_I64, MEMBER_AT(memory.kernel_tcp), UNSET, -1,
		 INT64_MAX},
		{"swappiness", MEMBER_OPTIONAL_U64, MEMBER_AT(memory.swappiness)},
		{"disableOOMKiller", MEMBER_OPTIONAL_BOOL, MEMBER_AT(memory.disable_oom_killer)},
		{"useHierarchy", MEMBER_OPTIONAL_BOOL, MEMBER_AT(memory.use_hierarchy)},
		{"checkBeforeUpdate", MEMBER_OPTIONAL_BOOL, MEMBER_AT(memory.check_before_update)},
	};
	struct spec_u64 *swappiness = &p->spec->linux.resources.memory.swappiness;
	struct json_at at = json_member(resources, "memory");
	struct json_at place = json_member(&at, "swappiness");
	int r = spec_members_of(p, &at, members, &p->spec->linux.resources);

	/* Engines that keep it signed write their -1, for "as it is", this way. */
	if (swappiness->value == UINT64_MAX)
		*swappiness = (struct spec_u64){0};
	if (r == 0 && swappiness->is_set && swappiness->value > 100)
		return json_fail(&place, p->err, "%llu is out of range (0 to 100)",
				 (unsigned long long)swappiness->value);
	return r;
}

static int parse_pids(struct spec_parser *p, const struct json_at *resources)
{
	static const struct spec_member members[] = {
		{"limit", MEMBER_OPTIONAL_I64, MEMBER_AT(pids_limit)},
	};
	struct spec_i64 *limit = &p->spec->linux.resources.pids_limit;
	struct json_at at = json_member(resources, "pids");
	int r = spec_members_of(p, &at, members, &p->spec->linux.resources);

	/* Every negative number is "no limit", to runc too. */
	if (limit->value < -1)
		limit->value = -1;
	return r;
}

static int parse_cpu(struct spec_parser *p, const struct json_at *resources)
{
	static const struct spec_member members[] = {
		{"shares", MEMBER_OPTIONAL_U64, MEMBER_AT(cpu.shares), UNSET},
		{"quota", MEMBER_OPTIONAL_I64, MEMBER_AT(cpu.quota), UNSET, -1, INT64_MAX},
		{"burst", MEMBER_OPTIONAL_U64, MEMBER_AT(cpu.burst)},
		{"period", MEMBER_OPTIONAL_U64, MEMBER_AT(cpu.period), UNSET},
		{"realtimeRuntime", MEMBER_OPTIONAL_I64, MEMBER_AT(cpu.realtime_runtime), UNSET, -1,
		 INT64_MAX},
		{"realtimePeriod", MEMBER_OPTIONAL_U64, MEMBER_AT(cpu.realtime_period), UNSET},
		{"cpus", MEMBER_STRING, MEMBER_AT(cpu.cpus)},
		{"mems", MEMBER_STRING, MEMBER_AT(cpu.mems)},
		{"idle", MEMBER_OPTIONAL_I64, MEMBER_AT(cpu.idle), 0, 0, 1},
	};
	struct json_at at = json_member(resources, "cpu");

	return spec_members_of(p, &at, members, &p->spec->linux.resources);
}

static int parse_throttle(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"major", MEMBER_I64, offsetof(struct spec_throttle, major), MEMBER_REQUIRED, 0,
		 MAX_MAJOR},
		{"minor", MEMBER_I64, offsetof(struct spec_throttle, minor), MEMBER_REQUIRED, 0,
		 MAX_MINOR},
		{"rate", MEMBER_U64, offsetof(struct spec_throttle, rate), MEMBER_REQUIRED},
	};

	return spec_members_of(p, at, members, item);
}

static int parse_weight_device(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"major", MEMBER_I64, offsetof(struct spec_weight_device, major), MEMBER_REQUIRED,
		 0, MAX_MAJOR},
		{"minor", MEMBER_I64, offsetof(struct spec_weight_device, minor), MEMBER_REQUIRED,
		 0, MAX_MINOR},
		{"weight", MEMBER_OPTIONAL_U64, offsetof(struct spec_weight_device, weight), UNSET,
		 0, 1000},
		{"leafWeight", MEMBER_OPTIONAL_U64,
		 offsetof(struct spec_weight_device, leaf_weight), UNSET, 0, 1000},
	};

	return spec_members_of(p, at, members, item);
}

static int parse_block_io(struct spec_parser *p, const struct json_at *resources)
{
	static const struct spec_member members[] = {
		{"weight", MEMBER_OPTIONAL_U64, MEMBER_AT(block_io.weight), UNSET, 0, 1000},
		{"leafWeight", MEMBER_OPTIONAL_U64, MEMBER_AT(block_io.leaf_weight), UNSET, 0,
		 1000},
	};
	struct spec_resources *out = &p->spec->linux.resources;
	const struct {
		const char *key;
		struct spec_throttles *list;
	} throttles[] = {{"throttleReadBpsDevice", &out->block_io.read_bps},
			 {"throttleWriteBpsDevice", &out->block_io.write_bps},
			 {"throttleReadIOPSDevice", &out->block_io.read_iops},
			 {"throttleWriteIOPSDevice", &out->block_io.write_iops}};
	struct json_at at = json_member(resources, "blockIO");
	int r = spec_members_of(p, &at, members, out);

	if (r)
		return r;
	r = spec_list_member(p, &at, "weightDevice", parse_weight_device,
			     &out->block_io.weight_devices, &out->block_io.weight_device_count);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(throttles); i++)
		r = spec_list_member(p, &at, throttles[i].key, parse_throttle,
				     &throttles[i].list->items, &throttles[i].list->count);
	return r;
}

/* The page size becomes part of a file's name: "[1-9][0-9]*[KMG]B". */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && *text != '0' && text[digits] && strchr("KMG", text[digits]) &&
	       strcmp(text + digits + 1, "B") == 0;
}

static int parse_hugepage(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"pageSize", MEMBER_STRING, offsetof(struct spec_hugepage_limit, page_size),
		 MEMBER_REQUIRED},
		{"limit", MEMBER_U64, offsetof(struct spec_hugepage_limit, limit), MEMBER_REQUIRED},
	};
	struct spec_hugepage_limit *limit = item;
	struct json_at place = json_member(at, "pageSize");
	int r = spec_members_of(p, at, members, limit);

	if (r == 0 && !is_page_size(limit->page_size))
		return spec_refuse(p, &place, limit->page_size, "is not a page size such as 2MB");
	return r;
}

static int parse_priority(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"name", MEMBER_STRING, offsetof(struct spec_interface_priority, name),
		 MEMBER_REQUIRED},
		{"priority", MEMBER_U32, offsetof(struct spec_interface_priority, priority),
		 MEMBER_REQUIRED},
	};
	struct spec_interface_priority *priority = item;
	struct json_at name = json_member(at, "name");
	int r = spec_members_of(p, at, members, priority);

	if (r == 0 && !spec_is_interface_name(priority->name))
		return spec_refuse(p, &name, priority->name, "is not a network interface's name");
	return r;
}

static int parse_network(struct spec_parser *p, const struct json_at *resources)
{
	static const struct spec_member members[] = {
		{"classID", MEMBER_OPTIONAL_U64, MEMBER_AT(network.class_id), UNSET, 0, UINT32_MAX},
	};
	struct spec_resources *out = &p->spec->linux.resources;
	struct json_at at = json_member(resources, "network");
	int r = spec_members_of(p, &at, members, out);

	return r
		       ?: spec_list_member(p, &at, "priorities", parse_priority,
					   &out->network.priorities, &out->network.priority_count);
}

static int parse_rdma(struct spec_parser *p, const struct json_at *resources)
{
	static const struct spec_member members[] = {
		{"hcaHandles", MEMBER_OPTIONAL_U64, offsetof(struct spec_rdma, hca_handles), 0, 0,
		 UINT32_MAX},
		{"hcaObjects", MEMBER_OPTIONAL_U64, offsetof(struct spec_rdma, hca_objects), 0, 0,
		 UINT32_MAX},
	};
	struct spec_resources *out = &p->spec->linux.resources;
	struct json_at at = json_member(resources, "rdma");
	const char *key;
	json_t *value;
	int r = json_get_object(&at, p->err);

	if (r || json_object_size(at.value) == 0)
		return r;
	out->rdma = spec_alloc(p->spec, json_object_size(at.value), sizeof *out->rdma);
	if (!out->rdma)
		return error_errno(p->err, ENOMEM, "parse the configuration");
	json_object_foreach (at.value, key, value) {
		struct json_at place = {.parent = &at, .key = key, .value = value};
		struct spec_rdma *rdma = &out->rdma[out->rdma_count++];

		if (!*key || strcspn(key, " \t\n/=") != strlen(key))
			return spec_refuse(p, &at, key, "is not a device's name");
		rdma->device = key;
		r = spec_members_of(p, &place, members, rdma);
		if (r)
			return r;
		if (!rdma->hca_handles.is_set && !rdma->hca_objects.is_set)
			return json_fail(&place, p->err, "needs hcaHandles or hcaObjects");
	}
	return 0;
}

/* Keys are names of files in the cgroup's directory, and must not lead elsewhere. */
static int check_unified(struct spec_parser *p, const struct json_at *resources)
{
	const struct spec_pairs *unified = &p->spec->linux.resources.unified;
	struct json_at at = json_member(resources, "unified");

	for (size_t i = 0; i < unified->count; i++) {
		const char *key = unified->items[i].key;

		if (strchr(key, '/') || !strchr(key, '.') || *key == '.')
			return spec_refuse(p, &at, key, "is not the name of a cgroup file");
	}
	return 0;
}

int spec_parse_resources_at(struct spec_parser *p, const struct json_at *at)
{
	static const struct spec_member members[] = {
		{"unified", MEMBER_PAIRS, MEMBER_AT(unified)},
	};
	struct spec_resources *out = &p->spec->linux.resources;
	int r = spec_members_of(p, at, members, out);

	if (r || !at->value)
		return r;
	r = spec_list_member(p, at, "devices", parse_device_rule, &out->devices,
			     &out->device_count);
	if (r)
		return r;
	r = spec_list_member(p, at, "hugepageLimits", parse_hugepage, &out->hugepages,
			     &out->hugepage_count);
	r = r ?: parse_memory(p, at);
	r = r ?: parse_cpu(p, at);
	r = r ?: parse_pids(p, at);
	r = r ?: parse_block_io(p, at);
	r = r ?: parse_network(p, at);
	r = r ?: parse_rdma(p, at);
	return r ?: check_unified(p, at);
}

/* What is absent is all zero bytes, padding too: calloc made them and the parser clears what it drops. */
bool spec_has_resources(const struct spec_resources *r)
{
	static const struct spec_resources nothing;

	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c) */
	return memcmp(r, &nothing, sizeof nothing) != 0;
}

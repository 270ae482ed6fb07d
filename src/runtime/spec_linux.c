/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The linux section of the configuration, but for resources and seccomp. Runtime specification,
 * "Linux Container Configuration"; namespaces(7), mknod(2), personality(2), set_mempolicy(2). */
#include <linux/mempolicy.h>
#include <sys/personality.h>

#include "kernel/namespace.h"
#include "runtime/spec_internal.h"

/* dev_t holds 12 and 20 bits in the kernel. */
#define MAX_MAJOR 0xfff
#define MAX_MINOR 0xfffff

/* Newer than the headers that we build with. */
#define MPOL_PREFERRED_MANY_      5
#define MPOL_WEIGHTED_INTERLEAVE_ 6
#define MPOL_F_NUMA_BALANCING_    (1 << 13)

static const struct spec_name memory_modes[] = {
	{"MPOL_DEFAULT", MPOL_DEFAULT},
	{"MPOL_BIND", MPOL_BIND},
	{"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
	{"MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE_},
	{"MPOL_PREFERRED", MPOL_PREFERRED},
	{"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY_},
	{"MPOL_LOCAL", MPOL_LOCAL},
	{NULL, 0},
};

static const struct spec_name memory_flags[] = {
	{"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING_},
	{"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
	{"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
	{NULL, 0},
};

static const struct spec_name personality_domains[] = {
	{"LINUX", PER_LINUX},
	{"LINUX32", PER_LINUX32},
	{NULL, 0},
};

static const struct spec_name personality_flags[] = {
	{"UNAME26", UNAME26},
	{"ADDR_NO_RANDOMIZE", ADDR_NO_RANDOMIZE},
	{"FDPIC_FUNCPTRS", FDPIC_FUNCPTRS},
	{"MMAP_PAGE_ZERO", MMAP_PAGE_ZERO},
	{"ADDR_COMPAT_LAYOUT", ADDR_COMPAT_LAYOUT},
	{"READ_IMPLIES_EXEC", READ_IMPLIES_EXEC},
	{"ADDR_LIMIT_32BIT", ADDR_LIMIT_32BIT},
	{"SHORT_INODE", SHORT_INODE},
	{"WHOLE_SECONDS", WHOLE_SECONDS},
	{"STICKY_TIMEOUTS", STICKY_TIMEOUTS},
	{"ADDR_LIMIT_3GB", ADDR_LIMIT_3GB},
	{NULL, 0},
};

static const struct spec_name propagations[] = {
	{"shared", 0}, {"slave", 0},    {"private", 0},     {"unbindable", 0}, {"rshared", 0},
	{"rslave", 0}, {"rprivate", 0}, {"runbindable", 0}, {NULL, 0},
};

static int parse_namespace(struct spec_parser *p, const struct json_at *at)
{
	struct spec_name names[NAMESPACE_TYPES + 1] = {0};
	static const struct spec_member members[] = {
		{"path", MEMBER_STRING, offsetof(struct spec_namespace, path), MEMBER_ABSOLUTE},
	};
	struct spec_namespace *namespace;
	uint64_t type = 0;
	int r = json_get_object(at, p->err);

	if (r)
		return r;
	for (size_t i = 0; i < NAMESPACE_TYPES; i++)
		names[i] = (struct spec_name){namespace_types[i].spec_name, i};
	r = spec_enum_required(p, at, "type", names, &type);
	if (r)
		return r;
	namespace = &p->spec->linux.namespaces[type];
	if (namespace->is_set)
		return json_fail(at, p->err, "the %s namespace is given twice", names[type].name);
	namespace->is_set = true;
	return spec_members_of(p, at, members, namespace);
}

static int parse_namespaces(struct spec_parser *p, const struct json_at *os)
{
	struct json_at at = json_member(os, "namespaces");
	ssize_t count = json_get_array(&at, p->err);

	for (ssize_t i = 0; i < count; i++) {
		struct json_at element = json_element(&at, (size_t)i);
		int r = parse_namespace(p, &element);

		if (r)
			return r;
	}
	return count < 0 ? (int)count : 0;
}

static int parse_device(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_name types[] = {
		{"c", 'c'}, {"u", 'c'}, {"b", 'b'}, {"p", 'p'}, {NULL, 0}};
	static const struct spec_member members[] = {
		{"path", MEMBER_STRING, offsetof(struct spec_device, path),
		 MEMBER_REQUIRED | MEMBER_ABSOLUTE},
		{"major", MEMBER_I64, offsetof(struct spec_device, major), 0, 0, MAX_MAJOR},
		{"minor", MEMBER_I64, offsetof(struct spec_device, minor), 0, 0, MAX_MINOR},
		{"fileMode", MEMBER_OPTIONAL_U64, offsetof(struct spec_device, mode), 0, 0,
		 UINT32_MAX},
		{"uid", MEMBER_OPTIONAL_I64, offsetof(struct spec_device, uid), 0, 0,
		 UINT32_MAX - 1},
		{"gid", MEMBER_OPTIONAL_I64, offsetof(struct spec_device, gid), 0, 0,
		 UINT32_MAX - 1},
	};
	struct json_at mode = json_member(at, "fileMode");
	struct spec_device *device = item;
	uint64_t type = 0;
	int r = spec_members_of(p, at, members, device);

	r = r ?: spec_enum_required(p, at, "type", types, &type);
	if (r)
		return r;
	device->type = (char)type;
	/* Engines pass st_mode, file type included. */
	device->mode.value &= ~(uint64_t)S_IFMT;
	if (device->mode.value > 07777)
		return json_fail(&mode, p->err, "has other bits than a file mode");
	return 0;
}

static int parse_net_device(struct spec_parser *p, const struct json_at *at,
			    struct spec_net_device *device)
{
	static const struct spec_member members[] = {
		{"name", MEMBER_STRING, offsetof(struct spec_net_device, container_name)},
	};
	struct json_at name = json_member(at, "name");
	int r;

	device->host_name = at->key;
	if (!spec_is_interface_name(device->host_name))
		return spec_refuse(p, at->parent, device->host_name,
				   "is not a network interface's name");
	r = spec_members_of(p, at, members, device);
	if (r)
		return r;
	if (!device->container_name)
		device->container_name = device->host_name;
	if (!spec_is_interface_name(device->container_name))
		return spec_refuse(p, &name, device->container_name,
				   "is not a network interface's name");
	return 0;
}

static int parse_net_devices(struct spec_parser *p, const struct json_at *os)
{
	struct json_at at = json_member(os, "netDevices");
	struct spec_linux *out = &p->spec->linux;
	const char *key;
	json_t *value;
	int r = json_get_object(&at, p->err);

	if (r || json_object_size(at.value) == 0)
		return r;
	out->net_devices =
		spec_alloc(p->spec, json_object_size(at.value), sizeof *out->net_devices);
	if (!out->net_devices)
		return error_errno(p->err, ENOMEM, "parse the configuration");
	json_object_foreach (at.value, key, value) {
		struct json_at place = {.parent = &at, .key = key, .value = value};
		struct spec_net_device *device = &out->net_devices[out->net_device_count];

		r = parse_net_device(p, &place, device);
		if (r)
			return r;
		for (size_t i = 0; i < out->net_device_count; i++)
			if (str_equal(out->net_devices[i].container_name, device->container_name))
				return json_fail(&place, p->err, "two interfaces get the name %s",
						 device->container_name);
		out->net_device_count++;
	}
	return 0;
}

static int parse_time_offsets(struct spec_parser *p, const struct json_at *os)
{
	static const struct spec_member members[] = {
		{"secs", MEMBER_I64, offsetof(struct spec_time_offset, secs)},
		{"nanosecs", MEMBER_U32, offsetof(struct spec_time_offset, nanosecs), 0, 0,
		 999999999},
	};
	struct spec_linux *out = &p->spec->linux;
	struct json_at at = json_member(os, "timeOffsets");
	struct json_at monotonic = json_member(&at, "monotonic");
	struct json_at boottime = json_member(&at, "boottime");
	int r = json_get_object(&at, p->err);
	const char *clock;
	json_t *unused;

	if (r)
		return r;
	json_object_foreach (at.value, clock, unused)
		if (strcmp(clock, "monotonic") && strcmp(clock, "boottime"))
			return spec_refuse(p, &at, clock, "is no clock that can be moved");
	r = spec_members_of(p, &monotonic, members, &out->monotonic);
	r = r ?: spec_members_of(p, &boottime, members, &out->boottime);
	out->monotonic.is_set = monotonic.value != NULL;
	out->boottime.is_set = boottime.value != NULL;
	return r;
}

static int check_schemata(struct spec_parser *p, const struct json_at *rdt)
{
	const struct spec_strings *schemata = &p->spec->linux.intel_rdt.schemata;
	struct json_at at = json_member(rdt, "schemata");

	/* Each is a line of the schemata file. */
	for (size_t i = 0; i < schemata->count; i++) {
		struct json_at element = json_element(&at, i);

		if (strchr(schemata->items[i], '\n'))
			return json_fail(&element, p->err, "must be one line");
	}
	return 0;
}

static int parse_intel_rdt(struct spec_parser *p, const struct json_at *os)
{
	static const struct spec_member members[] = {
		{"closID", MEMBER_STRING, offsetof(struct spec_intel_rdt, clos_id)},
		{"schemata", MEMBER_STRINGS, offsetof(struct spec_intel_rdt, schemata)},
		{"l3CacheSchema", MEMBER_STRING, offsetof(struct spec_intel_rdt, l3_cache_schema)},
		{"memBwSchema", MEMBER_STRING, offsetof(struct spec_intel_rdt, mem_bw_schema)},
		{"enableCMT", MEMBER_BOOL, offsetof(struct spec_intel_rdt, enable_cmt)},
		{"enableMBM", MEMBER_BOOL, offsetof(struct spec_intel_rdt, enable_mbm)},
		{"enableMonitoring", MEMBER_BOOL,
		 offsetof(struct spec_intel_rdt, enable_monitoring)},
	};
	struct spec_intel_rdt *rdt = &p->spec->linux.intel_rdt;
	struct json_at at = json_member(os, "intelRdt");
	struct json_at clos = json_member(&at, "closID"),
		       bandwidth = json_member(&at, "memBwSchema");
	int r = spec_members_of(p, &at, members, rdt);

	if (r || !at.value)
		return r;
	rdt->is_set = true;
	/* "/" is the root class. */
	if (rdt->clos_id && strcmp(rdt->clos_id, "/") != 0 &&
	    (strchr(rdt->clos_id, '/') || !strcmp(rdt->clos_id, ".") ||
	     !strcmp(rdt->clos_id, "..")))
		return spec_refuse(p, &clos, rdt->clos_id, "is not the name of a directory");
	if (rdt->mem_bw_schema &&
	    (!str_starts(rdt->mem_bw_schema, "MB:") || strchr(rdt->mem_bw_schema, '\n')))
		return spec_refuse(p, &bandwidth, rdt->mem_bw_schema, "is not one line with MB:");
	return check_schemata(p, &at);
}

/* set_mempolicy(2) says which modes need nodes and which flags exclude each other. */
static int check_memory_policy(struct spec_parser *p, const struct json_at *at)
{
	const struct spec_memory_policy *policy = &p->spec->linux.memory_policy;
	struct json_at nodes = json_member(at, "nodes"), flags = json_member(at, "flags");
	unsigned both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	bool takes_none = policy->mode == MPOL_DEFAULT || policy->mode == MPOL_LOCAL;

	if (takes_none && policy->nodes)
		return json_fail(&nodes, p->err, "MPOL_DEFAULT and MPOL_LOCAL take no nodes");
	if (!takes_none && policy->mode != MPOL_PREFERRED && !policy->nodes)
		return json_fail(&nodes, p->err, "missing, the mode needs them");
	if ((policy->flags & both) == both)
		return json_fail(
			&flags, p->err,
			"MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	return 0;
}

static int parse_memory_policy(struct spec_parser *p, const struct json_at *os)
{
	struct spec_memory_policy *policy = &p->spec->linux.memory_policy;
	struct json_at at = json_member(os, "memoryPolicy");
	struct json_at nodes = json_member(&at, "nodes"), flags = json_member(&at, "flags");
	uint64_t mode = 0, bits = 0;
	int r = json_get_object(&at, p->err);

	if (r || !at.value)
		return r;
	r = spec_enum_required(p, &at, "mode", memory_modes, &mode);
	r = r ?: spec_flags(p, &flags, memory_flags, &bits);
	r = r ?: spec_number_list(p, &nodes, &policy->nodes);
	if (r)
		return r;
	policy->is_set = true;
	policy->mode = (int)mode;
	policy->flags = (unsigned)bits;
	return check_memory_policy(p, &at);
}

static int parse_personality(struct spec_parser *p, const struct json_at *os)
{
	struct json_at at = json_member(os, "personality");
	struct json_at flags = json_member(&at, "flags");
	uint64_t domain = 0;
	int r = json_get_object(&at, p->err);

	if (r || !at.value)
		return r;
	r = spec_enum_required(p, &at, "domain", personality_domains, &domain);
	r = r ?: spec_flags(p, &flags, personality_flags, &domain);
	p->spec->linux.personality.is_set = r == 0;
	p->spec->linux.personality.domain = domain;
	return r;
}

int spec_parse_linux(struct spec_parser *p, const struct json_at *at)
{
	static const struct spec_member members[] = {
		{"cgroupsPath", MEMBER_STRING, offsetof(struct spec_linux, cgroups_path)},
		{"rootfsPropagation", MEMBER_STRING,
		 offsetof(struct spec_linux, rootfs_propagation)},
		{"maskedPaths", MEMBER_STRINGS, offsetof(struct spec_linux, masked_paths),
		 MEMBER_ABSOLUTE},
		{"readonlyPaths", MEMBER_STRINGS, offsetof(struct spec_linux, readonly_paths),
		 MEMBER_ABSOLUTE},
		{"mountLabel", MEMBER_STRING, offsetof(struct spec_linux, mount_label)},
		{"sysctl", MEMBER_PAIRS, offsetof(struct spec_linux, sysctl)},
	};
	struct spec_linux *out = &p->spec->linux;
	struct json_at uids = json_member(at, "uidMappings"), gids = json_member(at, "gidMappings");
	struct json_at resources = json_member(at, "resources"),
		       seccomp = json_member(at, "seccomp");
	struct json_at propagation = json_member(at, "rootfsPropagation");
	uint64_t unused = 0;
	int r = spec_members_of(p, at, members, out);

	if (r || !at->value)
		return r;
	if (out->rootfs_propagation)
		r = spec_enum(p, &propagation, propagations, &unused);
	r = r ?: parse_namespaces(p, at);
	r = r ?: spec_parse_id_maps(p, &uids, &out->uid_maps);
	r = r ?: spec_parse_id_maps(p, &gids, &out->gid_maps);
	r = r ?: parse_time_offsets(p, at);
	if (r)
		return r;
	r = spec_list_member(p, at, "devices", parse_device, &out->devices, &out->device_count);
	r = r ?: parse_net_devices(p, at);
	r = r ?: spec_parse_resources_at(p, &resources);
	r = r ?: spec_parse_seccomp(p, &seccomp);
	r = r ?: parse_intel_rdt(p, at);
	r = r ?: parse_memory_policy(p, at);
	return r ?: parse_personality(p, at);
}

const struct spec_name *const spec_memory_modes = memory_modes;
const struct spec_name *const spec_memory_flags = memory_flags;

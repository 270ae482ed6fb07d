/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The OCI runtime specification's config.json (version 1.3, Linux) as C structs.
 *
 * spec_parse() turns untrusted JSON into this, checked: types, ranges, enumerations, required fields,
 * sane paths. What is here needs no further syntax check. All strings and arrays belong to the spec and
 * live until spec_free(); strings may point into the JSON document, which the spec holds.
 * Absent strings are NULL, absent lists have count 0, optional numbers say is_set. */
#ifndef DHOW_RUNTIME_SPEC_H
#define DHOW_RUNTIME_SPEC_H

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

/* GNU C predefines it as 1; the specification's name for the section wins. */
#undef linux

/* The newest version of the specification that is understood in full. */
#define SPEC_VERSION "1.3.0"

struct spec_i64 {
	bool is_set;
	int64_t value;
};

struct spec_u64 {
	bool is_set;
	uint64_t value;
};

struct spec_bool {
	bool is_set;
	bool value;
};

/* items is NULL-terminated, fit for execve. */
struct spec_strings {
	const char **items;
	size_t count;
};

struct spec_pair {
	const char *key, *value;
};

struct spec_pairs {
	struct spec_pair *items;
	size_t count;
};

struct spec_id_map {
	uint32_t container_id, host_id, size;
};

struct spec_id_maps {
	struct spec_id_map *items;
	size_t count;
};

/* The five sets as bit masks (1 << CAP_x). Names that the running kernel doesn't know are dropped with
 * a warning, names that nobody knows are an error. is_set is false where the config has no
 * "capabilities": then the process keeps none. */
struct spec_capabilities {
	bool is_set;
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct spec_rlimit {
	int resource; /* RLIMIT_x */
	const char *name;
	uint64_t soft, hard; /* RLIM_INFINITY is 2^64-1 */
};

struct spec_scheduler {
	bool is_set;
	uint32_t policy; /* SCHED_x */
	uint64_t flags;  /* SCHED_FLAG_x */
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

struct spec_io_priority {
	bool is_set;
	int class; /* IOPRIO_CLASS_x */
	int priority;
};

struct spec_user {
	uid_t uid;
	gid_t gid;
	struct spec_u64 umask;
	gid_t *additional_gids;
	size_t additional_gid_count;
};

struct spec_process {
	bool terminal;
	struct {
		bool is_set;
		uint16_t height, width;
	} console_size;
	struct spec_user user;
	struct spec_strings args, env;
	const char *cwd; /* absolute */
	struct spec_capabilities capabilities;
	struct spec_rlimit *rlimits;
	size_t rlimit_count;
	bool no_new_privileges;
	const char *apparmor_profile, *selinux_label;
	struct spec_i64 oom_score_adj;
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	/* CPU lists such as "0-3,7", syntax checked; NULL when absent. Used by exec only. */
	const char *exec_affinity_initial, *exec_affinity_final;
	/* The process object as it was, for state and for exec's --process. Borrowed. */
	json_t *json;
};

struct spec_root {
	const char *path;
	bool is_readonly;
};

struct spec_mount {
	const char *destination; /* as given; relative ones count from / (specification 1.2) */
	const char *type;        /* NULL when absent */
	const char *source;      /* NULL when absent */
	struct spec_strings options;
	struct spec_id_maps uid_maps, gid_maps;
};

struct spec_hook {
	const char *path; /* absolute */
	struct spec_strings args, env;
	struct spec_u64 timeout_s; /* at least 1 when set */
};

struct spec_hook_list {
	struct spec_hook *items;
	size_t count;
};

struct spec_hooks {
	struct spec_hook_list prestart, create_runtime, create_container, start_container,
		poststart, poststop;
};

enum spec_namespace_type {
	NAMESPACE_USER,
	NAMESPACE_MOUNT,
	NAMESPACE_PID,
	NAMESPACE_NETWORK,
	NAMESPACE_IPC,
	NAMESPACE_UTS,
	NAMESPACE_CGROUP,
	NAMESPACE_TIME,
	NAMESPACE_TYPES,
};

struct spec_namespace {
	bool is_set;      /* listed: new, or joined where path is not NULL */
	const char *path; /* absolute */
};

struct spec_device {
	const char *path; /* absolute */
	char type;        /* 'c', 'b', 'p' ('u' is stored as 'c') */
	int64_t major, minor;
	struct spec_u64 mode; /* default 0666 */
	struct spec_i64 uid, gid;
};

struct spec_net_device {
	const char *host_name;
	const char *container_name; /* same as host_name when not given */
};

/* linux.resources; names as in the specification. */
struct spec_device_rule {
	bool allow;
	char type;            /* 'a', 'b', 'c' */
	int64_t major, minor; /* -1 is every one */
	const char *access;   /* subset of "rwm", never empty */
};

struct spec_throttle {
	int64_t major, minor;
	uint64_t rate;
};

struct spec_weight_device {
	int64_t major, minor;
	struct spec_u64 weight, leaf_weight;
};

struct spec_throttles {
	struct spec_throttle *items;
	size_t count;
};

struct spec_hugepage_limit {
	const char *page_size; /* "2MB" */
	uint64_t limit;
};

struct spec_rdma {
	const char *device;
	struct spec_u64 hca_handles, hca_objects;
};

struct spec_interface_priority {
	const char *name;
	uint32_t priority;
};

struct spec_resources {
	struct spec_device_rule *devices;
	size_t device_count;
	struct {
		struct spec_i64 limit, reservation, swap, kernel,
			kernel_tcp;         /* bytes, -1 unlimited */
		struct spec_u64 swappiness; /* 0 to 100 */
		struct spec_bool disable_oom_killer, use_hierarchy, check_before_update;
	} memory;
	struct {
		struct spec_u64 shares, burst, period, realtime_period;
		struct spec_i64 quota, realtime_runtime, idle;
		const char *cpus, *mems;
	} cpu;
	struct spec_i64 pids_limit; /* <= 0: specification 1.3: -1 unlimited, 0 is set as given */
	struct {
		struct spec_u64 weight, leaf_weight;
		struct spec_weight_device *weight_devices;
		size_t weight_device_count;
		struct spec_throttles read_bps, write_bps, read_iops, write_iops;
	} block_io;
	struct spec_hugepage_limit *hugepages;
	size_t hugepage_count;
	struct {
		struct spec_u64 class_id;
		struct spec_interface_priority *priorities;
		size_t priority_count;
	} network;
	struct spec_rdma *rdma;
	size_t rdma_count;
	struct spec_pairs unified;
};

struct spec_time_offset {
	bool is_set;
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_seccomp_arg {
	unsigned index;
	uint64_t value, value_two;
	int op; /* enum scmp_compare */
};

struct spec_seccomp_rule {
	struct spec_strings names;
	uint32_t action; /* SCMP_ACT_x, errno included */
	struct spec_seccomp_arg *args;
	size_t arg_count;
};

struct spec_seccomp {
	bool is_set;
	uint32_t default_action;
	uint32_t *architectures; /* SCMP_ARCH_x */
	size_t architecture_count;
	unsigned flags; /* SECCOMP_FILTER_FLAG_x */
	bool has_flags; /* "flags" was given, even when empty */
	const char *listener_path, *listener_metadata;
	struct spec_seccomp_rule *rules;
	size_t rule_count;
	json_t *json; /* the seccomp object as it was: the key of the filter cache. Borrowed. */
};

struct spec_intel_rdt {
	bool is_set;
	const char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct spec_strings schemata;
	bool enable_cmt, enable_mbm, enable_monitoring;
};

struct spec_memory_policy {
	bool is_set;
	int mode;          /* MPOL_x */
	unsigned flags;    /* MPOL_F_x */
	const char *nodes; /* list such as "0-1"; NULL when absent */
};

struct spec_linux {
	struct spec_namespace namespaces[NAMESPACE_TYPES];
	struct spec_id_maps uid_maps, gid_maps;
	struct spec_time_offset monotonic, boottime;
	struct spec_device *devices;
	size_t device_count;
	struct spec_net_device *net_devices;
	size_t net_device_count;
	const char *cgroups_path;
	struct spec_resources resources;
	struct spec_seccomp seccomp;
	const char *rootfs_propagation; /* "shared", "slave", "private", "unbindable" or with "r" */
	struct spec_strings masked_paths, readonly_paths;
	const char *mount_label;
	struct spec_intel_rdt intel_rdt;
	struct spec_memory_policy memory_policy;
	struct {
		bool is_set;
		unsigned long domain; /* PER_x with flags */
	} personality;
	struct spec_pairs sysctl; /* keys with dots */
};

struct spec {
	const char *oci_version;
	struct spec_root root;
	struct spec_mount *mounts;
	size_t mount_count;
	bool has_process;
	struct spec_process process;
	struct spec_hooks hooks;
	const char *hostname, *domainname;
	struct spec_pairs annotations;
	struct spec_linux linux;
	json_t *json;  /* the whole document */
	void *memory_; /* the arrays' owner, spec.c's own */
};

/* Adds a mount after those of the configuration. Copies destination and source; type and options must outlive spec. */
int spec_add_mount(struct spec *spec, const struct spec_mount *mount, struct error **err);

/* Parses and checks a config.json (length bytes, at most 4 MiB). Returns 0 and *out, which
 * spec_free() frees, or a negative errno with one line that names the field. */
int spec_parse(const char *text, size_t length, struct spec **out, struct error **err);
/* Opens bundle_fd's config.json, reads it with a limit and parses it. The raw text is handed out in
 * *text (caller frees) when text is not NULL. */
int spec_load(int bundle_fd, struct spec **out, char **text, size_t *length, struct error **err);
/* Parses a process object alone, as exec's --process and the CRI give it. Ownership: *spec_out is a
 * spec with only process set. */
int spec_parse_process(const char *text, size_t length, struct spec **out, struct error **err);
/* Parses linux.resources alone (runc's update -r). *out is a spec with only linux.resources set. */
int spec_parse_resources(const char *text, size_t length, struct spec **out, struct error **err);
void spec_free(struct spec *spec);

static inline void spec_freep(struct spec **spec)
{
	spec_free(*spec);
	*spec = NULL;
}
#define _cleanup_spec_ _cleanup_(spec_freep)

/* True when any field of linux.resources is given. */
bool spec_has_resources(const struct spec_resources *resources);
/* The value of an annotation, or NULL. */
const char *spec_annotation(const struct spec *spec, const char *key);

/* Lists of the names that the parser knows, for `features`. */
enum spec_names {
	SPEC_NAMES_CAPABILITIES,
	SPEC_NAMES_SECCOMP_ACTIONS,
	SPEC_NAMES_SECCOMP_ARCHITECTURES,
	SPEC_NAMES_SECCOMP_FLAGS,
	SPEC_NAMES_SECCOMP_OPERATORS,
	SPEC_NAMES_MEMORY_MODES,
	SPEC_NAMES_MEMORY_FLAGS,
};
/* Name number index of a list, and in *value (may be NULL) what it stands for. NULL behind the last. */
const char *spec_known_name(enum spec_names list, size_t index, uint64_t *value);

/* The default configuration as `dhow-oci spec` prints it (runc's, four-tab JSON), or the one for a
 * normal user, who becomes root of a user namespace. Caller frees. NULL when memory runs out. */
char *spec_default(bool is_rootless, uid_t uid, gid_t gid);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process section of the configuration. Runtime specification, "Process"; capabilities(7),
 * getrlimit(2), sched_setattr(2), ioprio_set(2). */
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "kernel/capability.h"
#include "runtime/spec_internal.h"

/* In a list of ids, and as the id of a process, -1 means "leave as it is" to the kernel. */
#define MAX_ID (UINT32_MAX - 1)

static const struct spec_name rlimits[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
	{NULL, 0},
};

static const struct spec_name policies[] = {
	{"SCHED_OTHER", SCHED_NORMAL},
	{"SCHED_FIFO", SCHED_FIFO},
	{"SCHED_RR", SCHED_RR},
	{"SCHED_BATCH", SCHED_BATCH},
	{"SCHED_ISO", 4 /* reserved, in no kernel */},
	{"SCHED_IDLE", SCHED_IDLE},
	{"SCHED_DEADLINE", SCHED_DEADLINE},
	{NULL, 0},
};

static const struct spec_name scheduler_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
	{"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
	{"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
	{"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
	{"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
	{"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
	{NULL, 0},
};

static const struct spec_name io_classes[] = {
	{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
	{"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
	{"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
	{NULL, 0},
};

/* Kernels before 5.9 lack the newest capabilities; every kernel that can run us has the others. */
static bool is_capability_supported(int capability)
{
	return capability <= CAP_AUDIT_READ || prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
}

static int parse_capability(struct spec_parser *p, const struct json_at *at, uint64_t *set)
{
	const char *name = NULL;
	int number, r = json_get_string(at, &name, p->err);

	if (r)
		return r;
	if (!name)
		return json_fail(at, p->err, "expected a string, found null");
	number = capability_parse(name);
	if (number < 0)
		return spec_refuse(p, at, name, "is not a capability");
	if (is_capability_supported(number))
		*set |= UINT64_C(1) << number;
	else
		log_warning("%s is not known to this kernel and is left out", name);
	return 0;
}

static int parse_capability_set(struct spec_parser *p, const struct json_at *at, uint64_t *set)
{
	ssize_t count = json_get_array(at, p->err);

	for (ssize_t i = 0; i < count; i++) {
		struct json_at element = json_element(at, (size_t)i);
		int r = parse_capability(p, &element, set);

		if (r)
			return r;
	}
	return count < 0 ? (int)count : 0;
}

static int parse_capabilities(struct spec_parser *p, const struct json_at *process)
{
	struct spec_capabilities *c = &p->spec->process.capabilities;
	const struct {
		const char *key;
		uint64_t *set;
	} sets[] = {{"bounding", &c->bounding},
		    {"effective", &c->effective},
		    {"permitted", &c->permitted},
		    {"inheritable", &c->inheritable},
		    {"ambient", &c->ambient}};
	struct json_at at = json_member(process, "capabilities");
	int r = json_get_object(&at, p->err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sets); i++) {
		struct json_at member = json_member(&at, sets[i].key);

		r = parse_capability_set(p, &member, sets[i].set);
	}
	c->is_set = r == 0 && at.value;
	return r;
}

static int parse_rlimit(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"type", MEMBER_STRING, offsetof(struct spec_rlimit, name), MEMBER_REQUIRED},
		{"soft", MEMBER_U64, offsetof(struct spec_rlimit, soft), MEMBER_REQUIRED},
		{"hard", MEMBER_U64, offsetof(struct spec_rlimit, hard), MEMBER_REQUIRED},
	};
	struct spec_rlimit *limit = item;
	uint64_t resource = 0;
	int r = spec_members_of(p, at, members, limit);

	r = r ?: spec_enum_required(p, at, "type", rlimits, &resource);
	if (r)
		return r;
	limit->resource = (int)resource;
	if (limit->soft > limit->hard)
		return json_fail(at, p->err, "%s: the soft limit %llu is above the hard limit %llu",
				 limit->name, (unsigned long long)limit->soft,
				 (unsigned long long)limit->hard);
	return 0;
}

static int parse_rlimits(struct spec_parser *p, const struct json_at *process)
{
	struct spec_process *out = &p->spec->process;
	struct json_at at = json_member(process, "rlimits");
	int r = spec_list(p, &at, sizeof *out->rlimits, parse_rlimit, (void **)&out->rlimits,
			  &out->rlimit_count);
	uint32_t seen = 0;

	for (size_t i = 0; r == 0 && i < out->rlimit_count; i++) {
		struct json_at element = json_element(&at, i);

		if (seen & (1U << out->rlimits[i].resource))
			return json_fail(&element, p->err, "%s is given twice",
					 out->rlimits[i].name);
		seen |= 1U << out->rlimits[i].resource;
	}
	return r;
}

static int check_deadline(struct spec_parser *p, const struct json_at *at)
{
	const struct spec_scheduler *s = &p->spec->process.scheduler;
	uint64_t period = s->period_ns ? s->period_ns : s->deadline_ns;

	if (s->policy != SCHED_DEADLINE) {
		if (s->runtime_ns || s->deadline_ns || s->period_ns)
			return json_fail(
				at, p->err,
				"runtime, deadline and period are for SCHED_DEADLINE only");
		return 0;
	}
	if (!s->runtime_ns || s->runtime_ns > s->deadline_ns || s->deadline_ns > period)
		return json_fail(at, p->err,
				 "SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
	return 0;
}

static int parse_scheduler(struct spec_parser *p, const struct json_at *process)
{
	static const struct spec_member members[] = {
		{"nice", MEMBER_I32, offsetof(struct spec_scheduler, nice), 0, -20, 19},
		{"priority", MEMBER_U32, offsetof(struct spec_scheduler, priority), 0, 0, 99},
		{"runtime", MEMBER_U64, offsetof(struct spec_scheduler, runtime_ns)},
		{"deadline", MEMBER_U64, offsetof(struct spec_scheduler, deadline_ns)},
		{"period", MEMBER_U64, offsetof(struct spec_scheduler, period_ns)},
	};
	struct spec_scheduler *s = &p->spec->process.scheduler;
	struct json_at at = json_member(process, "scheduler");
	struct json_at flags = json_member(&at, "flags"), priority = json_member(&at, "priority");
	uint64_t policy = 0;
	bool is_realtime;
	int r = spec_members_of(p, &at, members, s);

	if (r || !at.value)
		return r;
	r = spec_enum_required(p, &at, "policy", policies, &policy);
	r = r ?: spec_flags(p, &flags, scheduler_flags, &s->flags);
	if (r)
		return r;
	s->policy = (uint32_t)policy;
	s->is_set = true;
	is_realtime = policy == SCHED_FIFO || policy == SCHED_RR;
	if (is_realtime && !s->priority)
		return json_fail(&priority, p->err, "SCHED_FIFO and SCHED_RR need 1 to 99");
	if (!is_realtime && s->priority)
		return json_fail(&priority, p->err, "is for SCHED_FIFO and SCHED_RR only");
	return check_deadline(p, &at);
}

static int parse_io_priority(struct spec_parser *p, const struct json_at *process)
{
	static const struct spec_member members[] = {
		{"priority", MEMBER_I32, offsetof(struct spec_io_priority, priority), 0, 0, 7},
	};
	struct spec_io_priority *io = &p->spec->process.io_priority;
	struct json_at at = json_member(process, "ioPriority");
	uint64_t class = 0;
	int r = spec_members_of(p, &at, members, io);

	if (r || !at.value)
		return r;
	r = spec_enum_required(p, &at, "class", io_classes, &class);
	io->class = (int)class;
	io->is_set = r == 0;
	return r;
}

static int parse_gid(struct spec_parser *p, const struct json_at *at, void *item)
{
	uint64_t gid = 0;
	int r = json_get_u64(at, MAX_ID, &gid, p->err);

	*(gid_t *)item = (gid_t)gid;
	return r;
}

static int parse_user(struct spec_parser *p, const struct json_at *process)
{
	static const struct spec_member members[] = {
		{"uid", MEMBER_U32, offsetof(struct spec_user, uid), 0, 0, MAX_ID},
		{"gid", MEMBER_U32, offsetof(struct spec_user, gid), 0, 0, MAX_ID},
		{"umask", MEMBER_OPTIONAL_U64, offsetof(struct spec_user, umask), 0, 0, 0777},
	};
	struct spec_user *user = &p->spec->process.user;
	struct json_at at = json_member(process, "user");
	int r = spec_members_of(p, &at, members, user);

	return r
		       ?: spec_list_member(p, &at, "additionalGids", parse_gid,
					   &user->additional_gids, &user->additional_gid_count);
}

static int parse_console_size(struct spec_parser *p, const struct json_at *process)
{
	static const struct spec_member members[] = {
		{"height", MEMBER_U16, offsetof(struct spec_process, console_size.height),
		 MEMBER_REQUIRED},
		{"width", MEMBER_U16, offsetof(struct spec_process, console_size.width),
		 MEMBER_REQUIRED},
	};
	struct json_at at = json_member(process, "consoleSize");
	int r = spec_members_of(p, &at, members, &p->spec->process);

	p->spec->process.console_size.is_set = r == 0 && at.value;
	return r;
}

static int check_environment(struct spec_parser *p, const struct json_at *process)
{
	const struct spec_strings *env = &p->spec->process.env;
	struct json_at at = json_member(process, "env");

	for (size_t i = 0; i < env->count; i++) {
		struct json_at element = json_element(&at, i);

		if (env->items[i][0] == '=' || !strchr(env->items[i], '='))
			return spec_refuse(p, &element, env->items[i], "is not NAME=VALUE");
	}
	return 0;
}

static int parse_exec_affinity(struct spec_parser *p, const struct json_at *process)
{
	struct spec_process *out = &p->spec->process;
	struct json_at at = json_member(process, "execCPUAffinity");
	struct json_at initial = json_member(&at, "initial"), final = json_member(&at, "final");
	int r = json_get_object(&at, p->err);

	r = r ?: spec_number_list(p, &initial, &out->exec_affinity_initial);
	return r ?: spec_number_list(p, &final, &out->exec_affinity_final);
}

int spec_parse_process_at(struct spec_parser *p, const struct json_at *at)
{
	static const struct spec_member members[] = {
		{"terminal", MEMBER_BOOL, offsetof(struct spec_process, terminal)},
		{"args", MEMBER_STRINGS, offsetof(struct spec_process, args)},
		{"env", MEMBER_STRINGS, offsetof(struct spec_process, env)},
		{"cwd", MEMBER_STRING, offsetof(struct spec_process, cwd),
		 MEMBER_REQUIRED | MEMBER_ABSOLUTE},
		{"noNewPrivileges", MEMBER_BOOL, offsetof(struct spec_process, no_new_privileges)},
		{"apparmorProfile", MEMBER_STRING, offsetof(struct spec_process, apparmor_profile)},
		{"selinuxLabel", MEMBER_STRING, offsetof(struct spec_process, selinux_label)},
		{"oomScoreAdj", MEMBER_OPTIONAL_I64, offsetof(struct spec_process, oom_score_adj),
		 0, -1000, 1000},
	};
	struct spec_process *process = &p->spec->process;
	int r = spec_members_of(p, at, members, process);

	if (r || !at->value)
		return r;
	process->json = at->value;
	r = parse_console_size(p, at);
	r = r ?: check_environment(p, at);
	r = r ?: parse_user(p, at);
	r = r ?: parse_capabilities(p, at);
	r = r ?: parse_rlimits(p, at);
	r = r ?: parse_scheduler(p, at);
	r = r ?: parse_io_priority(p, at);
	r = r ?: parse_exec_affinity(p, at);
	p->spec->has_process = r == 0;
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.seccomp of the configuration. Runtime specification, "Seccomp"; seccomp(2).
 *
 * Names of system calls stay text: seccomp.c resolves them for each architecture, and skips those that
 * libseccomp doesn't know, as runc does. */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "runtime/spec_internal.h"

/* The kernel caps a filter's errno at MAX_ERRNO; SCMP_ACT_TRACE hands 16 bits to the tracer. */
#define MAX_ERRNO      4095
#define MAX_TRACE_DATA 0xffff

/* Newer than the headers that we build with. */
#ifndef SCMP_ARCH_LOONGARCH64
#define SCMP_ARCH_LOONGARCH64 AUDIT_ARCH_LOONGARCH64
#endif
#ifndef SCMP_ARCH_M68K
#define SCMP_ARCH_M68K AUDIT_ARCH_M68K
#endif
#ifndef SCMP_ARCH_SH
#define SCMP_ARCH_SH AUDIT_ARCH_SHEL
#endif
#ifndef SCMP_ARCH_SHEB
#define SCMP_ARCH_SHEB AUDIT_ARCH_SH
#endif

static const struct spec_name actions[] = {
	{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
	{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)},
	{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
	{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
	{"SCMP_ACT_LOG", SCMP_ACT_LOG},
	{"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
	{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
	{"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
	{NULL, 0},
};

static const struct spec_name architectures[] = {
	{"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
	{"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
	{"SCMP_ARCH_LOONGARCH64", SCMP_ARCH_LOONGARCH64},
	{"SCMP_ARCH_M68K", SCMP_ARCH_M68K},
	{"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
	{"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
	{"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
	{"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
	{"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
	{"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
	{"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
	{"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
	{"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
	{"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
	{"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
	{"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
	{"SCMP_ARCH_S390", SCMP_ARCH_S390},
	{"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
	{"SCMP_ARCH_SH", SCMP_ARCH_SH},
	{"SCMP_ARCH_SHEB", SCMP_ARCH_SHEB},
	{"SCMP_ARCH_X32", SCMP_ARCH_X32},
	{"SCMP_ARCH_X86", SCMP_ARCH_X86},
	{"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
	{NULL, 0},
};

static const struct spec_name filter_flags[] = {
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
	{NULL, 0},
};

static const struct spec_name operators[] = {
	{"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE},
	{"SCMP_CMP_GT", SCMP_CMP_GT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
	{"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
	{"SCMP_CMP_NE", SCMP_CMP_NE}, {NULL, 0},
};

/* Members of an action that the specification calls "errno" and that only two actions take. */
static int parse_action(struct spec_parser *p, const struct json_at *at, const char *key,
			const char *errno_key, uint32_t *out)
{
	struct json_at number = json_member(at, errno_key);
	uint64_t action = 0, value = EPERM;
	int r = spec_enum_required(p, at, key, actions, &action);

	if (r)
		return r;
	if (action == SCMP_ACT_ERRNO(0)) {
		r = json_get_u64(&number, MAX_ERRNO, &value, p->err);
		action = SCMP_ACT_ERRNO(value);
	} else if (action == SCMP_ACT_TRACE(0)) {
		r = json_get_u64(&number, MAX_TRACE_DATA, &value, p->err);
		action = SCMP_ACT_TRACE(value);
	} else if (number.value) {
		return json_fail(&number, p->err, "is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE only");
	}
	*out = (uint32_t)action;
	return r;
}

static int parse_architecture(struct spec_parser *p, const struct json_at *at, void *item)
{
	uint64_t value = 0;
	int r = spec_enum(p, at, architectures, &value);

	*(uint32_t *)item = (uint32_t)value;
	return r;
}

static int parse_arg(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"index", MEMBER_U32, offsetof(struct spec_seccomp_arg, index), MEMBER_REQUIRED, 0,
		 5},
		{"value", MEMBER_U64, offsetof(struct spec_seccomp_arg, value), MEMBER_REQUIRED},
		{"valueTwo", MEMBER_U64, offsetof(struct spec_seccomp_arg, value_two)},
	};
	struct spec_seccomp_arg *arg = item;
	uint64_t op = 0;
	int r = spec_members_of(p, at, members, arg);

	r = r ?: spec_enum_required(p, at, "op", operators, &op);
	arg->op = (int)op;
	return r;
}

/* The runtime hands the listener over with write(2) once the filter is in force. */
static int check_notify(struct spec_parser *p, const struct json_at *at,
			const struct spec_seccomp_rule *rule)
{
	if (!p->spec->linux.seccomp.listener_path)
		return json_fail(at, p->err, "SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
	for (size_t i = 0; i < rule->names.count; i++)
		if (strcmp(rule->names.items[i], "write") == 0)
			return json_fail(at, p->err,
					 "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	return 0;
}

static int parse_rule(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"names", MEMBER_STRINGS, offsetof(struct spec_seccomp_rule, names),
		 MEMBER_REQUIRED},
	};
	struct spec_seccomp_rule *rule = item;
	struct json_at names = json_member(at, "names");
	int r = spec_members_of(p, at, members, rule);

	r = r ?: parse_action(p, at, "action", "errnoRet", &rule->action);
	r = r ?: spec_list_member(p, at, "args", parse_arg, &rule->args, &rule->arg_count);
	if (r)
		return r;
	if (rule->names.count == 0)
		return json_fail(&names, p->err, "must not be empty");
	for (size_t i = 0; i < rule->names.count; i++) {
		struct json_at name = json_element(&names, i);

		if (!rule->names.items[i][0])
			return json_fail(&name, p->err, "must not be empty");
	}
	return rule->action == SCMP_ACT_NOTIFY ? check_notify(p, at, rule) : 0;
}

static int parse_flags(struct spec_parser *p, const struct json_at *seccomp)
{
	struct json_at at = json_member(seccomp, "flags");
	uint64_t bits = 0;
	int r = spec_flags(p, &at, filter_flags, &bits);

	p->spec->linux.seccomp.flags = (unsigned)bits;
	p->spec->linux.seccomp.has_flags = at.value != NULL;
	return r;
}

static int parse_listener(struct spec_parser *p, const struct json_at *at)
{
	static const struct spec_member members[] = {
		{"listenerPath", MEMBER_STRING, offsetof(struct spec_seccomp, listener_path),
		 MEMBER_ABSOLUTE},
		{"listenerMetadata", MEMBER_STRING,
		 offsetof(struct spec_seccomp, listener_metadata)},
	};
	struct spec_seccomp *out = &p->spec->linux.seccomp;
	struct json_at metadata = json_member(at, "listenerMetadata");
	int r = spec_members_of(p, at, members, out);

	if (r == 0 && out->listener_metadata && !out->listener_path)
		return json_fail(&metadata, p->err, "needs listenerPath");
	return r;
}

int spec_parse_seccomp(struct spec_parser *p, const struct json_at *at)
{
	struct json_at action = json_member(at, "defaultAction"),
		       rules = json_member(at, "syscalls");
	struct spec_seccomp *out = &p->spec->linux.seccomp;
	const char *name = NULL;
	int r = json_get_object(at, p->err);

	if (r || !at->value)
		return r;
	/* Without an action and rules, as some engines write it, there is no filter: so in runc. */
	r = json_get_string(&action, &name, p->err);
	if (r || ((!name || !*name) && json_get_array(&rules, NULL) == 0))
		return r;
	r = parse_action(p, at, "defaultAction", "defaultErrnoRet", &out->default_action);
	if (r == 0 && out->default_action == SCMP_ACT_NOTIFY)
		return json_fail(&action, p->err,
				 "SCMP_ACT_NOTIFY cannot be used as default action");
	r = r ?: parse_flags(p, at);
	r = r ?: parse_listener(p, at);
	if (r)
		return r;
	r = spec_list_member(p, at, "architectures", parse_architecture, &out->architectures,
			     &out->architecture_count);
	if (r)
		return r;
	r = spec_list(p, &rules, sizeof *out->rules, parse_rule, (void **)&out->rules,
		      &out->rule_count);
	out->is_set = r == 0;
	out->json = at->value;
	return r;
}

const struct spec_name *const spec_seccomp_actions = actions;
const struct spec_name *const spec_seccomp_architectures = architectures;
const struct spec_name *const spec_seccomp_flags = filter_flags;
const struct spec_name *const spec_seccomp_operators = operators;

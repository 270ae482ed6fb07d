/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.seccomp to BPF, and loading it. See seccomp.h. Runtime specification, "Seccomp"; seccomp(2).
 *
 *   cache hit:  the instructions are read, and libseccomp is never called
 *   else:       rules go to libseccomp for each architecture; its program gets a stub in front
 *
 * The stub answers ENOSYS for system calls that are newer than the profile (seccomp_stub.c): a program
 * falls back then, while an EPERM from a default action would look to it like a refusal.
 *
 * Meaning of a profile, as runc has it: names that are unknown here are left out; rules with the default
 * action say nothing new; conditions of one rule hold together, but where two of them look at the same
 * argument, each stands for itself. */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "runtime/seccomp_internal.h"
#include "runtime/sync.h"

/* From so many rules on, a tree of comparisons beats a row of them. libseccomp up to 2.5.4 can't make
 * one of no rules. */
#define TREE_MIN_RULES 32
/* The kernel's list of flags that concern only those who listen. */
#define LISTENER_FLAGS SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV

static void release_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
	*filter = NULL;
}

static int fail(struct error **err, int r, const char *what, const char *name)
{
	return error_errno(err, -r, "linux.seccomp: %s %s", what, name);
}

static int add_architectures(scmp_filter_ctx filter, const struct spec_seccomp *seccomp,
			     struct error **err)
{
	for (size_t i = 0; i < seccomp->architecture_count; i++) {
		int r = seccomp_arch_add(filter, seccomp->architectures[i]);

		if (r == -EDOM)
			return error_set(
				err, EINVAL,
				"linux.seccomp.architectures[%zu]: its byte order is not this "
				"machine's",
				i);
		if (r < 0 && r != -EEXIST)
			return error_set(
				err, EINVAL,
				"linux.seccomp.architectures[%zu]: this libseccomp does not "
				"know it",
				i);
	}
	return 0;
}

static bool has_argument_twice(const struct spec_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->arg_count; i++) {
		unsigned bit = 1U << rule->args[i].index;

		if (seen & bit)
			return true;
		seen |= bit;
	}
	return false;
}

static int add_call(scmp_filter_ctx filter, const struct spec_seccomp_rule *rule, const char *name,
		    struct error **err)
{
	int call = seccomp_syscall_resolve_name(name);
	size_t step = has_argument_twice(rule) ? 1 : rule->arg_count;
	struct scmp_arg_cmp args[6];
	size_t i = 0;

	if (call == __NR_SCMP_ERROR) {
		log_debug("seccomp: the system call %s is unknown here and is left out", name);
		return 0;
	}
	do {
		int r;

		for (size_t j = 0; j < step; j++) {
			const struct spec_seccomp_arg *arg = &rule->args[i + j];

			args[j] = (struct scmp_arg_cmp){.arg = arg->index,
							.op = (enum scmp_compare)arg->op,
							.datum_a = arg->value,
							.datum_b = arg->value_two};
		}
		r = seccomp_rule_add_array(filter, rule->action, call, (unsigned)step, args);
		/* Said before. */
		if (r < 0 && r != -EEXIST)
			return fail(err, r, "the rule for", name);
		i += step;
	} while (i < rule->arg_count);
	return 0;
}

static int add_rules(scmp_filter_ctx filter, const struct spec_seccomp *seccomp, struct error **err)
{
	for (size_t i = 0; i < seccomp->rule_count; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->rules[i];

		if (rule->action == seccomp->default_action)
			continue;
		for (size_t j = 0; j < rule->names.count; j++) {
			int r = add_call(filter, rule, rule->names.items[j], err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static size_t count_calls(const struct spec_seccomp *seccomp)
{
	size_t count = 0;

	for (size_t i = 0; i < seccomp->rule_count; i++)
		if (seccomp->rules[i].action != seccomp->default_action)
			count += seccomp->rules[i].names.count;
	return count;
}

/* The instructions of the filter, behind room for `before` more. */
static int export_filter(scmp_filter_ctx filter, size_t before, struct sock_filter **out,
			 size_t *count, struct error **err)
{
	_cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	_cleanup_free_ struct sock_filter *instructions = NULL;
	off_t size;
	int r;

	if (fd < 0)
		return error_errno(err, errno, "linux.seccomp: make a memory file");
	r = seccomp_export_bpf(filter, fd);
	if (r < 0)
		return fail(err, r, "compile", "the filter");
	size = lseek(fd, 0, SEEK_CUR);
	if (size <= 0 || (size_t)size % sizeof *instructions)
		return error_set(err, EIO, "linux.seccomp: libseccomp made no whole program");
	instructions = malloc(before * sizeof *instructions + (size_t)size);
	if (!instructions)
		return error_errno(err, ENOMEM, "linux.seccomp");
	if (pread(fd, instructions + before, (size_t)size, 0) != size)
		return error_set(err, EIO, "linux.seccomp: the program can't be read back");
	*out = TAKE_PTR(instructions);
	*count = (size_t)size / sizeof **out;
	return 0;
}

/* For a caller's program a system call that isn't there is no refusal; a tracer, or whoever lets
 * everything else through, wants to see it. */
static bool wants_stub(uint32_t default_action)
{
	switch (default_action & SECCOMP_RET_ACTION_FULL) {
	case SCMP_ACT_ALLOW:
	case SCMP_ACT_LOG:
	case SCMP_ACT_TRACE(0):
		return false;
	default:
		return default_action != SCMP_ACT_ERRNO(ENOSYS);
	}
}

static uint32_t audit_of(uint32_t token)
{
	/* The one whose token isn't what the kernel says: to it x32 is x86-64 with a bit set in the
	 * number. */
	return token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token;
}

static int64_t find_last(const struct spec_seccomp *seccomp, uint32_t token)
{
	int64_t last = -1;

	for (size_t i = 0; i < seccomp->rule_count; i++)
		for (size_t j = 0; j < seccomp->rules[i].names.count; j++) {
			int call = seccomp_syscall_resolve_name_arch(
				token, seccomp->rules[i].names.items[j]);

			if (call > last)
				last = call;
		}
	return last;
}

/* The native architecture and the listed ones, each once. *out is the caller's. */
static int find_architectures(const struct spec_seccomp *seccomp, struct seccomp_arch **out,
			      size_t *count, struct error **err)
{
	struct seccomp_arch *archs = calloc(seccomp->architecture_count + 1, sizeof *archs);
	uint32_t native = seccomp_arch_native();
	size_t n = 0;

	if (!archs)
		return error_errno(err, ENOMEM, "linux.seccomp");
	for (size_t i = 0; i <= seccomp->architecture_count; i++) {
		uint32_t token = i == 0 ? native : seccomp->architectures[i - 1];
		bool is_known = false;

		for (size_t j = 0; j < n; j++)
			is_known = is_known || archs[j].token == token;
		if (is_known)
			continue;
		archs[n++] = (struct seccomp_arch){.token = token,
						   .audit = audit_of(token),
						   .last = find_last(seccomp, token)};
	}
	*out = archs;
	*count = n;
	return 0;
}

static int finish(scmp_filter_ctx filter, const struct spec_seccomp *seccomp,
		  struct seccomp_program *out, struct error **err)
{
	_cleanup_free_ struct seccomp_arch *archs = NULL;
	_cleanup_free_ struct sock_filter *instructions = NULL;
	_cleanup_free_ struct sock_filter *stub = NULL;
	size_t arch_count = 0, stub_count = 0, count = 0;
	int r;

	if (wants_stub(seccomp->default_action)) {
		r = find_architectures(seccomp, &archs, &arch_count, err);
		if (r < 0)
			return r;
		stub = calloc(SECCOMP_STUB_MAX(arch_count), sizeof *stub);
		if (!stub)
			return error_errno(err, ENOMEM, "linux.seccomp");
		stub_count = seccomp_stub(archs, arch_count, stub);
	}
	r = export_filter(filter, stub_count, &instructions, &count, err);
	if (r < 0)
		return r;
	count += stub_count;
	if (count > BPF_MAXINSNS)
		return error_set(
			err, E2BIG,
			"linux.seccomp: the filter has %zu instructions, and the kernel takes "
			"%d",
			count, BPF_MAXINSNS);
	if (stub_count)
		memcpy(instructions, stub, stub_count * sizeof *stub);
	out->size = count * sizeof *instructions;
	out->instructions = TAKE_PTR(instructions);
	return 0;
}

static int translate(const struct spec_seccomp *seccomp, struct seccomp_program *out,
		     struct error **err)
{
	_cleanup_(release_filter) scmp_filter_ctx filter = seccomp_init(seccomp->default_action);
	int r;

	if (!filter)
		return error_set(
			err, EINVAL,
			"linux.seccomp.defaultAction: this libseccomp or kernel does not know it");
	r = add_architectures(filter, seccomp, err);
	if (r < 0)
		return r;
	if (count_calls(seccomp) > TREE_MIN_RULES)
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = add_rules(filter, seccomp, err);
	return r < 0 ? r : finish(filter, seccomp, out, err);
}

static bool needs_listener(const struct spec_seccomp *seccomp)
{
	for (size_t i = 0; i < seccomp->rule_count; i++)
		if (seccomp->rules[i].action == SCMP_ACT_NOTIFY)
			return true;
	return false;
}

/* As runc: a profile that doesn't speak of flags gets the CPU's speculation as it was. */
static int choose_flags(const struct spec_seccomp *seccomp, struct seccomp_program *out,
			struct error **err)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{SECCOMP_FILTER_FLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC"},
		{SECCOMP_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"},
		{SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
		{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
	};

	out->needs_listener = needs_listener(seccomp);
	if (!seccomp->has_flags) {
		if (seccomp_flags_are_supported(SECCOMP_FILTER_FLAG_SPEC_ALLOW))
			out->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unsigned flag = seccomp->flags & names[i].flag;

		if (!flag)
			continue;
		if (!seccomp_flags_are_supported(
			    flag | (flag & LISTENER_FLAGS ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0)))
			return error_set(err, ENOTSUP, "linux.seccomp.flags: this kernel has no %s",
					 names[i].name);
		/* The kernel refuses them where nobody listens; there they mean nothing. */
		if (out->needs_listener || !(flag & LISTENER_FLAGS))
			out->flags |= flag;
	}
	/* A number can't be both a thread that refused and a listener. */
	if (out->needs_listener && (out->flags & SECCOMP_FILTER_FLAG_TSYNC))
		out->flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	return 0;
}

int seccomp_compile(const struct spec_seccomp *seccomp, int cache_fd, struct seccomp_program *out,
		    struct error **err)
{
	_cleanup_strbuf_ struct strbuf key = {0};
	struct seccomp_program program = {0};
	int r = choose_flags(seccomp, &program, err);

	if (r < 0)
		return r;
	if (cache_fd >= 0 && seccomp_cache_key(seccomp, &key) < 0)
		return error_errno(err, ENOMEM, "linux.seccomp");
	if (cache_fd < 0 || !seccomp_cache_load(cache_fd, &key, &program)) {
		r = translate(seccomp, &program, err);
		if (r < 0)
			return r;
		if (cache_fd >= 0)
			seccomp_cache_store(cache_fd, &key, &program);
	}
	*out = program;
	return 0;
}

void seccomp_program_clear(struct seccomp_program *program)
{
	free(program->instructions);
	*program = (struct seccomp_program){0};
}

int seccomp_program_load(const struct seccomp_program *program, int *listener, struct error **err)
{
	unsigned flags = program->flags;
	int r;

	*listener = -1;
	if (program->needs_listener)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	r = seccomp_install(program->instructions, program->size / sizeof(struct sock_filter),
			    flags, err);
	if (r < 0)
		return r;
	if (program->needs_listener)
		*listener = r;
	return 0;
}

int seccomp_send_listener(const struct spec_seccomp *seccomp, const json_t *state, pid_t pid,
			  int listener, struct error **err)
{
	_cleanup_json_ json_t *message = json_pack(
		"{s:s, s:[s], s:i, s:s*, s:O}", "ociVersion", SPEC_VERSION, "fds", "seccompFd",
		"pid", (int)pid, "metadata", seccomp->listener_metadata, "state", state);
	_cleanup_free_ char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	_cleanup_fd_ int sock = -1;
	int r;

	if (!text)
		return error_errno(err, ENOMEM, "linux.seccomp.listenerPath");
	if (!seccomp->listener_path)
		return error_set(err, EINVAL, "linux.seccomp.listenerPath: missing");
	sock = connect_unix(seccomp->listener_path, SOCK_STREAM, err);
	if (sock < 0)
		return error_prefix(err, "linux.seccomp.listenerPath");
	r = send_descriptor(sock, listener, text, strlen(text));
	return r < 0 ? error_errno(err, -r, "linux.seccomp.listenerPath: send to %s",
				   seccomp->listener_path)
		     : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the seccomp translation. Profiles are read as config.json has them; filters are run by a small
 * interpreter of our own for what this machine can't do, and loaded in forked children for what it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "runtime/seccomp_internal.h"

#define CONFIG_START                                                                           \
	"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\"," \
	"\"args\":[\"x\"]},\"linux\":{\"seccomp\":"

static struct spec *parse(const char *seccomp)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_strbuf_ struct strbuf text = {0};
	struct spec *spec = NULL;

	strbuf_adds(&text, CONFIG_START);
	strbuf_adds(&text, seccomp);
	strbuf_adds(&text, "}}");
	if (spec_parse(text.text, text.length, &spec, &err) < 0)
		fail_msg("%s", error_text(err));
	return spec;
}

static struct seccomp_program compile_at(const char *seccomp, int cache_fd)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_spec_ struct spec *spec = parse(seccomp);
	struct seccomp_program program = {0};

	if (seccomp_compile(&spec->linux.seccomp, cache_fd, &program, &err) < 0)
		fail_msg("%s", error_text(err));
	return program;
}

static struct seccomp_program compile(const char *seccomp)
{
	return compile_at(seccomp, -1);
}

/* What the filter returns for data. */
static uint32_t simulate(const struct seccomp_program *program, const struct seccomp_data *data)
{
	const struct sock_filter *code = program->instructions;
	size_t count = program->size / sizeof *code;
	uint32_t a = 0, scratch[BPF_MEMWORDS] = {0};

	for (size_t pc = 0; pc < count; pc++) {
		const struct sock_filter *i = &code[pc];
		bool is_true;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + i->k, sizeof a);
			continue;
		case BPF_LD | BPF_MEM:
			a = scratch[i->k];
			continue;
		case BPF_ST:
			scratch[i->k] = a;
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			is_true = a == i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			is_true = a > i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			is_true = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			is_true = a & i->k;
			break;
		default:
			fail_msg("unexpected instruction %#x", i->code);
			return 0;
		}
		pc += is_true ? i->jt : i->jf;
	}
	fail_msg("the filter has no end");
	return 0;
}

static uint32_t ask(const struct seccomp_program *program, uint32_t arch, int call)
{
	struct seccomp_data data = {.nr = call, .arch = arch};

	return simulate(program, &data);
}

static uint32_t ask_native(const struct seccomp_program *program, const char *name, uint64_t first,
			   uint64_t second)
{
	struct seccomp_data data = {.nr = seccomp_syscall_resolve_name(name),
				    .arch = seccomp_arch_native(),
				    .args = {first, second}};

	return simulate(program, &data);
}

/* Forks a child that loads the profile and calls act; returns its wait status. */
static int run_under(const char *seccomp, int (*act)(int listener))
{
	struct seccomp_program program = compile(seccomp);
	int status, listener;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (seccomp_program_load(&program, &listener, NULL) < 0)
			_exit(99);
		_exit(act(listener));
	}
	seccomp_program_clear(&program);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int errno_of_getcwd(int listener)
{
	char buf[4096];

	return syscall(SYS_getcwd, buf, sizeof buf) < 0 ? errno : 0;
}

static int assert_exit(int status)
{
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int signal_of(int status)
{
	assert_true(WIFSIGNALED(status));
	return WTERMSIG(status);
}

#define DENY_GETCWD(action)                                                                              \
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"getcwd\"],\"action\":" action \
	"}]}"

static void given_an_errno_action_when_called_then_that_errno_is_returned(void **state)
{
	(void)state;
	assert_int_equal(assert_exit(run_under(DENY_GETCWD("\"SCMP_ACT_ERRNO\""), errno_of_getcwd)),
			 EPERM);
	assert_int_equal(assert_exit(run_under(DENY_GETCWD("\"SCMP_ACT_ERRNO\",\"errnoRet\":38"),
					       errno_of_getcwd)),
			 ENOSYS);
}

static void given_a_kill_action_when_called_then_the_process_dies_of_sigsys(void **state)
{
	(void)state;
	assert_int_equal(signal_of(run_under(DENY_GETCWD("\"SCMP_ACT_KILL\""), errno_of_getcwd)),
			 SIGSYS);
	assert_int_equal(
		signal_of(run_under(DENY_GETCWD("\"SCMP_ACT_KILL_PROCESS\""), errno_of_getcwd)),
		SIGSYS);
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	_exit(info->si_syscall == SYS_getcwd ? 7 : 8);
}

static int trap_getcwd(int listener)
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	sigaction(SIGSYS, &action, NULL);
	return errno_of_getcwd(listener);
}

static void given_a_trap_action_when_called_then_the_handler_sees_the_call(void **state)
{
	(void)state;
	assert_int_equal(assert_exit(run_under(DENY_GETCWD("\"SCMP_ACT_TRAP\""), trap_getcwd)), 7);
}

static void given_a_log_action_when_called_then_it_goes_through(void **state)
{
	(void)state;
	assert_int_equal(assert_exit(run_under(DENY_GETCWD("\"SCMP_ACT_LOG\""), errno_of_getcwd)),
			 0);
}

static void given_a_trace_action_without_a_tracer_then_the_call_is_enosys(void **state)
{
	(void)state;
	assert_int_equal(assert_exit(run_under(DENY_GETCWD("\"SCMP_ACT_TRACE\""), errno_of_getcwd)),
			 ENOSYS);
}

#define NOTIFY                                                                                        \
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\",\"flags\":[%s],\"syscalls\":[" \
	"{\"names\":[\"getcwd\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}"

/* The listener's other end answers with an errno that nothing else gives. */
static int answer_own_call(int listener)
{
	struct seccomp_notif request = {0};
	struct seccomp_notif_resp response = {.error = -EXDEV};
	pid_t pid;
	int status;

	if (listener < 0 || !(fcntl(listener, F_GETFD) & FD_CLOEXEC))
		return 90;
	pid = fork();
	if (pid == 0)
		_exit(errno_of_getcwd(-1));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
		return 91;
	response.id = request.id;
	if (request.data.nr != SYS_getcwd ||
	    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0)
		return 92;
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void given_a_notify_action_when_called_then_the_listener_answers(void **state)
{
	const char *flags[] = {"", "\"SECCOMP_FILTER_FLAG_TSYNC\"",
			       "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\""};
	char profile[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (i == 2 && !seccomp_flags_are_supported(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
							   SECCOMP_FILTER_FLAG_NEW_LISTENER))
			continue;
		snprintf(profile, sizeof profile, NOTIFY, flags[i]);
		assert_int_equal(assert_exit(run_under(profile, answer_own_call)), EXDEV);
	}
}

static void given_no_flags_then_speculation_is_left_alone_and_given_none_it_is_not(void **state)
{
	struct seccomp_program program = compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");

	(void)state;
	assert_int_equal(program.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_program_clear(&program);
	program = compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[]}");
	assert_int_equal(program.flags, 0);
	seccomp_program_clear(&program);
}

static void given_a_flag_for_listeners_and_none_listens_then_the_filter_loads(void **state)
{
	(void)state;
	assert_int_equal(assert_exit(run_under("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":["
					       "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\","
					       "\"SECCOMP_FILTER_FLAG_LOG\","
					       "\"SECCOMP_FILTER_FLAG_TSYNC\","
					       "\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]}",
					       errno_of_getcwd)),
			 0);
}

#define ON_ARGS(args)                                                                            \
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"lseek\"],\"action\":" \
	"\"SCMP_ACT_ERRNO\",\"args\":[" args "]}]}"
#define DENIED SCMP_ACT_ERRNO(EPERM)

static void given_each_operator_then_arguments_are_compared_in_64_bits(void **state)
{
	static const struct {
		const char *profile;
		uint64_t hit[2], miss[2];
	} cases[] = {
		{ON_ARGS("{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_EQ\"}"),
		 {5, 5},
		 {4, 0x100000005}},
		{ON_ARGS("{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_NE\"}"),
		 {4, 0x100000005},
		 {5, 5}},
		{ON_ARGS("{\"index\":0,\"value\":4294967301,\"op\":\"SCMP_CMP_LT\"}"),
		 {6, 0x100000004},
		 {0x100000005, 0x200000000}},
		{ON_ARGS("{\"index\":0,\"value\":4294967301,\"op\":\"SCMP_CMP_LE\"}"),
		 {6, 0x100000005},
		 {0x100000006, 0x200000000}},
		{ON_ARGS("{\"index\":0,\"value\":4294967301,\"op\":\"SCMP_CMP_GT\"}"),
		 {0x100000006, 0x200000000},
		 {6, 0x100000005}},
		{ON_ARGS("{\"index\":0,\"value\":4294967301,\"op\":\"SCMP_CMP_GE\"}"),
		 {0x100000005, 0x200000000},
		 {6, 0x100000004}},
		{ON_ARGS("{\"index\":0,\"value\":240,\"valueTwo\":16,\"op\":"
			 "\"SCMP_CMP_MASKED_EQ\"}"),
		 {0x10, 0x1f},
		 {0x20, 0x30}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seccomp_program program = compile(cases[i].profile);

		for (int j = 0; j < 2; j++) {
			assert_int_equal(ask_native(&program, "lseek", cases[i].hit[j], 0), DENIED);
			assert_int_equal(ask_native(&program, "lseek", cases[i].miss[j], 0),
					 SCMP_ACT_ALLOW);
		}
		seccomp_program_clear(&program);
	}
}

static void given_conditions_on_two_arguments_then_both_must_hold(void **state)
{
	struct seccomp_program program =
		compile(ON_ARGS("{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
				"{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}"));

	(void)state;
	assert_int_equal(ask_native(&program, "lseek", 1, 2), DENIED);
	assert_int_equal(ask_native(&program, "lseek", 1, 3), SCMP_ACT_ALLOW);
	assert_int_equal(ask_native(&program, "lseek", 0, 2), SCMP_ACT_ALLOW);
	seccomp_program_clear(&program);
}

static void given_conditions_on_one_argument_then_each_stands_for_itself(void **state)
{
	struct seccomp_program program =
		compile(ON_ARGS("{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
				"{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}"));

	(void)state;
	assert_int_equal(ask_native(&program, "lseek", 1, 0), DENIED);
	assert_int_equal(ask_native(&program, "lseek", 2, 0), DENIED);
	assert_int_equal(ask_native(&program, "lseek", 3, 0), SCMP_ACT_ALLOW);
	seccomp_program_clear(&program);
}

static void given_unknown_names_and_rules_that_say_the_default_then_they_are_left_out(void **state)
{
	struct seccomp_program program =
		compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
			"{\"names\":[\"no_such_call\",\"getcwd\"],\"action\":\"SCMP_ACT_ERRNO\"},"
			"{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");

	(void)state;
	assert_int_equal(ask_native(&program, "getcwd", 0, 0), DENIED);
	assert_int_equal(ask_native(&program, "chdir", 0, 0), SCMP_ACT_ALLOW);
	seccomp_program_clear(&program);
}

/* A long allow-list: every second call of this architecture. */
static char *make_long_profile(const char *architectures)
{
	struct strbuf text = {0};
	bool is_first = true;

	strbuf_addf(&text,
		    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[%s],"
		    "\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[",
		    architectures);
	for (int call = 0; call <= 400; call += 2) {
		char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), call);

		if (name) {
			strbuf_addf(&text, "%s\"%s\"", is_first ? "" : ",", name);
			is_first = false;
		}
		free(name);
	}
	strbuf_adds(&text, "]}]}");
	return strbuf_take(&text);
}

static void given_a_long_list_then_every_call_has_its_answer_and_newer_ones_enosys(void **state)
{
	_cleanup_free_ char *profile = make_long_profile("");
	struct seccomp_program program = compile(profile);
	int last = 0;

	(void)state;
	for (int call = 0; call <= 400; call++) {
		char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), call);

		if (name && call % 2 == 0)
			last = call;
		free(name);
	}
	for (int call = 0; call <= 1000; call++) {
		char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), call);
		uint32_t expected = call > last             ? SCMP_ACT_ERRNO(ENOSYS)
				    : name && call % 2 == 0 ? SCMP_ACT_ALLOW
							    : DENIED;

		assert_int_equal(ask(&program, seccomp_arch_native(), call), expected);
		free(name);
	}
	seccomp_program_clear(&program);
}

#if defined(__x86_64__)
static void given_sub_architectures_then_each_has_its_own_numbers(void **state)
{
	struct seccomp_program program =
		compile("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":["
			"\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],\"syscalls\":["
			"{\"names\":[\"getcwd\",\"chdir\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
	const int x32 = 0x40000000;

	(void)state;
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 79), SCMP_ACT_ALLOW);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 78), DENIED);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 81), SCMP_ACT_ERRNO(ENOSYS));
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, x32 | 79), SCMP_ACT_ALLOW);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, x32 | 78), DENIED);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, x32 | 81), SCMP_ACT_ERRNO(ENOSYS));
	assert_int_equal(ask(&program, AUDIT_ARCH_I386, 183), SCMP_ACT_ALLOW);
	assert_int_equal(ask(&program, AUDIT_ARCH_I386, 79), DENIED);
	assert_int_equal(ask(&program, AUDIT_ARCH_I386, 184), SCMP_ACT_ERRNO(ENOSYS));
	/* Never listed: killed, not let through. */
	assert_int_equal(ask(&program, AUDIT_ARCH_AARCH64, 17), SCMP_ACT_KILL);
	seccomp_program_clear(&program);
}

static void given_x32_not_listed_then_its_calls_are_killed(void **state)
{
	struct seccomp_program program =
		compile("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
			"{\"names\":[\"getcwd\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");

	(void)state;
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 79), SCMP_ACT_ALLOW);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 0x40000000 | 79), SCMP_ACT_KILL);
	assert_int_equal(ask(&program, AUDIT_ARCH_X86_64, 0x40000000 | 500), SCMP_ACT_KILL);
	assert_int_equal(ask(&program, AUDIT_ARCH_I386, 183), SCMP_ACT_KILL);
	seccomp_program_clear(&program);
}
#endif

static void given_a_default_that_lets_through_then_newer_calls_get_it(void **state)
{
	const char *actions[] = {"ALLOW", "LOG", "TRACE"};
	const uint32_t expected[] = {SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_TRACE(EPERM)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		char profile[256];
		struct seccomp_program program;

		snprintf(profile, sizeof profile,
			 "{\"defaultAction\":\"SCMP_ACT_%s\",\"syscalls\":[{\"names\":[\"getcwd\"],"
			 "\"action\":\"SCMP_ACT_KILL\"}]}",
			 actions[i]);
		program = compile(profile);
		assert_int_equal(ask(&program, seccomp_arch_native(), 5000), expected[i]);
		seccomp_program_clear(&program);
	}
}

static void given_every_architecture_then_the_stub_answers_for_each(void **state)
{
	struct seccomp_arch archs[40];
	struct sock_filter code[SECCOMP_STUB_MAX(40) + 1];
	struct seccomp_program program = {.instructions = code};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(archs); i++)
		archs[i] = (struct seccomp_arch){
			.token = 1000 + i, .audit = 1000 + i, .last = 100 + i};
	archs[3].token = SCMP_ARCH_S390X;
	archs[5].last = -1;
	program.size = seccomp_stub(archs, ARRAY_SIZE(archs), code);
	assert_true(program.size <= SECCOMP_STUB_MAX(ARRAY_SIZE(archs)));
	code[program.size++] = (struct sock_filter){.code = BPF_RET | BPF_K, .k = 12345};
	program.size *= sizeof *code;
	for (uint32_t i = 0; i < ARRAY_SIZE(archs); i++) {
		uint32_t newer = i == 5 ? 12345 : SCMP_ACT_ERRNO(ENOSYS);

		assert_int_equal(ask(&program, 1000 + i, (int)(100 + i)), 12345);
		assert_int_equal(ask(&program, 1000 + i, (int)(101 + i)), newer);
		assert_int_equal(ask(&program, 1000 + i, 0),
				 i == 3 ? SCMP_ACT_ERRNO(ENOSYS) : 12345);
	}
	assert_int_equal(ask(&program, 7, 5000), 12345);
}

/* The cache. A directory of our own for each test. */
struct cache {
	char path[32];
	int fd;
};

static int make_cache(void **state)
{
	struct cache *cache = calloc(1, sizeof *cache);

	strcpy(cache->path, "/tmp/dhow-cache-XXXXXX");
	if (!mkdtemp(cache->path))
		return -1;
	cache->fd = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = cache;
	return 0;
}

static int drop_cache(void **state)
{
	struct cache *cache = *state;

	close(cache->fd);
	remove_tree_at(AT_FDCWD, cache->path, NULL);
	free(cache);
	return 0;
}

#define SIMPLE DENY_GETCWD("\"SCMP_ACT_ERRNO\"")

/* The only entry's name. */
static void find_entry(const struct cache *cache, char *name)
{
	_cleanup_dir_ DIR *dir = opendir(cache->path);
	struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			strcpy(name, entry->d_name);
			count++;
		}
	assert_int_equal(count, 1);
}

static bool is_hit(const struct cache *cache, const char *profile)
{
	_cleanup_spec_ struct spec *spec = parse(profile);
	_cleanup_strbuf_ struct strbuf key = {0};
	struct seccomp_program program = {0};
	bool is;

	assert_int_equal(seccomp_cache_key(&spec->linux.seccomp, &key), 0);
	is = seccomp_cache_load(cache->fd, &key, &program);
	seccomp_program_clear(&program);
	return is;
}

static void fill(const struct cache *cache, const char *profile)
{
	struct seccomp_program program = compile_at(profile, cache->fd);

	seccomp_program_clear(&program);
}

static void given_an_entry_then_the_program_is_the_same_as_without(void **state)
{
	struct cache *cache = *state;
	_cleanup_free_ char *profile = make_long_profile("");
	struct seccomp_program first, second;

	assert_false(is_hit(cache, profile));
	first = compile_at(profile, cache->fd);
	assert_true(is_hit(cache, profile));
	second = compile_at(profile, cache->fd);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.instructions, second.instructions, first.size);
	seccomp_program_clear(&first);
	seccomp_program_clear(&second);
}

static void given_another_profile_in_the_slot_then_it_is_not_taken(void **state)
{
	struct cache *cache = *state;
	char mine[16], other[16];

	fill(cache, SIMPLE);
	find_entry(cache, mine);
	/* As if the other one's hash were the same. */
	renameat(cache->fd, mine, cache->fd, "mine");
	fill(cache, DENY_GETCWD("\"SCMP_ACT_KILL\""));
	renameat(cache->fd, "mine", cache->fd, ".mine");
	find_entry(cache, other);
	renameat(cache->fd, ".mine", cache->fd, other);
	assert_false(is_hit(cache, DENY_GETCWD("\"SCMP_ACT_KILL\"")));
}

static void given_an_entry_of_somebody_else_then_it_is_not_taken(void **state)
{
	struct cache *cache = *state;
	char name[16];

	if (geteuid() != 0)
		skip();
	fill(cache, SIMPLE);
	find_entry(cache, name);
	assert_int_equal(fchownat(cache->fd, name, 65534, 65534, 0), 0);
	assert_false(is_hit(cache, SIMPLE));
	fill(cache, SIMPLE);
	assert_true(is_hit(cache, SIMPLE));
}

static void given_an_entry_that_others_may_write_then_it_is_not_taken(void **state)
{
	struct cache *cache = *state;
	char name[16];

	fill(cache, SIMPLE);
	find_entry(cache, name);
	assert_int_equal(fchmodat(cache->fd, name, 0620, 0), 0);
	assert_false(is_hit(cache, SIMPLE));
	assert_int_equal(fchmodat(cache->fd, name, 0602, 0), 0);
	assert_false(is_hit(cache, SIMPLE));
	assert_int_equal(fchmodat(cache->fd, name, 0600, 0), 0);
	assert_true(is_hit(cache, SIMPLE));
}

static void given_a_directory_that_others_may_write_then_nothing_is_taken_or_kept(void **state)
{
	struct cache *cache = *state;

	assert_int_equal(fchmod(cache->fd, 0777), 0);
	fill(cache, SIMPLE);
	assert_int_equal(fchmod(cache->fd, 0700), 0);
	assert_false(is_hit(cache, SIMPLE));
	fill(cache, SIMPLE);
	assert_int_equal(fchmod(cache->fd, 0770), 0);
	assert_false(is_hit(cache, SIMPLE));
}

static void given_a_link_for_an_entry_then_it_is_not_followed(void **state)
{
	struct cache *cache = *state;
	char name[16];

	fill(cache, SIMPLE);
	find_entry(cache, name);
	assert_int_equal(renameat(cache->fd, name, cache->fd, "real"), 0);
	assert_int_equal(symlinkat("real", cache->fd, name), 0);
	assert_false(is_hit(cache, SIMPLE));
	unlinkat(cache->fd, name, 0);
	assert_int_equal(linkat(cache->fd, "real", cache->fd, name, 0), 0);
	assert_false(is_hit(cache, SIMPLE));
	unlinkat(cache->fd, name, 0);
	assert_int_equal(mkfifoat(cache->fd, name, 0600), 0);
	assert_false(is_hit(cache, SIMPLE));
	unlinkat(cache->fd, name, 0);
	assert_int_equal(mkdirat(cache->fd, name, 0700), 0);
	assert_false(is_hit(cache, SIMPLE));
}

static void given_an_entry_cut_or_changed_anywhere_then_it_is_not_taken(void **state)
{
	struct cache *cache = *state;
	_cleanup_fd_ int fd = -1;
	char name[16], byte;
	struct stat st;

	fill(cache, SIMPLE);
	find_entry(cache, name);
	fd = openat(cache->fd, name, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t i = 0; i < st.st_size; i++) {
		assert_int_equal(pread(fd, &byte, 1, i), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, i), 1);
		assert_false(is_hit(cache, SIMPLE));
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, i), 1);
	}
	assert_true(is_hit(cache, SIMPLE));
	assert_int_equal(ftruncate(fd, st.st_size + 8), 0);
	assert_false(is_hit(cache, SIMPLE));
	for (off_t size = st.st_size - 1; size >= 0; size -= 7) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_false(is_hit(cache, SIMPLE));
	}
}

/* The agent's side of the listener socket. */
static void given_a_listener_then_the_agent_gets_the_state_and_the_descriptor(void **state)
{
	struct cache *dir = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_error_ struct error *err = NULL;
	_cleanup_json_ json_t *container = json_pack("{s:s}", "id", "c1"), *got = NULL;
	struct spec_seccomp seccomp = {.listener_path = address.sun_path,
				       .listener_metadata = "meta"};
	_cleanup_fd_ int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer = -1,
			 sent = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[4096], control[CMSG_SPACE(sizeof(int))];
	struct iovec data = {.iov_base = text, .iov_len = sizeof text};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control};
	ssize_t n;
	int fd;

	snprintf(address.sun_path, sizeof address.sun_path, "%s/agent", dir->path);
	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(seccomp_send_listener(&seccomp, container, 42, sent, &err), 0);
	peer = accept(server, NULL, NULL);
	n = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
	assert_true(n > 0);
	assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(json_parse(text, (size_t)n, "message", &got, &err), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(got, "fds"), 0)),
			    "seccompFd");
	assert_int_equal(json_integer_value(json_object_get(got, "pid")), 42);
	assert_string_equal(json_string_value(json_object_get(got, "metadata")), "meta");
	assert_true(json_equal(json_object_get(got, "state"), container));
	assert_non_null(json_object_get(got, "ociVersion"));
}

static void given_no_agent_then_the_error_names_the_socket(void **state)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_json_ json_t *container = json_object();
	struct spec_seccomp seccomp = {.listener_path = "/nonexistent/agent"};

	(void)state;
	assert_true(seccomp_send_listener(&seccomp, container, 1, 0, &err) < 0);
	assert_non_null(strstr(error_text(err), "/nonexistent/agent"));
}

#define with_cache(test) cmocka_unit_test_setup_teardown(test, make_cache, drop_cache)

int main(void)
{
	const struct CMUnitTest tests[] =
	{ cmocka_unit_test(given_an_errno_action_when_called_then_that_errno_is_returned),
	  cmocka_unit_test(given_a_kill_action_when_called_then_the_process_dies_of_sigsys),
	  cmocka_unit_test(given_a_trap_action_when_called_then_the_handler_sees_the_call),
	  cmocka_unit_test(given_a_log_action_when_called_then_it_goes_through),
	  cmocka_unit_test(given_a_trace_action_without_a_tracer_then_the_call_is_enosys),
	  cmocka_unit_test(given_a_notify_action_when_called_then_the_listener_answers),
	  cmocka_unit_test(given_no_flags_then_speculation_is_left_alone_and_given_none_it_is_not),
	  cmocka_unit_test(given_a_flag_for_listeners_and_none_listens_then_the_filter_loads),
	  cmocka_unit_test(given_each_operator_then_arguments_are_compared_in_64_bits),
	  cmocka_unit_test(given_conditions_on_two_arguments_then_both_must_hold),
	  cmocka_unit_test(given_conditions_on_one_argument_then_each_stands_for_itself),
	  cmocka_unit_test(
		  given_unknown_names_and_rules_that_say_the_default_then_they_are_left_out),
	  cmocka_unit_test(given_a_long_list_then_every_call_has_its_answer_and_newer_ones_enosys),
#if defined(__x86_64__)
	  cmocka_unit_test(given_sub_architectures_then_each_has_its_own_numbers),
	  cmocka_unit_test(given_x32_not_listed_then_its_calls_are_killed),
#endif
	  cmocka_unit_test(given_a_default_that_lets_through_then_newer_calls_get_it),
	  cmocka_unit_test(given_every_architecture_then_the_stub_answers_for_each),
	  with_cache(given_an_entry_then_the_program_is_the_same_as_without),
	  with_cache(given_another_profile_in_the_slot_then_it_is_not_taken),
	  with_cache(given_an_entry_of_somebody_else_then_it_is_not_taken),
	  with_cache(given_an_entry_that_others_may_write_then_it_is_not_taken),
	  with_cache(given_a_directory_that_others_may_write_then_nothing_is_taken_or_kept),
	  with_cache(given_a_link_for_an_entry_then_it_is_not_followed),
	  with_cache(given_an_entry_cut_or_changed_anywhere_then_it_is_not_taken),
	  with_cache(given_a_listener_then_the_agent_gets_the_state_and_the_descriptor),
	  cmocka_unit_test(given_no_agent_then_the_error_names_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

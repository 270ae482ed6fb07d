/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the program's attributes: each is applied in a forked child, which then looks at itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/test_child.h"
#include "kernel/capability.h"
#include "runtime/attributes.h"

#define BIT(number) (UINT64_C(1) << (number))

static int become(const struct attributes_opts *opts, struct error **err)
{
	struct spec_capabilities granted;
	int r = attributes_become_user(opts, &granted, err);

	return r == 0 ? attributes_late(opts, &granted, err) : r;
}

static int late(struct spec_process *process)
{
	struct attributes_opts opts = {.process = process, .id = "test", .no_new_keyring = true};
	_cleanup_error_ struct error *err = NULL;
	int r = become(&opts, &err);

	if (r < 0)
		fprintf(stderr, "%s\n", error_text(err));
	return r;
}

static bool has_sets(uint64_t effective, uint64_t permitted, uint64_t inheritable,
		     uint64_t bounding, uint64_t ambient)
{
	struct capability_sets now;

	return capability_get(&now, NULL) == 0 && now.effective == effective &&
	       now.permitted == permitted && now.inheritable == inheritable &&
	       capability_bounding() == bounding && capability_ambient() == ambient;
}

static int keep_some_as_user(void)
{
	gid_t groups[] = {5, 6}, now[8];
	struct spec_process process = {
		.user = {.uid = 1000,
			 .gid = 1001,
			 .umask = {true, 027},
			 .additional_gids = groups,
			 .additional_gid_count = 2},
		.capabilities = {.is_set = true,
				 .bounding = BIT(CAP_KILL) | BIT(CAP_CHOWN) | BIT(CAP_SETUID),
				 .permitted = BIT(CAP_KILL) | BIT(CAP_CHOWN),
				 .effective = BIT(CAP_CHOWN),
				 .inheritable = BIT(CAP_KILL),
				 .ambient = BIT(CAP_KILL)},
		.no_new_privileges = true,
	};

	if (geteuid() != 0)
		return SKIPPED;
	if (late(&process) < 0)
		return 1;
	if (!has_sets(BIT(CAP_CHOWN), BIT(CAP_KILL) | BIT(CAP_CHOWN), BIT(CAP_KILL),
		      BIT(CAP_KILL) | BIT(CAP_CHOWN) | BIT(CAP_SETUID), BIT(CAP_KILL)))
		return 2;
	if (getuid() != 1000 || geteuid() != 1000 || getgid() != 1001 || getegid() != 1001)
		return 3;
	if (getgroups(8, now) != 2 || now[0] != 5 || now[1] != 6)
		return 4;
	if (umask(0) != 027 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 5;
	return prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0 ? 0 : 6;
}

static void given_a_user_with_capabilities_then_exactly_those_are_kept(void **state)
{
	(void)state;
	expect_child(keep_some_as_user);
}

static int keep_none(void)
{
	struct spec_process process = {0};

	if (geteuid() != 0)
		return SKIPPED;
	if (late(&process) < 0 || !has_sets(0, 0, 0, 0, 0))
		return 1;
	if (getgroups(0, NULL) != 0)
		return 2;
	return umask(0) == 022 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? 0 : 3;
}

static void given_no_capabilities_then_root_keeps_none_and_no_groups(void **state)
{
	(void)state;
	expect_child(keep_none);
}

/* As if the caller had these set, as CVE-2022-24769 had it. */
static int clear_inherited(void)
{
	struct spec_process process = {.user = {.uid = 1000, .gid = 1000}};
	struct capability_sets sets;

	if (geteuid() != 0 || capability_get(&sets, NULL) < 0)
		return SKIPPED;
	sets.inheritable = BIT(CAP_KILL);
	if (capability_set(&sets, NULL) < 0 || capability_set_ambient(BIT(CAP_KILL), NULL) < 0)
		return 1;
	return late(&process) == 0 && has_sets(0, 0, 0, 0, 0) ? 0 : 2;
}

static void given_inheritable_and_ambient_capabilities_of_the_caller_then_they_are_gone(
	void **state)
{
	(void)state;
	expect_child(clear_inherited);
}

static int ask_for_all(void)
{
	struct spec_process process = {.capabilities = {.is_set = true,
							.bounding = UINT64_MAX,
							.permitted = UINT64_MAX,
							.effective = UINT64_MAX,
							.inheritable = UINT64_MAX,
							.ambient = UINT64_MAX}};
	struct attributes_opts opts = {.process = &process, .id = "test"};
	struct capability_sets had;
	uint64_t all;

	if (geteuid() != 0 || capability_get(&had, NULL) < 0)
		return SKIPPED;
	/* One less than the caller could have. */
	had.permitted &= ~BIT(CAP_KILL);
	had.effective &= ~BIT(CAP_KILL);
	if (capability_bound(~BIT(CAP_KILL), NULL) < 0 || capability_set(&had, NULL) < 0)
		return 1;
	log_setup(2, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	if (attributes_check(&opts, NULL) < 0)
		return 2;
	all = had.permitted;
	return late(&process) == 0 && has_sets(all, all, all, capability_bounding(), all) ? 0 : 3;
}

static void given_more_capabilities_than_the_caller_has_then_the_rest_is_granted(void **state)
{
	(void)state;
	expect_child(ask_for_all);
}

static void given_an_id_of_minus_one_then_it_is_refused(void **state)
{
	gid_t groups[] = {7, (gid_t)-1};
	struct spec_user users[] = {{.uid = (uid_t)-1},
				    {.gid = (gid_t)-1},
				    {.additional_gids = groups, .additional_gid_count = 2}};
	const char *texts[] = {"process.user.uid", "process.user.gid",
			       "process.user.additionalGids[1]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		struct spec_process process = {.user = users[i]};
		struct attributes_opts opts = {.process = &process};
		_cleanup_error_ struct error *err = NULL;

		assert_int_equal(attributes_check(&opts, &err), -EINVAL);
		assert_non_null(strstr(error_text(err), texts[i]));
	}
}

static void given_denied_setgroups_then_only_asking_for_groups_is_an_error(void **state)
{
	gid_t groups[] = {7};
	struct spec_process process = {
		.user = {.additional_gids = groups, .additional_gid_count = 1}};
	struct attributes_opts opts = {
		.process = &process, .is_setgroups_denied = true, .has_user_namespace = true};
	_cleanup_error_ struct error *err = NULL;

	(void)state;
	assert_int_equal(attributes_check(&opts, &err), -EPERM);
	assert_non_null(strstr(error_text(err), "additionalGids"));
	process.user.additional_gid_count = 0;
	assert_int_equal(attributes_check(&opts, NULL), 0);
}

/* Root of a user namespace that a user without privileges made: one id, setgroups denied. */
static int enter_poor_namespace(void)
{

	if (geteuid() == 0 && (setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0))
		return -1;
	/* /proc/self belongs to root until then. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		const char *paths[] = {"/proc/self/setgroups", "/proc/self/uid_map",
				       "/proc/self/gid_map"};
		_cleanup_fd_ int fd = open(paths[i], O_WRONLY | O_CLOEXEC);
		const char *value = i == 0 ? "deny" : "0 1000 1\n";

		if (fd < 0 || fd_write_all(fd, value, strlen(value)) < 0)
			return -1;
	}
	return 0;
}

static int late_in_poor_namespace(void)
{
	gid_t groups[] = {0};
	struct spec_process process = {.capabilities = {.is_set = true,
							.bounding = BIT(CAP_SYS_RESOURCE),
							.permitted = BIT(CAP_SYS_RESOURCE),
							.effective = BIT(CAP_SYS_RESOURCE)}};
	struct attributes_opts opts = {
		.process = &process, .id = "test", .has_user_namespace = true};
	_cleanup_error_ struct error *err = NULL;

	if (enter_poor_namespace() < 0)
		return SKIPPED;
	/* Groups where there are none to be had. */
	process.user.additional_gids = groups;
	process.user.additional_gid_count = 1;
	if (become(&opts, &err) != -EPERM)
		return 1;
	process.user.additional_gid_count = 0;
	/* A user that isn't mapped. */
	process.user.uid = 5;
	error_freep(&err);
	process.capabilities.bounding = UINT64_MAX;
	if (become(&opts, &err) != -EINVAL || !strstr(error_text(err), "uid 5"))
		return 2;
	process.user.uid = 0;
	process.capabilities.bounding = BIT(CAP_SYS_RESOURCE);
	if (become(&opts, NULL) < 0)
		return 3;
	return has_sets(BIT(CAP_SYS_RESOURCE), BIT(CAP_SYS_RESOURCE), 0, BIT(CAP_SYS_RESOURCE), 0)
		       ? 0
		       : 4;
}

static void given_a_namespace_of_one_id_then_its_root_gets_capabilities_but_no_groups(void **state)
{
	(void)state;
	expect_child(late_in_poor_namespace);
}

static int lower_limits(void)
{
	struct spec_rlimit limits[] = {{RLIMIT_NOFILE, "RLIMIT_NOFILE", 256, 512},
				       {RLIMIT_CORE, "RLIMIT_CORE", 0, 0}};
	struct spec_process process = {.rlimits = limits, .rlimit_count = 2};
	struct attributes_opts opts = {.process = &process, .id = "x", .no_new_keyring = true};
	struct rlimit now;

	if (attributes_check(&opts, NULL) < 0 || attributes_early(&opts, NULL) < 0)
		return 1;
	if (getrlimit(RLIMIT_NOFILE, &now) < 0 || now.rlim_cur != 256 || now.rlim_max != 512)
		return 2;
	return getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_max == 0 ? 0 : 3;
}

static void given_limits_below_what_is_in_force_then_they_are_set(void **state)
{
	(void)state;
	expect_child(lower_limits);
}

static int raise_without_privilege(void)
{
	struct spec_rlimit limit = {RLIMIT_NOFILE, "RLIMIT_NOFILE", 1024, 1048576};
	struct spec_process process = {.rlimits = &limit, .rlimit_count = 1};
	struct attributes_opts opts = {.process = &process, .id = "x", .no_new_keyring = true};
	struct rlimit low = {100, 200};
	struct capability_sets none = {0};
	_cleanup_error_ struct error *err = NULL, *early = NULL;
	const char *text =
		"process.rlimits: RLIMIT_NOFILE: hard limit 1048576 is above 200 and this "
		"host does not let us raise it (no CAP_SYS_RESOURCE)";

	if (setrlimit(RLIMIT_NOFILE, &low) < 0 || capability_set(&none, NULL) < 0)
		return 1;
	if (attributes_check(&opts, &err) != -EPERM || !str_equal(error_text(err), text))
		return 2;
	return attributes_early(&opts, &early) == -EPERM && str_equal(error_text(early), text) ? 0
											       : 3;
}

static void given_a_limit_that_may_not_be_raised_then_the_error_names_limit_and_values(void **state)
{
	(void)state;
	expect_child(raise_without_privilege);
}

static int set_score(void)
{
	struct spec_process process = {.oom_score_adj = {true, 500}};
	struct attributes_opts opts = {.process = &process, .id = "x", .no_new_keyring = true};
	_cleanup_free_ char *value = NULL;
	_cleanup_error_ struct error *err = NULL;
	struct capability_sets none = {0};

	if (attributes_early(&opts, NULL) < 0 ||
	    file_read_at(AT_FDCWD, "/proc/self/oom_score_adj", 16, &value, NULL, NULL) < 0 ||
	    strcmp(value, "500\n") != 0)
		return 1;
	if (geteuid() != 0)
		return SKIPPED;
	if (capability_set(&none, NULL) < 0)
		return 2;
	process.oom_score_adj.value = -1000;
	if (attributes_early(&opts, &err) != -EPERM ||
	    !strstr(error_text(err), "process.oomScoreAdj: -1000"))
		return 3;
	/* Who has no privileges to lose. */
	opts.has_user_namespace = true;
	return attributes_early(&opts, NULL);
}

static void given_a_score_then_it_is_set_and_lowering_without_privilege_is_an_error(void **state)
{
	(void)state;
	expect_child(set_score);
}

static int apply_scheduling(void)
{
	struct spec_linux config = {.personality = {true, 0x0008}};
	struct spec_process process = {.scheduler = {.is_set = true, .policy = SCHED_IDLE},
				       .io_priority = {true, 3, 0}};
	struct attributes_opts opts = {
		.process = &process, .linux = &config, .id = "x", .no_new_keyring = true};

	if (attributes_check(&opts, NULL) < 0 || attributes_early(&opts, NULL) < 0)
		return 1;
	return sched_getscheduler(0) == SCHED_IDLE && syscall(SYS_ioprio_get, 1, 0) == 3 << 13 &&
			       syscall(SYS_personality, 0xffffffff) == 8
		       ? 0
		       : 2;
}

static void given_a_scheduler_then_early_applies_it(void **state)
{
	(void)state;
	expect_child(apply_scheduling);
}

static int refuse_scheduler(void)
{
	struct spec_process process = {.scheduler = {.is_set = true, .policy = 4}};
	struct attributes_opts opts = {.process = &process, .id = "x", .no_new_keyring = true};
	_cleanup_error_ struct error *err = NULL;

	return attributes_early(&opts, &err) == -EINVAL &&
			       str_starts(error_text(err), "process.scheduler: ")
		       ? 0
		       : 1;
}

static void given_a_policy_that_the_kernel_lacks_then_the_error_names_the_field(void **state)
{
	(void)state;
	expect_child(refuse_scheduler);
}

static int join_keyring(void)
{
	struct spec_process process = {0};
	struct attributes_opts opts = {.process = &process, .id = "dhow-test-keyring"};
	char text[256] = "";
	unsigned permissions;

	if (attributes_early(&opts, NULL) < 0)
		return 1;
	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text) < 0)
		return errno == ENOSYS || errno == EPERM ? SKIPPED : 2;
	if (!strstr(text, ";_ses.dhow-test-keyring"))
		return 3;
	return sscanf(text, "%*[^;];%*[^;];%*[^;];%x", &permissions) == 1 && (permissions & 0x80000)
		       ? 0
		       : 4;
}

static void given_an_id_then_the_session_keyring_is_its_own_and_searchable(void **state)
{
	(void)state;
	expect_child(join_keyring);
}

static void given_labels_where_no_module_is_enabled_then_the_error_says_which(void **state)
{
	struct spec_process apparmor = {.apparmor_profile = "docker-default"},
			    selinux = {.selinux_label = "system_u:system_r:container_t:s0"};
	struct attributes_opts opts = {.process = &apparmor};
	_cleanup_error_ struct error *err = NULL, *other = NULL;

	(void)state;
	if (access("/sys/module/apparmor", F_OK) == 0 ||
	    access("/sys/fs/selinux/enforce", F_OK) == 0)
		skip();
	assert_true(attributes_check(&opts, &err) < 0);
	assert_non_null(strstr(error_text(err), "apparmor not enabled"));
	opts.process = &selinux;
	assert_true(attributes_check(&opts, &other) < 0);
	assert_non_null(strstr(error_text(other), "selinux not enabled"));
}

static int set_affinity(void)
{
	_cleanup_error_ struct error *err = NULL;
	cpu_set_t now;

	if (attributes_affinity(NULL, NULL) < 0 || attributes_affinity("0", NULL) < 0)
		return 1;
	if (sched_getaffinity(0, sizeof now, &now) < 0 || CPU_COUNT(&now) != 1)
		return 2;
	return attributes_affinity("8000", &err) < 0 &&
			       str_starts(error_text(err), "process.execCPUAffinity: ")
		       ? 0
		       : 3;
}

static void given_cpus_then_the_affinity_is_set_and_absent_ones_are_an_error(void **state)
{
	(void)state;
	expect_child(set_affinity);
}

/* A child in a user namespace of its own: the parent sets its limits from outside. */
static void given_a_user_namespace_then_limits_are_set_from_outside(void **state)
{
	struct spec_rlimit limit = {RLIMIT_NOFILE, "RLIMIT_NOFILE", 111, 222};
	struct spec_process process = {
		.rlimits = &limit, .rlimit_count = 1, .oom_score_adj = {true, 321}};
	struct attributes_opts opts = {.process = &process, .has_user_namespace = true};
	_cleanup_free_ char *value = NULL;
	struct rlimit now;
	char path[40];
	int gate[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		close(gate[1]);
		_exit(read(gate[0], &byte, 1) != 0);
	}
	assert_int_equal(attributes_outside(&opts, pid, NULL), 0);
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &now), 0);
	assert_int_equal(now.rlim_cur, 111);
	assert_int_equal(now.rlim_max, 222);
	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
	assert_int_equal(file_read_at(AT_FDCWD, path, 16, &value, NULL, NULL), 0);
	assert_string_equal(value, "321\n");
	close(gate[0]);
	close(gate[1]);
	waitpid(pid, &status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_user_with_capabilities_then_exactly_those_are_kept),
		cmocka_unit_test(given_no_capabilities_then_root_keeps_none_and_no_groups),
		cmocka_unit_test(
			given_inheritable_and_ambient_capabilities_of_the_caller_then_they_are_gone),
		cmocka_unit_test(
			given_more_capabilities_than_the_caller_has_then_the_rest_is_granted),
		cmocka_unit_test(given_an_id_of_minus_one_then_it_is_refused),
		cmocka_unit_test(given_denied_setgroups_then_only_asking_for_groups_is_an_error),
		cmocka_unit_test(
			given_a_namespace_of_one_id_then_its_root_gets_capabilities_but_no_groups),
		cmocka_unit_test(given_limits_below_what_is_in_force_then_they_are_set),
		cmocka_unit_test(
			given_a_limit_that_may_not_be_raised_then_the_error_names_limit_and_values),
		cmocka_unit_test(
			given_a_score_then_it_is_set_and_lowering_without_privilege_is_an_error),
		cmocka_unit_test(given_a_scheduler_then_early_applies_it),
		cmocka_unit_test(
			given_a_policy_that_the_kernel_lacks_then_the_error_names_the_field),
		cmocka_unit_test(given_an_id_then_the_session_keyring_is_its_own_and_searchable),
		cmocka_unit_test(given_labels_where_no_module_is_enabled_then_the_error_says_which),
		cmocka_unit_test(given_cpus_then_the_affinity_is_set_and_absent_ones_are_an_error),
		cmocka_unit_test(given_a_user_namespace_then_limits_are_set_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

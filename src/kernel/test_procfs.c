/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trusted procfs: "self" is resolved, nothing mounted over a file is taken for it, other roots are
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/test_child.h"
#include "kernel/procfs.h"

/* In a child with a private mount namespace. */
static void run(void (*test)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("# needs root\n");
		skip();
	}
	pid = fork();
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void given_self_when_read_then_it_is_the_caller(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	(void)state;
	assert_int_equal(procfs_read("self/stat", &text, &length, NULL), 0);
	assert_int_equal(atoi(text), getpid());
	free(TAKE_PTR(text));
	assert_int_equal(procfs_read("thread-self/comm", &text, &length, NULL), 0);
	assert_true(procfs_open("self/root", O_PATH | O_DIRECTORY, NULL) < 0);
	assert_true(procfs_open("../etc/passwd", O_RDONLY, NULL) < 0);
	assert_int_equal(procfs_open("self/missing", O_RDONLY, NULL), -ENOENT);
}

static void write_over_a_mount(void)
{
	_cleanup_free_ char *text = NULL;
	struct error *err = NULL;
	size_t length;
	char path[64];

	CHECK(mkdir("/tmp/test-procfs", 0700) == 0 || errno == EEXIST);
	CHECK(mount("none", "/tmp/test-procfs", "tmpfs", 0, NULL) == 0);
	close(open("/tmp/test-procfs/fake", O_CREAT | O_WRONLY, 0600));
	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", getpid());
	CHECK(mount("/tmp/test-procfs/fake", path, NULL, MS_BIND, NULL) == 0);
	CHECK(procfs_write(TRACE_PROCESS, "self/oom_score_adj", "321", &err) == 0);
	CHECK(procfs_read("self/oom_score_adj", &text, &length, &err) == 0);
	CHECK(atoi(text) == 321);
	CHECK(open("/tmp/test-procfs/fake", O_RDONLY) >= 0);
}

static void given_a_file_mounted_over_when_written_then_the_real_one_is(void **state)
{
	(void)state;
	run(write_over_a_mount);
	rmdir("/tmp/test-procfs");
}

static void refuse_a_fake(void)
{
	struct error *err = NULL;

	CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
	CHECK(procfs_root(&err) == -EINVAL);
	CHECK(strstr(error_text(err), "not a procfs"));
	CHECK(procfs_renew(&err) == 0);
	CHECK(procfs_root(&err) >= 0);
}

static void given_a_tmpfs_on_proc_when_asked_then_it_is_refused(void **state)
{
	(void)state;
	run(refuse_a_fake);
}

static void reopen_a_path(void)
{
	int fd = open("/dev/null", O_PATH | O_CLOEXEC);
	int opened = procfs_reopen(fd, O_WRONLY, NULL);

	CHECK(opened >= 0 && write(opened, "x", 1) == 1);
}

static void given_an_o_path_descriptor_when_reopened_then_it_can_be_written(void **state)
{
	(void)state;
	run(reopen_a_path);
}

int main(void)
{
	/* The first two leave this process without a procfs root of its own, for their children to find. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_tmpfs_on_proc_when_asked_then_it_is_refused),
		cmocka_unit_test(given_a_file_mounted_over_when_written_then_the_real_one_is),
		cmocka_unit_test(given_self_when_read_then_it_is_the_caller),
		cmocka_unit_test(given_an_o_path_descriptor_when_reopened_then_it_can_be_written),
	};

	return cmocka_run_group_tests_name("procfs", tests, NULL, NULL);
}

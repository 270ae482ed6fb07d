/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes, signals by name, descriptors, namespaces. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "kernel/namespace.h"
#include "kernel/process.h"

static void given_a_child_when_it_exits_then_wait_gives_its_code(void **state)
{
	struct process_clone opts = {.cgroup_fd = -1, .exit_signal = SIGCHLD};
	_cleanup_fd_ int pidfd = -1;
	int status;
	pid_t pid;

	pid = process_clone(&opts, &pidfd, NULL);
	if (pid == 0)
		_exit(7);
	assert_true(pid > 0);
	assert_int_equal(process_wait(pidfd, &status, NULL), 0);
	assert_int_equal(process_exit_code(status), 7);
}

static void given_a_child_when_signalled_by_pidfd_then_code_is_128_and_signal(void **state)
{
	struct process_clone opts = {.cgroup_fd = -1, .exit_signal = SIGCHLD};
	_cleanup_fd_ int pidfd = -1;
	int status;
	pid_t pid;

	pid = process_clone(&opts, &pidfd, NULL);
	if (pid == 0)
		for (;;)
			pause();
	assert_int_equal(process_signal(pidfd, SIGKILL, NULL), 0);
	assert_int_equal(process_wait(pidfd, &status, NULL), 0);
	assert_int_equal(process_exit_code(status), 128 + SIGKILL);
}

static void given_another_start_time_when_opened_then_the_pid_is_a_stranger(void **state)
{
	_cleanup_fd_ int fd = -1;
	uint64_t start;
	char letter;

	assert_int_equal(process_start_time(getpid(), &start, &letter), 0);
	assert_int_equal(letter, 'R');
	fd = process_open(getpid(), start);
	assert_true(fd >= 0);
	assert_int_equal(process_open(getpid(), start + 1), -ESRCH);
}

static void given_signal_names_when_parsed_then_numbers_come_out(void **state)
{
	assert_int_equal(signal_parse("TERM"), SIGTERM);
	assert_int_equal(signal_parse("SIGTERM"), SIGTERM);
	assert_int_equal(signal_parse("sigusr1"), SIGUSR1);
	assert_int_equal(signal_parse("9"), 9);
	assert_int_equal(signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signal_parse("RTMAX-1"), SIGRTMAX - 1);
	assert_int_equal(signal_parse(""), -EINVAL);
	assert_int_equal(signal_parse("0"), -EINVAL);
	assert_int_equal(signal_parse("65"), -EINVAL);
	assert_int_equal(signal_parse("-9"), -EINVAL);
	assert_int_equal(signal_parse("SIGNOPE"), -EINVAL);
	assert_int_equal(signal_parse("SIGSIGTERM"), -EINVAL);
}

static void given_open_descriptors_when_sealed_then_they_close_at_exec(void **state)
{
	int low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 200);

	assert_true(high >= 200);
	assert_int_equal(descriptors_seal(200, NULL), 0);
	assert_true(fcntl(high, F_GETFD) & FD_CLOEXEC);
	close(low);
	close(high);
}

static void given_open_descriptors_when_closed_then_only_the_kept_ones_stay(void **state)
{
	int low = open("/dev/null", O_RDONLY), fds[4];
	int keep[] = {-1, 306, 2, 302};

	for (int i = 0; i < 4; i++)
		fds[i] = fcntl(low, F_DUPFD, 300 + 2 * i);
	assert_int_equal(descriptors_close(300, keep, ARRAY_SIZE(keep), NULL), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	assert_true(fcntl(fds[1], F_GETFD) >= 0);
	assert_int_equal(fcntl(fds[2], F_GETFD), -1);
	assert_true(fcntl(fds[3], F_GETFD) >= 0);
	close(fds[1]);
	close(fds[3]);
	close(low);
}

static void given_a_namespace_of_another_type_when_opened_then_the_error_says_so(void **state)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_fd_ int fd = namespace_open(&namespace_types[3], "/proc/self/ns/net", NULL);

	assert_true(fd >= 0);
	assert_int_equal(namespace_open(&namespace_types[3], "/proc/self/ns/ipc", &err), -EINVAL);
	assert_string_equal(error_text(err), "/proc/self/ns/ipc is not a network namespace");
	assert_int_equal(namespace_open(&namespace_types[3], "/etc/passwd", &err), -EINVAL);
	assert_string_equal(error_text(err), "/etc/passwd is not a namespace");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_child_when_it_exits_then_wait_gives_its_code),
		cmocka_unit_test(given_a_child_when_signalled_by_pidfd_then_code_is_128_and_signal),
		cmocka_unit_test(given_another_start_time_when_opened_then_the_pid_is_a_stranger),
		cmocka_unit_test(given_signal_names_when_parsed_then_numbers_come_out),
		cmocka_unit_test(given_open_descriptors_when_sealed_then_they_close_at_exec),
		cmocka_unit_test(given_open_descriptors_when_closed_then_only_the_kept_ones_stay),
		cmocka_unit_test(
			given_a_namespace_of_another_type_when_opened_then_the_error_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

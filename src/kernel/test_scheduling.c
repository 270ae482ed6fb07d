/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of number lists and the scheduling calls. What changes the process happens in a forked child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/test_child.h"
#include "kernel/scheduling.h"

static void given_a_list_then_its_numbers_are_set(void **state)
{
	struct number_set set;

	(void)state;
	assert_int_equal(number_set_parse("0-3,7,64", &set), 0);
	assert_int_equal(set.bits[0], 0x8f);
	assert_int_equal(set.bits[1], 1);
	assert_int_equal(set.limit, 65);
	assert_int_equal(number_set_parse("8191", &set), 0);
	assert_int_equal(set.limit, NUMBER_SET_MAX);
}

static void given_what_is_no_list_then_it_is_refused(void **state)
{
	const char *lists[] = {"", "a", "1-", "-1", "3-1", "1,,2", "1-2-3", " 1", "0x1", "1,"};
	struct number_set set;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		assert_int_equal(number_set_parse(lists[i], &set), -EINVAL);
	assert_int_equal(number_set_parse("8192", &set), -ERANGE);
	assert_int_equal(number_set_parse("0-99999999999", &set), -ERANGE);
}

static int set_batch(void)
{
	struct scheduling_policy policy = {.policy = SCHED_BATCH, .nice = 5};

	if (scheduling_set_policy(&policy, NULL) < 0)
		return 1;
	return sched_getscheduler(0) == SCHED_BATCH && getpriority(PRIO_PROCESS, 0) == 5 ? 0 : 2;
}

static int set_nonsense(void)
{
	struct scheduling_policy policy = {.policy = 99};

	return scheduling_set_policy(&policy, NULL) == -EINVAL ? 0 : 1;
}

static int set_io(void)
{
	long value;

	if (scheduling_set_io(IOPRIO_CLASS_BE, 6, NULL) < 0)
		return 1;
	value = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	return value == IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6) ? 0 : 2;
}

static int set_cpus(void)
{
	struct number_set cpus;
	cpu_set_t now;

	if (number_set_parse("0", &cpus) < 0 || scheduling_set_cpus(&cpus, "0", NULL) < 0)
		return SKIPPED;
	return sched_getaffinity(0, sizeof now, &now) == 0 && CPU_COUNT(&now) == 1 ? 0 : 2;
}

static int set_memory(void)
{
	struct number_set nodes;
	unsigned long mask[NUMBER_SET_MAX / 64] = {0};
	int mode = -1, r;

	if (number_set_parse("0", &nodes) < 0)
		return 1;
	r = scheduling_set_memory(MPOL_BIND, MPOL_F_STATIC_NODES, &nodes, NULL);
	if (r == -ENOSYS || r == -EPERM)
		return SKIPPED;
	if (r < 0)
		return 2;
	if (syscall(SYS_get_mempolicy, &mode, mask, (unsigned long)NUMBER_SET_MAX, NULL, 0) < 0)
		return 3;
	return mode == (MPOL_BIND | MPOL_F_STATIC_NODES) && mask[0] == 1 ? 0 : 4;
}

static int set_personality(void)
{
	struct utsname host;

	if (sizeof(long) != 8 || scheduling_set_personality(PER_LINUX32, NULL) < 0)
		return SKIPPED;
	return uname(&host) == 0 && personality(0xffffffff) == PER_LINUX32 &&
			       strcmp(host.machine, "x86_64") != 0
		       ? 0
		       : 1;
}

static int set_limit(void)
{
	struct limit limit = {.soft = 50, .hard = 60}, now;

	if (limit_set(0, RLIMIT_NOFILE, "RLIMIT_NOFILE", &limit, NULL) < 0 ||
	    limit_get(0, RLIMIT_NOFILE, &now, NULL) < 0)
		return 1;
	return now.soft == 50 && now.hard == 60 ? 0 : 2;
}

static void given_a_policy_then_the_kernel_has_it(void **state)
{
	(void)state;
	expect_child(set_batch);
	expect_child(set_nonsense);
}

static void given_an_io_priority_then_the_kernel_has_it(void **state)
{
	(void)state;
	expect_child(set_io);
}

static void given_cpus_then_the_kernel_has_them(void **state)
{
	(void)state;
	expect_child(set_cpus);
}

static void given_memory_nodes_then_the_kernel_has_them(void **state)
{
	(void)state;
	expect_child(set_memory);
}

static void given_a_32_bit_personality_then_uname_says_so(void **state)
{
	(void)state;
	expect_child(set_personality);
}

static void given_a_limit_then_the_kernel_has_it(void **state)
{
	(void)state;
	expect_child(set_limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_list_then_its_numbers_are_set),
		cmocka_unit_test(given_what_is_no_list_then_it_is_refused),
		cmocka_unit_test(given_a_policy_then_the_kernel_has_it),
		cmocka_unit_test(given_an_io_priority_then_the_kernel_has_it),
		cmocka_unit_test(given_cpus_then_the_kernel_has_them),
		cmocka_unit_test(given_memory_nodes_then_the_kernel_has_them),
		cmocka_unit_test(given_a_32_bit_personality_then_uname_says_so),
		cmocka_unit_test(given_a_limit_then_the_kernel_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of capability names and sets. What changes the process happens in a forked child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/capability.h>
#include <string.h>
#include <sys/wait.h>

#include "kernel/capability.h"
#include "kernel/credentials.h"

#define BIT(number) (UINT64_C(1) << (number))

static void given_a_name_then_its_number_and_back(void **state)
{
	(void)state;
	assert_int_equal(capability_parse("CAP_CHOWN"), 0);
	assert_int_equal(capability_parse("CAP_CHECKPOINT_RESTORE"), 40);
	for (int i = 0; i <= CAP_CHECKPOINT_RESTORE; i++)
		assert_int_equal(capability_parse(capability_name(i)), i);
	assert_null(capability_name(-1));
	assert_null(capability_name(41));
}

static void given_what_is_no_name_then_it_is_refused(void **state)
{
	const char *names[] = {"", "CHOWN", "cap_chown", "CAP_CHOWN ", "CAP_", "0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(capability_parse(names[i]), -EINVAL);
}

static void given_a_mask_then_its_names_are_listed_and_cut_to_the_room(void **state)
{
	char text[64], little[8];

	(void)state;
	assert_string_equal(
		capability_list(BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(63), text, sizeof text),
		"CAP_CHOWN, CAP_KILL, 63");
	assert_string_equal(capability_list(0, text, sizeof text), "");
	capability_list(UINT64_MAX, little, sizeof little);
	assert_string_equal(little, "CAP_CHO");
}

static void given_the_running_kernel_then_its_last_capability_is_that_of_procfs(void **state)
{
	_cleanup_file_ FILE *f = fopen("/proc/sys/kernel/cap_last_cap", "re");
	int last = -1;

	(void)state;
	if (!f || fscanf(f, "%d", &last) != 1)
		skip();
	assert_int_equal(capability_last(), last);
}

static int drop_to_two(void)
{
	struct capability_sets sets = {.effective = BIT(CAP_CHOWN),
				       .permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
				       .inheritable = BIT(CAP_KILL)},
			       now;

	if (capability_bound(BIT(CAP_CHOWN) | BIT(CAP_KILL), NULL) < 0 ||
	    capability_bounding() != (BIT(CAP_CHOWN) | BIT(CAP_KILL)))
		return 1;
	if (credentials_set_user(65534, 65534, true, NULL) < 0)
		return 2;
	if (capability_set(&sets, NULL) < 0 || capability_get(&now, NULL) < 0 ||
	    memcmp(&sets, &now, sizeof sets) != 0)
		return 3;
	if (capability_set_ambient(BIT(CAP_KILL), NULL) < 0 ||
	    capability_ambient() != BIT(CAP_KILL))
		return 4;
	/* Not inheritable. */
	if (capability_set_ambient(BIT(CAP_CHOWN), NULL) != -EPERM || capability_ambient() != 0)
		return 5;
	/* What isn't there any more can be dropped without CAP_SETPCAP; what is, can't. */
	if (capability_bound(BIT(CAP_CHOWN) | BIT(CAP_KILL), NULL) < 0)
		return 6;
	return capability_bound(BIT(CAP_CHOWN), NULL) == -EPERM ? 0 : 7;
}

static void given_root_when_sets_are_dropped_then_the_kernel_says_so(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(drop_to_two());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_name_then_its_number_and_back),
		cmocka_unit_test(given_what_is_no_name_then_it_is_refused),
		cmocka_unit_test(given_a_mask_then_its_names_are_listed_and_cut_to_the_room),
		cmocka_unit_test(
			given_the_running_kernel_then_its_last_capability_is_that_of_procfs),
		cmocka_unit_test(given_root_when_sets_are_dropped_then_the_kernel_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

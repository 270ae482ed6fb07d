/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the resctrl groups, on a plain directory in the place of resctrl. There a group's files don't come
 * and go with its directory, so removal is seen on groups that are emptied by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "runtime/attributes.h"
#include "runtime/rdt_internal.h"

static char root[32];

static int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/dhow-rdt-XXXXXX");
	rdt_root_override = mkdtemp(root);
	return rdt_root_override ? 0 : -1;
}

static int drop_root(void **state)
{
	(void)state;
	rdt_root_override = NULL;
	return remove_tree_at(AT_FDCWD, root, NULL);
}

static char *read_below(const char *name)
{
	_cleanup_free_ char *path = NULL;
	char *text = NULL;

	assert_true(asprintf(&path, "%s/%s", root, name) > 0);
	if (file_read_at(AT_FDCWD, path, 4096, &text, NULL, NULL) < 0)
		return NULL;
	return text;
}

static void make_below(const char *name)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", root, name) > 0);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void assert_file(const char *name, const char *expected)
{
	_cleanup_free_ char *text = read_below(name);

	if (!expected) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, expected);
}

static char *create(const struct spec_intel_rdt *rdt)
{
	_cleanup_error_ struct error *err = NULL;
	char *group = NULL;

	if (rdt_create(rdt, "c1", 42, &group, &err) < 0)
		fail_msg("%s", error_text(err));
	return group;
}

static void given_no_class_then_the_container_has_its_own(void **state)
{
	const char *lines[] = {"L2:0=f", "MB:1=20", NULL};
	struct spec_intel_rdt rdt = {.is_set = true,
				     .l3_cache_schema = "L3:0=ff;1=c0\nMB:0=70",
				     .mem_bw_schema = "MB:0=20",
				     .schemata = {lines, 2}};
	_cleanup_free_ char *group = create(&rdt);

	(void)state;
	assert_string_equal(group, "c1");
	assert_file("c1/schemata", "L3:0=ff;1=c0\nMB:0=20\nL2:0=f\nMB:1=20\n");
	assert_file("c1/tasks", "42");
}

static void given_only_a_cache_schema_then_its_bandwidth_line_counts(void **state)
{
	struct spec_intel_rdt rdt = {.is_set = true, .l3_cache_schema = "L3:0=ff\nMB:0=70"};
	_cleanup_free_ char *group = create(&rdt);

	(void)state;
	assert_file("c1/schemata", "L3:0=ff\nMB:0=70\n");
}

static void given_a_class_without_schema_then_it_must_exist_and_is_not_ours(void **state)
{
	struct spec_intel_rdt rdt = {.is_set = true, .clos_id = "gold"};
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *group = NULL;

	(void)state;
	assert_int_equal(rdt_create(&rdt, "c1", 42, &group, &err), -ENOENT);
	assert_non_null(strstr(error_text(err), "linux.intelRdt.closID: \"gold\""));
	make_below("gold");
	group = create(&rdt);
	assert_null(group);
	assert_file("gold/tasks", "42");
	assert_file("gold/schemata", NULL);
}

static void given_a_class_with_schema_then_it_is_made_once_and_owned_by_its_maker(void **state)
{
	struct spec_intel_rdt rdt = {.is_set = true, .clos_id = "gold", .mem_bw_schema = "MB:0=50"};
	_cleanup_free_ char *first = create(&rdt), *second = create(&rdt);

	(void)state;
	assert_string_equal(first, "gold");
	assert_null(second);
	assert_file("gold/schemata", "MB:0=50\n");
}

static void given_a_class_with_another_schema_then_it_is_refused_and_left_as_it_was(void **state)
{
	struct spec_intel_rdt rdt = {.is_set = true, .clos_id = "gold", .mem_bw_schema = "MB:0=50"};
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *first = create(&rdt), *second = NULL;

	(void)state;
	rdt.mem_bw_schema = "MB:0=60";
	assert_int_equal(rdt_create(&rdt, "c2", 43, &second, &err), -EINVAL);
	assert_non_null(strstr(error_text(err), "linux.intelRdt.closID: \"gold\""));
	assert_null(second);
	assert_file("gold/schemata", "MB:0=50\n");
	assert_file("gold/tasks", "42");
}

static void given_schemata_then_only_what_is_asked_for_must_match(void **state)
{
	const char *actual = "    MB:0=100;1= 50\n    L3:0=00f;1=7ff\nL3CODE:0=1\n";

	(void)state;
	assert_true(rdt_schemata_match("", actual, 0));
	assert_true(rdt_schemata_match("L3:0=f\n", actual, 0));
	assert_true(rdt_schemata_match("L3:1=7FF;0=0f\nMB:1=50\n", actual, 10));
	assert_true(rdt_schemata_match("MB:1=41", actual, 10));
	assert_false(rdt_schemata_match("MB:1=41", actual, 0));
	assert_false(rdt_schemata_match("L3:0=1\n", actual, 0));
	assert_false(rdt_schemata_match("L3:2=f\n", actual, 0));
	assert_false(rdt_schemata_match("L2:0=f\n", actual, 0));
	assert_false(rdt_schemata_match("L3:0\n", actual, 0));
	assert_false(rdt_schemata_match("L3\n", actual, 0));
}

static void given_monitoring_in_a_shared_class_then_only_the_monitor_group_is_ours(void **state)
{
	struct spec_intel_rdt rdt = {.is_set = true, .clos_id = "gold", .enable_monitoring = true};
	_cleanup_free_ char *group = NULL;

	(void)state;
	make_below("gold");
	make_below("gold/mon_groups");
	group = create(&rdt);
	assert_string_equal(group, "gold/mon_groups/c1");
	assert_file("gold/mon_groups/c1/tasks", "42");
}

static void given_the_root_class_then_only_its_monitor_groups_are_touched(void **state)
{
	struct spec_intel_rdt rdt = {.is_set = true, .clos_id = "/", .enable_monitoring = true};
	_cleanup_free_ char *group = NULL;

	(void)state;
	make_below("mon_groups");
	group = create(&rdt);
	assert_string_equal(group, "mon_groups/c1");
	assert_file("tasks", "42");
}

static void given_a_class_that_is_a_path_then_it_is_refused(void **state)
{
	const char *names[] = {"..", ".", "../x", "a/b"};
	_cleanup_free_ char *group = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct spec_intel_rdt rdt = {.is_set = true, .clos_id = names[i]};

		assert_int_equal(rdt_create(&rdt, "c1", 42, &group, NULL), -EINVAL);
	}
}

static void given_a_refused_schema_then_the_error_has_the_kernels_reason(void **state)
{
	const char *lines[] = {"MB:0=0", NULL};
	struct spec_intel_rdt rdt = {.is_set = true, .clos_id = "gold", .schemata = {lines, 1}};
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *group = NULL, *path = NULL;

	(void)state;
	make_below("info");
	assert_true(asprintf(&path, "%s/info/last_cmd_status", root) > 0);
	assert_int_equal(
		file_replace_at(AT_FDCWD, path, "MB value too small\n", 19, 0600, false, NULL), 0);
	/* A directory can't be written, as the kernel won't have the value. */
	make_below("gold");
	make_below("gold/schemata");
	assert_true(rdt_create(&rdt, "c1", 42, &group, &err) < 0);
	assert_non_null(strstr(error_text(err), "(MB value too small)"));
}

static void given_an_update_then_schemata_are_written_anew(void **state)
{
	(void)state;
	make_below("c1");
	assert_int_equal(rdt_update("c1", NULL, "L3:0=f", NULL, NULL), 0);
	assert_file("c1/schemata", "L3:0=f\n");
	assert_int_equal(rdt_update("c1", "c1", "L3:0=3", "MB:0=30", NULL), 0);
	assert_file("c1/schemata", "L3:0=3\nMB:0=30\n");
}

static void given_a_group_when_removed_then_it_is_gone_and_again_is_no_error(void **state)
{
	(void)state;
	make_below("c1");
	assert_int_equal(rdt_remove("c1", NULL), 0);
	assert_int_equal(rdt_remove("c1", NULL), 0);
}

static void given_a_host_without_resctrl_then_the_error_says_so(void **state)
{
	struct spec_intel_rdt rdt = {.is_set = true, .l3_cache_schema = "L3:0=f"};
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *group = NULL;

	(void)state;
	if (rdt_is_available())
		skip();
	assert_int_equal(rdt_create(&rdt, "c1", 42, &group, &err), -ENOTSUP);
	assert_non_null(strstr(error_text(err), "linux.intelRdt"));
}

#define with_root(test) cmocka_unit_test_setup_teardown(test, make_root, drop_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_root(given_no_class_then_the_container_has_its_own),
		with_root(given_only_a_cache_schema_then_its_bandwidth_line_counts),
		with_root(given_a_class_without_schema_then_it_must_exist_and_is_not_ours),
		with_root(given_a_class_with_schema_then_it_is_made_once_and_owned_by_its_maker),
		with_root(given_a_class_with_another_schema_then_it_is_refused_and_left_as_it_was),
		cmocka_unit_test(given_schemata_then_only_what_is_asked_for_must_match),
		with_root(given_monitoring_in_a_shared_class_then_only_the_monitor_group_is_ours),
		with_root(given_the_root_class_then_only_its_monitor_groups_are_touched),
		with_root(given_a_class_that_is_a_path_then_it_is_refused),
		with_root(given_a_refused_schema_then_the_error_has_the_kernels_reason),
		with_root(given_an_update_then_schemata_are_written_anew),
		with_root(given_a_group_when_removed_then_it_is_gone_and_again_is_no_error),
		cmocka_unit_test(given_a_host_without_resctrl_then_the_error_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

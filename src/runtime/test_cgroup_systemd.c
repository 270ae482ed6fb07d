/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what systemd is asked: names of units and slices, properties, annotations. That systemd does it is
 * tested on a host that it runs (tests/vm). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "runtime/cgroup_systemd.h"

/* --- Names ----------------------------------------------------------------------------------------- */

static void given_a_slice_then_its_parents_are_in_its_path(void **state)
{
	static const struct {
		const char *slice, *path;
	} cases[] = {
		{"system.slice", "system.slice"},
		{"a-b-c.slice", "a.slice/a-b.slice/a-b-c.slice"},
		{"kubepods-burstable-pod1_2.slice",
		 "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice"},
		{"-.slice", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = NULL;

		assert_int_equal(systemd_expand_slice(cases[i].slice, &path, NULL), 0);
		assert_string_equal(path, cases[i].path);
	}
}

static void given_no_slice_then_it_is_refused(void **state)
{
	static const char *const cases[] = {"",         ".slice",   "system", "a--b.slice",
					    "-a.slice", "a-.slice", "a.scope"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct error *err = NULL;
		char *path = NULL;

		assert_int_equal(systemd_expand_slice(cases[i], &path, &err), -EINVAL);
		assert_non_null(strstr(err->message, "linux.cgroupsPath"));
		assert_null(path);
	}
}

static void given_a_path_then_it_names_slice_and_unit(void **state)
{
	static const struct {
		const char *path;
		bool is_rootless;
		const char *slice, *unit;
	} cases[] = {
		{NULL, false, "system.slice", "dhow-c1.scope"},
		{"", true, "user.slice", "dhow-c1.scope"},
		{"machine.slice:libpod:4a", false, "machine.slice", "libpod-4a.scope"},
		{"kubepods-burstable-podX.slice:cri-containerd:ID", false,
		 "kubepods-burstable-podX.slice", "cri-containerd-ID.scope"},
		{"::c", false, "system.slice", "c.scope"},
		{"::c", true, "user.slice", "c.scope"},
		{"-.slice:p:c", false, "-.slice", "p-c.scope"},
		{"::a-b.slice", false, "a.slice", "a-b.slice"},
		{"a.slice:ignored:a-b.slice", false, "a.slice", "a-b.slice"},
		{"::a.slice", false, "-.slice", "a.slice"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cgroup_opts opts = {
			.id = "c1",
			.cgroups_path = cases[i].path,
			.is_systemd = true,
			.is_rootless = cases[i].is_rootless,
		};
		_cleanup_free_ char *slice = NULL, *unit = NULL;

		assert_int_equal(systemd_unit_name(&opts, &slice, &unit, NULL), 0);
		assert_string_equal(slice, cases[i].slice);
		assert_string_equal(unit, cases[i].unit);
	}
}

static void given_a_hostile_path_then_it_is_refused(void **state)
{
	static const char *const cases[] = {
		"/a/b",
		"a.slice:b",
		"a.slice:b:c:d",
		"a.slice:b:",
		"../../etc.slice:b:c",
		"a.slice:b/../..:c",
		"a.slice:b:c/d",
		"a.slice:b:c d",
		"a:b:c",
		"b.slice:x:a-b.slice",
		"::/x.slice",
		"a.slice:b:c\n",
	};
	char many[400];

	(void)state;
	memset(many, 'x', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	memcpy(many, "::", 2);
	for (size_t i = 0; i <= ARRAY_SIZE(cases); i++) {
		const struct cgroup_opts opts = {
			.id = "c1",
			.cgroups_path = i < ARRAY_SIZE(cases) ? cases[i] : many,
			.is_systemd = true,
		};
		_cleanup_free_ char *slice = NULL, *unit = NULL;
		_cleanup_error_ struct error *err = NULL;

		assert_true(systemd_unit_name(&opts, &slice, &unit, &err) < 0);
		assert_non_null(strstr(err->message, "linux.cgroupsPath"));
	}
}

static void given_a_scope_then_it_is_delegated_and_a_slice_is_not(void **state)
{
	const struct systemd_start scope = {"c1", "p-c1.scope", "a.slice", 42, true};
	const struct systemd_start slice = {"c1", "a-b.slice", "a.slice", 42, false};
	_cleanup_strv_ struct strv of_scope = {0}, of_slice = {0};

	(void)state;
	assert_int_equal(systemd_add_unit(&of_scope, &scope, NULL), 0);
	assert_true(strv_contains(&of_scope, "Delegate=b:true"));
	assert_true(strv_contains(&of_scope, "PIDs=au:42"));
	assert_true(strv_contains(&of_scope, "Slice=s:a.slice"));
	assert_true(strv_contains(&of_scope, "DefaultDependencies=b:false"));
	assert_true(strv_contains(&of_scope, "IOAccounting=b:true"));
	assert_int_equal(systemd_add_unit(&of_slice, &slice, NULL), 0);
	assert_false(strv_contains(&of_slice, "Delegate=b:true"));
	assert_false(strv_contains(&of_slice, "PIDs=au:42"));
	assert_true(strv_contains(&of_slice, "BlockIOAccounting=b:true"));
}

/* --- Limits ---------------------------------------------------------------------------------------- */

static char *join(const struct strv *list)
{
	struct strbuf text = {0};

	for (size_t i = 0; i < list->count; i++) {
		strbuf_adds(&text, i > 0 ? " | " : "");
		strbuf_adds(&text, list->items[i]);
	}
	return strbuf_take(&text);
}

/* resources is JSON; devices are tested apart. */
static void expect(const char *resources, struct systemd_limits limits, const char *properties)
{
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_strv_ struct strv list = {0};
	_cleanup_free_ char *text = NULL;

	assert_int_equal(spec_parse_resources(resources, strlen(resources), &spec, NULL), 0);
	limits.is_user = true;
	assert_int_equal(systemd_add_resources(&list, &spec->linux.resources, &limits, NULL), 0);
	text = join(&list);
	assert_string_equal(text, properties);
}

static void given_limits_on_v2_then_systemd_gets_its_properties(void **state)
{
	const struct systemd_limits v2 = {.is_v2 = true};

	(void)state;
	expect("{}", v2, "");
	expect("{\"memory\":{\"limit\":1048576,\"reservation\":4096,\"swap\":2097152}}", v2,
	       "MemoryMax=t:1048576 | MemoryLow=t:4096 | MemorySwapMax=t:1048576");
	expect("{\"memory\":{\"limit\":1048576,\"swap\":1048576}}", v2,
	       "MemoryMax=t:1048576 | MemorySwapMax=t:0");
	expect("{\"memory\":{\"limit\":-1}}", v2,
	       "MemoryMax=t:infinity | MemorySwapMax=t:infinity");
	expect("{\"cpu\":{\"shares\":1024}}", v2, "CPUWeight=t:100");
	expect("{\"cpu\":{\"idle\":1}}", v2, "252:CPUWeight=t:0");
	expect("{\"cpu\":{\"quota\":50000,\"period\":100000}}", v2,
	       "242:CPUQuotaPeriodUSec=t:100000 | CPUQuotaPerSecUSec=t:500000");
	/* Rounded up to whole percents. */
	expect("{\"cpu\":{\"quota\":1500}}", v2, "CPUQuotaPerSecUSec=t:20000");
	expect("{\"cpu\":{\"quota\":-1}}", v2, "CPUQuotaPerSecUSec=t:infinity");
	expect("{\"cpu\":{\"cpus\":\"0-2,9\",\"mems\":\"0\"}}", v2,
	       "244:AllowedCPUs=ay:0702 | 244:AllowedMemoryNodes=ay:01");
	expect("{\"pids\":{\"limit\":12}}", v2, "TasksMax=t:12");
	expect("{\"blockIO\":{\"weight\":500}}", v2, "IOWeight=t:4950");
	expect("{\"unified\":{\"memory.high\":\"4096\",\"cpu.max\":\"max 50000\","
	       "\"pids.max\":\"max\",\"io.weight\":\"default 20\",\"memory.oom.group\":\"1\"}}",
	       v2,
	       "MemoryHigh=t:4096 | 242:CPUQuotaPeriodUSec=t:50000 | CPUQuotaPerSecUSec=t:infinity"
	       " | TasksMax=t:infinity | IOWeight=t:20");
}

static void given_limits_on_v1_then_systemd_gets_its_older_properties(void **state)
{
	const struct systemd_limits v1 = {0};

	(void)state;
	expect("{\"memory\":{\"limit\":1048576,\"swap\":2097152}}", v1, "MemoryLimit=t:1048576");
	expect("{\"cpu\":{\"shares\":1024,\"quota\":20000}}", v1,
	       "CPUShares=t:1024 | CPUQuotaPerSecUSec=t:200000");
	expect("{\"blockIO\":{\"weight\":500}}", v1, "BlockIOWeight=t:500");
}

static void given_an_update_to_no_limit_then_systemd_is_told(void **state)
{
	const struct systemd_limits create = {.is_v2 = true};
	const struct systemd_limits update = {.is_v2 = true, .is_update = true};

	(void)state;
	expect("{\"pids\":{\"limit\":-1}}", create, "");
	expect("{\"pids\":{\"limit\":-1}}", update, "TasksMax=t:infinity");
}

static void given_device_rules_then_systemd_allows_the_same(void **state)
{
	static const char rules[] = "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
				    "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,"
				    "\"access\":\"rw\"},{\"allow\":true,\"type\":\"b\",\"major\":8,"
				    "\"access\":\"r\"}]}";
	static const char all[] = "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}";
	const struct systemd_limits v2 = {.is_v2 = true};
	_cleanup_spec_ struct spec *some = NULL, *any = NULL;
	_cleanup_strv_ struct strv list = {0}, open = {0};

	(void)state;
	assert_int_equal(spec_parse_resources(rules, strlen(rules), &some, NULL), 0);
	assert_int_equal(systemd_add_resources(&list, &some->linux.resources, &v2, NULL), 0);
	assert_true(list.count >= 3);
	assert_string_equal(list.items[0], "DevicePolicy=s:strict");
	assert_string_equal(list.items[1], "DeviceAllow=a(ss):");
	assert_non_null(strstr(list.items[2], "/dev/char/10:229\trw"));
	assert_non_null(strstr(list.items[2], "block-8\tr"));
	/* What every container has. */
	assert_non_null(strstr(list.items[2], "/dev/char/1:3\trwm"));

	assert_int_equal(spec_parse_resources(all, strlen(all), &any, NULL), 0);
	assert_int_equal(systemd_add_resources(&open, &any->linux.resources, &v2, NULL), 0);
	assert_string_equal(open.items[0], "DevicePolicy=s:auto");
}

/* --- Annotations ----------------------------------------------------------------------------------- */

static void given_gvariant_text_then_it_has_type_and_value(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{"true", "b:true"},
		{" false ", "b:false"},
		{"5", "i:5"},
		{"-5", "i:-5"},
		{"uint64 10000000", "t:10000000"},
		{"uint32 7", "u:7"},
		{"int64 -9", "x:-9"},
		{"0.5", "d:0.5"},
		{"double 2", "d:2"},
		{"'inactive-or-failed'", "s:inactive-or-failed"},
		{"\"it's\"", "s:it's"},
		{"'it\\'s'", "s:it's"},
		{"['crio.service']", "as:crio.service"},
		{"[ 'a' , \"b\" ]", "as:a\nb"},
		{"[]", "as:"},
	};
	static const char *const bad[] = {
		"",     "word",   "'open", "'a' b", "uint32 -1", "5 uint32", "int32 3000000000",
		"['a'", "['a',]", "[1]",   "nan",   "'a\nb'"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *value = NULL;

		assert_int_equal(systemd_parse_variant(cases[i].text, &value, NULL), 0);
		assert_string_equal(value, cases[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ struct error *err = NULL;
		char *value = NULL;

		assert_int_equal(systemd_parse_variant(bad[i], &value, &err), -EINVAL);
	}
}

static void given_annotations_then_those_of_systemd_become_properties(void **state)
{
	struct spec_pair items[] = {
		{"org.example", "x"},
		{"org.systemd.property.TimeoutStopUSec", "uint64 1234"},
		{"org.systemd.property.TimeoutStopSec", "2.5"},
		{"org.systemd.property.CollectMode", "'inactive-or-failed'"},
	};
	const struct spec_pairs pairs = {items, ARRAY_SIZE(items)};
	_cleanup_strv_ struct strv list = {0};
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(systemd_add_annotations(&list, &pairs, NULL), 0);
	text = join(&list);
	assert_string_equal(text, "TimeoutStopUSec=t:1234 | TimeoutStopUSec=t:2500000 | "
				  "CollectMode=s:inactive-or-failed");
}

static void given_a_bad_annotation_then_the_error_names_it(void **state)
{
	struct spec_pair cases[] = {
		{"org.systemd.property.X=b:true", "1"},
		{"org.systemd.property.", "1"},
		{"org.systemd.property.TimeoutStopSec", "'soon'"},
		{"org.systemd.property.Abc", "what"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct spec_pairs pairs = {&cases[i], 1};
		_cleanup_strv_ struct strv list = {0};
		_cleanup_error_ struct error *err = NULL;

		assert_int_equal(systemd_add_annotations(&list, &pairs, &err), -EINVAL);
		assert_non_null(strstr(err->message, cases[i].key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_slice_then_its_parents_are_in_its_path),
		cmocka_unit_test(given_no_slice_then_it_is_refused),
		cmocka_unit_test(given_a_path_then_it_names_slice_and_unit),
		cmocka_unit_test(given_a_hostile_path_then_it_is_refused),
		cmocka_unit_test(given_a_scope_then_it_is_delegated_and_a_slice_is_not),
		cmocka_unit_test(given_limits_on_v2_then_systemd_gets_its_properties),
		cmocka_unit_test(given_limits_on_v1_then_systemd_gets_its_older_properties),
		cmocka_unit_test(given_an_update_to_no_limit_then_systemd_is_told),
		cmocka_unit_test(given_device_rules_then_systemd_allows_the_same),
		cmocka_unit_test(given_gvariant_text_then_it_has_type_and_value),
		cmocka_unit_test(given_annotations_then_those_of_systemd_become_properties),
		cmocka_unit_test(given_a_bad_annotation_then_the_error_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what is written for linux.resources: paths, conversions, and each field on v1 and v2, in
 * directories of ordinary files in place of cgroups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cgroup_internal.h"

static void given_paths_then_nothing_leads_out(void **state)
{
	static const struct {
		const char *path, *clean;
	} cases[] = {
		{"/a/b", "a/b"},
		{"a//b/./c/", "a/b/c"},
		{"../../etc", "etc"},
		{"/foo/../../../bar", "bar"},
		{"a/b/../../..", ""},
		{"/", ""},
		{"", ""},
		{"..a/...", "..a/..."},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *clean = cgroup_clean_path(cases[i].path);

		assert_string_equal(clean, cases[i].clean);
	}
}

static void given_an_own_cgroup_then_relative_paths_count_from_it(void **state)
{
	static const struct {
		enum cgroup_layout layout;
		const char *root, *own, *path, *result;
	} cases[] = {
		{CGROUP_V1, "/", "/", "c1", "/m/c1"},
		{CGROUP_V1, "/", "/user/x", "c1", "/m/user/x/c1"},
		{CGROUP_V1, "/", "/user/x", "/c1", "/m/c1"},
		{CGROUP_V1, "/", "/user/x", "../c1", "/m/user/x/c1"},
		{CGROUP_V1, "/docker/abc", "/docker/abc", "c1", "/m/c1"},
		{CGROUP_V1, "/docker/abc", "/docker/abc/sub", "c1", "/m/sub/c1"},
		/* Neither a neighbour of the mounted part nor one outside the cgroup namespace. */
		{CGROUP_V1, "/docker/abc", "/docker/abcd", "c1", "/m/c1"},
		{CGROUP_V1, "/", "/../../other", "c1", "/m/other/c1"},
		/* v2: beside the own cgroup, which has processes. */
		{CGROUP_V2, "/", "/user/session", "c1", "/m/user/c1"},
		{CGROUP_V2, "/", "/session", "c1", "/m/c1"},
		{CGROUP_V2, "/", "/", "c1", "/m/c1"},
		{CGROUP_HYBRID, "/", "/user/session", "c1", "/m/user/session/c1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cgroup_hierarchy h = {
			.controllers = (char *)"",
			.mount_point = (char *)"/m",
			.root = (char *)cases[i].root,
			.own_path = (char *)cases[i].own,
			.is_unified = true,
		};
		struct cgroup cg = {.layout = cases[i].layout};

		assert_int_equal(
			cgroup_add_dir(&cg, &h, cases[i].path, cases[i].path[0] != '/', NULL), 0);
		assert_string_equal(cg.dirs[0].path, cases[i].result);
		assert_int_equal(cg.dirs[0].mount_length, 2);
		cgroup_forget_dirs(&cg);
	}
}

static void given_a_path_that_is_the_root_then_it_is_refused(void **state)
{
	const struct cgroup_hierarchy h = {.controllers = (char *)"",
					   .mount_point = (char *)"/m",
					   .root = (char *)"/",
					   .own_path = (char *)"/"};
	_cleanup_error_ struct error *err = NULL;
	struct cgroup cg = {.layout = CGROUP_V1};

	(void)state;
	assert_int_equal(cgroup_add_dir(&cg, &h, "/../..", false, &err), -EINVAL);
	assert_non_null(strstr(error_text(err), "root of the hierarchy"));
	assert_int_equal(cg.dir_count, 0);
}

static void given_shares_then_the_weight_fits_minimum_default_and_maximum(void **state)
{
	static const struct {
		uint64_t shares, weight;
	} cases[] = {
		{0, 0},          {1, 1},
		{2, 1},          {10, 4},
		{256, 35},       {512, 59},
		{1024, 100},     {2048, 174},
		{10240, 639},    {65536, 3023},
		{262143, 10000}, {262144, 10000},
		{262145, 10000}, {UINT64_MAX, 10000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cgroup_shares_to_weight(cases[i].shares), cases[i].weight);
}

static void given_a_blkio_weight_then_io_weight_is_linear(void **state)
{
	(void)state;
	assert_int_equal(cgroup_blkio_to_io_weight(0), 0);
	assert_int_equal(cgroup_blkio_to_io_weight(10), 1);
	assert_int_equal(cgroup_blkio_to_io_weight(500), 4950);
	assert_int_equal(cgroup_blkio_to_io_weight(1000), 10000);
}

static void given_memory_and_swap_then_swap_alone_is_their_difference(void **state)
{
	static const struct {
		int64_t swap, limit;
		bool is_bad, is_set;
		int64_t result;
	} cases[] = {
		{0, 0, false, false, 0},      {0, 100, false, false, 0},
		{0, -1, false, true, -1},     {-1, 100, false, true, -1},
		{-1, 0, false, true, -1},     {100, -1, false, true, 100},
		{200, 100, false, true, 100}, {100, 100, false, true, 0},
		{50, 100, true, false, 0},    {100, 0, true, false, 0},
		{100, -5, true, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why;
		bool is_set;
		int64_t value;
		int r = cgroup_swap_to_v2(cases[i].swap, cases[i].limit, &is_set, &value, &why);

		assert_int_equal(r, cases[i].is_bad ? -EINVAL : 0);
		assert_int_equal(why != NULL, cases[i].is_bad);
		if (!cases[i].is_bad) {
			assert_int_equal(is_set, cases[i].is_set);
			assert_true(value == cases[i].result);
		}
	}
}

static void given_lists_and_page_sizes_then_they_are_read_as_the_kernel_writes_them(void **state)
{
	_cleanup_json_ json_t *mask = cgroup_mask_to_array("0-2,7,9-9");
	_cleanup_json_ json_t *bad = cgroup_mask_to_array("x");
	_cleanup_free_ char *text = json_dumps(mask, JSON_COMPACT);
	char name[32];

	(void)state;
	assert_string_equal(text, "[0,1,2,7,9]");
	assert_int_equal(json_array_size(bad), 0);
	assert_int_equal(cgroup_hugepage_name("hugepages-2048kB", name, sizeof name), 0);
	assert_string_equal(name, "2MB");
	assert_int_equal(cgroup_hugepage_name("hugepages-1048576kB", name, sizeof name), 0);
	assert_string_equal(name, "1GB");
	assert_int_equal(cgroup_hugepage_name("hugepages-64kB", name, sizeof name), 0);
	assert_string_equal(name, "64KB");
	assert_int_equal(cgroup_hugepage_name("hugepages-x", name, sizeof name), -EINVAL);
}

/* A directory of ordinary, empty files that stands for a cgroup. */
struct room {
	char path[40];
	struct cgroup_dir dir;
	struct cgroup cg;
};

static int make_room(void **state)
{
	struct room *room = calloc(1, sizeof *room);

	if (!room)
		return -1;
	strcpy(room->path, "/tmp/test-cgroup-XXXXXX");
	if (!mkdtemp(room->path))
		return -1;
	room->dir = (struct cgroup_dir){
		.controllers = (char *)"",
		.path = room->path,
		.mount_length = 4,
		.fd = open(room->path, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	*state = room;
	return 0;
}

static int remove_room(void **state)
{
	struct room *room = *state;

	close(room->dir.fd);
	remove_tree_at(AT_FDCWD, room->path, NULL);
	free(room);
	return 0;
}

static void put_file(const struct room *room, const char *name, const char *text)
{
	assert_int_equal(file_replace_at(room->dir.fd, name, text, strlen(text), 0600, false, NULL),
			 0);
}

static struct spec *parsed(const char *json)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *text = strdup(json);
	struct spec *spec;

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	if (spec_parse_resources(text, strlen(text), &spec, &err) < 0)
		fail_msg("%s: %s", json, error_text(err));
	return spec;
}

#define C(name) &cgroup_controller_##name

/* What is written for a field. A file with old text is there before; others are made empty. */
static const struct field_case {
	const struct cgroup_controller *controller;
	int version;
	const char *json;
	const char *file, *value;
	const char *more_file, *more_value; /* a second one, or NULL */
} field_cases[] = {
	{C(memory), 1, "{'memory':{'limit':1048576}}", "memory.limit_in_bytes", "1048576"},
	{C(memory), 1, "{'memory':{'limit':-1}}", "memory.limit_in_bytes", "-1",
	 "memory.memsw.limit_in_bytes", "-1"},
	{C(memory), 1, "{'memory':{'limit':4096,'swap':8192}}", "memory.limit_in_bytes", "4096",
	 "memory.memsw.limit_in_bytes", "8192"},
	{C(memory), 1, "{'memory':{'reservation':4096}}", "memory.soft_limit_in_bytes", "4096"},
	{C(memory), 1, "{'memory':{'kernelTCP':4096}}", "memory.kmem.tcp.limit_in_bytes", "4096"},
	{C(memory), 1, "{'memory':{'swappiness':0}}", "memory.swappiness", "0"},
	{C(memory), 1, "{'memory':{'disableOOMKiller':true}}", "memory.oom_control", "1"},
	{C(memory), 1, "{'memory':{'useHierarchy':true}}", "memory.use_hierarchy", "1"},
	{C(memory), 1, "{'memory':{'limit':0,'swap':0,'reservation':0,'kernel':4096}}",
	 "memory.limit_in_bytes", ""},
	{C(memory), 2, "{'memory':{'limit':1048576}}", "memory.max", "1048576", "memory.swap.max",
	 ""},
	{C(memory), 2, "{'memory':{'limit':4096,'swap':4096}}", "memory.max", "4096",
	 "memory.swap.max", "0"},
	{C(memory), 2, "{'memory':{'limit':4096,'swap':-1}}", "memory.max", "4096",
	 "memory.swap.max", "max"},
	{C(memory), 2, "{'memory':{'limit':-1}}", "memory.max", "max", "memory.swap.max", "max"},
	{C(memory), 2, "{'memory':{'reservation':4096}}", "memory.low", "4096"},
	{C(memory), 2, "{'memory':{'reservation':-1,'useHierarchy':true}}", "memory.low", "max"},
	{C(cpu), 1, "{'cpu':{'shares':512}}", "cpu.shares", "512"},
	{C(cpu), 1, "{'cpu':{'shares':0,'quota':0,'period':0}}", "cpu.shares", ""},
	{C(cpu), 1, "{'cpu':{'quota':20000,'period':100000}}", "cpu.cfs_quota_us", "20000",
	 "cpu.cfs_period_us", "100000"},
	{C(cpu), 1, "{'cpu':{'quota':-1,'burst':0}}", "cpu.cfs_quota_us", "-1", "cpu.cfs_burst_us",
	 "0"},
	{C(cpu), 1, "{'cpu':{'realtimeRuntime':5000,'realtimePeriod':10000}}", "cpu.rt_runtime_us",
	 "5000", "cpu.rt_period_us", "10000"},
	{C(cpu), 1, "{'cpu':{'idle':1}}", "cpu.idle", "1"},
	{C(cpu), 2, "{'cpu':{'shares':1024}}", "cpu.weight", "100"},
	{C(cpu), 2, "{'cpu':{'quota':20000,'period':50000}}", "cpu.max", "20000 50000"},
	{C(cpu), 2, "{'cpu':{'quota':20000}}", "cpu.max", "20000"},
	{C(cpu), 2, "{'cpu':{'quota':-1}}", "cpu.max", "max"},
	{C(cpu), 2, "{'cpu':{'burst':700}}", "cpu.max.burst", "700"},
	{C(cpu), 2, "{'cpu':{'idle':1,'shares':512}}", "cpu.idle", "1", "cpu.weight", ""},
	{C(cpuset), 1, "{'cpu':{'cpus':'0-1','mems':'0'}}", "cpuset.cpus", "0-1", "cpuset.mems",
	 "0"},
	{C(cpuset), 2, "{'cpu':{'cpus':'0','mems':''}}", "cpuset.cpus", "0", "cpuset.mems", ""},
	{C(pids), 1, "{'pids':{'limit':7}}", "pids.max", "7"},
	{C(pids), 2, "{'pids':{'limit':0}}", "pids.max", "1"},
	{C(pids), 2, "{'pids':{'limit':-1}}", "pids.max", "max"},
	{C(io), 1, "{'blockIO':{'weight':300}}", "blkio.bfq.weight", "300"},
	{C(io), 1, "{'blockIO':{'leafWeight':300}}", "blkio.leaf_weight", "300"},
	{C(io), 1,
	 "{'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':500,'leafWeight':9}]}}",
	 "blkio.bfq.weight_device", "8:0 500", "blkio.leaf_weight_device", "8:0 9"},
	{C(io), 1, "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':1,'rate':600}]}}",
	 "blkio.throttle.read_bps_device", "8:1 600"},
	{C(io), 1, "{'blockIO':{'throttleWriteBpsDevice':[{'major':8,'minor':1,'rate':600}]}}",
	 "blkio.throttle.write_bps_device", "8:1 600"},
	{C(io), 1, "{'blockIO':{'throttleReadIOPSDevice':[{'major':8,'minor':1,'rate':600}]}}",
	 "blkio.throttle.read_iops_device", "8:1 600"},
	{C(io), 1, "{'blockIO':{'throttleWriteIOPSDevice':[{'major':8,'minor':1,'rate':600}]}}",
	 "blkio.throttle.write_iops_device", "8:1 600"},
	{C(io), 2, "{'blockIO':{'weight':500}}", "io.bfq.weight", "500", "io.weight", ""},
	{C(io), 2, "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':1,'rate':600}]}}",
	 "io.max", "8:1 rbps=600"},
	{C(io), 2, "{'blockIO':{'throttleWriteIOPSDevice':[{'major':8,'minor':1,'rate':0}]}}",
	 "io.max", "8:1 wiops=max"},
	{C(hugetlb), 1, "{'hugepageLimits':[{'pageSize':'2MB','limit':4194304}]}",
	 "hugetlb.2MB.limit_in_bytes", "4194304", "hugetlb.2MB.rsvd.limit_in_bytes", "4194304"},
	{C(hugetlb), 2, "{'hugepageLimits':[{'pageSize':'2MB','limit':0}]}", "hugetlb.2MB.max", "0",
	 "hugetlb.2MB.rsvd.max", "0"},
	{C(net_cls), 1, "{'network':{'classID':1048577}}", "net_cls.classid", "1048577"},
	{C(net_prio), 1, "{'network':{'priorities':[{'name':'lo','priority':5}]}}",
	 "net_prio.ifpriomap", "lo 5"},
	{C(rdma), 2, "{'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000}}}", "rdma.max",
	 "mlx5_1 hca_handle=3 hca_object=10000"},
};

static void expect_file(const struct room *room, const struct field_case *c, const char *file,
			const char *value)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(file_read_at(room->dir.fd, file, 4096, &text, NULL, NULL), 0);
	if (strcmp(text, value) != 0)
		fail_msg("v%d %s: %s is \"%s\", not \"%s\"", c->version, c->json, file, text,
			 value);
}

static void given_each_field_then_its_file_is_written(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(field_cases); i++) {
		const struct field_case *c = &field_cases[i];
		_cleanup_spec_ struct spec *spec = parsed(c->json);
		_cleanup_error_ struct error *err = NULL;
		struct room *room;
		struct cgroup_target t;
		int r;

		assert_int_equal(make_room(state), 0);
		room = *state;
		put_file(room, c->file, "");
		if (c->more_file)
			put_file(room, c->more_file, "");
		t = (struct cgroup_target){&room->cg, &room->dir, c->controller->name, true, &err};
		r = (c->version == 1 ? c->controller->set_v1
				     : c->controller->set_v2)(&t, &spec->linux.resources);
		if (r < 0)
			fail_msg("v%d %s: %s", c->version, c->json, error_text(err));
		expect_file(room, c, c->file, c->value);
		if (c->more_file)
			expect_file(room, c, c->more_file, c->more_value);
		remove_room(state);
	}
}

/* What can't be honoured, and the field that the error names. */
static const struct {
	const struct cgroup_controller *controller;
	int version;
	const char *json, *error;
} refusals[] = {
	{C(memory), 2, "{'memory':{'swappiness':60}}",
	 "linux.resources.memory.swappiness: cgroup v2"},
	{C(memory), 2, "{'memory':{'disableOOMKiller':true}}",
	 "linux.resources.memory.disableOOMKiller: cgroup v2"},
	{C(memory), 2, "{'memory':{'kernelTCP':1}}", "linux.resources.memory.kernelTCP: cgroup v2"},
	{C(memory), 2, "{'memory':{'useHierarchy':false}}",
	 "linux.resources.memory.useHierarchy: cgroup v2"},
	{C(memory), 2, "{'memory':{'limit':8192,'swap':4096}}",
	 "linux.resources.memory.swap: is memory and swap together"},
	{C(memory), 2, "{'memory':{'limit':8192,'swap':9000}}",
	 "linux.resources.memory.swap: write"},
	{C(memory), 1, "{'memory':{'swap':4096}}",
	 "linux.resources.memory.swap: write \"4096\" to "},
	{C(cpu), 2, "{'cpu':{'realtimeRuntime':1}}",
	 "linux.resources.cpu.realtimeRuntime: cgroup v2"},
	{C(cpu), 2, "{'cpu':{'realtimePeriod':1}}",
	 "linux.resources.cpu.realtimePeriod: cgroup v2"},
	{C(io), 2, "{'blockIO':{'leafWeight':20}}",
	 "linux.resources.blockIO.leafWeight: cgroup v2"},
	{C(net_cls), 2, "{'network':{'classID':1}}", "linux.resources.network.classID: cgroup v2"},
	{C(net_prio), 2, "{'network':{'priorities':[{'name':'lo','priority':5}]}}",
	 "linux.resources.network.priorities: cgroup v2"},
	{C(hugetlb), 2, "{'hugepageLimits':[{'pageSize':'2MB','limit':4}]}",
	 "linux.resources.hugepageLimits: write \"4\" to "},
	{C(pids), 2, "{'pids':{'limit':4}}", "linux.resources.pids.limit: write \"4\" to "},
};

static void given_a_field_the_host_cannot_honour_then_the_error_names_it(void **state)
{
	struct room *room = *state;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		_cleanup_spec_ struct spec *spec = parsed(refusals[i].json);
		_cleanup_error_ struct error *err = NULL;
		const struct cgroup_controller *c = refusals[i].controller;
		struct cgroup_target t = {&room->cg, &room->dir, c->name, false, &err};

		assert_true((refusals[i].version == 1 ? c->set_v1
						      : c->set_v2)(&t, &spec->linux.resources) < 0);
		if (!str_starts(error_text(err), refusals[i].error))
			fail_msg("%s: %s", refusals[i].json, error_text(err));
	}
}

static void given_no_such_controller_then_each_field_of_it_is_an_error_that_names_it(void **state)
{
	struct room *room = *state;

	for (size_t i = 0; i < ARRAY_SIZE(field_cases); i++) {
		const struct field_case *c = &field_cases[i];
		_cleanup_spec_ struct spec *spec = parsed(c->json);
		_cleanup_error_ struct error *err = NULL;
		struct cgroup_target t = {&room->cg, NULL, c->controller->name, false, &err};
		int r = (c->version == 1 ? c->controller->set_v1
					 : c->controller->set_v2)(&t, &spec->linux.resources);

		/* Nothing was asked: zeroes, or no limit on processes. */
		if (c->value[0] == '\0' || strcmp(c->file, "pids.max") == 0)
			continue;
		if (r != -ENODEV || !str_starts(error_text(err), "linux.resources."))
			fail_msg("%s: %d %s", c->json, r, error_text(err));
	}
}

static void given_limits_in_force_then_swap_is_written_first_where_memory_would_pass_it(
	void **state)
{
	_cleanup_spec_ struct spec *spec = parsed("{'memory':{'limit':300,'swap':400}}");
	_cleanup_error_ struct error *err = NULL;
	struct room *room = *state;
	struct cgroup_target t = {&room->cg, &room->dir, "memory", true, &err};

	/* Without the file for swap, the first write tells the order. */
	put_file(room, "memory.limit_in_bytes", "100\n");
	assert_int_equal(cgroup_controller_memory.set_v1(&t, &spec->linux.resources), -ENOENT);
	expect_file(room, &field_cases[0], "memory.limit_in_bytes", "100\n");
	put_file(room, "memory.limit_in_bytes", "900\n");
	assert_int_equal(cgroup_controller_memory.set_v1(&t, &spec->linux.resources), -ENOENT);
	expect_file(room, &field_cases[0], "memory.limit_in_bytes", "300\n");
}

static void given_check_before_update_then_less_than_is_used_is_refused(void **state)
{
	_cleanup_spec_ struct spec *spec =
		parsed("{'memory':{'limit':4096,'checkBeforeUpdate':true}}");
	_cleanup_error_ struct error *err = NULL;
	struct room *room = *state;
	struct cgroup_target t = {&room->cg, &room->dir, "memory", true, &err};

	put_file(room, "memory.current", "4096\n");
	put_file(room, "memory.max", "max\n");
	assert_int_equal(cgroup_controller_memory.set_v2(&t, &spec->linux.resources), -EBUSY);
	assert_non_null(strstr(error_text(err), "linux.resources.memory.limit: 4096 bytes"));
	put_file(room, "memory.current", "4095\n");
	assert_int_equal(cgroup_controller_memory.set_v2(&t, &spec->linux.resources), 0);
}

static void given_swap_alone_on_v2_then_the_memory_limit_in_force_counts(void **state)
{
	_cleanup_spec_ struct spec *spec = parsed("{'memory':{'swap':5000}}");
	struct room *room = *state;
	struct cgroup_target t = {&room->cg, &room->dir, "memory", true, NULL};

	put_file(room, "memory.max", "2000\n");
	put_file(room, "memory.swap.max", "");
	assert_int_equal(cgroup_controller_memory.set_v2(&t, &spec->linux.resources), 0);
	expect_file(room, &field_cases[0], "memory.swap.max", "3000");
}

static void given_a_period_alone_on_v2_then_the_quota_in_force_stays(void **state)
{
	_cleanup_spec_ struct spec *spec = parsed("{'cpu':{'period':50000}}");
	struct room *room = *state;
	struct cgroup_target t = {&room->cg, &room->dir, "cpu", true, NULL};

	put_file(room, "cpu.max", "1000 100000\n");
	assert_int_equal(cgroup_controller_cpu.set_v2(&t, &spec->linux.resources), 0);
	expect_file(room, &field_cases[0], "cpu.max", "1000 500000\n");
}

static json_t *stats_of(struct room *room, const struct cgroup_controller *c, int version)
{
	struct cgroup_target t = {&room->cg, &room->dir, c->name, false, NULL};
	json_t *data = json_object();

	assert_int_equal((version == 1 ? c->stat_v1 : c->stat_v2)(&t, data), 0);
	return data;
}

static void expect_json(json_t *data, const char *expected)
{
	_cleanup_free_ char *text = json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS);
	_cleanup_free_ char *wanted = strdup(expected);

	for (char *p = wanted; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	assert_string_equal(text, wanted);
	json_decref(data);
}

static void given_v2_files_then_statistics_have_runcs_shape(void **state)
{
	struct room *room = *state;

	put_file(room, "cpu.stat",
		 "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\n"
		 "nr_throttled 3\nthrottled_usec 2\n");
	put_file(room, "cpu.pressure",
		 "some avg10=0.50 avg60=0.00 avg300=0.00 total=77\n"
		 "full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
	expect_json(stats_of(room, C(cpu), 2),
		    "{'cpu':{'psi':{'full':{'avg10':0.0,'avg300':0.0,'avg60':0.0,'total':5},"
		    "'some':{'avg10':0.5,'avg300':0.0,'avg60':0.0,'total':77}},"
		    "'throttling':{'periods':4,'throttledPeriods':3,'throttledTime':2000},"
		    "'usage':{'kernel':10000,'total':30000,'user':20000}}}");
	put_file(room, "memory.current", "100\n");
	put_file(room, "memory.max", "1000\n");
	put_file(room, "memory.swap.current", "10\n");
	put_file(room, "memory.swap.max", "max\n");
	put_file(room, "memory.stat", "anon 1\nfile 2\n");
	put_file(room, "memory.events", "low 0\nmax 6\noom 0\noom_kill 1\n");
	expect_json(stats_of(room, C(memory), 2),
		    "{'memory':{'cache':2,'event_count':{'low':0,'max':6,'oom':0,'oom_kill':1},"
		    "'kernel':{'failcnt':0,'limit':0,'max':0,'usage':0},"
		    "'kernelTCP':{'failcnt':0,'limit':0,'max':0,'usage':0},"
		    "'raw':{'anon':1,'file':2},"
		    "'swap':{'failcnt':0,'limit':9223372036854775807,'max':0,'usage':110},"
		    "'usage':{'failcnt':6,'limit':1000,'max':0,'usage':100}}}");
	put_file(room, "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 \n");
	expect_json(stats_of(room, C(io), 2),
		    "{'blkio':{'ioServiceBytesRecursive':["
		    "{'major':8,'minor':0,'op':'Read','value':1},"
		    "{'major':8,'minor':0,'op':'Write','value':2},"
		    "{'major':8,'minor':0,'op':'Discard','value':0}],"
		    "'ioServicedRecursive':[{'major':8,'minor':0,'op':'Read','value':3},"
		    "{'major':8,'minor':0,'op':'Write','value':4},"
		    "{'major':8,'minor':0,'op':'Discard','value':0}]}}");
	put_file(room, "pids.current", "3\n");
	put_file(room, "pids.max", "max\n");
	expect_json(stats_of(room, C(pids), 2), "{'pids':{'current':3,'limit':0}}");
	put_file(room, "rdma.max", "mlx4_0 hca_handle=2 hca_object=max\n");
	put_file(room, "rdma.current", "mlx4_0 hca_handle=1 hca_object=20\n");
	expect_json(stats_of(room, C(rdma), 2),
		    "{'rdma':{'current':[{'device':'mlx4_0','hcaHandles':1,'hcaObjects':20}],"
		    "'limit':[{'device':'mlx4_0','hcaHandles':2,'hcaObjects':4294967295}]}}");
}

static void given_v1_files_then_statistics_have_runcs_shape(void **state)
{
	struct room *room = *state;

	put_file(room, "cpuacct.usage", "300\n");
	put_file(room, "cpuacct.stat", "user 2\nsystem 1\n");
	put_file(room, "cpuacct.usage_percpu", "100 200 \n");
	put_file(room, "cpuacct.usage_all", "cpu user system\n0 60 40\n1 150 50\n");
	expect_json(stats_of(room, C(cpuacct), 1),
		    "{'cpu':{'usage':{'kernel':10000000,'percpu':[100,200],'percpu_kernel':[40,50],"
		    "'percpu_user':[60,150],'total':300,'user':20000000}}}");
	put_file(room, "blkio.throttle.io_service_bytes_recursive",
		 "8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n");
	put_file(room, "blkio.bfq.sectors_recursive", "8:0 8\n");
	expect_json(stats_of(room, C(io), 1),
		    "{'blkio':{'ioServiceBytesRecursive':["
		    "{'major':8,'minor':0,'op':'Read','value':4096},"
		    "{'major':8,'minor':0,'op':'Total','value':4096}],"
		    "'sectorsRecursive':[{'major':8,'minor':0,'value':8}]}}");
}

static void given_saved_state_that_was_tampered_with_then_it_is_refused(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{'driver':'other','layout':'v1','paths':[]}",
		"{'driver':'cgroupfs','layout':'v3','paths':[]}",
		"{'driver':'cgroupfs','layout':'v1','paths':[{}]}",
		"{'driver':'cgroupfs','layout':'v1','paths':[{'controllers':'pids','path':'/etc',"
		"'mountLength':4}]}",
		"{'driver':'cgroupfs','layout':'v1','paths':[{'controllers':'pids',"
		"'path':'/m/../etc','mountLength':2}]}",
		"{'driver':'cgroupfs','layout':'v1','paths':[{'controllers':'pids','path':'/m/a',"
		"'mountLength':99}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text = strdup(bad[i]);
		_cleanup_error_ struct error *err = NULL;
		_cleanup_cgroup_ struct cgroup *cg = NULL;
		_cleanup_json_ json_t *value = NULL;
		struct json_at at = {.key = "cgroup"};

		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		value = json_loads(text, 0, NULL);
		at.value = value;
		assert_true(cgroup_restore(&at, &cg, &err) < 0);
		assert_non_null(err);
	}
}

static void given_a_cgroup_then_saving_and_restoring_keeps_it(void **state)
{
	_cleanup_cgroup_ struct cgroup *cg = calloc(1, sizeof *cg), *back = NULL;
	_cleanup_json_ json_t *saved = NULL, *again = NULL;
	const struct cgroup_hierarchy h = {.controllers = (char *)"cpu,cpuacct",
					   .mount_point = (char *)"/m",
					   .root = (char *)"/",
					   .own_path = (char *)"/"};
	struct json_at at = {.key = "cgroup"};

	(void)state;
	cg->manager = &cgroup_manager_cgroupfs;
	cg->layout = CGROUP_V1;
	cg->slice = strdup("a.slice");
	assert_int_equal(cgroup_add_dir(cg, &h, "/a/b", false, NULL), 0);
	saved = cgroup_save(cg);
	assert_non_null(saved);
	at.value = saved;
	assert_int_equal(cgroup_restore(&at, &back, NULL), 0);
	assert_string_equal(cgroup_directory(back, "cpuacct"), "/m/a/b");
	assert_null(cgroup_directory(back, "memory"));
	again = cgroup_save(back);
	assert_true(json_equal(saved, again));
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_paths_then_nothing_leads_out),
		cmocka_unit_test(given_an_own_cgroup_then_relative_paths_count_from_it),
		cmocka_unit_test(given_a_path_that_is_the_root_then_it_is_refused),
		cmocka_unit_test(given_shares_then_the_weight_fits_minimum_default_and_maximum),
		cmocka_unit_test(given_a_blkio_weight_then_io_weight_is_linear),
		cmocka_unit_test(given_memory_and_swap_then_swap_alone_is_their_difference),
		cmocka_unit_test(
			given_lists_and_page_sizes_then_they_are_read_as_the_kernel_writes_them),
		cmocka_unit_test(given_each_field_then_its_file_is_written),
		IN_ROOM(given_a_field_the_host_cannot_honour_then_the_error_names_it),
		IN_ROOM(given_no_such_controller_then_each_field_of_it_is_an_error_that_names_it),
		IN_ROOM(given_limits_in_force_then_swap_is_written_first_where_memory_would_pass_it),
		IN_ROOM(given_check_before_update_then_less_than_is_used_is_refused),
		IN_ROOM(given_swap_alone_on_v2_then_the_memory_limit_in_force_counts),
		IN_ROOM(given_a_period_alone_on_v2_then_the_quota_in_force_stays),
		IN_ROOM(given_v2_files_then_statistics_have_runcs_shape),
		IN_ROOM(given_v1_files_then_statistics_have_runcs_shape),
		cmocka_unit_test(given_saved_state_that_was_tampered_with_then_it_is_refused),
		cmocka_unit_test(given_a_cgroup_then_saving_and_restoring_keeps_it),
	};

	return cmocka_run_group_tests_name("runtime cgroup", tests, NULL, NULL);
}

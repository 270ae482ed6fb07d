/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the configuration parser: linux.resources and linux.seccomp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/seccomp.h>
#include <seccomp.h>

#include "runtime/test_spec.h"

static void given_resources_then_their_members_are_read(void **state)
{
	_cleanup_spec_ struct spec *spec = parsed(
		RESOURCES,
		"'devices':[{'allow':false,'access':'rwm'},{'allow':true,'type':'b','major':8,'access':'r'},"
		"{'allow':true,'type':'','minor':-1,'access':'m'}],"
		"'memory':{'limit':9223372036854771712,'swap':-1,'swappiness':0,'disableOOMKiller':false},"
		"'cpu':{'shares':2,'quota':-1,'idle':0,'cpus':'0-1','mems':''},'pids':{'limit':-7},"
		"'blockIO':{'weightDevice':[{'major':8,'minor':1,'leafWeight':9}],"
		"'throttleWriteBpsDevice':[{'major':8,'minor':0,'rate':18446744073709551615}]},"
		"'hugepageLimits':[{'pageSize':'2MB','limit':4},{'pageSize':'64KB','limit':0}],"
		"'network':{'classID':4294967295,'priorities':[{'name':'lo','priority':3}]},"
		"'rdma':{'mlx5_1':{'hcaHandles':3},'mlx4_0':{'hcaObjects':10000}},"
		"'unified':{'memory.high':'max'}");
	const struct spec_resources *r = &spec->linux.resources;

	(void)state;
	assert_true(spec_has_resources(r));
	assert_int_equal(r->device_count, 3);
	assert_int_equal(r->devices[0].type, 'a');
	assert_true(r->devices[0].major == -1 && r->devices[1].major == 8);
	assert_int_equal(r->devices[2].type, 'a');
	assert_true(r->memory.limit.value == 9223372036854771712 && r->memory.swap.value == -1);
	assert_true(r->memory.swappiness.is_set && r->memory.swappiness.value == 0);
	assert_true(r->memory.disable_oom_killer.is_set && !r->memory.disable_oom_killer.value);
	assert_true(r->cpu.idle.is_set && r->cpu.idle.value == 0 && r->cpu.quota.value == -1);
	assert_null(r->cpu.mems);
	assert_true(r->pids_limit.is_set && r->pids_limit.value == -1);
	assert_true(!r->block_io.weight_devices[0].weight.is_set);
	assert_true(r->block_io.write_bps.items[0].rate == UINT64_MAX);
	assert_string_equal(r->hugepages[1].page_size, "64KB");
	assert_int_equal(r->network.class_id.value, 0xffffffff);
	assert_string_equal(r->rdma[1].device, "mlx4_0");
	assert_true(!r->rdma[1].hca_handles.is_set && r->rdma[1].hca_objects.value == 10000);
	assert_string_equal(r->unified.items[0].value, "max");
}

/* What dockerd and others write that mean none of it. */
static void given_zeroes_of_an_engine_then_they_count_as_absent(void **state)
{
	_cleanup_spec_ struct spec *spec = parsed(
		RESOURCES,
		"'memory':{'limit':0,'reservation':0,'swap':0,'swappiness':18446744073709551615},"
		"'cpu':{'shares':0,'quota':0,'period':0,'realtimeRuntime':0,'realtimePeriod':0,'cpus':''},"
		"'blockIO':{'weight':0,'leafWeight':0,'weightDevice':[]},'network':{'classID':0},"
		"'rdma':{},'unified':{},'hugepageLimits':[],'devices':null,'pids':{}");
	_cleanup_spec_ struct spec *pids = parsed(RESOURCES, "'pids':{'limit':0}");

	(void)state;
	assert_false(spec_has_resources(&spec->linux.resources));
	assert_true(pids->linux.resources.pids_limit.is_set);
}

static void given_bad_resources_then_each_is_refused_by_name(void **state)
{
	static const struct bad cases[] = {
		{LINUX, "'resources':[]", "linux.resources: expected an object, found an array"},
		{RESOURCES, "'devices':[{'allow':true}]",
		 "linux.resources.devices[0].access: missing"},
		{RESOURCES, "'devices':[{'allow':true,'access':'rx'}]",
		 "linux.resources.devices[0].access: \"rx\" has other letters than r, w and m"},
		{RESOURCES, "'devices':[{'allow':1,'access':'r'}]",
		 "linux.resources.devices[0].allow: expected true or false, found an integer"},
		{RESOURCES, "'devices':[{'allow':true,'type':'d','access':'r'}]",
		 "linux.resources.devices[0].type: \"d\" is not known (a, b, c)"},
		{RESOURCES, "'devices':[{'allow':true,'type':'ab','access':'r'}]",
		 "linux.resources.devices[0].type: \"ab\" is not known (a, b, c)"},
		{RESOURCES, "'devices':[{'allow':true,'major':-2,'access':'r'}]",
		 "linux.resources.devices[0].major: -2 is out of range (-1 to 4095)"},
		{RESOURCES, "'memory':{'swappiness':200}",
		 "linux.resources.memory.swappiness: 200 is out of range (0 to 100)"},
		{RESOURCES, "'memory':{'swappiness':-1}",
		 "linux.resources.memory.swappiness: -1 is out of range (0 to 18446744073709551615)"},
		{RESOURCES, "'memory':{'limit':-2}",
		 "linux.resources.memory.limit: -2 is out of range (-1 to 9223372036854775807)"},
		{RESOURCES, "'memory':{'limit':9223372036854775808}",
		 "linux.resources.memory.limit: 9223372036854775808 is out of range (-1 to 9223372036854775807)"},
		{RESOURCES, "'memory':{'limit':1e3}",
		 "linux.resources.memory.limit: expected an integer, found a fraction"},
		{RESOURCES, "'memory':{'limit':'1'}",
		 "linux.resources.memory.limit: expected an integer, found a string"},
		{RESOURCES, "'cpu':{'shares':-1}",
		 "linux.resources.cpu.shares: -1 is out of range (0 to 18446744073709551615)"},
		{RESOURCES, "'cpu':{'idle':2}",
		 "linux.resources.cpu.idle: 2 is out of range (0 to 1)"},
		{RESOURCES, "'pids':{'limit':'1'}",
		 "linux.resources.pids.limit: expected an integer, found a string"},
		{RESOURCES, "'blockIO':{'weight':1001}",
		 "linux.resources.blockIO.weight: 1001 is out of range (0 to 1000)"},
		{RESOURCES, "'blockIO':{'weightDevice':[{'minor':1}]}",
		 "linux.resources.blockIO.weightDevice[0].major: missing"},
		{RESOURCES, "'blockIO':{'throttleReadIOPSDevice':[{'major':1,'minor':1}]}",
		 "linux.resources.blockIO.throttleReadIOPSDevice[0].rate: missing"},
		{RESOURCES, "'hugepageLimits':[{'limit':1234123,'pageSize':'64kB'}]",
		 "linux.resources.hugepageLimits[0].pageSize: \"64kB\" is not a page size such as 2MB"},
		{RESOURCES, "'hugepageLimits':[{'limit':1,'pageSize':'../../2MB'}]",
		 "linux.resources.hugepageLimits[0].pageSize: \"../../2MB\" is not a page size such as 2MB"},
		{RESOURCES, "'hugepageLimits':[{'pageSize':'2MB'}]",
		 "linux.resources.hugepageLimits[0].limit: missing"},
		{RESOURCES, "'network':{'classID':4294967296}",
		 "linux.resources.network.classID: 4294967296 is out of range (0 to 4294967295)"},
		{RESOURCES, "'network':{'priorities':[{'name':'a b','priority':1}]}",
		 "linux.resources.network.priorities[0].name: \"a b\" is not a network interface's name"},
		{RESOURCES, "'rdma':{'mlx5_1':{'hcaHandles':'notauint32'}}",
		 "linux.resources.rdma.mlx5_1.hcaHandles: expected an integer, found a string"},
		{RESOURCES, "'rdma':{'mlx5_1':{}}",
		 "linux.resources.rdma.mlx5_1: needs hcaHandles or hcaObjects"},
		{RESOURCES, "'rdma':{'a b':{'hcaHandles':1}}",
		 "linux.resources.rdma: \"a b\" is not a device's name"},
		{RESOURCES, "'unified':{'../cgroup.procs':'1'}",
		 "linux.resources.unified: \"../cgroup.procs\" is not the name of a cgroup file"},
		{RESOURCES, "'unified':{'..':'1'}",
		 "linux.resources.unified: \"..\" is not the name of a cgroup file"},
		{RESOURCES, "'unified':{'memory.high':1}",
		 "linux.resources.unified[\"memory.high\"]: expected a string, found an integer"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void given_lone_resources_then_they_are_parsed(void **state)
{
	_cleanup_free_ char *good = json_text("{'pids':{'limit':9}}");
	_cleanup_free_ char *bad = json_text("{'pids':9}");
	_cleanup_error_ struct error *err = NULL;
	_cleanup_spec_ struct spec *spec = NULL;
	struct spec *none = NULL;

	(void)state;
	assert_int_equal(spec_parse_resources(good, strlen(good), &spec, &err), 0);
	assert_int_equal(spec->linux.resources.pids_limit.value, 9);
	assert_int_equal(spec_parse_resources(bad, strlen(bad), &none, &err), -EINVAL);
	assert_string_equal(error_text(err),
			    "resources.pids: expected an object, found an integer");
}

static void given_a_seccomp_profile_then_it_is_read(void **state)
{
	_cleanup_spec_ struct spec *spec = parsed(
		LINUX,
		"'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
		"'architectures':['SCMP_ARCH_X86','SCMP_ARCH_LOONGARCH64'],"
		"'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_TSYNC'],"
		"'listenerPath':'/run/s','listenerMetadata':'m','syscalls':["
		"{'names':['read','no_such_call'],'action':'SCMP_ACT_ALLOW','args':["
		"{'index':5,'value':18446744073709551608,'valueTwo':7,'op':'SCMP_CMP_MASKED_EQ'}]},"
		"{'names':['a'],'action':'SCMP_ACT_KILL'},{'names':['a'],'action':'SCMP_ACT_KILL_PROCESS'},"
		"{'names':['a'],'action':'SCMP_ACT_KILL_THREAD'},{'names':['a'],'action':'SCMP_ACT_TRAP'},"
		"{'names':['a'],'action':'SCMP_ACT_TRACE','errnoRet':65535},"
		"{'names':['a'],'action':'SCMP_ACT_LOG'},{'names':['a'],'action':'SCMP_ACT_NOTIFY'},"
		"{'names':['a'],'action':'SCMP_ACT_ERRNO'},{'names':['a'],'action':'SCMP_ACT_TRACE'}]}");
	static const uint32_t actions[] = {
		SCMP_ACT_ALLOW,        SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL_PROCESS,
		SCMP_ACT_KILL_THREAD,  SCMP_ACT_TRAP,        SCMP_ACT_TRACE(65535),
		SCMP_ACT_LOG,          SCMP_ACT_NOTIFY,      SCMP_ACT_ERRNO(EPERM),
		SCMP_ACT_TRACE(EPERM),
	};
	const struct spec_seccomp *s = &spec->linux.seccomp;

	(void)state;
	assert_true(s->is_set && s->has_flags);
	assert_int_equal(s->default_action, SCMP_ACT_ERRNO(38));
	assert_int_equal(s->architectures[0], SCMP_ARCH_X86);
	assert_int_equal(s->architecture_count, 2);
	assert_int_equal(s->flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC);
	assert_string_equal(s->listener_path, "/run/s");
	assert_int_equal(s->rule_count, ARRAY_SIZE(actions));
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		assert_int_equal(s->rules[i].action, actions[i]);
	assert_int_equal(s->rules[0].names.count, 2);
	assert_true(s->rules[0].args[0].value == 18446744073709551608U);
	assert_int_equal(s->rules[0].args[0].op, SCMP_CMP_MASKED_EQ);
	assert_int_equal(s->rules[0].args[0].index, 5);
	assert_non_null(s->json);
}

static void given_an_empty_seccomp_object_then_there_is_no_filter(void **state)
{
	_cleanup_spec_ struct spec *empty = parsed(LINUX, "'seccomp':{}");
	_cleanup_spec_ struct spec *bare =
		parsed(LINUX, "'seccomp':{'defaultAction':'','syscalls':[]}");
	_cleanup_spec_ struct spec *flags =
		parsed(LINUX, "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','flags':[]}");

	(void)state;
	assert_false(empty->linux.seccomp.is_set || bare->linux.seccomp.is_set);
	assert_true(flags->linux.seccomp.is_set && flags->linux.seccomp.has_flags);
}

#define RULE(text) "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{" text "}]}"
#define ACTIONS                                                                   \
	"(SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, " \
	"SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_NOTIFY, SCMP_ACT_TRACE, SCMP_ACT_TRAP)"

static void given_bad_seccomp_profiles_then_each_is_refused_by_name(void **state)
{
	static const struct bad cases[] = {
		{LINUX, "'seccomp':[]", "linux.seccomp: expected an object, found an array"},
		{LINUX, "'seccomp':{'defaultAction':'ALLOW'}",
		 "linux.seccomp.defaultAction: \"ALLOW\" is not known " ACTIONS},
		{LINUX, "'seccomp':{'syscalls':[{}]}", "linux.seccomp.defaultAction: missing"},
		{LINUX, "'seccomp':{'defaultAction':'SCMP_ACT_NOTIFY'}",
		 "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be used as default action"},
		{LINUX, "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4096}",
		 "linux.seccomp.defaultErrnoRet: 4096 is out of range (0 to 4095)"},
		{LINUX, "'seccomp':{'defaultAction':'SCMP_ACT_KILL','defaultErrnoRet':1}",
		 "linux.seccomp.defaultErrnoRet: is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE only"},
		{LINUX,
		 "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_NEW_LISTENER']}",
		 "linux.seccomp.flags[0]: \"SECCOMP_FILTER_FLAG_NEW_LISTENER\" is not known (SECCOMP_FILTER_FLAG_LOG, "
		 "SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)"},
		{LINUX, "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'s'}",
		 "linux.seccomp.listenerPath: \"s\" is not an absolute path"},
		{LINUX, "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','listenerMetadata':'m'}",
		 "linux.seccomp.listenerMetadata: needs listenerPath"},
		{LINUX, "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','architectures':[1]}",
		 "linux.seccomp.architectures[0]: expected a string, found an integer"},
		{LINUX, RULE("'action':'SCMP_ACT_LOG'"),
		 "linux.seccomp.syscalls[0].names: missing"},
		{LINUX, RULE("'names':[],'action':'SCMP_ACT_LOG'"),
		 "linux.seccomp.syscalls[0].names: must not be empty"},
		{LINUX, RULE("'names':['a',''],'action':'SCMP_ACT_LOG'"),
		 "linux.seccomp.syscalls[0].names[1]: must not be empty"},
		{LINUX, RULE("'names':['a']"), "linux.seccomp.syscalls[0].action: missing"},
		{LINUX, RULE("'names':['a'],'action':'SCMP_ACT_LOG','errnoRet':1"),
		 "linux.seccomp.syscalls[0].errnoRet: is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE only"},
		{LINUX, RULE("'names':['a'],'action':'SCMP_ACT_NOTIFY'"),
		 "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath"},
		{LINUX,
		 "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/s','syscalls':[{'names':['a','write'],"
		 "'action':'SCMP_ACT_NOTIFY'}]}",
		 "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for the write syscall"},
		{LINUX,
		 RULE("'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':6,'value':1,'op':'SCMP_CMP_EQ'}]"),
		 "linux.seccomp.syscalls[0].args[0].index: 6 is out of range (0 to 5)"},
		{LINUX,
		 RULE("'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':0,'value':1}]"),
		 "linux.seccomp.syscalls[0].args[0].op: missing"},
		{LINUX,
		 RULE("'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':0,'op':'SCMP_CMP_EQ'}]"),
		 "linux.seccomp.syscalls[0].args[0].value: missing"},
		{LINUX,
		 RULE("'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':0,'value':-1,'op':'SCMP_CMP_EQ'}]"),
		 "linux.seccomp.syscalls[0].args[0].value: -1 is out of range (0 to 18446744073709551615)"},
		{LINUX,
		 RULE("'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':0,'value':1,'op':'=='}]"),
		 "linux.seccomp.syscalls[0].args[0].op: \"==\" is not known (SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, "
		 "SCMP_CMP_LE, SCMP_CMP_LT, SCMP_CMP_MASKED_EQ, SCMP_CMP_NE)"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_resources_then_their_members_are_read),
		cmocka_unit_test(given_zeroes_of_an_engine_then_they_count_as_absent),
		cmocka_unit_test(given_bad_resources_then_each_is_refused_by_name),
		cmocka_unit_test(given_lone_resources_then_they_are_parsed),
		cmocka_unit_test(given_a_seccomp_profile_then_it_is_read),
		cmocka_unit_test(given_an_empty_seccomp_object_then_there_is_no_filter),
		cmocka_unit_test(given_bad_seccomp_profiles_then_each_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the configuration parser: what it reads, what it refuses and in which words, and that no
 * input harms it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/capability.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "runtime/spec.h"
#include "runtime/test_spec.h"

static void given_the_smallest_configuration_then_it_is_read(void **state)
{
	_cleanup_spec_ struct spec *spec =
		parsed(WHOLE, "{'ociVersion':'1.0.0-rc1','root':{'path':'rootfs'},'unknown':[1]}");

	(void)state;
	assert_string_equal(spec->root.path, "rootfs");
	assert_false(spec->has_process || spec->root.is_readonly ||
		     spec->process.capabilities.is_set);
	assert_false(spec_has_resources(&spec->linux.resources));
	assert_null(spec_annotation(spec, "a"));
}

static void given_bad_tops_then_each_is_refused_by_name(void **state)
{
	static const struct bad cases[] = {
		{WHOLE, "{]",
		 "config.json: invalid JSON at line 1, column 2: string or '}' expected near ']'"},
		{WHOLE, "[]", "config.json: expected an object"},
		{WHOLE, "{}", "ociVersion: missing"},
		{WHOLE, "{'ociVersion':null}", "ociVersion: missing"},
		{WHOLE, "{'ociVersion':1}", "ociVersion: expected a string, found an integer"},
		{WHOLE, "{'ociVersion':'0.5.0-dev'}",
		 "ociVersion: \"0.5.0-dev\" is not supported (only 1.x is)"},
		{WHOLE, "{'ociVersion':'2.0.0'}",
		 "ociVersion: \"2.0.0\" is not supported (only 1.x is)"},
		{WHOLE, "{'ociVersion':'1.0'}", "ociVersion: \"1.0\" is not a semantic version"},
		{WHOLE, "{'ociVersion':'1.0.0 '}",
		 "ociVersion: \"1.0.0 \" is not a semantic version"},
		{WHOLE, "{'ociVersion':'1.0.2'}", "root.path: missing"},
		{WHOLE, "{'ociVersion':'1.0.2','root':{'path':''}}", "root.path: missing"},
		{WHOLE, "{'ociVersion':'1.0.2','root':7}",
		 "root: expected an object, found an integer"},
		{TOP, "'hostname':'h'",
		 "hostname: unable to set hostname without a private UTS namespace"},
		{TOP, "'domainname':'h'",
		 "domainname: unable to set domainname without a private UTS namespace"},
		{TOP, "'annotations':{'a':1}",
		 "annotations.a: expected a string, found an integer"},
		{TOP, "'annotations':{'':'b'}", "annotations: a key must not be empty"},
		{TOP, "'annotations':{'x\\ny':1}",
		 "annotations[\"x\\ny\"]: expected a string, found an integer"},
		{TOP, "'mounts':{}", "mounts: expected an array, found an object"},
		{TOP, "'mounts':[null]", "mounts[0]: null is not allowed"},
		{TOP, "'mounts':[{'type':'proc'}]", "mounts[0].destination: missing"},
		{TOP, "'mounts':[{'destination':'/a','options':['ro',null]}]",
		 "mounts[0].options[1]: expected a string, found null"},
		{TOP, "'mounts':[{'destination':'/a','options':['idmap','bind']}]",
		 "mounts[0]: options: idmap: an id-mapped mount needs uidMappings and gidMappings, or a user namespace to take them from"},
		{TOP,
		 "'mounts':[{'destination':'/a','uidMappings':[{'containerID':0,'hostID':0,'size':1}]}]",
		 "mounts[0]: uidMappings: id-mapped mounts are only supported for bind mounts"},
		{TOP,
		 "'mounts':[{'destination':'/a','options':['bind'],'uidMappings':[{'containerID':0,'hostID':0,'size':1}]}]",
		 "mounts[0]: gidMappings: missing, uidMappings and gidMappings go together"},
		{TOP, "'hooks':{'prestart':[{}]}", "hooks.prestart[0].path: missing"},
		{TOP, "'hooks':{'poststop':[{'path':'a'}]}",
		 "hooks.poststop[0].path: \"a\" is not an absolute path"},
		{TOP, "'hooks':{'poststop':[{'path':'/a','timeout':0}]}",
		 "hooks.poststop[0].timeout: 0 is out of range (1 to 2147483647)"},
		{TOP, "'hooks':{'poststop':[{'path':'/a','timeout':-1}]}",
		 "hooks.poststop[0].timeout: -1 is out of range (1 to 2147483647)"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void given_a_nul_in_a_string_then_it_is_refused(void **state)
{
	_cleanup_error_ struct error *err = NULL;
	struct spec *spec = NULL;

	(void)state;
	assert_int_equal(parse("{'ociVersion':'1.0.0','root':{'path':'a\\u0000b'}}", &spec, &err),
			 -EINVAL);
	assert_non_null(strstr(error_text(err), "\\u0000"));
	assert_null(strchr(error_text(err), '\n'));
	/* A NUL byte after the document is no end of it. */
	assert_int_equal(spec_parse("{}\0", 3, &spec, NULL), -EINVAL);
}

static void given_too_deep_or_too_long_input_then_it_is_refused(void **state)
{
	size_t length = 5 * 1024 * 1024;
	_cleanup_free_ char *text = malloc(length);
	_cleanup_error_ struct error *err = NULL;
	struct spec *spec = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '[', length);
	assert_int_equal(spec_parse(text, 1024 * 1024, &spec, &err), -EINVAL);
	assert_non_null(strstr(error_text(err), "maximum parsing depth"));
	assert_int_equal(spec_parse(text, length, &spec, &err), -EINVAL);
	assert_string_equal(
		error_text(err),
		"config.json: 5242880 bytes are more than the 4194304 that are allowed");
}

static void given_a_process_then_its_members_are_read(void **state)
{
	_cleanup_spec_ struct spec *spec = parsed(
		PROCESS,
		"'terminal':true,'consoleSize':{'height':24,'width':80},'args':['sh','-c',''],"
		"'env':['A=b','C='],'noNewPrivileges':true,'oomScoreAdj':-5,'selinuxLabel':'',"
		"'apparmorProfile':'p','user':{'uid':1,'gid':2,'umask':18,'additionalGids':[3,4]},"
		"'rlimits':[{'type':'RLIMIT_NOFILE','soft':5,'hard':18446744073709551615}],"
		"'capabilities':{'bounding':['CAP_CHOWN','CAP_SYSLOG'],'ambient':['CAP_KILL']},"
		"'scheduler':{'policy':'SCHED_DEADLINE','runtime':1,'deadline':2,'period':3,"
		"'flags':['SCHED_FLAG_RECLAIM','SCHED_FLAG_DL_OVERRUN']},"
		"'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':7},"
		"'execCPUAffinity':{'initial':' 0-3, 7,','final':''}");
	const struct spec_process *p = &spec->process;

	(void)state;
	assert_true(spec->has_process && p->terminal && p->console_size.is_set);
	assert_int_equal(p->console_size.height * 1000 + p->console_size.width, 24080);
	assert_int_equal(p->args.count, 3);
	assert_null(p->args.items[3]);
	assert_string_equal(p->env.items[1], "C=");
	assert_true(p->oom_score_adj.is_set && p->oom_score_adj.value == -5);
	assert_null(p->selinux_label);
	assert_int_equal(p->user.umask.value, 022);
	assert_int_equal(p->user.additional_gids[1], 4);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_true(p->rlimits[0].hard == RLIM_INFINITY);
	assert_true(p->capabilities.is_set);
	assert_true(p->capabilities.bounding == (1ULL << CAP_CHOWN | 1ULL << CAP_SYSLOG));
	assert_true(p->capabilities.ambient == 1ULL << CAP_KILL && !p->capabilities.permitted);
	assert_int_equal(p->scheduler.policy, 6);
	assert_int_equal(p->scheduler.flags, 6);
	assert_int_equal(p->io_priority.class * 10 + p->io_priority.priority, 27);
	assert_string_equal(p->exec_affinity_initial, "0-3,7");
	assert_null(p->exec_affinity_final);
	assert_ptr_equal(p->json, json_object_get(spec->json, "process"));
}

static void given_bad_processes_then_each_is_refused_by_name(void **state)
{
	static const struct bad cases[] = {
		{TOP, "'process':{}", "process.cwd: missing"},
		{TOP, "'process':{'cwd':''}", "process.cwd: missing"},
		{TOP, "'process':{'cwd':'a'}", "process.cwd: \"a\" is not an absolute path"},
		{PROCESS, "'args':'sh'", "process.args: expected an array, found a string"},
		{PROCESS, "'args':[1]", "process.args[0]: expected a string, found an integer"},
		{PROCESS, "'env':['A']", "process.env[0]: \"A\" is not NAME=VALUE"},
		{PROCESS, "'env':['=A']", "process.env[0]: \"=A\" is not NAME=VALUE"},
		{PROCESS, "'terminal':1",
		 "process.terminal: expected true or false, found an integer"},
		{PROCESS, "'consoleSize':{'height':1}", "process.consoleSize.width: missing"},
		{PROCESS, "'consoleSize':{'height':65536,'width':1}",
		 "process.consoleSize.height: 65536 is out of range (0 to 65535)"},
		{PROCESS, "'user':{'uid':-1}",
		 "process.user.uid: -1 is out of range (0 to 4294967294)"},
		{PROCESS, "'user':{'gid':4294967295}",
		 "process.user.gid: 4294967295 is out of range (0 to 4294967294)"},
		{PROCESS, "'user':{'additionalGids':[null]}",
		 "process.user.additionalGids[0]: null is not allowed"},
		{PROCESS, "'user':{'umask':512}",
		 "process.user.umask: 512 is out of range (0 to 511)"},
		{PROCESS, "'capabilities':{'bounding':['CAP_NONE']}",
		 "process.capabilities.bounding[0]: \"CAP_NONE\" is not a capability"},
		{PROCESS, "'capabilities':{'ambient':['kill']}",
		 "process.capabilities.ambient[0]: \"kill\" is not a capability"},
		{PROCESS, "'oomScoreAdj':1001",
		 "process.oomScoreAdj: 1001 is out of range (-1000 to 1000)"},
		{PROCESS, "'oomScoreAdj':1.5",
		 "process.oomScoreAdj: expected an integer, found a fraction"},
		{PROCESS, "'rlimits':[{'type':'RLIMIT_X','soft':1,'hard':1}]",
		 "process.rlimits[0].type: \"RLIMIT_X\" is not known (RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, "
		 "RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, "
		 "RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK)"},
		{PROCESS, "'rlimits':[{'type':'RLIMIT_CPU','soft':1}]",
		 "process.rlimits[0].hard: missing"},
		{PROCESS, "'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]",
		 "process.rlimits[0]: RLIMIT_CPU: the soft limit 2 is above the hard limit 1"},
		{PROCESS, "'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':18446744073709551616}]",
		 "process.rlimits[0].hard: 18446744073709551616 is out of range (0 to 18446744073709551615)"},
		{PROCESS,
		 "'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},{'type':'RLIMIT_CPU','soft':1,'hard':1}]",
		 "process.rlimits[1]: RLIMIT_CPU is given twice"},
		{PROCESS, "'scheduler':{}", "process.scheduler.policy: missing"},
		{PROCESS, "'scheduler':{'policy':'SCHED_OTHER','nice':20}",
		 "process.scheduler.nice: 20 is out of range (-20 to 19)"},
		{PROCESS, "'scheduler':{'policy':'SCHED_OTHER','priority':1}",
		 "process.scheduler.priority: is for SCHED_FIFO and SCHED_RR only"},
		{PROCESS, "'scheduler':{'policy':'SCHED_FIFO'}",
		 "process.scheduler.priority: SCHED_FIFO and SCHED_RR need 1 to 99"},
		{PROCESS, "'scheduler':{'policy':'SCHED_BATCH','runtime':1}",
		 "process.scheduler: runtime, deadline and period are for SCHED_DEADLINE only"},
		{PROCESS, "'scheduler':{'policy':'SCHED_DEADLINE','runtime':3,'deadline':2}",
		 "process.scheduler: SCHED_DEADLINE needs 0 < runtime <= deadline <= period"},
		{PROCESS, "'scheduler':{'policy':'SCHED_OTHER','flags':[null]}",
		 "process.scheduler.flags[0]: expected a string, found null"},
		{PROCESS, "'ioPriority':{'priority':1}", "process.ioPriority.class: missing"},
		{PROCESS, "'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':8}",
		 "process.ioPriority.priority: 8 is out of range (0 to 7)"},
		{PROCESS, "'execCPUAffinity':{'initial':'3-1'}",
		 "process.execCPUAffinity.initial: \"3-1\" is not a list such as 0-3,7"},
		{PROCESS, "'execCPUAffinity':{'final':'a'}",
		 "process.execCPUAffinity.final: \"a\" is not a list such as 0-3,7"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void given_a_linux_section_then_its_members_are_read(void **state)
{
	_cleanup_spec_ struct spec *spec = parsed(
		LINUX,
		"'namespaces':[{'type':'mount'},{'type':'user'},{'type':'network','path':'/run/n'},"
		"{'type':'time'},{'type':'uts','path':''},{'type':'ipc'}],"
		"'uidMappings':[{'containerID':0,'hostID':1000,'size':1}],"
		"'gidMappings':[{'containerID':0,'hostID':1000,'size':1},{'containerID':1,'hostID':5,'size':9}],"
		"'timeOffsets':{'monotonic':{'secs':-5,'nanosecs':6}},"
		"'devices':[{'type':'u','path':'/dev/x','major':1,'minor':3,'fileMode':8630,'uid':0}],"
		"'netDevices':{'eth9':{'name':'eth0'},'eth8':{}},"
		"'rootfsPropagation':'rslave','maskedPaths':['/proc/kcore'],'readonlyPaths':[],"
		"'intelRdt':{'closID':'c','schemata':['L3:0=f'],'enableMonitoring':true},"
		"'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-1, 3','flags':['MPOL_F_STATIC_NODES']},"
		"'personality':{'domain':'LINUX32','flags':['ADDR_NO_RANDOMIZE']},"
		"'sysctl':{'net.ipv4.ip_forward':'1','net/ipv4/conf/e.1/rp_filter':'0','fs/mqueue/msg_max':'3',"
		"'kernel.domainname':'d','user.max_user_namespaces':'1'}");
	const struct spec_linux *l = &spec->linux;

	(void)state;
	assert_true(l->namespaces[NAMESPACE_MOUNT].is_set && !l->namespaces[NAMESPACE_PID].is_set);
	assert_string_equal(l->namespaces[NAMESPACE_NETWORK].path, "/run/n");
	assert_null(l->namespaces[NAMESPACE_UTS].path);
	assert_int_equal(l->gid_maps.items[1].host_id, 5);
	assert_true(l->monotonic.is_set && !l->boottime.is_set && l->monotonic.secs == -5);
	assert_int_equal(l->devices[0].type, 'c');
	assert_int_equal(l->devices[0].mode.value, 0666);
	assert_true(l->devices[0].uid.is_set && !l->devices[0].gid.is_set);
	assert_int_equal(l->net_device_count, 2);
	assert_string_equal(l->net_devices[0].container_name, "eth0");
	assert_string_equal(l->net_devices[1].container_name, "eth8");
	assert_string_equal(l->rootfs_propagation, "rslave");
	assert_int_equal(l->masked_paths.count + l->readonly_paths.count, 1);
	assert_true(l->intel_rdt.is_set && l->intel_rdt.enable_monitoring);
	assert_string_equal(l->memory_policy.nodes, "0-1,3");
	assert_int_equal(l->memory_policy.mode, 2);
	assert_true(l->personality.domain == (PER_LINUX32 | ADDR_NO_RANDOMIZE));
	assert_string_equal(l->sysctl.items[1].key, "net.ipv4.conf.e/1.rp_filter");
	assert_string_equal(l->sysctl.items[2].key, "fs.mqueue.msg_max");
}

static void given_bad_linux_sections_then_each_is_refused_by_name(void **state)
{
	static const struct bad cases[] = {
		{LINUX, "'namespaces':[{'type':'x'}]",
		 "linux.namespaces[0].type: \"x\" is not known (user, mount, pid, network, ipc, uts, cgroup, time)"},
		{LINUX, "'namespaces':[{}]", "linux.namespaces[0].type: missing"},
		{LINUX, "'namespaces':[{'type':'pid','path':'p'}]",
		 "linux.namespaces[0].path: \"p\" is not an absolute path"},
		{LINUX, "'namespaces':[{'type':'pid'},{'type':'pid','path':'/p'}]",
		 "linux.namespaces[1]: the pid namespace is given twice"},
		{LINUX, "'uidMappings':[{'containerID':0,'hostID':0,'size':1}]",
		 "linux.uidMappings: id mappings need a user namespace"},
		{LINUX, "'namespaces':[{'type':'user'}]",
		 "linux.uidMappings: missing, a new user namespace needs it"},
		{LINUX, "'uidMappings':[{'containerID':0,'hostID':0,'size':0}]",
		 "linux.uidMappings[0].size: 0 is out of range (1 to 4294967295)"},
		{LINUX, "'uidMappings':[{'containerID':4294967290,'hostID':0,'size':10}]",
		 "linux.uidMappings[0]: reaches past the last id, 4294967294"},
		{LINUX,
		 "'gidMappings':[{'containerID':0,'hostID':0,'size':2},{'containerID':1,'hostID':9,'size':1}]",
		 "linux.gidMappings[1]: overlaps with line 0"},
		{LINUX, "'timeOffsets':{}", "linux.timeOffsets: needs a new time namespace"},
		{LINUX,
		 "'namespaces':[{'type':'time','path':'/t'}],'timeOffsets':{'boottime':{'secs':1}}",
		 "linux.timeOffsets: needs a new time namespace"},
		{LINUX, "'timeOffsets':{'boottime':{'nanosecs':1000000000}}",
		 "linux.timeOffsets.boottime.nanosecs: 1000000000 is out of range (0 to 999999999)"},
		{LINUX, "'devices':[{'type':'c'}]", "linux.devices[0].path: missing"},
		{LINUX, "'devices':[{'path':'/d'}]", "linux.devices[0].type: missing"},
		{LINUX, "'devices':[{'path':'/d','type':'a'}]",
		 "linux.devices[0].type: \"a\" is not known (c, u, b, p)"},
		{LINUX, "'devices':[{'path':'/d','type':'c','major':4096}]",
		 "linux.devices[0].major: 4096 is out of range (0 to 4095)"},
		{LINUX, "'devices':[{'path':'/d','type':'c','fileMode':1048576}]",
		 "linux.devices[0].fileMode: has other bits than a file mode"},
		{LINUX, "'netDevices':{'eth0':{}}",
		 "linux.netDevices: needs a private network namespace"},
		{LINUX, "'netDevices':{'eth0':{'name':23}}",
		 "linux.netDevices.eth0.name: expected a string, found an integer"},
		{LINUX, "'netDevices':{'a/b':{}}",
		 "linux.netDevices: \"a/b\" is not a network interface's name"},
		{LINUX, "'netDevices':{'eth0':{'name':'..'}}",
		 "linux.netDevices.eth0.name: \"..\" is not a network interface's name"},
		{LINUX, "'netDevices':{'eth0':{'name':'abcdefghijklmnop'}}",
		 "linux.netDevices.eth0.name: \"abcdefghijklmnop\" is not a network interface's name"},
		{LINUX, "'netDevices':{'eth0':{'name':'x'},'x':{}}",
		 "linux.netDevices.x: two interfaces get the name x"},
		{LINUX, "'rootfsPropagation':'none'",
		 "linux.rootfsPropagation: \"none\" is not known (shared, slave, private, unbindable, rshared, rslave, "
		 "rprivate, runbindable)"},
		{LINUX, "'maskedPaths':['/a']",
		 "linux: maskedPaths and readonlyPaths need a private mount namespace"},
		{LINUX, "'readonlyPaths':['a']",
		 "linux.readonlyPaths[0]: \"a\" is not an absolute path"},
		{LINUX, "'intelRdt':{'closID':'..'}",
		 "linux.intelRdt.closID: \"..\" is not the name of a directory"},
		{LINUX, "'intelRdt':{'closID':'a/b'}",
		 "linux.intelRdt.closID: \"a/b\" is not the name of a directory"},
		{LINUX, "'intelRdt':{'memBwSchema':'L3:'}",
		 "linux.intelRdt.memBwSchema: \"L3:\" is not one line with MB:"},
		{LINUX, "'intelRdt':{'schemata':['a\\nb']}",
		 "linux.intelRdt.schemata[0]: must be one line"},
		{LINUX, "'memoryPolicy':{}", "linux.memoryPolicy.mode: missing"},
		{LINUX, "'memoryPolicy':{'mode':'MPOL_BIND'}",
		 "linux.memoryPolicy.nodes: missing, the mode needs them"},
		{LINUX, "'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0'}",
		 "linux.memoryPolicy.nodes: MPOL_DEFAULT and MPOL_LOCAL take no nodes"},
		{LINUX, "'personality':{'domain':'BSD'}",
		 "linux.personality.domain: \"BSD\" is not known (LINUX, LINUX32)"},
		{LINUX, "'sysctl':{'net.x':'1'}",
		 "linux.sysctl: \"net.x\" is not allowed in the host's network namespace"},
		{LINUX,
		 "'namespaces':[{'type':'network','path':'/proc/self/ns/net'}],'sysctl':{'net/x':'1'}",
		 "linux.sysctl: \"net.x\" is not allowed in the host's network namespace"},
		{LINUX, "'sysctl':{'kernel.sem':'1'}",
		 "linux.sysctl: \"kernel.sem\" is not allowed in the host's ipc namespace"},
		{LINUX, "'namespaces':[{'type':'uts'}],'sysctl':{'kernel.hostname':'1'}",
		 "linux.sysctl: \"kernel.hostname\" is not allowed, as it conflicts with the field hostname"},
		{LINUX, "'sysctl':{'kernel.core_pattern':'|x'}",
		 "linux.sysctl: \"kernel.core_pattern\" is not in a separate kernel namespace"},
		{LINUX,
		 "'namespaces':[{'type':'network'}],'sysctl':{'net/../kernel/core_pattern':'|x'}",
		 "linux.sysctl: \"net.//.kernel.core_pattern\" is not a sysctl"},
		{LINUX,
		 "'namespaces':[{'type':'network'}],'sysctl':{'net.//.kernel.core_pattern':'|x'}",
		 "linux.sysctl: \"net.//.kernel.core_pattern\" is not a sysctl"},
		{LINUX, "'namespaces':[{'type':'network'}],'sysctl':{'net..x':'1'}",
		 "linux.sysctl: \"net..x\" is not a sysctl"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void given_an_all_embracing_sample_when_cut_or_bent_then_nothing_breaks(void **state)
{
	_cleanup_free_ char *text = json_text(sample);
	_cleanup_spec_ struct spec *whole = parsed(WHOLE, sample);
	size_t length = strlen(text);

	(void)state;
	assert_non_null(whole);
	for (size_t i = 0; i < length; i++) {
		_cleanup_free_ char *cut = malloc(i ? i : 1);
		struct spec *spec = NULL;

		/* A buffer of exactly that size, so that a sanitizer sees what reads past it. */
		memcpy(cut, text, i);
		assert_int_equal(spec_parse(cut, i, &spec, NULL), -EINVAL);
	}
	for (size_t i = 0; i < length; i++)
		for (unsigned bit = i % 4; bit < 8; bit += 4) {
			_cleanup_error_ struct error *err = NULL;
			_cleanup_spec_ struct spec *spec = NULL;

			text[i] ^= (char)(1U << bit);
			if (spec_parse(text, length, &spec, &err)) {
				assert_null(spec);
				assert_null(strchr(error_text(err), '\n'));
			}
			text[i] ^= (char)(1U << bit);
		}
}

static void given_a_lone_process_then_it_is_parsed_and_checked(void **state)
{
	_cleanup_free_ char *good = json_text("{'cwd':'/','args':['ls']}");
	_cleanup_free_ char *bad = json_text("{'args':['ls']}");
	_cleanup_error_ struct error *err = NULL;
	_cleanup_spec_ struct spec *spec = NULL;
	struct spec *none = NULL;

	(void)state;
	assert_int_equal(spec_parse_process(good, strlen(good), &spec, &err), 0);
	assert_true(spec->has_process);
	assert_string_equal(spec->process.args.items[0], "ls");
	assert_int_equal(spec_parse_process(bad, strlen(bad), &none, &err), -EINVAL);
	assert_string_equal(error_text(err), "process.cwd: missing");
}

static void given_a_bundle_then_its_configuration_is_loaded_with_its_text(void **state)
{
	static const char config[] = "{\"ociVersion\":\"1.2.1\",\"root\":{\"path\":\"r\"}}";
	char dir[] = "/tmp/test-spec-XXXXXX";
	_cleanup_error_ struct error *err = NULL;
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -1;
	size_t length = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(spec_load(fd, &spec, &text, &length, &err), -ENOENT);
	assert_string_equal(error_text(err), "JSON specification file config.json not found");
	assert_int_equal(
		file_replace_at(fd, "config.json", config, strlen(config), 0600, false, NULL), 0);
	assert_int_equal(spec_load(fd, &spec, &text, &length, &err), 0);
	assert_string_equal(text, config);
	assert_int_equal(length, strlen(config));
	assert_string_equal(spec->oci_version, "1.2.1");
	assert_int_equal(remove_tree_at(AT_FDCWD, dir, NULL), 0);
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (; (text = strstr(text, what)); text++)
		count++;
	return count;
}

static void given_the_default_then_it_is_laid_out_as_runc_does_and_valid(void **state)
{
	(void)state;
	for (int is_rootless = 0; is_rootless < 2; is_rootless++) {
		_cleanup_free_ char *text = spec_default(is_rootless, 1000, 1001);
		_cleanup_error_ struct error *err = NULL;
		_cleanup_spec_ struct spec *spec = NULL;

		assert_int_equal(spec_parse(text, strlen(text), &spec, &err), 0);
		assert_int_equal(strncmp(text,
					 "{\n\t\"ociVersion\": \"" SPEC_VERSION
					 "\",\n\t\"process\": {\n\t\t\"terminal\": true,\n",
					 58),
				 0);
		assert_string_equal(text + strlen(text) - 9, "\n\t\t]\n\t}\n}");
		assert_int_equal(count_of(text, " \n"), 0);
		assert_int_equal(spec->mount_count, 7);
		assert_int_equal(spec->linux.namespaces[NAMESPACE_USER].is_set, is_rootless);
		assert_int_equal(spec->linux.namespaces[NAMESPACE_NETWORK].is_set, !is_rootless);
		assert_int_equal(spec_has_resources(&spec->linux.resources), !is_rootless);
		if (is_rootless)
			assert_int_equal(spec->linux.gid_maps.items[0].host_id, 1001);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_the_smallest_configuration_then_it_is_read),
		cmocka_unit_test(given_bad_tops_then_each_is_refused_by_name),
		cmocka_unit_test(given_a_nul_in_a_string_then_it_is_refused),
		cmocka_unit_test(given_too_deep_or_too_long_input_then_it_is_refused),
		cmocka_unit_test(given_a_process_then_its_members_are_read),
		cmocka_unit_test(given_bad_processes_then_each_is_refused_by_name),
		cmocka_unit_test(given_a_linux_section_then_its_members_are_read),
		cmocka_unit_test(given_bad_linux_sections_then_each_is_refused_by_name),
		cmocka_unit_test(
			given_an_all_embracing_sample_when_cut_or_bent_then_nothing_breaks),
		cmocka_unit_test(given_a_lone_process_then_it_is_parsed_and_checked),
		cmocka_unit_test(given_a_bundle_then_its_configuration_is_loaded_with_its_text),
		cmocka_unit_test(given_the_default_then_it_is_laid_out_as_runc_does_and_valid),
	};
	_cleanup_fd_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* Warnings are expected here. */
	log_setup(null, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

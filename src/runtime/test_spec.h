/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the configuration parser share: helpers, and a configuration that uses nearly every
 * field. JSON is written with ' for " here. Include after cmocka.h. */
#ifndef DHOW_RUNTIME_TEST_SPEC_H
#define DHOW_RUNTIME_TEST_SPEC_H

#include "runtime/spec.h"

static inline char *json_text(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

static inline int parse(const char *text, struct spec **out, struct error **err)
{
	_cleanup_free_ char *json = json_text(text);

	return spec_parse(json, strlen(json), out, err);
}

/* A whole configuration around a part of it. */
enum part { WHOLE, TOP, PROCESS, LINUX, RESOURCES };

static inline char *around(enum part part, const char *text)
{
	static const char *const formats[] = {
		[WHOLE] = "%s",
		[TOP] = "{'ociVersion':'1.3.0','root':{'path':'rootfs'},%s}",
		[PROCESS] = "{'ociVersion':'1.3.0','root':{'path':'rootfs'},"
			    "'process':{'cwd':'/',%s}}",
		[LINUX] = "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'linux':{%s}}",
		[RESOURCES] = "{'ociVersion':'1.3.0','root':{'path':'rootfs'},"
			      "'linux':{'resources':{%s}}}",
	};
	const char *place = strstr(formats[part], "%s");
	struct strbuf b = {0};

	strbuf_add(&b, formats[part], (size_t)(place - formats[part]));
	strbuf_adds(&b, text);
	strbuf_adds(&b, place + 2);
	return strbuf_take(&b);
}

static inline struct spec *parsed(enum part part, const char *text)
{
	_cleanup_free_ char *whole = around(part, text);
	_cleanup_error_ struct error *err = NULL;
	struct spec *spec = NULL;

	if (parse(whole, &spec, &err))
		fail_msg("%s: %s", text, error_text(err));
	return spec;
}

struct bad {
	enum part part;
	const char *text, *message;
};

static inline void check_refusals(const struct bad *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *whole = around(cases[i].part, cases[i].text);
		_cleanup_error_ struct error *err = NULL;
		struct spec *spec = NULL;

		if (parse(whole, &spec, &err) != -EINVAL)
			fail_msg("not refused: %s", cases[i].text);
		assert_null(spec);
		assert_string_equal(error_text(err), cases[i].message);
	}
}

_unused_ static const char sample[] =
	"{'ociVersion':'1.3.0','hostname':'h','domainname':'d','annotations':{'a.b':'c'},\n"
	"'root':{'path':'rootfs','readonly':true},\n"
	"'process':{'terminal':true,'consoleSize':{'height':24,'width':80},'user':{'uid':1,'gid':1,"
	"'umask':18,'additionalGids':[5,6]},'args':['sh','-c','true'],'env':['PATH=/bin'],"
	"'cwd':'/','capabilities':{'bounding':['CAP_KILL'],'effective':['CAP_KILL'],"
	"'permitted':['CAP_KILL'],'inheritable':[],'ambient':[]},"
	"'rlimits':[{'type':'RLIMIT_CORE','hard':18446744073709551615,'soft':0}],"
	"'noNewPrivileges':true,'apparmorProfile':'p','selinuxLabel':'l','oomScoreAdj':10,"
	"'scheduler':{'policy':'SCHED_FIFO','priority':1,'flags':['SCHED_FLAG_RESET_ON_FORK']},"
	"'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':4},"
	"'execCPUAffinity':{'initial':'0-1','final':'0'}},\n"
	"'mounts':[{'destination':'/proc','type':'proc','source':'proc'},"
	"{'destination':'data','type':'bind','source':'/data','options':['rbind','ridmap','ro'],"
	"'uidMappings':[{'containerID':0,'hostID':9,'size':1}],"
	"'gidMappings':[{'containerID':0,'hostID':9,'size':1}]}],\n"
	"'hooks':{'prestart':[{'path':'/bin/a','args':['a'],'env':['B=c'],'timeout':5}],"
	"'createRuntime':[{'path':'/a'}],'createContainer':[{'path':'/a'}],"
	"'startContainer':[{'path':'/a'}],'poststart':[{'path':'/a'}],'poststop':[{'path':'/a'}]},\n"
	"'linux':{'namespaces':[{'type':'mount'},{'type':'pid'},{'type':'uts'},{'type':'ipc'},"
	"{'type':'network','path':'/run/netns/x'},{'type':'user'},{'type':'cgroup'},{'type':'time'}],"
	"'uidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
	"'gidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
	"'timeOffsets':{'monotonic':{'secs':1,'nanosecs':2},'boottime':{'secs':-3}},"
	"'devices':[{'path':'/dev/fuse','type':'c','major':10,'minor':229,'fileMode':438,'uid':0,'gid':0}],"
	"'netDevices':{'eth1':{'name':'eth0'}},'cgroupsPath':'/a/b',"
	"'resources':{'devices':[{'allow':false,'access':'rwm'},"
	"{'allow':true,'type':'c','major':1,'minor':3,'access':'rw'}],"
	"'memory':{'limit':1048576,'reservation':1,'swap':-1,'kernel':0,'kernelTCP':1,'swappiness':60,"
	"'disableOOMKiller':false,'useHierarchy':true,'checkBeforeUpdate':true},"
	"'cpu':{'shares':1024,'quota':-1,'burst':1,'period':100000,'realtimeRuntime':1,"
	"'realtimePeriod':2,'cpus':'0-1','mems':'0','idle':1},'pids':{'limit':5},"
	"'blockIO':{'weight':10,'leafWeight':10,'weightDevice':[{'major':8,'minor':0,'weight':500}],"
	"'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':600}],"
	"'throttleWriteIOPSDevice':[{'major':8,'minor':16,'rate':300}]},"
	"'hugepageLimits':[{'pageSize':'2MB','limit':9223372036854771712}],"
	"'network':{'classID':1048577,'priorities':[{'name':'eth0','priority':500}]},"
	"'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000}},'unified':{'memory.high':'1'}},\n"
	"'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
	"'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86'],'flags':['SECCOMP_FILTER_FLAG_LOG'],"
	"'listenerPath':'/run/s.sock','listenerMetadata':'m','syscalls':[{'names':['read','exit'],"
	"'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':18446744073709551608,'valueTwo':4,"
	"'op':'SCMP_CMP_MASKED_EQ'}]},{'names':['mkdir'],'action':'SCMP_ACT_NOTIFY'}]},\n"
	"'rootfsPropagation':'rprivate','maskedPaths':['/proc/kcore'],'readonlyPaths':['/proc/sys'],"
	"'mountLabel':'l','intelRdt':{'closID':'c','schemata':['L3:0=f'],'l3CacheSchema':'L3:0=f',"
	"'memBwSchema':'MB:0=20','enableMonitoring':true},"
	"'memoryPolicy':{'mode':'MPOL_INTERLEAVE','nodes':'0-1','flags':['MPOL_F_STATIC_NODES']},"
	"'personality':{'domain':'LINUX'},'sysctl':{'net.core.somaxconn':'256','kernel/sem':'1'}}}";

#endif

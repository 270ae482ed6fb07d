/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The default config.json, as `spec` prints it.
 *
 * The content is runc's, member for member, since people and tests edit it with fixed expressions. It
 * is kept here in compact form; indent() lays it out as Go's json.MarshalIndent does. */
#include <linux/magic.h>
#include <sys/vfs.h>

#include "runtime/spec.h"

#define CAPABILITIES "[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]"

static const char head[] =
	"{\"ociVersion\":\"" SPEC_VERSION "\","
	"\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\"],"
	"\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"TERM=xterm\"],"
	"\"cwd\":\"/\","
	"\"capabilities\":{\"bounding\":" CAPABILITIES ",\"effective\":" CAPABILITIES
	",\"permitted\":" CAPABILITIES "},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],"
	"\"noNewPrivileges\":true},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"hostname\":\"runc\","
	"\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	"\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"";

static const char shared_mounts[] =
	"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},";

static const char sysfs[] = "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
			    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},";
/* A new sysfs needs a network namespace of one's own, which a normal user could not configure. */
static const char bound_sysfs[] =
	"{\"destination\":\"/sys\",\"type\":\"none\",\"source\":\"/sys\","
	"\"options\":[\"rbind\",\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},";

static const char cgroup_mount[] =
	"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}],"
	"\"linux\":{";

static const char tail[] =
	"],"
	"\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\","
	"\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\","
	"\"/sys/firmware\",\"/proc/scsi\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\","
	"\"/proc/sysrq-trigger\"]}}";

static void new_line(struct strbuf *out, unsigned depth)
{
	strbuf_adds(out, "\n");
	while (depth--)
		strbuf_adds(out, "\t");
}

/* Lays out compact JSON whose strings hold no escapes, with a tab per level. */
static char *indent(const char *compact)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	bool in_string = false;
	unsigned depth = 0;

	for (const char *p = compact; *p; p++) {
		if (*p == '"')
			in_string = !in_string;
		if (!in_string && strchr("}]", *p))
			new_line(&out, --depth);
		strbuf_add(&out, p, 1);
		if (in_string)
			continue;
		if (*p == ':')
			strbuf_adds(&out, " ");
		if (strchr("{[", *p))
			new_line(&out, ++depth);
		if (*p == ',')
			new_line(&out, depth);
	}
	return strbuf_take(&out);
}

/* On a host with cgroup v2 alone the container gets a cgroup namespace. */
static bool is_cgroup2_host(void)
{
	struct statfs st;

	return statfs("/sys/fs/cgroup", &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

char *spec_default(bool is_rootless, uid_t uid, gid_t gid)
{
	_cleanup_strbuf_ struct strbuf b = {0};

	strbuf_adds(&b, head);
	/* Group 5, tty, has no counterpart in a user namespace with one group. */
	strbuf_adds(&b, is_rootless ? "" : ",\"gid=5\"");
	strbuf_adds(&b, shared_mounts);
	strbuf_adds(&b, is_rootless ? bound_sysfs : sysfs);
	strbuf_adds(&b, cgroup_mount);
	if (is_rootless)
		strbuf_addf(&b,
			    "\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],"
			    "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],",
			    uid, gid);
	else
		strbuf_adds(&b,
			    "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},");
	strbuf_adds(&b, "\"namespaces\":[{\"type\":\"pid\"},");
	strbuf_adds(&b, is_rootless ? "" : "{\"type\":\"network\"},");
	strbuf_adds(&b, "{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"}");
	strbuf_adds(&b, is_cgroup2_host() ? ",{\"type\":\"cgroup\"}" : "");
	strbuf_adds(&b, is_rootless ? ",{\"type\":\"user\"}" : "");
	strbuf_adds(&b, tail);
	return b.failed ? NULL : indent(b.text);
}

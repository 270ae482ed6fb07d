/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capability sets by system call. See capability.h. capset(2), prctl(2). */
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "kernel/capability.h"

static const char *const names[] = {
	[CAP_CHOWN] = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER] = "CAP_FOWNER",
	[CAP_FSETID] = "CAP_FSETID",
	[CAP_KILL] = "CAP_KILL",
	[CAP_SETGID] = "CAP_SETGID",
	[CAP_SETUID] = "CAP_SETUID",
	[CAP_SETPCAP] = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_IPC_LOCK] = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER] = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE] = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT] = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT] = "CAP_SYS_BOOT",
	[CAP_SYS_NICE] = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME] = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD] = "CAP_MKNOD",
	[CAP_LEASE] = "CAP_LEASE",
	[CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP] = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
	[CAP_SYSLOG] = "CAP_SYSLOG",
	[CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "CAP_AUDIT_READ",
	[CAP_PERFMON] = "CAP_PERFMON",
	[CAP_BPF] = "CAP_BPF",
	[CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

/* Bits of a set. */
#define LIMIT 64

const char *capability_name(int number)
{
	return number >= 0 && (size_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}

int capability_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

int capability_last(void)
{
	int last = CAP_LAST_CAP;

	while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
		last--;
	while (last + 1 < LIMIT && prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
		last++;
	return last;
}

const char *capability_list(uint64_t mask, char *buf, size_t size)
{
	size_t used = 0;

	if (size)
		buf[0] = '\0';
	for (int i = 0; i < LIMIT && used < size; i++) {
		const char *name = capability_name(i);
		const char *comma = used ? ", " : "";

		if (!(mask >> i & 1))
			continue;
		used += (size_t)(name ? snprintf(buf + used, size - used, "%s%s", comma, name)
				      : snprintf(buf + used, size - used, "%s%d", comma, i));
	}
	return buf;
}

static uint64_t join(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

int capability_get(struct capability_sets *out, struct error **err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) < 0)
		return error_errno(err, errno, "read the capabilities");
	*out = (struct capability_sets){
		.effective = join(data[0].effective, data[1].effective),
		.permitted = join(data[0].permitted, data[1].permitted),
		.inheritable = join(data[0].inheritable, data[1].inheritable),
	};
	return 0;
}

int capability_set(const struct capability_sets *sets, struct error **err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t begin = trace_begin();
	int r;

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(sets->effective >> (32 * i)),
			.permitted = (uint32_t)(sets->permitted >> (32 * i)),
			.inheritable = (uint32_t)(sets->inheritable >> (32 * i)),
		};
	r = syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
	trace_step(TRACE_CAPABILITIES, begin, "capset", r,
		   "effective=%" PRIx64 ", permitted=%" PRIx64 ", inheritable=%" PRIx64,
		   sets->effective, sets->permitted, sets->inheritable);
	return r < 0 ? error_errno(err, -r, "set the capabilities") : 0;
}

static uint64_t read_set(int (*read)(int))
{
	uint64_t set = 0;

	for (int i = 0; i < LIMIT; i++) {
		int r = read(i);

		if (r < 0)
			break;
		if (r > 0)
			set |= UINT64_C(1) << i;
	}
	return set;
}

static int read_bounding(int number)
{
	return prctl(PR_CAPBSET_READ, number, 0, 0, 0);
}

static int read_ambient(int number)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0);
}

uint64_t capability_bounding(void)
{
	return read_set(read_bounding);
}

uint64_t capability_ambient(void)
{
	return read_set(read_ambient);
}

int capability_bound(uint64_t keep, struct error **err)
{
	uint64_t begin = trace_begin();
	int last = capability_last(), r = 0;

	for (int i = 0; i <= last && r == 0; i++) {
		if ((keep >> i & 1) || prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		r = -errno;
		/* Without CAP_SETPCAP also what isn't there can't be dropped. */
		if (read_bounding(i) <= 0)
			r = 0;
	}
	trace_step(TRACE_CAPABILITIES, begin, "prctl", r, "PR_CAPBSET_DROP, all but %" PRIx64,
		   keep);
	return r < 0 ? error_errno(err, -r, "drop capabilities from the bounding set") : 0;
}

int capability_set_ambient(uint64_t mask, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;

	/* Linux 4.3 brought the ambient set. */
	if (r == -EINVAL && !mask)
		r = 0;
	for (int i = 0; i < LIMIT && r == 0; i++)
		if ((mask >> i & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			r = -errno;
	trace_step(TRACE_CAPABILITIES, begin, "prctl", r, "PR_CAP_AMBIENT_RAISE, %" PRIx64, mask);
	return r < 0 ? error_errno(err, -r, "raise the ambient capabilities") : 0;
}

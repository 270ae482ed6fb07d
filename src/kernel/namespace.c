/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces by descriptor. See namespace.h. namespaces(7), ioctl_ns(2), setns(2). */
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "kernel/namespace.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

const struct namespace_type namespace_types[8] = {
	{"user", "user", CLONE_NEWUSER},       {"mount", "mnt", CLONE_NEWNS},
	{"pid", "pid", CLONE_NEWPID},          {"network", "net", CLONE_NEWNET},
	{"ipc", "ipc", CLONE_NEWIPC},          {"uts", "uts", CLONE_NEWUTS},
	{"cgroup", "cgroup", CLONE_NEWCGROUP}, {"time", "time", CLONE_NEWTIME},
};

bool namespace_is_supported(const struct namespace_type *type)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/ns/%s", type->proc_name);
	return access(path, F_OK) == 0;
}

int namespace_open(const struct namespace_type *type, const char *path, struct error **err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int found;

	if (fd < 0)
		return error_errno(err, errno, "open the %s namespace %s", type->spec_name, path);
	found = ioctl(fd, NS_GET_NSTYPE);
	if (found < 0)
		return error_set(err, EINVAL, "%s is not a namespace", path);
	if (found != type->flag)
		return error_set(err, EINVAL, "%s is not a %s namespace", path, type->spec_name);
	return TAKE_FD(fd);
}

int namespace_join(int fd, int flags, const char *what, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = setns(fd, flags) < 0 ? -errno : 0;

	trace_step(TRACE_NAMESPACES, begin, "setns", r, "%s", what);
	return r < 0 ? error_errno(err, -r, "join the %s", what) : 0;
}

int namespace_unshare(int flags, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = unshare(flags) < 0 ? -errno : 0;
	const char *name = "several";

	for (size_t i = 0; i < ARRAY_SIZE(namespace_types); i++)
		if (flags == namespace_types[i].flag)
			name = namespace_types[i].spec_name;
	trace_step(TRACE_NAMESPACES, begin, "unshare", r, "%s", name);
	return r < 0 ? error_errno(err, -r, "make a new %s namespace", name) : 0;
}

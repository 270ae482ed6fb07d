/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups as the host has them: layout, hierarchies, and typed access to their files.
 * cgroups(7); Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst. */
#ifndef DHOW_KERNEL_CGROUP_H
#define DHOW_KERNEL_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

enum cgroup_layout {
	CGROUP_NONE,   /* nothing mounted, or not a cgroup file system */
	CGROUP_V1,     /* v1 hierarchies only */
	CGROUP_HYBRID, /* v1 controllers, and cgroup2 (with or without controllers) at unified */
	CGROUP_V2,     /* cgroup2 at /sys/fs/cgroup */
};

/* One mounted hierarchy. */
struct cgroup_hierarchy {
	char *controllers; /* "cpu,cpuacct", "name=systemd"; "" for cgroup2 */
	char *mount_point; /* "/sys/fs/cgroup/memory" */
	char *root;        /* what of the hierarchy is mounted there, "/" mostly */
	char *own_path;    /* this process's cgroup in it, from /proc/self/cgroup */
	bool is_unified;
};

struct cgroup_host {
	enum cgroup_layout layout;
	struct cgroup_hierarchy *hierarchies;
	size_t count;
};

/* Looks at the host once per process (/proc/self/mountinfo, /proc/self/cgroup). Borrowed, never NULL on
 * success; CGROUP_NONE is a success. */
int cgroup_host_get(const struct cgroup_host **out, struct error **err);
/* The same from texts: mountinfo as /proc/self/mountinfo (NULL: cgroup2 is at /sys/fs/cgroup, and no more
 * need be known), own as /proc/self/cgroup. cgroup_host_clear() frees. */
int cgroup_host_parse(const char *mountinfo, const char *own, struct cgroup_host *out,
		      struct error **err);
void cgroup_host_clear(struct cgroup_host *host);
/* The hierarchy that has the v1 controller ("memory", "name=systemd"), or cgroup2's for "". NULL when not mounted. */
const struct cgroup_hierarchy *cgroup_host_find(const struct cgroup_host *host,
						const char *controller);

/* "cpu" is one of "cpu,cpuacct". */
bool cgroup_controllers_have(const char *controllers, const char *name);

/* Writes value to the file name in the cgroup directory dirfd, in one write(2), and traces it.
 * Returns 0 or a negative errno with *err "write VALUE to DIR/NAME: why". dir is for the text. */
int cgroup_write(int dirfd, const char *dir, const char *name, const char *value,
		 struct error **err);
int cgroup_writef(int dirfd, const char *dir, const char *name, struct error **err,
		  const char *format, ...) _printf_(5, 6);
/* Reads a file whole, without its last newline; caller frees *value. -ENOENT where it isn't. */
int cgroup_read(int dirfd, const char *dir, const char *name, char **value, struct error **err);
/* Reads one number; "max" is UINT64_MAX. (v1's unlimited is a number near 2^63.) */
int cgroup_read_u64(int dirfd, const char *dir, const char *name, uint64_t *value,
		    struct error **err);
/* Reads the number behind key in a file of "key value" lines. -ENOENT where it isn't. */
int cgroup_read_key(int dirfd, const char *dir, const char *name, const char *key, uint64_t *value,
		    struct error **err);

/* Makes one directory, traced. Returns -EEXIST, without *err, where it was there already. */
int cgroup_make(const char *dir, struct error **err);
/* Removes one directory, traced; being gone already is success. While processes that are dying keep it
 * busy it waits, at most timeout_ms (0: tries once). -EBUSY without *err when it stays busy. */
int cgroup_unmake(const char *dir, unsigned timeout_ms, struct error **err);
/* Moves process pid into the directory by writing to its cgroup.procs. */
int cgroup_move(int dirfd, const char *dir, pid_t pid, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scheduling of the calling thread: policy, I/O priority, CPUs, memory nodes, personality, limits.
 * sched_setattr(2), ioprio_set(2), sched_setaffinity(2), set_mempolicy(2), personality(2), prlimit(2). */
#ifndef DHOW_KERNEL_SCHEDULING_H
#define DHOW_KERNEL_SCHEDULING_H

#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

/* Numbers from a list such as "0-3,7", as bits. */
#define NUMBER_SET_MAX 8192
struct number_set {
	unsigned long bits[NUMBER_SET_MAX / (8 * sizeof(unsigned long))];
	size_t limit; /* one more than the largest number; 0 when empty */
};
/* Returns 0, -EINVAL for what is no list, or -ERANGE for a number of NUMBER_SET_MAX or more. */
int number_set_parse(const char *list, struct number_set *out);

struct scheduling_policy {
	uint32_t policy; /* SCHED_x */
	uint64_t flags;  /* SCHED_FLAG_x */
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};
int scheduling_set_policy(const struct scheduling_policy *policy, struct error **err);
/* class is IOPRIO_CLASS_x, priority 0 to 7. */
int scheduling_set_io(int class, int priority, struct error **err);
int scheduling_set_cpus(const struct number_set *cpus, const char *list, struct error **err);
/* mode is MPOL_x, flags MPOL_F_x. */
int scheduling_set_memory(int mode, unsigned flags, const struct number_set *nodes,
			  struct error **err);
int scheduling_set_personality(unsigned long domain, struct error **err);

/* RLIMIT_x of process pid (0 is the caller's). UINT64_MAX is unlimited. */
struct limit {
	uint64_t soft, hard;
};
int limit_get(pid_t pid, int resource, struct limit *out, struct error **err);
/* name ("RLIMIT_NOFILE") is for trace and error. */
int limit_set(pid_t pid, int resource, const char *name, const struct limit *limit,
	      struct error **err);

#endif

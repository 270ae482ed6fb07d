/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scheduling calls that libc lacks or narrows. See scheduling.h. */
#include <inttypes.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#include "kernel/scheduling.h"

#define WORD_BITS (8 * sizeof(unsigned long))

static void add_number(struct number_set *set, size_t number)
{
	set->bits[number / WORD_BITS] |= 1UL << (number % WORD_BITS);
	if (number >= set->limit)
		set->limit = number + 1;
}

static int add_range(struct number_set *set, char *range)
{
	char *dash = strchr(range, '-');
	uint64_t first, last;
	int r;

	if (dash)
		*dash++ = '\0';
	r = parse_u64(range, NUMBER_SET_MAX - 1, &first);
	if (r == 0)
		r = parse_u64(dash ? dash : range, NUMBER_SET_MAX - 1, &last);
	if (r)
		return r;
	if (last < first)
		return -EINVAL;
	for (; first <= last; first++)
		add_number(set, first);
	return 0;
}

int number_set_parse(const char *list, struct number_set *out)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *range;

	if (!copy)
		return -ENOMEM;
	*out = (struct number_set){0};
	while ((range = strsep(&rest, ","))) {
		int r = add_range(out, range);

		if (r < 0)
			return r;
	}
	return 0;
}

/* struct sched_attr in its second version; <linux/sched/types.h> can't be had together with libc's. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

int scheduling_set_policy(const struct scheduling_policy *policy, struct error **err)
{
	const uint64_t clamps = SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;
	struct attributes attributes = {
		/* Kernels before 5.3 have no clamps. */
		.size = policy->flags & clamps ? sizeof attributes
					       : offsetof(struct attributes, util_min),
		.policy = policy->policy,
		.flags = policy->flags,
		.nice = policy->nice,
		.priority = policy->priority,
		.runtime = policy->runtime_ns,
		.deadline = policy->deadline_ns,
		.period = policy->period_ns,
	};
	uint64_t begin = trace_begin();
	int r = syscall(SYS_sched_setattr, 0, &attributes, 0) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "sched_setattr", r,
		   "policy=%u, nice=%d, priority=%u, runtime=%" PRIu64 ", deadline=%" PRIu64
		   ", period=%" PRIu64 ", flags=%#" PRIx64,
		   policy->policy, policy->nice, policy->priority, policy->runtime_ns,
		   policy->deadline_ns, policy->period_ns, policy->flags);
	return r < 0 ? error_errno(err, -r, "set the scheduling policy %u", policy->policy) : 0;
}

int scheduling_set_io(int class, int priority, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(class, priority)) <
				0
			? -errno
			: 0;

	trace_step(TRACE_PROCESS, begin, "ioprio_set", r, "class=%d, priority=%d", class, priority);
	return r < 0 ? error_errno(err, -r, "set the I/O priority (class %d, priority %d)", class,
				   priority)
		     : 0;
}

int scheduling_set_cpus(const struct number_set *cpus, const char *list, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = syscall(SYS_sched_setaffinity, 0, sizeof cpus->bits, cpus->bits) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "sched_setaffinity", r, "%s", list);
	return r < 0 ? error_errno(err, -r, "set the CPU affinity to %s", list) : 0;
}

int scheduling_set_memory(int mode, unsigned flags, const struct number_set *nodes,
			  struct error **err)
{
	uint64_t begin = trace_begin();
	/* The kernel looks at one bit less than it is told. */
	int r = syscall(SYS_set_mempolicy, mode | (int)flags, nodes->limit ? nodes->bits : NULL,
			nodes->limit ? nodes->limit + 1 : 0) < 0
			? -errno
			: 0;

	trace_step(TRACE_PROCESS, begin, "set_mempolicy", r, "mode=%d, flags=%#x, nodes=%#lx", mode,
		   flags, nodes->bits[0]);
	return r < 0 ? error_errno(err, -r, "set the memory policy") : 0;
}

int scheduling_set_personality(unsigned long domain, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = personality(domain) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "personality", r, "%#lx", domain);
	return r < 0 ? error_errno(err, -r, "set the personality %#lx", domain) : 0;
}

/* The kernel's own struct: libc's has other widths where long is 32 bits. */
int limit_get(pid_t pid, int resource, struct limit *out, struct error **err)
{
	uint64_t values[2];

	if (syscall(SYS_prlimit64, pid, resource, NULL, values) < 0)
		return error_errno(err, errno, "read the limit %d", resource);
	*out = (struct limit){.soft = values[0], .hard = values[1]};
	return 0;
}

int limit_set(pid_t pid, int resource, const char *name, const struct limit *limit,
	      struct error **err)
{
	uint64_t values[2] = {limit->soft, limit->hard}, begin = trace_begin();
	int r = syscall(SYS_prlimit64, pid, resource, values, NULL) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "prlimit64", r, "%d, %s, soft=%" PRIu64 ", hard=%" PRIu64,
		   pid, name, limit->soft, limit->hard);
	return r < 0 ? error_errno(err, -r, "set the limit %s to %" PRIu64 ":%" PRIu64, name,
				   limit->soft, limit->hard)
		     : 0;
}

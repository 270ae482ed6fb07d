/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.scheduler, process.ioPriority, linux.memoryPolicy and linux.personality. */

#include "kernel/scheduling.h"
#include "runtime/attributes_internal.h"

static int parse_nodes(const struct spec_memory_policy *policy, struct number_set *out,
		       struct error **err)
{
	int r = 0;

	*out = (struct number_set){0};
	if (policy->nodes && *policy->nodes)
		r = number_set_parse(policy->nodes, out);
	return r < 0 ? error_errno(err, -r, "linux.memoryPolicy.nodes: %s", policy->nodes) : 0;
}

int scheduling_check(const struct attributes_opts *opts, struct error **err)
{
	struct number_set nodes;

	if (!opts->linux || !opts->linux->memory_policy.is_set)
		return 0;
	return parse_nodes(&opts->linux->memory_policy, &nodes, err);
}

static int apply_scheduler(const struct spec_scheduler *scheduler, struct error **err)
{
	struct scheduling_policy policy = {
		.policy = scheduler->policy,
		.flags = scheduler->flags,
		.nice = scheduler->nice,
		.priority = scheduler->priority,
		.runtime_ns = scheduler->runtime_ns,
		.deadline_ns = scheduler->deadline_ns,
		.period_ns = scheduler->period_ns,
	};
	int r = scheduling_set_policy(&policy, err);

	/* CONFIG_RT_GROUP_SCHED: a new v1 group has no realtime to give. */
	if (r == -EPERM && scheduler->priority)
		return error_set(
			err, EPERM,
			"process.scheduler: not permitted: it takes CAP_SYS_NICE, and in a v1 cgroup "
			"linux.resources.cpu.realtimeRuntime, too");
	return r < 0 ? error_prefix(err, "process.scheduler") : 0;
}

static int apply_memory_policy(const struct spec_memory_policy *policy, struct error **err)
{
	struct number_set nodes;
	int r = parse_nodes(policy, &nodes, err);

	if (r < 0)
		return r;
	r = scheduling_set_memory(policy->mode, policy->flags, &nodes, err);
	return r < 0 ? error_prefix(err, "linux.memoryPolicy") : 0;
}

int scheduling_apply(const struct attributes_opts *opts, struct error **err)
{
	const struct spec_io_priority *io = &opts->process->io_priority;
	int r = 0;

	if (opts->linux && opts->linux->personality.is_set) {
		r = scheduling_set_personality(opts->linux->personality.domain, err);
		if (r < 0)
			return error_prefix(err, "linux.personality");
	}
	if (opts->linux && opts->linux->memory_policy.is_set)
		r = apply_memory_policy(&opts->linux->memory_policy, err);
	if (r == 0 && io->is_set) {
		r = scheduling_set_io(io->class, io->priority, err);
		if (r < 0)
			return error_prefix(err, "process.ioPriority");
	}
	if (r == 0 && opts->process->scheduler.is_set)
		r = apply_scheduler(&opts->process->scheduler, err);
	return r;
}

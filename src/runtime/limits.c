/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.rlimits and process.oomScoreAdj. getrlimit(2), proc_pid_oom_score_adj(5).
 *
 * To raise a hard limit or to lower the score takes CAP_SYS_RESOURCE in the initial user namespace, which a
 * process in the container's own doesn't have. So there the parent does it from outside
 * (attributes_outside), and the process itself finds it done. */
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/resource.h>

#include "kernel/capability.h"
#include "kernel/procfs.h"
#include "kernel/scheduling.h"
#include "runtime/attributes_internal.h"

static bool has_sys_resource(void)
{
	struct capability_sets sets;

	return capability_get(&sets, NULL) == 0 && (sets.effective >> CAP_SYS_RESOURCE & 1);
}

static const char *format_limit(uint64_t value, char *buf, size_t size)
{
	if (value == UINT64_MAX)
		return "unlimited";
	snprintf(buf, size, "%" PRIu64, value);
	return buf;
}

static int refuse(const struct spec_rlimit *limit, uint64_t current, struct error **err)
{
	char wanted[24], found[24];

	return error_set(
		err, EPERM,
		"process.rlimits: %s: hard limit %s is above %s and this host does not let us "
		"raise it (%s)",
		limit->name, format_limit(limit->hard, wanted, sizeof wanted),
		format_limit(current, found, sizeof found),
		!has_sys_resource()                ? "no CAP_SYS_RESOURCE"
		: limit->resource == RLIMIT_NOFILE ? "sysctl fs.nr_open"
						   : "not privileged in the host's user namespace");
}

int limits_check(const struct attributes_opts *opts, struct error **err)
{
	for (size_t i = 0; i < opts->process->rlimit_count; i++) {
		const struct spec_rlimit *limit = &opts->process->rlimits[i];
		struct limit current;
		int r = limit_get(0, limit->resource, &current, err);

		if (r < 0)
			return r;
		if (limit->hard > current.hard && !has_sys_resource())
			return refuse(limit, current.hard, err);
	}
	return 0;
}

static int apply_rlimits(const struct attributes_opts *opts, pid_t pid, struct error **err)
{
	for (size_t i = 0; i < opts->process->rlimit_count; i++) {
		const struct spec_rlimit *limit = &opts->process->rlimits[i];
		struct limit wanted = {.soft = limit->soft, .hard = limit->hard}, current;
		int r = limit_set(pid, limit->resource, limit->name, &wanted, err);

		if (r == -EPERM && limit_get(pid, limit->resource, &current, NULL) == 0 &&
		    limit->hard > current.hard)
			return refuse(limit, current.hard, err);
		if (r < 0)
			return error_prefix(err, "process.rlimits");
	}
	return 0;
}

static int apply_oom_score(const struct attributes_opts *opts, const char *directory,
			   struct error **err)
{
	const struct spec_i64 *score = &opts->process->oom_score_adj;
	char path[40], value[24];
	int r;

	if (!score->is_set)
		return 0;
	snprintf(path, sizeof path, "%s/oom_score_adj", directory);
	snprintf(value, sizeof value, "%" PRId64, score->value);
	r = procfs_write(TRACE_PROCESS, path, value, err);
	if (r != -EACCES && r != -EPERM)
		return r < 0 ? error_prefix(err, "process.oomScoreAdj") : 0;
	/* As runc does for those who have no privileges to lose. */
	if (opts->has_user_namespace || geteuid() != 0) {
		log_debug("oom_score_adj can't be lowered to %s, and stays", value);
		if (err)
			error_freep(err);
		return 0;
	}
	return error_set(
		err, EPERM,
		"process.oomScoreAdj: %s is below what is in force and this host does not let "
		"us lower it (no CAP_SYS_RESOURCE)",
		value);
}

int limits_apply(const struct attributes_opts *opts, struct error **err)
{
	int r = apply_oom_score(opts, "self", err);

	return r < 0 ? r : apply_rlimits(opts, 0, err);
}

int attributes_outside(const struct attributes_opts *opts, pid_t pid, struct error **err)
{
	char directory[16];
	int r;

	if (!opts->has_user_namespace)
		return 0;
	snprintf(directory, sizeof directory, "%d", pid);
	r = apply_oom_score(opts, directory, err);
	return r < 0 ? r : apply_rlimits(opts, pid, err);
}

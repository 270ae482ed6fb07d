/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.resources, handed to the controllers; and what these share: writing a value so that an error
 * names the field, and the conversions from v1's terms to v2's.
 *
 * A value of 0 means "not set" for limits, shares, quotas and weights, as callers that fill in a whole
 * structure (docker) expect of every runtime. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

/* cpuset before the rest: nothing can join without. */
const struct cgroup_controller *const cgroup_controllers[] = {
	&cgroup_controller_cpuset,   &cgroup_controller_devices, &cgroup_controller_memory,
	&cgroup_controller_cpu,      &cgroup_controller_cpuacct, &cgroup_controller_pids,
	&cgroup_controller_io,       &cgroup_controller_hugetlb, &cgroup_controller_net_cls,
	&cgroup_controller_net_prio, &cgroup_controller_rdma,    NULL,
};

int cgroup_put(const struct cgroup_target *t, const char *field, const char *file,
	       const char *format, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;
	int n, r;

	if (!t->dir)
		return error_set(t->err, ENODEV,
				 "linux.resources.%s: the container has no %s cgroup on this host",
				 field, t->controller);
	va_start(ap, format);
	n = vasprintf(&value, format, ap);
	va_end(ap);
	if (n < 0) {
		value = NULL;
		return error_errno(t->err, ENOMEM, "linux.resources.%s", field);
	}
	r = cgroup_write(t->dir->fd, t->dir->path, file, value, t->err);
	return r < 0 ? error_prefix(t->err, "linux.resources.%s", field) : 0;
}

int cgroup_refuse(const struct cgroup_target *t, const char *field, const char *why)
{
	return error_set(t->err, EOPNOTSUPP, "linux.resources.%s: %s", field, why);
}

/* On a hybrid host a file of cgroup2 can be had where its controller is there and in no v1 hierarchy. */
static struct cgroup_dir *find_unified(struct cgroup *cg, const char *key)
{
	struct cgroup_dir *dir = cgroup_find_dir(cg, "");
	char controller[32];

	if (!dir || cg->layout == CGROUP_V2 || str_starts(key, "cgroup."))
		return dir;
	snprintf(controller, sizeof controller, "%.*s", (int)strcspn(key, "."), key);
	cgroup_dir_enable(dir, NULL);
	dir = cgroup_find_controller(cg, controller, controller);
	return dir && dir->is_unified ? dir : NULL;
}

static int set_unified(struct cgroup *cg, const struct spec_pairs *pairs, struct error **err)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const char *key = pairs->items[i].key;
		struct cgroup_dir *dir;
		_cleanup_strv_ struct strv lines = {0};
		int r = 0;

		if (strchr(key, '/') || !strchr(key, '.') || key[0] == '.')
			return error_set(err, EINVAL,
					 "linux.resources.unified: \"%s\" isn't of the form "
					 "CONTROLLER.PARAMETER",
					 key);
		dir = find_unified(cg, key);
		if (!dir)
			return error_set(err, EOPNOTSUPP,
					 "linux.resources.unified: \"%s\": this host has no such "
					 "controller in cgroup v2",
					 key);
		if (strv_split(&lines, pairs->items[i].value, "\n") < 0)
			return error_errno(err, ENOMEM, "linux.resources.unified");
		/* Files with one line for each device take one line a write. */
		for (size_t j = 0; j < lines.count && r == 0; j++)
			r = cgroup_write(dir->fd, dir->path, key, lines.items[j], err);
		if (r == 0 && lines.count == 0)
			r = cgroup_write(dir->fd, dir->path, key, "", err);
		if (r < 0)
			return error_prefix(err, "linux.resources.unified");
	}
	return 0;
}

/* Hybrid: a controller that no v1 hierarchy has may be in the unified one. Turning it on there changes
 * the host, so only when it is asked for, and that is when doing without it fails. */
static struct cgroup_dir *find_asked(struct cgroup *cg, const struct cgroup_controller *c,
				     const struct spec_resources *resources)
{
	struct cgroup_target nowhere = {.cg = cg, .controller = c->name};
	struct cgroup_dir *unified = cgroup_find_dir(cg, "");

	if (!unified || !c->unified_name || c->set_v1(&nowhere, resources) == 0)
		return NULL;
	if (*c->unified_name)
		cgroup_dir_enable(unified, NULL);
	return cgroup_find_controller(cg, c->name, c->unified_name);
}

static int set_controller(struct cgroup *cg, const struct cgroup_controller *c,
			  const struct spec_resources *resources, bool is_update,
			  struct error **err)
{
	struct cgroup_target t = {
		.cg = cg,
		.dir = cgroup_find_dir(cg, cg->layout == CGROUP_V2 ? "" : c->name),
		.controller = c->name,
		.err = err,
	};

	if (!t.dir && cg->layout == CGROUP_HYBRID)
		t.dir = find_asked(cg, c, resources);
	t.is_update = is_update || (t.dir && t.dir->kept_length == strlen(t.dir->path));
	return (cg->layout == CGROUP_V2 || (t.dir && t.dir->is_unified) ? c->set_v2
									: c->set_v1)(&t, resources);
}

int cgroup_fs_set(struct cgroup *cg, const struct spec_resources *resources, bool is_update,
		  struct error **err)
{
	const char *field = NULL;

	if (cg->dir_count == 0) {
		if (cgroup_is_asked(resources, &field))
			return error_set(err, ENODEV,
					 "linux.resources.%s: the container has no cgroup", field);
		if (resources->device_count > 0 && !cg->is_rootless)
			log_warning("linux.resources.devices can't be enforced without a cgroup");
		return 0;
	}
	for (size_t i = 0; i < cg->dir_count; i++) {
		int r = cgroup_dir_open(&cg->dirs[i], err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; cgroup_controllers[i]; i++) {
		int r = cgroup_controllers[i]->set_v1 ? set_controller(cg, cgroup_controllers[i],
								       resources, is_update, err)
						      : 0;

		if (r < 0)
			return r;
	}
	return set_unified(cg, &resources->unified, err);
}

static bool is_given(struct spec_i64 v)
{
	return v.is_set && v.value != 0;
}

static bool is_given_u(struct spec_u64 v)
{
	return v.is_set && v.value != 0;
}

bool cgroup_is_asked(const struct spec_resources *r, const char **field)
{
	const struct {
		bool is_asked;
		const char *field;
	} all[] = {
		{is_given(r->memory.limit), "memory.limit"},
		{is_given(r->memory.reservation), "memory.reservation"},
		{is_given(r->memory.swap), "memory.swap"},
		{is_given(r->memory.kernel_tcp), "memory.kernelTCP"},
		{r->memory.swappiness.is_set, "memory.swappiness"},
		{r->memory.disable_oom_killer.value, "memory.disableOOMKiller"},
		{is_given_u(r->cpu.shares), "cpu.shares"},
		{is_given(r->cpu.quota), "cpu.quota"},
		{r->cpu.burst.is_set, "cpu.burst"},
		{is_given_u(r->cpu.period), "cpu.period"},
		{is_given(r->cpu.realtime_runtime), "cpu.realtimeRuntime"},
		{is_given_u(r->cpu.realtime_period), "cpu.realtimePeriod"},
		{r->cpu.idle.is_set, "cpu.idle"},
		{r->cpu.cpus && *r->cpu.cpus, "cpu.cpus"},
		{r->cpu.mems && *r->cpu.mems, "cpu.mems"},
		{r->pids_limit.is_set && r->pids_limit.value >= 0, "pids.limit"},
		{is_given_u(r->block_io.weight), "blockIO.weight"},
		{is_given_u(r->block_io.leaf_weight), "blockIO.leafWeight"},
		{r->block_io.weight_device_count > 0, "blockIO.weightDevice"},
		{r->block_io.read_bps.count > 0, "blockIO.throttleReadBpsDevice"},
		{r->block_io.write_bps.count > 0, "blockIO.throttleWriteBpsDevice"},
		{r->block_io.read_iops.count > 0, "blockIO.throttleReadIOPSDevice"},
		{r->block_io.write_iops.count > 0, "blockIO.throttleWriteIOPSDevice"},
		{r->hugepage_count > 0, "hugepageLimits"},
		{is_given_u(r->network.class_id), "network.classID"},
		{r->network.priority_count > 0, "network.priorities"},
		{r->rdma_count > 0, "rdma"},
		{r->unified.count > 0, "unified"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].is_asked) {
			*field = all[i].field;
			return true;
		}
	}
	return false;
}

/* [2, 262144] with default 1024 to [1, 10000] with default 100: the curve through these three points
 * that runc (since 1.3.2) and crun agree on. */
uint64_t cgroup_shares_to_weight(uint64_t shares)
{
	double l;

	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

/* [10, 1000] to [1, 10000], linear. */
uint64_t cgroup_blkio_to_io_weight(uint64_t weight)
{
	if (weight == 0)
		return 0;
	return weight <= 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

int cgroup_swap_to_v2(int64_t swap, int64_t limit, bool *is_set, int64_t *out, const char **why)
{
	*is_set = swap != 0;
	*out = swap;
	*why = NULL;
	if (limit == -1 && swap == 0) {
		/* v1 lifts both when only the memory limit is lifted. */
		*is_set = true;
		*out = -1;
	} else if (swap != -1 && swap != 0 && limit != -1) {
		if (limit == 0)
			*why = "can't be set without a memory limit";
		else if (limit < 0 || swap < limit)
			*why = "is memory and swap together, so it must be at least the memory limit";
		*out = swap - limit;
	}
	return *why ? -EINVAL : 0;
}

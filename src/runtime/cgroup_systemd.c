/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The systemd manager: a scope (or slice) that systemd makes, limits and removes for us.
 *
 * systemd holds that cgroups are its own, and moves or resets what it was not told of. So it is told, by the
 * program dhow-systemd (src/systemd/), which is executed for each word: dhow-oci itself carries no D-Bus. A
 * scope can't be empty: cgroup_create does nothing, and cgroup_attach makes the scope around the
 * container's first process, with the limits that systemd knows. Then, as on every host, all limits are
 * written by cgroup_fs_set: systemd rounds some and has no words for others. On v1 systemd manages some of
 * the hierarchies only; in the rest the directories are ours to make.
 *
 * Where the unit's cgroup is follows from its name, systemd.slice(5), and for a user manager's unit from
 * that manager's own cgroup. A create that failed before its unit was started stops nothing: the
 * unit may be another's, and that what failed. https://systemd.io/CGROUP_DELEGATION/ */
#include <signal.h>
#include <string.h>

#include "runtime/cgroup_internal.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/helper.h"

#define SYSTEMD_PROGRAM "dhow-systemd"

struct systemd_data {
	char *id; /* NULL when restored */
	struct strv annotations;
	bool is_started;
};

/* Has systemd do action to unit. *output, where wanted, is its answer, for free(). */
static int ask(const struct cgroup *cg, const char *action, const char *unit,
	       const struct strv *properties, char **output, struct error **err)
{
	_cleanup_strv_ struct strv argv = {0};
	uint64_t begin = trace_begin();
	int r = strv_add(&argv, SYSTEMD_PROGRAM);

	if (r == 0 && cg->is_rootless)
		r = strv_add(&argv, "--user");
	if (r == 0)
		r = strv_add(&argv, action);
	if (r == 0)
		r = strv_add(&argv, unit);
	for (size_t i = 0; r == 0 && properties && i < properties->count; i++)
		r = strv_add(&argv, properties->items[i]);
	if (r < 0)
		return error_errno(err, ENOMEM, "ask systemd");
	r = helper_run(&argv, output, err);
	trace_step(TRACE_CGROUP, begin, SYSTEMD_PROGRAM, r, "%s %s", action, unit);
	return r < 0 ? error_prefix(err, "systemd") : 0;
}

static int check_host(const struct cgroup *cg, struct error **err)
{
	if (access("/run/systemd/system", F_OK) < 0)
		return error_set(err, ENOTSUP,
				 "--systemd-cgroup: systemd is not running on this host (there is "
				 "no /run/systemd/system)");
	if (!helper_exists(SYSTEMD_PROGRAM))
		return error_set(err, ENOTSUP,
				 "--systemd-cgroup needs the program " SYSTEMD_PROGRAM
				 ", which this dhow was built without: install the package "
				 "libsystemd-dev and build again");
	if (cg->layout == CGROUP_NONE)
		return error_set(err, ENOTSUP,
				 "--systemd-cgroup: no cgroup file system is mounted");
	if (cg->is_rootless && cg->layout != CGROUP_V2)
		return error_set(err, ENOTSUP,
				 "--systemd-cgroup: a user's systemd can limit containers only "
				 "where cgroup v2 is all there is");
	return 0;
}

/* The cgroup below which the manager's slices are; "" for the system's. */
static int find_base(const struct cgroup *cg, char **base, struct error **err)
{
	if (!cg->is_rootless) {
		*base = strdup("");
		return *base ? 0 : error_errno(err, ENOMEM, "find systemd's cgroup");
	}
	return ask(cg, "cgroup", "-.slice", NULL, base, err);
}

static int add_dirs(struct cgroup *cg, struct error **err)
{
	_cleanup_free_ char *base = NULL, *slice = NULL, *path = NULL;
	const struct cgroup_host *host;
	int r = cgroup_host_get(&host, err);

	if (r == 0)
		r = systemd_expand_slice(cg->slice, &slice, err);
	if (r == 0)
		r = find_base(cg, &base, err);
	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s/%s", base, slice, cg->unit) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "cgroup of %s", cg->unit);
	}
	for (size_t i = 0; r == 0 && i < host->count; i++)
		r = cgroup_add_dir(cg, &host->hierarchies[i], path, false, err);
	return r;
}

static int systemd_open(struct cgroup *cg, const struct cgroup_opts *opts, struct error **err)
{
	struct systemd_data *data = calloc(1, sizeof *data);
	int r;

	cg->manager_data = data;
	if (!data || !(data->id = strdup(opts->id)))
		return error_errno(err, ENOMEM, "cgroup of %s", opts->id);
	r = systemd_unit_name(opts, &cg->slice, &cg->unit, err);
	if (r == 0 && opts->annotations)
		r = systemd_add_annotations(&data->annotations, opts->annotations, err);
	if (r == 0)
		r = check_host(cg, err);
	return r == 0 ? add_dirs(cg, err) : r;
}

/* systemd says so, too, but of directories that it doesn't know it knows nothing. */
static int systemd_create(struct cgroup *cg, _unused_ const struct spec_resources *resources,
			  struct error **err)
{
	int r = cgroup_exists(cg) ? cgroup_check_unused(cg, err) : 0;

	return r < 0 ? error_prefix(err, "systemd's unit %s", cg->unit) : 0;
}

static struct systemd_limits limits_of(const struct cgroup *cg, bool is_update)
{
	return (struct systemd_limits){
		.is_v2 = cg->layout == CGROUP_V2,
		.is_user = cg->is_rootless,
		.is_update = is_update,
	};
}

static int start_unit(struct cgroup *cg, pid_t pid, const struct spec_resources *resources,
		      struct error **err)
{
	struct systemd_data *data = cg->manager_data;
	const struct systemd_start start = {
		.id = data->id,
		.unit = cg->unit,
		.slice = cg->slice,
		.pid = pid,
		.is_v2 = cg->layout == CGROUP_V2,
	};
	const struct systemd_limits limits = limits_of(cg, false);
	_cleanup_strv_ struct strv properties = {0};
	int r = systemd_add_unit(&properties, &start, err);

	for (size_t i = 0; r == 0 && i < data->annotations.count; i++) {
		if (strv_add(&properties, data->annotations.items[i]) < 0)
			r = error_errno(err, ENOMEM, "start %s", cg->unit);
	}
	if (r == 0)
		r = systemd_add_resources(&properties, resources, &limits, err);
	if (r == 0)
		r = ask(cg, "start", cg->unit, &properties, NULL, err);
	data->is_started = r == 0;
	return r;
}

/* The directories that systemd doesn't make, and the controllers it doesn't turn on. */
static int complete_dirs(struct cgroup *cg, struct error **err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < cg->dir_count; i++) {
		struct cgroup_dir *dir = &cg->dirs[i];

		if (cg->layout == CGROUP_V2 && access(dir->path, F_OK) < 0)
			return error_set(err, ENOENT, "systemd didn't make %s's cgroup at %s",
					 cg->unit, dir->path);
		r = cgroup_dir_make(dir, err);
		if (r >= 0 && cg->layout == CGROUP_V2)
			r = cgroup_dir_enable(dir, err);
	}
	return r < 0 ? r : 0;
}

static int systemd_attach(struct cgroup *cg, pid_t pid, const struct spec_resources *resources,
			  struct error **err)
{
	struct systemd_data *data = cg->manager_data;
	int r;

	if (data->is_started)
		return cgroup_fs_attach(cg, pid, resources, err);
	r = start_unit(cg, pid, resources, err);
	if (r == 0)
		r = complete_dirs(cg, err);
	/* systemd moved the process where it manages the hierarchy; a slice takes none from it. */
	if (r == 0 && (cg->layout != CGROUP_V2 || systemd_is_slice(cg->unit)))
		r = cgroup_fs_attach(cg, pid, resources, err);
	return r < 0 ? r : cgroup_fs_set(cg, resources, false, err);
}

/* v1's device list is emptied and filled again by each of us: nobody may open a device meanwhile. */
static int set_frozen(struct cgroup *cg, const struct strv *properties, struct error **err)
{
	bool was_frozen = cgroup_is_frozen(cg) == 1;
	int r = was_frozen ? 0 : cgroup_fs_freeze(cg, true, err);

	if (r == 0)
		r = ask(cg, "set", cg->unit, properties, NULL, err);
	if (!was_frozen)
		cgroup_fs_freeze(cg, false, NULL);
	return r;
}

/* The files come first, so that what can't be is refused before systemd is told, and last, since systemd
 * rounds what it writes. */
static int systemd_set(struct cgroup *cg, const struct spec_resources *resources, bool is_update,
		       struct error **err)
{
	const struct systemd_limits limits = limits_of(cg, is_update);
	const struct systemd_data *data = cg->manager_data;
	_cleanup_strv_ struct strv properties = {0};
	int r;

	/* cgroup_attach does it. */
	if (!data->is_started)
		return 0;
	r = systemd_add_resources(&properties, resources, &limits, err);
	if (r == 0)
		r = cgroup_fs_set(cg, resources, is_update, err);
	if (r < 0 || properties.count == 0)
		return r;
	r = cg->layout != CGROUP_V2 && resources->device_count > 0
		    ? set_frozen(cg, &properties, err)
		    : ask(cg, "set", cg->unit, &properties, NULL, err);
	return r < 0 ? r : cgroup_fs_set(cg, resources, is_update, err);
}

/* systemd would give the processes their time to end by SIGTERM. */
static int systemd_remove(struct cgroup *cg, struct error **err)
{
	const struct systemd_data *data = cg->manager_data;
	_cleanup_error_ struct error *stop_error = NULL;
	int stopped, r;

	if (!data->is_started)
		return 0;
	if (cgroup_exists(cg))
		cgroup_signal(cg, SIGKILL, NULL);
	stopped = ask(cg, "stop", cg->unit, NULL, NULL, &stop_error);
	r = cgroup_fs_remove(cg, err);
	/* Without its cgroup a unit is nothing that would be in anyone's way. */
	if (r == 0 && stopped < 0)
		log_warning("stop %s: %s", cg->unit, error_text(stop_error));
	return r;
}

/* What state.json names was claimed by its container, whether or not that got as far as to be started. */
static int systemd_restore(struct cgroup *cg, const struct json_at *saved, struct error **err)
{
	struct systemd_data *data = calloc(1, sizeof *data);

	cg->manager_data = data;
	if (!data)
		return error_errno(err, ENOMEM, "read the saved cgroup");
	if (!cg->unit || !cg->slice)
		return json_fail(saved, err, "expected systemd's unit and slice");
	data->is_started = true;
	return 0;
}

static void systemd_free(struct cgroup *cg)
{
	struct systemd_data *data = cg->manager_data;

	if (!data)
		return;
	free(data->id);
	strv_free(&data->annotations);
	free(data);
}

const struct cgroup_manager cgroup_manager_systemd = {
	.name = "systemd",
	.open = systemd_open,
	.create = systemd_create,
	.attach = systemd_attach,
	.set = systemd_set,
	.remove = systemd_remove,
	.restore = systemd_restore,
	.free = systemd_free,
	.is_attached_by_parent = true,
};

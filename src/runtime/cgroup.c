/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The door of the cgroup subject: what callers call, handed on to manager and controllers; joining,
 * saving and restoring. See cgroup.h and cgroup_internal.h. */
#include <fcntl.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

static const struct cgroup_manager *const managers[] = {
	&cgroup_manager_cgroupfs,
	&cgroup_manager_systemd,
};

static const struct cgroup_manager *find_manager(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
		if (str_equal(name, managers[i]->name))
			return managers[i];
	}
	return NULL;
}

static const struct {
	enum cgroup_layout layout;
	const char *name;
} layouts[] = {
	{CGROUP_NONE, "none"},
	{CGROUP_V1, "v1"},
	{CGROUP_HYBRID, "hybrid"},
	{CGROUP_V2, "v2"},
};

void cgroup_free(struct cgroup *cg)
{
	if (!cg)
		return;
	if (cg->manager && cg->manager->free)
		cg->manager->free(cg);
	cgroup_forget_dirs(cg);
	free(cg->unit);
	free(cg->slice);
	free(cg);
}

int cgroup_open(const struct cgroup_opts *opts, struct cgroup **out, struct error **err)
{
	_cleanup_cgroup_ struct cgroup *cg = calloc(1, sizeof *cg);
	const struct cgroup_host *host;
	int r;

	if (!cg)
		return error_errno(err, ENOMEM, "cgroup of %s", opts->id);
	r = cgroup_host_get(&host, err);
	if (r < 0)
		return r;
	cg->manager = find_manager(opts->is_systemd ? "systemd" : "cgroupfs");
	cg->layout = host->layout;
	cg->is_rootless = opts->is_rootless;
	cg->is_path_given = opts->cgroups_path && *opts->cgroups_path;
	r = cg->manager->open(cg, opts, err);
	if (r < 0)
		return r;
	*out = TAKE_PTR(cg);
	return 0;
}

int cgroup_create(struct cgroup *cg, const struct spec_resources *resources, struct error **err)
{
	return (cg->manager->create ? cg->manager->create : cgroup_fs_create)(cg, resources, err);
}

int cgroup_attach(struct cgroup *cg, pid_t pid, const struct spec_resources *resources,
		  struct error **err)
{
	return (cg->manager->attach ? cg->manager->attach : cgroup_fs_attach)(cg, pid, resources,
									      err);
}

int cgroup_set(struct cgroup *cg, const struct spec_resources *resources, bool is_update,
	       struct error **err)
{
	return (cg->manager->set ? cg->manager->set : cgroup_fs_set)(cg, resources, is_update, err);
}

int cgroup_freeze(struct cgroup *cg, struct error **err)
{
	return (cg->manager->freeze ? cg->manager->freeze : cgroup_fs_freeze)(cg, true, err);
}

int cgroup_thaw(struct cgroup *cg, struct error **err)
{
	return (cg->manager->freeze ? cg->manager->freeze : cgroup_fs_freeze)(cg, false, err);
}

int cgroup_remove(struct cgroup *cg, struct error **err)
{
	return (cg->manager->remove ? cg->manager->remove : cgroup_fs_remove)(cg, err);
}

bool cgroup_is_attached_by_parent(const struct cgroup *cg)
{
	return cg->manager->is_attached_by_parent;
}

int cgroup_clone_fd(struct cgroup *cg)
{
	struct cgroup_dir *dir = cgroup_find_dir(cg, "");

	if (!dir || cgroup_is_attached_by_parent(cg))
		return -1;
	return cgroup_dir_open(dir, NULL) < 0 ? -1 : dir->fd;
}

/* v1: a write of "0" to tasks moves the writing thread alone, for which the kernel doesn't lock out forks
 * all over the host (cgroup_threadgroup_rwsem). That lock waits for an RCU grace period when it wasn't
 * taken lately: measured on 6.18 with 2 CPUs, 6 to 10 ms for the first write to any cgroup.procs,
 * against 15 to 25 us for each tasks; clone3 into the unified cgroup adds 30 us. */
int cgroup_join_fds(struct cgroup *cg, int fds[CGROUP_JOIN_MAX], struct error **err)
{
	int count = 0, r = 0;

	if (cgroup_is_attached_by_parent(cg))
		return 0;
	for (size_t i = 0; i < cg->dir_count && r >= 0; i++) {
		struct cgroup_dir *dir = &cg->dirs[i];

		if (dir->is_unified)
			continue;
		if (count == CGROUP_JOIN_MAX) {
			r = error_set(err, E2BIG, "more than %d cgroup hierarchies",
				      CGROUP_JOIN_MAX);
			break;
		}
		r = cgroup_dir_open(dir, err);
		if (r < 0)
			break;
		r = openat(dir->fd, "tasks", O_WRONLY | O_CLOEXEC);
		if (r < 0)
			r = error_errno(err, errno, "open %s/tasks", dir->path);
		else
			fds[count++] = r;
	}
	if (r >= 0)
		return count;
	while (count > 0)
		close_fd(&fds[--count]);
	return r;
}

int cgroup_join_self(const int *fds, int count)
{
	for (int i = 0; i < count; i++) {
		uint64_t begin = trace_begin();
		int r = write(fds[i], "0", 1) < 0 ? -errno : 0;

		trace_step(TRACE_CGROUP, begin, "write", r, "tasks (descriptor %d), \"0\"", fds[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *cgroup_directory(const struct cgroup *cg, const char *controller)
{
	const struct cgroup_dir *dir = cgroup_find_dir(cg, controller);

	if (!dir && cg->layout == CGROUP_V2)
		dir = cgroup_find_dir(cg, "");
	return dir ? dir->path : NULL;
}

bool cgroup_exists(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->dir_count; i++) {
		if (access(cg->dirs[i].path, F_OK) == 0)
			return true;
	}
	return false;
}

json_t *cgroup_save(const struct cgroup *cg)
{
	_cleanup_json_ json_t *object =
		json_pack("{s:s, s:s, s:b, s:b, s:s*, s:s*}", "driver", cg->manager->name, "layout",
			  layouts[cg->layout].name, "rootless", cg->is_rootless, "pathGiven",
			  cg->is_path_given, "unit", cg->unit, "slice", cg->slice);
	json_t *paths = json_array();

	if (!object || json_object_set_new(object, "paths", paths) < 0)
		return NULL;
	for (size_t i = 0; i < cg->dir_count; i++) {
		const struct cgroup_dir *dir = &cg->dirs[i];

		if (json_array_append_new(paths, json_pack("{s:s, s:s, s:I}", "controllers",
							   dir->controllers, "path", dir->path,
							   "mountLength",
							   (json_int_t)dir->mount_length)) < 0)
			return NULL;
	}
	if (cg->manager->save && cg->manager->save(cg, object) < 0)
		return NULL;
	return TAKE_PTR(object);
}

static int restore_dir(struct cgroup *cg, const struct json_at *at, struct error **err)
{
	const struct json_at controllers_at = json_member(at, "controllers");
	const struct json_at path_at = json_member(at, "path");
	const struct json_at length_at = json_member(at, "mountLength");
	const char *controllers = NULL, *path = NULL;
	uint64_t length = 0;
	struct cgroup_dir *dirs;
	int r = json_get_string(&controllers_at, &controllers, err);

	if (r == 0)
		r = json_get_string(&path_at, &path, err);
	if (r == 0)
		r = json_get_u64(&length_at, path ? strlen(path) : 0, &length, err);
	if (r < 0)
		return r;
	/* What is removed and written to is nobody's invention: a whole path below the mount point. */
	if (!controllers || !path || path[0] != '/' || length == 0 || path[length] != '/' ||
	    strstr(path, "/../") || str_equal(strrchr(path, '/'), "/.."))
		return json_fail(at, err, "expected controllers and the path of a cgroup");
	dirs = reallocarray(cg->dirs, cg->dir_count + 1, sizeof *dirs);
	if (!dirs)
		return error_errno(err, ENOMEM, "read the saved cgroup");
	cg->dirs = dirs;
	dirs += cg->dir_count++;
	*dirs = (struct cgroup_dir){
		.controllers = strdup(controllers),
		.path = strdup(path),
		.mount_length = length,
		.kept_length = strlen(path),
		.fd = -1,
		.is_unified = *controllers == '\0',
	};
	return dirs->controllers && dirs->path ? 0
					       : error_errno(err, ENOMEM, "read the saved cgroup");
}

static int restore_dirs(struct cgroup *cg, const struct json_at *saved, struct error **err)
{
	const struct json_at paths = json_member(saved, "paths");
	ssize_t count = json_get_array(&paths, err);

	for (ssize_t i = 0; i < count; i++) {
		const struct json_at at = json_element(&paths, (size_t)i);
		int r = restore_dir(cg, &at, err);

		if (r < 0)
			return r;
	}
	return count < 0 ? (int)count : 0;
}

static int restore_text(const struct json_at *saved, const char *key, char **out,
			struct error **err)
{
	const struct json_at at = json_member(saved, key);
	const char *text = NULL;
	int r = json_get_string(&at, &text, err);

	if (r < 0 || !text)
		return r;
	*out = strdup(text);
	return *out ? 0 : error_errno(err, ENOMEM, "read the saved cgroup");
}

static int restore_names(struct cgroup *cg, const struct json_at *saved, struct error **err)
{
	_cleanup_free_ char *driver = NULL, *layout = NULL;
	const struct json_at rootless = json_member(saved, "rootless");
	const struct json_at given = json_member(saved, "pathGiven");
	bool has_layout = false;
	int r = restore_text(saved, "driver", &driver, err);

	if (r == 0)
		r = restore_text(saved, "layout", &layout, err);
	if (r == 0)
		r = restore_text(saved, "unit", &cg->unit, err);
	if (r == 0)
		r = restore_text(saved, "slice", &cg->slice, err);
	if (r == 0)
		r = json_get_bool(&rootless, &cg->is_rootless, err);
	if (r == 0)
		r = json_get_bool(&given, &cg->is_path_given, err);
	if (r < 0)
		return r;
	cg->manager = find_manager(driver);
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		if (str_equal(layout, layouts[i].name)) {
			cg->layout = layouts[i].layout;
			has_layout = true;
		}
	}
	return cg->manager && has_layout ? 0
					 : json_fail(saved, err, "unknown cgroup driver or layout");
}

int cgroup_restore(const struct json_at *saved, struct cgroup **out, struct error **err)
{
	_cleanup_cgroup_ struct cgroup *cg = calloc(1, sizeof *cg);
	int r;

	if (!cg)
		return error_errno(err, ENOMEM, "read the saved cgroup");
	r = json_get_object(saved, err);
	if (r == 0)
		r = restore_names(cg, saved, err);
	if (r == 0)
		r = restore_dirs(cg, saved, err);
	if (r == 0 && cg->manager->restore)
		r = cg->manager->restore(cg, saved, err);
	if (r < 0)
		return r;
	*out = TAKE_PTR(cg);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cgroupfs manager: directories made and removed by hand.
 *
 * Where they are (as runc): an absolute linux.cgroupsPath counts from the root of each hierarchy; a
 * relative one, or the container's id where none is given, from this process's own cgroup in it, on a pure v2
 * host from that one's parent, since a v2 cgroup with processes of its own may not pass controllers on.
 * ".." is resolved in the text, so that no path leads out.
 *
 * A directory that was there before is used as it is: pods and test suites share them. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cgroup_internal.h"

/* How long removal waits for processes that are dying. runc waits about two seconds in all. */
#define CGROUP_REMOVE_TIMEOUT_MS 5000

char *cgroup_clean_path(const char *path)
{
	_cleanup_strv_ struct strv parts = {0};
	_cleanup_strbuf_ struct strbuf out = {0};
	size_t depth = 0;

	if (strv_split(&parts, path, "/") < 0)
		return NULL;
	for (size_t i = 0; i < parts.count; i++) {
		if (strcmp(parts.items[i], ".") == 0)
			continue;
		if (strcmp(parts.items[i], "..") == 0) {
			depth -= depth > 0;
			continue;
		}
		/* What is kept moves to the front; what is dropped stays behind for strv_free. */
		char *part = parts.items[i];

		parts.items[i] = parts.items[depth];
		parts.items[depth++] = part;
	}
	for (size_t i = 0; i < depth; i++) {
		if (i > 0)
			strbuf_adds(&out, "/");
		strbuf_adds(&out, parts.items[i]);
	}
	return strbuf_take(&out);
}

/* This process's own cgroup as a path below the mount point. In a container with the host's cgroup
 * namespace /proc/self/cgroup tells the host's path, of which only the part below h->root is mounted. */
static const char *own_below_mount(const struct cgroup_hierarchy *h)
{
	size_t length = strlen(h->root);

	if (strcmp(h->root, "/") == 0)
		return h->own_path;
	if (strncmp(h->own_path, h->root, length) == 0 &&
	    (h->own_path[length] == '/' || h->own_path[length] == '\0'))
		return h->own_path + length;
	return "";
}

int cgroup_add_dir(struct cgroup *cg, const struct cgroup_hierarchy *hierarchy,
		   const char *relative, bool below_own, struct error **err)
{
	_cleanup_free_ char *own = cgroup_clean_path(below_own ? own_below_mount(hierarchy) : "");
	_cleanup_free_ char *below = cgroup_clean_path(relative);
	struct cgroup_dir *dirs, *dir;
	char *slash;

	if (!own || !below)
		return error_errno(err, ENOMEM, "cgroup path %s", relative);
	if (below_own && cg->layout == CGROUP_V2) {
		slash = strrchr(own, '/');
		*(slash ? slash : own) = '\0';
	}
	if (*below == '\0')
		return error_set(err, EINVAL, "cgroup path \"%s\" is the root of the hierarchy",
				 relative);
	dirs = reallocarray(cg->dirs, cg->dir_count + 1, sizeof *dirs);
	if (!dirs)
		return error_errno(err, ENOMEM, "cgroup path %s", relative);
	cg->dirs = dirs;
	dir = &dirs[cg->dir_count++];
	*dir = (struct cgroup_dir){
		.controllers = strdup(hierarchy->controllers),
		.mount_length = strlen(hierarchy->mount_point),
		.fd = -1,
		.is_unified = hierarchy->is_unified,
	};
	if (asprintf(&dir->path, "%s%s%s/%s", hierarchy->mount_point, *own ? "/" : "", own, below) <
	    0)
		dir->path = NULL;
	return dir->path && dir->controllers ? 0
					     : error_errno(err, ENOMEM, "cgroup path %s", relative);
}

static int fs_open(struct cgroup *cg, const struct cgroup_opts *opts, struct error **err)
{
	const char *path = opts->cgroups_path && *opts->cgroups_path ? opts->cgroups_path : NULL;
	bool below_own = !path || path[0] != '/';
	const struct cgroup_host *host;
	int r = cgroup_host_get(&host, err);

	for (size_t i = 0; r == 0 && i < host->count; i++)
		r = cgroup_add_dir(cg, &host->hierarchies[i], path ? path : opts->id, below_own,
				   err);
	return r < 0 ? error_prefix(err, "linux.cgroupsPath") : 0;
}

int cgroup_dir_open(struct cgroup_dir *dir, struct error **err)
{
	if (dir->fd < 0)
		dir->fd = open(dir->path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return dir->fd >= 0 ? dir->fd : error_errno(err, errno, "open cgroup %s", dir->path);
}

struct cgroup_dir *cgroup_find_dir(const struct cgroup *cg, const char *controller)
{
	for (size_t i = 0; i < cg->dir_count; i++) {
		if (cgroup_controllers_have(cg->dirs[i].controllers, controller))
			return &cg->dirs[i];
	}
	return NULL;
}

struct cgroup_dir *cgroup_find_controller(const struct cgroup *cg, const char *name,
					  const char *unified_name)
{
	struct cgroup_dir *dir = cgroup_find_dir(cg, name);
	_cleanup_free_ char *controllers = NULL;
	size_t length;

	if (dir || !unified_name)
		return dir;
	dir = cgroup_find_dir(cg, "");
	if (!dir)
		return NULL;
	/* On a pure v2 host a missing controller shows as a missing file; on a hybrid one the unified
	 * directory counts for those controllers only that it has. */
	if (cg->layout == CGROUP_V2 || *unified_name == '\0')
		return dir;
	if (cgroup_dir_open(dir, NULL) < 0 ||
	    cgroup_read(dir->fd, dir->path, "cgroup.controllers", &controllers, NULL) < 0)
		return NULL;
	length = strlen(unified_name);
	for (const char *p = controllers; *p;) {
		size_t n = strcspn(p, " \n");

		if (n == length && memcmp(p, unified_name, n) == 0)
			return dir;
		p += n;
		p += *p != '\0';
	}
	return NULL;
}

static bool is_permission(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

void cgroup_forget_dirs(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->dir_count; i++) {
		close_fd(&cg->dirs[i].fd);
		free(cg->dirs[i].controllers);
		free(cg->dirs[i].path);
	}
	free(cg->dirs);
	cg->dirs = NULL;
	cg->dir_count = 0;
}

/* Going on without a cgroup where nobody asked for one. */
static int give_up(struct cgroup *cg, int reason, const struct spec_resources *resources,
		   struct error **err)
{
	const char *field = NULL;

	if (!is_permission(reason))
		return reason;
	if (cgroup_is_asked(resources, &field))
		return error_prefix(err, "linux.resources.%s needs a cgroup", field);
	/* A host whose cgroup file systems are read-only is one where no one can have a cgroup; missing
	 * rights are only to be expected for a normal user who hasn't named a cgroup of his. */
	if (reason != -EROFS && (!cg->is_rootless || cg->is_path_given))
		return reason;
	log_warning("the container gets no cgroup of its own: %s", error_text(err ? *err : NULL));
	if (err)
		error_freep(err);
	return 0;
}

static bool has_processes(struct cgroup_dir *dir)
{
	_cleanup_free_ char *text = NULL;

	return cgroup_dir_open(dir, NULL) >= 0 &&
	       cgroup_read(dir->fd, dir->path, "cgroup.procs", &text, NULL) == 0 && *text;
}

/* What is in a cgroup that was there before would get the container's limits, be listed as its processes, and
 * be killed with it. */
int cgroup_check_unused(struct cgroup *cg, struct error **err)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t count = 0;
	int r = cgroup_pids(cg, true, &pids, &count, err);

	/* v1: others may be in one hierarchy's and not in the next's. */
	for (size_t i = 0; r == 0 && count == 0 && i < cg->dir_count; i++)
		count = has_processes(&cg->dirs[i]);
	if (r < 0)
		return r;
	if (count > 0)
		return error_set(err, EBUSY,
				 "the container's cgroup is not empty: %zu process(es) found",
				 count);
	if (cgroup_is_frozen(cg) == 1)
		return error_set(err, EBUSY, "the container's cgroup is frozen");
	return 0;
}

static bool is_new(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->dir_count; i++) {
		if (cg->dirs[i].kept_length == strlen(cg->dirs[i].path))
			return false;
	}
	return true;
}

int cgroup_fs_create(struct cgroup *cg, const struct spec_resources *resources, struct error **err)
{
	int r = 0;

	if (cg->dir_count == 0) {
		const char *field = NULL;

		if (cgroup_is_asked(resources, &field))
			return error_set(
				err, ENODEV,
				"linux.resources.%s needs a cgroup, and this host has none mounted",
				field);
		log_warning("no cgroup file system is mounted: the container gets no cgroup");
		return 0;
	}
	for (size_t i = 0; i < cg->dir_count && r >= 0; i++) {
		r = cgroup_dir_make(&cg->dirs[i], err);
		if (r >= 0 && cg->layout == CGROUP_V2)
			r = cgroup_dir_enable(&cg->dirs[i], err);
	}
	if (r >= 0 && !is_new(cg))
		r = cgroup_check_unused(cg, err);
	if (r >= 0)
		return 0;
	for (size_t i = 0; i < cg->dir_count; i++)
		cgroup_dir_unmake(&cg->dirs[i]);
	/* What is there now was there before: it is not for the container's end to kill and remove. */
	cgroup_forget_dirs(cg);
	return give_up(cg, r, resources, err);
}

int cgroup_repair(struct cgroup *cg, struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < cg->dir_count && r >= 0; i++) {
		struct cgroup_dir *dir = &cg->dirs[i];

		if (access(dir->path, F_OK) == 0)
			continue;
		close_fd(&dir->fd);
		r = cgroup_dir_make(dir, err);
	}
	return r < 0 ? r : 0;
}

int cgroup_fs_attach(struct cgroup *cg, pid_t pid, _unused_ const struct spec_resources *resources,
		     struct error **err)
{
	for (size_t i = 0; i < cg->dir_count; i++) {
		int r = cgroup_dir_open(&cg->dirs[i], err);

		if (r >= 0)
			r = cgroup_move(r, cg->dirs[i].path, pid, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Removes path and all cgroups below. -EBUSY, without *err, where processes stay. */
static int remove_below(const char *path, unsigned timeout_ms, unsigned depth, struct error **err)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *entry;
	/* The quick way for nearly all containers: nothing is in it and nothing below. */
	int r = cgroup_unmake(path, 0, NULL);

	if (r == 0)
		return 0;
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : error_errno(err, errno, "remove cgroup %s", path);
	while ((entry = readdir(d))) {
		_cleanup_free_ char *below = NULL;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (depth == 0)
			return error_set(err, ELOOP, "remove cgroup %s: nested too deep", path);
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) {
			below = NULL;
			return error_errno(err, ENOMEM, "remove cgroup %s", path);
		}
		r = remove_below(below, timeout_ms, depth - 1, err);
		if (r < 0)
			return r;
	}
	return cgroup_unmake(path, timeout_ms, err);
}

/* Deeper nesting than the kernel's own cgroup.max.depth would need no end of descriptors. */
#define CGROUP_DEPTH_MAX 64

int cgroup_fs_remove(struct cgroup *cg, struct error **err)
{
	bool is_killed = false;
	int result = 0;

	/* Last made, first removed: the unified directory may be waited for by its events. */
	for (size_t i = cg->dir_count; i-- > 0;) {
		struct cgroup_dir *dir = &cg->dirs[i];
		int r;

		close_fd(&dir->fd);
		/* Never the root of a hierarchy, with all that the host has below it. */
		if (strlen(dir->path) <= dir->mount_length) {
			result = error_set(err, EINVAL, "remove cgroup %s: it is the root",
					   dir->path);
			continue;
		}
		r = cgroup_unmake(dir->path, 0, NULL);
		if (r == 0)
			continue;
		if (!is_killed) {
			/* Whether that did it, removal tells. */
			cgroup_signal(cg, SIGKILL, NULL);
			is_killed = true;
		}
		r = remove_below(dir->path, CGROUP_REMOVE_TIMEOUT_MS, CGROUP_DEPTH_MAX, err);
		if (r == -EBUSY)
			error_set(err, EBUSY, "remove cgroup %s: processes in it don't end",
				  dir->path);
		if (r < 0)
			result = r;
	}
	return result;
}

const struct cgroup_manager cgroup_manager_cgroupfs = {
	.name = "cgroupfs",
	.open = fs_open,
};

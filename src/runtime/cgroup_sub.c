/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where exec's process goes: the container's cgroup, or cgroups below it that exec's --cgroup names.
 *
 * On cgroup v2 the container's own cgroup takes no process once somebody inside (systemd, say) made
 * sub-cgroups with controllers in it; then exec follows the container's first process, as runc does. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cgroup_internal.h"

static int copy_dir(struct cgroup *to, const struct cgroup_dir *from, struct error **err)
{
	struct cgroup_dir *dirs = reallocarray(to->dirs, to->dir_count + 1, sizeof *dirs);
	struct cgroup_dir *dir;

	if (!dirs)
		return error_errno(err, ENOMEM, "cgroup %s", from->path);
	to->dirs = dirs;
	dir = &dirs[to->dir_count++];
	*dir = *from;
	dir->fd = -1;
	dir->controllers = strdup(from->controllers);
	dir->path = strdup(from->path);
	return dir->controllers && dir->path ? 0
					     : error_errno(err, ENOMEM, "cgroup %s", from->path);
}

/* path may lead nowhere but below. */
static int descend(struct cgroup_dir *dir, const char *path, const char *argument,
		   struct error **err)
{
	_cleanup_free_ char *below = NULL;
	char *whole;
	struct stat st;

	for (const char *p = path; (p = strstr(p, "..")); p += 2) {
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return error_set(err, EINVAL,
					 "--cgroup %s: leads out of the container's cgroup",
					 argument);
	}
	below = cgroup_clean_path(path);
	if (!below)
		return error_errno(err, ENOMEM, "--cgroup %s", argument);
	if (*below == '\0')
		return 0;
	if (asprintf(&whole, "%s/%s", dir->path, below) < 0)
		return error_errno(err, ENOMEM, "--cgroup %s", argument);
	free(dir->path);
	dir->path = whole;
	if (stat(whole, &st) < 0)
		return error_errno(err, errno, "--cgroup %s: %s", argument, whole);
	return 0;
}

/* "CONTROLLER[,CONTROLLER]:PATH" */
static int descend_some(struct cgroup *sub, const char *argument, const char *colon,
			struct error **err)
{
	_cleanup_free_ char *list = strndup(argument, (size_t)(colon - argument));
	_cleanup_strv_ struct strv names = {0};

	if (!list || strv_split(&names, list, ",") < 0)
		return error_errno(err, ENOMEM, "--cgroup %s", argument);
	if (names.count == 0)
		return error_set(err, EINVAL, "--cgroup %s: no controller before the colon",
				 argument);
	for (size_t i = 0; i < names.count; i++) {
		struct cgroup_dir *dir = cgroup_find_dir(sub, names.items[i]);
		int r;

		if (!dir)
			return error_set(err, EINVAL,
					 "--cgroup %s: the container is in no %s cgroup", argument,
					 names.items[i]);
		r = descend(dir, colon + 1, argument, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int descend_named(struct cgroup *sub, const struct spec_strings *arguments,
			 struct error **err)
{
	for (size_t i = 0; i < arguments->count; i++) {
		const char *argument = arguments->items[i];
		const char *colon = strchr(argument, ':');
		int r = 0;

		if (colon) {
			r = descend_some(sub, argument, colon, err);
		} else if (arguments->count > 1) {
			return error_set(
				err, EINVAL,
				"--cgroup %s: of several, each needs CONTROLLER: before it",
				argument);
		} else {
			for (size_t j = 0; r == 0 && j < sub->dir_count; j++)
				r = descend(&sub->dirs[j], argument, argument, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_inner_node(struct cgroup_dir *dir)
{
	_cleanup_free_ char *controllers = NULL;

	return cgroup_dir_open(dir, NULL) >= 0 &&
	       cgroup_read(dir->fd, dir->path, "cgroup.subtree_control", &controllers, NULL) == 0 &&
	       *controllers != '\0';
}

static int follow_init(struct cgroup_dir *dir, pid_t init, struct error **err)
{
	_cleanup_free_ char *path = NULL, *text = NULL, *clean = NULL;
	struct cgroup_host host = {0};
	const struct cgroup_hierarchy *h;
	char *whole;
	int r;

	if (asprintf(&path, "/proc/%d/cgroup", init) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "find the cgroup of process %d", init);
	}
	r = file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL, err);
	if (r == 0)
		r = cgroup_host_parse(NULL, text, &host, err);
	if (r < 0)
		return r;
	h = cgroup_host_find(&host, "");
	clean = cgroup_clean_path(h ? h->own_path : "");
	cgroup_host_clear(&host);
	if (!clean || asprintf(&whole, "%.*s/%s", (int)dir->mount_length, dir->path, clean) < 0)
		return error_errno(err, ENOMEM, "find the cgroup of process %d", init);
	/* Only below the container's own: where else it may be is not for us to follow. */
	if (!str_starts(whole, dir->path) || whole[strlen(dir->path)] != '/') {
		free(whole);
		return 0;
	}
	free(dir->path);
	dir->path = whole;
	close_fd(&dir->fd);
	return 0;
}

int cgroup_open_sub(const struct cgroup *cg, const struct spec_strings *arguments, pid_t init,
		    struct cgroup **out, struct error **err)
{
	_cleanup_cgroup_ struct cgroup *sub = calloc(1, sizeof *sub);
	int r = 0;

	if (!sub)
		return error_errno(err, ENOMEM, "cgroup for exec");
	/* The directories exist, so whoever made them, they are joined by their files. */
	sub->manager = &cgroup_manager_cgroupfs;
	sub->layout = cg->layout;
	sub->is_rootless = cg->is_rootless;
	sub->is_path_given = cg->is_path_given;
	for (size_t i = 0; r == 0 && i < cg->dir_count; i++)
		r = copy_dir(sub, &cg->dirs[i], err);
	if (r == 0 && arguments && arguments->count > 0)
		r = descend_named(sub, arguments, err);
	else if (r == 0 && cg->layout == CGROUP_V2 && sub->dir_count > 0 &&
		 is_inner_node(&sub->dirs[0]))
		r = follow_init(&sub->dirs[0], init, err);
	if (r < 0)
		return r;
	*out = TAKE_PTR(sub);
	return 0;
}

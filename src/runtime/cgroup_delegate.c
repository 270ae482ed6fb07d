/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving a v2 cgroup away to who runs in it, so that a container may have sub-cgroups of its own.
 *
 * cgroup-v2.rst, "Delegation": the delegatee owns the directory and the files named in
 * /sys/kernel/cgroup/delegate, and no limit. OCI runtime specification, "Cgroup ownership": only with a cgroup
 * namespace of its own and a writable cgroup mount, and never on v1, where that isn't safe. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cgroup_internal.h"

/* The files that the kernel names, by default those of which a delegatee writes. */
static char *read_delegated(void)
{
	char *text = NULL;

	if (file_read_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", 4096, &text, NULL, NULL) < 0)
		text = strdup("cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
	return text;
}

static int give_to(int dirfd, const char *dir, const char *name, uid_t owner)
{
	uint64_t begin = trace_begin();
	int r = fchownat(dirfd, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;

	trace_step(TRACE_CGROUP, begin, "fchownat", r, "%s/%s, %u", dir, name, owner);
	/* The list is of all files that some kernel configuration may have. */
	return r == -ENOENT ? 0 : r;
}

int cgroup_delegate(struct cgroup *cg, uid_t owner, struct error **err)
{
	struct cgroup_dir *dir = cgroup_find_dir(cg, "");
	_cleanup_free_ char *list = NULL;
	_cleanup_strv_ struct strv names = {0};
	int r;

	if (cg->layout != CGROUP_V2 || !dir)
		return 0;
	list = read_delegated();
	if (!list || strv_split(&names, list, "\n") < 0)
		return error_errno(err, ENOMEM, "delegate cgroup %s", dir->path);
	r = cgroup_dir_open(dir, err);
	if (r < 0)
		return r;
	r = give_to(dir->fd, dir->path, ".", owner);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (!strchr(names.items[i], '/'))
			r = give_to(dir->fd, dir->path, names.items[i], owner);
	}
	return r < 0 ? error_errno(err, -r, "delegate cgroup %s to user %u", dir->path, owner) : 0;
}

static bool has_writable_mount(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *m = &spec->mounts[i];
		bool is_readonly = false;

		for (size_t j = 0; j < m->options.count; j++)
			is_readonly |= str_equal(m->options.items[j], "ro");
		if (str_equal(m->type, "cgroup") && !is_readonly)
			return true;
	}
	return false;
}

/* The host's id for the container's. False where it has none. */
static bool to_host(const struct spec_linux *config, uint32_t id, uid_t *out)
{
	*out = id;
	if (!config->namespaces[NAMESPACE_USER].is_set)
		return true;
	for (size_t i = 0; i < config->uid_maps.count; i++) {
		const struct spec_id_map *map = &config->uid_maps.items[i];

		if (id >= map->container_id && id - map->container_id < map->size) {
			*out = map->host_id + (id - map->container_id);
			return true;
		}
	}
	return false;
}

int cgroup_delegate_to_user(struct cgroup *cg, const struct spec *spec, struct error **err)
{
	const struct spec_namespace *ns = &spec->linux.namespaces[NAMESPACE_CGROUP];
	uid_t owner;
	int r;

	if (cg->layout != CGROUP_V2 || !ns->is_set || ns->path || !has_writable_mount(spec) ||
	    !to_host(&spec->linux, spec->process.user.uid, &owner) || owner == geteuid())
		return 0;
	r = cgroup_delegate(cg, owner, err);
	/* A normal user can give nothing away. */
	if (r != -EPERM || !cg->is_rootless)
		return r;
	if (err)
		error_freep(err);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container's root file system: its mounts, devices and pivot, done by the container's first
 * process inside its new mount namespace, by descriptor.
 *
 *   rootfs_open_sources  (parent, or child) opens bind sources and makes idmapped clones: needs the host's
 *                        user namespace and paths
 *   rootfs_prepare       (child) propagation, the root mount, every mount, devices, links
 *   rootfs_pivot         (child) pivot_root, or MS_MOVE with --no-pivot; the host's tree is gone
 *   rootfs_finish        (child) sysctls, masked and read-only paths, read-only root
 * Every path of the configuration is resolved once, by openat2 inside the root (kernel/path.h). */
#ifndef DHOW_RUNTIME_ROOTFS_H
#define DHOW_RUNTIME_ROOTFS_H

#include "runtime/cgroup.h"
#include "runtime/spec.h"

struct rootfs_opts {
	const struct spec *spec;
	int bundle_fd;      /* for relative sources and root.path; O_PATH */
	const char *bundle; /* the same as text, for errors */
	bool no_pivot;
	bool has_mount_namespace; /* new one; false when shared or joined: nothing is pivoted then, the
				   * process just chroots (or, without root.path, stays) */
	bool has_user_namespace; /* new or joined: devices are bound from the host, not made */
	bool has_cgroup_namespace;
	const struct cgroup *cgroup; /* for mounts of type "cgroup"; may be NULL */
};

struct rootfs;
/* Takes no ownership of what opts points to, which must live as long. */
int rootfs_new(const struct rootfs_opts *opts, struct rootfs **out, struct error **err);
void rootfs_free(struct rootfs *r);

/* True when rootfs_open_sources must run in the parent (user namespace or idmapped mounts). */
bool rootfs_wants_parent(const struct rootfs *r);
int rootfs_open_sources(struct rootfs *r, struct error **err);
int rootfs_prepare(struct rootfs *r, struct error **err);
int rootfs_pivot(struct rootfs *r, struct error **err);
int rootfs_finish(struct rootfs *r, struct error **err);

/* Makes a pty from the container's own devpts (/dev/ptmx in the root): *master is the caller's, the slave
 * is bound over /dev/console when bind_console. The slave is opened by TIOCGPTPEER. Call after rootfs_pivot
 * (or after joining, for exec, with r NULL and bind_console false). */
int rootfs_open_console(struct rootfs *r, bool bind_console, int *master, int *slave,
			struct error **err);

/* Every mount option that is more than a word for the file system, sorted; NULL-terminated. */
const char *const *rootfs_mount_option_names(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the root file system share; see rootfs.h for the door. */
#ifndef DHOW_RUNTIME_ROOTFS_INTERNAL_H
#define DHOW_RUNTIME_ROOTFS_INTERNAL_H

#include "kernel/mount.h"
#include "kernel/path.h"
#include "kernel/procfs.h"
#include "runtime/rootfs.h"

#include <linux/magic.h>
#include <linux/mount.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

struct rootfs;
struct mount_plan;

/* A kind of mount: how one entry of "mounts" becomes a mount. */
struct mount_kind {
	const char *type; /* NULL: every type that has no kind of its own */
	/* The destination must be a directory reached without symbolic links, since programs trust what they
	 * find there (CVE-2019-19921, CVE-2023-27561). */
	bool wants_plain_directory;
	/* mountLabel goes to the file system as "context". */
	bool takes_context;
	int (*mount)(struct rootfs *r, struct mount_plan *m, struct error **err);
};
extern const struct mount_kind *const mount_kinds[];
extern const struct mount_kind mount_kind_bind, mount_kind_cgroup;

#define PROPAGATIONS_MAX 8

/* One entry of "mounts", understood. */
struct mount_plan {
	const struct spec_mount *spec;
	const struct mount_kind *kind;
	const char *type, *source;
	char *destination; /* cleaned, absolute */

	bool is_bind, is_recursive, is_remount;
	bool has_id_map, is_id_map_recursive;
	bool copies_up;      /* tmpcopyup */
	bool copies_symlink; /* copy-symlink: a source that is a link is made anew */
	bool source_nofollow, destination_nofollow;

	bool has_attributes; /* some option set or cleared one */
	uint64_t set, clear; /* MOUNT_ATTR_* of the mount; clear as asked for */
	uint64_t recursive_set, recursive_clear;
	struct {
		unsigned long type; /* MS_SHARED and so on */
		bool is_recursive;
	} propagation[PROPAGATIONS_MAX];
	size_t propagation_count;

	struct mount_parameter *parameters; /* for the file system, in order */
	size_t parameter_count;
	char *parameter_text; /* owns their strings */
	char mode[8];         /* of a tmpfs: that of the directory it covers */

	int source_fd; /* made by the parent, or -1 */
	int late_fd;   /* the mount's root, where it becomes read-only at the end, or -1 */
};

struct rootfs {
	struct rootfs_opts opts;
	const struct spec *spec;
	struct mount_plan *plans;
	size_t plan_count;
	unsigned long propagation;       /* of "/" in the end: MS_* */
	unsigned long setup_propagation; /* of the tree while the root is made */
	bool is_propagation_recursive;
	bool sets_up_dev; /* devices and links are ours to make: /dev is not a bind mount */

	int root_fd;        /* the root: its mount, when there is one */
	int root_source_fd; /* made by the parent, or -1 */
	int bundle_fd;      /* the bundle as this mount namespace has it, or -1 */
};

/* rootfs_options.c */
int mount_plan_parse(const struct spec_mount *mount, struct mount_plan *out, struct error **err);
void mount_plan_clear(struct mount_plan *m);
/* The value of a parameter that the options gave, NULL when not given. */
const char *mount_plan_parameter(const struct mount_plan *m, const char *key);
int rootfs_parse_propagation(const char *name, unsigned long *type, bool *is_recursive);

/* rootfs_mount.c */
int rootfs_mount(struct rootfs *r, struct mount_plan *m, struct error **err);
/* The directory that a source of the configuration is relative to. */
int rootfs_source_dir(struct rootfs *r, const char *source, struct error **err);
/* Opens what m covers, making it where it is missing: a directory, or, when like >= 0, the kind of file that is.
 * *is_new (may be NULL) tells whether it was made. */
int rootfs_open_target(struct rootfs *r, struct mount_plan *m, int like, bool *is_new,
		       struct error **err);
/* Attributes, propagation and what else follows attaching. fd is the mount's root. */
int rootfs_finish_mount(struct rootfs *r, struct mount_plan *m, int target, int fd,
			struct error **err);
/* Binds path of the host, recursively or not, on m's destination with m's attributes. */
int rootfs_bind_path(struct rootfs *r, struct mount_plan *m, const char *path, bool is_recursive,
		     struct error **err);
/* mountLabel, or NULL. */
const char *rootfs_mount_label(const struct rootfs *r);

/* rootfs_copyup.c: copies what the directory from holds into the empty directory to, both opened O_PATH. */
int rootfs_copy_up(int from, int to, struct error **err);

/* rootfs_devices.c */
int rootfs_make_devices(struct rootfs *r, struct error **err);
int rootfs_make_dev_links(struct rootfs *r, struct error **err);
/* Standard streams that are the host's /dev/null become the container's. */
int rootfs_adopt_null(struct rootfs *r, struct error **err);

/* rootfs_protect.c */
int rootfs_write_sysctls(const struct spec *spec, struct error **err);
int rootfs_make_paths_readonly(struct rootfs *r, struct error **err);
int rootfs_mask_paths(struct rootfs *r, struct error **err);

/* rootfs_pivot.c: the root file system becomes "/". Each leaves nothing of the host reachable. */
int rootfs_switch_by_pivot(struct rootfs *r, struct error **err);
int rootfs_switch_by_move(struct rootfs *r, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the cgroup subject share: the object, the managers, the controllers.
 *
 * A struct cgroup is a list of directories, one for each hierarchy: all mounted v1 hierarchies (cpu and
 * cpuacct once where they are mounted together), name=systemd, and the unified one. A manager fills the
 * list and makes the directories; a controller writes and reads the files of one resource in one of
 * them. Which directory that is, and so whether the v1 or the v2 functions of the controller are
 * called, is decided for each controller by itself: on a hybrid host a controller may be in either. */
#ifndef DHOW_RUNTIME_CGROUP_INTERNAL_H
#define DHOW_RUNTIME_CGROUP_INTERNAL_H

#include "runtime/cgroup.h"

/* The container's directory in one hierarchy. */
struct cgroup_dir {
	char *controllers;   /* "cpu,cpuacct", "name=systemd"; "" for the unified hierarchy */
	char *path;          /* absolute, below the mount point */
	size_t mount_length; /* how much of path is the mount point */
	size_t kept_length; /* how much of path was there before cgroup_create, 0 when not made by us */
	int fd;             /* O_PATH, -1 before it is made or opened; cgroup_dir_open() */
	bool is_unified;
};

struct cgroup {
	const struct cgroup_manager *manager;
	enum cgroup_layout layout;
	struct cgroup_dir *dirs;
	size_t dir_count;
	bool is_rootless;
	bool is_path_given; /* by linux.cgroupsPath: then failing to make it is an error for anyone */
	char *unit;         /* systemd's unit name, or NULL */
	char *slice;        /* systemd's slice as given, or NULL */
	void *manager_data; /* the manager's own, freed by its free() */
};

/* Who decides where the cgroup is, and makes, limits and removes it. Functions that are NULL get the
 * behaviour of cgroup_fs_*. All return 0 or a negative errno with *err filled in. */
struct cgroup_manager {
	const char *name; /* "cgroupfs", "systemd"; what state.json says */
	/* Adds the directories (cgroup_add_dir) and fills unit and slice. Touches nothing on the host. */
	int (*open)(struct cgroup *cg, const struct cgroup_opts *opts, struct error **err);
	int (*create)(struct cgroup *cg, const struct spec_resources *resources,
		      struct error **err);
	int (*attach)(struct cgroup *cg, pid_t pid, const struct spec_resources *resources,
		      struct error **err);
	int (*set)(struct cgroup *cg, const struct spec_resources *resources, bool is_update,
		   struct error **err);
	int (*freeze)(struct cgroup *cg, bool freeze, struct error **err);
	int (*remove)(struct cgroup *cg, struct error **err);
	/* What only this manager keeps in state.json; directories, unit and slice are kept for it. */
	int (*save)(const struct cgroup *cg, json_t *object);
	int (*restore)(struct cgroup *cg, const struct json_at *saved, struct error **err);
	void (*free)(struct cgroup *cg);
	/* The process joins through cgroup_attach only: no cgroup_clone_fd, no cgroup_join_fds. */
	bool is_attached_by_parent;
};

/* Listed in cgroup.c. */
extern const struct cgroup_manager cgroup_manager_cgroupfs, cgroup_manager_systemd;

/* Adds the directory relative (which may start with "/", and may hold "..": it never leads out) of the
 * hierarchy; below_own: counted from this process's own cgroup in it instead of the root. */
int cgroup_add_dir(struct cgroup *cg, const struct cgroup_hierarchy *hierarchy,
		   const char *relative, bool below_own, struct error **err);
/* "a//b/./../c/" to "a/c"; leading ".." and slashes vanish. Caller frees; NULL when memory runs out. */
char *cgroup_clean_path(const char *path);

/* Frees the list of directories; the container has no cgroup then. */
void cgroup_forget_dirs(struct cgroup *cg);

/* Opens dir->fd unless it is open. Returns it, or a negative errno. */
int cgroup_dir_open(struct cgroup_dir *dir, struct error **err);
/* The directory of a v1 controller; NULL where that is not mounted. "" finds the unified one. */
struct cgroup_dir *cgroup_find_dir(const struct cgroup *cg, const char *controller);
/* The directory with the files of a controller: its v1 hierarchy's, or else the unified one where that
 * has the controller under the name unified_name ("io" for "blkio"; "" for what every unified
 * directory has; NULL where v2 has no such thing). */
struct cgroup_dir *cgroup_find_controller(const struct cgroup *cg, const char *name,
					  const char *unified_name);

/* The managers' common ways; each works on all directories. */
int cgroup_fs_create(struct cgroup *cg, const struct spec_resources *resources, struct error **err);
int cgroup_fs_attach(struct cgroup *cg, pid_t pid, const struct spec_resources *resources,
		     struct error **err);
int cgroup_fs_set(struct cgroup *cg, const struct spec_resources *resources, bool is_update,
		  struct error **err);
int cgroup_fs_freeze(struct cgroup *cg, bool freeze, struct error **err);
int cgroup_fs_remove(struct cgroup *cg, struct error **err);
/* Makes one directory with its parents; on cpuset's hierarchy fills empty masks from the parent. Existing
 * ones stay. */
int cgroup_dir_make(struct cgroup_dir *dir, struct error **err);
/* Turns the controllers on all the way down to a directory of the unified hierarchy. */
int cgroup_dir_enable(struct cgroup_dir *dir, struct error **err);
/* -EBUSY where processes are in the cgroup already, or it is frozen. */
int cgroup_check_unused(struct cgroup *cg, struct error **err);
/* Removes what cgroup_dir_make made, for a create that failed half way. */
void cgroup_dir_unmake(struct cgroup_dir *dir);

/* What a controller's functions work on. */
struct cgroup_target {
	struct cgroup *cg;
	struct cgroup_dir *dir; /* NULL: the host has no such controller */
	const char *controller; /* for errors */
	bool is_update;         /* there may be older values: mind the order */
	struct error **err;
};

/* One resource of linux.resources. */
struct cgroup_controller {
	const char *name; /* in v1 */
	const char *
		unified_name; /* in v2; "" where no controller is needed, NULL where there is none */
	/* Write what is given; dir is NULL where the host has no such controller: what is given is an
	 * error then (cgroup_put says it). */
	int (*set_v1)(const struct cgroup_target *t, const struct spec_resources *resources);
	int (*set_v2)(const struct cgroup_target *t, const struct spec_resources *resources);
	/* Add to the "data" object of the statistics. Never called without dir. */
	int (*stat_v1)(const struct cgroup_target *t, json_t *data);
	int (*stat_v2)(const struct cgroup_target *t, json_t *data);
};

extern const struct cgroup_controller cgroup_controller_cpuset, cgroup_controller_devices,
	cgroup_controller_memory, cgroup_controller_cpu, cgroup_controller_cpuacct,
	cgroup_controller_pids, cgroup_controller_io, cgroup_controller_hugetlb,
	cgroup_controller_net_cls, cgroup_controller_net_prio, cgroup_controller_rdma;
extern const struct cgroup_controller *const cgroup_controllers[]; /* NULL-terminated */

/* Writes one value; field is the name below linux.resources. */
int cgroup_put(const struct cgroup_target *t, const char *field, const char *file,
	       const char *format, ...) _printf_(4, 5);
/* The error for a field that this host can't honour, with the reason. */
int cgroup_refuse(const struct cgroup_target *t, const char *field, const char *why);
/* Reads one number for statistics; 0 where the file isn't there. "max" is UINT64_MAX. */
uint64_t cgroup_get(const struct cgroup_target *t, const char *file);
/* The JSON integer nearest to value: JSON's are signed here, so what is above is INT64_MAX. */
json_t *cgroup_number(uint64_t value);

/* A file of "key number" lines as an object; empty where the file isn't there. */
json_t *cgroup_pairs(const struct cgroup_target *t, const char *file);
/* A pressure file (PSI) as runc shows it, or NULL where there is none. */
json_t *cgroup_pressure(const struct cgroup_target *t, const char *file);
/* A CPU or node list such as "0-2,7" as an array of numbers. */
json_t *cgroup_mask_to_array(const char *mask);
/* An entry of /sys/kernel/mm/hugepages, "hugepages-2048kB", to the name in cgroup files, "2MB". */
int cgroup_hugepage_name(const char *entry, char *name, size_t size);

/* Conversions of v1's terms, in which the specification speaks, to v2's. */
uint64_t cgroup_shares_to_weight(uint64_t shares);
uint64_t cgroup_blkio_to_io_weight(uint64_t weight);
/* memory.swap.max from memory+swap. *out is -1 for "max"; *is_set false where nothing is to be written. */
int cgroup_swap_to_v2(int64_t swap, int64_t limit, bool *is_set, int64_t *out, const char **why);

/* True when resources ask for anything but device rules. *field names the first of it. */
bool cgroup_is_asked(const struct spec_resources *resources, const char **field);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's cgroup: made, limited, joined, read, frozen, killed and removed, on v1, hybrid and v2
 * hosts, by cgroupfs or with systemd's help.
 *
 * A manager (cgroupfs, systemd) decides where the cgroup is and who makes it; a layout (v1, hybrid, v2)
 * decides which files hold a value. Life of a container's cgroup:
 *   cgroup_open    picks the paths (linux.cgroupsPath, the driver), touches nothing
 *   cgroup_create  makes the directories, before the container's first process exists
 *   cgroup_set     writes limits, each field of linux.resources
 *   cgroup_attach  moves a process in (v2: clone3 into cgroup_clone_fd instead)
 *   cgroup_save    what state.json keeps, and cgroup_restore reads back
 *   cgroup_remove  kills what is left and removes the directories
 *
 * A controller or field that the host does not have and the configuration asks for is an error that
 * names the field. Without it in the configuration nothing is asked of the host. */
#ifndef DHOW_RUNTIME_CGROUP_H
#define DHOW_RUNTIME_CGROUP_H

#include "kernel/cgroup.h"
#include "runtime/spec.h"

struct cgroup;

struct cgroup_opts {
	const char *id;           /* the container's */
	const char *cgroups_path; /* linux.cgroupsPath or NULL */
	bool is_systemd;          /* --systemd-cgroup */
	bool is_rootless; /* not root in the initial user namespace, or --rootless: failing to make a
			   * cgroup that nobody asked limits of is no error */
	const struct spec_pairs *annotations; /* org.systemd.property.*; may be NULL */
};

/* Works out where the cgroup is. Returns 0 and *out for cgroup_free(). */
int cgroup_open(const struct cgroup_opts *opts, struct cgroup **out, struct error **err);
void cgroup_free(struct cgroup *cg);

/* Makes the cgroup in each hierarchy. On failure what was made is removed again. With the systemd
 * driver the scope needs a process: cgroup_create does nothing then and cgroup_attach makes it. */
int cgroup_create(struct cgroup *cg, const struct spec_resources *resources, struct error **err);

/* Makes owner (as the host counts users) the owner of the directory and of the files named in
 * /sys/kernel/cgroup/delegate, so that the container may have sub-cgroups. For a container with its own
 * cgroup namespace and a writable cgroup mount; owner is its process's user. v2 only: does nothing on
 * others, where delegation isn't safe. cgroup-v2.rst, "Delegation". */
int cgroup_delegate(struct cgroup *cg, uid_t owner, struct error **err);
/* Does so for the user of the configuration's process, where the specification wants it ("Cgroup ownership"). */
int cgroup_delegate_to_user(struct cgroup *cg, const struct spec *spec, struct error **err);

/* A process joins in two steps, on hybrid hosts both: it is cloned into the unified hierarchy by
 * cgroup_clone_fd(), and joins the v1 ones itself through cgroup_join_fds(). Either has nothing to do (-1,
 * 0) where there is no such hierarchy, or where only cgroup_attach() works (systemd driver).
 *
 * An O_PATH directory descriptor for CLONE_INTO_CGROUP, borrowed, or -1. */
int cgroup_clone_fd(struct cgroup *cg);

/* Opens the tasks file of each v1 hierarchy, through which a single-threaded process joins by writing
 * "0". That needs not wait for an RCU grace period, unlike a parent that writes a PID to cgroup.procs.
 * Fills fds (at most CGROUP_JOIN_MAX), returns their number or a negative errno. The caller owns them
 * and hands them to the child, which calls cgroup_join_self(). */
#define CGROUP_JOIN_MAX 24
int cgroup_join_fds(struct cgroup *cg, int fds[CGROUP_JOIN_MAX], struct error **err);
/* The calling single-threaded process joins. Plain code: no allocation. Returns 0 or a negative errno. */
int cgroup_join_self(const int *fds, int count);

/* The process can't join by itself: it waits, before it makes a cgroup namespace, until cgroup_attach was
 * called for it (systemd driver). */
bool cgroup_is_attached_by_parent(const struct cgroup *cg);
/* On v1 systemd removes every empty cgroup whenever a slice's controllers change, also those it didn't make (its
 * cg_trim). Makes the directories that are gone again; their limits are to be set anew. For what failed with
 * -ENOENT or -ENODEV before a process was in. */
int cgroup_repair(struct cgroup *cg, struct error **err);
/* Moves a process in from outside. With the systemd driver and no scope yet, makes the scope. */
int cgroup_attach(struct cgroup *cg, pid_t pid, const struct spec_resources *resources,
		  struct error **err);
/* The cgroup that exec's process joins, by cgroup_clone_fd() and cgroup_join_fds() or cgroup_attach():
 * the container's own, or the one below that the arguments of exec's --cgroup name, each
 * "[CONTROLLER[,CONTROLLER...]:]PATH" (may be NULL). init is the container's first process, whose v2
 * cgroup is taken where the container's own has become an inner node. cgroup_free() the result. */
int cgroup_open_sub(const struct cgroup *cg, const struct spec_strings *arguments, pid_t init,
		    struct cgroup **out, struct error **err);

/* Writes every given field. is_update: keep what is not given (runc update); takes care of the order in
 * which memory and swap may change. */
int cgroup_set(struct cgroup *cg, const struct spec_resources *resources, bool is_update,
	       struct error **err);

int cgroup_freeze(struct cgroup *cg, struct error **err);
int cgroup_thaw(struct cgroup *cg, struct error **err);
/* 1 frozen, 0 not, or a negative errno. */
int cgroup_is_frozen(const struct cgroup *cg);

/* All PIDs in the cgroup and below, as this process's PID namespace sees them. Caller frees *pids. */
int cgroup_pids(const struct cgroup *cg, bool is_recursive, pid_t **pids, size_t *count,
		struct error **err);
/* Sends a signal to every process in it, also below; SIGKILL by cgroup.kill where the kernel has it. */
int cgroup_signal(struct cgroup *cg, int signal, struct error **err);
/* Number of OOM kills so far, or a negative errno. */
int64_t cgroup_oom_kills(const struct cgroup *cg);
/* Paths of the descriptors to poll for OOM events etc. are runtime/events.c's matter: it asks the
 * directory of a controller ("memory"; "" for the unified one). NULL when not in use. Borrowed. */
const char *cgroup_directory(const struct cgroup *cg, const char *controller);

/* Kills what is left, waits, and removes the directories. Already gone is success. */
int cgroup_remove(struct cgroup *cg, struct error **err);
/* True when any of its directories exists. */
bool cgroup_exists(const struct cgroup *cg);

/* What state.json keeps: {"driver","layout","paths":{controller: directory}, "unit", …}. New reference. */
json_t *cgroup_save(const struct cgroup *cg);
int cgroup_restore(const struct json_at *saved, struct cgroup **out, struct error **err);

/* Statistics in runc's `events --stats` shape: the "data" object (cpu, cpuset, memory, pids, blkio,
 * hugetlb, rdma, intel_rdt left out; PSI where present). New reference in *out. */
int cgroup_stats(const struct cgroup *cg, json_t **out, struct error **err);

static inline void cgroup_freep(struct cgroup **cg)
{
	cgroup_free(*cg);
	*cg = NULL;
}
#define _cleanup_cgroup_ _cleanup_(cgroup_freep)

#endif

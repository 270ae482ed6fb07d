/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attributes of the program to be: user, capabilities, limits, scheduling, labels. Applied by the process
 * that will execve, for create as for exec.
 *
 *   attributes_check  (parent) what this host can't honour is an error before anything was made
 *   attributes_outside (parent) with a user namespace, what its processes may not do themselves
 *   attributes_early  (child) what needs privileges and procfs: oom_score_adj, rlimits, scheduler,
 *                     I/O priority, memory policy, personality, keyring, LSM labels for the next exec
 *   attributes_become_user (child) bounding set, groups, ids, umask; capabilities stay, for seccomp_program_load.
 *                     *granted tells attributes_late what the process will hold.
 *   attributes_late   (child) the last steps, few calls that filters let through: capability sets, no_new_privs.
 *                     seccomp is loaded by the caller: before this without no_new_privileges, after it with. */
#ifndef DHOW_RUNTIME_ATTRIBUTES_H
#define DHOW_RUNTIME_ATTRIBUTES_H

#include "runtime/spec.h"

struct attributes_opts {
	const struct spec_process *process;
	const struct spec_linux
		*linux; /* personality, memory policy; NULL for exec of a bare process */
	const char *id; /* names the session keyring "_ses.ID" */
	bool no_new_keyring;
	bool has_user_namespace;  /* new or joined */
	bool is_setgroups_denied; /* the user namespace's setgroups says "deny" */
};

/* A limit that may not be raised (no CAP_SYS_RESOURCE) is an error that names limit and value; one that
 * asks for no more than what is in force never is. */
int attributes_check(const struct attributes_opts *opts, struct error **err);
/* (parent) With a user namespace: what takes privileges over the initial one, which the process pid gave up
 * by entering its own: hard limits raised, oom_score_adj lowered. Between the clone and letting it go on. */
int attributes_outside(const struct attributes_opts *opts, pid_t pid, struct error **err);
int attributes_early(const struct attributes_opts *opts, struct error **err);
int attributes_become_user(const struct attributes_opts *opts, struct spec_capabilities *granted,
			   struct error **err);
int attributes_late(const struct attributes_opts *opts, const struct spec_capabilities *granted,
		    struct error **err);

/* execCPUAffinity: sets the calling process's affinity from a list such as "0-3,7". NULL does nothing. */
int attributes_affinity(const char *list, struct error **err);
/* Back to all CPUs of the cpuset. */
int attributes_affinity_reset(struct error **err);

/* linux.intelRdt (Documentation/arch/x86/resctrl.rst). pid is the container's first process. rdt_create
 * makes or joins the group and writes schemata; *group (caller frees) is what rdt_remove has to remove when
 * the container goes, as a path below resctrl, or NULL where nothing was made. */
int rdt_create(const struct spec_intel_rdt *rdt, const char *id, pid_t pid, char **group,
	       struct error **err);
int rdt_update(const char *id, const char *clos_id, const char *l3_cache, const char *mem_bw,
	       struct error **err);
int rdt_remove(const char *group, struct error **err);
bool rdt_is_available(void);

/* linux.netDevices: moves host interfaces (parent side; net_ns_fd is the container's network namespace),
 * renames, keeps global addresses, sets them up. rtnetlink(7). */
int net_devices_move(const struct spec_net_device *devices, size_t count, int net_ns_fd,
		     struct error **err);
/* Brings up lo in the calling process's network namespace. */
int net_loopback_up(struct error **err);

#endif

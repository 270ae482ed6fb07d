/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a process in its namespaces: new ones by clone3, existing ones by setns, in the order that the
 * kernel's rules allow. namespaces(7), user_namespaces(7), pid_namespaces(7).
 *
 * Without anything to join, one clone3 does it all. Namespaces that a process may enter itself are joined
 * by the child (place_join). A PID or user namespace must be joined before the child exists, and with a new
 * user namespace all others too: a short-lived joiner does that, and clones the child with CLONE_PARENT, which
 * makes it a child of ours. */
#ifndef DHOW_RUNTIME_PLACE_H
#define DHOW_RUNTIME_PLACE_H

#include "runtime/spec.h"

struct placement {
	uint64_t new_flags;            /* namespaces to make with clone3 */
	int join_fds[NAMESPACE_TYPES]; /* -1 where none is joined */
	bool needs_joiner;
	int cgroup_fd; /* CLONE_INTO_CGROUP, or -1; not owned */
};

/* Opens what linux.namespaces names by path. The cgroup and time namespaces are left out of new_flags:
 * the child makes them, when it has joined its cgroup and knows its offsets. */
int place_open(const struct spec_linux *config, struct placement *out, struct error **err);
void place_close(struct placement *placement);
/* As process_clone. In the child, the joins that were left to it come next: place_join(). */
pid_t place_clone(const struct placement *placement, int *pidfd, struct error **err);
/* Child: joins what is to be joined, the mount namespace last, unless the joiner has. */
int place_join(const struct placement *placement, struct error **err);

struct place_exec {
	int target_pidfd;      /* a process of the container */
	int flags;             /* its namespaces that differ from ours, CLONE_NEW* */
	int cgroup_fd;         /* as for struct placement */
	const int *cgroup_fds; /* files to write "0" to first (cgroup_join_self) */
	int cgroup_fd_count;
};
/* As process_clone, for exec: a child of ours in the cgroups and namespaces of another process. */
pid_t place_clone_into(const struct place_exec *opts, int *pidfd, struct error **err);

#endif

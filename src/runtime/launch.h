/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What create, start, exec and restore share on the parent's side. */
#ifndef DHOW_RUNTIME_LAUNCH_H
#define DHOW_RUNTIME_LAUNCH_H

#include "runtime/seccomp.h"
#include "runtime/state.h"

/* Descriptors 3 to 2+count, which the caller promised to hand on, are open; ours are all close-on-exec. */
int check_preserved_descriptors(int count, struct error **err);
/* Who can't stand by a terminal must have somebody to give it to, and the other way round. */
int check_terminal(const struct spec_process *process, bool is_detached, const char *console_socket,
		   struct error **err);
/* Fills s, whose bundle is set, for a new container, works out its cgroup and makes its state directory. */
int claim_state(const struct runtime *rt, const char *id, const struct spec *spec, struct state *s,
		const char *config, size_t length, struct error **err);
/* Compiles with the cache beside the containers. */
int compile_seccomp(const struct runtime *rt, const struct spec_seccomp *seccomp,
		    struct seccomp_program *out, struct error **err);
/* Sends the listener (taken over) to the seccomp agent with the container's state, and
 * tells the child over sync. */
struct listener_owner {
	const struct spec *spec;
	const struct state *state;
	const char *status;
	pid_t pid; /* of the process under the filter */
};
int serve_listener(int sync, int listener, const struct listener_owner *owner, struct error **err);
/* Sends the pidfd to pidfd_socket and writes the PID to pid_file; either may be NULL. */
int announce_process(const char *pid_file, const char *pidfd_socket, pid_t pid, int pidfd,
		     struct error **err);
int run_poststart(const struct state *s, const struct spec *spec, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container's first process, from clone3 to execve. Everything it needs was prepared by its parent
 * and comes with it in memory; what goes wrong it tells the parent (sync.h). */
#ifndef DHOW_RUNTIME_INIT_H
#define DHOW_RUNTIME_INIT_H

#include "runtime/place.h"
#include "runtime/program.h"
#include "runtime/rootfs.h"
#include "runtime/state.h"

struct init {
	const struct spec *spec;
	const struct state *state; /* for hooks' state objects */
	const struct placement *placement;
	struct rootfs *rootfs;
	bool sources_are_open;    /* the parent ran rootfs_open_sources */
	bool is_placed_by_parent; /* PLACED comes over sync */
	struct program program;
	int sync;           /* the child's end; owned */
	int start_listener; /* where start is awaited, or -1: START comes over sync; owned */
	int console_socket; /* connected, or -1: the pty's master goes over sync; owned */
	const int *cgroup_fds;
	int cgroup_fd_count;
};

_noreturn_ void init_main(struct init *init);

/* For exec as well: sets the size, makes the slave the controlling terminal and standard streams, and sends the
 * master to socket (console socket protocol) or, with -1, over sync. Closes both. */
int console_hand_over(const struct spec_process *process, int master, int slave, int socket,
		      int sync, struct error **err);
/* Gives the standard streams to the user, so that /dev/stdout can be opened again; quietly not where refused. */
void give_streams(const struct spec_user *user);
/* Program step for both: sends the seccomp listener over *sync (data) and waits until it was taken. */
int send_listener(int sync, int listener, struct error **err);

#endif

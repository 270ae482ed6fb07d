/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seccomp: linux.seccomp to a BPF program, through libseccomp, cached; and loading it. seccomp(2). */
#ifndef DHOW_RUNTIME_SECCOMP_H
#define DHOW_RUNTIME_SECCOMP_H

#include "runtime/spec.h"

struct seccomp_program {
	void *instructions;  /* struct sock_filter[] */
	size_t size;         /* bytes */
	unsigned flags;      /* for seccomp(2), without NEW_LISTENER */
	bool needs_listener; /* some rule notifies */
};

/* Makes the program (parent side). cache_fd is a directory of ours (0700, owned by us) for compiled filters, or -1:
 * an entry holds the whole seccomp object it was made from and is used only when that is equal byte for
 * byte, and libseccomp, kernel and architecture are the same. */
int seccomp_compile(const struct spec_seccomp *seccomp, int cache_fd, struct seccomp_program *out,
		    struct error **err);
void seccomp_program_clear(struct seccomp_program *program);

/* Loads it into the calling thread. *listener is the notify descriptor (caller's), or -1 when not needed. */
int seccomp_program_load(const struct seccomp_program *program, int *listener, struct error **err);

/* Sends the listener with the container process state (specification, "The Container Process State") to
 * the socket at listener_path. state is the container's state object; pid the process's. Parent side. */
int seccomp_send_listener(const struct spec_seccomp *seccomp, const json_t *state, pid_t pid,
			  int listener, struct error **err);

#endif

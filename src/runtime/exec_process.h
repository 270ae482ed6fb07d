/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What exec is to run: a process object from a file, or the container's own with flags over it. */
#ifndef DHOW_RUNTIME_EXEC_PROCESS_H
#define DHOW_RUNTIME_EXEC_PROCESS_H

#include "runtime/container.h"

struct exec_process {
	struct spec_process
		process;   /* borrows from everything below and from the container's spec */
	struct spec *file; /* --process */
	const char **env;  /* the container's with the flags' behind it */
	gid_t *additional_gids;
};

/* base is the container's process. Fills out, which exec_process_clear() frees. */
int exec_process_make(const struct container_exec_opts *opts, const struct spec_process *base,
		      struct exec_process *out, struct error **err);
void exec_process_clear(struct exec_process *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last steps before the program: its directory, environment, executable, and execve; for the
 * container's first process as for exec. Runs inside the container's root, where every file may be
 * hostile. */
#ifndef DHOW_RUNTIME_PROGRAM_H
#define DHOW_RUNTIME_PROGRAM_H

#include "runtime/attributes.h"
#include "runtime/seccomp.h"

struct program {
	const struct spec_process *process;
	struct attributes_opts attributes;
	const struct seccomp_program *seccomp; /* NULL for none */
	int preserve_fds;
	int listen_fds;            /* LISTEN_FDS for the program; 0 for none */
	const char *notify_socket; /* NOTIFY_SOCKET for the program, or NULL */
	bool make_cwd;             /* create process.cwd when absent, as for the first process */
	int keep[2]; /* closed at execve, and left open by program_prepare until then; or -1 */
	/* Filled in by program_prepare. */
	char *executable;
	struct strv environment;
};

/* Changes to process.cwd, completes the environment (PATH is as given; HOME from the container's
 * /etc/passwd where it is missing) and finds the executable. Errors as runc words them
 * (exec: "x": executable file not found in $PATH), -ENOENT or -EACCES. Then closes all descriptors but
 * the standard streams, the preserved ones, keep, and those of log and trace. */
int program_prepare(struct program *program, struct error **err);
/* Drops privileges and loads seccomp, in the order that no_new_privileges demands; on_listener gets a
 * notify descriptor (and closes it). between, when not NULL, runs with the privileges dropped. */
struct program_steps {
	int (*on_listener)(int listener, void *data, struct error **err);
	int (*between)(void *data, struct error **err);
	void *data;
};
/* Never returns on success. Returns a negative errno otherwise. */
int program_execute(struct program *program, const struct program_steps *steps, struct error **err);

#endif

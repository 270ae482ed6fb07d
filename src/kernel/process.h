/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes: clone3, pidfds, waiting, start times, signals by name, and leaving nothing open. */
#ifndef DHOW_KERNEL_PROCESS_H
#define DHOW_KERNEL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

struct process_clone {
	uint64_t flags;  /* CLONE_NEW*, CLONE_PARENT; CLONE_PIDFD is added */
	int cgroup_fd;   /* CLONE_INTO_CGROUP, or -1 */
	int exit_signal; /* SIGCHLD, or 0 */
};
/* clone3(2) as fork does it. Returns 0 in the child, the PID in the parent (*pidfd is then the caller's,
 * O_CLOEXEC), or a negative errno. */
pid_t process_clone(const struct process_clone *opts, int *pidfd, struct error **err);

/* Waits for pidfd's process, a child, and fills *status as waitpid(2). */
int process_wait(int pidfd, int *status, struct error **err);
/* 128 + signal, or the exit status. */
int process_exit_code(int status);

/* Field 22 of /proc/PID/stat: with the PID it names a process for good. -ESRCH when gone. *state is the
 * letter of field 3 when not NULL ('Z' and 'X' are dead). */
int process_start_time(pid_t pid, uint64_t *start_time, char *state);
/* A pidfd of pid when its start time is that one; -ESRCH otherwise. */
int process_open(pid_t pid, uint64_t start_time);
/* pidfd_send_signal(2), traced. */
int process_signal(int pidfd, int signal, struct error **err);

/* "TERM", "SIGTERM", "15", "RTMIN+3" to a number; -EINVAL otherwise. */
int signal_parse(const char *text);

/* Marks every descriptor from first on close-on-exec (close_range(2), or /proc/self/fd on old kernels). */
int descriptors_seal(int first, struct error **err);
/* Closes every descriptor from first on, but for the count ones in keep (any order; negative and smaller ones are
 * passed over). procfs.h starts anew after it. Returns 0 or a negative errno. */
int descriptors_close(int first, const int *keep, size_t count, struct error **err);

/* Makes the calling program run from a copy of its executable that nobody can write, unless it does so
 * already: a container that reaches /proc/PID/exe of the runtime must not reach the host's file
 * (CVE-2019-5736). Executes itself again; returns 0 when already sealed, or a negative errno. */
int process_seal_executable(char **argv, struct error **err);

#endif

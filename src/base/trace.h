/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one trace point: every change to the kernel's state that dhow makes is reported here.
 *
 * The wrappers in kernel/ call trace_step() after the system call; nothing else keeps a list of steps.
 * Without a sink it costs one branch. With one, each step is one line of JSON, written by one write(2),
 * so that the steps of parent and child, which share the descriptor, arrive whole and in order:
 *   {"t":NS,"pid":N,"group":"mounts","call":"move_mount","args":"...","ret":0,"ns":DURATION}
 * t is CLOCK_MONOTONIC. ret is 0 or a negative errno. */
#ifndef DHOW_BASE_TRACE_H
#define DHOW_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum trace_group {
	TRACE_IMAGE,
	TRACE_ROOTFS,
	TRACE_NAMESPACES,
	TRACE_MOUNTS,
	TRACE_DEVICES,
	TRACE_CGROUP,
	TRACE_NETWORK,
	TRACE_PROCESS, /* user, rlimits, scheduler, keyring, terminal, hooks */
	TRACE_CAPABILITIES,
	TRACE_SECCOMP,
	TRACE_EXEC,
	TRACE_STATE, /* our own files and directories */
	TRACE_GROUPS,
};

extern const char *const trace_group_names[TRACE_GROUPS];

/* Where steps go; -1 turns tracing off. fd is borrowed and should be O_APPEND or a pipe. */
void trace_setup(int fd);
int trace_fd(void);

extern int trace_sink_; /* for the branch below only */

/* CLOCK_MONOTONIC when tracing, else 0: the start of a step. */
uint64_t trace_begin(void);
/* Reports one step. begin comes from trace_begin; ret is 0 or more, or a negative errno. The
 * arguments are the call's own in readable form, as strace would print them. Keeps errno. */
void trace_step_(enum trace_group group, uint64_t begin, const char *call, int ret,
		 const char *format, ...) _printf_(5, 6);
#define trace_step(group, begin, call, ret, ...)                           \
	do {                                                               \
		if (trace_sink_ >= 0)                                      \
			trace_step_(group, begin, call, ret, __VA_ARGS__); \
	} while (0)

#endif

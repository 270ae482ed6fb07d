/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device rules: the state that a list of linux.resources.devices leads to, and that state as v1 writes
 * or as a BPF program for v2. */
#ifndef DHOW_RUNTIME_CGROUP_DEVICES_H
#define DHOW_RUNTIME_CGROUP_DEVICES_H

#include <linux/bpf.h>

#include "runtime/spec.h"

enum device_access { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4 }; /* as BPF_DEVCG_ACC_* */

struct device_exception {
	char type;            /* 'b' or 'c' */
	int64_t major, minor; /* -1 is every one */
	unsigned access;      /* enum device_access; never 0 */
};

/* Everything is as is_allowed says, but for the exceptions. Each (type, major, minor) is there once. */
struct device_state {
	bool is_allowed;
	struct device_exception *exceptions;
	size_t count;
};

/* Applies the rules in order to "nothing is allowed", and then the devices that every container has
 * (specification, "Default Devices", ptys, mknod). free() the exceptions. A rule that would have to punch a
 * hole in a broader exception is -EINVAL: the kernel's list can't. */
int device_state_build(const struct spec_device_rule *rules, size_t count, struct device_state *out,
		       struct error **err);
/* The program that decides so. Returns the number of instructions, *insns for free(), or -ENOMEM. */
ssize_t device_state_program(const struct device_state *state, struct bpf_insn **insns);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf(2), as far as device control on cgroup v2 needs it: programs of type BPF_PROG_TYPE_CGROUP_DEVICE,
 * loaded, attached to a cgroup, and exchanged without a moment in which none is in force. */
#ifndef DHOW_KERNEL_BPF_H
#define DHOW_KERNEL_BPF_H

#include <linux/bpf.h>

#include "base/base.h"

/* Loads count instructions. Returns the program's descriptor. */
int bpf_load_device_program(const struct bpf_insn *insns, size_t count, struct error **err);

/* Makes prog_fd the device program of the cgroup whose directory is cgroup_fd (not O_PATH), in place of
 * all that are attached to it now. All attached programs must allow an access, so the order is: exchange
 * in one step where there is just one (Linux 5.6), else attach first and detach the others then. */
int bpf_set_device_program(int cgroup_fd, int prog_fd, struct error **err);

/* Number of device programs attached to the cgroup itself, or a negative errno. */
int bpf_count_device_programs(int cgroup_fd, struct error **err);

#endif

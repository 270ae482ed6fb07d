/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel: thin, typed wrappers for what libc lacks. Every wrapper that changes the kernel's state
 * reports it through the trace point (base/trace.h). This is the door. */
#ifndef DHOW_KERNEL_KERNEL_H
#define DHOW_KERNEL_KERNEL_H

#include "kernel/capability.h"
#include "kernel/cgroup.h"
#include "kernel/mount.h"
#include "kernel/namespace.h"
#include "kernel/path.h"
#include "kernel/process.h"
#include "kernel/procfs.h"

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seccomp(2): what the kernel takes, and loading a filter. */
#ifndef DHOW_KERNEL_SECCOMP_H
#define DHOW_KERNEL_SECCOMP_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/base.h"

/* True when the kernel knows all of flags (SECCOMP_FILTER_FLAG_x; WAIT_KILLABLE_RECV together with
 * NEW_LISTENER). Changes nothing. */
bool seccomp_flags_are_supported(unsigned flags);

/* Loads a filter of count instructions into the calling thread, with SECCOMP_FILTER_FLAG_x. Takes
 * no_new_privs or CAP_SYS_ADMIN. Returns the listener (caller's, close-on-exec) where flags have
 * NEW_LISTENER, else 0, or a negative errno. */
int seccomp_install(const struct sock_filter *instructions, size_t count, unsigned flags,
		    struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of sealing an executable share: process_seal_executable() (process.h), and the entry before
 * the C library. */
#ifndef DHOW_KERNEL_EXECUTABLE_H
#define DHOW_KERNEL_EXECUTABLE_H

/* In the environment of the sealed program; says where to look, and proves nothing. */
#define EXECUTABLE_SEALED_MARK "_DHOW_SEALED"

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running another program to its end: newuidmap, and our own in libexec. */
#ifndef DHOW_KERNEL_SUBPROCESS_H
#define DHOW_KERNEL_SUBPROCESS_H

#include "base/base.h"

/* Runs file, which is searched in PATH unless it has a slash, with argv, and waits. No signal is blocked in
 * it; standard input is empty. Its answer, the first line of what it prints (also to standard error), goes to *answer
 * (for free(); NULL: not wanted); when it fails, that line is the error. Returns 0 or a negative errno: -EIO
 * where it ran and failed. */
int subprocess_run(const char *file, const struct strv *argv, char **answer, struct error **err);

#endif

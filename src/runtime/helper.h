/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of ours that do what needs a heavy library: dhow-systemd (D-Bus) and dhow-criu. dhow-oci,
 * being static and quick to start, executes them when it must. */
#ifndef DHOW_RUNTIME_HELPER_H
#define DHOW_RUNTIME_HELPER_H

#include <limits.h>

#include "base/base.h"

struct helper_path {
	char text[PATH_MAX];
};

/* Where the program is: in the directory that DHOW_LIBEXECDIR of the environment names (for a tree that was
 * built or staged, but not installed), else where it was built to be installed. */
void helper_find(const char *name, struct helper_path *path);
/* Whether it is installed. */
bool helper_exists(const char *name);

/* Runs it with argv, whose first is its name, and waits: subprocess_run (kernel/subprocess.h). */
int helper_run(const struct strv *argv, char **answer, struct error **err);

#endif

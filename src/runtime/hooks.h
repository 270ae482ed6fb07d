/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX hooks: programs that the configuration names for points in a container's life.
 * Runtime specification, "POSIX-platform Hooks". */
#ifndef DHOW_RUNTIME_HOOKS_H
#define DHOW_RUNTIME_HOOKS_H

#include "runtime/spec.h"

/* Runs the list in order, each with state (the container's state object) on its standard input, only
 * the environment that the hook names, and directory as its current one where that is there (NULL: the
 * caller's). kind names the list in
 * errors ("prestart"). Stops at the first that fails: non-zero exit, signal or timeout (then it is
 * killed); what it wrote is part of the error. */
int hooks_run(const struct spec_hook_list *hooks, const char *kind, const json_t *state,
	      const char *directory, struct error **err);

#endif

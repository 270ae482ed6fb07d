/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a container away: processes, cgroup, resctrl group, poststop hooks, state. */
#ifndef DHOW_RUNTIME_DESTROY_H
#define DHOW_RUNTIME_DESTROY_H

#include "runtime/state.h"

/* Removes everything of a container whose first process has ended. s is locked. spec (for the poststop
 * hooks) may be NULL where it can't be read. A step that fails does not keep the rest from being done; then
 * the first error is returned, and the state directory stays for the next try, unless only a hook failed. */
int destroy_container(const struct runtime *rt, struct state *s, const struct spec *spec,
		      struct error **err);

#endif

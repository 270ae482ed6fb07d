/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A procfs that can be trusted, and checked reads and writes below it.
 *
 * Paths such as /proc/self/attr/exec must not be redirected by a mount or link that a container (or a
 * config.json) put over /proc. So every such access goes through a descriptor of a procfs instance of
 * our own (fsopen("proc"), detached), or, where that is refused, of the host's /proc after checking that
 * it is procfs and its root (PROC_SUPER_MAGIC, inode 1); below it openat2 resolves with
 * RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS where possible. proc(5). */
#ifndef DHOW_KERNEL_PROCFS_H
#define DHOW_KERNEL_PROCFS_H

#include <sys/types.h>

#include "base/base.h"

/* An O_PATH descriptor of a trusted procfs root that shows the PID namespace of the caller. The first call in
 * a process opens the host's /proc (checked); cheap after that. Borrowed. Returns a negative errno. */
int procfs_root(struct error **err);
/* For use after clone3 or setns, when the PID namespace may be another one. Keeps the root that was opened
 * before where that shows the caller (the host's shows everybody), and opens a new detached instance where not, or
 * where nothing was opened yet, since /proc may be a container's now. "self" is always resolved anew; PIDs in a path count as the procfs does that was opened first. */
int procfs_renew(struct error **err);

/* Forgets the root, whose descriptor somebody closed: the next call opens it again. */
void procfs_forget(void);

/* Opens path (relative to procfs, such as "self/attr/exec"; "self" is resolved by the module) with
 * flags | O_CLOEXEC | O_NOFOLLOW and checks that what was opened is on procfs. Returns the descriptor or a negative errno. */
int procfs_open(const char *path, int flags, struct error **err);
/* Opens the file behind fd, which may be O_PATH, anew with flags | O_CLOEXEC. */
int procfs_reopen(int fd, int flags, struct error **err);
/* One write(2) of value. Traced in group (enum trace_group). */
int procfs_write(enum trace_group group, const char *path, const char *value, struct error **err);
/* Reads all (at most 1 MiB); caller frees. */
int procfs_read(const char *path, char **value, size_t *length, struct error **err);

#endif

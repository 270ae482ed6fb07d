/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who the calling thread is: ids, groups, umask, no_new_privs. credentials(7), prctl(2). */
#ifndef DHOW_KERNEL_CREDENTIALS_H
#define DHOW_KERNEL_CREDENTIALS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"

/* Each returns 0 or a negative errno. Real, effective and saved ids all become the given one; with
 * keep_capabilities the permitted set outlives the change from root to another user. */
int credentials_set_groups(const gid_t *gids, size_t count, struct error **err);
int credentials_set_user(uid_t uid, gid_t gid, bool keep_capabilities, struct error **err);
void credentials_set_umask(mode_t mask);
int credentials_no_new_privileges(struct error **err);

#endif

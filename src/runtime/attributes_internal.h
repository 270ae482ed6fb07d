/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the program's attributes. Each subject has its part of attributes_check (parent) and of
 * attributes_early or attributes_late (child). */
#ifndef DHOW_RUNTIME_ATTRIBUTES_INTERNAL_H
#define DHOW_RUNTIME_ATTRIBUTES_INTERNAL_H

#include "runtime/attributes.h"

/* limits.c: rlimits and oom_score_adj. */
int limits_check(const struct attributes_opts *opts, struct error **err);
int limits_apply(const struct attributes_opts *opts, struct error **err);

/* scheduling.c: scheduler, I/O priority, memory policy, personality. */
int scheduling_check(const struct attributes_opts *opts, struct error **err);
int scheduling_apply(const struct attributes_opts *opts, struct error **err);

/* labels.c: AppArmor, SELinux, session keyring. */
int labels_check(const struct attributes_opts *opts, struct error **err);
int labels_apply(const struct attributes_opts *opts, struct error **err);

/* privileges.c: bounding set, groups and ids; then the other capability sets. */
int privileges_check(const struct attributes_opts *opts, struct error **err);
int privileges_become_user(const struct attributes_opts *opts, struct spec_capabilities *granted,
			   struct error **err);
int privileges_drop(const struct spec_capabilities *granted, struct error **err);

#endif

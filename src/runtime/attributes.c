/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which a program's attributes are checked and applied. See attributes.h. */
#include <string.h>

#include "kernel/credentials.h"
#include "kernel/scheduling.h"
#include "runtime/attributes_internal.h"

/* runc's, for containers that don't say. */
#define DEFAULT_UMASK 0022

int attributes_check(const struct attributes_opts *opts, struct error **err)
{
	int r = limits_check(opts, err);

	r = r ?: scheduling_check(opts, err);
	r = r ?: labels_check(opts, err);
	return r ?: privileges_check(opts, err);
}

int attributes_early(const struct attributes_opts *opts, struct error **err)
{
	int r = labels_apply(opts, err);

	r = r ?: scheduling_apply(opts, err);
	/* Last: a small limit hinders us, too. */
	return r ?: limits_apply(opts, err);
}

int attributes_become_user(const struct attributes_opts *opts, struct spec_capabilities *granted,
			   struct error **err)
{
	const struct spec_user *user = &opts->process->user;
	int r = privileges_become_user(opts, granted, err);

	if (r == 0)
		credentials_set_umask(user->umask.is_set ? (mode_t)user->umask.value
							 : DEFAULT_UMASK);
	return r;
}

int attributes_late(const struct attributes_opts *opts, const struct spec_capabilities *granted,
		    struct error **err)
{
	int r = privileges_drop(granted, err);

	return r == 0 && opts->process->no_new_privileges ? credentials_no_new_privileges(err) : r;
}

int attributes_affinity_reset(struct error **err)
{
	struct number_set all;
	int r;

	memset(all.bits, 0xff, sizeof all.bits);
	r = scheduling_set_cpus(&all, "all", err);
	return r < 0 ? error_prefix(err, "process.execCPUAffinity") : 0;
}

int attributes_affinity(const char *list, struct error **err)
{
	struct number_set cpus;
	int r;

	if (!list || !*list)
		return 0;
	r = number_set_parse(list, &cpus);
	if (r < 0)
		return error_errno(err, -r, "process.execCPUAffinity: %s", list);
	r = scheduling_set_cpus(&cpus, list, err);
	return r < 0 ? error_prefix(err, "process.execCPUAffinity") : 0;
}

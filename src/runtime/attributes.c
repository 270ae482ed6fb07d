/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which a program's attributes are checked and applied. See attributes.h. */
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

int attributes_late(const struct attributes_opts *opts, struct error **err)
{
	const struct spec_process *process = opts->process;
	int r = privileges_apply(opts, err);

	if (r < 0)
		return r;
	credentials_set_umask(process->user.umask.is_set ? (mode_t)process->user.umask.value
							 : DEFAULT_UMASK);
	return process->no_new_privileges ? credentials_no_new_privileges(err) : 0;
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

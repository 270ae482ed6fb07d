/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kill: sends a signal to a container's first process, or to all of its processes. */
#include <errno.h>

#include "cli/oci/oci.h"
#include "kernel/process.h"

struct kill_values {
	bool all;
};

static const struct command_option options[] = {
	{.name = "all",
	 .alias = "a",
	 .help = "send the signal to all processes inside the container",
	 OPTION_TO(struct kill_values, all)},
	{0},
};

static int run(const struct command_call *call, struct error **err)
{
	const char *name = call->argument_count > 1 ? call->arguments[1] : "SIGTERM";
	const struct kill_values *values = call->values;
	_cleanup_free_ char *root = NULL;
	int signal = signal_parse(name);
	struct runtime rt;
	int r;

	if (signal < 0)
		return error_set(err, EINVAL, "unknown signal \"%s\"", name);
	r = oci_runtime(call, &rt, &root, err);
	return r ? r : container_kill(&rt, call->arguments[0], signal, values->all, err);
}

const struct command oci_kill = {
	.name = "kill",
	.arguments = "<container-id> [signal]",
	.summary = "send a signal (default: SIGTERM) to the container's init process",
	.description = "The signal is a name with or without \"SIG\", or a number.\n"
		       "\n"
		       "For example, this sends a \"KILL\" signal to the init process of the\n"
		       "\"ubuntu01\" container:\n"
		       "\n"
		       "    # dhow-oci kill ubuntu01 KILL\n",
	.options = options,
	.values_size = sizeof(struct kill_values),
	.min_arguments = 1,
	.max_arguments = 2,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

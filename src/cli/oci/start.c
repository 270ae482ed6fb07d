/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start: runs the program of a created container. */
#include "cli/oci/oci.h"

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r = oci_runtime(call, &rt, &root, err);

	return r ? r : container_start(&rt, call->arguments[0], oci_notify_socket(), err);
}

const struct command oci_start = {
	.name = "start",
	.arguments = "<container-id>",
	.summary = "execute the user defined process in a created container",
	.description =
		"The start command executes the user defined process in a created container.\n",
	.min_arguments = 1,
	.max_arguments = 1,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

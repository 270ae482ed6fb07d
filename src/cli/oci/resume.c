/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume: thaws a container. */
#include "cli/oci/oci.h"

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r = oci_runtime(call, &rt, &root, err);

	return r ? r : container_resume(&rt, call->arguments[0], err);
}

const struct command oci_resume = {
	.name = "resume",
	.arguments = "<container-id>",
	.summary = "resume all processes that have been previously paused",
	.description =
		"The resume command resumes all processes in the instance of the container.\n"
		"Use list to identify instances of containers and their current status.\n",
	.min_arguments = 1,
	.max_arguments = 1,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

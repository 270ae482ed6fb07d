/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delete: removes what a container holds. */
#include "cli/oci/oci.h"

struct delete_values {
	bool force;
};

static const struct command_option options[] = {
	{.name = "force",
	 .alias = "f",
	 .help = "forcibly delete the container if it is still running (uses SIGKILL); no error if "
		 "it does not exist",
	 OPTION_TO(struct delete_values, force)},
	{0},
};

static int run(const struct command_call *call, struct error **err)
{
	const struct delete_values *values = call->values;
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r = oci_runtime(call, &rt, &root, err);

	return r ? r : container_delete(&rt, call->arguments[0], values->force, err);
}

const struct command oci_delete = {
	.name = "delete",
	.arguments = "<container-id>",
	.summary = "delete any resources held by the container, often used with detached ones",
	.description = "Where \"<container-id>\" is the name for the instance of the container.\n"
		       "\n"
		       "For example, if list shows the status of \"ubuntu01\" as \"stopped\" the\n"
		       "following deletes its resources and removes it from the list:\n"
		       "\n"
		       "    # dhow-oci delete ubuntu01\n",
	.options = options,
	.values_size = sizeof(struct delete_values),
	.min_arguments = 1,
	.max_arguments = 1,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state: prints a container's state as JSON. Specification, "State". */
#include "cli/oci/oci.h"

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_(container_info_clear) struct container_info info = {0};
	_cleanup_free_ char *root = NULL;
	_cleanup_json_ json_t *object = NULL;
	struct runtime rt;
	int r = oci_runtime(call, &rt, &root, err);

	if (!r)
		r = container_info(&rt, call->arguments[0], &info, err);
	if (r)
		return r;
	object = oci_state_object(&info, "");
	return oci_print_json(object, JSON_INDENT(2), err);
}

const struct command oci_state = {
	.name = "state",
	.arguments = "<container-id>",
	.summary = "output the state of a container",
	.description = "The state command outputs current state information for the instance of a\n"
		       "container, as JSON.\n",
	.min_arguments = 1,
	.max_arguments = 1,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

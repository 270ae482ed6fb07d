/* SPDX-License-Identifier: GPL-2.0-or-later */
/* create: makes a container from a bundle, up to but not including its program. */
#include "cli/oci/oci.h"

static const struct command_option options[] = {
	OCI_BUNDLE_OPTION(struct container_create_opts),
	OCI_CONSOLE_SOCKET_OPTION(struct container_create_opts),
	OCI_PIDFD_SOCKET_OPTION(struct container_create_opts, "init"),
	OCI_PID_FILE_OPTION(struct container_create_opts),
	OCI_NO_PIVOT_OPTION(struct container_create_opts),
	OCI_NO_NEW_KEYRING_OPTION(struct container_create_opts),
	OCI_PRESERVE_FDS_OPTION(struct container_create_opts, "stdio + $LISTEN_FDS + N"),
	{0},
};

static int run(const struct command_call *call, struct error **err)
{
	struct container_create_opts *opts = call->values;
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r;

	r = oci_complete_create(call, opts, err);
	if (!r)
		r = oci_runtime_for_new(call, &rt, &root, err);
	if (!r)
		r = container_create(&rt, opts, err);
	return r < 0 ? error_prefix(err, "%s create failed", call->program->name) : 0;
}

const struct command oci_create = {
	.name = "create",
	.arguments = "<container-id>",
	.summary = "create a container",
	.description =
		"The create command creates an instance of a container for a bundle. The bundle\n"
		"is a directory with a specification file named \"config.json\" and a root\n"
		"filesystem. The start command then runs the program that the specification's\n"
		"process.args name.\n"
		"\n" OCI_NAME_TEXT,
	.options = options,
	.values_size = sizeof(struct container_create_opts),
	.min_arguments = 1,
	.max_arguments = 1,
	.enters_containers = true,
	.run = run,
};

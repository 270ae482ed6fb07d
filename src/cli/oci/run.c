/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run: creates and starts a container, and, unless detached, waits for its end and deletes it. */
#include "cli/oci/oci.h"

static const struct command_option options[] = {
	OCI_BUNDLE_OPTION(struct container_create_opts),
	OCI_CONSOLE_SOCKET_OPTION(struct container_create_opts),
	OCI_PIDFD_SOCKET_OPTION(struct container_create_opts, "init"),
	OCI_DETACH_OPTION(struct container_create_opts),
	{.name = "keep",
	 .help = "do not delete the container after it exits",
	 OPTION_TO(struct container_create_opts, keep)},
	OCI_PID_FILE_OPTION(struct container_create_opts),
	OCI_NO_SUBREAPER_OPTION(struct container_create_opts),
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
		r = container_run(&rt, opts, err);
	return r < 0 ? error_prefix(err, "%s run failed", call->program->name) : r;
}

const struct command oci_run = {
	.name = "run",
	.arguments = "<container-id>",
	.summary = "create and run a container",
	.description =
		"The run command creates an instance of a container for a bundle and starts its\n"
		"program. It ends with the program, passes on its exit status and deletes the\n"
		"container; with --detach it ends as soon as the program runs.\n"
		"\n"
		"The bundle is a directory with a specification file named \"config.json\" and a\n"
		"root filesystem.\n"
		"\n" OCI_NAME_TEXT,
	.options = options,
	.values_size = sizeof(struct container_create_opts),
	.min_arguments = 1,
	.max_arguments = 1,
	.enters_containers = true,
	.run = run,
};

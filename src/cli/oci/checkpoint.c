/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checkpoint: saves a running container's processes to files, by CRIU. */
#include "cli/oci/criu.h"

static const struct command_option options[] = {
	CRIU_DIRECTORY("image-path", image_path, "path for saving criu image files", "checkpoint"),
	CRIU_DIRECTORY("parent-path", parent_path,
		       "path for previous criu image files in pre-dump, relative to --image-path",
		       NULL),
	CRIU_FLAG("leave-running", leave_running, "leave the process running after checkpointing"),
	CRIU_FLAG("tcp-skip-in-flight", tcp_skip_in_flight, "skip in-flight tcp connections"),
	CRIU_FLAG("link-remap", link_remap, "allow one to link unlinked files back when possible"),
	CRIU_TEXT("status-fd", "fd", status_fd,
		  "criu writes \\0 to this FD once lazy-pages is ready"),
	CRIU_TEXT("page-server", "address:port", page_server, "address of the page server"),
	CRIU_FLAG("pre-dump", pre_dump,
		  "dump container's memory information only, leave the container running after "
		  "this"),
	CRIU_SHARED_OPTIONS,
	{0},
};

static int run(const struct command_call *call, struct error **err)
{
	struct container_checkpoint_opts *opts;
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r;

	r = criu_complete(call, &opts, err);
	if (!r)
		r = oci_runtime(call, &rt, &root, err);
	return r ? r : container_checkpoint(&rt, opts, err);
}

const struct command oci_checkpoint = {
	.name = "checkpoint",
	.arguments = "<container-id>",
	.summary = "checkpoint a running container",
	.description =
		"The checkpoint command saves the state of the container instance, by means of\n"
		"criu(8), which must be installed. The container is then gone, unless it is told to\n"
		"be left running.\n",
	.options = options,
	.values_size = sizeof(struct criu_values),
	.min_arguments = 1,
	.max_arguments = 1,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore: makes a container of what checkpoint saved, by CRIU. */
#include "cli/oci/criu.h"

static const struct command_option options[] = {
	CRIU_DIRECTORY("image-path", image_path, "path to criu image files for restoring",
		       "checkpoint"),
	OCI_BUNDLE_OPTION(struct container_checkpoint_opts),
	OCI_CONSOLE_SOCKET_OPTION(struct container_checkpoint_opts),
	OCI_DETACH_OPTION(struct container_checkpoint_opts),
	OCI_PID_FILE_OPTION(struct container_checkpoint_opts),
	OCI_NO_SUBREAPER_OPTION(struct container_checkpoint_opts),
	OCI_NO_PIVOT_OPTION(struct container_checkpoint_opts),
	CRIU_SHARED_OPTIONS,
	CRIU_TEXT("lsm-profile", "type:name", lsm_profile, "LSM profile to be used during restore"),
	CRIU_TEXT("lsm-mount-context", "context", lsm_mount_context,
		  "LSM mount context to be used during restore"),
	{0},
};

/* The options above that are not CRIU's write to the opts directly. */
_Static_assert(offsetof(struct criu_values, opts) == 0, "opts must be the first member");

static int run(const struct command_call *call, struct error **err)
{
	struct container_checkpoint_opts *opts;
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r;

	r = criu_complete(call, &opts, err);
	if (!r)
		r = oci_runtime_for_new(call, &rt, &root, err);
	return r ? r : container_restore(&rt, opts, err);
}

const struct command oci_restore = {
	.name = "restore",
	.arguments = "<container-id>",
	.summary = "restore a container from a previous checkpoint",
	.description =
		"Restores the saved state of the container instance that was previously saved\n"
		"using the checkpoint command, by means of criu(8), which must be installed.\n",
	.options = options,
	.values_size = sizeof(struct criu_values),
	.min_arguments = 1,
	.max_arguments = 1,
	.enters_containers = true,
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of CRIU's options. See criu.h. */
#include <errno.h>
#include <string.h>

#include "cli/oci/criu.h"

const char *const criu_cgroup_modes[] = {"soft", "full", "strict", "ignore", NULL};
const char *const criu_namespaces[] = {"network", NULL};

static int check_page_server(const char *text, struct error **err)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || colon == text || parse_u64(colon + 1, UINT16_MAX, &port))
		return error_set(err, EINVAL, "--page-server %s: expected ADDRESS:PORT", text);
	return 0;
}

int criu_complete(const struct command_call *call, struct container_checkpoint_opts **out,
		  struct error **err)
{
	struct criu_values *values = call->values;
	struct container_checkpoint_opts *opts = &values->opts;
	uint64_t fd;

	opts->id = call->arguments[0];
	opts->empty_ns = oci_strings(&values->empty_ns);
	if (opts->parent_path && *opts->parent_path == '/')
		return error_set(err, EINVAL, "--parent-path must be relative to --image-path");
	if (opts->status_fd && parse_u64(opts->status_fd, INT32_MAX, &fd))
		return error_set(err, EINVAL, "--status-fd %s: expected a descriptor's number",
				 opts->status_fd);
	*out = opts;
	return opts->page_server ? check_page_server(opts->page_server, err) : 0;
}

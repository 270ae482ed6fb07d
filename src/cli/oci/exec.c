/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec: runs another program inside a running container.
 *
 * What the program is comes from the words behind the id and from options, over what the container's
 * own process has, or whole from a JSON file (--process), as engines do. With the file the options
 * about the process have no part, as in runc: conmon gives --tty along with it. */
#include <errno.h>

#include "cli/oci/oci.h"

struct exec_values {
	const char *console_socket, *pidfd_socket, *pid_file, *process;
	const char *cwd, *user, *process_label, *apparmor;
	struct strv env, additional_gids, cap, cgroup;
	bool tty, detach, no_new_privs, ignore_paused;
	int preserve_fds;
};

static const struct command_option options[] = {
	OCI_CONSOLE_SOCKET_OPTION(struct exec_values),
	OCI_PIDFD_SOCKET_OPTION(struct exec_values, "exec"),
	{.name = "cwd",
	 .value = "path",
	 .help = "current working directory in the container",
	 OPTION_TO(struct exec_values, cwd)},
	{.name = "env",
	 .alias = "e",
	 .value = "name=value",
	 .help = "set environment variables",
	 OPTION_TO(struct exec_values, env)},
	{.name = "tty",
	 .alias = "t",
	 .help = "allocate a pseudo-TTY",
	 OPTION_TO(struct exec_values, tty)},
	{.name = "user",
	 .alias = "u",
	 .value = "uid[:gid]",
	 .help = "user ID, and group ID, of the process",
	 OPTION_TO(struct exec_values, user)},
	{.name = "additional-gids",
	 .alias = "g",
	 .value = "gid",
	 .help = "additional group IDs of the process",
	 OPTION_TO(struct exec_values, additional_gids)},
	{.name = "process",
	 .alias = "p",
	 .value = "file",
	 .completion = COMPLETE_FILE,
	 .help = "take the process from this process.json, whole: --cwd, --env, --tty, --user, "
		 "--additional-gids, --process-label, --apparmor, --no-new-privs and --cap have "
		 "no effect then",
	 OPTION_TO(struct exec_values, process)},
	OCI_DETACH_OPTION(struct exec_values),
	OCI_PID_FILE_OPTION(struct exec_values),
	{.name = "process-label",
	 .value = "label",
	 .help = "set the SELinux label of the process",
	 OPTION_TO(struct exec_values, process_label)},
	{.name = "apparmor",
	 .value = "profile",
	 .help = "set the AppArmor profile of the process",
	 OPTION_TO(struct exec_values, apparmor)},
	{.name = "no-new-privs",
	 .help = "set the no new privileges value for the process",
	 OPTION_TO(struct exec_values, no_new_privs)},
	{.name = "cap",
	 .alias = "c",
	 .value = "capability",
	 .help = "add a capability to the bounding set for the process",
	 OPTION_TO(struct exec_values, cap)},
	OCI_PRESERVE_FDS_OPTION(struct exec_values, "stdio + N"),
	{.name = "cgroup",
	 .value = "[controller:]path",
	 .help = "run the process in an (existing) sub-cgroup; may be given for several "
		 "controllers",
	 OPTION_TO(struct exec_values, cgroup)},
	{.name = "ignore-paused",
	 .help = "allow exec in a paused container",
	 OPTION_TO(struct exec_values, ignore_paused)},
	{0},
};

static int collect(const struct command_call *call, struct container_exec_opts *out,
		   struct error **err)
{
	const struct exec_values *v = call->values;
	bool is_file = v->process && *v->process;

	*out = (struct container_exec_opts){
		.id = call->arguments[0],
		.console_socket = v->console_socket,
		.pid_file = v->pid_file,
		.pidfd_socket = v->pidfd_socket,
		.detach = v->detach,
		.ignore_paused = v->ignore_paused,
		.preserve_fds = v->preserve_fds,
		.cgroups = oci_strings(&v->cgroup),
	};
	if (is_file) {
		out->process_file = v->process;
		return 0;
	}
	if (call->argument_count < 2)
		return error_set(err, EINVAL,
				 "no program to execute: name it behind the container id, or give "
				 "--process");
	out->args = (struct spec_strings){.items = (const char **)call->arguments + 1,
					  .count = call->argument_count - 1};
	out->cwd = v->cwd;
	out->user = v->user;
	out->env = oci_strings(&v->env);
	out->additional_gids = oci_strings(&v->additional_gids);
	out->capabilities = oci_strings(&v->cap);
	out->apparmor = v->apparmor;
	out->process_label = v->process_label;
	out->tty = v->tty;
	out->no_new_privs = v->no_new_privs;
	return 0;
}

static int run(const struct command_call *call, struct error **err)
{
	struct container_exec_opts opts;
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r;

	r = collect(call, &opts, err);
	if (!r)
		r = oci_check_preserved(opts.preserve_fds, err);
	if (!r)
		r = oci_runtime(call, &rt, &root, err);
	if (!r)
		r = container_exec(&rt, &opts, err);
	return r < 0 ? error_prefix(err, "exec failed") : r;
}

const struct command oci_exec = {
	.name = "exec",
	.arguments = "<container-id> <command> [arguments...] | --process file <container-id>",
	.summary = "execute new process inside the container",
	.description =
		"Where \"<container-id>\" is the name for the instance of the container and\n"
		"\"<command>\" is the command to be executed in the container; its words follow the\n"
		"container's name and are not options of exec. Its exit status is passed on; 255\n"
		"tells that it could not be started.\n"
		"\n"
		"For example, if the container has the ps command the following will output a\n"
		"list of processes running in the container:\n"
		"\n"
		"    # dhow-oci exec <container-id> ps\n",
	.options = options,
	.values_size = sizeof(struct exec_values),
	.min_arguments = 1,
	.max_arguments = ARGUMENTS_ANY,
	.stops_at_argument = true,
	.enters_containers = true,
	.failure_status = 255,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

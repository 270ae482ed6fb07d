/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow-oci: an OCI runtime with runc's command line.
 *
 * A call is taken apart by the table below. A command that puts a process of this program into a
 * container first executes the program again from a file that containers can't write. Then the log is
 * opened and the command runs. An error becomes one record in the log, and one line on standard error
 * where the log is elsewhere: containerd and conmon read the former, people the latter. */
#include <errno.h>
#include <string.h>

#include "cli/oci/oci.h"
#include "dhow_config.h"
#include "kernel/process.h"

#define STATUS_ERROR           1
#define STATUS_UNKNOWN_COMMAND 3 /* as runc */

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const rootless_modes[] = {"true", "false", "auto", NULL};

static const struct command_option global_options[] = {
	{.name = "debug",
	 .help = "enable debug logging, and report each change to the kernel's state as a line of JSON",
	 OPTION_TO(struct oci_globals, debug)},
	{.name = "log",
	 .value = "path",
	 .completion = COMPLETE_FILE,
	 .help = "append the log to this file (default: standard error)",
	 OPTION_TO(struct oci_globals, log)},
	{.name = "log-format",
	 .value = "format",
	 .help = "the log's format, text or json",
	 .default_text = "text",
	 .choices = log_formats,
	 OPTION_TO(struct oci_globals, log_format)},
	{.name = "root",
	 .value = "path",
	 .completion = COMPLETE_DIRECTORY,
	 .help = "root directory for storage of container state, best in tmpfs (default: "
		 "/run/dhow-oci, or $XDG_RUNTIME_DIR/dhow-oci for a normal user)",
	 OPTION_TO(struct oci_globals, root)},
	{.name = "systemd-cgroup",
	 .help = "let systemd make the cgroups; cgroupsPath is then of the form "
		 "\"slice:prefix:name\", such as \"system.slice:dhow:434234\"",
	 OPTION_TO(struct oci_globals, systemd_cgroup)},
	{.name = "rootless",
	 .value = "mode",
	 .help = "ignore cgroup permission errors: true, false or auto",
	 .default_text = "auto",
	 .choices = rootless_modes,
	 OPTION_TO(struct oci_globals, rootless)},
	{.name = "criu",
	 .value = "path",
	 .help = "(obsolete: criu is looked for in $PATH)",
	 .is_hidden = true,
	 OPTION_TO(struct oci_globals, criu)},
	{0},
};

/* clang-format off */
static const struct command *const commands[] = {
	&oci_checkpoint,
	&oci_create,
	&oci_delete,
	&oci_events,
	&oci_exec,
	&oci_features,
	&oci_kill,
	&oci_list,
	&oci_pause,
	&oci_ps,
	&oci_restore,
	&oci_resume,
	&oci_run,
	&oci_spec,
	&oci_start,
	&oci_state,
	&oci_update,
	&command_help,
	&command_man,
	&command_completion,
	NULL,
};
/* clang-format on */

static const struct command_program program = {
	.name = "dhow-oci",
	.summary = "Open Container Initiative runtime",
	.description =
		"dhow-oci starts containers from OCI bundles, for container engines and for people.\n"
		"It takes runc's command line, so that containerd, podman, docker and CRI-O can use it\n"
		"in runc's place.\n"
		"\n"
		"A bundle is a directory with a specification file named \"config.json\" and a root\n"
		"file system. To start a new instance of a container:\n"
		"\n"
		"    # dhow-oci run [ -b bundle ] <container-id>\n"
		"\n"
		"\"<container-id>\" is your name for the instance of the container, unique on your\n"
		"host. Without \"-b\" the bundle is the current directory.\n",
	.options = global_options,
	.values_size = sizeof(struct oci_globals),
	.commands = commands,
	.man_sections =
		".SH EXIT STATUS\n"
		"0 on success and 1 on an error. \\fBrun\\fR, \\fBexec\\fR and \\fBrestore\\fR pass on "
		"the program's status, or 128 and the number of the signal that ended it; "
		"\\fBexec\\fR ends with 255 when the program could not be started. "
		"An unknown command is 3.\n"
		".SH FILES\n"
		".TP\n.I config.json\nThe container's configuration, in the bundle.\n"
		".TP\n.I /run/dhow-oci\nThe containers' state, one directory each, and in\n"
		".I ~seccomp\nthe filters that were compiled. With \\fB\\-\\-root\\fR it is elsewhere.\n"
		".TP\n.I $XDG_RUNTIME_DIR/dhow-oci\nThe same for a normal user.\n"
		".TP\n.I " DHOW_LIBEXECDIR "/dhow-systemd\n"
		"Asks systemd for cgroups, with \\fB\\-\\-systemd\\-cgroup\\fR.\n"
		".TP\n.I " DHOW_LIBEXECDIR "/dhow-criu\n"
		"Drives CRIU, for checkpoint and restore.\n"
		".SH EXAMPLES\n"
		"A container by hand, of a static busybox:\n"
		".PP\n.nf\n"
		"    mkdir \\-p box/rootfs/bin\n"
		"    cp /bin/busybox box/rootfs/bin/sh\n"
		"    dhow\\-oci spec \\-\\-bundle box\n"
		"    dhow\\-oci run \\-\\-bundle box box1\n"
		".fi\n.PP\n"
		"From another terminal, while it runs:\n"
		".PP\n.nf\n"
		"    dhow\\-oci list\n"
		"    dhow\\-oci exec box1 sh \\-c \\(aqecho $$\\(aq\n"
		"    dhow\\-oci update \\-\\-memory 64m \\-\\-pids\\-limit 100 box1\n"
		"    dhow\\-oci events \\-\\-stats box1\n"
		"    dhow\\-oci kill box1 KILL\n"
		".fi\n.PP\n"
		"What it takes to make one, call by call:\n"
		".PP\n.nf\n"
		"    dhow\\-oci \\-\\-debug \\-\\-log steps run \\-\\-bundle box box1\n"
		".fi\n"
		".SH ENVIRONMENT\n"
		".TP\n.B XDG_RUNTIME_DIR\nWhere a normal user's containers have their state.\n"
		".TP\n.BR LISTEN_FDS \", \" LISTEN_PID\n"
		"Descriptors that are handed on to the container; see sd_listen_fds(3).\n"
		".SH SEE ALSO\n.BR runc (8),\n.BR crun (1),\n.BR criu (8),\n.BR namespaces (7),\n"
		".BR cgroups (7)\n",
	.print_version = oci_print_version,
};

static int open_log(const struct oci_globals *globals, struct error **err)
{
	enum log_format format =
		str_equal(globals->log_format, "json") ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	enum log_level level = globals->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	int fd = STDERR_FILENO;

	log_setup(fd, format, level);
	trace_setup(globals->debug ? fd : -1);
	if (!globals->log || !*globals->log)
		return 0;
	fd = open(globals->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0)
		return error_errno(err, errno, "open the log %s", globals->log);
	log_setup(fd, format, level);
	trace_setup(globals->debug ? fd : -1);
	return 0;
}

static int report(const struct error *err, int status)
{
	log_error("%s", error_text(err));
	if (log_is_elsewhere())
		dprintf(STDERR_FILENO, "%s\n", error_text(err));
	return status;
}

static int run_command(const struct command_call *call, struct error **err)
{
	const struct command *command = call->command;

	if (call->wants_version) {
		program.print_version(stdout);
		return 0;
	}
	if (call->wants_help || !command) {
		command_print_help(&program, command, stdout);
		return 0;
	}
	return command->run(call, err);
}

static bool is_unknown_command(const struct command_call *call, int r)
{
	return r == -ENOENT && (!call->command || call->command == &command_help);
}

static int finish(int status, struct error **err)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		return error_errno(err, errno, "write to standard output");
	return status;
}

int main(int argc, char **argv)
{
	_cleanup_(command_call_clear) struct command_call call = {.program = &program};
	_cleanup_error_ struct error *err = NULL, *log_err = NULL;
	const struct oci_globals *globals;
	int r;

	r = command_parse(&program, argv, &call, &err);
	if (r == 0 && call.command && call.command->enters_containers && !call.wants_help)
		r = process_seal_executable(argv, &err);
	globals = call.globals;
	if (globals && open_log(globals, &log_err))
		return report(log_err, STATUS_ERROR);
	if (r < 0)
		return report(err,
			      is_unknown_command(&call, r) ? STATUS_UNKNOWN_COMMAND : STATUS_ERROR);
	if (globals && globals->criu)
		log_warning("--criu is ignored: criu is looked for in $PATH");
	r = finish(run_command(&call, &err), &err);
	if (r >= 0)
		return r;
	if (is_unknown_command(&call, r))
		return report(err, STATUS_UNKNOWN_COMMAND);
	return report(err, call.command && call.command->failure_status
				   ? call.command->failure_status
				   : STATUS_ERROR);
}

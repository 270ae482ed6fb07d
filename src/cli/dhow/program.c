/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both programs do with a command line. An error is one line on standard error, "dhow: ..."; wrong usage ends with 125, as
 * docker's and podman's does, other errors of image commands with 1. */
#include <string.h>

#include "cli/dhow/dhow.h"
#include "dhow_config.h"

void dhow_print_version(FILE *out)
{
	fprintf(out, "dhow version %s\n", DHOW_VERSION);
}

static void open_log(const struct dhow_globals *g)
{
	enum log_level level = LOG_LEVEL_WARNING;

	if (g->debug || str_equal(g->log_level, "debug"))
		level = LOG_LEVEL_DEBUG;
	else if (str_equal(g->log_level, "info"))
		level = LOG_LEVEL_INFO;
	else if (str_equal(g->log_level, "error"))
		level = LOG_LEVEL_ERROR;
	log_setup(STDERR_FILENO, LOG_FORMAT_TEXT, level);
	trace_setup(g->debug ? STDERR_FILENO : -1);
}

static int report(const struct command_program *program, const struct error *err, int status)
{
	fprintf(stderr, "%s: %s\n", program->name, error_text(err));
	return status;
}

static int run_command(const struct command_call *call, struct error **err)
{
	const struct command *c = call->command;

	if (call->wants_version) {
		dhow_print_version(stdout);
		return 0;
	}
	if (call->wants_help || !c || c->commands) {
		command_print_usage(call, stdout);
		return 0;
	}
	return c->run(call, err);
}

int dhow_main(const struct command_program *program, char **argv)
{
	_cleanup_(command_call_clear) struct command_call call = {.program = program};
	_cleanup_error_ struct error *err = NULL;
	int r;

	r = command_parse(program, argv, &call, &err);
	if (call.globals)
		open_log(call.globals);
	if (r < 0)
		return report(program, err, STATUS_USAGE);
	r = run_command(&call, &err);
	/* What was printed comes before the error, also in one file. */
	if ((fflush(stdout) == EOF || ferror(stdout)) && r >= 0)
		r = error_errno(&err, errno, "write to standard output");
	if (r >= 0)
		return r;
	return report(program, err,
		      call.command && call.command->failure_status ? call.command->failure_status
								   : STATUS_ERROR);
}

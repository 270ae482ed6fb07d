/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow help [COMMAND...] */
#include "cli/dhow/dhow.h"

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_(command_call_clear) struct command_call asked = {.program = call->program};
	_cleanup_free_ char **words = calloc(call->argument_count + 3, sizeof *words);
	int r;

	if (!words)
		return error_errno(err, ENOMEM, "help");
	words[0] = (char *)call->program->name;
	for (size_t i = 0; i < call->argument_count; i++)
		words[i + 1] = call->arguments[i];
	words[call->argument_count + 1] = (char *)"--help";
	r = command_parse(call->program, words, &asked, err);
	if (!r)
		command_print_usage(&asked, stdout);
	return r;
}

const struct command dhow_help = {
	.name = "help",
	.arguments = "[COMMAND...]",
	.summary = "Show what a command does",
	.max_arguments = ARGUMENTS_ANY,
	.run = run,
};

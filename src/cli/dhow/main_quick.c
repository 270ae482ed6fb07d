/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow: the quick commands, in a static program that starts in a fraction of a millisecond. What it doesn't know, and help, it hands to
 * dhow-full with the same words. */
#include <string.h>
#include <unistd.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "dhow_config.h"

/* clang-format off */
static const struct command *const image_commands[] = {
	&dhow_image_exists,
	&dhow_image_history,
	&dhow_image_inspect,
	&dhow_image_ls,
	&dhow_image_prune,
	&dhow_image_rm,
	&dhow_image_tag,
	&dhow_image_tree,
	&dhow_image_untag,
	NULL,
};
static const struct command image = {
	.name = "image",
	.summary = "Manage images",
	.commands = image_commands,
};
static const struct command *const commands[] = {
	&dhow_history,
	&image,
	&dhow_images,
	&dhow_inspect,
	&dhow_rmi,
	&dhow_tag,
	&dhow_untag,
	&dhow_version,
	NULL,
};
/* clang-format on */

static const struct command_program program = {
	.name = "dhow",
	.summary = "",
	.description = "",
	.options = dhow_global_options,
	.values_size = sizeof(struct dhow_globals),
	.style = STYLE_PFLAG,
	.commands = commands,
	.print_version = dhow_print_version,
};

/* Anything but a plain call of a quick command is the full program's: it has all the words to answer with. */
static bool is_quick(char **argv)
{
	_cleanup_(command_call_clear) struct command_call call = {.program = &program};
	_cleanup_error_ struct error *err = NULL;

	if (command_parse(&program, argv, &call, &err) < 0)
		return false;
	if (call.wants_help)
		return false;
	return call.wants_version || (call.command && !call.command->commands);
}

int main(int argc, char **argv)
{
	static const char path[] = DHOW_LIBEXECDIR "/dhow-full";

	if (is_quick(argv))
		return dhow_main(&program, argv);
	execv(path, argv);
	fprintf(stderr, "dhow: %s: %s\n", path, strerror(errno));
	return STATUS_USAGE;
}

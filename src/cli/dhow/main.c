/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow-full: all commands of dhow. */
#include <malloc.h>
#include <signal.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"

/* clang-format off */
static const struct command *const commands[] = {
	&dhow_history,
	&dhow_image,
	&dhow_images,
	&dhow_import,
	&dhow_inspect,
	&dhow_load,
	&dhow_login,
	&dhow_logout,
	&dhow_manifest,
	&dhow_pull,
	&dhow_push,
	&dhow_rmi,
	&dhow_save,
	&dhow_tag,
	&dhow_untag,
	&dhow_version,
	&dhow_help,
	NULL,
};
/* clang-format on */

static const struct command_program program = {
	.name = "dhow",
	.summary = "Containers out of the kernel's own parts",
	.description = "",
	.options = dhow_global_options,
	.values_size = sizeof(struct dhow_globals),
	.style = STYLE_PFLAG,
	.commands = commands,
	.print_version = dhow_print_version,
};

int main(int argc, char **argv)
{
	/* A heap for each of a dozen threads would be most of the memory. */
	mallopt(M_ARENA_MAX, 2);
	/* A registry that hangs up is an error of one transfer. */
	signal(SIGPIPE, SIG_IGN);
	return dhow_main(&program, argv);
}

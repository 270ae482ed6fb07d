/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow version */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"

static int run(const struct command_call *call, struct error **err)
{
	dhow_print_version(stdout);
	return 0;
}

const struct command dhow_version = {
	.name = "version",
	.summary = "Show the version",
	.run = run,
};

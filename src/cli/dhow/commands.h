/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All commands of dhow. */
#ifndef DHOW_CLI_DHOW_COMMANDS_H
#define DHOW_CLI_DHOW_COMMANDS_H

#include "cli/command.h"

extern const struct command dhow_help, dhow_image, dhow_images, dhow_load, dhow_pull, dhow_push, dhow_rmi, dhow_save,
	dhow_tag, dhow_version;
extern const struct command dhow_image_load, dhow_image_ls, dhow_image_rm, dhow_image_save, dhow_image_tag;

#endif

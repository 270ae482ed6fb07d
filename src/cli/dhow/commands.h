/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All commands of dhow. */
#ifndef DHOW_CLI_DHOW_COMMANDS_H
#define DHOW_CLI_DHOW_COMMANDS_H

#include "cli/command.h"

extern const struct command dhow_help, dhow_history, dhow_image, dhow_images, dhow_import,
	dhow_inspect, dhow_load, dhow_login, dhow_logout, dhow_manifest, dhow_pull, dhow_push,
	dhow_rmi, dhow_save, dhow_tag, dhow_untag, dhow_version;
extern const struct command dhow_image_diff, dhow_image_exists, dhow_image_mount, dhow_image_tree,
	dhow_image_unmount, dhow_image_history, dhow_image_import, dhow_image_inspect,
	dhow_image_load, dhow_image_ls, dhow_image_prune, dhow_image_pull, dhow_image_push,
	dhow_image_rm, dhow_image_save, dhow_image_tag, dhow_image_untag, dhow_image_verify;

#endif

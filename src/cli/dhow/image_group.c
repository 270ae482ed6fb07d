/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow image: the group of commands on images. Most are also known by a name of their own, as docker has it. */
#include "cli/dhow/commands.h"

/* clang-format off */
static const struct command *const commands[] = {
	&dhow_image_diff,
	&dhow_image_exists,
	&dhow_image_history,
	&dhow_image_import,
	&dhow_image_inspect,
	&dhow_image_load,
	&dhow_image_ls,
	&dhow_image_mount,
	&dhow_image_prune,
	&dhow_image_pull,
	&dhow_image_push,
	&dhow_image_rm,
	&dhow_image_save,
	&dhow_image_tag,
	&dhow_image_tree,
	&dhow_image_unmount,
	&dhow_image_untag,
	&dhow_image_verify,
	NULL,
};
/* clang-format on */

const struct command dhow_image = {
	.name = "image",
	.summary = "Manage images",
	.commands = commands,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow image exists: says by its exit status whether an image is here: 0 or 1, 125 for an error. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = image_find(store, call->arguments[0], &image, NULL, err);
	return r == -ENOENT && store ? 1 : r;
}

const struct command dhow_image_exists = {
	.name = "exists",
	.arguments = "IMAGE",
	.summary = "Say by the exit status whether an image is here",
	.min_arguments = 1,
	.max_arguments = 1,
	.failure_status = STATUS_USAGE,
	.run = run,
};

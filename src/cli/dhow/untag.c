/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow untag: takes names away from an image, and keeps the image. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"

static int untag(struct store *store, const struct image *image, const char *text,
		 struct error **err)
{
	_cleanup_reference_ struct reference name = {0};
	int r = reference_parse(text, store_config(store), &name, err);

	return r ? r : image_untag(store, image, &name, err);
}

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = image_find(store, call->arguments[0], &image, NULL, err);
	if (!r && call->argument_count == 1)
		return image_untag(store, image, NULL, err);
	for (size_t i = 1; i < call->argument_count && r == 0; i++)
		r = untag(store, image, call->arguments[i], err);
	return r;
}

#define UNTAG_COMMAND                                                                 \
	.name = "untag", .arguments = "IMAGE [NAME...]",                              \
	.summary = "Take names away from an image",                                   \
	.description = "Without names all of them go. The image stays, by its id.\n", \
	.min_arguments = 1, .max_arguments = ARGUMENTS_ANY, .run = run

const struct command dhow_untag = {UNTAG_COMMAND};
const struct command dhow_image_untag = {UNTAG_COMMAND};

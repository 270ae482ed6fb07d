/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow tag: further names for an image. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"

static int tag_one(struct store *store, const struct image *image, const char *text,
		   struct error **err)
{
	_cleanup_reference_ struct reference name = {0};
	int r = reference_parse(text, store_config(store), &name, err);

	return r ? r : image_tag(store, image, &name, err);
}

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = image_find(store, call->arguments[0], &image, NULL, err);
	for (size_t i = 1; i < call->argument_count && r == 0; i++)
		r = tag_one(store, image, call->arguments[i], err);
	return r;
}

#define TAG_COMMAND                                                   \
	.name = "tag", .arguments = "IMAGE NAME[:TAG]...",            \
	.summary = "Give an image further names", .min_arguments = 2, \
	.max_arguments = ARGUMENTS_ANY, .run = run

const struct command dhow_tag = {TAG_COMMAND};
const struct command dhow_image_tag = {TAG_COMMAND};

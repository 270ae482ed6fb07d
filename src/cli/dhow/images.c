/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow images: what images there are, as docker lists them. */
#include <time.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"

struct values {
	struct strv filter;
	bool all, digests, quiet, no_trunc;
};

static const struct command_option options[] = {
	{.name = "all",
	 .alias = "a",
	 .help = "show also images that others were made from",
	 OPTION_TO(struct values, all)},
	{.name = "digests", .help = "show digests", OPTION_TO(struct values, digests)},
	{.name = "filter",
	 .alias = "f",
	 .value = "filter",
	 .help = "keep what matches, such as dangling=true",
	 OPTION_TO(struct values, filter)},
	{.name = "no-trunc", .help = "don't shorten ids", OPTION_TO(struct values, no_trunc)},
	{.name = "quiet", .alias = "q", .help = "print ids alone", OPTION_TO(struct values, quiet)},
	{0},
};

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_list_ struct image_list list = {0};
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = image_list(store, &list, err);
	if (!r)
		r = image_filter(store, &list, &v->filter, err);
	if (r)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		const struct image *image = list.items[i];
		char id[13];

		image_short_id(image->id, id);
		if (v->quiet || !image->name_count)
			printf("%s\n", v->no_trunc ? image->id : id);
		for (size_t n = 0; !v->quiet && n < image->name_count; n++) {
			_cleanup_free_ char *name =
				reference_familiar(image->names[n].repository, image->names[n].tag,
						   image->names[n].digest);

			printf("%-40s %s %ju\n", name ? name : "", v->no_trunc ? image->id : id,
			       (uintmax_t)image->size);
		}
	}
	return 0;
}

#define IMAGES_COMMAND                                                                   \
	.arguments = "[REPOSITORY[:TAG]]", .summary = "List images", .options = options, \
	.values_size = sizeof(struct values), .max_arguments = 1, .run = run

const struct command dhow_images = {.name = "images", IMAGES_COMMAND};
const struct command dhow_image_ls = {.name = "ls", .alias = "list", IMAGES_COMMAND};

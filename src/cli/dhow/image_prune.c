/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow image prune: images without a name go, with --all also those that nothing uses. */
#include <unistd.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "cli/listing.h"

struct values {
	struct strv filter;
	bool all, force;
};

static const struct command_option options[] = {
	{.name = "all",
	 .alias = "a",
	 .help = "remove all unused images, not just those without a name",
	 OPTION_TO(struct values, all)},
	{.name = "filter",
	 .value = "filter",
	 .help = "only what matches: until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]",
	 OPTION_TO(struct values, filter)},
	{.name = "force", .alias = "f", .help = "don't ask", OPTION_TO(struct values, force)},
	{0},
};

static bool confirmed(const struct values *v)
{
	char answer[16] = "";

	if (v->force)
		return true;
	printf("WARNING! This will remove all %s.\nAre you sure you want to continue? [y/N] ",
	       v->all ? "images without at least one container associated to them"
		      : "dangling images");
	fflush(stdout);
	if (!fgets(answer, sizeof answer, stdin))
		return false;
	return *answer == 'y' || *answer == 'Y';
}

static bool has_tag(const struct image *image)
{
	for (size_t i = 0; i < image->name_count; i++)
		if (image->names[i].tag)
			return true;
	return false;
}

/* One that is in use, or that others were made from, stays without a word. */
static int remove_image(struct store *store, const struct image *image,
			const struct image_remove_opts *opts, struct image_removal *out,
			struct error **err)
{
	int r = image_remove(store, image->id, opts, out, err);

	if (r != -EBUSY && r != -ENOENT)
		return r;
	error_freep(err);
	return 0;
}

static int remove_images(struct store *store, const struct values *v,
			 const struct image_remove_opts *opts, struct image_removal *out,
			 struct error **err)
{
	_cleanup_image_list_ struct image_list list = {0};
	int r = image_list(store, &list, err);

	if (!r)
		r = image_filter(store, &list, &v->filter, err);
	for (size_t i = 0; i < list.count && r == 0; i++)
		if (v->all || !has_tag(list.items[i]))
			r = remove_image(store, list.items[i], opts, out, err);
	return r;
}

static void print_removed(const struct image_removal *out, uint64_t freed)
{
	char size[32];

	if (out->untagged.count || out->deleted.count)
		printf("Deleted Images:\n");
	for (size_t i = 0; i < out->untagged.count; i++)
		printf("untagged: %s\n", out->untagged.items[i]);
	for (size_t i = 0; i < out->deleted.count; i++)
		printf("deleted: %s\n", out->deleted.items[i]);
	human_size((double)freed, size, sizeof size);
	printf("%sTotal reclaimed space: %s\n", out->deleted.count ? "\n" : "", size);
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_storage_ struct storage *storage = NULL;
	struct image_remove_opts opts = {.is_forced = true};
	struct image_removal out = {0};
	uint64_t freed = 0;
	int r;

	if (!confirmed(v))
		return 0;
	r = dhow_open_store(call, &store, err);
	if (!r)
		r = dhow_open_storage(call, store, &storage, err);
	if (r)
		return r;
	dhow_removal_opts(storage, &opts);
	r = remove_images(store, v, &opts, &out, err);
	if (!r)
		r = image_collect(store, &opts, &freed, err);
	storage_sweep(storage);
	if (!r)
		print_removed(&out, freed);
	image_removal_clear(&out);
	return r;
}

const struct command dhow_image_prune = {
	.name = "prune",
	.summary = "Remove images that nothing needs",
	.options = options,
	.values_size = sizeof(struct values),
	.run = run,
};

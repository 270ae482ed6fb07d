/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow rmi: names and images go. Output and refusals are docker's. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"

struct values {
	bool force, no_prune, all, ignore;
};

static const struct command_option options[] = {
	{.name = "all", .alias = "a", .help = "remove all images", OPTION_TO(struct values, all)},
	{.name = "force",
	 .alias = "f",
	 .help = "remove also by an id that has several names",
	 OPTION_TO(struct values, force)},
	{.name = "ignore",
	 .alias = "i",
	 .help = "an image that isn't there is no error",
	 OPTION_TO(struct values, ignore)},
	{.name = "no-prune",
	 .help = "keep ancestors that have no name",
	 OPTION_TO(struct values, no_prune)},
	{0},
};

struct removing {
	const struct values *values;
	struct store *store;
	struct image_remove_opts opts;
};

static int remove_one(const struct removing *m, const char *text, struct error **err)
{
	struct image_removal out = {0};
	int r = image_remove(m->store, text, &m->opts, &out, err);

	for (size_t i = 0; i < out.untagged.count; i++)
		printf("Untagged: %s\n", out.untagged.items[i]);
	for (size_t i = 0; i < out.deleted.count; i++)
		printf("Deleted: %s\n", out.deleted.items[i]);
	image_removal_clear(&out);
	if (r == -ENOENT && m->values->ignore) {
		error_freep(err);
		r = 0;
	}
	return r;
}

static int remove_all(const struct removing *m, struct error **err)
{
	_cleanup_image_list_ struct image_list list = {0};
	int r = image_list(m->store, &list, err);

	for (size_t i = 0; i < list.count && r == 0; i++) {
		r = remove_one(m, list.items[i]->id, err);
		/* An ancestor may have gone with its child. */
		if (r == -ENOENT) {
			error_freep(err);
			r = 0;
		}
	}
	return r;
}

/* Every name is tried; each failure is a line of its own, the last one ours. */
static int remove_named(const struct removing *m, const struct command_call *call,
			struct error **err)
{
	int result = 0;

	for (size_t i = 0; i < call->argument_count; i++) {
		struct error *failure = NULL;
		int r = remove_one(m, call->arguments[i], &failure);

		if (r >= 0)
			continue;
		if (result < 0)
			fprintf(stderr, "%s: %s\n", call->program->name, error_text(*err));
		error_freep(err);
		*err = failure;
		result = r;
	}
	return result;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_storage_ struct storage *storage = NULL;
	struct removing m = {
		.values = v,
		.opts = {.is_forced = v->force || v->all, .keep_parents = v->no_prune}};
	struct error *collect = NULL;
	int r;

	if (!v->all && !call->argument_count)
		return error_set(
			err, EINVAL,
			"\"dhow rmi\" requires at least 1 argument. See 'dhow rmi --help'.");
	if (v->all && call->argument_count)
		return error_set(err, EINVAL, "--all goes without names of images");
	r = dhow_open_store(call, &store, err);
	if (!r)
		r = dhow_open_storage(call, store, &storage, err);
	if (r)
		return r;
	m.store = store;
	dhow_removal_opts(storage, &m.opts);
	r = v->all ? remove_all(&m, err) : remove_named(&m, call, err);
	if (image_collect(store, &m.opts, NULL, &collect) < 0 && r >= 0) {
		*err = collect;
		return -collect->code;
	}
	error_free(collect);
	storage_sweep(storage);
	return r;
}

#define RMI_COMMAND                                                              \
	.arguments = "IMAGE...", .summary = "Remove images", .options = options, \
	.values_size = sizeof(struct values), .max_arguments = ARGUMENTS_ANY, .run = run

const struct command dhow_rmi = {.name = "rmi", RMI_COMMAND};
const struct command dhow_image_rm = {.name = "rm", .alias = "remove", RMI_COMMAND};

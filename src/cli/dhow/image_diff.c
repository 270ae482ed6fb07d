/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow image diff: what an image's last layer changed, or how one image differs from another. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "layer/diff.h"
#include "transfer/transfer.h"

struct values {
	const char *format;
};

static const char *const formats[] = {"json", NULL};

static const struct command_option options[] = {
	{.name = "format",
	 .value = "json",
	 .choices = formats,
	 .help = "print the changes as JSON",
	 OPTION_TO(struct values, format)},
	{0},
};

/* --- What is printed ------------------------------------------------------------------------------------------------------- */

/* data is the JSON object that the changes go to, or NULL for lines. */
static int report_change(void *data, enum change_kind kind, const char *path, uint64_t size)
{
	static const char letters[] = {
		[CHANGE_MODIFIED] = 'C', [CHANGE_ADDED] = 'A', [CHANGE_DELETED] = 'D'};
	static const char *const keys[] = {[CHANGE_MODIFIED] = "changed",
					   [CHANGE_ADDED] = "added",
					   [CHANGE_DELETED] = "deleted"};
	json_t *document = data, *list;

	(void)size;
	if (!document) {
		printf("%c %s\n", letters[kind], path);
		return 0;
	}
	list = json_object_get(document, keys[kind]);
	if (!list) {
		list = json_array();
		if (json_object_set_new(document, keys[kind], list))
			return -ENOMEM;
	}
	return json_array_append_new(list, json_string(path)) ? -ENOMEM : 0;
}

/* --- What is compared ------------------------------------------------------------------------------------------------------ */

struct side {
	struct image *image;
	const char **chain; /* top first */
	struct storage_mount_opts opts;
};

static void side_clear(struct side *s)
{
	image_free(s->image);
	free(s->chain);
}
#define _cleanup_side_ _cleanup_(side_clear)

static int open_side(struct side *side, struct store *store, struct storage *storage,
		     const char *text, struct error **err)
{
	int r = image_find(store, text, &side->image, NULL, err);

	if (r < 0)
		return r;
	side->chain = image_chain(side->image, side->image->layer_count);
	if (!side->chain)
		return error_errno(err, ENOMEM, "compare images");
	side->opts.layers = side->chain;
	side->opts.layer_count = side->image->layer_count;
	if (!side->image->layer_count)
		return error_set(err, EINVAL, "image %s has no layers", text);
	return image_layers_ensure(store, storage, side->image, NULL, err);
}

static int print_changes(struct storage *storage, const struct storage_diff *trees,
			 json_t *document, struct error **err)
{
	const struct diff_opts opts = {
		.trees = trees, .whiteouts = storage_whiteouts(storage), .time_limit_s = -1};
	int r = layer_changes(&opts, report_change, document, err);

	return r < 0 && !*err ? error_errno(err, -r, "list changes") : r;
}

static int diff_top(struct storage *storage, const struct side *side, json_t *document,
		    struct error **err)
{
	struct storage_diff trees;
	int r = storage_diff_open(storage, &side->opts, &trees, err);

	if (r)
		return r;
	r = print_changes(storage, &trees, document, err);
	storage_diff_close(storage, &trees);
	return r;
}

/* From the second one to the first. */
static int diff_two(struct storage *storage, const struct side *a, const struct side *b,
		    json_t *document, struct error **err)
{
	_cleanup_fd_ int upper = storage_mount(storage, &a->opts, err), lower = -1;
	struct storage_diff trees = {.kind = STORAGE_DIFF_TREES, .upper = upper, .lower = -1};
	int r;

	if (upper < 0)
		return upper;
	lower = storage_mount(storage, &b->opts, err);
	r = lower < 0 ? lower : 0;
	trees.lower = lower;
	if (!r)
		r = print_changes(storage, &trees, document, err);
	close_fd(&upper);
	close_fd(&lower);
	storage_release(storage, &a->opts, NULL);
	storage_release(storage, &b->opts, NULL);
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_storage_ struct storage *storage = NULL;
	_cleanup_json_ json_t *document = v->format ? json_object() : NULL;
	_cleanup_side_ struct side a = {0}, b = {0};
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = dhow_open_storage(call, store, &storage, err);
	if (!r)
		r = open_side(&a, store, storage, call->arguments[0], err);
	if (!r && call->argument_count > 1)
		r = open_side(&b, store, storage, call->arguments[1], err);
	if (!r)
		r = b.image ? diff_two(storage, &a, &b, document, err)
			    : diff_top(storage, &a, document, err);
	return r || !document ? r : dhow_print_json(document, err);
}

const struct command dhow_image_diff = {
	.name = "diff",
	.arguments = "IMAGE [IMAGE]",
	.summary = "Show what an image's last layer changed, or how it differs from another image",
	.description = "Prints C, A or D (changed, added, deleted) and the path.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow images: what images there are, as docker lists them. One row per tag, or one of "<none>" for an image without. */
#include <time.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "cli/listing.h"

struct values {
	struct strv filter;
	const char *format, *sort;
	bool all, digests, quiet, no_trunc, no_heading;
};

static const char *const sorts[] = {"created", "id", "repository", "size", "tag", NULL};

static const struct command_option options[] = {
	{.name = "all",
	 .alias = "a",
	 .help = "show also images without a name that others were made from",
	 OPTION_TO(struct values, all)},
	{.name = "digests", .help = "show digests", OPTION_TO(struct values, digests)},
	{.name = "filter",
	 .alias = "f",
	 .value = "filter",
	 .help = "keep what matches: dangling, label, before, since, until, reference, id, digest, "
		 "intermediate",
	 OPTION_TO(struct values, filter)},
	{.name = "format",
	 .value = "string",
	 .help = "print with a Go template, or json",
	 OPTION_TO(struct values, format)},
	{.name = "no-trunc", .help = "don't shorten ids", OPTION_TO(struct values, no_trunc)},
	{.name = "noheading",
	 .alias = "n",
	 .help = "print no heading",
	 OPTION_TO(struct values, no_heading)},
	{.name = "quiet", .alias = "q", .help = "print ids alone", OPTION_TO(struct values, quiet)},
	{.name = "sort",
	 .value = "created|id|repository|size|tag",
	 .choices = sorts,
	 .default_text = "created",
	 .help = "order of the list",
	 OPTION_TO(struct values, sort)},
	{0},
};

static const struct listing_column columns[] = {
	{"REPOSITORY", "Repository"}, {"TAG", "Tag"},   {"IMAGE ID", "ID"},
	{"CREATED", "CreatedSince"},  {"SIZE", "Size"}, {0},
};
static const struct listing_column digest_columns[] = {
	{"REPOSITORY", "Repository"},
	{"TAG", "Tag"},
	{"DIGEST", "Digest"},
	{"IMAGE ID", "ID"},
	{"CREATED", "CreatedSince"},
	{"SIZE", "Size"},
	{0},
};
static const struct listing_column fields[] = {
	{"DIGEST", "Digest"},
	{"CREATED AT", "CreatedAt"},
	{"CONTAINERS", "Containers"},
	{"VIRTUAL SIZE", "VirtualSize"},
	{"SHARED SIZE", "SharedSize"},
	{"UNIQUE SIZE", "UniqueSize"},
	{0},
};

/* --- Rows -------------------------------------------------------------------------------------------------------------------- */

static const char *digest_of(const struct image *image, const char *repository)
{
	for (size_t i = 0; i < image->name_count; i++)
		if (image->names[i].digest && str_equal(image->names[i].repository, repository))
			return image->names[i].digest;
	return NULL;
}

static int add_row(json_t *rows, const struct values *v, const struct image *image,
		   const struct image_name *name, struct error **err)
{
	_cleanup_free_ char *repository = name ? repository_familiar(name->repository) : NULL;
	const char *digest = name ? digest_of(image, name->repository) : NULL;
	char id[13], size[32], since[64], ago[80], created[64];
	json_t *row;

	image_short_id(image->id, id);
	human_size((double)image->size, size, sizeof size);
	human_duration((int64_t)time(NULL) - image->created_ns / 1000000000, since, sizeof since);
	snprintf(ago, sizeof ago, image->created_ns ? "%s ago" : "N/A", since);
	human_time(image->created_ns, created, sizeof created);
	row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Containers",
			"N/A", "CreatedAt", created, "CreatedSince", ago, "Digest",
			digest ? digest : "<none>", "ID", v->no_trunc ? image->id : id,
			"Repository", repository ? repository : "<none>", "SharedSize", "N/A",
			"Size", size, "Tag", name && name->tag ? name->tag : "<none>", "UniqueSize",
			"N/A", "VirtualSize", size);
	if (!row || json_array_append_new(rows, row))
		return error_errno(err, ENOMEM, "list images");
	return 0;
}

/* A tag each; of an image without tags its digests' repositories, or nothing at all. */
static int add_rows(json_t *rows, const struct values *v, const struct image *image,
		    struct error **err)
{
	size_t added = 0;
	int r = 0;

	for (size_t i = 0; i < image->name_count && r == 0; i++)
		if (image->names[i].tag) {
			r = add_row(rows, v, image, &image->names[i], err);
			added++;
		}
	for (size_t i = 0; i < image->name_count && r == 0 && !added; i++) {
		r = add_row(rows, v, image, &image->names[i], err);
		added++;
	}
	return r || added ? r : add_row(rows, v, image, NULL, err);
}

/* --- Choosing and ordering ---------------------------------------------------------------------------------------------------- */

static const char *first_name(const struct image *i, bool is_tag)
{
	if (!i->name_count)
		return "~";
	return is_tag && i->names[0].tag ? i->names[0].tag : i->names[0].repository;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(struct image *const *)a)->id, (*(struct image *const *)b)->id);
}

static int by_repository(const void *a, const void *b)
{
	return strcmp(first_name(*(struct image *const *)a, false),
		      first_name(*(struct image *const *)b, false));
}

static int by_tag(const void *a, const void *b)
{
	return strcmp(first_name(*(struct image *const *)a, true),
		      first_name(*(struct image *const *)b, true));
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = (*(struct image *const *)a)->size, y = (*(struct image *const *)b)->size;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void sort_list(struct image_list *list, const char *by)
{
	static const struct {
		const char *name;
		int (*compare)(const void *a, const void *b);
	} orders[] = {
		{"id", by_id}, {"repository", by_repository}, {"tag", by_tag}, {"size", by_size}};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (strcmp(orders[i].name, by) == 0 && list->count)
			/* NOLINTNEXTLINE(bugprone-sizeof-expression): these are pointers. */
			qsort(list->items, list->count, sizeof *list->items, orders[i].compare);
}

/* Without --all, what only others were made from is left out. */
static bool is_shown(const struct image_list *list, const struct image *image, bool all)
{
	if (all || image->name_count)
		return true;
	for (size_t i = 0; i < list->count; i++)
		if (str_equal(list->items[i]->parent, image->id))
			return false;
	return true;
}

/* An argument keeps the names that match it. */
static void keep_names(struct image *image, const struct reference *name, bool has_tag)
{
	size_t kept = 0;

	for (size_t i = 0; i < image->name_count; i++) {
		struct image_name n = image->names[i];
		bool is_ours = str_equal(n.repository, name->repository) &&
			       (!has_tag || !n.tag || str_equal(n.tag, name->tag));

		image->names[i] = image->names[kept];
		if (is_ours)
			image->names[kept++] = n;
		else
			image->names[i] = n;
	}
	for (size_t i = kept; i < image->name_count; i++) {
		free(image->names[i].repository);
		free(image->names[i].tag);
		free(image->names[i].digest);
	}
	image->name_count = kept;
}

static int choose(struct store *store, struct image_list *list, const struct values *v,
		  const struct command_call *call, struct error **err)
{
	_cleanup_reference_ struct reference name = {0};
	_cleanup_strv_ struct strv pattern = {0};
	const char *text = call->argument_count ? call->arguments[0] : NULL;
	int r = image_filter(store, list, &v->filter, err);

	if (r || !text)
		return r;
	if (reference_parse(text, store_config(store), &name, NULL) < 0 || strpbrk(text, "*?[")) {
		if (strv_addf(&pattern, "reference=%s", text))
			return error_errno(err, ENOMEM, "list images");
		return image_filter(store, list, &pattern, err);
	}
	for (size_t i = 0; i < list->count; i++)
		keep_names(list->items[i], &name, !name.is_tag_default);
	for (size_t i = list->count; i > 0; i--)
		if (!list->items[i - 1]->name_count) {
			image_free(list->items[i - 1]);
			memmove(&list->items[i - 1], &list->items[i],
				/* NOLINTNEXTLINE(bugprone-sizeof-expression): these are pointers. */
				(list->count - i) * sizeof *list->items);
			list->count--;
		}
	return 0;
}

static int print_ids(const struct image_list *list, const struct values *v)
{
	for (size_t i = 0; i < list->count; i++) {
		char id[13];

		image_short_id(list->items[i]->id, id);
		if (is_shown(list, list->items[i], v->all))
			printf("%s\n", v->no_trunc ? list->items[i]->id : id);
	}
	return 0;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	const struct listing listing = {
		.columns = v->digests ? digest_columns : columns,
		.fields = fields,
		.format = v->format,
		.has_no_heading = v->no_heading,
	};
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_list_ struct image_list list = {0};
	_cleanup_json_ json_t *rows = json_array();
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = image_list(store, &list, err);
	if (!r)
		r = choose(store, &list, v, call, err);
	if (r)
		return r;
	sort_list(&list, v->sort);
	if (v->quiet)
		return print_ids(&list, v);
	for (size_t i = 0; i < list.count && r == 0; i++)
		if (is_shown(&list, list.items[i], v->all))
			r = add_rows(rows, v, list.items[i], err);
	return r ? r : listing_print(&listing, rows, err);
}

#define IMAGES_COMMAND                                                                   \
	.arguments = "[REPOSITORY[:TAG]]", .summary = "List images", .options = options, \
	.values_size = sizeof(struct values), .max_arguments = 1, .run = run

const struct command dhow_images = {.name = "images", IMAGES_COMMAND};
const struct command dhow_image_ls = {.name = "ls", .alias = "list", IMAGES_COMMAND};

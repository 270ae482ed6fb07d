/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow history: how an image came to be, newest step first. OCI image spec, config.md, "history". */
#include <time.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "cli/listing.h"

#define COMMAND_WIDTH 45

struct values {
	const char *format;
	bool human, no_trunc, quiet;
};

static const struct command_option options[] = {
	{.name = "format",
	 .value = "string",
	 .help = "print with a Go template, or json",
	 OPTION_TO(struct values, format)},
	{.name = "human",
	 .alias = "H",
	 .default_text = "true",
	 .help = "print sizes and dates for people",
	 OPTION_TO(struct values, human)},
	{.name = "no-trunc", .help = "don't shorten", OPTION_TO(struct values, no_trunc)},
	{.name = "quiet", .alias = "q", .help = "print ids alone", OPTION_TO(struct values, quiet)},
	{0},
};

static const struct listing_column columns[] = {
	{"IMAGE", "ID"},  {"CREATED", "CreatedSince"}, {"CREATED BY", "CreatedBy"},
	{"SIZE", "Size"}, {"COMMENT", "Comment"},      {0},
};
static const struct listing_column raw_columns[] = {
	{"IMAGE", "ID"},  {"CREATED AT", "CreatedAt"}, {"CREATED BY", "CreatedBy"},
	{"SIZE", "Size"}, {"COMMENT", "Comment"},      {0},
};

static const char *string_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text ? text : "";
}

/* Characters that are cut are told by one that isn't ASCII, as docker has it. */
static void cut(char *text)
{
	if (strlen(text) > COMMAND_WIDTH)
		memcpy(text + COMMAND_WIDTH - 1, "\xe2\x80\xa6", 4);
}

static int add_row(json_t *rows, const struct values *v, const json_t *entry, const char *id,
		   uint64_t size, struct error **err)
{
	_cleanup_free_ char *command = NULL;
	char since[64], ago[80] = "N/A", at[36] = "", text[32];
	const char *created = string_of(entry, "created");
	int64_t ns = 0;
	json_t *row;

	if (asprintf(&command, "%s", string_of(entry, "created_by")) < 0) {
		command = NULL;
		return error_errno(err, ENOMEM, "show the history");
	}
	for (char *c = command; *c; c++)
		if (*c == '\t' || *c == '\n')
			*c = ' ';
	if (!v->no_trunc)
		cut(command);
	if (*created && time_parse_rfc3339(created, &ns) == 0) {
		struct timespec ts = {ns / 1000000000, 0};

		human_duration((int64_t)time(NULL) - ns / 1000000000, since, sizeof since);
		snprintf(ago, sizeof ago, "%s ago", since);
		format_time_rfc3339(&ts, at, sizeof at);
	}
	if (v->human)
		human_size((double)size, text, sizeof text);
	else
		snprintf(text, sizeof text, "%ju", (uintmax_t)size);
	row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "Comment", string_of(entry, "comment"),
			"CreatedAt", at, "CreatedBy", command, "CreatedSince", v->human ? ago : at,
			"ID", id, "Size", text);
	if (!row || json_array_append_new(rows, row))
		return error_errno(err, ENOMEM, "show the history");
	return 0;
}

/* Steps are told oldest first in the configuration, and layers belong to those that aren't empty. */
static int add_rows(json_t *rows, const struct values *v, const struct image *image,
		    const struct image_config *config, struct error **err)
{
	const json_t *history = json_object_get(config->document, "history");
	size_t layer = image->layer_count;
	char id[13];
	int r = 0;

	image_short_id(image->id, id);
	for (size_t i = json_array_size(history); i > 0 && r == 0; i--) {
		const json_t *entry = json_array_get(history, i - 1);
		bool is_empty = json_is_true(json_object_get(entry, "empty_layer"));
		bool is_newest = i == json_array_size(history);
		uint64_t size = 0;

		if (!is_empty && layer)
			size = image->layers[--layer].size;
		r = add_row(rows, v, entry,
			    !is_newest    ? "<missing>"
			    : v->no_trunc ? image->id
					  : id,
			    size, err);
	}
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	const struct listing listing = {.columns = v->human ? columns : raw_columns,
					.format = v->format};
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_image_config_ struct image_config config = {0};
	_cleanup_json_ json_t *rows = json_array();
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = image_find(store, call->arguments[0], &image, NULL, err);
	if (!r)
		r = image_read_config(store, image, &config, err);
	if (!r)
		r = add_rows(rows, v, image, &config, err);
	if (r)
		return r;
	if (!v->quiet)
		return listing_print(&listing, rows, err);
	for (size_t i = 0; i < json_array_size(rows); i++)
		printf("%s\n", string_of(json_array_get(rows, i), "ID"));
	return 0;
}

#define HISTORY_COMMAND                                                                     \
	.name = "history", .arguments = "IMAGE", .summary = "Show how an image came to be", \
	.options = options, .values_size = sizeof(struct values), .min_arguments = 1,       \
	.max_arguments = 1, .run = run

const struct command dhow_history = {HISTORY_COMMAND};
const struct command dhow_image_history = {HISTORY_COMMAND};

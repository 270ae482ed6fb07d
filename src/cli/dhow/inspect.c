/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow inspect: all that is known of an object, with docker's keys. Images, for now. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "cli/template.h"

struct values {
	const char *format, *type;
};

static const char *const types[] = {"image", NULL};

static const struct command_option options[] = {
	{.name = "format",
	 .alias = "f",
	 .value = "string",
	 .help = "print with a Go template, or json",
	 OPTION_TO(struct values, format)},
	{.name = "type",
	 .value = "image",
	 .choices = types,
	 .help = "look only for objects of this type",
	 OPTION_TO(struct values, type)},
	{0},
};

static json_t *layers_of(const struct image *image)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < image->layer_count; i++)
		json_array_append_new(layers, json_string(image->layers[i].diff_id));
	return layers;
}

static json_t *copy_or(const json_t *document, const char *key, json_t *otherwise)
{
	json_t *value = json_object_get(document, key);

	if (!value)
		return otherwise;
	json_decref(otherwise);
	return json_incref(value);
}

static json_t *rfc3339(int64_t ns)
{
	struct timespec ts = {ns / 1000000000, ns % 1000000000};
	char text[36];

	format_time_rfc3339(&ts, text, sizeof text);
	return json_string(text);
}

/* docker's image inspect, with podman's Digest, Labels and NamesHistory. */
static json_t *describe(const struct image *image, const struct image_config *config,
			const char *driver)
{
	const json_t *document = config->document;
	json_t *history = json_object_get(document, "history");
	json_t *newest = json_array_get(
		history, json_array_size(history) ? json_array_size(history) - 1 : 0);
	json_t *labels = json_object_get(json_object_get(document, "config"), "Labels");

	return json_pack(
		"{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:I, s:I, s:{s:n, s:s}, "
		"s:{s:s, s:o}, s:{s:o}, s:s, s:o, s:s, s:o}",
		"Id", image->id, "RepoTags", dhow_image_names(image, true), "RepoDigests",
		dhow_image_names(image, false), "Parent", image->parent ? image->parent : "",
		"Comment", copy_or(newest, "comment", json_string("")), "Created",
		copy_or(document, "created", json_string("")), "Author",
		copy_or(document, "author", json_string("")), "Config",
		copy_or(document, "config", json_object()), "Architecture", image->architecture,
		"Variant", image->variant, "Os", image->os, "Size", (json_int_t)image->size,
		"VirtualSize", (json_int_t)image->size, "GraphDriver", "Data", "Name", driver,
		"RootFS", "Type", "layers", "Layers", layers_of(image), "Metadata", "LastTagTime",
		rfc3339(image->arrived_ns), "Digest", image->manifest, "Labels",
		labels ? json_incref(labels) : json_object(), "ManifestType", image->manifest_type,
		"History", history ? json_incref(history) : json_array());
}

static int describe_one(struct store *store, const char *text, json_t **out, struct error **err)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_image_config_ struct image_config config = {0};
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	const char *driver = "";
	int r = image_find(store, text, &image, NULL, err);

	if (!r)
		r = image_read_config(store, image, &config, err);
	if (!r)
		r = store_query(store, &row, err,
				"SELECT value FROM setting WHERE key = 'storage-driver'", "");
	if (r)
		return r;
	if (store_step(store, row, err) == 1)
		driver = (const char *)sqlite3_column_text(row, 0);
	*out = describe(image, &config, driver);
	return *out ? 0 : error_errno(err, ENOMEM, "inspect %s", text);
}

static int print_templated(const char *format, const json_t *objects, struct error **err)
{
	_cleanup_template_ struct template *t = NULL;
	int r = template_parse(format, &t, err);

	for (size_t i = 0; i < json_array_size(objects) && r == 0; i++) {
		_cleanup_strbuf_ struct strbuf out = {0};

		r = template_render(t, json_array_get(objects, i), &out, err);
		if (!r)
			printf("%s\n", out.text ? out.text : "");
	}
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_json_ json_t *objects = json_array();
	int result = dhow_open_store(call, &store, err), r;

	if (result)
		return result;
	for (size_t i = 0; i < call->argument_count; i++) {
		struct error *failure = NULL;
		json_t *object = NULL;

		r = describe_one(store, call->arguments[i], &object, &failure);
		if (!r) {
			json_array_append_new(objects, object);
			continue;
		}
		if (result)
			fprintf(stderr, "%s: %s\n", call->program->name, error_text(*err));
		error_freep(err);
		*err = failure;
		result = r;
	}
	if (!v->format || strcmp(v->format, "json") == 0)
		r = dhow_print_json(objects, err);
	else
		r = print_templated(v->format, objects, result ? NULL : err);
	return result ? result : r;
}

#define INSPECT_COMMAND                                                                           \
	.name = "inspect", .arguments = "NAME|ID...",                                             \
	.summary = "Show all that is known of an image", .options = options,                      \
	.values_size = sizeof(struct values), .min_arguments = 1, .max_arguments = ARGUMENTS_ANY, \
	.run = run

const struct command dhow_inspect = {INSPECT_COMMAND};
const struct command dhow_image_inspect = {INSPECT_COMMAND};

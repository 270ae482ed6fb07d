/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow image tree: an image's layers from the lowest up, or all that stands on its top layer. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "cli/listing.h"

struct values {
	bool what_requires;
};

static const struct command_option options[] = {
	{.name = "whatrequires",
	 .help = "show all layers and images that need this image's layers",
	 OPTION_TO(struct values, what_requires)},
	{0},
};

static int join_tags(const struct image *image, struct strbuf *out)
{
	const char *separator = "";

	strbuf_adds(out, "[");
	for (size_t i = 0; i < image->name_count; i++) {
		const struct image_name *n = &image->names[i];
		_cleanup_free_ char *text = NULL;

		if (!n->tag)
			continue;
		text = reference_familiar(n->repository, n->tag, NULL);
		if (!text)
			return -ENOMEM;
		strbuf_addf(out, "%s%s", separator, text);
		separator = ", ";
	}
	strbuf_adds(out, "]");
	return out->failed ? -ENOMEM : 0;
}

static int print_head(const struct image *image, struct error **err)
{
	_cleanup_strbuf_ struct strbuf tags = {0};
	char id[13], size[32];

	if (join_tags(image, &tags))
		return error_errno(err, ENOMEM, "show layers");
	image_short_id(image->id, id);
	human_size((double)image->size, size, sizeof size);
	printf("Image ID: %s\nTags:     %s\nSize:     %s\n", id, tags.text, size);
	return 0;
}

/* Names of the images whose top layer this is: " Top Layer of: [a:latest b:v1]". */
static int add_owners(struct store *store, const char *chain, struct strbuf *out,
		      struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	bool is_owned = false;
	int r = store_query(
		store, &rows, err,
		"SELECT n.repository, n.tag FROM image_layer l JOIN image_name n USING (image) "
		"WHERE l.chain_id = ? AND l.position = "
		"(SELECT max(position) FROM image_layer WHERE image = l.image) ORDER BY 1, 2",
		"s", chain);

	while (r == 0 && (r = store_step(store, rows, err)) == 1) {
		_cleanup_free_ char *name =
			reference_familiar((const char *)sqlite3_column_text(rows, 0),
					   (const char *)sqlite3_column_text(rows, 1), NULL);

		strbuf_addf(out, "%s%s", is_owned ? " " : " Top Layer of: [", name ? name : "");
		is_owned = true;
		r = 0;
	}
	if (is_owned)
		strbuf_adds(out, "]");
	if (!r && out->failed)
		r = error_errno(err, ENOMEM, "show layers");
	return r;
}

struct branch {
	struct store *store;
	struct strbuf indent;
};

static int print_layer(const struct branch *b, const char *chain, uint64_t bytes, bool is_last,
		       struct error **err)
{
	_cleanup_strbuf_ struct strbuf owners = {0};
	char id[13], size[32];
	int r = add_owners(b->store, chain, &owners, err);

	if (r)
		return r;
	image_short_id(chain, id);
	human_size((double)bytes, size, sizeof size);
	printf("%s%s ID: %s Size: %7s%s\n", b->indent.text ? b->indent.text : "",
	       is_last ? "└──" : "├──", id, size, owners.text ? owners.text : "");
	return 0;
}

static int print_own(struct branch *b, const struct image *image, struct error **err)
{
	int r = 0;

	printf("Image Layers\n");
	for (size_t i = 0; i < image->layer_count && r == 0; i++)
		r = print_layer(b, image->layers[i].chain_id, image->layers[i].size,
				i + 1 == image->layer_count, err);
	return r;
}

struct child {
	char *chain;
	uint64_t size;
};
struct children {
	struct child *items;
	size_t count;
};

static void children_clear(struct children *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->items[i].chain);
	free(c->items);
}
#define _cleanup_children_ _cleanup_(children_clear)

/* Layers that lie on the layer chain in some image. */
static int find_children(struct store *store, const char *chain, struct children *out,
			 struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	int r = store_query(
		store, &rows, err,
		"SELECT DISTINCT u.chain_id, u.size FROM image_layer l "
		"JOIN image_layer u ON u.image = l.image AND u.position = l.position + 1 "
		"WHERE l.chain_id = ? ORDER BY 1",
		"s", chain);

	while (r == 0 && (r = store_step(store, rows, err)) == 1) {
		struct child *grown = reallocarray(out->items, out->count + 1, sizeof *grown);

		r = 0;
		if (!grown)
			return error_errno(err, ENOMEM, "show layers");
		out->items = grown;
		grown[out->count].chain = strdup((const char *)sqlite3_column_text(rows, 0));
		grown[out->count].size = (uint64_t)sqlite3_column_int64(rows, 1);
		if (!grown[out->count++].chain)
			return error_errno(err, ENOMEM, "show layers");
	}
	return r;
}

/* As deep as images have layers, which the limits bound. */
static int print_above(struct branch *b, const char *chain, struct error **err)
{
	_cleanup_children_ struct children above = {0};
	size_t length = b->indent.length;
	int r = find_children(b->store, chain, &above, err);

	for (size_t i = 0; i < above.count && r == 0; i++) {
		bool is_last = i + 1 == above.count;

		r = print_layer(b, above.items[i].chain, above.items[i].size, is_last, err);
		strbuf_adds(&b->indent, is_last ? "    " : "│   ");
		if (!r)
			r = print_above(b, above.items[i].chain, err);
		b->indent.length = length;
		if (b->indent.text)
			b->indent.text[length] = '\0';
	}
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	struct branch b = {0};
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = image_find(store, call->arguments[0], &image, NULL, err);
	if (!r)
		r = print_head(image, err);
	if (r)
		return r;
	b.store = store;
	if (!image->layer_count) {
		printf("No Image Layers\n");
		return 0;
	}
	if (v->what_requires) {
		const struct image_layer *top = &image->layers[image->layer_count - 1];

		printf("Image Layers\n");
		r = print_layer(&b, top->chain_id, top->size, true, err);
		strbuf_adds(&b.indent, "    ");
		if (!r)
			r = print_above(&b, top->chain_id, err);
	} else {
		r = print_own(&b, image, err);
	}
	strbuf_free(&b.indent);
	return r;
}

const struct command dhow_image_tree = {
	.name = "tree",
	.arguments = "IMAGE",
	.summary = "Show the layers of an image, or what stands on them",
	.options = options,
	.values_size = sizeof(struct values),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};

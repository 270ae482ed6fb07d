/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images as rows: reading them, and finding the one that is meant. */
#include "image/image.h"

#define SHORT_DIGITS 12

static void clear_names(struct image *i)
{
	for (size_t n = 0; n < i->name_count; n++) {
		free(i->names[n].repository);
		free(i->names[n].tag);
		free(i->names[n].digest);
	}
	free(i->names);
}

static void clear_layers(struct image *i)
{
	for (size_t n = 0; n < i->layer_count; n++) {
		free(i->layers[n].chain_id);
		free(i->layers[n].diff_id);
		free(i->layers[n].blob);
		free(i->layers[n].media_type);
	}
	free(i->layers);
}

void image_free(struct image *i)
{
	if (!i)
		return;
	clear_names(i);
	clear_layers(i);
	free(i->id);
	free(i->manifest);
	free(i->manifest_type);
	free(i->os);
	free(i->architecture);
	free(i->variant);
	free(i->parent);
	free(i);
}

void image_list_clear(struct image_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		image_free(l->items[i]);
	free(l->items);
	*l = (struct image_list){0};
}

void image_short_id(const char *id, char *buf)
{
	const char *digits = strchr(id, ':');

	snprintf(buf, SHORT_DIGITS + 1, "%s", digits ? digits + 1 : id);
}

/* --- Rows ------------------------------------------------------------------------------------------------------------ */

#define IMAGE_COLUMNS \
	"id, manifest, manifest_type, os, architecture, variant, parent, created, arrived, size"

static char *column(sqlite3_stmt *row, int n)
{
	const char *text = (const char *)sqlite3_column_text(row, n);

	return text ? strdup(text) : NULL;
}

static struct image *read_row(sqlite3_stmt *row)
{
	struct image *i = calloc(1, sizeof *i);

	if (!i)
		return NULL;
	i->id = column(row, 0);
	i->manifest = column(row, 1);
	i->manifest_type = column(row, 2);
	i->os = column(row, 3);
	i->architecture = column(row, 4);
	i->variant = column(row, 5);
	i->parent = column(row, 6);
	i->created_ns = sqlite3_column_int64(row, 7);
	i->arrived_ns = sqlite3_column_int64(row, 8);
	i->size = (uint64_t)sqlite3_column_int64(row, 9);
	if (i->id && i->manifest && i->manifest_type && i->os && i->architecture && i->variant)
		return i;
	image_free(i);
	return NULL;
}

static int add_name(struct image *i, sqlite3_stmt *row, bool is_tag)
{
	struct image_name *grown = reallocarray(i->names, i->name_count + 1, sizeof *grown);
	struct image_name *n;

	if (!grown)
		return -ENOMEM;
	i->names = grown;
	n = &grown[i->name_count++];
	*n = (struct image_name){.repository = column(row, 1)};
	if (is_tag)
		n->tag = column(row, 2);
	else
		n->digest = column(row, 2);
	return n->repository && (n->tag || n->digest) ? 0 : -ENOMEM;
}

static int compare_ids(const void *a, const void *b)
{
	const struct image *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static struct image *find_id(const struct image_list *l, const char *id)
{
	struct image key = {.id = (char *)id}, *pointer = &key, **found;

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): these are pointers. */
	found = bsearch(&pointer, l->items, l->count, sizeof *l->items, compare_ids);
	return found ? *found : NULL;
}

/* Names of all images of the list, which is sorted by id. */
static int add_names(struct store *s, struct image_list *l, const char *sql, bool is_tag,
		     struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	int r = store_query(s, &rows, err, sql, "");

	while (r == 0 && (r = store_step(s, rows, err)) == 1) {
		struct image *i = find_id(l, (const char *)sqlite3_column_text(rows, 0));

		r = i ? add_name(i, rows, is_tag) : 0;
		if (r)
			return error_errno(err, ENOMEM, "list images");
	}
	return r;
}

static int compare_times(const void *a, const void *b)
{
	const struct image *const *x = a, *const *y = b;

	if ((*x)->created_ns != (*y)->created_ns)
		return (*x)->created_ns < (*y)->created_ns ? 1 : -1;
	return strcmp((*x)->id, (*y)->id);
}

static int add_image(struct image_list *l, size_t *room, sqlite3_stmt *row)
{
	if (l->count == *room) {
		size_t more = *room ? 2 * *room : 64;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): these are pointers. */
		struct image **grown = reallocarray(l->items, more, sizeof *grown);

		if (!grown)
			return -ENOMEM;
		l->items = grown;
		*room = more;
	}
	l->items[l->count] = read_row(row);
	if (!l->items[l->count])
		return -ENOMEM;
	l->count++;
	return 0;
}

int image_list(struct store *s, struct image_list *out, struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	_cleanup_image_list_ struct image_list l = {0};
	size_t room = 0;
	int r;

	r = store_query(s, &rows, err, "SELECT " IMAGE_COLUMNS " FROM image ORDER BY id", "");
	while (r == 0 && (r = store_step(s, rows, err)) == 1) {
		r = add_image(&l, &room, rows);
		if (r)
			return error_errno(err, ENOMEM, "list images");
	}
	if (!r && l.count)
		r = add_names(
			s, &l,
			"SELECT image, repository, tag FROM image_name ORDER BY repository, tag",
			true, err);
	if (!r && l.count)
		r = add_names(s, &l,
			      "SELECT image, repository, digest FROM image_digest "
			      "ORDER BY repository, digest",
			      false, err);
	if (r)
		return r;
	if (l.count)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): these are pointers. */
		qsort(l.items, l.count, sizeof *l.items, compare_times);
	*out = l;
	l = (struct image_list){0};
	return 0;
}

/* --- One image --------------------------------------------------------------------------------------------------- */

static int add_own_names(struct store *s, struct image *i, const char *sql, bool is_tag,
			 struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	int r = store_query(s, &rows, err, sql, "s", i->id);

	while (r == 0 && (r = store_step(s, rows, err)) == 1) {
		r = add_name(i, rows, is_tag);
		if (r)
			return error_errno(err, ENOMEM, "read image %s", i->id);
	}
	return r;
}

static int add_layer(struct image *i, sqlite3_stmt *row)
{
	struct image_layer *grown = reallocarray(i->layers, i->layer_count + 1, sizeof *grown);
	struct image_layer *l;

	if (!grown)
		return -ENOMEM;
	i->layers = grown;
	l = &grown[i->layer_count++];
	*l = (struct image_layer){
		.chain_id = column(row, 0),
		.diff_id = column(row, 1),
		.blob = column(row, 2),
		.media_type = column(row, 3),
		.blob_size = (uint64_t)sqlite3_column_int64(row, 4),
		.size = (uint64_t)sqlite3_column_int64(row, 5),
	};
	return l->chain_id && l->diff_id && l->blob && l->media_type ? 0 : -ENOMEM;
}

static int add_layers(struct store *s, struct image *i, struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	int r = store_query(s, &rows, err,
			    "SELECT chain_id, diff_id, blob, media_type, blob_size, size "
			    "FROM image_layer WHERE image = ? ORDER BY position",
			    "s", i->id);

	while (r == 0 && (r = store_step(s, rows, err)) == 1) {
		r = add_layer(i, rows);
		if (r)
			return error_errno(err, ENOMEM, "read image %s", i->id);
	}
	return r;
}

/* The one row of the statement, whole. -ENOENT without an error text when there is none, -EEXIST when several are. */
static int read_one(struct store *s, sqlite3_stmt *row, struct image **out, struct error **err)
{
	_cleanup_image_ struct image *i = NULL;
	int r = store_step(s, row, err);

	if (r <= 0)
		return r ? r : -ENOENT;
	i = read_row(row);
	if (!i)
		return error_errno(err, ENOMEM, "read an image");
	r = store_step(s, row, err);
	if (r)
		return r < 0 ? r : -EEXIST;
	r = add_own_names(s, i,
			  "SELECT image, repository, tag FROM image_name WHERE image = ? "
			  "ORDER BY repository, tag",
			  true, err);
	if (!r)
		r = add_own_names(
			s, i,
			"SELECT image, repository, digest FROM image_digest WHERE image = ? "
			"ORDER BY repository, digest",
			false, err);
	if (!r)
		r = add_layers(s, i, err);
	if (!r)
		*out = TAKE_PTR(i);
	return r;
}

static int find_by_name(struct store *s, const struct reference *name, struct image **out,
			struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	int r;

	if (name->digest)
		r = store_query(s, &row, err,
				"SELECT " IMAGE_COLUMNS " FROM image WHERE id = (SELECT image FROM "
				"image_digest WHERE repository = ? AND digest = ? LIMIT 1)",
				"ss", name->repository, name->digest);
	else
		r = store_query(s, &row, err,
				"SELECT " IMAGE_COLUMNS " FROM image WHERE id = (SELECT image FROM "
				"image_name WHERE repository = ? AND tag = ?)",
				"ss", name->repository, name->tag);
	return r ? r : read_one(s, row, out, err);
}

static bool may_be_id(const char *digits)
{
	size_t length = strlen(digits);

	return length > 0 && length <= 64 && strspn(digits, "0123456789abcdef") == length;
}

static int find_by_id(struct store *s, const char *text, struct image **out, struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	const char *digits = str_starts(text, "sha256:") ? text + strlen("sha256:") : text;
	_cleanup_free_ char *from = NULL;
	_cleanup_free_ char *to = NULL;
	int r;

	if (!may_be_id(digits))
		return -ENOENT;
	if (asprintf(&from, "sha256:%s", digits) < 0 || asprintf(&to, "sha256:%sg", digits) < 0)
		return error_errno(err, ENOMEM, "find image %s", text);
	r = store_query(s, &row, err,
			"SELECT " IMAGE_COLUMNS " FROM image WHERE id >= ? AND id < ?", "ss", from,
			to);
	if (!r)
		r = read_one(s, row, out, err);
	if (r == -EEXIST)
		return error_set(err, EINVAL, "image id %s is ambiguous: several begin with it",
				 text);
	return r;
}

int image_find(struct store *s, const char *text, struct image **out, struct reference *name_used,
	       struct error **err)
{
	_cleanup_reference_ struct reference name = {0};
	_cleanup_error_ struct error *not_a_name = NULL;
	int r = -ENOENT;

	if (name_used)
		*name_used = (struct reference){0};
	if (reference_parse(text, store_config(s), &name, &not_a_name) == 0)
		r = find_by_name(s, &name, out, err);
	if (r == 0 && name_used) {
		*name_used = name;
		name = (struct reference){0};
	}
	if (r == -ENOENT)
		r = find_by_id(s, text, out, err);
	if (r != -ENOENT)
		return r;
	return error_set(err, ENOENT, "no such image: %.300s", text);
}

int image_check(struct store *s, const struct image *image, struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	int r = store_query(s, &row, err, "SELECT 1 FROM image WHERE id = ?", "s", image->id);

	if (!r)
		r = store_step(s, row, err);
	if (r == 0)
		return error_set(err, ENOENT, "no such image: %s", image->id);
	return r < 0 ? r : 0;
}

const char **image_chain(const struct image *image, size_t count)
{
	const char **chain = calloc(count + 1, sizeof *chain);

	for (size_t i = 0; chain && i < count; i++)
		chain[i] = image->layers[count - 1 - i].chain_id;
	return chain;
}

char *image_title(const struct image *image)
{
	const struct image_name *name = image->names;

	return image->name_count ? reference_familiar(name->repository, name->tag, name->digest)
				 : strdup(image->id);
}

/* --- What an image's blobs say ----------------------------------------------------------------------------------- */

int image_read_config(struct store *s, const struct image *image, struct image_config *out,
		      struct error **err)
{
	const struct store_limits *limits = &store_config(s)->limits;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	*out = (struct image_config){0};
	r = blob_read(s, image->id, limits->config_bytes, &text, &length, err);
	return r ? r : image_config_parse(text, length, limits, out, err);
}

int image_read_manifest(struct store *s, const struct image *image, struct manifest *out,
			struct error **err)
{
	const struct store_limits *limits = &store_config(s)->limits;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	*out = (struct manifest){0};
	r = blob_read(s, image->manifest, limits->manifest_bytes, &text, &length, err);
	return r ? r : manifest_parse(text, length, image->manifest_type, limits, out, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing images, as docker's rmi: a name of several is only taken away; the last one, or an id, removes the image, and then what only it
 * needed. Rows first, in one transaction; files after it, by image_collect's rules. */
#include "image/image.h"

static int add_untagged(struct image_removal *out, const struct image_name *n, struct error **err)
{
	_cleanup_free_ char *text = reference_familiar(n->repository, n->tag, n->digest);

	return text && strv_add(&out->untagged, text) == 0
		       ? 0
		       : error_errno(err, ENOMEM, "remove an image");
}

static int delete_name(struct store *s, const struct image *image, const struct image_name *n,
		       struct error **err)
{
	if (n->tag)
		return store_execute(s, err,
				     "DELETE FROM image_name WHERE repository = ? AND tag = ? AND "
				     "image = ?",
				     "sss", n->repository, n->tag, image->id);
	return store_execute(
		s, err,
		"DELETE FROM image_digest WHERE repository = ? AND digest = ? AND image = ?", "sss",
		n->repository, n->digest, image->id);
}

static size_t count_tags(const struct image *image)
{
	size_t count = 0;

	for (size_t i = 0; i < image->name_count; i++)
		count += image->names[i].tag != NULL;
	return count;
}

static bool is_named(const struct image_name *n, const struct reference *name)
{
	if (strcmp(n->repository, name->repository) != 0)
		return false;
	return name->digest ? n->digest && strcmp(n->digest, name->digest) == 0
			    : n->tag && name->tag && strcmp(n->tag, name->tag) == 0;
}

/* Other tags of the same repository need its digests. */
static bool repository_stays(const struct image *image, const struct reference *name)
{
	for (size_t i = 0; i < image->name_count; i++)
		if (image->names[i].tag &&
		    strcmp(image->names[i].repository, name->repository) == 0 &&
		    !is_named(&image->names[i], name))
			return true;
	return false;
}

static int untag(struct store *s, const struct image *image, const struct reference *name,
		 struct image_removal *out, struct error **err)
{
	bool stays = repository_stays(image, name);
	int r = 0;

	for (size_t i = 0; i < image->name_count && r == 0; i++) {
		const struct image_name *n = &image->names[i];
		bool goes = is_named(n, name) ||
			    (!stays && n->digest && strcmp(n->repository, name->repository) == 0);

		if (!goes)
			continue;
		r = delete_name(s, image, n, err);
		if (!r)
			r = add_untagged(out, n, err);
	}
	return r;
}

static int user_of(const struct image *image, const struct image_remove_opts *opts,
		   const char *text, struct error **err)
{
	_cleanup_free_ char *user = NULL;
	int r = opts->find_user ? opts->find_user(opts->data, image, &user, err) : 0;

	if (r || !user)
		return r;
	return error_set(err, EBUSY,
			 "conflict: unable to remove repository reference \"%s\": %s is using it",
			 text, user);
}

static int child_of(struct store *s, const struct image *image, const char *text,
		    struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	char id[13];
	int r = store_query(s, &row, err, "SELECT 1 FROM image WHERE parent = ? LIMIT 1", "s",
			    image->id);

	if (!r)
		r = store_step(s, row, err);
	if (r <= 0)
		return r;
	image_short_id(image->id, id);
	return error_set(
		err, EBUSY,
		"conflict: unable to delete %s (cannot be forced) - image has dependent child "
		"images",
		text ? text : id);
}

static int used_by(const struct image *image, const char *user, struct error **err)
{
	char id[13];

	image_short_id(image->id, id);
	if (str_starts(user, "mount:"))
		return error_set(err, EBUSY,
				 "image %s is in use: it or an image with its layers is mounted; "
				 "\"dhow image unmount\" ends that",
				 id);
	return error_set(err, EBUSY, "image %s is in use by %s", id, user);
}

static int is_used(struct store *s, const struct image *image, struct error **err)
{
	for (size_t i = 0; i < image->layer_count; i++) {
		sqlite3_stmt *row _cleanup_statement_ = NULL;
		int r = store_query(s, &row, err,
				    "SELECT user FROM layer_use WHERE chain_id = ? LIMIT 1", "s",
				    image->layers[i].chain_id);

		if (!r)
			r = store_step(s, row, err);
		if (r < 0)
			return r;
		if (r == 1)
			return used_by(image, (const char *)sqlite3_column_text(row, 0), err);
	}
	return 0;
}

static int delete_image(struct store *s, const struct image *image, struct image_removal *out,
			struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < image->name_count && r == 0; i++) {
		_cleanup_free_ char *text = reference_familiar(
			image->names[i].repository, image->names[i].tag, image->names[i].digest);

		if (!text)
			return error_errno(err, ENOMEM, "remove an image");
		if (!strv_contains(&out->untagged, text))
			r = add_untagged(out, &image->names[i], err);
	}
	if (!r)
		r = store_execute(s, err, "DELETE FROM image WHERE id = ?", "s", image->id);
	if (!r && strv_add(&out->deleted, image->id))
		r = error_errno(err, ENOMEM, "remove an image");
	return r;
}

/* What one removal works on. */
struct removing {
	struct store *store;
	const struct image_remove_opts *opts;
	struct image_removal *out;
	struct image *image;
	struct reference name;
	const char *text;
};

/* The whole image goes, or only a name. */
static int goes_whole(const struct removing *m, bool *whole, struct error **err)
{
	size_t tags = count_tags(m->image);
	char id[13];

	if (m->name.repository) {
		size_t mine = 0;

		for (size_t i = 0; i < m->image->name_count; i++)
			mine += m->image->names[i].tag && is_named(&m->image->names[i], &m->name);
		*whole = tags <= mine || (m->name.digest && tags == 0);
		return 0;
	}
	*whole = true;
	if (tags <= 1 || m->opts->is_forced)
		return 0;
	image_short_id(m->image->id, id);
	for (size_t i = 1; i < tags; i++)
		if (strcmp(m->image->names[i].repository, m->image->names[0].repository) != 0)
			return error_set(
				err, EBUSY,
				"conflict: unable to delete %s (must be forced) - image is "
				"referenced in multiple repositories",
				id);
	return 0;
}

/* Ancestors that nobody named and nobody else was made from go along. */
static int delete_parents(const struct removing *m, struct error **err)
{
	_cleanup_free_ char *id = m->image->parent ? strdup(m->image->parent) : NULL;

	while (id && !m->opts->keep_parents) {
		_cleanup_image_ struct image *parent = NULL;
		_cleanup_error_ struct error *ignored = NULL;
		int r = image_find(m->store, id, &parent, NULL, &ignored);

		if (r < 0 || parent->name_count || child_of(m->store, parent, NULL, &ignored) ||
		    is_used(m->store, parent, &ignored) || user_of(parent, m->opts, id, &ignored))
			return 0;
		r = delete_image(m->store, parent, m->out, err);
		if (r)
			return r;
		free(id);
		id = parent->parent ? strdup(parent->parent) : NULL;
	}
	return 0;
}

static int remove_whole(const struct removing *m, struct error **err)
{
	int r = m->opts->is_forced ? 0 : user_of(m->image, m->opts, m->text, err);

	if (!r)
		r = child_of(m->store, m->image, m->text, err);
	if (!r)
		r = is_used(m->store, m->image, err);
	if (!r)
		r = delete_image(m->store, m->image, m->out, err);
	return r ? r : delete_parents(m, err);
}

static int change_rows(struct removing *m, struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	bool whole;
	int r;

	r = store_begin(m->store, err);
	if (r)
		return r;
	transaction = m->store;
	r = image_use_sweep(m->store, err);
	if (!r)
		r = image_find(m->store, m->text, &m->image, &m->name, err);
	if (!r)
		r = goes_whole(m, &whole, err);
	if (!r)
		r = whole ? remove_whole(m, err) : untag(m->store, m->image, &m->name, m->out, err);
	return r ? r : store_commit(transaction, err);
}

int image_remove(struct store *s, const char *text, const struct image_remove_opts *opts,
		 struct image_removal *out, struct error **err)
{
	struct removing m = {.store = s, .opts = opts, .out = out, .text = text};
	int r = change_rows(&m, err);

	/* Layers are told, as docker does, from the top. */
	for (size_t i = m.image ? m.image->layer_count : 0; i > 0 && r == 0 && out->deleted.count;
	     i--) {
		uint64_t size;
		_cleanup_error_ struct error *ignored = NULL;

		if (image_layer_size(s, m.image->layers[i - 1].chain_id, &size, &ignored) ==
			    -ENOENT &&
		    strv_add(&out->deleted, m.image->layers[i - 1].chain_id))
			r = error_errno(err, ENOMEM, "remove an image");
	}
	image_free(m.image);
	reference_clear(&m.name);
	return r;
}

void image_removal_clear(struct image_removal *r)
{
	strv_free(&r->untagged);
	strv_free(&r->deleted);
	*r = (struct image_removal){0};
}

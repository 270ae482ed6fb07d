/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding images and names: each change that belongs together is one transaction. */
#include "image/image.h"

static int add_name(struct store *s, const struct image *image, const struct image_name *n,
		    struct error **err)
{
	if (n->tag)
		return store_execute(
			s, err,
			"INSERT INTO image_name (repository, tag, image) VALUES (?, ?, ?) "
			"ON CONFLICT (repository, tag) DO UPDATE SET image = excluded.image",
			"sss", n->repository, n->tag, image->id);
	return store_execute(s, err,
			     "INSERT OR IGNORE INTO image_digest (repository, digest, image) "
			     "VALUES (?, ?, ?)",
			     "sss", n->repository, n->digest, image->id);
}

static int add_layer(struct store *s, const struct image *image, size_t position,
		     struct error **err)
{
	const struct image_layer *l = &image->layers[position];

	return store_execute(
		s, err,
		"INSERT OR REPLACE INTO image_layer (image, position, chain_id, diff_id, "
		"blob, media_type, blob_size, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		"sissssii", image->id, (int64_t)position, l->chain_id, l->diff_id, l->blob,
		l->media_type, (int64_t)l->blob_size, (int64_t)l->size);
}

/* An image that came before with other blobs (another compression) takes those that came last; the earlier ones stay its own as well. */
static int add_image(struct store *s, const struct image *i, struct error **err)
{
	return store_execute(
		s, err,
		"INSERT INTO image (id, manifest, manifest_type, created, arrived, size, os, "
		"architecture, variant, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
		"ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest, manifest_type = "
		"excluded.manifest_type, arrived = excluded.arrived, parent = coalesce(image.parent, "
		"excluded.parent)",
		"sssiiissss", i->id, i->manifest, i->manifest_type, i->created_ns, i->arrived_ns,
		(int64_t)i->size, i->os, i->architecture, i->variant, i->parent);
}

int image_register(struct store *s, const struct image_record *record, struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	const struct image *image = record->image;
	int r;

	r = store_begin(s, err);
	if (r)
		return r;
	transaction = s;
	r = add_image(s, image, err);
	for (size_t i = 0; i < image->layer_count && r == 0; i++)
		r = add_layer(s, image, i, err);
	for (size_t i = 0; i < image->name_count && r == 0; i++)
		r = add_name(s, image, &image->names[i], err);
	for (size_t i = 0; i < record->blobs->count && r == 0; i++)
		r = store_execute(s, err,
				  "INSERT OR IGNORE INTO image_blob (image, digest) VALUES (?, ?)",
				  "ss", image->id, record->blobs->items[i]);
	return r ? r : store_commit(transaction, err);
}

int image_tag(struct store *s, const struct image *image, const struct reference *name,
	      struct error **err)
{
	struct image_name tagged = {.repository = name->repository, .tag = name->tag};
	struct store *transaction _cleanup_transaction_ = NULL;
	int r;

	if (name->digest || !name->tag)
		return error_set(err, EINVAL, "a name to tag with can't have a digest");
	r = store_begin(s, err);
	if (r)
		return r;
	transaction = s;
	r = image_check(s, image, err);
	if (!r)
		r = add_name(s, image, &tagged, err);
	return r ? r : store_commit(transaction, err);
}

int image_untag(struct store *s, const struct image *image, const struct reference *name,
		struct error **err)
{
	bool found = !name;

	for (size_t i = 0; name && i < image->name_count; i++)
		found |= image->names[i].tag && str_equal(image->names[i].tag, name->tag) &&
			 str_equal(image->names[i].repository, name->repository);
	if (!found)
		return error_set(err, ENOENT, "image %s has no name %s:%s", image->id,
				 name->repository, name->tag ? name->tag : "");
	if (name)
		return store_execute(
			s, err,
			"DELETE FROM image_name WHERE repository = ? AND tag = ? AND image = ?",
			"sss", name->repository, name->tag, image->id);
	return store_execute(s, err, "DELETE FROM image_name WHERE image = ?", "s", image->id);
}

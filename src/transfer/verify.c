/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every byte of an image against its digest. See verify.h. */
#include <fcntl.h>
#include <string.h>

#include "layer/diff.h"
#include "layer/layer.h"
#include "transfer/intake.h"
#include "transfer/verify.h"

struct verification {
	struct store *store;
	struct storage *storage;
	const struct image *image;
	struct progress *progress;
	struct verify_result *result;
};

/* --- Blobs --------------------------------------------------------------------------------------------------------------- */

/* What is on the disk, not what the page cache remembers of it, as far as the kernel lets us say so. */
static void forget_cached(int fd)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int hash_blob(const struct verification *v, int fd, const char *digest, struct error **err)
{
	_cleanup_hash_ struct hash *h = hash_new(digest);
	char found[DIGEST_SIZE];
	uint64_t length;
	int r;

	if (!h)
		return error_errno(err, ENOMEM, "verify %s", digest);
	forget_cached(fd);
	r = hash_add_file(h, fd, UINT64_MAX, &length);
	if (r)
		return error_errno(err, -r, "read the blob %s", digest);
	hash_finish(h, found);
	if (strcmp(found, digest) != 0)
		return error_set(err, EUCLEAN, "blob %s is damaged: its content has the digest %s",
				 digest, found);
	v->result->blobs++;
	v->result->blob_bytes += length;
	return 0;
}

static int verify_blob(const struct verification *v, const char *digest, struct error **err)
{
	_cleanup_fd_ int fd = -1;

	if (!digest_is_valid(digest))
		return error_set(err, EUCLEAN, "the database names a blob \"%.150s\"", digest);
	fd = blob_open(v->store, digest, NULL, err);
	if (fd == -ENOENT) {
		error_freep(err);
		return error_set(err, EUCLEAN, "blob %s is missing", digest);
	}
	if (fd < 0)
		return fd;
	progress_state(v->progress, digest, "Verifying Checksum", 0);
	return hash_blob(v, fd, digest, err);
}

static int verify_blobs(const struct verification *v, struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	int r = store_query(v->store, &rows, err,
			    "SELECT digest FROM image_blob WHERE image = ? ORDER BY digest", "s",
			    v->image->id);

	while (r == 0 && (r = store_step(v->store, rows, err)) == 1)
		r = verify_blob(v, (const char *)sqlite3_column_text(rows, 0), err);
	return r;
}

/* --- Layers -------------------------------------------------------------------------------------------------------------- */

/* The rows are what the configuration says: it is what the image's id stands for. */
static int verify_rows(const struct verification *v, struct error **err)
{
	_cleanup_image_config_ struct image_config config = {0};
	int r = image_read_config(v->store, v->image, &config, err);

	if (r)
		return r;
	if (config.diff_ids.count != v->image->layer_count)
		return error_set(err, EUCLEAN, "the database has %zu layers, the image %zu",
				 v->image->layer_count, config.diff_ids.count);
	for (size_t i = 0; i < v->image->layer_count; i++) {
		const struct image_layer *l = &v->image->layers[i];
		char id[DIGEST_SIZE];

		chain_id(i ? v->image->layers[i - 1].chain_id : NULL, config.diff_ids.items[i], id);
		if (strcmp(l->diff_id, config.diff_ids.items[i]) != 0 ||
		    strcmp(l->chain_id, id) != 0)
			return error_set(err, EUCLEAN,
					 "the database has layer %s where the image has %s",
					 l->diff_id, config.diff_ids.items[i]);
	}
	return 0;
}

static int open_kept(const struct verification *v, size_t position, struct storage_diff *out,
		     struct error **err)
{
	_cleanup_free_ const char **chain = image_chain(v->image, position + 1);
	struct storage_mount_opts opts = {.layers = chain, .layer_count = position + 1};

	if (!chain)
		return error_errno(err, ENOMEM, "verify a layer");
	return storage_diff_open(v->storage, &opts, out, err);
}

static int compare_layer(const struct verification *v, size_t position,
			 const struct storage_staging *fresh, struct error **err)
{
	struct storage_diff kept = {.upper = -1, .lower = -1};
	int r = open_kept(v, position, &kept, err);

	if (r)
		return r;
	r = layer_compare(kept.upper, fresh->root, fresh->whiteouts, err);
	storage_diff_close(v->storage, &kept);
	return r;
}

/* A name of its own, in the place where layers grow; it never becomes visible. */
static void name_of_copy(const char *chain, char out[DIGEST_SIZE])
{
	char text[16 + DIGEST_SIZE];
	int length = snprintf(text, sizeof text, "verify:%s", chain);

	hash_bytes(text, (size_t)length, out);
}

static int verify_layer(const struct verification *v, size_t position, struct error **err)
{
	const struct image_layer *l = &v->image->layers[position];
	struct storage_staging fresh = {0};
	char name[DIGEST_SIZE];
	int r;

	if (!storage_layer_exists(v->storage, l->chain_id)) {
		v->result->not_unpacked++;
		return 0;
	}
	progress_state(v->progress, l->blob, "Comparing", 0);
	name_of_copy(l->chain_id, name);
	r = storage_layer_begin(v->storage, name,
				position ? v->image->layers[position - 1].chain_id : NULL, true,
				&fresh, err);
	if (r)
		return r;
	r = image_layer_unpack(v->store, l, &fresh, err);
	if (!r)
		r = compare_layer(v, position, &fresh, err);
	storage_layer_abort(v->storage, &fresh);
	if (r)
		return error_prefix(err, "layer %s", l->diff_id);
	v->result->layers++;
	v->result->layer_bytes += l->size;
	return 0;
}

int image_verify(struct store *s, struct storage *storage, const struct image *image,
		 struct progress *progress, struct verify_result *out, struct error **err)
{
	const struct verification v = {.store = s,
				       .storage = storage,
				       .image = image,
				       .progress = progress,
				       .result = out};
	int r;

	*out = (struct verify_result){0};
	r = verify_blobs(&v, err);
	if (!r)
		r = verify_rows(&v, err);
	for (size_t i = 0; i < image->layer_count && r == 0; i++)
		r = verify_layer(&v, i, err);
	return r;
}

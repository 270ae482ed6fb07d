/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where blobs were seen, and what layers weigh: small questions to the database. */
#include "image/image.h"

int blob_source_add(struct store *s, const char *repository, const struct strv *digests,
		    struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	int r;

	r = store_begin(s, err);
	if (r)
		return r;
	transaction = s;
	for (size_t i = 0; i < digests->count && r == 0; i++)
		r = store_execute(s, err,
				  "INSERT OR IGNORE INTO blob_source (digest, repository) "
				  "VALUES (?, ?)",
				  "ss", digests->items[i], repository);
	return r ? r : store_commit(transaction, err);
}

int blob_source_list(struct store *s, const char *registry, const char *digest,
		     struct strv *repositories, struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	_cleanup_free_ char *prefix = NULL;
	int r;

	if (asprintf(&prefix, "%s/", registry) < 0)
		return error_errno(err, ENOMEM, "look for blob %s", digest);
	r = store_query(s, &rows, err,
			"SELECT repository FROM blob_source WHERE digest = ?1 AND "
			"substr(repository, 1, length(?2)) = ?2 ORDER BY repository",
			"ss", digest, prefix);
	while (r == 0 && (r = store_step(s, rows, err)) == 1)
		r = strv_add(repositories, (const char *)sqlite3_column_text(rows, 0));
	return r == -ENOMEM ? error_errno(err, ENOMEM, "look for blob %s", digest) : r;
}

int image_layer_size(struct store *s, const char *chain_id, uint64_t *size, struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	int r;

	r = store_query(s, &rows, err, "SELECT size FROM image_layer WHERE chain_id = ? LIMIT 1",
			"s", chain_id);
	if (!r)
		r = store_step(s, rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_errno(err, ENOENT, "layer %s", chain_id);
	*size = (uint64_t)sqlite3_column_int64(rows, 0);
	return 0;
}

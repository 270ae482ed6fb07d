/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image behind a registry's digest. An index stands for one image per platform, of which several may be here. */
#include "image/image.h"

static bool serves(const char *variant, const struct platform *wanted)
{
	const char *asked = wanted->variant ? wanted->variant : "";

	/* A manifest without a variant is what an index gave for this platform's usual one. */
	return !*asked || !*variant || strcmp(asked, variant) == 0;
}

int image_find_digest(struct store *s, const char *repository, const char *digest,
		      const struct platform *platform, struct image **out, struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	int r;

	r = store_query(s, &rows, err,
			"SELECT id, variant FROM image JOIN image_digest ON image = id "
			"WHERE repository = ? AND digest = ? AND os = ? AND architecture = ?",
			"ssss", repository, digest, platform->os, platform->architecture);
	while (r == 0 && (r = store_step(s, rows, err)) == 1) {
		_cleanup_free_ char *id = strdup((const char *)sqlite3_column_text(rows, 0));

		if (!id)
			return error_errno(err, ENOMEM, "find image %s", digest);
		if (serves((const char *)sqlite3_column_text(rows, 1), platform))
			return image_find(s, id, out, NULL, err);
		r = 0;
	}
	return r < 0 ? r : error_errno(err, ENOENT, "image %s@%s", repository, digest);
}

int image_digest_add(struct store *s, const struct image *image, const char *repository,
		     const char *digest, struct error **err)
{
	return store_execute(s, err,
			     "INSERT OR IGNORE INTO image_digest (repository, digest, image) "
			     "VALUES (?, ?, ?)",
			     "sss", repository, digest, image->id);
}

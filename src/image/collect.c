/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nothing needs any more: blobs and layers without an image, a use or a lease.
 *
 * The look and the removal are in one transaction, and so is the taking of a lease: who takes one either comes first,
 * and is seen here, or comes after, and finds the thing gone. Removal is a rename; the work comes later. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"

static int exists_row(struct store *s, const char *sql, const char *value, struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	int r = store_query(s, &row, err, sql, "s", value);

	return r ? r : store_step(s, row, err);
}

static int blob_is_needed(struct store *s, const char *digest, struct error **err)
{
	return exists_row(s,
			  "SELECT 1 FROM image_blob WHERE digest = ?1 UNION ALL "
			  "SELECT 1 FROM lease WHERE item = ?1 LIMIT 1",
			  digest, err);
}

static int layer_is_needed(struct store *s, const char *chain_id, struct error **err)
{
	return exists_row(s,
			  "SELECT 1 FROM image_layer WHERE chain_id = ?1 UNION ALL "
			  "SELECT 1 FROM layer_use WHERE chain_id = ?1 UNION ALL "
			  "SELECT 1 FROM lease WHERE item = 'layer:' || ?1 LIMIT 1",
			  chain_id, err);
}

/* --- Blobs ------------------------------------------------------------------------------------------------------------ */

static int collect_blob(struct store *s, int directory, const char *digest, uint64_t *freed,
			struct error **err)
{
	struct stat st;
	int r = blob_is_needed(s, digest, err);

	if (r)
		return r < 0 ? r : 0;
	if (fstatat(directory, digest_hex(digest), &st, AT_SYMLINK_NOFOLLOW) == 0 && freed)
		*freed += (uint64_t)st.st_size;
	return store_trash(s, directory, digest_hex(digest), err);
}

static int collect_directory(struct store *s, const char *algorithm, uint64_t *freed,
			     struct error **err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_dir_ DIR *d = NULL;
	const struct dirent *e;
	int r = 0, fd;

	if (asprintf(&path, "blobs/%s", algorithm) < 0)
		return error_errno(err, ENOMEM, "look through the blobs");
	fd = openat(store_root_fd(s), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return errno == ENOENT ? 0 : error_errno(err, errno, "look through %s", path);
	}
	while (r == 0 && (e = readdir(d))) {
		char digest[DIGEST_SIZE];

		snprintf(digest, sizeof digest, "%s:%.128s", algorithm, e->d_name);
		if (digest_is_valid(digest))
			r = collect_blob(s, fd, digest, freed, err);
	}
	return r;
}

/* --- Layers ----------------------------------------------------------------------------------------------------------- */

static int collect_layers(struct store *s, const struct image_remove_opts *opts, struct error **err)
{
	_cleanup_strv_ struct strv unneeded = {0};
	int r;

	if (!opts || !opts->list_layers || !opts->drop_layer)
		return 0;
	r = opts->list_layers(opts->data, &unneeded, err);
	for (size_t i = 0; i < unneeded.count && r == 0; i++) {
		r = layer_is_needed(s, unneeded.items[i], err);
		if (r == 0)
			r = opts->drop_layer(opts->data, unneeded.items[i], err);
		if (r == -EBUSY) {
			error_freep(err);
			r = 0;
		}
		r = r < 0 ? r : 0;
	}
	return r;
}

int image_collect(struct store *s, const struct image_remove_opts *opts, uint64_t *freed,
		  struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	int r;

	r = store_begin(s, err);
	if (r)
		return r;
	transaction = s;
	r = store_lease_sweep(s, err);
	if (!r)
		r = image_use_sweep(s, err);
	if (!r)
		r = collect_directory(s, "sha256", freed, err);
	if (!r)
		r = collect_directory(s, "sha512", freed, err);
	if (!r)
		r = collect_layers(s, opts, err);
	if (!r)
		r = store_execute(
			s, err,
			"DELETE FROM blob_source WHERE digest NOT IN (SELECT digest FROM image_blob)",
			"");
	if (!r)
		r = store_commit(transaction, err);
	if (!r)
		store_trash_empty(s);
	return r;
}

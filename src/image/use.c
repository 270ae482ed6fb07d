/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who uses an image's layers: rows that keep removal away. See image.h.
 *
 * A mount of an image ends with the host's uptime, and its row may outlive it. What lives and dies with the mount is a file in
 * the runroot, RUNROOT/mounts/HEX.lock, which holds how often the image is mounted, and is locked (flock) by who changes that. */
#include <fcntl.h>
#include <sys/file.h>

#include "image/image.h"
#include "kernel/mount.h"

int image_use_add(struct store *s, const struct image *image, const char *user, struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	int r = store_begin(s, err);

	if (r)
		return r;
	transaction = s;
	r = image_check(s, image, err);
	for (size_t i = 0; i < image->layer_count && r == 0; i++)
		r = store_execute(s, err,
				  "INSERT OR IGNORE INTO layer_use (chain_id, user) VALUES (?, ?)",
				  "ss", image->layers[i].chain_id, user);
	return r ? r : store_commit(transaction, err);
}

int image_use_remove(struct store *s, const char *user, struct error **err)
{
	return store_execute(s, err, "DELETE FROM layer_use WHERE user = ?", "s", user);
}

/* There is no file, or it counts nothing and nobody works on it: who mounted was killed, before the mount or (then it stays a
 * use) right after it. */
static bool mount_is_dead(const struct store *s, const char *hex)
{
	_cleanup_free_ char *path = NULL, *lock = NULL;
	int root = store_runroot_fd(s);
	_cleanup_fd_ int fd = -1;
	char digit = '0';

	if (strchr(hex, '/') || asprintf(&path, "mounts/%s", hex) < 0 ||
	    asprintf(&lock, "%s.lock", path) < 0)
		return false;
	fd = openat(root, lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || (pread(fd, &digit, 1, 0) == 1 && digit != '0') ||
	    mount_is_root(root, path, NULL) != 0)
		return false;
	unlinkat(root, lock, 0);
	return true;
}

int image_use_sweep(struct store *s, struct error **err)
{
	static const char kind[] = "mount:";
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	_cleanup_strv_ struct strv dead = {0};
	int r = store_query(s, &rows, err,
			    "SELECT DISTINCT user FROM layer_use WHERE user LIKE 'mount:%'", "");

	while (r == 0 && (r = store_step(s, rows, err)) == 1) {
		const char *user = (const char *)sqlite3_column_text(rows, 0);

		r = mount_is_dead(s, user + strlen(kind)) ? strv_add(&dead, user) : 0;
		if (r)
			return error_errno(err, ENOMEM, "look at mounts");
	}
	for (size_t i = 0; i < dead.count && r == 0; i++)
		r = image_use_remove(s, dead.items[i], err);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases: a locked file that lives as long as its owner does, and rows that name what the owner is bringing in. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

struct store_lease {
	struct store *store;
	int fd;
	char id[33];
};

static int random_id(char *out)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return -EIO;
	for (size_t i = 0; i < sizeof bytes; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
	return 0;
}

int store_lease_open(struct store *s, struct store_lease **out, struct error **err)
{
	struct store_lease *l = calloc(1, sizeof *l);

	if (!l || random_id(l->id) < 0) {
		free(l);
		return error_errno(err, ENOMEM, "take a lease");
	}
	l->store = s;
	l->fd = openat(s->leases, l->id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (l->fd < 0 || flock(l->fd, LOCK_EX | LOCK_NB) < 0) {
		int r = error_errno(err, errno, "take a lease in %s/leases", s->runroot);

		close_fd(&l->fd);
		free(l);
		return r;
	}
	*out = l;
	return 0;
}

int store_lease_add(struct store_lease *l, const char *item, struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	int r;

	r = store_begin(l->store, err);
	if (r)
		return r;
	transaction = l->store;
	r = store_execute(l->store, err, "INSERT OR IGNORE INTO lease (id, item) VALUES (?, ?)",
			  "ss", l->id, item);
	return r ? r : store_commit(transaction, err);
}

void store_lease_close(struct store_lease *l)
{
	if (!l)
		return;
	store_execute(l->store, NULL, "DELETE FROM lease WHERE id = ?", "s", l->id);
	unlinkat(l->store->leases, l->id, 0);
	close_fd(&l->fd);
	free(l);
}

/* Its file is gone (a reboot, an orderly end), or nobody holds the lock. */
static bool is_dead(const struct store *s, const char *id)
{
	_cleanup_fd_ int fd = -1;

	if (strchr(id, '/'))
		return true;
	fd = openat(s->leases, id, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	unlinkat(s->leases, id, 0);
	return true;
}

int store_lease_sweep(struct store *s, struct error **err)
{
	sqlite3_stmt *rows _cleanup_statement_ = NULL;
	_cleanup_strv_ struct strv dead = {0};
	int r;

	r = store_query(s, &rows, err, "SELECT DISTINCT id FROM lease", "");
	while (r == 0 && (r = store_step(s, rows, err)) == 1) {
		const char *id = (const char *)sqlite3_column_text(rows, 0);

		r = is_dead(s, id) ? strv_add(&dead, id) : 0;
		if (r)
			return error_errno(err, ENOMEM, "look at leases");
	}
	for (size_t i = 0; i < dead.count && r == 0; i++)
		r = store_execute(s, err, "DELETE FROM lease WHERE id = ?", "s", dead.items[i]);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The database: SQLite in WAL mode, opened once per command.
 *
 * synchronous=FULL: a transaction that was committed is on disk. The schema's version is SQLite's user_version; a newer
 * one than ours was written by a newer dhow, and is left alone. A store is used by several threads of a command (a
 * transfer's): a mutex makes their transactions one after the other, as SQLite does those of processes. */
#include <stdarg.h>
#include <sys/file.h>
#include <time.h>

#include "store/internal.h"

#define SCHEMA_VERSION 1
#define BUSY_MS        60000

static int fail(const struct store *s, int code, struct error **err)
{
	const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code);
	int number = EIO;

	switch (code & 0xff) {
	case SQLITE_FULL:
		number = ENOSPC;
		break;
	case SQLITE_IOERR:
		/* Its own words are "disk I/O error", whatever the kernel said. */
		if (s->db && sqlite3_system_errno(s->db)) {
			number = sqlite3_system_errno(s->db);
			text = strerror(number);
		}
		break;
	case SQLITE_NOMEM:
		number = ENOMEM;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		number = EBUSY;
		break;
	case SQLITE_READONLY:
		number = EROFS;
		break;
	case SQLITE_CANTOPEN:
		number = ENOENT;
		break;
	case SQLITE_CONSTRAINT:
		number = EEXIST;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		number = EUCLEAN;
		break;
	default:
		break;
	}
	return error_set(err, number, "the database %s/dhow.db: %s", s->root, text);
}

int store_query(const struct store *s, sqlite3_stmt **out, struct error **err, const char *sql,
		const char *types, ...)
{
	va_list args;
	int r;

	r = sqlite3_prepare_v2(s->db, sql, -1, out, NULL);
	if (r != SQLITE_OK)
		return fail(s, r, err);
	va_start(args, types);
	for (int i = 0; types[i] && r == SQLITE_OK; i++) {
		if (types[i] == 's')
			r = sqlite3_bind_text(*out, i + 1, va_arg(args, const char *), -1,
					      SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_int64(*out, i + 1, va_arg(args, int64_t));
	}
	va_end(args);
	if (r == SQLITE_OK)
		return 0;
	sqlite3_finalize(TAKE_PTR(*out));
	return fail(s, r, err);
}

int store_step(const struct store *s, sqlite3_stmt *statement, struct error **err)
{
	int r = sqlite3_step(statement);

	if (r == SQLITE_ROW)
		return 1;
	return r == SQLITE_DONE ? 0 : fail(s, r, err);
}

int store_execute(const struct store *s, struct error **err, const char *sql, const char *types,
		  ...)
{
	sqlite3_stmt *statement _cleanup_statement_ = NULL;
	va_list args;
	int r;

	r = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);
	if (r != SQLITE_OK)
		return fail(s, r, err);
	va_start(args, types);
	for (int i = 0; types[i] && r == SQLITE_OK; i++) {
		if (types[i] == 's')
			r = sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1,
					      SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
	}
	va_end(args);
	if (r != SQLITE_OK)
		return fail(s, r, err);
	do
		r = store_step(s, statement, err);
	while (r == 1);
	return r;
}

static int script(struct store *s, const char *sql, struct error **err)
{
	int r = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return r == SQLITE_OK ? 0 : fail(s, r, err);
}

/* --- Transactions ------------------------------------------------------------------------------------------------ */

/* The address of one's own copy names a thread. Who cleans up after its commit must not end a transaction that another
 * thread has begun meanwhile. */
static _Thread_local char self;

static bool is_ours(struct store *s)
{
	return atomic_load(&s->transaction_owner) == (uintptr_t)&self;
}

int store_begin(struct store *s, struct error **err)
{
	int r;

	pthread_mutex_lock(&s->transaction);
	r = script(s, "BEGIN IMMEDIATE", err);
	if (r)
		pthread_mutex_unlock(&s->transaction);
	else
		atomic_store(&s->transaction_owner, (uintptr_t)&self);
	return r;
}

int store_commit(struct store *s, struct error **err)
{
	int r = script(s, "COMMIT", err);

	if (r)
		return r; /* the rollback is the caller's cleanup */
	atomic_store(&s->transaction_owner, 0);
	pthread_mutex_unlock(&s->transaction);
	return 0;
}

void store_rollback(struct store *s)
{
	if (!is_ours(s))
		return;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	atomic_store(&s->transaction_owner, 0);
	pthread_mutex_unlock(&s->transaction);
}

/* --- Opening ----------------------------------------------------------------------------------------------------- */

static int schema_version(struct store *s, int64_t *out, struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	int r;

	r = store_query(s, &row, err, "PRAGMA user_version", "");
	if (!r)
		r = store_step(s, row, err);
	*out = r == 1 ? sqlite3_column_int64(row, 0) : 0;
	return r < 0 ? r : 0;
}

/* The change of the journal's mode doesn't wait for readers as other statements do; they are short here. */
static int become_wal(struct store *s, struct error **err)
{
	const struct timespec pause = {0, 2000000};
	int r = -EBUSY;

	for (int tries = 0; tries < BUSY_MS / 2 && r == -EBUSY; tries++) {
		error_freep(err);
		if (tries)
			nanosleep(&pause, NULL);
		r = script(s, "PRAGMA journal_mode = WAL", err);
	}
	return r;
}

/* Somebody else may be making it at the same time: the version is looked at again inside the transaction. */
static int make_schema(struct store *s, struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	int64_t version;
	int r;

	r = become_wal(s, err);
	if (!r)
		r = store_begin(s, err);
	if (r)
		return r;
	transaction = s;
	r = schema_version(s, &version, err);
	if (!r && version == 0) {
		r = script(s, store_schema, err);
		if (!r)
			r = script(s, "PRAGMA user_version = 1", err);
	}
	return r ? r : store_commit(transaction, err);
}

int database_open(struct store *s, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int64_t version = 0;
	int r;

	if (asprintf(&path, "%s/dhow.db", s->root) < 0)
		return error_errno(err, ENOMEM, "open the database");
	r = sqlite3_open_v2(path, &s->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX |
				    SQLITE_OPEN_NOFOLLOW,
			    NULL);
	if (r != SQLITE_OK)
		return fail(s, r, err);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	r = script(s, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL", err);
	if (!r)
		r = schema_version(s, &version, err);
	if (!r && version == 0) {
		/* One maker at a time; the lock ends with it. */
		flock(s->root_fd, LOCK_EX);
		r = make_schema(s, err);
		flock(s->root_fd, LOCK_UN);
	}
	if (r)
		return r;
	if (version > SCHEMA_VERSION)
		return error_set(
			err, EPROTONOSUPPORT,
			"the database %s has schema version %jd, but this dhow knows only up to %d: "
			"a newer dhow wrote it",
			path, (intmax_t)version, SCHEMA_VERSION);
	return 0;
}

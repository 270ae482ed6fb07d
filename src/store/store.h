/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store: where dhow keeps what it has. Directories, the configuration file, the database, blobs, leases.
 *
 * Two directories: root persists (/var/lib/dhow, or $XDG_DATA_HOME/dhow), runroot is lost at reboot (/run/dhow, or
 * $XDG_RUNTIME_DIR/dhow). Both are 0700, whatever the umask.
 *
 *   ROOT/dhow.db             SQLite, WAL: names, images, layers, what refers to what
 *   ROOT/blobs/sha256/HEX    content, by digest: manifests, configurations, layers as they were transferred
 *   ROOT/ingest/             blobs on their way in; a name with a lock on it (flock) is in use, others are rests
 *   ROOT/storage/DRIVER/     what a storage driver keeps (storage/storage.h)
 *   ROOT/trash/              renamed here to be removed; emptied by whoever comes next
 *   RUNROOT/leases/          one locked file per process that brings content in (store_lease)
 *
 * A blob is visible only when it is whole and on disk. A row of the database never refers to what isn't there. What is
 * there without a row and without a lease is a rest, for store_collect(). */
#ifndef DHOW_STORE_STORE_H
#define DHOW_STORE_STORE_H

#include <sqlite3.h>

#include "base/base.h"
#include "store/config.h"

struct store;

struct store_opts {
	const char *root, *runroot; /* NULL: the default of the user */
	const char *
		config; /* configuration file; NULL: the defaults, /etc/dhow/config.json and the user's */
	const char *storage_driver; /* overrides the configuration; NULL: doesn't */
	const struct strv *storage_opts;
};

/* Makes the directories that are missing, reads the configuration, opens the database (making or migrating it; a newer
 * schema than ours is refused). Caller closes with store_close. */
int store_open(const struct store_opts *opts, struct store **out, struct error **err);
void store_close(struct store *s);
static inline void store_closep(struct store **s)
{
	store_close(*s);
}
#define _cleanup_store_ _cleanup_(store_closep)

/* All borrowed from the store. */
const char *store_root(const struct store *s);
int store_root_fd(const struct store *s);
const char *store_runroot(const struct store *s);
int store_runroot_fd(const struct store *s);
const struct store_config *store_config(const struct store *s);

/* --- The database. Threads may share a store; these calls serialise (SQLite's serialised mode). --- */
sqlite3 *store_db(const struct store *s);
/* One change that belongs together: BEGIN IMMEDIATE, waiting for other writers. Every begin has one commit or rollback;
 * rollback after a commit does nothing, so that it serves as a cleanup. */
int store_begin(struct store *s, struct error **err);
int store_commit(struct store *s, struct error **err);
void store_rollback(struct store *s);
static inline void store_rollbackp(struct store **s)
{
	if (*s)
		store_rollback(*s);
}
/* struct store *transaction _cleanup_transaction_ = s; after a successful begin. */
#define _cleanup_transaction_ _cleanup_(store_rollbackp)

/* A prepared statement with its parameters bound: one character of types per parameter, 's' const char * (NULL binds
 * NULL), 'i' int64_t. Finalise with _cleanup_statement_. */
int store_query(const struct store *s, sqlite3_stmt **out, struct error **err, const char *sql,
		const char *types, ...);
/* SQLITE_ROW is 1, SQLITE_DONE 0, else a negative errno (corruption is -EUCLEAN, a full disk -ENOSPC). */
int store_step(const struct store *s, sqlite3_stmt *statement, struct error **err);
/* Query, step to the end, finalise. Returns 0 or a negative errno. */
int store_execute(const struct store *s, struct error **err, const char *sql, const char *types,
		  ...);
static inline void statement_finalizep(sqlite3_stmt **st)
{
	sqlite3_finalize(*st);
}
#define _cleanup_statement_ _cleanup_(statement_finalizep)

/* --- Leases: what a process brings in isn't swept away before a row refers to it. ---
 * A lease is a file in RUNROOT/leases, locked (flock) as long as its owner lives, and rows of table lease. Taking an item
 * happens in a transaction, and removal of blobs and layers looks at leases inside a transaction, so the two are in order:
 * after store_lease_add() an item that is found present stays. */
struct store_lease;
int store_lease_open(struct store *s, struct store_lease **out, struct error **err);
/* item is a digest ("sha256:...": a blob) or "layer:" and a chain id. */
int store_lease_add(struct store_lease *l, const char *item, struct error **err);
void store_lease_close(struct store_lease *l);
/* Deletes rows of leases whose owners are gone. Inside a transaction. */
int store_lease_sweep(struct store *s, struct error **err);

/* --- Blobs (store/blobs.h) --- */
#include "store/blobs.h"

#endif

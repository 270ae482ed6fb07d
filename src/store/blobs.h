/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blobs: content by digest. Part of the store's door; include store/store.h.
 *
 * Hashing is the caller's (layer/hash.h): this room knows the grammar of a digest only, and trusts no name before
 * digest_is_valid(). */
#ifndef DHOW_STORE_BLOBS_H
#define DHOW_STORE_BLOBS_H

#include <stdint.h>

#include "base/base.h"

struct store;

#define DIGEST_SIZE 136 /* "sha512:", 128 digits, NUL */

/* OCI image spec, descriptor.md: sha256:64 or sha512:128 lower-case hex digits, nothing else. */
bool digest_is_valid(const char *text);
/* The digits. */
static inline const char *digest_hex(const char *digest)
{
	return digest + 7;
}

/* Opens a blob for reading; -ENOENT when it isn't there. *size may be NULL. */
int blob_open(const struct store *s, const char *digest, uint64_t *size, struct error **err);
bool blob_exists(const struct store *s, const char *digest);
/* All of a blob that is at most max bytes. Caller frees. */
int blob_read(const struct store *s, const char *digest, size_t max, char **data, size_t *length,
	      struct error **err);

/* A blob on its way in. Opens ROOT/ingest/ALG-HEX read-write and locks it; another process that brings the same one in has the
 * lock: *is_waiting false returns -EBUSY at once, true waits (the blob may then exist: look again). What an earlier, interrupted try left
 * is kept in the file; *have is its size (a resumed transfer goes on there, after hashing what is there). */
int blob_ingest_open(const struct store *s, const char *digest, bool is_waiting, uint64_t *have,
		     struct error **err);
/* Makes the ingested blob visible: rename into blobs/. Its data must be on disk already (store_sync), and its digest verified.
 * Takes no ownership of fd. */
int blob_ingest_publish(const struct store *s, const char *digest, struct error **err);
/* Removes the ingest file: wrong content. */
void blob_ingest_discard(const struct store *s, const char *digest);
/* A new file in ingest/ whose digest isn't known yet (load from a stream): an unnamed file (O_TMPFILE), or a named one where the file system
 * lacks that. */
int blob_ingest_anonymous(const struct store *s, struct error **err);
/* Makes such a file the blob of that digest, as blob_ingest_publish; fine when another process was quicker. */
int blob_publish_anonymous(const struct store *s, int fd, const char *digest, struct error **err);

/* The durability barrier: everything written below root so far is on disk (syncfs(2)), one call per image. */
int store_sync(const struct store *s, struct error **err);
/* After renames: the directories of blobs are on disk. */
int store_sync_directories(const struct store *s, struct error **err);

/* Moves what is at directory dirfd's name into trash/ by rename, for store_trash_empty. -ENOENT is success. */
int store_trash(const struct store *s, int dirfd, const char *name, struct error **err);
/* Removes what is in trash/ and the rests in ingest/ that nobody locks and that are older than a day. Best effort. */
void store_trash_empty(const struct store *s);

#endif

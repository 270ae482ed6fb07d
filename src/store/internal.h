/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the store share. */
#ifndef DHOW_STORE_INTERNAL_H
#define DHOW_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "store/store.h"

struct store {
	char *root, *runroot;
	int root_fd, run_fd, blobs, ingest, trash, leases;
	int blobs_sha512; /* -1 until one comes */
	sqlite3 *db;
	pthread_mutex_t transaction; /* one thread of ours at a time between begin and commit */
	_Atomic(uintptr_t) transaction_owner; /* 0: none; see database.c */
	struct store_config config;
};

/* Opens ROOT/dhow.db, making or migrating it. */
int database_open(struct store *s, struct error **err);
/* A directory of ours below dirfd, made 0700 where missing. Returns its descriptor. */
int store_directory(int dirfd, const char *name, struct error **err);

extern const char store_schema[];

#endif

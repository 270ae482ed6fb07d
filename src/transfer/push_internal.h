/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What push.c (to the registry) and push_manifest.c (what is to be pushed) share. */
#ifndef DHOW_TRANSFER_PUSH_INTERNAL_H
#define DHOW_TRANSFER_PUSH_INTERNAL_H

#include <pthread.h>

#include "layer/layer.h"
#include "transfer/push.h"

/* A blob that the registry must have before the manifest: the layers, then the configuration. */
struct push_part {
	char digest[DIGEST_SIZE];
	uint64_t size;
	char *media_type;
	int fd; /* compressed for this push; -1: the store's blob */
	struct error *error;
};

struct push {
	const struct image *image;
	const struct reference *name;
	const struct push_opts *opts;
	struct registry *registry;
	struct store_lease *lease;
	struct manifest original;
	struct push_part *parts;
	size_t part_count;
	bool is_rewritten; /* not the manifest that is stored */
	char *manifest;
	size_t manifest_length;
	const char *manifest_type;
	char manifest_digest[DIGEST_SIZE];
	pthread_mutex_t lock; /* of next, failed, and the database */
	size_t next;
	bool failed;
};

/* Fills in parts and the manifest, compressing layers where that is asked for or plain ones need it. */
int push_prepare(struct push *p, struct error **err);

#endif

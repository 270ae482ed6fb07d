/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the intake share.
 *
 * Two kinds of things come in. A blob (struct intake_content) is bytes with a digest, in a file that grows while its
 * source writes; anybody may read it from the start meanwhile. A layer (struct intake_layer) is a position of the
 * image: it names a blob, and has a worker thread that places the blob's files when the driver lacks them. The same
 * blob may serve several layers.
 *
 * One mutex guards all; the condition tells that something grew, ended, was published or failed. The first error stays,
 * everybody else is cancelled.
 *
 * Two processes that bring the same things in share the work: each holds locks on what it brings, and waits for what the
 * other holds. Locks on stagings are taken in the order of the layers, which is the same for all images that share
 * some. Blobs are not ordered, so who waits for anything publishes the blobs it has finished first, and those it
 * finishes meanwhile: no circle can close. */
#ifndef DHOW_TRANSFER_INTAKE_INTERNAL_H
#define DHOW_TRANSFER_INTAKE_INTERNAL_H

#include <pthread.h>

#include "transfer/intake.h"

struct intake_content {
	char digest[DIGEST_SIZE];
	int fd;            /* ingest file, or the blob where it is there already */
	uint64_t size;     /* expected; what the descriptor says */
	uint64_t have;     /* readable from the start */
	struct hash *hash; /* of what was written */
	bool is_done;      /* all there, and verified */
	bool is_published; /* visible in the store */
	bool is_anonymous; /* fd has no name, and so no lock: others may bring the same at a time */
	uint64_t flushed;  /* handed to the disk up to here */
};

struct intake_layer_in {
	struct intake *intake;
	size_t position;
	struct intake_content *content;
	enum layer_compression compression;
	char *media_type;
	char *diff_id;
	char chain_id[DIGEST_SIZE];
	const char *parent; /* chain id of the one below, or NULL */
	pthread_t worker;
	bool has_worker;
	bool has_begun; /* the worker knows whether there is something to do, and holds the staging */
	bool is_staged, is_committed, was_present;
	bool is_reported; /* the bar shows the unpacking */
	uint64_t read;    /* of the blob, by the worker */
	uint64_t size;    /* of its files */
	struct storage_staging staging;
};

struct intake {
	struct intake_opts opts;
	struct store_lease *lease;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct intake_content **contents;
	size_t content_count;
	struct intake_layer_in *layers;
	size_t layer_count;
	struct strv blobs;    /* digests of all blobs of the image */
	struct image image;   /* what is known of it so far; owns its members */
	unsigned int waiting; /* threads that wait for another process */
	unsigned int slots;   /* workers that may still start to unpack */
	bool failed;
	bool was_resumed;    /* some blob went on from what an earlier try left */
	struct error *error; /* the first */
};

/* Remembers err (taken over, *err becomes NULL) as the intake's failure, unless it has one, and wakes everybody. Returns its code. */
int intake_fail(struct intake *in, struct error **err);
/* Copies the intake's failure into *err. Returns its negative errno. */
int intake_failure(struct intake *in, struct error **err);

/* The content of that digest, made when unknown. Holds the lock. NULL: out of memory. */
struct intake_content *intake_content(struct intake *in, const char *digest, uint64_t size);
/* Makes a content visible that is finished and on disk. */
int intake_publish(struct intake *in, struct intake_content *c, struct error **err);
/* Around a wait for another process: publishes what is finished, and has others published as they finish. Without the lock. */
int intake_wait_begin(struct intake *in, struct error **err);
void intake_wait_end(struct intake *in);

/* Starts the worker of a layer whose content is known. Without the lock. */
int intake_worker_start(struct intake_layer_in *layer, struct error **err);

#endif

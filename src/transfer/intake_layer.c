/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A layer's blob on its way in, and the worker that places its files behind it. See intake_internal.h. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "transfer/intake_internal.h"

/* Written pages go to the disk in pieces of this size while more comes in, so that the barrier at the end finds little. */
#define FLUSH_BYTES (8u << 20)

/* --- The blob ------------------------------------------------------------------------------------------------------ */

int intake_publish(struct intake *in, struct intake_content *c, struct error **err)
{
	int r = c->is_anonymous ? blob_publish_anonymous(in->opts.store, c->fd, c->digest, err)
				: blob_ingest_publish(in->opts.store, c->digest, err);

	c->is_published = r == 0;
	return r;
}

static int publish_early(struct intake *in, struct intake_content *c, struct error **err)
{
	if (!c->is_done || c->is_published)
		return 0;
	if (fsync(c->fd) < 0)
		return error_errno(err, errno, "write blob %s to disk", c->digest);
	return intake_publish(in, c, err);
}

int intake_wait_begin(struct intake *in, struct error **err)
{
	int r = 0;

	pthread_mutex_lock(&in->lock);
	in->waiting++;
	for (size_t i = 0; i < in->content_count && r == 0; i++)
		r = publish_early(in, in->contents[i], err);
	pthread_mutex_unlock(&in->lock);
	if (r)
		intake_wait_end(in);
	return r;
}

void intake_wait_end(struct intake *in)
{
	pthread_mutex_lock(&in->lock);
	in->waiting--;
	pthread_mutex_unlock(&in->lock);
}

/* The blob is in the store: it only needs reading. */
static int open_present(struct intake *in, struct intake_content *c, struct error **err)
{
	uint64_t size;
	int fd = blob_open(in->opts.store, c->digest, &size, err);

	if (fd < 0)
		return fd;
	if (size != c->size) {
		close(fd);
		return error_set(err, EUCLEAN, "blob %s has %ju bytes, but the manifest says %ju",
				 c->digest, (uintmax_t)size, (uintmax_t)c->size);
	}
	close_fd(&c->fd);
	pthread_mutex_lock(&in->lock);
	c->fd = fd;
	c->have = size;
	c->is_done = c->is_published = true;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	return 0;
}

/* What an earlier try left is hashed anew: nothing is known of it but its name. */
static int hash_rest(struct intake_content *c, uint64_t have, struct error **err)
{
	uint64_t found;
	int r = hash_add_file(c->hash, c->fd, have, &found);

	if (!r && found < have)
		r = -EIO;
	return r ? error_errno(err, -r, "resume blob %s", c->digest) : 0;
}

static int open_ingest(struct intake *in, struct intake_content *c, uint64_t *have,
		       struct error **err)
{
	int r, fd = blob_ingest_open(in->opts.store, c->digest, false, have, err);

	if (fd != -EBUSY)
		return fd;
	/* Another process is at it. */
	error_freep(err);
	progress_state(in->opts.progress, c->digest, "Waiting", 0);
	r = intake_wait_begin(in, err);
	if (r)
		return r;
	fd = blob_ingest_open(in->opts.store, c->digest, true, have, err);
	intake_wait_end(in);
	return fd;
}

/* 1: the caller writes from *offset on. 0: it is there. */
static int begin_content(struct intake *in, struct intake_content *c, bool can_resume,
			 uint64_t *offset, struct error **err)
{
	uint64_t have = 0;
	int r, fd;

	if (blob_exists(in->opts.store, c->digest))
		return open_present(in, c, err);
	fd = open_ingest(in, c, &have, err);
	if (fd < 0)
		return fd;
	c->fd = fd;
	if (blob_exists(in->opts.store, c->digest)) {
		/* It came while we opened: our file is a new, empty one. */
		blob_ingest_discard(in->opts.store, c->digest);
		return open_present(in, c, err);
	}
	if (!can_resume || have > c->size)
		have = 0;
	if (ftruncate(fd, (off_t)have) < 0)
		return error_errno(err, errno, "write blob %s", c->digest);
	c->hash = hash_new(c->digest);
	if (!c->hash)
		return error_errno(err, ENOMEM, "take in blob %s", c->digest);
	r = hash_rest(c, have, err);
	if (r)
		return r;
	pthread_mutex_lock(&in->lock);
	c->have = have;
	in->was_resumed |= have > 0;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	*offset = have;
	return 1;
}

int intake_layer_begin(struct intake *in, size_t position, bool can_resume, uint64_t *offset,
		       struct error **err)
{
	struct intake_layer_in *layer = &in->layers[position];
	struct intake_content *c = layer->content;
	_cleanup_free_ char *item = NULL;
	bool is_first = true;
	int r = 0, needed = 0;

	*offset = 0;
	if (asprintf(&item, "layer:%s", layer->chain_id) < 0)
		return error_errno(err, ENOMEM, "take in layer %s", c->digest);
	for (size_t i = 0; i < position; i++)
		is_first &= in->layers[i].content != c;
	r = store_lease_add(in->lease, c->digest, err);
	if (!r)
		r = store_lease_add(in->lease, item, err);
	/* A blob that was spooled is there; one that an earlier position names is that one's to bring. */
	if (!r && is_first && !c->is_done)
		r = needed = begin_content(in, c, can_resume, offset, err);
	if (r >= 0)
		r = intake_worker_start(layer, err);
	if (r < 0) {
		struct error *copy = NULL;

		if (err && *err)
			error_set(&copy, (*err)->code, "%s", (*err)->message);
		intake_fail(in, &copy);
		return r;
	}
	return needed > 0;
}

int intake_write(struct intake *in, size_t position, const void *data, size_t length,
		 struct error **err)
{
	struct intake_content *c = in->layers[position].content;
	const char *at = data;
	size_t left = length;

	if (in->failed)
		return error_errno(err, ECANCELED, "take in blob %s", c->digest);
	if (c->have + length > c->size)
		return error_set(err, EFBIG,
				 "blob %s is larger than the %ju bytes that the manifest says",
				 c->digest, (uintmax_t)c->size);
	while (left) {
		ssize_t n = pwrite(c->fd, at, left, (off_t)(c->have + (length - left)));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "write blob %s", c->digest);
		at += n;
		left -= (size_t)n;
	}
	hash_add(c->hash, data, length);
	pthread_mutex_lock(&in->lock);
	c->have += length;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	if (c->have - c->flushed >= FLUSH_BYTES) {
		sync_file_range(c->fd, (off_t)c->flushed, (off_t)(c->have - c->flushed),
				SYNC_FILE_RANGE_WRITE);
		c->flushed = c->have;
	}
	return 0;
}

static int check_content(struct intake *in, struct intake_content *c, struct error **err)
{
	char computed[DIGEST_SIZE];

	if (c->have != c->size)
		return error_set(err, EUCLEAN, "blob %s ends after %ju of %ju bytes", c->digest,
				 (uintmax_t)c->have, (uintmax_t)c->size);
	hash_finish(c->hash, computed);
	if (strcmp(computed, c->digest) == 0)
		return 0;
	/* Wrong bytes must not be resumed from. */
	blob_ingest_discard(in->opts.store, c->digest);
	return error_set(err, EUCLEAN, "what came as %s has the digest %s", c->digest, computed);
}

int intake_written(struct intake *in, size_t position, struct error **err)
{
	struct intake_content *c = in->layers[position].content;
	struct error *failure = NULL;
	int r = 0;

	if (err && *err)
		r = error_set(&failure, (*err)->code, "%s", (*err)->message);
	if (!r)
		r = check_content(in, c, &failure);
	if (r) {
		if (err && !*err && failure)
			error_set(err, failure->code, "%s", failure->message);
		return intake_fail(in, &failure);
	}
	pthread_mutex_lock(&in->lock);
	c->is_done = true;
	if (in->waiting)
		r = publish_early(in, c, err);
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	return r;
}

/* --- The worker ---------------------------------------------------------------------------------------------------- */

/* Bars show the transfer as long as it lasts, and then how far the unpacking is. */
static void report_reading(struct intake_layer_in *layer, uint64_t bytes)
{
	struct progress *progress = layer->intake->opts.progress;
	const struct intake_content *c = layer->content;

	if (!layer->is_reported) {
		layer->is_reported = true;
		progress_state(progress, c->digest, "Extracting", c->size);
		bytes = layer->read;
	}
	progress_add(progress, c->digest, bytes);
}

/* The blob from its start, waiting for what has yet to come. */
static ssize_t read_content(void *data, void *buf, size_t size, struct error **err)
{
	struct intake_layer_in *layer = data;
	struct intake *in = layer->intake;
	struct intake_content *c = layer->content;
	uint64_t have;
	ssize_t n;

	pthread_mutex_lock(&in->lock);
	while (c->have <= layer->read && !c->is_done && !in->failed)
		pthread_cond_wait(&in->changed, &in->lock);
	have = c->have;
	pthread_mutex_unlock(&in->lock);
	if (in->failed)
		return error_errno(err, ECANCELED, "read blob %s", c->digest);
	if (have <= layer->read)
		return 0;
	if (size > have - layer->read)
		size = have - layer->read;
	do
		n = pread(c->fd, buf, size, (off_t)layer->read);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "read blob %s", c->digest);
	layer->read += (uint64_t)n;
	if (c->is_done)
		report_reading(layer, (uint64_t)n);
	return n;
}

/* Its turn: the layers below have their stagings, or turned out to be there. */
static int wait_for_turn(struct intake_layer_in *layer, struct error **err)
{
	struct intake *in = layer->intake;
	bool independent = storage_layers_are_independent(in->opts.storage);
	struct intake_layer_in *below = layer->position ? layer - 1 : NULL;

	pthread_mutex_lock(&in->lock);
	while (!in->failed && below &&
	       !(independent ? below->has_begun : below->is_committed || below->was_present))
		pthread_cond_wait(&in->changed, &in->lock);
	pthread_mutex_unlock(&in->lock);
	return in->failed ? error_errno(err, ECANCELED, "unpack layer %s", layer->content->digest)
			  : 0;
}

/* Data is there to work on, and a slot is free. */
static int wait_for_slot(struct intake_layer_in *layer, struct error **err)
{
	struct intake *in = layer->intake;
	const struct intake_content *c = layer->content;

	pthread_mutex_lock(&in->lock);
	while (!in->failed && (!in->slots || (!c->have && !c->is_done)))
		pthread_cond_wait(&in->changed, &in->lock);
	if (!in->failed)
		in->slots--;
	pthread_mutex_unlock(&in->lock);
	return in->failed ? error_errno(err, ECANCELED, "unpack layer %s", c->digest) : 0;
}

static void announce(struct intake_layer_in *layer, bool *fact)
{
	pthread_mutex_lock(&layer->intake->lock);
	*fact = true;
	pthread_cond_broadcast(&layer->intake->changed);
	pthread_mutex_unlock(&layer->intake->lock);
}

static int begin_staging(struct intake_layer_in *layer, struct error **err)
{
	struct intake *in = layer->intake;
	int r;

	r = wait_for_turn(layer, err);
	if (r)
		return r;
	r = storage_layer_begin(in->opts.storage, layer->chain_id, layer->parent, false,
				&layer->staging, err);
	if (r == -EBUSY) {
		/* Another process has it, and may wait for a blob of ours. */
		error_freep(err);
		r = intake_wait_begin(in, err);
		if (r)
			return r;
		r = storage_layer_begin(in->opts.storage, layer->chain_id, layer->parent, true,
					&layer->staging, err);
		intake_wait_end(in);
	}
	layer->is_staged = r == 0;
	if (r == -EEXIST) {
		error_freep(err);
		layer->was_present = true;
		r = 0;
	}
	if (!r)
		announce(layer, &layer->has_begun);
	return r;
}

static int unpack(struct intake_layer_in *layer, struct error **err)
{
	struct intake *in = layer->intake;
	struct source source = {.read = read_content, .data = layer};
	struct unpack_opts opts = {
		.root = layer->staging.root,
		.whiteouts = layer->staging.whiteouts,
		.compression = layer->compression,
		.limits = &store_config(in->opts.store)->limits,
		.compressed_size = layer->content->size,
	};
	struct unpack_result result = {0};
	int r;

	r = layer_unpack(source, &opts, &result, err);
	if (r)
		return error_prefix(err, "unpack layer %s", layer->content->digest);
	if (strcmp(result.diff_id, layer->diff_id) != 0)
		return error_set(err, EUCLEAN,
				 "layer %s has the diff id %s, but the configuration says %s",
				 layer->content->digest, result.diff_id, layer->diff_id);
	layer->size = result.size;
	return storage_layer_flush(in->opts.storage, &layer->staging, err);
}

/* Where layers stand on each other, the next one needs this one visible, and so on disk. */
static int commit_if_needed(struct intake_layer_in *layer, struct error **err)
{
	struct intake *in = layer->intake;
	int r;

	if (storage_layers_are_independent(in->opts.storage))
		return 0;
	r = store_sync(in->opts.store, err);
	if (!r)
		r = storage_layer_commit(in->opts.storage, &layer->staging, err);
	if (!r)
		announce(layer, &layer->is_committed);
	return r;
}

static int work(struct intake_layer_in *layer, struct error **err)
{
	struct intake *in = layer->intake;
	const char *digest = layer->content->digest;
	int r;

	r = begin_staging(layer, err);
	if (r)
		return r;
	if (layer->was_present) {
		progress_state(in->opts.progress, digest, "Already exists", 0);
		return 0;
	}
	r = wait_for_slot(layer, err);
	if (r)
		return r;
	r = unpack(layer, err);
	pthread_mutex_lock(&in->lock);
	in->slots++;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	if (!r)
		r = commit_if_needed(layer, err);
	if (!r)
		progress_state(in->opts.progress, digest, "Pull complete", 0);
	return r;
}

static void *worker(void *data)
{
	struct intake_layer_in *layer = data;
	_cleanup_error_ struct error *err = NULL;

	if (work(layer, &err) < 0)
		intake_fail(layer->intake, &err);
	return NULL;
}

int intake_worker_start(struct intake_layer_in *layer, struct error **err)
{
	int r = pthread_create(&layer->worker, NULL, worker, layer);

	if (r)
		return error_errno(err, r, "start a thread for layer %s", layer->content->digest);
	layer->has_worker = true;
	return 0;
}

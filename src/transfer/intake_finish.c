/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of an intake: everything to disk, then visible, then registered, in this order. Power may go at each point:
 * what was made visible without a row is whole, and a rest that the next collection removes or the next pull takes. */
#include <pthread.h>
#include <time.h>

#include "transfer/intake_internal.h"

static int join_workers(struct intake *in, struct error **err)
{
	bool failed;

	for (size_t i = 0; i < in->layer_count; i++)
		if (in->layers[i].has_worker) {
			pthread_join(in->layers[i].worker, NULL);
			in->layers[i].has_worker = false;
		}
	pthread_mutex_lock(&in->lock);
	failed = in->failed;
	pthread_mutex_unlock(&in->lock);
	return failed ? intake_failure(in, err) : 0;
}

/* A worker that failed has said so; a layer that nobody wrote has not. */
static int check_complete(struct intake *in, struct error **err)
{
	for (size_t i = 0; i < in->content_count; i++)
		if (!in->contents[i]->is_done)
			return error_set(err, EINVAL, "blob %s is missing",
					 in->contents[i]->digest);
	for (size_t i = 0; i < in->layer_count; i++)
		if (!in->layers[i].has_begun)
			return error_set(err, EINVAL, "layer %s is missing",
					 in->layers[i].content->digest);
	return 0;
}

static int publish(struct intake *in, struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < in->content_count && r == 0; i++) {
		struct intake_content *c = in->contents[i];

		if (!c->is_published)
			r = intake_publish(in, c, err);
	}
	for (size_t i = 0; i < in->layer_count && r == 0; i++) {
		struct intake_layer_in *layer = &in->layers[i];

		if (!layer->is_staged || layer->is_committed)
			continue;
		r = storage_layer_commit(in->opts.storage, &layer->staging, err);
		layer->is_committed = r == 0;
	}
	if (!r)
		r = store_sync_directories(in->opts.store, err);
	return r ? r : storage_sync_directories(in->opts.storage, err);
}

static bool has_news(const struct intake *in)
{
	for (size_t i = 0; i < in->content_count; i++)
		if (!in->contents[i]->is_published)
			return true;
	for (size_t i = 0; i < in->layer_count; i++)
		if (in->layers[i].is_staged)
			return true;
	return false;
}

/* --- Sizes of layers that were there ----------------------------------------------------------------------------- */

static int add_size(void *data, enum change_kind kind, const char *path, uint64_t size)
{
	if (kind != CHANGE_DELETED)
		*(uint64_t *)data += size;
	return 0;
}

/* A layer without a row: somebody else's that is not yet registered, or a rest of a crash. */
static int measure_layer(struct intake *in, size_t position, uint64_t *size, struct error **err)
{
	_cleanup_free_ const char **ids = calloc(position + 1, sizeof *ids);
	struct storage_mount_opts mount = {.layers = ids, .layer_count = position + 1};
	struct storage_diff trees = {.upper = -1, .lower = -1};
	struct diff_opts diff = {.trees = &trees,
				 .whiteouts = storage_whiteouts(in->opts.storage),
				 .time_limit_s = -1};
	int r;

	if (!ids)
		return error_errno(err, ENOMEM, "measure a layer");
	for (size_t i = 0; i <= position; i++)
		ids[i] = in->layers[position - i].chain_id;
	r = storage_diff_open(in->opts.storage, &mount, &trees, err);
	if (r)
		return r;
	r = layer_changes(&diff, add_size, size, err);
	storage_diff_close(in->opts.storage, &trees);
	return r;
}

static int find_size(struct intake *in, size_t position, struct error **err)
{
	struct intake_layer_in *layer = &in->layers[position];
	int r;

	if (!layer->was_present)
		return 0;
	r = image_layer_size(in->opts.store, layer->chain_id, &layer->size, err);
	if (r != -ENOENT)
		return r;
	error_freep(err);
	return measure_layer(in, position, &layer->size, err);
}

/* --- The rows ------------------------------------------------------------------------------------------------------ */

static int fill_layers(struct intake *in, struct image_layer *rows, struct error **err)
{
	for (size_t i = 0; i < in->layer_count; i++) {
		struct intake_layer_in *layer = &in->layers[i];
		int r = find_size(in, i, err);

		if (r)
			return r;
		rows[i] = (struct image_layer){
			.chain_id = layer->chain_id,
			.diff_id = layer->diff_id,
			.blob = layer->content->digest,
			.media_type = layer->media_type,
			.blob_size = layer->content->size,
			.size = layer->size,
		};
		in->image.size += layer->size;
	}
	return 0;
}

static int register_image(struct intake *in, const struct intake_names *names, struct error **err)
{
	_cleanup_free_ struct image_layer *rows =
		calloc(in->layer_count ? in->layer_count : 1, sizeof *rows);
	struct image image = in->image;
	struct image_record record = {.image = &image, .blobs = &in->blobs};
	struct timespec now;
	int r;

	if (!rows)
		return error_errno(err, ENOMEM, "register the image");
	r = fill_layers(in, rows, err);
	if (r)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	image.size = in->image.size;
	image.layers = rows;
	image.layer_count = in->layer_count;
	image.manifest = (char *)names->manifest;
	image.manifest_type = (char *)names->manifest_type;
	image.parent = (char *)names->parent;
	image.names = (struct image_name *)names->names;
	image.name_count = names->count;
	image.arrived_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	r = image_register(in->opts.store, &record, err);
	if (!r && names->source_repository)
		r = blob_source_add(in->opts.store, names->source_repository, &in->blobs, err);
	return r;
}

int intake_finish(struct intake *in, const struct intake_names *names, char **image_id,
		  struct error **err)
{
	int r;

	r = join_workers(in, err);
	if (!r)
		r = check_complete(in, err);
	if (!r && has_news(in)) {
		r = store_sync(in->opts.store, err);
		if (!r)
			r = publish(in, err);
	}
	if (!r)
		r = register_image(in, names, err);
	if (r)
		return r;
	*image_id = strdup(in->image.id);
	return *image_id ? 0 : error_errno(err, ENOMEM, "register the image");
}

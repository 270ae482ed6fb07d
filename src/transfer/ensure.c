/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layers from the blobs that are kept: for a driver that has not unpacked them yet, or a store that was repaired. */
#include "transfer/intake_internal.h"

int image_layer_unpack(struct store *s, const struct image_layer *row,
		       const struct storage_staging *staging, struct error **err)
{
	_cleanup_fd_ int fd = blob_open(s, row->blob, NULL, err);
	struct unpack_opts opts = {
		.root = staging->root,
		.whiteouts = staging->whiteouts,
		.limits = &store_config(s)->limits,
		.compressed_size = row->blob_size,
	};
	struct unpack_result result = {0};
	int r;

	if (fd < 0)
		return fd;
	r = layer_media_compression(row->media_type, &opts.compression, err);
	if (!r)
		r = layer_unpack(source_fd(&fd), &opts, &result, err);
	if (r)
		return error_prefix(err, "unpack layer %s", row->blob);
	if (strcmp(result.diff_id, row->diff_id) != 0)
		return error_set(err, EUCLEAN, "layer %s has the diff id %s instead of %s",
				 row->blob, result.diff_id, row->diff_id);
	return 0;
}

static int ensure_layer(struct store *s, struct storage *storage, const struct image_layer *row,
			const char *parent, struct error **err)
{
	struct storage_staging staging = {0};
	int r;

	if (storage_layer_exists(storage, row->chain_id))
		return 0;
	r = storage_layer_begin(storage, row->chain_id, parent, true, &staging, err);
	if (r == -EEXIST) {
		error_freep(err);
		return 0;
	}
	if (r)
		return r;
	r = image_layer_unpack(s, row, &staging, err);
	if (!r)
		r = storage_layer_flush(storage, &staging, err);
	if (!r)
		r = store_sync(s, err);
	if (!r)
		r = storage_layer_commit(storage, &staging, err);
	if (r)
		storage_layer_abort(storage, &staging);
	return r;
}

int image_layers_ensure(struct store *s, struct storage *storage, const struct image *image,
			struct progress *progress, struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < image->layer_count && r == 0; i++) {
		if (!storage_layer_exists(storage, image->layers[i].chain_id))
			progress_state(progress, image->layers[i].blob, "Extracting", 0);
		r = ensure_layer(s, storage, &image->layers[i],
				 i ? image->layers[i - 1].chain_id : NULL, err);
	}
	return r ? r : storage_sync_directories(storage, err);
}

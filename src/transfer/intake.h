/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intake: one image on its way into the store. pull, load, import and commit all come through here.
 *
 *   intake_new -> intake_document... -> intake_layer... -> intake_finish
 *
 * Each layer's blob is a file that grows (ingest/) while a worker behind it decompresses, digests and places it, so a slow reader holds
 * nobody up and memory stays bounded. Layers that are there are not read again; one that another process is bringing is waited for. Nothing is visible until intake_finish: workers joined, digests and diff ids compared, one
 * barrier to disk, renames, one transaction. An intake that is dropped leaves the store as it was, but for partial blobs worth resuming. */
#ifndef DHOW_TRANSFER_INTAKE_H
#define DHOW_TRANSFER_INTAKE_H

#include "image/image.h"
#include "layer/layer.h"
#include "storage/storage.h"
#include "transfer/progress.h"

struct intake;
struct intake_opts {
	struct store *store;
	struct storage *storage;
	struct progress *progress; /* or NULL */
};
int intake_new(const struct intake_opts *opts, struct intake **out, struct error **err);
/* Drops everything that was not finished. */
void intake_free(struct intake *in);
static inline void intake_freep(struct intake **in)
{
	intake_free(*in);
}
#define _cleanup_intake_ _cleanup_(intake_freep)

/* A manifest, index or configuration: kept as a blob. digest NULL: computed. out_digest may be NULL. */
int intake_document(struct intake *in, const char *data, size_t length, const char *digest,
		    char out_digest[DIGEST_SIZE], struct error **err);

/* The image: its configuration (also given to intake_document) and the manifest's layers, lowest first. Before any layer. */
int intake_image(struct intake *in, const char *config_digest, const struct image_config *config,
		 const struct descriptor *layers, size_t layer_count, struct error **err);

/* Layer number position: tells whether its content is needed (1) or there is enough already (0). When needed, the caller writes the blob's bytes with intake_write from
 * *offset on (a resumed download; 0 for sources that can't) and ends with intake_written. Different positions may be written from different threads at a time. */
int intake_layer_begin(struct intake *in, size_t position, bool can_resume, uint64_t *offset,
		       struct error **err);
int intake_write(struct intake *in, size_t position, const void *data, size_t length,
		 struct error **err);
/* err is a failure of the source (then the layer and the intake fail), or NULL. */
int intake_written(struct intake *in, size_t position, struct error **err);
/* Some blob went on from what an earlier try left. */
bool intake_was_resumed(const struct intake *in);
/* Becomes true when some part failed: sources may stop. */
const bool *intake_cancelled(const struct intake *in);

struct intake_names {
	const char *manifest, *manifest_type; /* digest of the manifest given to intake_document */
	const struct image_name *names;
	size_t count;
	const char *parent;            /* id, or NULL */
	const char *source_repository; /* where the blobs are known to be, or NULL */
};
/* Waits for the workers, makes it all visible, registers. *image_id is for free(). */
int intake_finish(struct intake *in, const struct intake_names *names, char **image_id,
		  struct error **err);

/* An image from layer tars of unknown digest (docker load of uncompressed layers, import, commit): each becomes a blob as it comes. The archive room
 * calls these before the configuration is known: reads source (compressed or not) to its end into ingest/, computing digest, diff id and size. */
struct intake_blob {
	char digest[DIGEST_SIZE], diff_id[DIGEST_SIZE];
	uint64_t size, tar_size;
	enum layer_compression compression;
};
/* Spools source into the store's ingest as a blob with that digest (compressing plain tars with `to` when that isn't LAYER_PLAIN); it is then found by intake_layer_begin, which answers 0. */
int intake_spool(struct intake *in, struct source source, enum layer_compression to,
		 struct intake_blob *out, struct error **err);

/* Unpacks for the current driver those layers of image that it lacks, from their blobs (another --storage-driver, a repaired store). */
int image_layers_ensure(struct store *s, struct storage *storage, const struct image *image,
			struct progress *progress, struct error **err);
/* One layer's blob becomes the files of staging; its diff id is compared. Flushes and commits nothing. */
int image_layer_unpack(struct store *s, const struct image_layer *row,
		       const struct storage_staging *staging, struct error **err);

#endif

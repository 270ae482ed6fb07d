/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of save share. */
#ifndef DHOW_TRANSFER_SAVE_INTERNAL_H
#define DHOW_TRANSFER_SAVE_INTERNAL_H

#include "layer/layer.h"
#include "transfer/archive.h"
#include "transfer/archive_write.h"

struct saving;

/* A format: the types that its manifests have, where blobs are, and what is written behind them. */
struct save_format {
	const char *name;
	const char *manifest_type, *config_type;
	const char *layer_types[LAYER_ZSTD + 1]; /* by compression; NULL: can't be */
	bool is_flat;                            /* blobs are HEX, not blobs/sha256/HEX */
	bool is_single;                          /* holds one image */
	int (*finish)(struct saving *s, struct error **err);
};
extern const struct save_format save_docker_archive, save_oci_archive, save_oci_dir,
	save_docker_dir;

/* A blob that the archive has, and the one of the store that it was made of (the same where nothing was changed). */
struct saved_blob {
	char source[DIGEST_SIZE], digest[DIGEST_SIZE];
	uint64_t size;
	enum layer_compression compression;
};

struct saved_image {
	const struct save_image *image;
	char manifest[DIGEST_SIZE];
	uint64_t manifest_size;
	char *document; /* the manifest */
	struct saved_blob *layers;
	size_t layer_count;
	struct strv names; /* sorted */
};

struct saving {
	const struct save_opts *opts;
	const struct store_limits *limits;
	const struct save_format *format;
	struct archive_out *out;
	bool has_sha512;          /* a folder for such blobs was made */
	struct saved_blob *blobs; /* what the archive has */
	size_t blob_count;
	struct saved_image *images;
	size_t image_count;
};

/* Where a blob is in the archive. Caller frees; NULL: out of memory. */
char *save_blob_name(const struct saving *s, const char *digest);
/* A layer, as the format and the options want it; written unless it is there. *out is what it became. */
int save_layer(struct saving *s, const struct descriptor *layer, struct saved_blob *out,
	       struct error **err);
/* A blob of the store, as it is; written unless it is there. */
int save_stored_blob(struct saving *s, const char *digest, struct error **err);
/* A manifest. */
int save_document_blob(struct saving *s, const char *digest, const char *data, size_t length,
		       struct error **err);
/* A document of the archive itself, with the JSON text of value. */
int save_json(struct saving *s, const char *name, const json_t *value, struct error **err);

/* index.json and oci-layout. */
int save_index(struct saving *s, struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of load share: an archive, and one image of it on its way into the store. */
#ifndef DHOW_TRANSFER_LOAD_INTERNAL_H
#define DHOW_TRANSFER_LOAD_INTERNAL_H

#include "transfer/archive.h"
#include "transfer/archive_index.h"
#include "transfer/archive_read.h"

struct loading {
	const struct load_opts *opts;
	const struct store_limits *limits;
	struct archive *archive;
	struct platform host;
	const struct platform *platform; /* what is wanted: opts' or the host's */
	bool is_flat;                    /* docker-dir: blobs are HEX, not blobs/sha256/HEX */
	struct docker_index docker;      /* manifest.json, when it is a list */
	struct load_result *result;
};

struct load_image {
	struct loading *loading;
	struct intake *intake;
	char config_digest[DIGEST_SIZE], manifest[DIGEST_SIZE];
	struct image_config config;
	const char *manifest_type;
	struct descriptor *layers;
	char **members; /* where the layers are in the archive; NULL: spooled already */
	size_t layer_count;
	struct strv names; /* references, with docker's grammar */
};
int load_image_begin(struct loading *l, struct load_image *image, struct error **err);
void load_image_clear(struct load_image *image);
#define _cleanup_load_image_ _cleanup_(load_image_clear)

/* Reads the configuration from its member; digest (NULL: none is claimed) is verified. */
int load_image_config(struct load_image *image, const char *member, const char *digest,
		      struct error **err);
/* Room for count layers. */
int load_image_layers(struct load_image *image, size_t count, struct error **err);
/* All documents are known to the intake: the layers, the end, and the result's entry. */
int load_image_finish(struct load_image *image, struct error **err);
/* A name of the archive is a reference that can become a tag. */
bool load_name_is_reference(const char *name);

/* manifest.json is a list: docker save, podman save. */
int load_docker(struct loading *l, struct error **err);
/* oci-layout and index.json. */
int load_oci(struct loading *l, struct error **err);
/* manifest.json is a manifest: docker-dir. */
int load_docker_dir(struct loading *l, const char *manifest, size_t length, struct error **err);

#endif

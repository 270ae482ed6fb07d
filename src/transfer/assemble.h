/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image out of layers that are in the store and a configuration: what import and commit end with. Inside the room. */
#ifndef DHOW_TRANSFER_ASSEMBLE_H
#define DHOW_TRANSFER_ASSEMBLE_H

#include "transfer/archive.h"

struct assembly {
	struct store *store;
	struct intake *intake; /* in which new layers were spooled */
	json_t *document; /* the configuration, whole; its rootfs is filled by assembly_layer */
	struct descriptor *layers;
	size_t count;
	bool is_docker;               /* Docker schema 2 rather than OCI */
	const struct reference *name; /* or NULL */
	const char *parent;           /* id, or NULL */
};
void assembly_clear(struct assembly *a);
#define _cleanup_assembly_ _cleanup_(assembly_clear)

/* Adds a layer on top. media_type says how it is compressed; the image's own kind of manifest decides what it is called there. */
struct assembly_layer {
	const char *digest, *diff_id;
	uint64_t size;
	enum layer_compression compression;
};
int assembly_add(struct assembly *a, const struct assembly_layer *layer, struct error **err);
/* A history entry on top; NULL members are left out. */
int assembly_history(struct assembly *a, json_t *entry, struct error **err);
/* Configuration, manifest, everything into the store. *image_id is for free(). */
int assembly_finish(struct assembly *a, char **image_id, struct error **err);

/* "2006-01-02T15:04:05.5Z" as a new value; NULL when memory runs out. */
json_t *json_time(int64_t ns);

#endif

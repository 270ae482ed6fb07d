/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the store to a registry. */
#ifndef DHOW_TRANSFER_PUSH_H
#define DHOW_TRANSFER_PUSH_H

#include "image/image.h"
#include "transfer/progress.h"
#include "transfer/registry.h"

struct push_opts {
	struct store *store;
	struct registry_opts registry;
	struct progress *progress;
	const char *
		compression; /* "gzip", "zstd": recompress layers that are otherwise; NULL: as they are (plain ones become gzip) */
	int level;
	const char *manifest_type; /* "oci", "v2s2"; NULL: as it is */
};
struct push_result {
	char digest[DIGEST_SIZE];
	uint64_t size; /* of the manifest */
};
int image_push(const struct image *image, const struct reference *name,
	       const struct push_opts *opts, struct push_result *out, struct error **err);

#endif

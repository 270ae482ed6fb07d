/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: reads all that an image consists of, and compares it with its digests. */
#ifndef DHOW_TRANSFER_VERIFY_H
#define DHOW_TRANSFER_VERIFY_H

#include "image/image.h"
#include "storage/storage.h"
#include "transfer/progress.h"

struct verify_result {
	uint64_t blobs, blob_bytes;
	uint64_t layers, layer_bytes; /* unpacked ones */
	uint64_t not_unpacked;        /* layers that this driver will unpack when they are needed */
};
/* Hashes every blob of the image, unpacks each layer once more beside the one that is there, and compares them byte for byte and with their metadata. The
 * first difference is the error, -EUCLEAN. Needs room for one layer. */
int image_verify(struct store *s, struct storage *storage, const struct image *image,
		 struct progress *progress, struct verify_result *out, struct error **err);

#endif

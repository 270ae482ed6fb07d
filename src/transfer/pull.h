/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a registry into the store. */
#ifndef DHOW_TRANSFER_PULL_H
#define DHOW_TRANSFER_PULL_H

#include "transfer/intake.h"
#include "transfer/registry.h"

struct pull_opts {
	struct store *store;
	struct storage *storage;
	struct registry_opts registry;
	const struct platform *platform; /* NULL: the host's */
	struct progress *progress;
};
struct pull_result {
	char *image;              /* id */
	char digest[DIGEST_SIZE]; /* of the manifest or index */
	bool is_new;              /* false: it was up to date */
};
int image_pull(const struct reference *name, const struct pull_opts *opts, struct pull_result *out,
	       struct error **err);

#endif

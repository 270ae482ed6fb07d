/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the credentials share. */
#ifndef DHOW_TRANSFER_CREDENTIALS_INTERNAL_H
#define DHOW_TRANSFER_CREDENTIALS_INTERNAL_H

#include "transfer/credentials.h"

/* What files and helpers call the registry. */
const char *credentials_key(const char *registry);

/* Credential helpers: programs docker-credential-NAME of PATH, which read and write JSON. -ENOENT from helper_get: it has none. */
int helper_get(const char *name, const char *key, struct credentials *out, struct error **err);
int helper_store(const char *name, const char *key, const struct credentials *c,
		 struct error **err);
int helper_erase(const char *name, const char *key, struct error **err);

/* RFC 4648, with padding. NULL on wrong input or when memory runs out; the caller frees. */
char *base64_encode(const void *data, size_t length);
char *base64_decode(const char *text);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests over OpenSSL's EVP. */
#ifndef DHOW_LAYER_HASH_H
#define DHOW_LAYER_HASH_H

#include "base/base.h"
#include "store/blobs.h"

struct hash;
/* algorithm is that of a valid digest or "sha256". NULL when memory runs out. */
struct hash *hash_new(const char *algorithm);
void hash_add(struct hash *h, const void *data, size_t length);
/* "sha256:HEX" into digest. The hash can't be added to afterwards. */
/* Adds what fd holds from its start to its end, or to max bytes. *length is how many these were. Returns 0 or a negative errno. */
int hash_add_file(struct hash *h, int fd, uint64_t max, uint64_t *length);
void hash_finish(struct hash *h, char digest[DIGEST_SIZE]);
void hash_free(struct hash *h);
static inline void hash_freep(struct hash **h)
{
	hash_free(*h);
}
#define _cleanup_hash_ _cleanup_(hash_freep)
/* sha256 of data. */
void hash_bytes(const void *data, size_t length, char digest[DIGEST_SIZE]);
/* OCI image spec, config.md: ChainID of a layer on top of parent (NULL: none). */
void chain_id(const char *parent, const char *diff_id, char out[DIGEST_SIZE]);

#endif

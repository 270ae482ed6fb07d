/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests over OpenSSL's EVP, which uses the processor's own instructions where it has them. */
#include <openssl/evp.h>

#include "layer/hash.h"

#define FILE_BUFFER ((size_t)1 << 20)

struct hash {
	EVP_MD_CTX *context;
	const char *prefix;
	bool failed;
};

struct hash *hash_new(const char *algorithm)
{
	bool is_sha512 = str_starts(algorithm, "sha512");
	struct hash *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->prefix = is_sha512 ? "sha512:" : "sha256:";
	h->context = EVP_MD_CTX_new();
	if (h->context &&
	    EVP_DigestInit_ex(h->context, is_sha512 ? EVP_sha512() : EVP_sha256(), NULL) == 1)
		return h;
	hash_free(h);
	return NULL;
}

void hash_add(struct hash *h, const void *data, size_t length)
{
	h->failed |= EVP_DigestUpdate(h->context, data, length) != 1;
}

int hash_add_file(struct hash *h, int fd, uint64_t max, uint64_t *length)
{
	_cleanup_free_ void *buf = malloc(FILE_BUFFER);
	uint64_t at = 0;

	*length = 0;
	if (!buf)
		return -ENOMEM;
	while (at < max) {
		ssize_t n =
			pread(fd, buf, max - at < FILE_BUFFER ? (size_t)(max - at) : FILE_BUFFER,
			      (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		hash_add(h, buf, (size_t)n);
		at += (uint64_t)n;
	}
	*length = at;
	return 0;
}

void hash_finish(struct hash *h, char digest[DIGEST_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char value[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	size_t at = strlen(h->prefix);

	h->failed |= EVP_DigestFinal_ex(h->context, value, &length) != 1;
	memcpy(digest, h->prefix, at);
	for (unsigned int i = 0; i < length && !h->failed; i++) {
		digest[at++] = digits[value[i] >> 4];
		digest[at++] = digits[value[i] & 15];
	}
	/* A digest that could not be computed equals none. */
	digest[at] = '\0';
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->context);
	free(h);
}

void hash_bytes(const void *data, size_t length, char digest[DIGEST_SIZE])
{
	_cleanup_hash_ struct hash *h = hash_new("sha256");

	*digest = '\0';
	if (!h)
		return;
	hash_add(h, data, length);
	hash_finish(h, digest);
}

void chain_id(const char *parent, const char *diff_id, char out[DIGEST_SIZE])
{
	char text[2 * DIGEST_SIZE + 2];

	if (!parent) {
		snprintf(out, DIGEST_SIZE, "%s", diff_id);
		return;
	}
	snprintf(text, sizeof text, "%s %s", parent, diff_id);
	hash_bytes(text, strlen(text), out);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammar of digests: the one gate before a digest becomes part of a path. OCI image spec, descriptor.md. */
#include "store/blobs.h"

static const struct {
	const char *prefix;
	size_t digits;
} algorithms[] = {
	{"sha256:", 64},
	{"sha512:", 128},
};

bool digest_is_valid(const char *text)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(algorithms); i++) {
		const char *digits = text + strlen(algorithms[i].prefix);

		if (str_starts(text, algorithms[i].prefix))
			return strlen(digits) == algorithms[i].digits &&
			       strspn(digits, "0123456789abcdef") == algorithms[i].digits;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a harness over files, in place of libFuzzer: for the corpus as a plain test, and to look at one
 * crash. */
#include "base/base.h"
#include "fuzz.h"

#define LARGEST_INPUT (16 * 1024 * 1024)

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		_cleanup_error_ struct error *err = NULL;
		_cleanup_free_ char *data = NULL;
		_cleanup_free_ uint8_t *exact = NULL;
		size_t size;

		if (file_read_at(AT_FDCWD, argv[i], LARGEST_INPUT, &data, &size, &err)) {
			fprintf(stderr, "%s\n", error_text(err));
			return 1;
		}
		/* In a buffer of exactly its size, so that a sanitizer sees what reads past it. */
		exact = malloc(size ? size : 1);
		if (!exact)
			return 1;
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a harness over the files of directories, in place of libFuzzer: the corpus as a plain test, and
 * the way to look at one crash. */
#include "base/base.h"
#include "fuzz.h"

#define LARGEST_INPUT (16 * 1024 * 1024)

static int replay(int dirfd, const char *name)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *data = NULL;
	size_t size;

	if (file_read_at(dirfd, name, LARGEST_INPUT, &data, &size, &err)) {
		fprintf(stderr, "%s\n", error_text(err));
		return -1;
	}
	/* In a buffer of exactly its size, so that a sanitizer sees what reads past it. */
	if (size) {
		_cleanup_free_ uint8_t *exact = malloc(size);

		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
	} else {
		LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		_cleanup_dir_ DIR *dir = opendir(argv[i]);

		if (!dir && (errno != ENOTDIR || replay(AT_FDCWD, argv[i])))
			return 1;
		for (struct dirent *entry; dir && (entry = readdir(dir));) {
			if (entry->d_name[0] == '.')
				continue;
			if (replay(dirfd(dir), entry->d_name))
				return 1;
			count++;
		}
	}
	printf("%zu inputs\n", count);
	return 0;
}

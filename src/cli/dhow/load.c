/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow load: images from an archive or a directory, of dhow's own or another engine's. What it prints is docker's. */
#include <sys/stat.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "transfer/transfer.h"

struct values {
	const char *input, *platform;
	bool quiet;
};

static const struct command_option options[] = {
	{.name = "input",
	 .alias = "i",
	 .value = "path",
	 .completion = COMPLETE_FILE,
	 .help = "read this file or directory, not standard input",
	 OPTION_TO(struct values, input)},
	{.name = "platform",
	 .value = "os/arch[/variant]",
	 .help = "take images of this platform (default: the host's, where there are several)",
	 OPTION_TO(struct values, platform)},
	{.name = "quiet",
	 .alias = "q",
	 .help = "show no progress",
	 OPTION_TO(struct values, quiet)},
	{0},
};

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int load_input(const char *path, const struct load_opts *opts, struct load_result *result,
		      struct error **err)
{
	_cleanup_fd_ int fd = -1;
	int r;

	if (is_directory(path)) {
		r = image_load(-1, path, opts, result, err);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return error_errno(err, errno, "open %s", path);
		r = image_load(fd, NULL, opts, result, err);
	}
	return r ? error_prefix(err, "load %s", path) : 0;
}

static int load_stdin(const struct load_opts *opts, struct load_result *result, struct error **err)
{
	int r;

	if (isatty(STDIN_FILENO))
		return error_set(
			err, EINVAL,
			"requested load from stdin, but stdin is empty: redirect an archive to "
			"it, or use --input");
	r = image_load(STDIN_FILENO, NULL, opts, result, err);
	return r ? error_prefix(err, "load") : 0;
}

/* Images that came before a failure are there, and are told of. */
static void print(const struct load_result *result)
{
	for (size_t i = 0; i < result->names.count; i++) {
		const char *name = result->names.items[i];

		printf("%s: %s\n", digest_is_valid(name) ? "Loaded image ID" : "Loaded image",
		       name);
	}
	fflush(stdout);
}

static int load(const struct values *v, struct load_opts *opts, struct error **err)
{
	struct load_result result = {0};
	int r;

	if (!v->quiet && isatty(STDOUT_FILENO))
		opts->progress = progress_new(STDOUT_FILENO, PROGRESS_BARS);
	r = v->input ? load_input(v->input, opts, &result, err) : load_stdin(opts, &result, err);
	progress_free(opts->progress);
	print(&result);
	load_result_clear(&result);
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_(platform_clear) struct platform platform = {0};
	_cleanup_store_ struct store *store = NULL;
	_cleanup_storage_ struct storage *storage = NULL;
	struct load_opts opts = {0};
	int r = 0;

	if (v->platform) {
		r = platform_parse(v->platform, &platform, err);
		opts.platform = &platform;
	}
	if (!r)
		r = dhow_open_store(call, &store, err);
	if (!r)
		r = dhow_open_storage(call, store, &storage, err);
	opts.store = store;
	opts.storage = storage;
	return r ? r : load(v, &opts, err);
}

#define LOAD_COMMAND                                                                                \
	.arguments = "", .summary = "Load images from an archive or a directory",                   \
	.description =                                                                              \
		"Reads what docker save, podman save, skopeo and dhow save write: docker and OCI\n" \
		"archives, compressed (gzip, zstd, xz, bzip2) or not, from a file or a pipe, OCI\n" \
		"layouts and docker-dir.\n",                                                        \
	.options = options, .values_size = sizeof(struct values), .run = run

const struct command dhow_load = {.name = "load", LOAD_COMMAND};
const struct command dhow_image_load = {.name = "load", LOAD_COMMAND};

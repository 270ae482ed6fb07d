/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow image verify: reads every byte of images, and compares it with their digests. */
#include <unistd.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "cli/listing.h"
#include "transfer/transfer.h"

struct values {
	bool all, quiet;
};

static const struct command_option options[] = {
	{.name = "all", .alias = "a", .help = "verify all images", OPTION_TO(struct values, all)},
	{.name = "quiet",
	 .alias = "q",
	 .help = "print only what is damaged",
	 OPTION_TO(struct values, quiet)},
	{0},
};

struct verifying {
	const struct command_call *call;
	struct store *store;
	struct storage *storage;
	size_t damaged;
};

static void print_whole(const char *text, const struct verify_result *result)
{
	char blobs[32], layers[32];

	human_size((double)result->blob_bytes, blobs, sizeof blobs);
	human_size((double)result->layer_bytes, layers, sizeof layers);
	printf("%s: whole (%ju %s of %s, %ju %s of %s", text, (uintmax_t)result->blobs,
	       result->blobs == 1 ? "blob" : "blobs", blobs, (uintmax_t)result->layers,
	       result->layers == 1 ? "layer" : "layers", layers);
	if (result->not_unpacked)
		printf("; not unpacked: %ju", (uintmax_t)result->not_unpacked);
	printf(")\n");
	fflush(stdout);
}

/* What is damaged is told, and the next one is looked at; any other failure ends it. */
static int verify_one(struct verifying *v, const char *text, struct error **err)
{
	const struct values *values = v->call->values;
	_cleanup_image_ struct image *image = NULL;
	struct verify_result result;
	struct progress *progress = NULL;
	int r = image_find(v->store, text, &image, NULL, err);

	if (r < 0)
		return r;
	if (isatty(STDERR_FILENO) && !values->quiet)
		progress = progress_new(STDERR_FILENO, progress_style_for(STDERR_FILENO, false));
	r = image_verify(v->store, v->storage, image, progress, &result, err);
	progress_free(progress);
	if (r == -EUCLEAN) {
		fprintf(stderr, "%s: %s: %s\n", v->call->program->name, text, error_text(*err));
		error_freep(err);
		v->damaged++;
		return 0;
	}
	if (r)
		return error_prefix(err, "verify %s", text);
	if (!values->quiet)
		print_whole(text, &result);
	return 0;
}

static int verify_all(struct verifying *v, struct error **err)
{
	_cleanup_image_list_ struct image_list list = {0};
	int r = image_list(v->store, &list, err);

	for (size_t i = 0; i < list.count && r == 0; i++) {
		const struct image *image = list.items[i];
		_cleanup_free_ char *name = image_title(image);

		r = verify_one(v, name ? name : image->id, err);
		/* Removed meanwhile. */
		if (r == -ENOENT) {
			error_freep(err);
			r = 0;
		}
	}
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *values = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_storage_ struct storage *storage = NULL;
	struct verifying v = {.call = call};
	int r;

	if (values->all == (call->argument_count > 0))
		return error_set(err, EINVAL, "name images, or give --all");
	r = dhow_open_store(call, &store, err);
	if (!r)
		r = dhow_open_storage(call, store, &storage, err);
	v.store = store;
	v.storage = storage;
	if (!r && values->all)
		r = verify_all(&v, err);
	for (size_t i = 0; i < call->argument_count && r == 0; i++)
		r = verify_one(&v, call->arguments[i], err);
	return r ? r : v.damaged ? STATUS_ERROR : 0;
}

const struct command dhow_image_verify = {
	.name = "verify",
	.arguments = "[IMAGE...]",
	.summary = "Read every byte of images and compare it with their digests",
	.description =
		"Hashes all blobs of an image, unpacks its layers once more, and compares them with the files\n"
		"that containers see. The exit status is 1 when something differs; then the first difference of\n"
		"each image is told. \"dhow rmi\" and a new pull mend it.\n",
	.options = options,
	.values_size = sizeof(struct values),
	.max_arguments = ARGUMENTS_ANY,
	.run = run,
};

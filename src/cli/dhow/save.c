/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow save: images to an archive or a directory.
 *
 * A name without a tag stands for all tags of its repository, as docker has it; an id is saved without names. */
#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "transfer/archive_file.h"
#include "transfer/transfer.h"

struct values {
	const char *output, *format, *platform;
	bool compress, uncompressed, multi, quiet;
};

static const char *const formats[] = {
	[ARCHIVE_DOCKER] = "docker-archive",
	[ARCHIVE_OCI] = "oci-archive",
	[ARCHIVE_OCI_DIR] = "oci-dir",
	[ARCHIVE_DOCKER_DIR] = "docker-dir",
	NULL,
};

static const struct command_option options[] = {
	{.name = "compress",
	 .help = "compress layers that are stored plain (oci-dir and docker-dir)",
	 OPTION_TO(struct values, compress)},
	{.name = "format",
	 .value = "format",
	 .choices = formats,
	 .default_text = "docker-archive",
	 .help = "what to write: docker-archive, oci-archive, oci-dir or docker-dir",
	 OPTION_TO(struct values, format)},
	{.name = "multi-image-archive",
	 .alias = "m",
	 .help = "take all arguments for images, as is done without it, too",
	 OPTION_TO(struct values, multi)},
	{.name = "output",
	 .alias = "o",
	 .value = "path",
	 .completion = COMPLETE_FILE,
	 .help = "write to this file or directory, not to standard output",
	 OPTION_TO(struct values, output)},
	{.name = "platform",
	 .value = "os/arch[/variant]",
	 .help = "refuse images that are for another platform",
	 OPTION_TO(struct values, platform)},
	{.name = "quiet",
	 .alias = "q",
	 .help = "show no progress",
	 OPTION_TO(struct values, quiet)},
	{.name = "uncompressed",
	 .help = "write layers as plain tars",
	 OPTION_TO(struct values, uncompressed)},
	{0},
};

/* --- Which images --------------------------------------------------------------------------------------------------- */

/* images[i].image is list.items[i]. */
struct chosen {
	struct image_list list;
	struct save_image *images;
};

static void chosen_clear(struct chosen *c)
{
	for (size_t i = 0; i < c->list.count; i++)
		strv_free(&c->images[i].names);
	free(c->images);
	image_list_clear(&c->list);
}

/* The entry of the image, which is taken over; each image has one. NULL: out of memory. */
static struct save_image *choose(struct chosen *c, struct image **image)
{
	size_t count = c->list.count;
	struct image **items;
	struct save_image *images;

	for (size_t i = 0; i < count; i++)
		if (strcmp(c->list.items[i]->id, (*image)->id) == 0)
			return &c->images[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): these are pointers. */
	items = reallocarray(c->list.items, count + 1, sizeof *items);
	if (items)
		c->list.items = items;
	images = reallocarray(c->images, count + 1, sizeof *images);
	if (images)
		c->images = images;
	if (!items || !images)
		return NULL;
	c->images[count] = (struct save_image){.image = *image};
	c->list.items[count] = TAKE_PTR(*image);
	c->list.count++;
	return &c->images[count];
}

static int add_name(struct save_image *entry, const char *repository, const char *tag,
		    struct error **err)
{
	if (!entry || (tag && strv_addf(&entry->names, "%s:%s", repository, tag)))
		return error_errno(err, ENOMEM, "save");
	return 0;
}

/* Tags of one image in that repository. 1 when there was some. */
static int choose_tags(struct chosen *c, struct image **image, const char *repository,
		       struct error **err)
{
	const struct image *found = *image;
	struct save_image *entry = NULL;
	int r = 0;

	for (size_t i = 0; i < found->name_count && r == 0; i++) {
		const struct image_name *name = &found->names[i];

		if (!name->tag || strcmp(name->repository, repository) != 0)
			continue;
		if (!entry)
			entry = choose(c, image);
		r = add_name(entry, repository, name->tag, err);
	}
	return r ? r : entry != NULL;
}

/* All tags of a repository. 1 when there was some. */
static int choose_repository(struct chosen *c, struct store *store, const char *repository,
			     struct error **err)
{
	_cleanup_image_list_ struct image_list all = {0};
	int found = 0, r = image_list(store, &all, err);

	for (size_t i = 0; i < all.count && r >= 0; i++) {
		r = choose_tags(c, &all.items[i], repository, err);
		found |= r > 0;
	}
	return r < 0 ? r : found;
}

static int choose_text(struct chosen *c, struct store *store, const char *text, struct error **err)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_reference_ struct reference name = {0}, parsed = {0};
	const struct reference *used = &name;
	_cleanup_error_ struct error *missing = NULL;
	int r = image_find(store, text, &image, &name, &missing);

	if (r == -ENOENT && reference_parse(text, store_config(store), &parsed, NULL) == 0)
		used = &parsed;
	if (used->repository && used->is_tag_default && !used->digest) {
		int found = choose_repository(c, store, used->repository, err);

		if (found)
			return found < 0 ? found : 0;
	}
	if (r)
		return error_set(err, -r, "%s", error_text(missing));
	return add_name(choose(c, &image), name.repository, name.digest ? NULL : name.tag, err);
}

/* --- Where to -------------------------------------------------------------------------------------------------------- */

static int save_to_stdout(const struct chosen *c, const struct save_opts *opts, struct error **err)
{
	if (isatty(STDOUT_FILENO))
		return error_set(
			err, EINVAL,
			"cowardly refusing to save to a terminal. Use the -o flag or redirect");
	return image_save(c->images, c->list.count, opts, STDOUT_FILENO, NULL, err);
}

static int save_to_file(const struct chosen *c, const struct save_opts *opts, const char *path,
			struct error **err)
{
	_cleanup_archive_file_ struct archive_file file;
	int r = archive_file_open(path, &file, err);

	if (!r)
		r = image_save(c->images, c->list.count, opts, file.fd, NULL, err);
	return r ? r : archive_file_commit(&file, err);
}

static bool is_directory_format(enum archive_format format)
{
	return format == ARCHIVE_OCI_DIR || format == ARCHIVE_DOCKER_DIR;
}

static int save(const struct chosen *c, const struct save_opts *opts, const char *output,
		struct error **err)
{
	int r;

	if (!output)
		return save_to_stdout(c, opts, err);
	r = is_directory_format(opts->format)
		    ? image_save(c->images, c->list.count, opts, -1, output, err)
		    : save_to_file(c, opts, output, err);
	return r ? error_prefix(err, "save to %s", output) : 0;
}

/* --- The command ------------------------------------------------------------------------------------------------------ */

static int take_options(const struct values *v, struct save_opts *opts, struct platform *platform,
			struct error **err)
{
	int r;

	while (strcmp(formats[opts->format], v->format) != 0)
		opts->format++;
	if (is_directory_format(opts->format) && !v->output)
		return error_set(err, EINVAL,
				 "--format %s makes a directory: name it with --output", v->format);
	if (v->compress && !is_directory_format(opts->format))
		return error_set(err, EINVAL,
				 "--compress can only be set when --format is either 'oci-dir' or "
				 "'docker-dir'");
	opts->is_compressed = v->compress;
	opts->is_uncompressed = v->uncompressed;
	if (!v->platform)
		return 0;
	r = platform_parse(v->platform, platform, err);
	opts->platform = platform;
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_(chosen_clear) struct chosen chosen = {0};
	_cleanup_(platform_clear) struct platform platform = {0};
	struct save_opts opts = {0};
	int r;

	r = take_options(v, &opts, &platform, err);
	if (!r)
		r = dhow_open_store(call, &store, err);
	for (size_t i = 0; i < call->argument_count && r == 0; i++)
		r = choose_text(&chosen, store, call->arguments[i], err);
	if (r)
		return r;
	opts.store = store;
	if (!v->quiet && isatty(STDERR_FILENO))
		opts.progress = progress_new(STDERR_FILENO, PROGRESS_BARS);
	r = save(&chosen, &opts, v->output, err);
	progress_free(opts.progress);
	return r;
}

#define SAVE_COMMAND                                                                                       \
	.arguments = "IMAGE...", .summary = "Save images to an archive or a directory",                    \
	.description =                                                                                     \
		"Writes images with their layers and names, for dhow load and for other engines.\n"        \
		"docker-archive is for docker, podman, skopeo and containerd; it is an OCI layout, too.\n" \
		"The same images give the same bytes.\n",                                                  \
	.options = options, .values_size = sizeof(struct values), .min_arguments = 1,                      \
	.max_arguments = ARGUMENTS_ANY, .run = run

const struct command dhow_save = {.name = "save", SAVE_COMMAND};
const struct command dhow_image_save = {.name = "save", SAVE_COMMAND};

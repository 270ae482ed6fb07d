/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow push: an image from the store to a registry. What it prints is docker's. */
#include "cli/dhow/transfer.h"

struct values {
	struct transfer_values transfer;
	const char *compression, *format, *digestfile, *level;
	bool all_tags, quiet;
	int retry;
};

static const char *const compressions[] = {"gzip", "zstd", NULL};
static const char *const formats[] = {"oci", "v2s2", NULL};

static const struct command_option options[] = {
	{.name = "all-tags",
	 .alias = "a",
	 .help = "push all tags of the image's repository",
	 OPTION_TO(struct values, all_tags)},
	TRANSFER_OPTIONS(struct values),
	{.name = "compression-format",
	 .value = "gzip|zstd",
	 .choices = compressions,
	 .help = "compress layers that are otherwise anew",
	 OPTION_TO(struct values, compression)},
	{.name = "compression-level",
	 .value = "level",
	 .help = "level for layers that are compressed",
	 OPTION_TO(struct values, level)},
	{.name = "digestfile",
	 .value = "path",
	 .completion = COMPLETE_FILE,
	 .help = "write the manifest's digest to this file",
	 OPTION_TO(struct values, digestfile)},
	{.name = "format",
	 .alias = "f",
	 .value = "oci|v2s2",
	 .choices = formats,
	 .help = "kind of manifest (default: as it is stored)",
	 OPTION_TO(struct values, format)},
	{.name = "quiet",
	 .alias = "q",
	 .help = "print the image's name alone",
	 OPTION_TO(struct values, quiet)},
	{.name = "retry",
	 .value = "times",
	 .help = "how often to try again what fails for a reason that may pass",
	 .default_text = "3",
	 OPTION_TO(struct values, retry)},
	{0},
};

struct pushing {
	const struct values *values;
	struct store *store;
	struct push_opts opts;
};

static int write_digest(const struct pushing *p, const struct push_result *result,
			struct error **err)
{
	if (!p->values->digestfile)
		return 0;
	return file_replace_at(AT_FDCWD, p->values->digestfile, result->digest,
			       strlen(result->digest), 0644, false, err);
}

static int push_one(struct pushing *p, const struct image *image, const struct reference *name,
		    struct error **err)
{
	struct push_result result;
	int r;

	p->opts.progress =
		progress_new(STDOUT_FILENO, progress_style_for(STDOUT_FILENO, p->values->quiet));
	progress_message(p->opts.progress, "The push refers to repository [%s]", name->repository);
	r = image_push(image, name, &p->opts, &result, err);
	progress_free(p->opts.progress);
	if (!r)
		r = write_digest(p, &result, err);
	if (r)
		return r;
	if (p->values->quiet)
		printf("%s:%s\n", name->repository, name->tag ? name->tag : "latest");
	else
		printf("%s: digest: %s size: %ju\n", name->tag ? name->tag : "", result.digest,
		       (uintmax_t)result.size);
	fflush(stdout);
	return 0;
}

static int push_named(struct pushing *p, const char *source, const struct reference *target,
		      struct error **err)
{
	_cleanup_image_ struct image *image = NULL;
	int r = image_find(p->store, source, &image, NULL, err);

	return r ? r : push_one(p, image, target, err);
}

static int push_all_tags(struct pushing *p, const char *text, struct error **err)
{
	_cleanup_reference_ struct reference name = {0};
	_cleanup_image_list_ struct image_list list = {0};
	size_t pushed = 0;
	int r;

	r = reference_parse(text, store_config(p->store), &name, err);
	if (!r && (!name.is_tag_default || name.digest))
		r = error_set(err, EINVAL, "tag can't be used with --all-tags/-a");
	if (!r)
		r = image_list(p->store, &list, err);
	for (size_t i = 0; i < list.count && r == 0; i++)
		for (size_t j = 0; j < list.items[i]->name_count && r == 0; j++) {
			const struct image_name *n = &list.items[i]->names[j];
			struct reference tagged = name;

			if (!n->tag || strcmp(n->repository, name.repository) != 0)
				continue;
			tagged.tag = n->tag;
			pushed++;
			r = push_one(p, list.items[i], &tagged, err);
		}
	if (!r && !pushed)
		return error_set(err, ENOENT, "An image does not exist locally with the tag: %s",
				 text);
	return r;
}

/* push IMAGE, or, as podman has it, push IMAGE DESTINATION. */
static int push(struct pushing *p, char **arguments, size_t count, struct error **err)
{
	_cleanup_reference_ struct reference target = {0};
	const char *text = arguments[count - 1];
	int r;

	if (p->values->all_tags) {
		if (count > 1)
			return error_set(err, EINVAL, "--all-tags takes one argument");
		return push_all_tags(p, text, err);
	}
	if (str_starts(text, "docker://"))
		text += strlen("docker://");
	r = reference_parse(text, store_config(p->store), &target, err);
	if (!r && target.digest)
		r = error_set(err, EINVAL, "cannot push a digest reference");
	return r ? r : push_named(p, arguments[0], &target, err);
}

static int take_level(const struct values *v, int *level, struct error **err)
{
	int64_t number;

	if (!v->level)
		return 0;
	if (!v->compression)
		return error_set(err, EINVAL, "--compression-level needs --compression-format");
	if (parse_i64(v->level, 1, strcmp(v->compression, "zstd") == 0 ? 19 : 9, &number))
		return error_set(err, EINVAL, "--compression-level %s: out of range", v->level);
	*level = (int)number;
	return 0;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	struct credentials credentials = {0};
	struct pushing p = {.values = v,
			    .opts = {.compression = v->compression, .manifest_type = v->format}};
	int r;

	r = dhow_open_store(call, &store, err);
	if (!r)
		r = take_level(v, &p.opts.level, err);
	if (!r)
		r = transfer_registry_opts(&v->transfer, store, &p.opts.registry, &credentials,
					   err);
	p.store = p.opts.store = store;
	p.opts.registry.retries = (uint32_t)v->retry;
	if (!r)
		r = push(&p, call->arguments, call->argument_count, err);
	credentials_clear(&credentials);
	return r;
}

#define PUSH_COMMAND                                                                                              \
	.name = "push", .arguments = "NAME[:TAG] [DESTINATION]",                                                  \
	.summary = "Upload an image to a registry",                                                               \
	.description =                                                                                            \
		"Uploads what the registry lacks, and then the manifest as it came, so that its digest stays.\n", \
	.options = options, .values_size = sizeof(struct values), .min_arguments = 1,                             \
	.max_arguments = 2, .run = run

const struct command dhow_push = {PUSH_COMMAND};
const struct command dhow_image_push = {PUSH_COMMAND};

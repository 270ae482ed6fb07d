/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow pull: an image from a registry into the store. What it prints is docker's. */
#include "cli/dhow/transfer.h"

struct values {
	struct transfer_values transfer;
	const char *platform, *os, *arch, *variant;
	bool all_tags, quiet;
	int retry;
};

static const struct command_option options[] = {
	{.name = "all-tags",
	 .alias = "a",
	 .help = "download all tagged images in the repository",
	 OPTION_TO(struct values, all_tags)},
	TRANSFER_OPTIONS(struct values),
	{.name = "platform",
	 .value = "os/arch[/variant]",
	 .help = "take the image for this platform instead of the host's",
	 OPTION_TO(struct values, platform)},
	{.name = "os",
	 .value = "os",
	 .help = "take the image for this operating system",
	 OPTION_TO(struct values, os)},
	{.name = "arch",
	 .value = "arch",
	 .help = "take the image for this architecture",
	 OPTION_TO(struct values, arch)},
	{.name = "variant",
	 .value = "variant",
	 .help = "take the image for this variant of the architecture",
	 OPTION_TO(struct values, variant)},
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

struct pulling {
	const struct values *values;
	struct pull_opts opts;
	struct store *store;
};

static int choose_platform(const struct values *v, struct platform *out, struct error **err)
{
	_cleanup_free_ char *text = NULL;

	if (v->platform && (v->os || v->arch || v->variant))
		return error_set(err, EINVAL,
				 "--platform already says what --os, --arch and --variant say");
	if (v->platform)
		return platform_parse(v->platform, out, err);
	if (!v->os && !v->arch && !v->variant)
		return platform_host(out, err);
	if (v->variant && !v->arch)
		return error_set(err, EINVAL, "--variant needs --arch");
	if (!v->arch) {
		int r = platform_host(out, err);

		free(out->os);
		out->os = strdup(v->os);
		return r || out->os ? r : error_errno(err, ENOMEM, "choose a platform");
	}
	if (asprintf(&text, "%s/%s%s%s", v->os ? v->os : "linux", v->arch, v->variant ? "/" : "",
		     v->variant ? v->variant : "") < 0)
		return error_errno(err, ENOMEM, "choose a platform");
	return platform_parse(text, out, err);
}

static void print_result(const struct pulling *p, const struct reference *name,
			 const struct pull_result *result)
{
	_cleanup_free_ char *full = NULL;
	_cleanup_free_ char *familiar =
		reference_familiar(name->repository, name->digest ? NULL : name->tag, name->digest);

	if (asprintf(&full, "%s%s%s", name->repository, name->digest ? "@" : ":",
		     name->digest ? name->digest : name->tag) < 0)
		full = NULL;
	if (!p->values->quiet) {
		printf("Digest: %s\n", result->digest);
		printf("Status: %s %s\n",
		       result->is_new ? "Downloaded newer image for" : "Image is up to date for",
		       familiar ? familiar : "");
	}
	printf("%s\n", full ? full : "");
	fflush(stdout);
}

static int pull_one(struct pulling *p, const struct reference *name, struct error **err)
{
	struct pull_result result = {0};
	int r;

	p->opts.progress =
		progress_new(STDOUT_FILENO, progress_style_for(STDOUT_FILENO, p->values->quiet));
	progress_message(p->opts.progress, "%s: Pulling from %s",
			 name->digest ? name->digest : name->tag, name->path);
	r = image_pull(name, &p->opts, &result, err);
	progress_free(p->opts.progress);
	if (!r)
		print_result(p, name, &result);
	free(result.image);
	return r;
}

static int pull_all_tags(struct pulling *p, const struct reference *name, struct error **err)
{
	_cleanup_strv_ struct strv tags = {0};
	struct registry *registry = NULL;
	int r;

	r = registry_open(name, &p->opts.registry, &registry, err);
	if (!r)
		r = registry_tags(registry, &tags, err);
	registry_close(registry);
	for (size_t i = 0; i < tags.count && r == 0; i++) {
		struct reference tagged = *name;

		tagged.tag = tags.items[i];
		r = pull_one(p, &tagged, err);
	}
	return r;
}

/* The built-in image is there without a registry; one of that name that was pulled or tagged wins. */
static int pull_name(struct pulling *p, const char *text, struct error **err)
{
	_cleanup_reference_ struct reference name = {0};
	int r;

	r = reference_parse(text, store_config(p->store), &name, err);
	if (r)
		return r;
	if (!p->values->all_tags) {
		if (name.is_tag_default && !name.digest && !p->values->quiet)
			printf("Using default tag: latest\n");
		fflush(stdout);
		return pull_one(p, &name, err);
	}
	if (!name.is_tag_default || name.digest)
		return error_set(err, EINVAL, "tag can't be used with --all-tags/-a");
	return pull_all_tags(p, &name, err);
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_storage_ struct storage *storage = NULL;
	struct credentials credentials = {0};
	struct platform platform = {0};
	struct pulling p = {.values = v};
	int r;

	r = dhow_open_store(call, &store, err);
	if (!r)
		r = dhow_open_storage(call, store, &storage, err);
	if (!r)
		r = choose_platform(v, &platform, err);
	if (!r)
		r = transfer_registry_opts(&v->transfer, store, &p.opts.registry, &credentials,
					   err);
	p.store = p.opts.store = store;
	p.opts.storage = storage;
	p.opts.platform = &platform;
	p.opts.registry.retries = (uint32_t)v->retry;
	for (size_t i = 0; i < call->argument_count && r == 0; i++)
		r = pull_name(&p, call->arguments[i], err);
	credentials_clear(&credentials);
	platform_clear(&platform);
	return r;
}

#define PULL_COMMAND                                                                                          \
	.name = "pull", .arguments = "NAME[:TAG|@DIGEST]...",                                                 \
	.summary = "Download an image from a registry",                                                       \
	.description =                                                                                        \
		"Downloads an image and unpacks its layers, several at a time. What is here already is not\n" \
		"fetched again; a download that was cut is resumed.\n",                                       \
	.options = options, .values_size = sizeof(struct values), .min_arguments = 1,                         \
	.max_arguments = ARGUMENTS_ANY, .run = run

const struct command dhow_pull = {PULL_COMMAND};
const struct command dhow_image_pull = {PULL_COMMAND};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow import: a tar of a file system becomes an image of one layer. */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "transfer/transfer.h"

struct values {
	struct strv change;
	const char *message, *platform, *os, *arch, *variant;
	bool quiet;
};

static const struct command_option options[] = {
	{.name = "arch",
	 .value = "arch",
	 .help = "the image's architecture",
	 OPTION_TO(struct values, arch)},
	{.name = "change",
	 .alias = "c",
	 .value = "instruction",
	 .help = "apply a Dockerfile instruction to the image, such as 'CMD [\"sh\"]'",
	 OPTION_TO(struct values, change)},
	{.name = "message",
	 .alias = "m",
	 .value = "text",
	 .help = "the image's comment",
	 OPTION_TO(struct values, message)},
	{.name = "os",
	 .value = "os",
	 .help = "the image's operating system",
	 OPTION_TO(struct values, os)},
	{.name = "platform",
	 .value = "os/arch[/variant]",
	 .help = "the image's platform",
	 OPTION_TO(struct values, platform)},
	{.name = "quiet",
	 .alias = "q",
	 .help = "print the image's id alone",
	 OPTION_TO(struct values, quiet)},
	{.name = "variant",
	 .value = "variant",
	 .help = "the variant of the architecture",
	 OPTION_TO(struct values, variant)},
	{0},
};

static int choose_platform(const struct values *v, struct platform *out, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	struct platform host = {0};
	int r;

	if (v->platform)
		return platform_parse(v->platform, out, err);
	r = platform_host(&host, err);
	if (r)
		return r;
	r = asprintf(&text, "%s/%s%s%s", v->os ? v->os : host.os,
		     v->arch ? v->arch : host.architecture, v->variant ? "/" : "",
		     v->variant ? v->variant : "");
	platform_clear(&host);
	if (r < 0) {
		text = NULL;
		return error_errno(err, ENOMEM, "import");
	}
	return platform_parse(text, out, err);
}

/* Reproducible builds' clock where it is set, else now. reproducible-builds.org/specs/source-date-epoch */
static int creation_time(int64_t *ns, struct error **err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	struct timespec now;
	uint64_t seconds;

	if (epoch && *epoch) {
		if (parse_u64(epoch, INT64_MAX / 1000000000, &seconds))
			return error_set(err, EINVAL,
					 "SOURCE_DATE_EPOCH \"%s\" is no number of seconds", epoch);
		*ns = (int64_t)seconds * 1000000000;
		return 0;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	*ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	return 0;
}

static int open_source(const char *name, struct error **err)
{
	int fd;

	if (strcmp(name, "-") == 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (str_starts(name, "http://") || str_starts(name, "https://"))
		return error_set(err, ENOTSUP,
				 "import %s: fetch it first, and import the file or \"-\"", name);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open %s", name) : fd;
}

static int import(struct import_opts *opts, struct reference *name, const struct command_call *call,
		  struct error **err)
{
	_cleanup_fd_ int fd = open_source(call->arguments[0], err);
	_cleanup_free_ char *id = NULL;
	int r = fd < 0 ? fd : 0;

	if (!r && call->argument_count > 1) {
		r = reference_parse(call->arguments[1], store_config(opts->store), name, err);
		opts->name = name;
	}
	if (!r)
		r = creation_time(&opts->created_ns, err);
	if (!r)
		r = image_import(source_fd(&fd), opts, &id, err);
	if (!r)
		printf("%s\n", id);
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	_cleanup_storage_ struct storage *storage = NULL;
	_cleanup_reference_ struct reference name = {0};
	struct platform platform = {0};
	struct import_opts opts = {
		.changes = &v->change, .message = v->message, .platform = &platform};
	int r = dhow_open_store(call, &store, err);

	if (!r)
		r = dhow_open_storage(call, store, &storage, err);
	if (!r)
		r = choose_platform(v, &platform, err);
	if (r)
		return r;
	opts.store = store;
	opts.storage = storage;
	if (!v->quiet)
		opts.progress = progress_new(STDERR_FILENO,
					     isatty(STDERR_FILENO)
						     ? progress_style_for(STDERR_FILENO, false)
						     : PROGRESS_NONE);
	r = import(&opts, &name, call, err);
	progress_free(opts.progress);
	platform_clear(&platform);
	return r;
}

#define IMPORT_COMMAND                                                            \
	.name = "import", .arguments = "FILE|- [REPOSITORY[:TAG]]",               \
	.summary = "Make an image of a tar of a file system", .options = options, \
	.values_size = sizeof(struct values), .min_arguments = 1, .max_arguments = 2, .run = run

const struct command dhow_import = {IMPORT_COMMAND};
const struct command dhow_image_import = {IMPORT_COMMAND};

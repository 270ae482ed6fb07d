/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec: writes a config.json to start from. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/oci/oci.h"

#define CONFIG_NAME "config.json"

struct spec_values {
	const char *bundle;
	bool rootless;
};

static const struct command_option options[] = {
	{.name = "bundle",
	 .alias = "b",
	 .value = "path",
	 .completion = COMPLETE_DIRECTORY,
	 .help = "path to the root of the bundle directory",
	 OPTION_TO(struct spec_values, bundle)},
	{.name = "rootless",
	 .help = "generate a configuration for a rootless container",
	 OPTION_TO(struct spec_values, rootless)},
	{0},
};

static int run(const struct command_call *call, struct error **err)
{
	const struct spec_values *values = call->values;
	const char *bundle = values->bundle && *values->bundle ? values->bundle : ".";
	_cleanup_fd_ int dir = -1, fd = -1;
	_cleanup_free_ char *text = NULL;
	int r;

	text = spec_default(values->rootless, geteuid(), getegid());
	if (!text)
		return error_errno(err, ENOMEM, "make the specification");
	dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, errno, "open the bundle %s", bundle);
	fd = openat(dir, CONFIG_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, EEXIST, "File " CONFIG_NAME " exists. Remove it first");
	if (fd < 0)
		return error_errno(err, errno, "create %s/" CONFIG_NAME, bundle);
	r = fd_write_all(fd, text, strlen(text));
	if (r) {
		unlinkat(dir, CONFIG_NAME, 0);
		return error_errno(err, -r, "write %s/" CONFIG_NAME, bundle);
	}
	return 0;
}

const struct command oci_spec = {
	.name = "spec",
	.arguments = "",
	.summary = "create a new specification file",
	.description =
		"The spec command creates the new specification file named \"config.json\" for the\n"
		"bundle. It is just a starter file: its args parameter calls \"sh\", which the root\n"
		"filesystem may not have. With busybox, for example, a container runs like this:\n"
		"\n"
		"    mkdir -p box/rootfs/bin\n"
		"    cp /bin/busybox box/rootfs/bin/sh\n"
		"    dhow-oci spec --bundle box\n"
		"    dhow-oci run --bundle box container1\n"
		"\n"
		"The configuration that --rootless gives can be run by the normal user who made it:\n"
		"the container's root is that user, in a new user namespace.\n",
	.options = options,
	.values_size = sizeof(struct spec_values),
	.run = run,
};

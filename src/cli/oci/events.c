/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events: prints a container's statistics and OOM notifications, one JSON object a line. */
#include <errno.h>

#include "cli/oci/oci.h"

struct events_values {
	uint64_t interval;
	bool stats;
};

static const struct command_option options[] = {
	{.name = "interval",
	 .value = "duration",
	 .help = "set the stats collection interval",
	 .default_text = "5s",
	 OPTION_TO(struct events_values, interval)},
	{.name = "stats",
	 .help = "display the container's stats then exit",
	 OPTION_TO(struct events_values, stats)},
	{0},
};

/* Readers wait for each line. */
static int print_event(json_t *event, void *data)
{
	struct error **err = data;
	int r = oci_print_json(event, JSON_COMPACT, err);

	if (!r && fflush(stdout) == EOF)
		r = error_errno(err, errno, "write to standard output");
	return r;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct events_values *values = call->values;
	_cleanup_free_ char *root = NULL;
	_cleanup_json_ json_t *stats = NULL;
	struct runtime rt;
	int r;

	if (values->interval == 0)
		return error_set(err, EINVAL, "duration interval must be greater than 0");
	r = oci_runtime(call, &rt, &root, err);
	if (r)
		return r;
	if (!values->stats)
		return container_events(&rt, call->arguments[0], values->interval, print_event, err,
					err);
	r = container_stats(&rt, call->arguments[0], &stats, err);
	return r < 0 ? r : print_event(stats, err);
}

const struct command oci_events = {
	.name = "events",
	.arguments = "<container-id>",
	.summary = "display container events such as OOM notifications, cpu, memory, and IO usage "
		   "statistics",
	.description =
		"The events command displays information about the container, each as a line of\n"
		"JSON. By default statistics are displayed once every 5 seconds, until the\n"
		"container stops.\n",
	.options = options,
	.values_size = sizeof(struct events_values),
	.min_arguments = 1,
	.max_arguments = 1,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

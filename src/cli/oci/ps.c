/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ps: shows the processes of a container: ps(1)'s table with other processes' lines left out, or the
 * PIDs as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/oci/oci.h"

#define OUTPUT_MAX (64U << 20)

struct ps_values {
	const char *format;
};

static const char *const formats[] = {"table", "json", NULL};

static const struct command_option options[] = {
	{.name = "format",
	 .alias = "f",
	 .value = "format",
	 .help = "select one of: table or json",
	 .default_text = "table",
	 .choices = formats,
	 OPTION_TO(struct ps_values, format)},
	{0},
};

struct pids {
	pid_t *items;
	size_t count;
};

static void pids_clear(struct pids *pids)
{
	free(pids->items);
}

static int print_json(const struct pids *pids, struct error **err)
{
	_cleanup_json_ json_t *array = pids->count ? json_array() : json_null();

	for (size_t i = 0; i < pids->count; i++)
		if (json_array_append_new(array, json_integer(pids->items[i])))
			return error_errno(err, ENOMEM, "print JSON");
	return oci_print_json(array, JSON_COMPACT, err);
}

/* Starts ps with its output and errors going into the descriptor out. */
static int spawn_ps(char **argv, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	if (!r)
		r = posix_spawnp(pid, "ps", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int run_ps(char **argv, char **output, struct error **err)
{
	_cleanup_fd_ int from = -1, to = -1;
	int ends[2], status, r;
	size_t length;
	pid_t pid = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "run ps");
	from = ends[0];
	to = ends[1];
	r = spawn_ps(argv, to, &pid);
	if (r)
		return error_errno(err, -r, "run ps");
	close_fd(&to);
	r = fd_read_all(from, OUTPUT_MAX, "output of ps", output, &length, err);
	close_fd(&from);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "wait for ps");
	if (r)
		return r;
	if (status != 0)
		return error_set(err, EINVAL, "ps failed: %s", *output);
	return 0;
}

/* The number of the column called PID, from 0, or -1. */
static int pid_column(const char *titles)
{
	_cleanup_strv_ struct strv words = {0};

	if (strv_split(&words, titles, " \t"))
		return -1;
	for (size_t i = 0; i < words.count; i++)
		if (strcmp(words.items[i], "PID") == 0)
			return (int)i;
	return -1;
}

static bool is_of(const struct pids *pids, const char *line, int column)
{
	const char *word = line + strspn(line, " \t");
	char *end;
	long pid;

	while (column-- > 0) {
		word += strcspn(word, " \t");
		word += strspn(word, " \t");
	}
	pid = strtol(word, &end, 10);
	if (end == word)
		return false;
	for (size_t i = 0; i < pids->count; i++)
		if (pids->items[i] == pid)
			return true;
	return false;
}

static int print_table(char **ps_arguments, const struct pids *pids, struct error **err)
{
	char *defaults[] = {(char *)"ps", (char *)"-ef", NULL};
	_cleanup_free_ char *output = NULL;
	char **argv = defaults, *rest, *line;
	int column, r;

	/* The word before ps's own options is the container's id. */
	if (*ps_arguments) {
		argv = ps_arguments - 1;
		argv[0] = (char *)"ps";
	}
	r = run_ps(argv, &output, err);
	if (r)
		return r;
	rest = output;
	line = strsep(&rest, "\n");
	column = pid_column(line);
	if (column < 0)
		return error_set(err, EINVAL, "couldn't find PID field in ps output");
	puts(line);
	while ((line = strsep(&rest, "\n")))
		if (is_of(pids, line, column))
			puts(line);
	return 0;
}

static int run(const struct command_call *call, struct error **err)
{
	const struct ps_values *values = call->values;
	_cleanup_(pids_clear) struct pids pids = {0};
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r = oci_runtime(call, &rt, &root, err);

	if (!r)
		r = container_pids(&rt, call->arguments[0], &pids.items, &pids.count, err);
	if (r < 0)
		return r;
	return str_equal(values->format, "json") ? print_json(&pids, err)
						 : print_table(call->arguments + 1, &pids, err);
}

const struct command oci_ps = {
	.name = "ps",
	.arguments = "<container-id> [ps options]",
	.summary = "display the processes running inside a container",
	.description =
		"The table is that of ps(1), which gets the options behind the container's name\n"
		"(\"-ef\" without any); they must leave it the PID column. JSON is a list of the\n"
		"process IDs.\n",
	.options = options,
	.values_size = sizeof(struct ps_values),
	.min_arguments = 1,
	.max_arguments = ARGUMENTS_ANY,
	.stops_at_argument = true,
	.completion_command = OCI_LIST_IDS,
	.run = run,
};

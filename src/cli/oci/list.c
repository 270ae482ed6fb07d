/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list: prints the containers of a root, as a table, as JSON or by name. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/oci/oci.h"

#define COLUMNS   6
#define MIN_WIDTH 12 /* runc's, as the padding */
#define PADDING   3

#define OWNER_SIZE 64

struct list_values {
	const char *format;
	bool quiet;
};

static const char *const formats[] = {"table", "json", NULL};

static const struct command_option options[] = {
	{.name = "format",
	 .alias = "f",
	 .value = "format",
	 .help = "select one of: table or json",
	 .default_text = "table",
	 .choices = formats,
	 OPTION_TO(struct list_values, format)},
	{.name = "quiet",
	 .alias = "q",
	 .help = "display only container IDs",
	 OPTION_TO(struct list_values, quiet)},
	{0},
};

struct containers {
	struct container_info *items;
	size_t count;
};

static void containers_clear(struct containers *containers)
{
	for (size_t i = 0; i < containers->count; i++)
		container_info_clear(&containers->items[i]);
	free(containers->items);
}

/* As runc shows it: the name, or #UID. The static program has no name service, so /etc/passwd it is. */
static const char *owner_name(uid_t owner, char *buf, size_t size)
{
	_cleanup_file_ FILE *f = fopen("/etc/passwd", "re");
	char line[512], name[64];
	unsigned uid;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%63[^:]:%*[^:]:%u:", name, &uid) == 2 && uid == owner) {
			snprintf(buf, size, "%s", name);
			return buf;
		}
	snprintf(buf, size, "#%u", owner);
	return buf;
}

static int print_objects(const struct containers *containers, struct error **err)
{
	_cleanup_json_ json_t *array = containers->count ? json_array() : json_null();

	for (size_t i = 0; i < containers->count; i++) {
		const struct container_info *info = &containers->items[i];
		char owner[OWNER_SIZE];

		if (json_array_append_new(
			    array,
			    oci_state_object(info, owner_name(info->owner, owner, sizeof owner))))
			return error_errno(err, ENOMEM, "print JSON");
	}
	return oci_print_json(array, JSON_COMPACT, err);
}

/* One table row; the texts that aren't the container's own are in the row. */
struct row {
	const char *cells[COLUMNS];
	char pid[16], created[40], owner[OWNER_SIZE];
};

static void fill_row(const struct container_info *info, struct row *row)
{
	snprintf(row->pid, sizeof row->pid, "%d", (int)info->pid);
	format_time_rfc3339(&info->created, row->created, sizeof row->created);
	row->cells[0] = info->id;
	row->cells[1] = row->pid;
	row->cells[2] = container_status_names[info->status];
	row->cells[3] = info->bundle;
	row->cells[4] = row->created;
	row->cells[5] = owner_name(info->owner, row->owner, sizeof row->owner);
}

static int print_table(const struct containers *containers, struct error **err)
{
	static const char *const titles[COLUMNS] = {"ID",     "PID",     "STATUS",
						    "BUNDLE", "CREATED", "OWNER"};
	_cleanup_free_ struct row *rows = calloc(containers->count + 1, sizeof *rows);
	size_t widths[COLUMNS] = {0};

	if (!rows)
		return error_errno(err, ENOMEM, "print the table");
	memcpy(rows[0].cells, titles, sizeof titles);
	for (size_t i = 0; i < containers->count; i++)
		fill_row(&containers->items[i], &rows[i + 1]);
	for (size_t i = 0; i <= containers->count; i++)
		for (size_t j = 0; j < COLUMNS; j++) {
			size_t width = strlen(rows[i].cells[j]) + PADDING;

			if (width < MIN_WIDTH)
				width = MIN_WIDTH;
			if (width > widths[j])
				widths[j] = width;
		}
	for (size_t i = 0; i <= containers->count; i++) {
		for (size_t j = 0; j + 1 < COLUMNS; j++)
			printf("%-*s", (int)widths[j], rows[i].cells[j]);
		printf("%s\n", rows[i].cells[COLUMNS - 1]);
	}
	return 0;
}

static int run(const struct command_call *call, struct error **err)
{
	_cleanup_(containers_clear) struct containers containers = {0};
	const struct list_values *values = call->values;
	_cleanup_free_ char *root = NULL;
	struct runtime rt;
	int r = oci_runtime(call, &rt, &root, err);

	if (r)
		return r;
	r = container_list(&rt, &containers.items, &containers.count, err);
	if (r < 0)
		return r;
	if (values->quiet) {
		for (size_t i = 0; i < containers.count; i++)
			puts(containers.items[i].id);
		return 0;
	}
	return str_equal(values->format, "json") ? print_objects(&containers, err)
						 : print_table(&containers, err);
}

const struct command oci_list = {
	.name = "list",
	.arguments = "",
	.summary = "list containers started by dhow-oci with the given root",
	.description = "Where the given root is specified via the global option \"--root\".\n"
		       "\n"
		       "To list containers created via the default \"--root\":\n"
		       "\n"
		       "    # dhow-oci list\n"
		       "\n"
		       "To list containers created using a non-default value for \"--root\":\n"
		       "\n"
		       "    # dhow-oci --root value list\n",
	.options = options,
	.values_size = sizeof(struct list_values),
	.run = run,
};

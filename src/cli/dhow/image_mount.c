/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow image mount, unmount: the root file system of an image as a directory of the host. */
#include <unistd.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/dhow.h"
#include "transfer/transfer.h"

struct values {
	const char *format;
	bool all, force;
};

static const char *const formats[] = {"json", NULL};

static const struct command_option mount_options[] = {
	{.name = "all", .alias = "a", .help = "mount all images", OPTION_TO(struct values, all)},
	{.name = "format",
	 .value = "json",
	 .choices = formats,
	 .help = "print what is mounted as JSON",
	 OPTION_TO(struct values, format)},
	{0},
};
static const struct command_option unmount_options[] = {
	{.name = "all",
	 .alias = "a",
	 .help = "unmount all images that are mounted",
	 OPTION_TO(struct values, all)},
	{.name = "force",
	 .alias = "f",
	 .help = "unmount them even when others have mounted them too, or use files of them",
	 OPTION_TO(struct values, force)},
	{0},
};

struct mounting {
	const struct values *values;
	struct store *store;
	struct storage *storage;
	json_t *rows;
};

static int add_row(struct mounting *m, const struct image *image, const char *path,
		   struct error **err)
{
	json_t *row = json_pack("{s:s, s:o, s:s}", "id", image->id, "Repositories",
				dhow_image_names(image, true), "mountpoint", path);

	if (!row || json_array_append_new(m->rows, row))
		return error_errno(err, ENOMEM, "list mounts");
	return 0;
}

static int print_rows(const struct mounting *m, bool is_path_enough, struct error **err)
{
	size_t i;
	json_t *row;

	if (m->values->format)
		return dhow_print_json(m->rows, err);
	json_array_foreach (m->rows, i, row) {
		const char *path = json_string_value(json_object_get(row, "mountpoint"));
		const json_t *names = json_object_get(row, "Repositories");
		const char *name = json_array_size(names)
					   ? json_string_value(json_array_get(names, 0))
					   : json_string_value(json_object_get(row, "id"));

		if (is_path_enough)
			printf("%s\n", path);
		else
			printf("%s %s\n", name, path);
	}
	return 0;
}

/* --- mount ----------------------------------------------------------------------------------------------------------------- */

static int mount_named(struct mounting *m, const char *text, struct error **err)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_free_ char *path = NULL;
	int r = image_find(m->store, text, &image, NULL, err);

	if (r < 0)
		return r;
	r = image_mount(m->store, m->storage, image, NULL, &path, err);
	return r ? error_prefix(err, "mount %s", text) : add_row(m, image, path, err);
}

/* Calls fn for the images that are mounted; without layers. */
static int each_mounted(struct mounting *m,
			int (*fn)(struct mounting *m, const struct image *image, const char *path,
				  struct error **err),
			struct error **err)
{
	_cleanup_image_list_ struct image_list list = {0};
	int r = image_list(m->store, &list, err);

	for (size_t i = 0; i < list.count && r == 0; i++) {
		_cleanup_free_ char *path = NULL;

		r = image_mountpoint(m->store, list.items[i], &path, err);
		if (!r && path)
			r = fn(m, list.items[i], path, err);
	}
	return r;
}

static int mount_all(struct mounting *m, struct error **err)
{
	_cleanup_image_list_ struct image_list list = {0};
	int r = image_list(m->store, &list, err);

	for (size_t i = 0; i < list.count && r == 0; i++)
		r = mount_named(m, list.items[i]->id, err);
	return r;
}

static int open_all(struct mounting *m, const struct command_call *call, struct error **err)
{
	int r;

	m->values = call->values;
	if (m->values->all && call->argument_count)
		return error_set(err, EINVAL, "--all goes without names of images");
	m->rows = json_array();
	if (!m->rows)
		return error_errno(err, ENOMEM, "mount images");
	r = dhow_open_store(call, &m->store, err);
	return r ? r : dhow_open_storage(call, m->store, &m->storage, err);
}

static void mounting_clear(struct mounting *m)
{
	json_decref(m->rows);
	storage_close(m->storage);
	store_close(m->store);
}
#define _cleanup_mounting_ _cleanup_(mounting_clear)

static int run_mount(const struct command_call *call, struct error **err)
{
	_cleanup_mounting_ struct mounting m = {0};
	struct error *ignored = NULL;
	int r = open_all(&m, call, err), shown;

	if (r)
		return r;
	if (m.values->all)
		r = mount_all(&m, err);
	else if (!call->argument_count)
		r = each_mounted(&m, add_row, err);
	for (size_t i = 0; i < call->argument_count && r == 0; i++)
		r = mount_named(&m, call->arguments[i], err);
	/* What was mounted before a failure stays, and is told. */
	shown = print_rows(&m, call->argument_count == 1, r ? &ignored : err);
	error_free(ignored);
	return r ? r : shown;
}

const struct command dhow_image_mount = {
	.name = "mount",
	.arguments = "[IMAGE...]",
	.summary = "Mount the root file system of images, read-only, and print where",
	.description =
		"Without an image: lists what is mounted. Each mount of an image needs one unmount. An image\n"
		"that is mounted can't be removed.\n",
	.options = mount_options,
	.values_size = sizeof(struct values),
	.max_arguments = ARGUMENTS_ANY,
	.run = run_mount,
};

/* --- unmount --------------------------------------------------------------------------------------------------------------- */

static int unmount_named(struct mounting *m, const char *text, struct error **err)
{
	_cleanup_image_ struct image *image = NULL;
	int r = image_find(m->store, text, &image, NULL, err);

	if (r < 0)
		return r;
	r = image_unmount(m->store, m->storage, image, m->values->force, err);
	if (r == -ENOENT) {
		error_freep(err);
		return error_set(err, ENOENT, "image %s is not mounted", text);
	}
	if (r == -EBUSY) {
		error_freep(err);
		return error_set(
			err, EBUSY,
			"image %s: files of it are in use; --force unmounts it all the same", text);
	}
	if (!r)
		printf("%s\n", image->id);
	return r;
}

static int unmount_listed(struct mounting *m, const struct image *image, const char *path,
			  struct error **err)
{
	_cleanup_free_ char *title = image_title(image);

	(void)path;
	return unmount_named(m, title ? title : image->id, err);
}

static int run_unmount(const struct command_call *call, struct error **err)
{
	_cleanup_mounting_ struct mounting m = {0};
	int r;

	r = open_all(&m, call, err);
	if (!r && !m.values->all && !call->argument_count)
		r = error_set(err, EINVAL, "name images, or give --all");
	if (!r && m.values->all)
		r = each_mounted(&m, unmount_listed, err);
	for (size_t i = 0; i < call->argument_count && r == 0; i++)
		r = unmount_named(&m, call->arguments[i], err);
	return r;
}

const struct command dhow_image_unmount = {
	.name = "unmount",
	.alias = "umount",
	.arguments = "[IMAGE...]",
	.summary = "Unmount the root file system of images",
	.options = unmount_options,
	.values_size = sizeof(struct values),
	.max_arguments = ARGUMENTS_ANY,
	.run = run_unmount,
};

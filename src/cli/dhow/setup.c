/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands take from the global options: the store and its storage. See dhow.h. */
#include "cli/dhow/dhow.h"

static const char *const log_levels[] = {"error", "warn", "warning", "info", "debug", NULL};

const struct command_option dhow_global_options[] = {
	{.name = "config",
	 .value = "file",
	 .completion = COMPLETE_FILE,
	 .help = "configuration file (default: /etc/dhow/config.json, then "
		 "$XDG_CONFIG_HOME/dhow/config.json)",
	 OPTION_TO(struct dhow_globals, config)},
	{.name = "debug",
	 .alias = "D",
	 .help = "report each change to the kernel's state as a line of JSON",
	 OPTION_TO(struct dhow_globals, debug)},
	{.name = "log-level",
	 .alias = "l",
	 .value = "level",
	 .choices = log_levels,
	 .default_text = "warn",
	 .help = "messages of this level and above: error, warn, info, debug",
	 OPTION_TO(struct dhow_globals, log_level)},
	{.name = "root",
	 .value = "directory",
	 .completion = COMPLETE_DIRECTORY,
	 .help = "where images, containers and volumes are kept (default: /var/lib/dhow, or "
		 "$XDG_DATA_HOME/dhow for a normal user)",
	 OPTION_TO(struct dhow_globals, root)},
	{.name = "runroot",
	 .value = "directory",
	 .completion = COMPLETE_DIRECTORY,
	 .help = "where state that a reboot ends is kept (default: /run/dhow, or "
		 "$XDG_RUNTIME_DIR/dhow for a normal user)",
	 OPTION_TO(struct dhow_globals, runroot)},
	{.name = "storage-driver",
	 .value = "driver",
	 .help = "storage driver: overlay, fuse-overlayfs, btrfs, vfs, devicemapper, aufs (default: the "
		 "best that works)",
	 OPTION_TO(struct dhow_globals, storage_driver)},
	{.name = "storage-opt",
	 .value = "option",
	 .help = "option of the storage driver, such as overlay.mountopt=volatile",
	 OPTION_TO(struct dhow_globals, storage_opts)},
	{0},
};

int dhow_open_store(const struct command_call *call, struct store **out, struct error **err)
{
	const struct dhow_globals *g = call->globals;
	const struct store_opts opts = {
		.root = g->root && *g->root ? g->root : NULL,
		.runroot = g->runroot && *g->runroot ? g->runroot : NULL,
		.config = g->config && *g->config ? g->config : NULL,
		.storage_driver =
			g->storage_driver && *g->storage_driver ? g->storage_driver : NULL,
		.storage_opts = &g->storage_opts,
	};

	return store_open(&opts, out, err);
}

static int read_setting(struct store *store, const char *key, char **out, struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	int r = store_query(store, &row, err, "SELECT value FROM setting WHERE key = ?", "s", key);

	if (!r)
		r = store_step(store, row, err);
	if (r <= 0)
		return r;
	*out = strdup((const char *)sqlite3_column_text(row, 0));
	return *out ? 0 : error_errno(err, ENOMEM, "read a setting");
}

int dhow_open_storage(const struct command_call *call, struct store *store, struct storage **out,
		      struct error **err)
{
	const struct store_config *config = store_config(store);
	_cleanup_free_ char *remembered = NULL;
	struct storage_opts opts = {
		.root = store_root_fd(store),
		.root_path = store_root(store),
		.driver = config->storage_driver,
		.options = &config->storage_opts,
		.is_rootless = geteuid() != 0,
	};
	int r = read_setting(store, "storage-driver", &remembered, err);

	if (r)
		return r;
	opts.remembered = remembered;
	r = storage_open(&opts, out, err);
	if (r || str_equal(remembered, storage_name(*out)))
		return r;
	return store_execute(
		store, err,
		"INSERT OR REPLACE INTO setting (key, value) VALUES ('storage-driver', ?)", "s",
		storage_name(*out));
}

/* --- Removal --------------------------------------------------------------------------------------------------------- */

static int add_id(void *data, const char *id)
{
	return strv_add(data, id);
}

static int list_layers(void *data, struct strv *ids, struct error **err)
{
	int r = storage_layer_each(data, add_id, ids, err);

	return r == -ENOMEM ? error_errno(err, ENOMEM, "list layers") : r;
}

static int drop_layer(void *data, const char *chain_id, struct error **err)
{
	return storage_layer_remove(data, chain_id, err);
}

void dhow_removal_opts(struct storage *storage, struct image_remove_opts *opts)
{
	opts->data = storage;
	opts->list_layers = list_layers;
	opts->drop_layer = drop_layer;
}

int dhow_print_json(const json_t *value, struct error **err)
{
	if (json_dumpf(value, stdout, JSON_INDENT(4) | JSON_ENCODE_ANY) < 0 || putchar('\n') == EOF)
		return error_errno(err, errno ? errno : EIO, "write to standard output");
	return 0;
}

json_t *dhow_image_names(const struct image *image, bool are_tags)
{
	json_t *names = json_array();

	for (size_t i = 0; i < image->name_count; i++) {
		const struct image_name *n = &image->names[i];
		_cleanup_free_ char *text = NULL;

		if ((n->tag != NULL) != are_tags)
			continue;
		text = reference_familiar(n->repository, n->tag, n->digest);
		json_array_append_new(names, json_string(text));
	}
	return names;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of dhow: what its commands share. One file per command, each of them one const struct command.
 *
 * There are two programs with one command line. `dhow` is small and static and has the quick commands (main_quick.c); whatever
 * else it is asked for it hands to `dhow-full`, which has all of them (main.c) and the libraries that these need. */
#ifndef DHOW_CLI_DHOW_H
#define DHOW_CLI_DHOW_H

#include "cli/command.h"
#include "image/image.h"
#include "storage/storage.h"
#include "store/store.h"

/* The global options. */
struct dhow_globals {
	const char *root, *runroot, *storage_driver, *config, *log_level;
	struct strv storage_opts;
	bool debug;
};
extern const struct command_option dhow_global_options[];

/* Opens the store that the global options and the environment name. */
int dhow_open_store(const struct command_call *call, struct store **out, struct error **err);
/* Opens its storage: the driver that was asked for, or the one that was found to work, which is remembered. */
int dhow_open_storage(const struct command_call *call, struct store *store, struct storage **out,
		      struct error **err);

/* What image_remove and image_collect need to remove unpacked layers. Fills in opts; storage must live as long. */
void dhow_removal_opts(struct storage *storage, struct image_remove_opts *opts);

/* Writes value and a newline to standard output, in docker's indentation. */
int dhow_print_json(const json_t *value, struct error **err);

/* An image's names as people write them: those with a tag, or those with a digest. Caller's reference. */
json_t *dhow_image_names(const struct image *image, bool are_tags);

/* What both programs do with a command line: parse, log, run, and the exit status. */
int dhow_main(const struct command_program *program, char **argv);
void dhow_print_version(FILE *out);

#define STATUS_ERROR 1
#define STATUS_USAGE 125

#endif

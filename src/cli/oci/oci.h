/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of dhow-oci: what its commands share. One file per command, each of them one const
 * struct command; main.c lists them. The language is runc 1.3's. */
#ifndef DHOW_CLI_OCI_H
#define DHOW_CLI_OCI_H

#include "cli/command.h"
#include "runtime/container.h"

/* The global options. */
struct oci_globals {
	const char *root, *log, *log_format, *rootless, *criu;
	bool debug, systemd_cgroup;
};

extern const struct command oci_checkpoint, oci_create, oci_delete, oci_events, oci_exec,
	oci_features, oci_kill, oci_list, oci_pause, oci_ps, oci_restore, oci_resume, oci_run,
	oci_spec, oci_start, oci_state, oci_update;

/* What containers and the global options make of the runtime. *root owns the text that out->root
 * points to; the caller frees it. */
int oci_runtime(const struct command_call *call, struct runtime *out, char **root,
		struct error **err);
/* The same for a command that makes containers: the default root of a normal user is made and gets
 * the sticky bit, which keeps it from being cleaned up (XDG Base Directory specification). */
int oci_runtime_for_new(const struct command_call *call, struct runtime *out, char **root,
			struct error **err);

/* Options of create and run alike, with their values in type's members of these names. */
#define OCI_BUNDLE_OPTION(type)                                                                    \
	{                                                                                          \
		.name = "bundle", .alias = "b", .value = "path", .completion = COMPLETE_DIRECTORY, \
		.help = "path to the root of the bundle directory, defaults to the current "       \
			"directory",                                                               \
		OPTION_TO(type, bundle)                                                            \
	}
#define OCI_CONSOLE_SOCKET_OPTION(type)                                                   \
	{                                                                                 \
		.name = "console-socket", .value = "path", .completion = COMPLETE_FILE,   \
		.help = "path to an AF_UNIX socket which will receive a file descriptor " \
			"referencing the master end of the console's pseudoterminal",     \
		OPTION_TO(type, console_socket)                                           \
	}
#define OCI_PIDFD_SOCKET_OPTION(type, what)                                               \
	{                                                                                 \
		.name = "pidfd-socket", .value = "path", .completion = COMPLETE_FILE,     \
		.help = "path to an AF_UNIX socket which will receive a file descriptor " \
			"referencing the " what " process",                               \
		OPTION_TO(type, pidfd_socket)                                             \
	}
#define OCI_PID_FILE_OPTION(type)                                                                \
	{                                                                                        \
		.name = "pid-file", .value = "path", .completion = COMPLETE_FILE,                \
		.help = "specify the file to write the process id to", OPTION_TO(type, pid_file) \
	}
#define OCI_DETACH_OPTION(type)                                                                \
	{                                                                                      \
		.name = "detach", .alias = "d", .help = "detach from the container's process", \
		OPTION_TO(type, detach)                                                        \
	}
#define OCI_NO_SUBREAPER_OPTION(type)                                                         \
	{                                                                                     \
		.name = "no-subreaper",                                                       \
		.help = "disable the use of the subreaper used to reap reparented processes", \
		OPTION_TO(type, no_subreaper)                                                 \
	}
#define OCI_NO_PIVOT_OPTION(type)                                                                  \
	{                                                                                          \
		.name = "no-pivot",                                                                \
		.help = "do not use pivot root to jail process inside rootfs, as is needed where " \
			"the rootfs is on top of a ramdisk",                                       \
		OPTION_TO(type, no_pivot)                                                          \
	}
#define OCI_NO_NEW_KEYRING_OPTION(type)                                                      \
	{                                                                                    \
		.name = "no-new-keyring",                                                    \
		.help = "do not create a new session keyring for the container, which then " \
			"inherits the calling process's",                                    \
		OPTION_TO(type, no_new_keyring)                                              \
	}
#define OCI_PRESERVE_FDS_OPTION(type, total)                                                 \
	{                                                                                    \
		.name = "preserve-fds", .value = "N",                                        \
		.help = "pass N additional file descriptors to the container (" total " in " \
			"total)",                                                            \
		.default_text = "0", OPTION_TO(type, preserve_fds)                           \
	}

#define OCI_NAME_TEXT                                                                      \
	"\"<container-id>\" is your name for the instance of the container that you are\n" \
	"starting. It must be unique on your host.\n"
#define OCI_LIST_IDS "list --quiet"

/* The service manager's socket, or NULL; see sd_notify(3). */
const char *oci_notify_socket(void);
/* Fills in what create and run take from the environment and the arguments: the id, NOTIFY_SOCKET, LISTEN_FDS
 * (sd_listen_fds(3)), and checks --preserve-fds. */
int oci_complete_create(const struct command_call *call, struct container_create_opts *opts,
			struct error **err);
/* The number of descriptors to hand on; that they are there is the runtime's to check. */
int oci_check_preserved(int count, struct error **err);

/* A container as `state` and `list --format json` show it. New reference; NULL when memory runs out. */
json_t *oci_state_object(const struct container_info *info, const char *owner);
/* Writes value and a newline to standard output; flags are json_dumps's. */
int oci_print_json(const json_t *value, size_t flags, struct error **err);

/* What --version prints, and features repeats. */
extern const char oci_commit[];
void oci_libseccomp_version(char *buf, size_t size);
void oci_print_version(FILE *out);

static inline struct spec_strings oci_strings(const struct strv *v)
{
	return (struct spec_strings){.items = (const char **)v->items, .count = v->count};
}

#endif

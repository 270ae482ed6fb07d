/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What checkpoint and restore share: both hand their options to CRIU. */
#ifndef DHOW_CLI_OCI_CRIU_H
#define DHOW_CLI_OCI_CRIU_H

#include "cli/oci/oci.h"

struct criu_values {
	struct container_checkpoint_opts opts;
	struct strv empty_ns;
};

extern const char *const criu_cgroup_modes[], *const criu_namespaces[];

#define CRIU_FLAG(option, member, text)                                                  \
	{                                                                                \
		.name = option, .help = text, OPTION_TO(struct criu_values, opts.member) \
	}
#define CRIU_TEXT(option, what, member, text)                \
	{                                                    \
		.name = option, .value = what, .help = text, \
		OPTION_TO(struct criu_values, opts.member)   \
	}
#define CRIU_DIRECTORY(option, member, text, by_default)                                         \
	{                                                                                        \
		.name = option, .value = "path", .completion = COMPLETE_DIRECTORY, .help = text, \
		.default_text = by_default, OPTION_TO(struct criu_values, opts.member)           \
	}
/* clang-format off */
#define CRIU_SHARED_OPTIONS                                                                        \
	CRIU_DIRECTORY("work-path", work_path, "path for saving work files and logs", NULL),       \
	CRIU_FLAG("tcp-established", tcp_established, "allow open tcp connections"),               \
	CRIU_FLAG("ext-unix-sk", ext_unix_sk, "allow external unix sockets"),                      \
	CRIU_FLAG("shell-job", shell_job, "allow shell jobs"),                                     \
	CRIU_FLAG("file-locks", file_locks, "handle file locks, for safety"),                      \
	CRIU_FLAG("lazy-pages", lazy_pages,                                                        \
		  "use userfaultfd to lazily restore memory pages"),                               \
	CRIU_FLAG("auto-dedup", auto_dedup, "enable auto deduplication of memory images"),         \
	{.name = "manage-cgroups-mode", .value = "mode", .choices = criu_cgroup_modes,             \
	 .help = "cgroups mode: soft, full, strict or ignore (CRIU's default is soft)",            \
	 OPTION_TO(struct criu_values, opts.manage_cgroups_mode)},                                 \
	{.name = "empty-ns", .value = "namespace", .choices = criu_namespaces,                     \
	 .help = "create a namespace, but don't restore its properties (network)",                 \
	 OPTION_TO(struct criu_values, empty_ns)}
/* clang-format on */

/* Fills in the id and what the table of options can't hold. */
int criu_complete(const struct command_call *call, struct container_checkpoint_opts **out,
		  struct error **err);

#endif

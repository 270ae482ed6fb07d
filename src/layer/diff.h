/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes become a layer.
 *
 * The archive is reproducible: entries sorted by name, parents before children, hard links to the first name in that order, pax headers
 * only where needed, no access times, no names of users. OCI image spec, layer.md: "Change Types", "Whiteouts". */
#ifndef DHOW_LAYER_DIFF_H
#define DHOW_LAYER_DIFF_H

#include "layer/stream.h"
#include "storage/storage.h"

struct diff_opts {
	const struct storage_diff *trees;
	enum storage_whiteouts whiteouts; /* how an upper directory marks deletions */
	int64_t time_limit_s; /* SOURCE_DATE_EPOCH: later times become this one; -1: none */
	const struct strv *
		skip; /* paths, "/dev/console", left out with what is below: mount points of the engine */
};
/* Writes the tar of the changes, uncompressed, to out. */
int layer_diff(const struct diff_opts *opts, struct sink out, struct error **err);
/* A whole tree as a plain tar, no whiteouts: export. */
int tree_archive(int root, const struct diff_opts *opts, struct sink out, struct error **err);

enum change_kind { CHANGE_MODIFIED, CHANGE_ADDED, CHANGE_DELETED };
/* docker diff: calls fn for each change, sorted by path ("/etc/passwd"); parents of changes are modified. Stops when fn returns
 * non-zero, and returns that. */
int layer_changes(const struct diff_opts *opts,
		  int (*fn)(void *data, enum change_kind kind, const char *path, uint64_t size),
		  void *data, struct error **err);

/* Compares the directory of a layer with the same layer unpacked once more: every byte, and all that an archive tells. The first difference is the
 * error, -EUCLEAN: "/etc/passwd was changed". Both are as one driver made them, with the same whiteouts. */
int layer_compare(int kept, int fresh, enum storage_whiteouts whiteouts, struct error **err);

#endif

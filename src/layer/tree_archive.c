/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole tree as a plain archive: export. See diff.h. The root itself is not in it, so that unpacking changes no directory that is there. */
#include "layer/diff_internal.h"

static int visit(void *data, struct diff_node *node, struct error **err)
{
	return node->parent ? diff_write_node(data, node, err) : 0;
}

int tree_archive(int root, const struct diff_opts *opts, struct sink out, struct error **err)
{
	struct storage_diff all = {.kind = STORAGE_DIFF_TREES, .upper = root, .lower = -1};
	struct diff_opts whole = *opts;
	_cleanup_diff_writer_ struct diff_writer w = {0};
	struct diff_visitor visitor = {.visit = visit, .data = &w};
	int r;

	whole.trees = &all;
	r = diff_writer_init(&w, &whole, out, err);
	if (r == 0)
		r = diff_walk(&whole, &visitor, err);
	return r < 0 ? r : tar_write_end(out, err);
}

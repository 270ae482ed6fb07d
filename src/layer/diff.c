/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A layer from changes. See diff.h. OCI image spec, layer.md, "Representing Changes".
 *
 * A directory that is as it was is in the layer when something below it is: who unpacks a layer by itself, as overlay's drivers do,
 * makes directories that the archive lacks with attributes of its own, and would so change /tmp for the whole image. */
#include <sys/stat.h>

#include "layer/diff_internal.h"

/* The root that everybody makes who unpacks a layer without one. */
static int is_plain_root(const struct diff_node *node, struct error **err)
{
	_cleanup_tar_xattrs_ struct tar_xattrs xattrs = {0};
	int r;

	if (node->parent || node->kind != NODE_SAME || node->is_opaque ||
	    (node->st.st_mode & 07777) != 0755 || node->st.st_uid != 0 || node->st.st_gid != 0)
		return 0;
	r = xattrs_read(node->fd, &xattrs, err);
	return r < 0 ? r : xattrs.count == 0;
}

/* Writes the node, unless that was done, and before it the directories on the way to it. */
static int tell(struct diff_writer *w, struct diff_node *node, struct error **err)
{
	int r;

	if (!node || node->is_told)
		return 0;
	r = tell(w, node->parent, err);
	if (r < 0)
		return r;
	node->is_told = true;
	r = is_plain_root(node, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = diff_write_node(w, node, err);
	if (r == 0 && node->is_opaque)
		r = diff_write_mark(w, node, ".wh..opq", err);
	return r;
}

static int visit(void *data, struct diff_node *node, struct error **err)
{
	struct diff_writer *w = data;
	int r;

	if (str_starts(node->name, ".wh."))
		return error_set(
			err, EINVAL,
			"/%s: a layer can't have a file whose name begins with \".wh.\": there that means a deletion",
			node->path);
	if (node->kind == NODE_DELETED) {
		/* The opaque mark has said so already. */
		if (node->is_below_opaque)
			return 0;
		r = tell(w, node->parent, err);
		return r < 0 ? r : diff_write_mark(w, node->parent, node->name, err);
	}
	if (node->kind == NODE_SAME && !node->is_opaque && !node->is_below_opaque)
		return 0;
	return tell(w, node, err);
}

int layer_diff(const struct diff_opts *opts, struct sink out, struct error **err)
{
	_cleanup_diff_writer_ struct diff_writer w = {0};
	struct diff_visitor visitor = {.visit = visit, .data = &w};
	int r = diff_writer_init(&w, opts, out, err);

	if (r == 0)
		r = diff_walk(opts, &visitor, err);
	return r < 0 ? r : tar_write_end(out, err);
}

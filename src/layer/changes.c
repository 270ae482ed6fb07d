/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes as a list, as docker diff has it. See diff.h. */
#include <sys/stat.h>

#include "layer/diff_internal.h"

struct listing {
	int (*fn)(void *data, enum change_kind kind, const char *path, uint64_t size);
	void *data;
};

static int tell(const struct listing *l, struct diff_node *node, struct error **err)
{
	static const enum change_kind kinds[] = {
		[NODE_SAME] = CHANGE_MODIFIED,
		[NODE_ADDED] = CHANGE_ADDED,
		[NODE_MODIFIED] = CHANGE_MODIFIED,
		[NODE_DELETED] = CHANGE_DELETED,
	};
	_cleanup_free_ char *path = NULL;
	_cleanup_strbuf_ struct strbuf text = {0};
	bool has_size = node->kind != NODE_DELETED && S_ISREG(node->st.st_mode);
	int r;

	/* The root is not listed. */
	if (!node->parent || node->is_told)
		return 0;
	r = tell(l, node->parent, err);
	if (r != 0)
		return r;
	node->is_told = true;
	path = diff_node_path(node);
	strbuf_addf(&text, "/%s", path ? path : "");
	if (!path || text.failed)
		return error_errno(err, ENOMEM, "list changes");
	return l->fn(l->data, kinds[node->kind], text.text,
		     has_size ? (uint64_t)node->st.st_size : 0);
}

static int visit(void *data, struct diff_node *node, struct error **err)
{
	return node->kind == NODE_SAME ? 0 : tell(data, node, err);
}

int layer_changes(const struct diff_opts *opts,
		  int (*fn)(void *data, enum change_kind kind, const char *path, uint64_t size),
		  void *data, struct error **err)
{
	struct listing l = {.fn = fn, .data = data};
	struct diff_visitor visitor = {.visit = visit, .data = &l};

	return diff_walk(opts, &visitor, err);
}

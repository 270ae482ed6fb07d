/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a layer that was unpacked before is what its archive says. See diff.h. */
#include <string.h>
#include <sys/stat.h>

#include "kernel/path.h"
#include "layer/diff_internal.h"

struct comparison {
	int fresh;
	enum storage_whiteouts whiteouts;
};

static int differs(const struct diff_node *node, const char *how, struct error **err)
{
	return error_set(err, EUCLEAN, "/%s %s", node->path, how);
}

/* A directory that the archive has no entry for was made when it was needed, so that its times say nothing; what deletes
 * the content of the one below is no content, and is asked for. */
static int compare_directory(const struct comparison *c, const struct diff_node *node,
			     struct error **err)
{
	_cleanup_fd_ int fresh = path_open_in_root(c->fresh, *node->path ? node->path : ".",
						   O_RDONLY | O_DIRECTORY, PATH_NO_SYMLINKS, err);
	struct stat st;
	struct tree_pair pair = {
		.upper = node->fd, .lower = fresh, .upper_st = &node->st, .lower_st = &st};
	bool is_opaque = false, was_opaque = false;
	int r;

	if (fresh == -ENOTDIR) {
		error_freep(err);
		return differs(node, "is a directory, and wasn't one", err);
	}
	if (fresh < 0)
		return fresh;
	if (fstat(fresh, &st) < 0)
		return error_errno(err, errno, "/%s", node->path);
	r = tree_has_same_attributes(&pair, err);
	if (r == 1)
		r = upper_is_opaque(c->whiteouts, node->fd, &is_opaque, err);
	else if (r == 0)
		return differs(node, "has other attributes", err);
	if (r >= 0)
		r = upper_is_opaque(c->whiteouts, fresh, &was_opaque, err);
	if (r < 0)
		return r;
	return is_opaque == was_opaque
		       ? 0
		       : differs(node, "has lost what it hides, or hides more", err);
}

static int visit(void *data, struct diff_node *node, struct error **err)
{
	switch (node->kind) {
	case NODE_ADDED:
		return differs(node, "was added", err);
	case NODE_DELETED:
		return differs(node, "is missing", err);
	case NODE_MODIFIED:
		if (!S_ISDIR(node->st.st_mode))
			return differs(node, "was changed", err);
		break;
	case NODE_SAME:
		break;
	}
	return S_ISDIR(node->st.st_mode) ? compare_directory(data, node, err) : 0;
}

int layer_compare(int kept, int fresh, enum storage_whiteouts whiteouts, struct error **err)
{
	struct comparison c = {.fresh = fresh, .whiteouts = whiteouts};
	const struct storage_diff trees = {
		.kind = STORAGE_DIFF_TREES, .upper = kept, .lower = fresh};
	const struct diff_opts opts = {.trees = &trees, .whiteouts = whiteouts, .time_limit_s = -1};
	const struct diff_visitor visitor = {.visit = visit, .data = &c};

	return diff_walk(&opts, &visitor, err);
}

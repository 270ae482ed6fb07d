/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk that finds changes. See diff_internal.h.
 *
 * Two ways to know what a directory of upper says about the one in lower:
 *   whole  upper has all that is there. What only lower has was deleted, what both have is compared.
 *   part   upper has only what was changed (overlay, aufs); deletions are marks. What is there was changed, but for directories, which are
 *          also there as the way to something: those are compared.
 * An opaque directory of a part is whole, with all below it.
 *
 * Files may change and vanish while we look (a commit of a running container). Each is opened once (O_PATH, no links followed), and all
 * that is told of it is asked of that descriptor. What vanished before that is as if it had never been there.
 *
 * Files with several names are one archive entry and links to it, and a link can't reach into the layer below. So in whole trees a
 * first walk notes the inodes that have a changed name; in the second all names of those count as changed. */
#include <string.h>
#include <sys/stat.h>

#include "kernel/procfs.h"
#include "layer/diff_internal.h"

/* As deep as layers may be by default (store/config.h). Each level holds two descriptors and some stack. */
#define DEPTH_MAX 512

struct inode {
	dev_t device;
	ino_t number;
};
struct inodes {
	struct inode *items;
	size_t count, capacity;
};

struct walk {
	const struct diff_opts *opts;
	const struct diff_visitor *visitor;
	struct strbuf path;
	bool is_scan; /* the first walk of two */
	struct inodes linked;
};

/* The names in a directory, sorted. */
struct names {
	struct strbuf text;
	const char **items;
	size_t count;
};

/* A directory that is walked. */
struct place {
	struct diff_node *node;
	int lower; /* readable directory, or -1 */
	bool is_whole, is_below_opaque;
	size_t depth;
};

static int walk_place(struct walk *w, const struct place *p, struct error **err);

static void names_clear(struct names *n)
{
	strbuf_free(&n->text);
	free(n->items);
}
#define _cleanup_names_ _cleanup_(names_clear)

/* An aufs name for a deletion sorts where the deleted name does, so that all drivers' layers have one order. */
static const char *sort_key(const char *name)
{
	return str_starts(name, ".wh.") && !str_starts(name, ".wh..wh.") && name[4] ? name + 4
										    : name;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_key(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int r = strcmp(sort_key(x), sort_key(y));

	return r ? r : strcmp(x, y);
}

static int names_read(int fd, int (*order)(const void *, const void *), struct names *out)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	const char *name;

	if (!dir) {
		int r = -errno;

		close_fd(&copy);
		return r;
	}
	while (errno = 0, (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		strbuf_add(&out->text, entry->d_name, strlen(entry->d_name) + 1);
		out->count++;
	}
	if (errno)
		return -errno;
	out->items = calloc(out->count + 1, sizeof *out->items);
	if (out->text.failed || !out->items)
		return -ENOMEM;
	name = out->text.text;
	for (size_t i = 0; i < out->count; i++, name += strlen(name) + 1)
		out->items[i] = name;
	if (out->count)
		qsort(out->items, out->count, sizeof *out->items, order);
	return 0;
}

char *diff_node_path(const struct diff_node *node)
{
	_cleanup_strbuf_ struct strbuf path = {0};
	_cleanup_free_ char *parent = NULL;

	if (!node->parent)
		return strdup("");
	parent = diff_node_path(node->parent);
	if (!parent)
		return NULL;
	strbuf_addf(&path, "%s%s%s", parent, *parent ? "/" : "", node->name);
	return strbuf_take(&path);
}

static int inode_order(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int inodes_add(struct inodes *set, const struct stat *st)
{
	if (set->count == set->capacity) {
		size_t capacity = set->capacity ? set->capacity * 2 : 64;
		struct inode *grown = reallocarray(set->items, capacity, sizeof *grown);

		if (!grown)
			return -ENOMEM;
		set->items = grown;
		set->capacity = capacity;
	}
	set->items[set->count++] = (struct inode){.device = st->st_dev, .number = st->st_ino};
	return 0;
}

static bool inodes_have(const struct inodes *set, const struct stat *st)
{
	struct inode key = {.device = st->st_dev, .number = st->st_ino};

	return set->count && bsearch(&key, set->items, set->count, sizeof key, inode_order) != NULL;
}

/* Opens what name is in dir; *fd stays -1 where there is nothing, or nothing that archives know: a socket. */
static int open_entry(int dir, const char *name, int *fd, struct stat *st)
{
	_cleanup_fd_ int opened = -1;

	if (dir < 0 || !name)
		return 0;
	opened = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (opened < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ? 0 : -errno;
	if (fstat(opened, st) < 0)
		return -errno;
	if (!S_ISSOCK(st->st_mode))
		*fd = TAKE_FD(opened);
	return 0;
}

/* Turns an O_PATH directory into one that can be read; others stay. */
static int make_readable(int *fd, const struct stat *st)
{
	int dir;

	if (*fd < 0 || !S_ISDIR(st->st_mode))
		return 0;
	dir = openat(*fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	close(*fd);
	*fd = dir;
	return 0;
}

/* Whether the node with lower beside it is new, changed or as it was. */
static int judge(struct walk *w, const struct place *p, struct diff_node *node, int lower,
		 const struct stat *lower_st, struct error **err)
{
	struct tree_pair pair = {
		.upper = node->fd, .lower = lower, .upper_st = &node->st, .lower_st = lower_st};
	bool is_directory = S_ISDIR(node->st.st_mode);
	bool is_part = w->opts->trees->kind == STORAGE_DIFF_UPPER;
	int r;

	node->kind = lower < 0 ? NODE_ADDED : NODE_MODIFIED;
	if (lower < 0 || (node->st.st_mode & S_IFMT) != (lower_st->st_mode & S_IFMT))
		return 0;
	if (!is_directory && is_part)
		return 0;
	if (!is_directory && node->st.st_nlink > 1 && !w->is_scan) {
		if (!inodes_have(&w->linked, &node->st))
			node->kind = NODE_SAME;
		return 0;
	}
	/* A driver makes its own root directory, so that its times say nothing. */
	r = p ? tree_is_same(&pair, err) : tree_has_same_attributes(&pair, err);
	if (r == 1)
		node->kind = NODE_SAME;
	return r < 0 ? r : 0;
}

/* Tells of the node, and goes down. */
static int enter(struct walk *w, const struct place *p, struct diff_node *node, int lower,
		 struct error **err)
{
	bool is_part = p ? !p->is_whole : w->opts->trees->kind == STORAGE_DIFF_UPPER;
	bool is_opaque = false;
	struct place below;
	int r = 0;

	if (S_ISDIR(node->st.st_mode) && is_part)
		r = upper_is_opaque(w->opts->whiteouts, node->fd, &is_opaque, err);
	if (r < 0)
		return error_prefix(err, "/%s", node->path);
	node->is_opaque = is_opaque && lower >= 0;
	if (w->is_scan) {
		if (!S_ISDIR(node->st.st_mode))
			return node->kind != NODE_SAME && inodes_add(&w->linked, &node->st) < 0
				       ? error_errno(err, ENOMEM, "compare")
				       : 0;
	} else if (S_ISDIR(node->st.st_mode) || node->kind != NODE_SAME) {
		r = w->visitor->visit(w->visitor->data, node, err);
	}
	if (r != 0 || !S_ISDIR(node->st.st_mode))
		return r;
	below = (struct place){
		.node = node,
		.lower = lower,
		.is_whole = !is_part || is_opaque,
		.is_below_opaque = node->is_opaque || node->is_below_opaque,
		.depth = p ? p->depth + 1 : 0,
	};
	return walk_place(w, &below, err);
}

static int tell_deleted(struct walk *w, struct diff_node *node, const struct stat *lower_st,
			struct error **err)
{
	node->kind = NODE_DELETED;
	node->st = *lower_st;
	close_fd(&node->fd);
	return w->is_scan ? 0 : w->visitor->visit(w->visitor->data, node, err);
}

/* Finds where content is and what changed, for a node that is there. */
static int look_at(struct walk *w, const struct place *p, struct diff_node *node, int *lower,
		   struct stat *lower_st, struct error **err)
{
	int r;

	if (w->is_scan && !S_ISDIR(node->st.st_mode) && node->st.st_nlink < 2)
		return 0;
	node->data = node->fd;
	if (w->opts->trees->kind == STORAGE_DIFF_UPPER &&
	    (S_ISREG(node->st.st_mode) || S_ISDIR(node->st.st_mode))) {
		r = upper_content(w->opts->whiteouts, node->fd, *lower, &node->data, err);
		if (r < 0)
			return error_prefix(err, "/%s", node->path);
	}
	r = judge(w, p, node, *lower, lower_st, err);
	if (r < 0)
		return error_prefix(err, "compare /%s", node->path);
	if (S_ISDIR(node->st.st_mode)) {
		if (*lower >= 0 && !S_ISDIR(lower_st->st_mode))
			close_fd(lower);
		r = make_readable(&node->fd, &node->st);
		if (r == 0)
			r = make_readable(lower, lower_st);
		node->data = node->fd;
	}
	if (r < 0)
		return error_errno(err, -r, "open /%s", node->path);
	return enter(w, p, node, *lower, err);
}

static bool is_skipped(const struct walk *w)
{
	for (size_t i = 0; w->opts->skip && i < w->opts->skip->count; i++) {
		const char *path = w->opts->skip->items[i];

		if (strcmp(path + strspn(path, "/"), w->path.text) == 0)
			return true;
	}
	return false;
}

static int visit_entry(struct walk *w, const struct place *p, const char *upper_name,
		       const char *lower_name, struct error **err)
{
	_cleanup_fd_ int lower = -1;
	struct stat lower_st = {0};
	struct diff_node node = {.parent = p->node,
				 .fd = -1,
				 .data = -1,
				 .name = upper_name ? upper_name : lower_name,
				 .is_below_opaque = p->is_below_opaque};
	enum upper_sense sense = UPPER_FILE;
	size_t length = w->path.length;
	int r = open_entry(p->node->fd, upper_name, &node.fd, &node.st);

	if (r == 0 && node.fd < 0 && upper_name && !lower_name && p->is_whole)
		return 0;
	if (r == 0 && node.fd >= 0 && w->opts->trees->kind == STORAGE_DIFF_UPPER)
		r = upper_sense(w->opts->whiteouts, node.fd, &node.st, &node.name, &sense, err);
	strbuf_addf(&w->path, "%s%s", length ? "/" : "", node.name);
	if (w->path.failed)
		r = -ENOMEM;
	if (r == 0 && (sense == UPPER_OPAQUE || sense == UPPER_NOTHING || is_skipped(w)))
		r = 0;
	else if (r == 0) {
		bool is_there = node.fd >= 0 && sense == UPPER_FILE;

		node.path = w->path.text;
		r = open_entry(p->lower, node.name, &lower, &lower_st);
		if (r == 0 && is_there)
			r = look_at(w, p, &node, &lower, &lower_st, err);
		else if (r == 0 && lower >= 0)
			r = tell_deleted(w, &node, &lower_st, err);
	}
	close_fd(&node.fd);
	if (r < 0 && err && !*err)
		error_errno(err, -r, "read /%s", w->path.text ? w->path.text : "");
	w->path.length = length;
	if (w->path.text)
		w->path.text[length] = '\0';
	return r;
}

/* Side by side through both lists; names that both have come together. */
static int walk_place(struct walk *w, const struct place *p, struct error **err)
{
	bool is_part = w->opts->trees->kind == STORAGE_DIFF_UPPER;
	_cleanup_names_ struct names upper = {0}, lower = {0};
	size_t i = 0, j = 0;
	int r = names_read(p->node->fd, is_part ? by_key : by_bytes, &upper);

	if (r == 0 && p->is_whole && p->lower >= 0)
		r = names_read(p->lower, by_bytes, &lower);
	if (r < 0)
		return error_errno(err, -r, "read the directory /%s",
				   w->path.text ? w->path.text : "");
	if (p->depth >= DEPTH_MAX && upper.count)
		return error_set(err, ENAMETOOLONG, "/%s: more than %d directories deep",
				 w->path.text ? w->path.text : "", DEPTH_MAX);
	while (r == 0 && (i < upper.count || j < lower.count)) {
		const char *a = i < upper.count ? upper.items[i] : NULL;
		const char *b = j < lower.count ? lower.items[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(is_part ? sort_key(a) : a, b);

		r = visit_entry(w, p, order <= 0 ? a : NULL, order >= 0 ? b : NULL, err);
		i += order <= 0;
		j += order >= 0;
	}
	return r;
}

static int walk_root(struct walk *w, struct error **err)
{
	const struct storage_diff *trees = w->opts->trees;
	_cleanup_fd_ int upper = -1, lower = -1;
	struct diff_node node = {.name = "", .path = ""};
	struct stat lower_st = {0};
	int r;

	upper = openat(trees->upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper < 0 || fstat(upper, &node.st) < 0)
		return error_errno(err, errno, "open the changed tree");
	if (trees->lower >= 0) {
		lower = openat(trees->lower, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (lower < 0 || fstat(lower, &lower_st) < 0)
			return error_errno(err, errno, "open the tree below");
	}
	node.fd = node.data = upper;
	r = judge(w, NULL, &node, lower, &lower_st, err);
	return r < 0 ? r : enter(w, NULL, &node, lower, err);
}

int diff_walk(const struct diff_opts *opts, const struct diff_visitor *visitor, struct error **err)
{
	struct walk w = {.opts = opts, .visitor = visitor};
	int r = 0;

	if (opts->trees->kind == STORAGE_DIFF_TREES && opts->trees->lower >= 0) {
		w.is_scan = true;
		r = walk_root(&w, err);
		if (w.linked.count)
			qsort(w.linked.items, w.linked.count, sizeof *w.linked.items, inode_order);
		w.is_scan = false;
	}
	if (r == 0)
		r = walk_root(&w, err);
	strbuf_free(&w.path);
	free(w.linked.items);
	return r;
}

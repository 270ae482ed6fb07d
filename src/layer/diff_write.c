/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes of the walk become entries of an archive: names, attributes, content, hard links to the first name. */
#include <limits.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/procfs.h"
#include "layer/diff_internal.h"

#define COPY_BUFFER ((size_t)256 << 10)

/* A file with several names, and the one that came first. In a tree of tsearch(3), whose root is the writer's links. */
struct diff_link {
	dev_t device;
	ino_t number;
	char *path;
};

static int link_order(const void *a, const void *b)
{
	const struct diff_link *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void link_free(void *data)
{
	struct diff_link *l = data;

	free(l->path);
	free(l);
}

int diff_writer_init(struct diff_writer *w, const struct diff_opts *opts, struct sink out,
		     struct error **err)
{
	*w = (struct diff_writer){.out = out, .time_limit_s = opts->time_limit_s};
	w->buf = malloc(COPY_BUFFER);
	return w->buf ? 0 : error_errno(err, ENOMEM, "archive");
}

void diff_writer_clear(struct diff_writer *w)
{
	tdestroy(w->links, link_free);
	free(w->buf);
	*w = (struct diff_writer){0};
}

/* *first is the earlier name of the same file, or NULL where this is the first one, which is noted. */
static int find_link(struct diff_writer *w, const struct diff_node *node, const char *path,
		     const char **first)
{
	struct diff_link key = {.device = node->st.st_dev, .number = node->st.st_ino}, *new;
	struct diff_link **found;

	*first = NULL;
	if (S_ISDIR(node->st.st_mode) || node->st.st_nlink < 2)
		return 0;
	found = tfind(&key, &w->links, link_order);
	if (found) {
		*first = (*found)->path;
		return 0;
	}
	new = malloc(sizeof *new);
	if (!new)
		return -ENOMEM;
	*new = key;
	new->path = strdup(path);
	if (!new->path || !tsearch(new, &w->links, link_order)) {
		link_free(new);
		return -ENOMEM;
	}
	return 0;
}

static struct timespec limit_time(const struct diff_writer *w, struct timespec t)
{
	if (w->time_limit_s >= 0 &&
	    (t.tv_sec > w->time_limit_s || (t.tv_sec == w->time_limit_s && t.tv_nsec > 0)))
		return (struct timespec){.tv_sec = w->time_limit_s};
	return t;
}

/* Exactly size bytes follow the header, whatever became of the file. */
static int write_content(struct diff_writer *w, const struct diff_node *node, const char *path,
			 struct error **err)
{
	_cleanup_fd_ int fd = -1;
	uint64_t left = (uint64_t)node->st.st_size;

	if (left == 0)
		return 0;
	fd = procfs_reopen(node->data, O_RDONLY | O_NONBLOCK | O_NOCTTY, err);
	if (fd < 0)
		return error_prefix(err, "/%s", path);
	while (left > 0) {
		size_t want = left < COPY_BUFFER ? (size_t)left : COPY_BUFFER;
		ssize_t n = read(fd, w->buf, want);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read /%s", path);
		if (n == 0) {
			n = (ssize_t)want;
			memset(w->buf, 0, want);
		}
		r = w->out.write(w->out.data, w->buf, (size_t)n, err);
		if (r < 0)
			return r;
		left -= (uint64_t)n;
	}
	return tar_write_padding(w->out, (uint64_t)node->st.st_size, err);
}

static int read_target(const struct diff_node *node, char **target)
{
	_cleanup_free_ char *text = malloc(PATH_MAX);
	ssize_t n;

	if (!S_ISLNK(node->st.st_mode))
		return 0;
	if (!text)
		return -ENOMEM;
	n = readlinkat(node->fd, "", text, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	*target = TAKE_PTR(text);
	return 0;
}

int diff_write_node(struct diff_writer *w, const struct diff_node *node, struct error **err)
{
	_cleanup_free_ char *path = diff_node_path(node), *target = NULL;
	_cleanup_tar_xattrs_ struct tar_xattrs xattrs = {0};
	struct tar_entry e = {
		.path = path && *path ? path : ".",
		.mode = node->st.st_mode,
		.uid = node->st.st_uid,
		.gid = node->st.st_gid,
		.size = S_ISREG(node->st.st_mode) ? (uint64_t)node->st.st_size : 0,
		.mtime = limit_time(w, node->st.st_mtim),
		.device = node->st.st_rdev,
		.xattrs = &xattrs,
	};
	int r = path ? find_link(w, node, path, &e.hard_link) : -ENOMEM;

	if (r == 0)
		r = read_target(node, &target);
	if (r < 0)
		return error_errno(err, -r, "read /%s", path ? path : "");
	e.symbolic_link = target;
	r = e.hard_link ? 0 : xattrs_read(node->fd, &xattrs, err);
	if (r < 0)
		return error_prefix(err, "/%s", path);
	r = tar_write_header(w->out, &e, err);
	if (r == 0 && !e.hard_link && S_ISREG(node->st.st_mode))
		r = write_content(w, node, path, err);
	return r;
}

int diff_write_mark(struct diff_writer *w, const struct diff_node *directory, const char *name,
		    struct error **err)
{
	_cleanup_free_ char *parent = diff_node_path(directory);
	_cleanup_strbuf_ struct strbuf path = {0};
	struct tar_entry e = {.mode = S_IFREG};

	strbuf_addf(&path, "%s%s.wh.%s", parent ? parent : "", parent && *parent ? "/" : "", name);
	if (!parent || path.failed)
		return error_errno(err, ENOMEM, "archive");
	e.path = path.text;
	return tar_write_header(w->out, &e, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the room: the walk that finds changes, and what it stands on. diff.c makes a layer of them, changes.c a list,
 * tree_archive.c an archive of a whole tree.
 *
 * The walk (diff_walk.c) goes down a directory of the upper tree and the directory of the same name in the lower one, side by
 * side, by descriptors; names are sorted, so that it is the same walk whatever order the file system lists them in. What it finds is a node. */
#ifndef DHOW_LAYER_DIFF_INTERNAL_H
#define DHOW_LAYER_DIFF_INTERNAL_H

#include "layer/diff.h"
#include "layer/tar_write.h"

enum diff_node_kind {
	NODE_SAME, /* a directory with nothing new about itself */
	NODE_ADDED,
	NODE_MODIFIED,
	NODE_DELETED, /* in lower only; fd is -1, st is lower's */
};
struct diff_node {
	struct diff_node *parent; /* NULL: this is the root */
	enum diff_node_kind kind;
	const char *name; /* "passwd"; "" for the root */
	const char
		*path; /* "etc/passwd"; "" for the root. Valid while the node's own visit lasts */
	int fd;        /* of upper, O_PATH for all but directories */
	struct stat st;
	int data; /* O_PATH: where a regular file's content is; fd, but for overlay's metacopy */
	bool is_opaque; /* a directory whose content in lower is gone */
	/* Below a directory that is opaque: all that is there must be told. */
	bool is_below_opaque;
	bool is_told; /* the visitor's own */
};
struct diff_visitor {
	/* Called for each change and each directory, a directory before what is in it. Anything but 0 ends the walk and is returned. */
	int (*visit)(void *data, struct diff_node *node, struct error **err);
	void *data;
};
int diff_walk(const struct diff_opts *opts, const struct diff_visitor *visitor, struct error **err);
/* The path of a node whose own visit may be over: an ancestor's. Caller frees; NULL when memory runs out. */
char *diff_node_path(const struct diff_node *node);

/* --- diff_upper.c: what an upper directory of overlay or aufs says beside files --- */
enum upper_sense {
	UPPER_FILE,     /* what it seems */
	UPPER_WHITEOUT, /* of *name */
	UPPER_OPAQUE,   /* a mark for the directory it is in */
	UPPER_NOTHING,  /* the driver's own */
};
/* What the entry called name is; *name may be moved on to the name that is deleted. */
int upper_sense(enum storage_whiteouts whiteouts, int fd, const struct stat *st, const char **name,
		enum upper_sense *out, struct error **err);
/* Whether a directory of upper hides lower's. */
int upper_is_opaque(enum storage_whiteouts whiteouts, int dir, bool *out, struct error **err);
/* Where the content of a file of upper is that may have only its metadata there: *data becomes fd, or lower, the file of the same name
 * (-1: none). Fails for what is told only by the mounted whole: directories and files that overlay keeps as renamed. */
int upper_content(enum storage_whiteouts whiteouts, int fd, int lower, int *data,
		  struct error **err);

/* --- diff_tree.c: comparing --- */
struct tree_pair {
	int upper, lower; /* O_PATH, or directories */
	const struct stat *upper_st, *lower_st;
};
/* Everything but, for directories, what is in them. 1 when equal, 0, or a negative errno. */
int tree_is_same(const struct tree_pair *pair, struct error **err);
/* The same without times. */
int tree_has_same_attributes(const struct tree_pair *pair, struct error **err);

/* --- diff_xattr.c --- */
/* The extended attributes that travel: all but those that belong to the place rather than the file (overlay's, SELinux labels). fd may be O_PATH. */
int xattrs_read(int fd, struct tar_xattrs *out, struct error **err);
bool xattrs_equal(const struct tar_xattrs *a, const struct tar_xattrs *b);
/* The value's length, which may be 0; -ENODATA where there is no such attribute, -ERANGE where the value is longer than size. */
ssize_t xattr_get(int fd, const char *name, void *buf, size_t size);

/* --- diff_write.c: nodes become entries --- */
struct diff_writer {
	struct sink out;
	int64_t time_limit_s;
	void *links; /* names of files with several: a tree of tsearch(3) */
	void *buf;
};
int diff_writer_init(struct diff_writer *w, const struct diff_opts *opts, struct sink out,
		     struct error **err);
void diff_writer_clear(struct diff_writer *w);
#define _cleanup_diff_writer_ _cleanup_(diff_writer_clear)
/* The entry and its content. A file that is shorter than it was when its header was written is filled up with zeros, since a header can't be taken back. */
int diff_write_node(struct diff_writer *w, const struct diff_node *node, struct error **err);
/* An empty file that stands for a deletion, ".wh.NAME" with name ".wh..opq" for the opaque one, in the directory of node. */
int diff_write_mark(struct diff_writer *w, const struct diff_node *directory, const char *name,
		    struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resolving paths inside a root we don't own. See path.h. openat2(2), path_resolution(7).
 *
 * Making directories can't be left to one system call, so it goes from the root downwards: each prefix is
 * opened inside the root; the first that is missing is made with mkdirat() in the directory that was opened
 * before, and opened without following links. Somebody who swaps names meanwhile can send us elsewhere
 * inside the root, never out of it (CVE-2024-45310). */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/path.h"
#include "kernel/procfs.h"

/* openat2 answers EAGAIN when a rename or mount anywhere raced with a ".." of ours. Each retry is a new
 * chance, and somebody who renames in a loop must not hold us up for ever. */
#define RACE_RETRIES 512
/* As many symbolic links as the kernel follows in one path. */
#define LINKS_MAX 40

static bool is_openat2_missing;

static char *join(const char *a, const char *b, const char *c)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	strbuf_addf(&text, "%s/%s/%s", a, b, c);
	return strbuf_take(&text);
}

/* Caller frees *target. Returns 0 or a negative errno; -EINVAL where name is no link. */
static int read_link(int dir, const char *name, char **target)
{
	_cleanup_free_ char *text = malloc(PATH_MAX);
	ssize_t length;

	if (!text)
		return -ENOMEM;
	length = readlinkat(dir, name, text, PATH_MAX - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	*target = TAKE_PTR(text);
	return 0;
}

/* Goes down names again, which was found to be free of links a moment ago. */
static int reopen_walked(int root, const char *names)
{
	_cleanup_fd_ int dir = fcntl(root, F_DUPFD_CLOEXEC, 3);
	_cleanup_free_ char *copy = strdup(names);
	char *rest = copy, *name;

	if (!copy)
		return -ENOMEM;
	while (dir >= 0 && (name = strsep(&rest, "/"))) {
		int next;

		if (!*name)
			continue;
		next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(dir);
		dir = next;
	}
	return dir < 0 ? -errno : TAKE_FD(dir);
}

/* The state of a walk by hand. */
struct walk {
	int root, dir;      /* dir is where we are */
	struct strbuf done; /* "/a/b": the names gone down to get there, no links */
	char *todo;         /* what is left, may begin with any number of slashes */
	int links;
};

static void walk_clear(struct walk *w)
{
	close_fd(&w->dir);
	strbuf_free(&w->done);
	free(w->todo);
}

static int walk_to(struct walk *w, size_t done_length)
{
	int dir;

	w->done.length = done_length;
	if (w->done.text)
		w->done.text[done_length] = '\0';
	dir = reopen_walked(w->root, w->done.text ? w->done.text : "");
	if (dir < 0)
		return dir;
	close_fd(&w->dir);
	w->dir = dir;
	return 0;
}

static int walk_up(struct walk *w)
{
	const char *slash = w->done.length ? strrchr(w->done.text, '/') : NULL;

	return walk_to(w, slash ? (size_t)(slash - w->done.text) : 0);
}

static int walk_link(struct walk *w, int link, const char *rest)
{
	_cleanup_free_ char *target = NULL;
	char *todo;
	int r = read_link(link, "", &target);

	if (r < 0)
		return r;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	todo = join("", target, rest);
	if (!todo)
		return -ENOMEM;
	if (*target == '/')
		r = walk_to(w, 0);
	free(w->todo);
	w->todo = todo;
	return r;
}

/* One step down. Returns 1 when the last component was opened into *out. */
static int walk_step(struct walk *w, int flags, enum path_rules rules, int *out)
{
	char *name = w->todo + strspn(w->todo, "/");
	char *rest = name + strcspn(name, "/");
	_cleanup_fd_ int fd = -1;
	bool is_last;
	struct stat st;

	if (*rest)
		*rest++ = '\0';
	is_last = rest[strspn(rest, "/")] == '\0';
	if (str_equal(name, "..")) {
		_cleanup_free_ char *todo = strdup(rest);

		if (!todo)
			return -ENOMEM;
		free(w->todo);
		w->todo = TAKE_PTR(todo);
		return walk_up(w);
	}
	fd = openat(w->dir, *name ? name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && !(is_last && (flags & O_NOFOLLOW)))
		return rules & PATH_NO_SYMLINKS ? -ELOOP : walk_link(w, fd, rest);
	if (is_last) {
		*out = openat(w->dir, *name ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC);
		return *out < 0 ? -errno : 1;
	}
	if (*name && !str_equal(name, ".")) {
		strbuf_addf(&w->done, "/%s", name);
		close_fd(&w->dir);
		w->dir = TAKE_FD(fd);
	}
	memmove(w->todo, rest, strlen(rest) + 1);
	return w->done.failed ? -ENOMEM : 0;
}

static int open_walking(int root, const char *path, int flags, enum path_rules rules)
{
	_cleanup_(walk_clear) struct walk w = {
		.root = root,
		.dir = fcntl(root, F_DUPFD_CLOEXEC, 3),
		.todo = strdup(path),
	};
	_cleanup_free_ char *where = NULL;
	_cleanup_fd_ int fd = -1;
	int r = 0;

	if (w.dir < 0)
		return -errno;
	if (!w.todo)
		return -ENOMEM;
	while (r == 0)
		r = walk_step(&w, flags, rules, &fd);
	if (r < 0)
		return r;
	/* A directory that was moved out of the root while we went through it. */
	r = path_within_root(root, fd, &where, NULL);
	return r < 0 ? r : TAKE_FD(fd);
}

/* EPERM may be the path's or a sandbox's own; "." of the root tells. */
static bool is_openat2_refused(int root)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	_cleanup_fd_ int fd = (int)syscall(SYS_openat2, root, ".", &how, sizeof how);

	return fd < 0 && (errno == ENOSYS || errno == EPERM);
}

static int open_in_root(int root, const char *path, int flags, enum path_rules rules)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	if (rules & PATH_NO_SYMLINKS)
		how.resolve |= RESOLVE_NO_SYMLINKS;
	for (int i = 0; !is_openat2_missing && i < RACE_RETRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, *path ? path : "/", &how, sizeof how);
		if (fd >= 0)
			return fd;
		if ((errno == ENOSYS || errno == EPERM) && is_openat2_refused(root))
			is_openat2_missing = true;
		else if (errno != EAGAIN)
			return -errno;
	}
	return is_openat2_missing ? open_walking(root, path, flags, rules) : -EAGAIN;
}

int path_open_in_root(int root, const char *path, int flags, enum path_rules rules,
		      struct error **err)
{
	int fd = open_in_root(root, path, flags, rules);

	return fd < 0 ? error_errno(err, -fd, "open %s in the root", path) : fd;
}

/* Makes the component name of dir and opens it. -ELOOP when a link is there. */
static int make_component(int dir, const char *name, bool is_directory, mode_t mode)
{
	uint64_t begin = trace_begin();
	struct stat st;
	int fd, r;

	if (is_directory) {
		r = mkdirat(dir, name, mode) < 0 ? -errno : 0;
		trace_step(TRACE_ROOTFS, begin, "mkdirat", r, "%s, %04o", name, mode);
	} else {
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		r = fd < 0 ? -errno : 0;
		trace_step(TRACE_ROOTFS, begin, "openat", r, "%s, O_CREAT|O_EXCL, %04o", name,
			   mode);
		close_fd(&fd);
	}
	if (r < 0 && r != -EEXIST)
		return r;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (is_directory ? O_DIRECTORY : 0));
	if (fd < 0 && errno != ENOTDIR)
		return -errno;
	if (fd >= 0 && (is_directory || r == 0))
		return fd;
	close_fd(&fd);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISLNK(st.st_mode) ? -ELOOP : is_directory ? -ENOTDIR : -EEXIST;
}

/* What make_down() is asked for. */
struct making {
	int root;
	bool is_directory; /* the last component */
	mode_t mode;       /* the last component's, and all directories' with is_directory */
	enum path_rules rules;
};

/* Goes down *path and makes what is missing. Returns the last component's descriptor, or -ERESTART and a
 * new *path, where a link that pointed nowhere is replaced by its target. */
static int make_down(const struct making *making, char **path)
{
	_cleanup_fd_ int dir = open_in_root(making->root, "/", O_PATH | O_DIRECTORY, PATH_ANY);
	char *end = *path + strspn(*path, "/");

	while (dir >= 0 && *end) {
		char *name = end, saved;
		bool is_last, is_directory;
		int fd;

		end += strcspn(end, "/");
		saved = *end;
		is_last = end[strspn(end, "/")] == '\0';
		is_directory = !is_last || making->is_directory;
		*end = '\0';
		fd = open_in_root(making->root, *path, O_PATH | (is_directory ? O_DIRECTORY : 0),
				  making->rules);
		if (fd == -ENOENT)
			fd = make_component(dir, name, is_directory,
					    is_last || making->is_directory ? making->mode : 0755);
		if (fd == -ELOOP && !(making->rules & PATH_NO_SYMLINKS)) {
			_cleanup_free_ char *target = NULL;
			char *next;
			int r = read_link(dir, name, &target);

			if (r < 0)
				return r;
			*end = saved;
			saved = *name;
			*name = '\0';
			next = *target == '/' ? join("", target, end) : join(*path, target, end);
			*name = saved;
			if (!next)
				return -ENOMEM;
			free(*path);
			*path = next;
			return -ERESTART;
		}
		*end = saved;
		if (fd < 0)
			return fd;
		close(dir);
		dir = fd;
		end += strspn(end, "/");
	}
	return TAKE_FD(dir);
}

/* The usual case: only the last component is missing. Anything else is an error here, and no answer. */
static int make_last(const struct making *making, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = strndup(path, slash ? (size_t)(slash - path) : 0);
	_cleanup_fd_ int dir = -1;

	if (!parent || !slash || !slash[1] || slash[1] == '.')
		return -EINVAL;
	dir = open_in_root(making->root, *parent ? parent : "/", O_PATH | O_DIRECTORY,
			   making->rules);
	return dir < 0 ? dir : make_component(dir, slash + 1, making->is_directory, making->mode);
}

static int make_in_root(const struct making *making, const char *path, struct error **err)
{
	_cleanup_free_ char *todo = NULL;
	int fd = -ENOENT;

	if (!(making->rules & PATH_MISSING))
		fd = open_in_root(making->root, path,
				  O_PATH | (making->is_directory ? O_DIRECTORY : 0), making->rules);
	if (fd == -ENOENT) {
		fd = make_last(making, path);
		if (fd < 0)
			fd = -ERESTART;
	}
	todo = fd == -ERESTART ? strdup(path) : NULL;
	for (int i = 0; fd == -ERESTART && todo && i <= LINKS_MAX; i++)
		fd = make_down(making, &todo);
	if (fd == -ERESTART)
		fd = todo ? -ELOOP : -ENOMEM;
	return fd < 0 ? error_errno(err, -fd, "make %s in the root", path) : fd;
}

int path_mkdirs_in_root(int root, const char *path, mode_t mode, enum path_rules rules,
			struct error **err)
{
	struct making making = {root, true, mode, rules};

	return make_in_root(&making, path, err);
}

int path_create_in_root(int root, const char *path, mode_t mode, enum path_rules rules,
			struct error **err)
{
	struct making making = {root, false, mode, rules};

	return make_in_root(&making, path, err);
}

int path_parent_in_root(int root, const char *path, const char **name, struct error **err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = strndup(path, slash ? (size_t)(slash - path) : 0);

	if (!parent)
		return error_errno(err, ENOMEM, "make the parent of %s", path);
	*name = slash ? slash + 1 : path;
	if (!**name || str_equal(*name, ".") || str_equal(*name, ".."))
		return error_set(err, EINVAL, "%s names no file in the root", path);
	return path_mkdirs_in_root(root, *parent ? parent : "/", 0755, PATH_ANY, err);
}

int path_within_root(int root, int fd, char **path, struct error **err)
{
	_cleanup_free_ char *root_text = NULL, *text = NULL;
	_cleanup_fd_ int dir = procfs_open("self/fd", O_PATH | O_DIRECTORY, err);
	char name[16];
	size_t length;
	int r;

	if (dir < 0)
		return dir;
	snprintf(name, sizeof name, "%d", root);
	r = read_link(dir, name, &root_text);
	snprintf(name, sizeof name, "%d", fd);
	if (r == 0)
		r = read_link(dir, name, &text);
	if (r)
		return error_errno(err, -r, "read the path of an open file");
	length = str_equal(root_text, "/") ? 0 : strlen(root_text);
	if (*text != '/' || strncmp(text, root_text, length) != 0 ||
	    (text[length] && text[length] != '/'))
		return error_set(err, EXDEV, "%s is not in the root %s", text, root_text);
	*path = strdup(text[length] ? text + length : "/");
	return *path ? 0 : error_errno(err, ENOMEM, "read the path of an open file");
}

char *path_clean(const char *path)
{
	char *out = malloc(strlen(path) + 2), *end = out;

	if (!out)
		return NULL;
	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			while (end > out && *--end != '/')
				;
		} else if (length && !(length == 1 && *path == '.')) {
			*end++ = '/';
			memcpy(end, path, length);
			end += length;
		}
		path += length;
	}
	if (end == out)
		*end++ = '/';
	*end = '\0';
	return out;
}

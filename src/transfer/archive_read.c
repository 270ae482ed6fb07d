/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An archive as a set of members. See archive_read.h. */
#include <fcntl.h>
#include <sys/stat.h>

#include "kernel/path.h"
#include "transfer/archive_read.h"
#include "transfer/archive_spool.h"
#include "transfer/archive_tar.h"

/* A bundle of a hundred images has about ten thousand. */
#define MEMBERS_LIMIT ((size_t)100000)
#define LINKS_LIMIT   16

struct archive {
	int fd; /* the tar, or the directory */
	bool is_directory, is_ours;
	struct tar_member
		*members; /* files and links, sorted by name; those of one name in order */
	size_t count;
};

void archive_close(struct archive *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++)
		tar_member_clear(&a->members[i]);
	free(a->members);
	if (a->is_ours)
		close_fd(&a->fd);
	free(a);
}

void archive_member_clear(struct archive_member *m)
{
	if (m->owns_fd)
		close_fd(&m->fd);
}

/* --- Opening ----------------------------------------------------------------------------------------------------- */

static int compare_members(const void *a, const void *b)
{
	const struct tar_member *left = a, *right = b;
	int by_name = strcmp(left->name, right->name);

	if (by_name)
		return by_name;
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static int add_member(struct archive *a, size_t *capacity, struct tar_member *m, struct error **err)
{
	if (a->count == MEMBERS_LIMIT)
		return error_set(err, E2BIG, "the archive has more than %zu members",
				 MEMBERS_LIMIT);
	if (a->count == *capacity) {
		size_t wanted = *capacity ? *capacity * 2 : 64;
		struct tar_member *grown = reallocarray(a->members, wanted, sizeof *grown);

		if (!grown)
			return error_errno(err, ENOMEM, "read the archive");
		a->members = grown;
		*capacity = wanted;
	}
	a->members[a->count++] = *m;
	*m = (struct tar_member){0};
	return 0;
}

static int read_members(struct archive *a, uint64_t start, struct error **err)
{
	struct tar_reader reader = {.fd = a->fd, .at = start};
	size_t capacity = 0, headers = 0;
	struct stat st;
	int r;

	if (fstat(a->fd, &st) < 0)
		return error_errno(err, errno, "read the archive");
	reader.end = (uint64_t)st.st_size;
	if (reader.end <= start)
		return error_set(err, EINVAL, "the archive is empty");
	for (;;) {
		_cleanup_(tar_member_clear) struct tar_member m;

		r = tar_next(&reader, &m, err);
		if (r <= 0)
			break;
		if (headers++ == 2 * MEMBERS_LIMIT)
			return error_set(err, E2BIG, "the archive has more than %zu members",
					 2 * MEMBERS_LIMIT);
		if (m.type == TAR_DIRECTORY || m.type == TAR_OTHER)
			continue;
		r = add_member(a, &capacity, &m, err);
		if (r)
			break;
	}
	if (!r && a->count)
		qsort(a->members, a->count, sizeof *a->members, compare_members);
	return r;
}

static int open_directory(struct archive *a, const char *path, struct error **err)
{
	a->is_directory = a->is_ours = true;
	a->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return a->fd < 0 ? error_errno(err, errno, "open %s", path) : 0;
}

/* A file is read where it lies, from its position on, when it is a tar; all else is copied. */
static int open_stream(struct archive *a, int fd, struct store *store, struct error **err)
{
	uint64_t start = 0;
	int r = archive_spool_needed(fd, &start, err);

	if (r < 0)
		return r;
	a->fd = fd;
	if (r) {
		a->fd = archive_spool(fd, store, err);
		if (a->fd < 0)
			return a->fd;
		a->is_ours = true;
		start = 0;
	}
	return read_members(a, start, err);
}

int archive_open(int fd, const char *path, struct store *store, struct archive **out,
		 struct error **err)
{
	_cleanup_archive_ struct archive *a = calloc(1, sizeof *a);
	int r;

	if (!a)
		return error_errno(err, ENOMEM, "read the archive");
	a->fd = -1;
	r = path ? open_directory(a, path, err) : open_stream(a, fd, store, err);
	if (!r)
		*out = TAKE_PTR(a);
	return r;
}

/* --- Finding ------------------------------------------------------------------------------------------------------- */

/* The first of that name, or NULL. */
static const struct tar_member *lookup(const struct archive *a, const char *name)
{
	size_t low = 0, high = a->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(a->members[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < a->count && strcmp(a->members[low].name, name) == 0 ? &a->members[low] : NULL;
}

static bool is_twice(const struct archive *a, const struct tar_member *m)
{
	return m + 1 < a->members + a->count && strcmp(m[0].name, m[1].name) == 0;
}

/* Appends the components of path to out, taking ".." back. -EXDEV: it leads out. */
static int append_components(struct strv *out, const char *path)
{
	_cleanup_strv_ struct strv words = {0};

	if (strv_split(&words, path, "/"))
		return -ENOMEM;
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.items[i];

		if (strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0) {
			if (!out->count)
				return -EXDEV;
			free(out->items[--out->count]);
			out->items[out->count] = NULL;
		} else if (strv_add(out, word)) {
			return -ENOMEM;
		}
	}
	return 0;
}

static char *join(const struct strv *words)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	for (size_t i = 0; i < words->count; i++) {
		if (i)
			strbuf_adds(&text, "/");
		strbuf_adds(&text, words->items[i]);
	}
	return strbuf_take(&text);
}

/* What a link of the archive names: a hard link a member, a symbolic one a path from where the link is. */
static int link_target(const struct tar_member *m, char **out, struct error **err)
{
	_cleanup_strv_ struct strv words = {0};
	const char *slash = strrchr(m->name, '/');
	int r = 0;

	if (m->type == TAR_SYMLINK && m->link[0] == '/')
		r = -EXDEV;
	if (!r && m->type == TAR_SYMLINK && slash) {
		_cleanup_free_ char *parent = strndup(m->name, (size_t)(slash - m->name));

		r = parent ? append_components(&words, parent) : -ENOMEM;
	}
	if (!r)
		r = append_components(&words, m->link);
	if (r == -EXDEV)
		return error_set(err, EINVAL, "%s in the archive is a link that leads out of it",
				 m->name);
	*out = r ? NULL : join(&words);
	return *out ? 0 : error_errno(err, ENOMEM, "read the archive");
}

static int find_in_tar(const struct archive *a, const char *name, const struct tar_member **out,
		       struct error **err)
{
	_cleanup_free_ char *followed = NULL;
	const char *wanted = name;

	for (int links = 0; links <= LINKS_LIMIT; links++) {
		const struct tar_member *m = lookup(a, wanted);
		char *target;
		int r;

		if (!m)
			return error_set(err, ENOENT, "%s is missing in the archive", wanted);
		if (is_twice(a, m))
			return error_set(err, EINVAL, "%s is in the archive more than once",
					 wanted);
		if (m->type == TAR_FILE) {
			*out = m;
			return 0;
		}
		r = link_target(m, &target, err);
		if (r)
			return r;
		free(followed);
		wanted = followed = target;
	}
	return error_set(err, EINVAL, "%s in the archive is a link to itself, or through too many",
			 name);
}

static int find_in_directory(const struct archive *a, const char *name, struct archive_member *out,
			     struct error **err)
{
	_cleanup_error_ struct error *why = NULL;
	_cleanup_fd_ int fd = -1;
	struct stat st;

	fd = path_open_in_root(a->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, PATH_ANY,
			       &why);
	if (fd == -ENOENT)
		return error_set(err, ENOENT, "%s is missing in the directory", name);
	if (fd < 0)
		return error_set(err, -fd, "%s", error_text(why));
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "open %s", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%s in the directory is no regular file", name);
	*out = (struct archive_member){
		.fd = TAKE_FD(fd), .owns_fd = true, .size = (uint64_t)st.st_size};
	return 0;
}

/* "./a/b" names what "a/b" does; below a directory the kernel sees to that. */
static const char *skip_dot(const char *name)
{
	while (name[0] == '.' && name[1] == '/')
		name += 2;
	return name;
}

int archive_find(const struct archive *a, const char *name, struct archive_member *out,
		 struct error **err)
{
	const struct tar_member *m = NULL;
	int r;

	*out = (struct archive_member){.fd = -1};
	if (a->is_directory)
		return find_in_directory(a, name, out, err);
	r = find_in_tar(a, skip_dot(name), &m, err);
	if (!r)
		*out = (struct archive_member){.fd = a->fd, .offset = m->offset, .size = m->size};
	return r;
}

bool archive_has(const struct archive *a, const char *name)
{
	_cleanup_archive_member_ struct archive_member m = {.fd = -1};

	if (a->is_directory)
		return archive_find(a, name, &m, NULL) == 0;
	return lookup(a, skip_dot(name));
}

/* --- Reading ------------------------------------------------------------------------------------------------------- */

static ssize_t read_member(void *data, void *buf, size_t size, struct error **err)
{
	struct archive_member *m = data;
	ssize_t n;

	if (size > m->size)
		size = (size_t)m->size;
	if (!size)
		return 0;
	do
		n = pread(m->fd, buf, size, (off_t)m->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "read the archive");
	if (n == 0)
		return error_set(err, EIO, "the archive became shorter while it was read");
	m->offset += (uint64_t)n;
	m->size -= (uint64_t)n;
	return n;
}

struct source archive_member_source(struct archive_member *m)
{
	return (struct source){.read = read_member, .data = m};
}

int archive_member_peek(const struct archive_member *m, void *buf, size_t *length,
			struct error **err)
{
	struct archive_member copy = *m;
	size_t have = 0;

	while (have < *length) {
		ssize_t n = read_member(&copy, (char *)buf + have, *length - have, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	*length = have;
	return 0;
}

int archive_read_document(const struct archive *a, const char *name, size_t max, char **data,
			  size_t *length, struct error **err)
{
	_cleanup_archive_member_ struct archive_member m = {.fd = -1};
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = archive_find(a, name, &m, err);
	if (r)
		return r;
	if (m.size > max)
		return error_set(err, EFBIG, "%s is larger than the limit of %zu bytes", name, max);
	size = (size_t)m.size;
	text = calloc(1, size + 1);
	if (!text)
		return error_errno(err, ENOMEM, "read %s", name);
	*length = size;
	r = archive_member_peek(&m, text, length, err);
	if (!r && *length != size)
		r = error_set(err, EIO, "%s became shorter while it was read", name);
	if (!r)
		*data = TAKE_PTR(text);
	return r;
}

void archive_forget(const struct archive *a, const char *name)
{
	_cleanup_archive_member_ struct archive_member m = {.fd = -1};

	if (a->is_directory || !a->is_ours || archive_find(a, name, &m, NULL))
		return;
	fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)m.offset, (off_t)m.size);
}

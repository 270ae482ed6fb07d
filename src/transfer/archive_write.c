/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an image is saved to. See archive_write.h. */
#include <fcntl.h>
#include <libgen.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "transfer/archive_tar.h"
#include "transfer/archive_write.h"

#define COPY_BYTES (16u << 20) /* at a time: what a signal waits for */

struct out_kind {
	int (*folder)(struct archive_out *out, const char *name, struct error **err);
	int (*document)(struct archive_out *out, const char *name, const char *data, size_t length,
			struct error **err);
	int (*blob)(struct archive_out *out, const char *name, int fd, uint64_t size,
		    struct error **err);
	int (*finish)(struct archive_out *out, struct error **err);
};

struct archive_out {
	const struct out_kind *kind;
	int fd;          /* the tar's, borrowed; or the directory's, ours */
	char *path;      /* of the directory */
	char *temporary; /* what it is called until it is whole */
};

/* --- Copying ------------------------------------------------------------------------------------------------------ */

static ssize_t copy_by_range(int from, off_t *at, int to, size_t size)
{
	return copy_file_range(from, at, to, NULL, size, 0);
}

static ssize_t copy_by_sendfile(int from, off_t *at, int to, size_t size)
{
	return sendfile(to, from, at, size);
}

static ssize_t copy_by_hand(int from, off_t *at, int to, size_t size)
{
	char buf[64 << 10];
	ssize_t n = pread(from, buf, size < sizeof buf ? size : sizeof buf, *at);
	int r;

	if (n <= 0)
		return n;
	r = fd_write_all(to, buf, (size_t)n);
	if (r) {
		errno = -r;
		return -1;
	}
	*at += n;
	return n;
}

typedef ssize_t copy_fn(int from, off_t *at, int to, size_t size);
/* From the fastest to what always works. */
static copy_fn *const copiers[] = {copy_by_range, copy_by_sendfile, copy_by_hand};

/* Errors that say "not between these two". */
static bool is_unsuited(int code)
{
	return code == EXDEV || code == EINVAL || code == EBADF || code == ENOSYS ||
	       code == EOPNOTSUPP || code == EPERM || code == ETXTBSY;
}

static int copy_bytes(int from, int to, uint64_t size, struct error **err)
{
	size_t way = 0;
	off_t at = 0;

	while ((uint64_t)at < size) {
		uint64_t left = size - (uint64_t)at;
		ssize_t n =
			copiers[way](from, &at, to, left < COPY_BYTES ? (size_t)left : COPY_BYTES);

		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		if (way + 1 < ARRAY_SIZE(copiers) && (n == 0 || is_unsuited(errno))) {
			way++;
			continue;
		}
		if (n == 0)
			return error_set(err, EUCLEAN, "a blob is shorter than it should be");
		return error_errno(err, errno, "write");
	}
	return 0;
}

static int write_bytes(int fd, const void *data, size_t length, struct error **err)
{
	int r = fd_write_all(fd, data, length);

	return r ? error_errno(err, -r, "write") : 0;
}

/* --- A tar -------------------------------------------------------------------------------------------------------- */

static const char zeros[2 * TAR_BLOCK];

static int tar_start(struct archive_out *out, const char *name, uint64_t size, struct error **err)
{
	_cleanup_strbuf_ struct strbuf header = {0};
	int r = tar_header_append(&header, name, size, err);

	return r ? r : write_bytes(out->fd, header.text, header.length, err);
}

static int tar_folder(struct archive_out *out, const char *name, struct error **err)
{
	return tar_start(out, name, 0, err);
}

static int tar_document(struct archive_out *out, const char *name, const char *data, size_t length,
			struct error **err)
{
	int r = tar_start(out, name, length, err);

	if (!r)
		r = write_bytes(out->fd, data, length, err);
	return r ? r : write_bytes(out->fd, zeros, tar_padding(length), err);
}

static int tar_blob(struct archive_out *out, const char *name, int fd, uint64_t size,
		    struct error **err)
{
	int r = tar_start(out, name, size, err);

	if (!r)
		r = copy_bytes(fd, out->fd, size, err);
	return r ? r : write_bytes(out->fd, zeros, tar_padding(size), err);
}

static int tar_finish(struct archive_out *out, struct error **err)
{
	return write_bytes(out->fd, zeros, sizeof zeros, err);
}

static const struct out_kind tar_kind = {tar_folder, tar_document, tar_blob, tar_finish};

/* --- A directory -------------------------------------------------------------------------------------------------- */

static int directory_folder(struct archive_out *out, const char *name, struct error **err)
{
	if (mkdirat(out->fd, name, 0755) < 0)
		return error_errno(err, errno, "make %s/%s", out->path, name);
	return 0;
}

static int create(const struct archive_out *out, const char *name, struct error **err)
{
	int fd = openat(out->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? error_errno(err, errno, "make %s/%s", out->path, name) : fd;
}

static int flush(const struct archive_out *out, int fd, const char *name, struct error **err)
{
	return fsync(fd) < 0 ? error_errno(err, errno, "write %s/%s", out->path, name) : 0;
}

static int directory_document(struct archive_out *out, const char *name, const char *data,
			      size_t length, struct error **err)
{
	_cleanup_fd_ int fd = create(out, name, err);
	int r = fd < 0 ? fd : write_bytes(fd, data, length, err);

	return r ? r : flush(out, fd, name, err);
}

static int directory_blob(struct archive_out *out, const char *name, int from, uint64_t size,
			  struct error **err)
{
	_cleanup_fd_ int fd = create(out, name, err);
	int r = fd < 0 ? fd : copy_bytes(from, fd, size, err);

	return r ? r : flush(out, fd, name, err);
}

/* rename(2) replaces an empty directory, and nothing else. */
static int directory_finish(struct archive_out *out, struct error **err)
{
	if (fsync(out->fd) < 0 || rename(out->temporary, out->path) < 0)
		return error_errno(err, errno, "make %s", out->path);
	free(TAKE_PTR(out->temporary));
	return 0;
}

static const struct out_kind directory_kind = {directory_folder, directory_document, directory_blob,
					       directory_finish};

static int check_vacant(const char *path, struct error **err)
{
	_cleanup_dir_ DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "save to %s", path);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return error_errno(err, ENOTEMPTY, "save to %s", path);
	return 0;
}

static int make_directory(struct archive_out *out, const char *path, struct error **err)
{
	_cleanup_free_ char *copy = strdup(path), *parent_copy = strdup(path);
	int r = check_vacant(path, err);

	if (r)
		return r;
	out->kind = &directory_kind;
	out->path = strdup(path);
	if (!copy || !parent_copy || !out->path ||
	    asprintf(&out->temporary, "%s/.%s.XXXXXX", dirname(parent_copy), basename(copy)) < 0) {
		out->temporary = NULL;
		return error_errno(err, ENOMEM, "save to %s", path);
	}
	if (!mkdtemp(out->temporary)) {
		free(TAKE_PTR(out->temporary));
		return error_errno(err, errno, "save to %s", path);
	}
	out->fd = open(out->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd < 0 || fchmod(out->fd, 0755) < 0)
		return error_errno(err, errno, "save to %s", path);
	return 0;
}

/* --- Both --------------------------------------------------------------------------------------------------------- */

int archive_out_open(int fd, const char *path, struct archive_out **out, struct error **err)
{
	_cleanup_archive_out_ struct archive_out *o = calloc(1, sizeof *o);
	int r = 0;

	if (!o)
		return error_errno(err, ENOMEM, "save");
	o->kind = &tar_kind;
	o->fd = fd;
	if (path)
		r = make_directory(o, path, err);
	if (!r)
		*out = TAKE_PTR(o);
	return r;
}

void archive_out_free(struct archive_out *out)
{
	if (!out)
		return;
	if (out->kind == &directory_kind)
		close_fd(&out->fd);
	if (out->temporary)
		remove_tree_at(AT_FDCWD, out->temporary, NULL);
	free(out->temporary);
	free(out->path);
	free(out);
}

int archive_out_folder(struct archive_out *out, const char *name, struct error **err)
{
	return out->kind->folder(out, name, err);
}

int archive_out_document(struct archive_out *out, const char *name, const char *data, size_t length,
			 struct error **err)
{
	return out->kind->document(out, name, data, length, err);
}

int archive_out_blob(struct archive_out *out, const char *name, int fd, uint64_t size,
		     struct error **err)
{
	return out->kind->blob(out, name, fd, size, err);
}

int archive_out_finish(struct archive_out *out, struct error **err)
{
	return out->kind->finish(out, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file for people that appears when it is whole. See archive_file.h. */
#include <fcntl.h>
#include <libgen.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "transfer/archive_file.h"

#define TRIES 100

void archive_file_clear(struct archive_file *f)
{
	close_fd(&f->fd);
	if (f->temporary)
		unlink(f->temporary);
	free(f->temporary);
	free(f->path);
	*f = (struct archive_file){.fd = -1};
}

/* Beside path. Caller frees. */
static char *temporary_name(const char *path)
{
	_cleanup_free_ char *copy = strdup(path), *parent_copy = strdup(path);
	uint32_t number = 0;
	char *name = NULL;

	if (!copy || !parent_copy || getrandom(&number, sizeof number, 0) != sizeof number ||
	    asprintf(&name, "%s/.%s.%08x", dirname(parent_copy), basename(copy), number) < 0)
		return NULL;
	return name;
}

/* File systems without O_TMPFILE. */
static int open_named(struct archive_file *f, struct error **err)
{
	for (int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *name = temporary_name(f->path);

		if (!name)
			return error_errno(err, ENOMEM, "make %s", f->path);
		f->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (f->fd >= 0) {
			f->temporary = TAKE_PTR(name);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return error_errno(err, errno, "make %s", f->path);
}

static int open_new(struct archive_file *f, struct error **err)
{
	_cleanup_free_ char *copy = strdup(f->path);

	if (!copy)
		return error_errno(err, ENOMEM, "make %s", f->path);
	f->fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (f->fd >= 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return open_named(f, err);
	return error_errno(err, errno, "make %s", f->path);
}

int archive_file_open(const char *path, struct archive_file *out, struct error **err)
{
	struct stat st;
	bool exists = stat(path, &st) == 0;
	int r;

	*out = (struct archive_file){.fd = -1};
	if (exists && !S_ISREG(st.st_mode)) {
		out->fd = open(path, O_WRONLY | O_CLOEXEC);
		return out->fd < 0 ? error_errno(err, errno, "open %s", path) : 0;
	}
	/* A link keeps being one: its target is replaced. */
	out->path = exists ? realpath(path, NULL) : strdup(path);
	if (!out->path)
		return error_errno(err, errno, "open %s", path);
	r = open_new(out, err);
	if (r)
		archive_file_clear(out);
	return r;
}

static int give_name(struct archive_file *f, struct error **err)
{
	char descriptor[32];

	snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", f->fd);
	for (int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *name = temporary_name(f->path);

		if (!name)
			return error_errno(err, ENOMEM, "make %s", f->path);
		if (linkat(AT_FDCWD, descriptor, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
			f->temporary = TAKE_PTR(name);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return error_errno(err, errno, "make %s", f->path);
}

int archive_file_commit(struct archive_file *f, struct error **err)
{
	int r;

	if (!f->path)
		return 0;
	if (fdatasync(f->fd) < 0)
		return error_errno(err, errno, "write %s", f->path);
	r = f->temporary ? 0 : give_name(f, err);
	if (r)
		return r;
	if (rename(f->temporary, f->path) < 0)
		return error_errno(err, errno, "make %s", f->path);
	free(TAKE_PTR(f->temporary));
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to go leaves by one rename, and is removed afterwards, by this process or, when that was killed, by whoever comes next. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"

#define REST_AGE_S 86400

int store_trash(const struct store *s, int dirfd, const char *name, struct error **err)
{
	char to[64];

	snprintf(to, sizeof to, "%ju-%d", (uintmax_t)now_ns(), getpid());
	if (renameat(dirfd, name, s->trash, to) == 0 || errno == ENOENT)
		return 0;
	return error_errno(err, errno, "remove %s", name);
}

/* A directory stream of its own for fd; NULL on failure. */
static DIR *list(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d && copy >= 0)
		close(copy);
	return d;
}

static bool is_old(const struct stat *st)
{
	return st->st_mtime + REST_AGE_S < time(NULL);
}

static void remove_rest(const struct store *s, const char *name)
{
	_cleanup_fd_ int fd = openat(s->ingest, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && is_old(&st) && flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(s->ingest, name, 0);
}

void store_trash_empty(const struct store *s)
{
	_cleanup_dir_ DIR *trash = list(s->trash);
	_cleanup_dir_ DIR *ingest = list(s->ingest);
	const struct dirent *e;

	while (trash && (e = readdir(trash)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_tree_at(s->trash, e->d_name, NULL);
	while (ingest && (e = readdir(ingest)))
		if (*e->d_name != '.')
			remove_rest(s, e->d_name);
}

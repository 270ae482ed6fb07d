/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blobs on disk: reading them, bringing them in, making them visible. See blobs.h. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

static int directory_of(const struct store *s, const char *digest)
{
	return str_starts(digest, "sha512:") ? s->blobs_sha512 : s->blobs;
}

static int check(const char *digest, struct error **err)
{
	if (digest_is_valid(digest))
		return 0;
	return error_set(err, EINVAL, "invalid digest \"%.150s\"", digest ? digest : "");
}

int blob_open(const struct store *s, const char *digest, uint64_t *size, struct error **err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r = check(digest, err);

	if (r)
		return r;
	fd = openat(directory_of(s, digest), digest_hex(digest), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "open blob %s", digest);
	if (size)
		*size = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}

bool blob_exists(const struct store *s, const char *digest)
{
	struct stat st;

	return digest_is_valid(digest) &&
	       fstatat(directory_of(s, digest), digest_hex(digest), &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       S_ISREG(st.st_mode);
}

int blob_read(const struct store *s, const char *digest, size_t max, char **data, size_t *length,
	      struct error **err)
{
	_cleanup_fd_ int fd = blob_open(s, digest, NULL, err);

	return fd < 0 ? fd : fd_read_all(fd, max, digest, data, length, err);
}

/* "sha256-HEX": a name that no blob has. */
static void ingest_name(const char *digest, char *out, size_t size)
{
	snprintf(out, size, "%.6s-%s", digest, digest_hex(digest));
}

int blob_ingest_open(const struct store *s, const char *digest, bool is_waiting, uint64_t *have,
		     struct error **err)
{
	char name[DIGEST_SIZE + 8];
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r = check(digest, err);

	if (r)
		return r;
	ingest_name(digest, name, sizeof name);
	/* The file that had the lock may have become a blob meanwhile: then the name is free. */
	fd = file_lock_at(s->ingest, name, O_CREAT, is_waiting);
	if (fd < 0)
		return error_errno(err, -fd, "bring in blob %s", digest);
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "bring in blob %s", digest);
	*have = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}

int blob_ingest_publish(const struct store *s, const char *digest, struct error **err)
{
	char name[DIGEST_SIZE + 8];
	int r = check(digest, err);

	if (r)
		return r;
	ingest_name(digest, name, sizeof name);
	if (renameat(s->ingest, name, directory_of(s, digest), digest_hex(digest)) < 0)
		return error_errno(err, errno, "make blob %s visible", digest);
	return 0;
}

void blob_ingest_discard(const struct store *s, const char *digest)
{
	char name[DIGEST_SIZE + 8];

	if (!digest_is_valid(digest))
		return;
	ingest_name(digest, name, sizeof name);
	unlinkat(s->ingest, name, 0);
}

int blob_ingest_anonymous(const struct store *s, struct error **err)
{
	int fd = openat(s->ingest, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	char name[64];

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd >= 0 ? fd : error_errno(err, errno, "make a file in %s/ingest", s->root);
	/* Without O_TMPFILE: named for a moment; blob_publish_anonymous copies. */
	snprintf(name, sizeof name, ".%ju-%d", (uintmax_t)now_ns(), getpid());
	fd = openat(s->ingest, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "make a file in %s/ingest", s->root);
	unlinkat(s->ingest, name, 0);
	return fd;
}

/* Where an unlinked file can't get a name again: a copy, whole and on disk before it has the blob's. */
static int copy_to_blob(const struct store *s, int fd, const char *digest)
{
	char name[64];
	_cleanup_fd_ int out = -1;
	off_t at = 0;
	ssize_t n;
	int r = 0;

	snprintf(name, sizeof name, ".%ju-%d", (uintmax_t)now_ns(), getpid());
	out = openat(s->ingest, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	while ((n = copy_file_range(fd, &at, out, NULL, 1 << 30, 0)) > 0)
		;
	if (n < 0 || fsync(out) < 0 ||
	    renameat(s->ingest, name, directory_of(s, digest), digest_hex(digest)) < 0)
		r = -errno;
	if (r)
		unlinkat(s->ingest, name, 0);
	return r;
}

int blob_publish_anonymous(const struct store *s, int fd, const char *digest, struct error **err)
{
	char from[64];
	int r = check(digest, err);

	if (r)
		return r;
	snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, from, directory_of(s, digest), digest_hex(digest), AT_SYMLINK_FOLLOW) <
	    0)
		r = -errno;
	if (r == -EEXIST)
		return 0;
	if (r == -ENOENT || r == -EPERM)
		r = copy_to_blob(s, fd, digest);
	return r ? error_errno(err, -r, "make blob %s visible", digest) : 0;
}

int store_sync(const struct store *s, struct error **err)
{
	if (syncfs(s->ingest) < 0)
		return error_errno(err, errno, "write the store %s to disk", s->root);
	return 0;
}

int store_sync_directories(const struct store *s, struct error **err)
{
	if (fsync(s->blobs) < 0 || fsync(s->blobs_sha512) < 0 || fsync(s->ingest) < 0)
		return error_errno(err, errno, "write the store %s to disk", s->root);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two files are the same, as far as an archive could tell.
 *
 * Content is read only when all else is equal, and not even then for the same inode, or for one that a snapshot shares: same number, same change time,
 * which nobody can set. A copy with the same size and modification time may still be another file (builds that set all times to one), so it is read. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/procfs.h"
#include "layer/diff_internal.h"

#define COMPARE_BUFFER ((size_t)128 << 10)

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Fills buf unless the file ends. */
static ssize_t read_full(int fd, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, buf + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int same_content(const struct tree_pair *pair, struct error **err)
{
	_cleanup_fd_ int a = procfs_reopen(pair->upper, O_RDONLY | O_NONBLOCK | O_NOCTTY, err),
			 b = -1;
	_cleanup_free_ char *buf = malloc(2 * COMPARE_BUFFER);

	if (a < 0)
		return a;
	b = procfs_reopen(pair->lower, O_RDONLY | O_NONBLOCK | O_NOCTTY, err);
	if (b < 0)
		return b;
	if (!buf)
		return error_errno(err, ENOMEM, "compare");
	for (;;) {
		ssize_t n = read_full(a, buf, COMPARE_BUFFER);
		ssize_t m = read_full(b, buf + COMPARE_BUFFER, COMPARE_BUFFER);

		if (n < 0 || m < 0)
			return error_errno(err, n < 0 ? (int)-n : (int)-m, "read");
		if (n != m || memcmp(buf, buf + COMPARE_BUFFER, (size_t)n) != 0)
			return 0;
		if ((size_t)n < COMPARE_BUFFER)
			return 1;
	}
}

static int same_target(const struct tree_pair *pair, struct error **err)
{
	_cleanup_free_ char *buf = malloc((size_t)2 * PATH_MAX);
	ssize_t n, m;

	if (!buf)
		return error_errno(err, ENOMEM, "compare");
	n = readlinkat(pair->upper, "", buf, PATH_MAX);
	m = readlinkat(pair->lower, "", buf + PATH_MAX, PATH_MAX);
	if (n < 0 || m < 0)
		return error_errno(err, errno, "read a symbolic link");
	return n == m && memcmp(buf, buf + PATH_MAX, (size_t)n) == 0;
}

int tree_has_same_attributes(const struct tree_pair *pair, struct error **err)
{
	const struct stat *a = pair->upper_st, *b = pair->lower_st;
	_cleanup_tar_xattrs_ struct tar_xattrs x = {0}, y = {0};
	int r;

	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return 0;
	if ((S_ISCHR(a->st_mode) || S_ISBLK(a->st_mode)) && a->st_rdev != b->st_rdev)
		return 0;
	r = xattrs_read(pair->upper, &x, err);
	if (r == 0)
		r = xattrs_read(pair->lower, &y, err);
	return r < 0 ? r : xattrs_equal(&x, &y);
}

int tree_is_same(const struct tree_pair *pair, struct error **err)
{
	const struct stat *a = pair->upper_st, *b = pair->lower_st;
	int r;

	if (a->st_dev == b->st_dev && a->st_ino == b->st_ino)
		return 1;
	if (!same_time(a->st_mtim, b->st_mtim))
		return 0;
	/* Names that came to be one file, or ceased to. */
	if (!S_ISDIR(a->st_mode) && a->st_nlink != b->st_nlink)
		return 0;
	if (S_ISREG(a->st_mode) && a->st_size != b->st_size)
		return 0;
	if (a->st_ino == b->st_ino && same_time(a->st_ctim, b->st_ctim))
		return 1;
	r = tree_has_same_attributes(pair, err);
	if (r == 1 && S_ISLNK(a->st_mode))
		r = same_target(pair, err);
	if (r == 1 && S_ISREG(a->st_mode))
		r = same_content(pair, err);
	return r;
}

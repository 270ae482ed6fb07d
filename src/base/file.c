/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole-file reads and atomic writes. See file.h. */
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"

int fd_read_all(int fd, size_t max, const char *what, char **data, size_t *length,
		struct error **err)
{
	_cleanup_free_ char *buf = NULL;
	size_t have = 0, capacity = 4096;
	struct stat st;

	/* A hint only: a file of sysfs claims a page, whatever it holds. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		capacity = ((uint64_t)st.st_size < max ? (size_t)st.st_size : max) + 1;
	for (;;) {
		char *grown;
		ssize_t n;

		grown = realloc(buf, capacity + 1);
		if (!grown)
			return error_errno(err, ENOMEM, "read %s", what);
		buf = grown;
		n = read(fd, buf + have, capacity - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read %s", what);
		if (n == 0)
			break;
		have += (size_t)n;
		if (have > max)
			return error_set(err, EFBIG, "%s: larger than %zu bytes", what, max);
		if (have == capacity)
			capacity *= 2;
	}
	buf[have] = '\0';
	*data = TAKE_PTR(buf);
	if (length)
		*length = have;
	return 0;
}

int file_read_at(int dirfd, const char *path, size_t max, char **data, size_t *length,
		 struct error **err)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return error_errno(err, errno, "open %s", path);
	return fd_read_all(fd, max, path, data, length, err);
}

int fd_write_all(int fd, const void *data, size_t length)
{
	const char *p = data;

	while (length > 0) {
		ssize_t n = write(fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Syncs the directory that holds path. */
static int sync_parent(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = NULL;
	_cleanup_fd_ int fd = -1;

	parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!parent)
		return -ENOMEM;
	fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_replace_at(int dirfd, const char *path, const void *data, size_t length, mode_t mode,
		    bool is_durable, struct error **err)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_fd_ int fd = -1;
	int r;

	if (asprintf(&temporary, "%s.%d.%" PRIx64 ".tmp", path, getpid(), now_ns()) < 0)
		return error_errno(err, ENOMEM, "write %s", path);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return error_errno(err, errno, "write %s", path);
	r = fd_write_all(fd, data, length);
	/* The mode was subject to the umask. */
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0 && is_durable && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, temporary, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, temporary, 0);
		return error_errno(err, -r, "write %s", path);
	}
	if (is_durable) {
		r = sync_parent(dirfd, path);
		if (r < 0)
			return error_errno(err, -r, "sync the directory of %s", path);
	}
	return 0;
}

static bool has_name(int fd, int dirfd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && fstatat(dirfd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

int file_lock_at(int dirfd, const char *path, int flags, bool may_wait)
{
	for (;;) {
		_cleanup_fd_ int fd =
			openat(dirfd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
		int r;

		if (fd < 0)
			return -errno;
		do
			r = flock(fd, may_wait ? LOCK_EX : LOCK_EX | LOCK_NB);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (has_name(fd, dirfd, path))
			return TAKE_FD(fd);
	}
}

int make_dirs(const char *path, mode_t mode, struct error **err)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return error_errno(err, ENOMEM, "create %s", path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return error_errno(err, errno, "create %s", copy);
		*p = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create %s", copy);
	return 0;
}

static int remove_children(int fd, dev_t dev, const char *path, struct error **err)
{
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return error_errno(err, errno, "read %s", path);
	}
	while ((entry = readdir(dir))) {
		struct stat st;
		int child, r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return error_errno(err, errno, "remove %s/%s", path, entry->d_name);
		child = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			return error_errno(err, errno, "remove %s/%s", path, entry->d_name);
		if (fstat(child, &st) < 0 || st.st_dev != dev) {
			close(child);
			return error_set(err, EXDEV, "remove %s/%s: something is mounted there",
					 path, entry->d_name);
		}
		r = remove_children(child, dev, entry->d_name, err);
		if (r < 0)
			return r;
		if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return error_errno(err, errno, "remove %s/%s", path, entry->d_name);
	}
	return 0;
}

int remove_tree_at(int dirfd, const char *path, struct error **err)
{
	struct stat st;
	int fd, r;

	if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return error_errno(err, errno, "remove %s", path);
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "remove %s", path);
	if (fstat(fd, &st) < 0) {
		r = error_errno(err, errno, "stat %s", path);
		close(fd);
		return r;
	}
	r = remove_children(fd, st.st_dev, path, err);
	if (r < 0)
		return r;
	if (unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_errno(err, errno, "remove %s", path);
	return 0;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Days since 1970-01-01 to a date of the Gregorian calendar; years begin in March here, so that the leap
 * day is the last. gmtime_r would do, but reads /etc/localtime for it. */
static void civil_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned of_era = (unsigned)(shifted - era * 146097);
	unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

void format_time_rfc3339(const struct timespec *ts, char *buf, size_t size)
{
	int64_t days = ts->tv_sec / 86400, rest = ts->tv_sec % 86400, year;
	unsigned month, day;
	char fraction[24];
	size_t n;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	civil_date(days, &year, &month, &day);
	/* Go drops the fraction's trailing zeros. */
	snprintf(fraction, sizeof fraction, ".%09ld", ts->tv_nsec % 1000000000);
	for (n = strlen(fraction); n > 0 && (fraction[n - 1] == '0' || fraction[n - 1] == '.'); n--)
		fraction[n - 1] = '\0';
	snprintf(buf, size, "%04" PRId64 "-%02u-%02uT%02d:%02d:%02d%sZ", year, month, day,
		 (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60), fraction);
}

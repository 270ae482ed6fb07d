/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Typed access to the files of a cgroup directory: one open, one read or write, one close each.
 *
 * Files are opened relative to the directory's descriptor, never created (a missing file is a missing
 * controller or an older kernel) and never through a link: cgroup file systems have none. */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/cgroup.h"

/* The largest files are cgroup.procs (7 bytes a process) and numa statistics. */
#define CGROUP_VALUE_MAX   (64 << 20)
#define CGROUP_VALUE_USUAL 4096

int cgroup_write(int dirfd, const char *dir, const char *name, const char *value,
		 struct error **err)
{
	uint64_t begin = trace_begin();
	_cleanup_fd_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t length = strlen(value);
	int r = 0;

	if (fd < 0) {
		r = -errno;
	} else {
		/* An empty value is a write too: an empty cpuset.cpus. */
		ssize_t n = length > 0 ? write(fd, value, length) : write(fd, "\n", 1);

		if (n < 0)
			r = -errno;
	}
	trace_step(TRACE_CGROUP, begin, "write", r, "%s/%s, \"%s\"", dir, name, value);
	return r < 0 ? error_errno(err, -r, "write \"%s\" to %s/%s", value, dir, name) : 0;
}

int cgroup_writef(int dirfd, const char *dir, const char *name, struct error **err,
		  const char *format, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&value, format, ap);
	va_end(ap);
	if (n < 0) {
		value = NULL;
		return error_errno(err, ENOMEM, "write to %s/%s", dir, name);
	}
	return cgroup_write(dirfd, dir, name, value, err);
}

/* Most files are one short line, and one read takes it: a seq_file hands out whole lines until the buffer is
 * full, so that what leaves half of it free is all. */
static int read_value(int fd, char **value, size_t *length)
{
	char *buf = malloc(CGROUP_VALUE_USUAL + 1);
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	n = read(fd, buf, CGROUP_VALUE_USUAL);
	if (n < 0 || n > CGROUP_VALUE_USUAL / 2) {
		int r = n < 0 ? -errno : lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;

		free(buf);
		return r < 0 ? r : fd_read_all(fd, CGROUP_VALUE_MAX, "cgroup", value, length, NULL);
	}
	buf[n] = '\0';
	*value = buf;
	*length = (size_t)n;
	return 0;
}

int cgroup_read(int dirfd, const char *dir, const char *name, char **value, struct error **err)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text;
	size_t length;
	int r = fd < 0 ? -errno : read_value(fd, &text, &length);

	if (r < 0)
		return error_errno(err, -r, "read %s/%s", dir, name);
	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	*value = text;
	return 0;
}

/* The number at the start of a line, up to blank or end. */
static int take_number(const char *text, uint64_t *value)
{
	char number[24];
	size_t n = strcspn(text, " \t\n");

	if (n == 3 && memcmp(text, "max", 3) == 0) {
		*value = UINT64_MAX;
		return 0;
	}
	if (n == 0 || n >= sizeof number)
		return -EINVAL;
	memcpy(number, text, n);
	number[n] = '\0';
	/* v1 says -1 for "none": cpu.cfs_quota_us, cpu.rt_runtime_us. */
	if (strcmp(number, "-1") == 0) {
		*value = UINT64_MAX;
		return 0;
	}
	return parse_u64(number, UINT64_MAX, value);
}

int cgroup_read_u64(int dirfd, const char *dir, const char *name, uint64_t *value,
		    struct error **err)
{
	_cleanup_free_ char *text = NULL;
	int r = cgroup_read(dirfd, dir, name, &text, err);

	if (r < 0)
		return r;
	r = take_number(text, value);
	return r < 0 ? error_set(err, -r, "%s/%s: not a number: %.40s", dir, name, text) : 0;
}

int cgroup_read_key(int dirfd, const char *dir, const char *name, const char *key, uint64_t *value,
		    struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length = strlen(key);
	int r = cgroup_read(dirfd, dir, name, &text, err);

	if (r < 0)
		return r;
	for (const char *line = text; *line;) {
		if (strncmp(line, key, length) == 0 && line[length] == ' ' &&
		    take_number(line + length + 1, value) == 0)
			return 0;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return error_set(err, ENOENT, "%s/%s: no %s in it", dir, name, key);
}

int cgroup_make(const char *dir, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = mkdir(dir, 0755) < 0 ? -errno : 0;

	trace_step(TRACE_CGROUP, begin, "mkdir", r, "%s", dir);
	if (r < 0 && r != -EEXIST)
		return error_errno(err, -r, "make cgroup %s", dir);
	return r;
}

/* Waits for the cgroup to lose its last process: cgroup2 tells by cgroup.events, v1 not at all. */
static void wait_for_change(int events_fd, unsigned timeout_ms)
{
	struct pollfd p = {.fd = events_fd, .events = POLLPRI};

	poll(&p, events_fd >= 0, (int)timeout_ms);
}

int cgroup_unmake(const char *dir, unsigned timeout_ms, struct error **err)
{
	uint64_t begin = trace_begin(), deadline = 0;
	_cleanup_fd_ int events_fd = -1;
	unsigned pause_ms = 1;
	int r;

	for (;;) {
		r = rmdir(dir) < 0 ? -errno : 0;
		if (r != -EBUSY || timeout_ms == 0)
			break;
		if (deadline == 0) {
			char *events = NULL;

			deadline = now_ns() + timeout_ms * UINT64_C(1000000);
			if (asprintf(&events, "%s/cgroup.events", dir) >= 0) {
				events_fd = open(events, O_RDONLY | O_CLOEXEC);
				free(events);
			}
			/* Reading arms the poll; what changed before is seen by the next rmdir. */
			if (events_fd >= 0 && read(events_fd, (char[64]){0}, 64) >= 0)
				continue;
		}
		if (now_ns() >= deadline)
			break;
		/* A zombie that nobody has reaped yet keeps a v1 cgroup busy without an event. */
		wait_for_change(events_fd, pause_ms);
		if (pause_ms < 16)
			pause_ms *= 2;
	}
	if (r == -ENOENT)
		r = 0;
	trace_step(TRACE_CGROUP, begin, "rmdir", r, "%s", dir);
	if (r < 0 && r != -EBUSY)
		return error_errno(err, -r, "remove cgroup %s", dir);
	return r;
}

int cgroup_move(int dirfd, const char *dir, pid_t pid, struct error **err)
{
	return cgroup_writef(dirfd, dir, "cgroup.procs", err, "%d", pid);
}

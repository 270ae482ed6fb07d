/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as sources and sinks. */
#include <unistd.h>

#include "layer/stream.h"

static ssize_t read_fd(void *data, void *buf, size_t size, struct error **err)
{
	ssize_t n;

	do
		n = read(*(int *)data, buf, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? error_errno(err, errno, "read") : n;
}

static int write_fd(void *data, const void *buf, size_t size, struct error **err)
{
	errno = 0;
	if (fd_write_all(*(int *)data, buf, size) < 0)
		return error_errno(err, errno ? errno : EIO, "write");
	return 0;
}

struct source source_fd(int *fd)
{
	return (struct source){.read = read_fd, .data = fd};
}

struct sink sink_fd(int *fd)
{
	return (struct sink){.write = write_fd, .data = fd};
}

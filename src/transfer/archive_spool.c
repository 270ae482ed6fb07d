/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream or a compressed archive becomes a tar that can be read anywhere. See archive_spool.h.
 *
 * A manifest may come behind the layers that it tells about, so a pipe must be kept whole before anything is known of it. The
 * kernel moves its pages to the file (splice(2)); no byte of a plain tar passes through our memory. The file is in the
 * store's ingest/, where there must be room for the image anyway, and its space goes with the last descriptor, however we end. */
#include <fcntl.h>
#include <sys/stat.h>

#include "layer/compress.h"
#include "transfer/archive_spool.h"

#define START_BYTES 6u
#define COPY_BYTES  (1u << 20)
#define RATIO_FREE  (64u << 20)

int archive_spool_needed(int fd, uint64_t *start, struct error **err)
{
	char magic[START_BYTES];
	struct stat st;
	off_t at;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "read the archive");
	if (S_ISDIR(st.st_mode))
		return error_errno(err, EISDIR, "read the archive");
	at = S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
	if (at < 0)
		return 1;
	n = pread(fd, magic, sizeof magic, at);
	if (n < 0)
		return error_errno(err, errno, "read the archive");
	*start = (uint64_t)at;
	return compression_detect(magic, (size_t)n) != LAYER_PLAIN;
}

/* What was read to tell the compression, and then the rest. */
struct stream {
	int fd;
	char start[START_BYTES];
	size_t length, used;
	uint64_t total; /* read so far */
};

static ssize_t read_stream(void *data, void *buf, size_t size, struct error **err)
{
	struct stream *s = data;
	size_t left = s->length - s->used;
	ssize_t n;

	if (left) {
		size = size < left ? size : left;
		memcpy(buf, s->start + s->used, size);
		s->used += size;
		return (ssize_t)size;
	}
	do
		n = read(s->fd, buf, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "read the archive");
	s->total += (uint64_t)n;
	return n;
}

static int read_start(struct stream *s, struct error **err)
{
	while (s->length < sizeof s->start) {
		ssize_t n = read(s->fd, s->start + s->length, sizeof s->start - s->length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read the archive");
		if (n == 0)
			break;
		s->length += (size_t)n;
		s->total += (uint64_t)n;
	}
	return 0;
}

static int write_spool(int fd, const void *data, size_t length, struct error **err)
{
	int r = fd_write_all(fd, data, length);

	return r ? error_errno(err, -r, "keep the archive") : 0;
}

/* A few bytes can stand for many: the limit on layers' ratio holds for a whole archive, too. */
static int check_ratio(const struct stream *s, uint64_t written, uint64_t ratio, struct error **err)
{
	if (written <= RATIO_FREE || written / ratio <= s->total)
		return 0;
	return error_set(err, EFBIG,
			 "the archive is more than %ju times as large as its compressed form "
			 "(limit: ratio)",
			 (uintmax_t)ratio);
}

static int copy(const struct stream *s, struct source from, int to, uint64_t ratio,
		struct error **err)
{
	_cleanup_free_ char *buf = malloc(COPY_BYTES);
	uint64_t written = 0;
	ssize_t n;
	int r = 0;

	if (!buf)
		return error_errno(err, ENOMEM, "read the archive");
	while (r == 0 && (n = from.read(from.data, buf, COPY_BYTES, err)) != 0) {
		if (n < 0)
			return (int)n;
		written += (uint64_t)n;
		r = check_ratio(s, written, ratio, err);
		if (!r)
			r = write_spool(to, buf, (size_t)n, err);
	}
	return r;
}

/* 0: all of it. -EINVAL: not this way; nothing was taken then. */
static int splice_all(int from, int to, struct error **err)
{
	for (;;) {
		ssize_t n = splice(from, NULL, to, NULL, COPY_BYTES, SPLICE_F_MOVE);

		if (n == 0)
			return 0;
		if (n < 0 && errno == EINVAL)
			return -EINVAL;
		if (n < 0 && errno != EINTR)
			return error_errno(err, errno, "keep the archive");
	}
}

static int spool(struct stream *s, int to, uint64_t ratio, struct error **err)
{
	enum layer_compression kind = compression_detect(s->start, s->length);
	struct source source = {.read = read_stream, .data = s};
	struct decompressor *d = NULL;
	struct stat st;
	int r;

	if (kind == LAYER_PLAIN && fstat(s->fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
		r = write_spool(to, s->start, s->length, err);
		s->used = s->length;
		if (!r)
			r = splice_all(s->fd, to, err);
		return r == -EINVAL ? copy(s, source, to, ratio, err) : r;
	}
	if (kind == LAYER_PLAIN)
		return copy(s, source, to, ratio, err);
	r = decompressor_new(kind, source, &d, err);
	if (!r)
		r = copy(s, decompressor_source(d), to, ratio, err);
	decompressor_free(d);
	return r;
}

int archive_spool(int fd, struct store *store, struct error **err)
{
	struct stream s = {.fd = fd};
	_cleanup_fd_ int to = -1;
	int r;

	r = read_start(&s, err);
	if (r)
		return r;
	if (!s.length)
		return error_set(err, EINVAL, "the archive is empty");
	to = blob_ingest_anonymous(store, err);
	if (to < 0)
		return to;
	r = spool(&s, to, store_config(store)->limits.ratio, err);
	return r ? r : TAKE_FD(to);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spooling: a stream whose digest nobody knows yet becomes a blob.
 *
 *   compressed already: source -> (file, digest) -> decompress -> diff id
 *   plain:              source -> diff id -> compress -> (file, digest)
 *
 * The file has no name until the digest is known. */
#include <pthread.h>
#include <unistd.h>

#include "transfer/intake_internal.h"

#define SPOOL_BUFFER (1u << 20)

struct spool {
	struct intake *intake;
	int fd;
	struct hash *blob_hash, *tar_hash;
	uint64_t size, tar_size;
	struct source source;
	char start[6]; /* read ahead to tell the compression */
	size_t start_length, start_used;
	uint64_t limit;
};

static ssize_t read_source(void *data, void *buf, size_t size, struct error **err)
{
	struct spool *s = data;
	size_t left = s->start_length - s->start_used;

	if (!left)
		return s->source.read(s->source.data, buf, size, err);
	if (size > left)
		size = left;
	memcpy(buf, s->start + s->start_used, size);
	s->start_used += size;
	return (ssize_t)size;
}

static int write_blob(void *data, const void *buf, size_t length, struct error **err)
{
	struct spool *s = data;

	errno = 0;
	if (fd_write_all(s->fd, buf, length) < 0)
		return error_errno(err, errno ? errno : EIO, "write a blob");
	hash_add(s->blob_hash, buf, length);
	s->size += length;
	return 0;
}

/* What the decompressor reads is kept on the way. */
static ssize_t read_and_keep(void *data, void *buf, size_t size, struct error **err)
{
	ssize_t n = read_source(data, buf, size, err);
	int r = n > 0 ? write_blob(data, buf, (size_t)n, err) : 0;

	return r ? r : n;
}

static int count_tar(struct spool *s, const void *buf, size_t length, struct error **err)
{
	hash_add(s->tar_hash, buf, length);
	s->tar_size += length;
	if (s->tar_size > s->limit)
		return error_set(err, EFBIG,
				 "a layer is larger than the limit of %ju bytes (layer-bytes)",
				 (uintmax_t)s->limit);
	return 0;
}

static int pump(struct spool *s, struct source from, const struct sink *to, struct error **err)
{
	_cleanup_free_ char *buf = malloc(SPOOL_BUFFER);
	ssize_t n;
	int r = 0;

	if (!buf)
		return error_errno(err, ENOMEM, "take in a layer");
	while (r == 0 && (n = from.read(from.data, buf, SPOOL_BUFFER, err)) != 0) {
		if (n < 0)
			return (int)n;
		r = count_tar(s, buf, (size_t)n, err);
		if (!r && to)
			r = to->write(to->data, buf, (size_t)n, err);
	}
	return r;
}

static int spool_compressed(struct spool *s, enum layer_compression kind, struct error **err)
{
	struct decompressor *d = NULL;
	struct source in = {.read = read_and_keep, .data = s};
	int r;

	r = decompressor_new(kind, in, &d, err);
	if (!r)
		r = pump(s, decompressor_source(d), NULL, err);
	decompressor_free(d);
	return r;
}

static int spool_plain(struct spool *s, enum layer_compression to, struct error **err)
{
	struct compressor *c = NULL;
	struct source from = {.read = read_source, .data = s};
	struct sink out = {.write = write_blob, .data = s};
	struct sink into;
	int r;

	r = compressor_new(to, 0, 1, out, &c, err);
	if (r)
		return r;
	into = compressor_sink(c);
	r = pump(s, from, &into, err);
	if (!r)
		r = compressor_finish(c, err);
	compressor_free(c);
	return r;
}

static int read_start(struct spool *s, struct error **err)
{
	while (s->start_length < sizeof s->start) {
		ssize_t n = s->source.read(s->source.data, s->start + s->start_length,
					   sizeof s->start - s->start_length, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		s->start_length += (size_t)n;
	}
	return 0;
}

/* The file gets its name, and the intake knows it. */
static int keep(struct spool *s, struct intake_blob *out, struct error **err)
{
	struct intake *in = s->intake;
	struct intake_content *c;
	int r;

	r = store_lease_add(in->lease, out->digest, err);
	if (r)
		return r;
	pthread_mutex_lock(&in->lock);
	c = intake_content(in, out->digest, out->size);
	pthread_mutex_unlock(&in->lock);
	if (!c)
		return error_errno(err, ENOMEM, "take in a layer");
	if (c->is_done)
		return 0;
	c->is_published = blob_exists(in->opts.store, out->digest);
	c->is_anonymous = true;
	c->fd = TAKE_FD(s->fd);
	c->size = c->have = out->size;
	c->is_done = true;
	return 0;
}

static void spool_clear(struct spool *s)
{
	close_fd(&s->fd);
	hash_free(s->blob_hash);
	hash_free(s->tar_hash);
}

int intake_spool(struct intake *in, struct source source, enum layer_compression to,
		 struct intake_blob *out, struct error **err)
{
	_cleanup_(spool_clear) struct spool s = {
		.intake = in,
		.source = source,
		.fd = -1,
		.blob_hash = hash_new("sha256"),
		.tar_hash = hash_new("sha256"),
		.limit = store_config(in->opts.store)->limits.layer_bytes,
	};
	enum layer_compression found;
	int r;

	if (!s.blob_hash || !s.tar_hash)
		return error_errno(err, ENOMEM, "take in a layer");
	s.fd = blob_ingest_anonymous(in->opts.store, err);
	if (s.fd < 0)
		return s.fd;
	r = read_start(&s, err);
	if (r)
		return r;
	found = compression_detect(s.start, s.start_length);
	r = found == LAYER_PLAIN ? spool_plain(&s, to, err) : spool_compressed(&s, found, err);
	if (r)
		return r;
	*out = (struct intake_blob){
		.size = s.size,
		.tar_size = s.tar_size,
		.compression = found == LAYER_PLAIN ? to : found,
	};
	hash_finish(s.blob_hash, out->digest);
	hash_finish(s.tar_hash, out->diff_id);
	return keep(&s, out, err);
}

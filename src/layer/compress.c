/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing compressed streams. See compress.h. RFC 1952 (gzip), RFC 8878 (zstd).
 *
 * The bytes that come out depend on the bytes that go in, and on nothing else: not on the sizes of the writes, nor on the number of
 * threads. So gzip's input is cut into blocks of one size, each deflated by itself (with the 32 KiB before it as its dictionary)
 * and ended at a byte boundary by an empty stored block; they are one gzip member together. Workers take blocks, and the caller's thread, the
 * only one that calls the sink, writes them in order. ISA-L's level 3 is its best: on a tree of programs and
 * scripts what gzip -6 writes is a tenth smaller, and takes it twelve times as long.
 *
 * zstd cuts its input itself, the same way for any number of workers from 1 on. */
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <pthread.h>
#include <string.h>
#include <zstd.h>

#include "layer/compress.h"

#define GZIP_BLOCK      ((size_t)512 << 10)
#define GZIP_DICTIONARY ((size_t)32 << 10)
/* Incompressible data grows by 5 bytes per stored block of at most 64 KiB; a header, an end and a margin. */
#define GZIP_BOUND     (GZIP_BLOCK + GZIP_BLOCK / 1024 + 4096)
#define GZIP_SLOTS_MAX 64
#define ZSTD_OUT       ((size_t)128 << 10)

enum slot_state { SLOT_FREE, SLOT_READY, SLOT_BUSY, SLOT_DONE };

struct gzip_slot {
	enum slot_state state;
	bool is_last;
	int result;
	size_t dictionary, length, out_length;
	/* The dictionary ends where the block begins. */
	uint8_t in[GZIP_DICTIONARY + GZIP_BLOCK], out[GZIP_BOUND];
};

struct gzip {
	struct gzip_slot *slots;
	size_t slot_count, oldest, current; /* a ring: [oldest, current) are on their way */
	uint32_t level, crc;
	uint64_t total;
	bool has_header;
	pthread_t *workers;
	size_t worker_count;
	pthread_mutex_t lock;
	pthread_cond_t is_ready, is_done;
	bool is_ending;
};

struct compressor {
	enum layer_compression kind;
	struct sink out;
	struct gzip *gzip;
	ZSTD_CCtx *zstd;
	uint8_t *buf; /* zstd's, ZSTD_OUT bytes */
};

/* What one thread needs to deflate. */
struct deflater {
	struct isal_zstream stream;
	uint8_t level_buf[ISAL_DEF_LVL3_DEFAULT];
};

static int deflate_block(struct deflater *d, uint32_t level, struct gzip_slot *slot)
{
	struct isal_zstream *z = &d->stream;

	isal_deflate_init(z);
	z->level = level;
	z->level_buf = d->level_buf;
	z->level_buf_size = sizeof d->level_buf;
	z->gzip_flag = IGZIP_DEFLATE;
	z->flush = SYNC_FLUSH;
	z->end_of_stream = slot->is_last;
	if (slot->dictionary > 0 &&
	    isal_deflate_set_dict(z, slot->in + GZIP_DICTIONARY - slot->dictionary,
				  (uint32_t)slot->dictionary) != COMP_OK)
		return -EIO;
	z->next_in = slot->in + GZIP_DICTIONARY;
	z->avail_in = (uint32_t)slot->length;
	z->next_out = slot->out;
	z->avail_out = sizeof slot->out;
	if (isal_deflate(z) != COMP_OK || z->avail_in > 0 || z->avail_out == 0)
		return -EIO;
	slot->out_length = sizeof slot->out - z->avail_out;
	return 0;
}

static void *work(void *data)
{
	struct gzip *g = data;
	_cleanup_free_ struct deflater *d = malloc(sizeof *d);

	pthread_mutex_lock(&g->lock);
	for (;;) {
		struct gzip_slot *slot = NULL;

		/* The one that has waited longest: the writer waits for it. */
		for (size_t i = 0; i < g->slot_count && !slot; i++) {
			struct gzip_slot *one = &g->slots[(g->oldest + i) % g->slot_count];

			if (one->state == SLOT_READY)
				slot = one;
		}
		if (!slot && g->is_ending)
			break;
		if (!slot) {
			pthread_cond_wait(&g->is_ready, &g->lock);
			continue;
		}
		slot->state = SLOT_BUSY;
		pthread_mutex_unlock(&g->lock);
		slot->result = d ? deflate_block(d, g->level, slot) : -ENOMEM;
		pthread_mutex_lock(&g->lock);
		slot->state = SLOT_DONE;
		pthread_cond_signal(&g->is_done);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void gzip_free(struct gzip *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	/* What nobody will write need not be deflated. */
	for (size_t i = 0; i < g->slot_count; i++)
		if (g->slots[i].state == SLOT_READY)
			g->slots[i].state = SLOT_FREE;
	g->is_ending = true;
	pthread_cond_broadcast(&g->is_ready);
	pthread_mutex_unlock(&g->lock);
	for (size_t i = 0; i < g->worker_count; i++)
		pthread_join(g->workers[i], NULL);
	pthread_cond_destroy(&g->is_ready);
	pthread_cond_destroy(&g->is_done);
	pthread_mutex_destroy(&g->lock);
	free(g->workers);
	free(g->slots);
	free(g);
}

/* Where no thread can be had, the caller's does the work. */
static struct gzip *gzip_new(int level, int threads)
{
	struct gzip *g = calloc(1, sizeof *g);
	size_t wanted = threads > 1 ? (size_t)threads : 0;

	if (!g)
		return NULL;
	g->level = level == 0 || level > 3 ? 3 : (uint32_t)level;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->is_ready, NULL);
	pthread_cond_init(&g->is_done, NULL);
	if (wanted > GZIP_SLOTS_MAX / 2)
		wanted = GZIP_SLOTS_MAX / 2;
	g->slot_count = wanted ? wanted * 2 : 2;
	g->slots = malloc(g->slot_count * sizeof *g->slots);
	g->workers = calloc(wanted ? wanted : 1, sizeof *g->workers);
	if (!g->slots || !g->workers) {
		g->slot_count = 0;
		gzip_free(g);
		return NULL;
	}
	for (size_t i = 0; i < g->slot_count; i++) {
		g->slots[i].state = SLOT_FREE;
		g->slots[i].length = g->slots[i].dictionary = 0;
	}
	while (g->worker_count < wanted &&
	       pthread_create(&g->workers[g->worker_count], NULL, work, g) == 0)
		g->worker_count++;
	return g;
}

/* Waits for the oldest block and writes it. */
static int gzip_write_oldest(struct compressor *c, struct error **err)
{
	struct gzip *g = c->gzip;
	struct gzip_slot *slot = &g->slots[g->oldest];
	int r;

	pthread_mutex_lock(&g->lock);
	while (slot->state != SLOT_DONE)
		pthread_cond_wait(&g->is_done, &g->lock);
	slot->state = SLOT_FREE;
	g->oldest = (g->oldest + 1) % g->slot_count;
	pthread_mutex_unlock(&g->lock);
	r = slot->result;
	if (r < 0)
		return error_errno(err, -r, "compress with gzip");
	return c->out.write(c->out.data, slot->out, slot->out_length, err);
}

static int gzip_header(struct compressor *c, struct error **err)
{
	/* Deflate; no flags, no time; 255: no system. */
	static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};

	if (c->gzip->has_header)
		return 0;
	c->gzip->has_header = true;
	return c->out.write(c->out.data, header, sizeof header, err);
}

/* Sends the current block on its way, and makes the next slot the current one. */
static int gzip_submit(struct compressor *c, bool is_last, struct error **err)
{
	struct gzip *g = c->gzip;
	struct gzip_slot *slot = &g->slots[g->current], *next;
	size_t tail;
	int r = gzip_header(c, err);

	if (r < 0)
		return r;
	slot->is_last = is_last;
	g->current = (g->current + 1) % g->slot_count;
	next = &g->slots[g->current];
	if (g->worker_count == 0) {
		_cleanup_free_ struct deflater *d = malloc(sizeof *d);

		slot->result = d ? deflate_block(d, g->level, slot) : -ENOMEM;
		slot->state = SLOT_DONE;
		r = gzip_write_oldest(c, err);
	} else {
		pthread_mutex_lock(&g->lock);
		slot->state = SLOT_READY;
		pthread_cond_signal(&g->is_ready);
		pthread_mutex_unlock(&g->lock);
		if (next == &g->slots[g->oldest])
			r = gzip_write_oldest(c, err);
	}
	if (r < 0)
		return r;
	tail = slot->length < GZIP_DICTIONARY ? slot->length : GZIP_DICTIONARY;
	memcpy(next->in + GZIP_DICTIONARY - tail, slot->in + GZIP_DICTIONARY + slot->length - tail,
	       tail);
	next->dictionary = tail;
	next->length = 0;
	return 0;
}

static int gzip_write(void *data, const void *buf, size_t size, struct error **err)
{
	struct compressor *c = data;
	struct gzip *g = c->gzip;
	const uint8_t *p = buf;

	g->crc = crc32_gzip_refl(g->crc, p, size);
	g->total += size;
	while (size > 0) {
		struct gzip_slot *slot = &g->slots[g->current];
		size_t n = GZIP_BLOCK - slot->length;
		int r;

		if (n > size)
			n = size;
		memcpy(slot->in + GZIP_DICTIONARY + slot->length, p, n);
		slot->length += n;
		p += n;
		size -= n;
		if (slot->length < GZIP_BLOCK)
			continue;
		r = gzip_submit(c, false, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int gzip_finish(struct compressor *c, struct error **err)
{
	struct gzip *g = c->gzip;
	uint8_t trailer[8];
	int r = gzip_submit(c, true, err);

	while (r == 0 && g->oldest != g->current)
		r = gzip_write_oldest(c, err);
	if (r < 0)
		return r;
	for (int i = 0; i < 4; i++) {
		trailer[i] = (uint8_t)(g->crc >> (8 * i));
		trailer[4 + i] = (uint8_t)(g->total >> (8 * i));
	}
	return c->out.write(c->out.data, trailer, sizeof trailer, err);
}

/* Until zstd has taken all of in, and with ZSTD_e_end has given everything. */
static int zstd_run(struct compressor *c, ZSTD_inBuffer *in, ZSTD_EndDirective how,
		    struct error **err)
{
	size_t left;

	do {
		ZSTD_outBuffer out = {.dst = c->buf, .size = ZSTD_OUT};
		int r;

		left = ZSTD_compressStream2(c->zstd, &out, in, how);
		if (ZSTD_isError(left))
			return error_set(err, EIO, "compress with zstd: %s",
					 ZSTD_getErrorName(left));
		r = out.pos ? c->out.write(c->out.data, c->buf, out.pos, err) : 0;
		if (r < 0)
			return r;
	} while (in->pos < in->size || (how == ZSTD_e_end && left > 0));
	return 0;
}

static int zstd_write(void *data, const void *buf, size_t size, struct error **err)
{
	ZSTD_inBuffer in = {.src = buf, .size = size};

	return zstd_run(data, &in, ZSTD_e_continue, err);
}

static int plain_write(void *data, const void *buf, size_t size, struct error **err)
{
	struct compressor *c = data;

	return c->out.write(c->out.data, buf, size, err);
}

/* Level 0 is zstd's default, too. */
static int zstd_new(struct compressor *c, int level, int threads, struct error **err)
{
	size_t r;

	c->zstd = ZSTD_createCCtx();
	c->buf = malloc(ZSTD_OUT);
	if (!c->zstd || !c->buf)
		return error_errno(err, ENOMEM, "compress with zstd");
	if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel())
		return error_set(err, EINVAL, "zstd has levels from %d to %d, not %d",
				 ZSTD_minCLevel(), ZSTD_maxCLevel(), level);
	r = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level);
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_nbWorkers, threads > 1 ? threads : 1);
	if (ZSTD_isError(r))
		return error_set(err, EINVAL, "compress with zstd: %s", ZSTD_getErrorName(r));
	return 0;
}

int compressor_new(enum layer_compression kind, int level, int threads, struct sink out,
		   struct compressor **c, struct error **err)
{
	struct compressor *new = calloc(1, sizeof *new);
	int r = 0;

	if (!new)
		return error_errno(err, ENOMEM, "compress");
	new->kind = kind;
	new->out = out;
	switch (kind) {
	case LAYER_PLAIN:
		break;
	case LAYER_GZIP:
		if (level < 0 || level > 9)
			r = error_set(err, EINVAL, "gzip has levels from 1 to 9, not %d", level);
		else if (!(new->gzip = gzip_new(level, threads)))
			r = error_errno(err, ENOMEM, "compress with gzip");
		break;
	case LAYER_ZSTD:
		r = zstd_new(new, level, threads, err);
		break;
	default:
		r = error_set(err, EOPNOTSUPP, "layers are written with gzip, zstd or plain only");
	}
	if (r < 0)
		compressor_free(new);
	else
		*c = new;
	return r;
}

struct sink compressor_sink(struct compressor *c)
{
	return (struct sink){.write = c->kind == LAYER_GZIP   ? gzip_write
				      : c->kind == LAYER_ZSTD ? zstd_write
							      : plain_write,
			     .data = c};
}

int compressor_finish(struct compressor *c, struct error **err)
{
	ZSTD_inBuffer nothing = {0};

	switch (c->kind) {
	case LAYER_GZIP:
		return gzip_finish(c, err);
	case LAYER_ZSTD:
		return zstd_run(c, &nothing, ZSTD_e_end, err);
	default:
		return 0;
	}
}

void compressor_free(struct compressor *c)
{
	if (!c)
		return;
	gzip_free(c->gzip);
	ZSTD_freeCCtx(c->zstd);
	free(c->buf);
	free(c);
}

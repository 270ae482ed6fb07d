/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source read ahead by a thread of its own. A few pieces of fixed size go round: the memory is the same for any layer. */
#include <pthread.h>

#include "layer/ring.h"

#define PIECES     8
#define PIECE_SIZE (256u << 10)

struct piece {
	unsigned char *data;
	size_t length;
};

struct ring {
	struct source in;
	struct hash *hash;
	struct piece pieces[PIECES];
	size_t head, tail; /* pieces filled, pieces used up; ever growing */
	bool is_held;      /* the reader has the piece at tail */
	bool ended, stopped;
	uint64_t total;
	struct error *error;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* A whole piece where the source has that much: fewer hand-overs. */
static ssize_t fill(struct ring *r, struct piece *p, struct error **err)
{
	size_t length = 0;

	while (length < PIECE_SIZE) {
		ssize_t n = r->in.read(r->in.data, p->data + length, PIECE_SIZE - length, err);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		hash_add(r->hash, p->data + length, (size_t)n);
		length += (size_t)n;
	}
	p->length = length;
	return (ssize_t)length;
}

static struct piece *wait_for_room(struct ring *r)
{
	struct piece *p = NULL;

	pthread_mutex_lock(&r->lock);
	while (!r->stopped && r->head - r->tail == PIECES)
		pthread_cond_wait(&r->changed, &r->lock);
	if (!r->stopped)
		p = &r->pieces[r->head % PIECES];
	pthread_mutex_unlock(&r->lock);
	return p;
}

static void *read_ahead(void *data)
{
	struct ring *r = data;
	struct piece *p;
	ssize_t n = 1;

	while (n > 0 && (p = wait_for_room(r))) {
		struct error *err = NULL;

		n = fill(r, p, &err);
		pthread_mutex_lock(&r->lock);
		if (n > 0) {
			r->head++;
			r->total += (uint64_t)n;
		} else {
			r->ended = true;
			r->error = err;
			if (n < 0 && !err)
				error_errno(&r->error, (int)-n, "read");
		}
		pthread_cond_broadcast(&r->changed);
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

static void release(struct ring *r)
{
	for (size_t i = 0; i < PIECES; i++)
		free(r->pieces[i].data);
	error_free(r->error);
	free(r);
}

int ring_new(struct source in, struct hash *hash, struct ring **out, struct error **err)
{
	struct ring *r = calloc(1, sizeof *r);
	int code = ENOMEM;

	if (!r)
		return error_errno(err, ENOMEM, "read ahead");
	r->in = in;
	r->hash = hash;
	for (size_t i = 0; i < PIECES; i++) {
		r->pieces[i].data = malloc(PIECE_SIZE);
		if (!r->pieces[i].data) {
			release(r);
			return error_errno(err, ENOMEM, "read ahead");
		}
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	code = pthread_create(&r->thread, NULL, read_ahead, r);
	if (code) {
		release(r);
		return error_errno(err, code, "start a thread");
	}
	*out = r;
	return 0;
}

ssize_t ring_next(struct ring *r, const void **data, struct error **err)
{
	ssize_t n = 0;

	pthread_mutex_lock(&r->lock);
	if (r->is_held) {
		r->tail++;
		r->is_held = false;
		pthread_cond_broadcast(&r->changed);
	}
	while (r->head == r->tail && !r->ended)
		pthread_cond_wait(&r->changed, &r->lock);
	if (r->head != r->tail) {
		*data = r->pieces[r->tail % PIECES].data;
		n = (ssize_t)r->pieces[r->tail % PIECES].length;
		r->is_held = true;
	} else if (r->error) {
		n = error_set(err, r->error->code, "%s", r->error->message);
	}
	pthread_mutex_unlock(&r->lock);
	return n;
}

uint64_t ring_total(const struct ring *r)
{
	return r->total;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopped = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	release(r);
}

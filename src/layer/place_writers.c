/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writers: threads that create small files. A name always goes to the same writer, so that of two entries of one name the later
 * wins. What is queued is bounded in number and bytes. */
#include <pthread.h>

#include "layer/place_internal.h"

uint64_t place_hash(const char *name)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211u;
	return hash;
}

static bool is_idle(const struct placer *p)
{
	for (size_t i = 0; i < WRITERS; i++)
		if (p->writers[i].head != p->writers[i].tail)
			return false;
	return true;
}

static void *write_files(void *data)
{
	struct writer *w = data;
	struct placer *p = w->placer;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct job *job;
		int r = 0;

		while (!p->stopped && w->head == w->tail)
			pthread_cond_wait(&w->wake, &p->lock);
		if (w->head == w->tail)
			break;
		job = &w->jobs[w->tail % QUEUE];
		if (!p->error) {
			pthread_mutex_unlock(&p->lock);
			r = place_job(p, job);
			pthread_mutex_lock(&p->lock);
		}
		if (r && !p->error)
			error_errno(&p->error, -r, "place %s%s%s", job->parent->path,
				    *job->parent->path ? "/" : "", job->name);
		p->bytes -= job->size;
		job_clear(p, job);
		w->tail++;
		pthread_cond_broadcast(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int writers_start(struct placer *p, struct error **err)
{
	for (size_t i = 0; i < WRITERS; i++) {
		struct writer *w = &p->writers[i];
		int r;

		w->placer = p;
		pthread_cond_init(&w->wake, NULL);
		r = pthread_create(&w->thread, NULL, write_files, w);
		if (r)
			return error_errno(err, r, "start a thread");
		w->is_running = true;
	}
	return 0;
}

void writers_stop(struct placer *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopped = true;
	if (!p->error && !is_idle(p))
		error_errno(&p->error, ECANCELED, "place files");
	for (size_t i = 0; i < WRITERS; i++)
		if (p->writers[i].is_running)
			pthread_cond_broadcast(&p->writers[i].wake);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < WRITERS; i++) {
		if (p->writers[i].is_running)
			pthread_join(p->writers[i].thread, NULL);
		if (p->writers[i].placer)
			pthread_cond_destroy(&p->writers[i].wake);
	}
}

static int failure(const struct placer *p, struct error **err)
{
	return error_set(err, p->error->code, "%s", p->error->message);
}

int writers_add(struct placer *p, struct job *job, struct error **err)
{
	struct writer *w = &p->writers[job->hash % WRITERS];
	int r = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->error &&
	       (w->head - w->tail == QUEUE || (p->bytes && p->bytes + job->size > QUEUE_BYTES)))
		pthread_cond_wait(&p->done, &p->lock);
	if (p->error) {
		r = failure(p, err);
		job_clear(p, job);
	} else {
		w->jobs[w->head++ % QUEUE] = *job;
		p->bytes += job->size;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&p->lock);
	*job = (struct job){0};
	return r;
}

int writers_drain(struct placer *p, struct error **err)
{
	int r;

	pthread_mutex_lock(&p->lock);
	while (!is_idle(p))
		pthread_cond_wait(&p->done, &p->lock);
	r = p->error ? failure(p, err) : 0;
	pthread_mutex_unlock(&p->lock);
	return r;
}

bool writers_have(struct placer *p, uint64_t hash)
{
	const struct writer *w = &p->writers[hash % WRITERS];
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = w->tail; i != w->head && !found; i++)
		found = w->jobs[i % QUEUE].hash == hash;
	pthread_mutex_unlock(&p->lock);
	return found;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the placer share. */
#ifndef DHOW_LAYER_PLACE_INTERNAL_H
#define DHOW_LAYER_PLACE_INTERNAL_H

#include <pthread.h>

#include "layer/place.h"

#define WRITERS     2
#define QUEUE       64
#define QUEUE_BYTES (4u << 20)
#define PARENTS     64

/* An open directory that files are being created in; freed when its last user is done. */
struct parent {
	int fd;
	unsigned int users; /* the cache and the jobs; under the lock */
	char *path;
};

struct job {
	struct parent *parent;
	char *name;    /* last component */
	uint64_t hash; /* of the whole path */
	struct attributes attributes;
	void *data;
	size_t size;
};

struct writer {
	struct placer *placer;
	pthread_t thread;
	bool is_running;
	struct job jobs[QUEUE];
	size_t head, tail; /* queued, done; ever growing */
	pthread_cond_t wake;
};

struct directory_entry {
	char *path;
	struct attributes attributes;
};

struct placer {
	struct placer_opts opts;
	mode_t umask;
	uid_t uid; /* what new files belong to */
	gid_t gid;
	struct parent *parents[PARENTS];
	size_t next_parent;
	struct parent *last;
	struct writer writers[WRITERS];
	pthread_mutex_t lock;
	pthread_cond_t done;
	size_t bytes; /* queued */
	bool stopped;
	struct error *error; /* the writers' first */
	struct directory_entry *directories;
	size_t directory_count, directory_room;
	struct strv placed; /* of names: only where opaque marks need them (not fresh) */
};

/* The directory that holds name, opened or made; *last points into name. A reference, given back with parent_drop. */
int place_parent(struct placer *p, const char *name, struct parent **out, const char **last,
		 struct error **err);
void parent_drop(struct placer *p, struct parent *parent);
/* Forgets the cached directories: one of them may have been replaced. */
void place_forget_parents(struct placer *p);

/* Owner, mode, extended attributes, times: of an open file, or of what is named name in dir (links, nodes). 0 or a negative errno. */
int attributes_set_fd(const struct placer *p, int fd, const struct attributes *a);
int attributes_set_at(const struct placer *p, int dir, const char *name,
		      const struct attributes *a);

/* Creates the job's file with all that belongs to it. */
int place_job(const struct placer *p, const struct job *job);
void job_clear(struct placer *p, struct job *job);
/* Removes what stands in the way of name. */
int place_clear_way(int dir, const char *name);

/* writers.c */
int writers_start(struct placer *p, struct error **err);
void writers_stop(struct placer *p);
/* Takes the job over. */
int writers_add(struct placer *p, struct job *job, struct error **err);
int writers_drain(struct placer *p, struct error **err);
/* A job of that hash is under way. */
bool writers_have(struct placer *p, uint64_t hash);
uint64_t place_hash(const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What progress.c (what is going on) and progress_bars.c (how it looks) share. */
#ifndef DHOW_TRANSFER_PROGRESS_INTERNAL_H
#define DHOW_TRANSFER_PROGRESS_INTERNAL_H

#include <pthread.h>
#include <stdint.h>

#include "transfer/progress.h"

struct progress_item {
	char *id;
	char what[64];
	uint64_t done, total, since_ns;
};

struct progress {
	int fd;
	enum progress_style style;
	pthread_mutex_t lock;
	struct progress_item *items;
	size_t count;
	size_t lines; /* of bars on the screen, above the cursor */
	uint64_t drawn_ns;
};

/* A digest's first digits; other ids as they are. */
const char *progress_short(const char *id);
/* Draws all bars anew, over those on the screen. With the lock held. */
void progress_bars_draw(struct progress *p);
/* Adds to out what clears the bars and puts the cursor where they began. With the lock held. */
void progress_bars_erase(struct progress *p, struct strbuf *out);

/* One item as a line of at most width columns, without a newline. now_ns is for the rate. */
void progress_bar(const struct progress_item *item, unsigned int width, uint64_t now_ns,
		  struct strbuf *out);

#endif

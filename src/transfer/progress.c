/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The book-keeping of a transfer's progress: what each item is doing, and how much of it is done.
 *
 * Lines are printed here, one per change of state. Bars are drawn by progress_bars.c, at most ten times a second, from
 * the calls themselves: there is no thread of its own. A reader of the pipe that went away is not our trouble: the
 * transfer goes on. */
#include <pthread.h>
#include <stdarg.h>
#include <unistd.h>

#include "transfer/progress_internal.h"

#define DRAW_INTERVAL_NS 100000000ull

enum progress_style progress_style_for(int fd, bool is_quiet)
{
	const char *terminal = getenv("TERM");

	if (is_quiet)
		return PROGRESS_NONE;
	return isatty(fd) && terminal && *terminal && strcmp(terminal, "dumb") != 0
		       ? PROGRESS_BARS
		       : PROGRESS_LINES;
}

struct progress *progress_new(int fd, enum progress_style style)
{
	struct progress *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->fd = fd;
	p->style = style;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	if (p->style == PROGRESS_BARS)
		progress_bars_draw(p);
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i].id);
	free(p->items);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void print(struct progress *p, const struct strbuf *line)
{
	if (!line->failed && line->length)
		fd_write_all(p->fd, line->text, line->length);
}

void progress_message(struct progress *p, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf line = {0};
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	if (!p || p->style == PROGRESS_NONE)
		return;
	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0) {
		text = NULL;
		return;
	}
	pthread_mutex_lock(&p->lock);
	if (p->style == PROGRESS_BARS)
		progress_bars_erase(p, &line);
	strbuf_addf(&line, "%s\n", text);
	print(p, &line);
	if (p->style == PROGRESS_BARS)
		progress_bars_draw(p);
	pthread_mutex_unlock(&p->lock);
}

static struct progress_item *find_item(struct progress *p, const char *id)
{
	struct progress_item *grown;

	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i].id, id) == 0)
			return &p->items[i];
	grown = reallocarray(p->items, p->count + 1, sizeof *grown);
	if (!grown)
		return NULL;
	p->items = grown;
	p->items[p->count] = (struct progress_item){.id = strdup(id)};
	if (!p->items[p->count].id)
		return NULL;
	return &p->items[p->count++];
}

static bool has_moved(const char *from, const char *to)
{
	return !*from || strcmp(from, to) != 0;
}

void progress_state(struct progress *p, const char *id, const char *what, uint64_t total)
{
	_cleanup_strbuf_ struct strbuf line = {0};
	struct progress_item *item;
	bool is_new;

	if (!p || p->style == PROGRESS_NONE)
		return;
	pthread_mutex_lock(&p->lock);
	item = find_item(p, id);
	if (item) {
		is_new = has_moved(item->what, what);
		snprintf(item->what, sizeof item->what, "%s", what);
		item->total = total;
		item->done = 0;
		item->since_ns = now_ns();
		/* Without bars, how far something is says nothing; that it began or ended does. */
		if (p->style == PROGRESS_LINES && is_new && !total) {
			strbuf_addf(&line, "%.12s: %s\n", progress_short(id), what);
			print(p, &line);
		}
	}
	if (p->style == PROGRESS_BARS)
		progress_bars_draw(p);
	pthread_mutex_unlock(&p->lock);
}

void progress_add(struct progress *p, const char *id, uint64_t bytes)
{
	struct progress_item *item;
	uint64_t now;

	if (!p || p->style != PROGRESS_BARS)
		return;
	pthread_mutex_lock(&p->lock);
	item = find_item(p, id);
	if (item)
		item->done += bytes;
	now = now_ns();
	if (now - p->drawn_ns >= DRAW_INTERVAL_NS)
		progress_bars_draw(p);
	pthread_mutex_unlock(&p->lock);
}

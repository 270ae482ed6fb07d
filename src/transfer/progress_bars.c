/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Progress bars: one line per item, rewritten in place.
 *
 *   4f4fb700ef54  Downloading  [=============>          ]  91.3MB/163MB  412MB/s  0s
 *
 * What doesn't fit the screen's height is counted in a last line; what still moves is shown first. Each picture is one
 * write(2), so it never tears. */
#include <sys/ioctl.h>

#include "transfer/progress_internal.h"

#define BAR_MIN 10
#define BAR_MAX 50

const char *progress_short(const char *id)
{
	return str_starts(id, "sha256:") || str_starts(id, "sha512:") ? id + 7 : id;
}

/* Decimal units with three digits, as docker writes sizes: "117MB", "1.25GB". */
static void add_size(struct strbuf *out, double bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;

	while (bytes >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		bytes /= 1000;
		unit++;
	}
	strbuf_addf(out, "%.4g%s", bytes, units[unit]);
}

static void add_time_left(struct strbuf *out, double seconds)
{
	if (seconds >= 3600)
		strbuf_addf(out, "  %.0fh%02.0fm", seconds / 3600,
			    (double)((int)seconds % 3600) / 60);
	else if (seconds >= 60)
		strbuf_addf(out, "  %dm%02ds", (int)seconds / 60, (int)seconds % 60);
	else
		strbuf_addf(out, "  %ds", (int)seconds);
}

/* "91.3MB/163MB  412MB/s  0s" */
static void add_numbers(const struct progress_item *item, uint64_t now, struct strbuf *out)
{
	double seconds = (double)(now - item->since_ns) / 1e9;
	double rate = seconds > 0.05 ? (double)item->done / seconds : 0;

	add_size(out, (double)item->done);
	strbuf_adds(out, "/");
	add_size(out, (double)item->total);
	if (rate < 1)
		return;
	strbuf_adds(out, "  ");
	add_size(out, rate);
	strbuf_adds(out, "/s");
	if (item->total > item->done)
		add_time_left(out, (double)(item->total - item->done) / rate);
}

static void add_bar(const struct progress_item *item, unsigned int columns, struct strbuf *out)
{
	double part = item->total ? (double)item->done / (double)item->total : 0;
	unsigned int full = (unsigned int)((part > 1 ? 1 : part) * columns);

	strbuf_adds(out, "[");
	for (unsigned int i = 0; i < columns; i++)
		strbuf_adds(out, i < full ? "=" : i == full ? ">" : " ");
	strbuf_adds(out, "]  ");
}

void progress_bar(const struct progress_item *item, unsigned int width, uint64_t now,
		  struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf head = {0}, numbers = {0};
	unsigned int used;

	strbuf_addf(&head, "%.12s  %-12s", progress_short(item->id), item->what);
	if (item->total)
		add_numbers(item, now, &numbers);
	if (head.failed || numbers.failed)
		return;
	used = (unsigned int)head.length;
	strbuf_add(out, head.text, head.length < width ? head.length : width);
	if (!item->total || used + 2 + numbers.length > width)
		return;
	strbuf_adds(out, "  ");
	used += 2;
	if (used + numbers.length + BAR_MIN + 4 <= width) {
		unsigned int room = width - used - (unsigned int)numbers.length - 4;

		add_bar(item, room < BAR_MAX ? room : BAR_MAX, out);
	}
	strbuf_add(out, numbers.text, numbers.length);
}

static void screen(int fd, unsigned int *columns, unsigned int *rows)
{
	struct winsize size = {0};

	*columns = 80;
	*rows = 24;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
		*columns = size.ws_col;
		*rows = size.ws_row;
	}
}

void progress_bars_erase(struct progress *p, struct strbuf *out)
{
	if (p->lines)
		strbuf_addf(out, "\033[%zuA", p->lines);
	strbuf_adds(out, "\r\033[J");
	p->lines = 0;
}

static void add_line(struct progress *p, const struct progress_item *item, unsigned int columns,
		     struct strbuf *out)
{
	progress_bar(item, columns - 1, now_ns(), out);
	strbuf_adds(out, "\033[K\n");
	p->lines++;
}

void progress_bars_draw(struct progress *p)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	unsigned int columns, rows, room;
	size_t moving = 0;

	screen(p->fd, &columns, &rows);
	room = rows > 3 ? rows - 2 : 1;
	progress_bars_erase(p, &out);
	for (size_t i = 0; i < p->count; i++)
		moving += p->items[i].total != 0;
	if (p->count <= room) {
		for (size_t i = 0; i < p->count; i++)
			add_line(p, &p->items[i], columns, &out);
	} else {
		for (size_t i = 0; i < p->count && p->lines < room; i++)
			if (p->items[i].total)
				add_line(p, &p->items[i], columns, &out);
		strbuf_addf(&out, "%zu items, %zu on their way\033[K\n", p->count, moving);
		p->lines++;
	}
	if (!out.failed && out.length)
		fd_write_all(p->fd, out.text, out.length);
	p->drawn_ns = now_ns();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* String buffers and string lists. See str.h. */
#include <stdint.h>

#include "base/str.h"

static bool reserve(struct strbuf *b, size_t more)
{
	size_t need, capacity;
	char *text;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->length, more, &need) ||
	    __builtin_add_overflow(need, 1, &need)) {
		b->failed = true;
		return false;
	}
	if (b->text && need <= b->capacity)
		return true;
	capacity = b->capacity ? b->capacity : 64;
	while (capacity < need)
		if (__builtin_mul_overflow(capacity, (size_t)2, &capacity))
			capacity = need;
	text = realloc(b->text, capacity);
	if (!text) {
		b->failed = true;
		return false;
	}
	b->text = text;
	b->capacity = capacity;
	return true;
}

void strbuf_add(struct strbuf *b, const void *data, size_t length)
{
	if (!reserve(b, length))
		return;
	if (length)
		memcpy(b->text + b->length, data, length);
	b->length += length;
	b->text[b->length] = '\0';
}

void strbuf_adds(struct strbuf *b, const char *text)
{
	strbuf_add(b, text, strlen(text));
}

static void addv(struct strbuf *b, const char *format, va_list ap)
{
	va_list again;
	int length;

	va_copy(again, ap);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0 || !reserve(b, (size_t)length)) {
		b->failed = true;
		return;
	}
	vsnprintf(b->text + b->length, (size_t)length + 1, format, ap);
	b->length += (size_t)length;
}

void strbuf_addf(struct strbuf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	addv(b, format, ap);
	va_end(ap);
}

void strbuf_free(struct strbuf *b)
{
	free(b->text);
	*b = (struct strbuf){0};
}

char *strbuf_take(struct strbuf *b)
{
	char *text;

	if (!b->text)
		strbuf_adds(b, "");
	if (b->failed) {
		strbuf_free(b);
		return NULL;
	}
	text = TAKE_PTR(b->text);
	*b = (struct strbuf){0};
	return text;
}

/* Takes ownership of text, also on failure. */
static int push(struct strv *v, char *text)
{
	char **items;

	if (!text)
		return -ENOMEM;
	/* Grows at powers of two: one terminator more than count. */
	if (v->count == 0 || ((v->count + 1) & v->count) == 0) {
		items = reallocarray(v->items, (v->count + 1) * 2, sizeof *items);
		if (!items) {
			free(text);
			return -ENOMEM;
		}
		v->items = items;
	}
	v->items[v->count++] = text;
	v->items[v->count] = NULL;
	return 0;
}

int strv_add(struct strv *v, const char *text)
{
	return push(v, strdup(text));
}

int strv_addf(struct strv *v, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	return push(v, text);
}

int strv_split(struct strv *v, const char *text, const char *delimiters)
{
	for (;;) {
		size_t length;
		int r;

		text += strspn(text, delimiters);
		length = strcspn(text, delimiters);
		if (length == 0)
			return 0;
		r = push(v, strndup(text, length));
		if (r)
			return r;
		text += length;
	}
}

bool strv_contains(const struct strv *v, const char *text)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->items[i], text) == 0)
			return true;
	return false;
}

void strv_free(struct strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){0};
}

/* Levenshtein's distance over words of at most 31 bytes; longer ones are far from everything. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32], la = strlen(a), lb = strlen(b);

	if (la > 31 || lb > 31)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb];
}

const char *str_nearest(const char *word, const char *const *candidates)
{
	const char *nearest = NULL;
	size_t least = 3;

	for (; *candidates; candidates++) {
		size_t d = distance(word, *candidates);

		if (d < least && d < strlen(word)) {
			least = d;
			nearest = *candidates;
		}
	}
	return nearest;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing string buffers and lists of strings. Memory that runs out is remembered in the buffer, so
 * that a row of appends is checked once, at the end. */
#ifndef DHOW_BASE_STR_H
#define DHOW_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

/* Always NUL-terminated once something was added; text is NULL before. Free with strbuf_free. */
struct strbuf {
	char *text;
	size_t length;
	size_t capacity;
	bool failed; /* memory ran out; text is what fitted */
};

void strbuf_add(struct strbuf *b, const void *data, size_t length);
void strbuf_adds(struct strbuf *b, const char *text);
void strbuf_addf(struct strbuf *b, const char *format, ...) _printf_(2, 3);
void strbuf_free(struct strbuf *b);
/* The text, owned by the caller ("" where nothing was added), or NULL when memory ran out. */
char *strbuf_take(struct strbuf *b);
#define _cleanup_strbuf_ _cleanup_(strbuf_free)

/* A list of strings; items is NULL-terminated once something was added, fit for execve. */
struct strv {
	char **items;
	size_t count;
};

/* Adds a copy. Return 0 or -ENOMEM. */
int strv_add(struct strv *v, const char *text);
int strv_addf(struct strv *v, const char *format, ...) _printf_(2, 3);
/* Splits text at each byte of delimiters into v; empty pieces are dropped. Returns 0 or -ENOMEM. */
int strv_split(struct strv *v, const char *text, const char *delimiters);
bool strv_contains(const struct strv *v, const char *text);
void strv_free(struct strv *v);
#define _cleanup_strv_ _cleanup_(strv_free)

static inline bool str_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Words within a small edit distance of each other, for "did you mean" hints. Returns the one of
 * candidates (NULL-terminated) nearest to word, or NULL when none is near. */
const char *str_nearest(const char *word, const char *const *candidates);

#endif

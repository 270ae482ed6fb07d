/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON from outside, over jansson: bounded parsing, and getters that name the place in their errors
 * ("process.rlimits[2].hard: expected an integer, found a string").
 *
 * A struct json_at is a value and the way to it; the path text is built only for an error. */
#ifndef DHOW_BASE_JSON_H
#define DHOW_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* Parses text (length bytes, need not be NUL-terminated). Duplicate keys: the last wins, as in Go.
 * Integers above 2^63-1 become strings of their digits, which json_get_u64() takes for numbers. what names
 * it in errors. Returns 0 and a new reference in *out, or a negative errno. */
int json_parse(const char *text, size_t length, const char *what, json_t **out, struct error **err);

static inline void json_drop(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}
#define _cleanup_json_ _cleanup_(json_drop)

/* A place in a document. parent may be NULL; key is NULL for an array's element. */
struct json_at {
	const struct json_at *parent;
	const char *key;
	size_t index;
	json_t *value; /* borrowed; NULL when absent or null */
};

/* The member key of object at; its value is NULL when absent or JSON null. */
struct json_at json_member(const struct json_at *at, const char *key);
struct json_at json_element(const struct json_at *at, size_t index);

/* Fills *err with "PATH: FORMAT" and returns -EINVAL. */
int json_fail(const struct json_at *at, struct error **err, const char *format, ...) _printf_(3, 4);

/* Typed getters. An absent value leaves *out untouched and returns 0; the wrong type or range is
 * -EINVAL with *err filled in. Strings are borrowed from the document; those with NUL inside are
 * refused. json_get_object and json_get_array check the type only. */
int json_get_string(const struct json_at *at, const char **out, struct error **err);
int json_get_bool(const struct json_at *at, bool *out, struct error **err);
int json_get_i64(const struct json_at *at, int64_t min, int64_t max, int64_t *out,
		 struct error **err);
int json_get_u64(const struct json_at *at, uint64_t max, uint64_t *out, struct error **err);
int json_get_object(const struct json_at *at, struct error **err);
/* Number of elements, 0 when absent, or a negative errno. */
ssize_t json_get_array(const struct json_at *at, struct error **err);

/* Appends text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void json_quote(struct strbuf *out, const char *text);

#endif

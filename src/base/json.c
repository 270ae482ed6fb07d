/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded JSON parsing and place-naming getters. See json.h. */
#include <inttypes.h>
#include <stdarg.h>

#include "base/json.h"

/* Go's configurations hold unsigned 64-bit integers (RLIM_INFINITY is 18446744073709551615), which are
 * too big for jansson. Writes text with ".0" behind each such number, which makes it a real; see
 * json_get_u64. Returns NULL when memory runs out. */
static char *widen_integers(const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	bool in_string = false;
	size_t digits = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool is_digit = c >= '0' && c <= '9';

		if (!in_string && !is_digit && digits >= 19 && !strchr(".eE", c))
			strbuf_adds(&out, ".0");
		if (is_digit)
			digits++;
		else if (!strchr(".eE+-", c) || in_string)
			digits = 0;
		strbuf_add(&out, &c, 1);
		if (in_string && c == '\\' && i + 1 < length)
			strbuf_add(&out, &text[++i], 1);
		else if (c == '"')
			in_string = !in_string;
	}
	return strbuf_take(&out);
}

int json_parse(const char *text, size_t length, const char *what, json_t **out, struct error **err)
{
	_cleanup_free_ char *widened = NULL;
	json_error_t e;
	json_t *value;

	/* jansson bounds the nesting itself (JSON_PARSER_MAX_DEPTH, 2048). */
	value = json_loadb(text, length, JSON_DECODE_ANY, &e);
	if (!value && json_error_code(&e) == json_error_numeric_overflow) {
		widened = widen_integers(text, length);
		if (!widened)
			return error_errno(err, ENOMEM, "parse %s", what);
		value = json_loads(widened, JSON_DECODE_ANY, &e);
	}
	if (!value)
		return error_set(err, EINVAL, "%s: invalid JSON at line %d, column %d: %s", what, e.line,
				 e.column, e.text);
	*out = value;
	return 0;
}

struct json_at json_member(const struct json_at *at, const char *key)
{
	json_t *value = at->value ? json_object_get(at->value, key) : NULL;

	return (struct json_at){
		.parent = at, .key = key, .value = json_is_null(value) ? NULL : value};
}

struct json_at json_element(const struct json_at *at, size_t index)
{
	json_t *value = at->value ? json_array_get(at->value, index) : NULL;

	return (struct json_at){
		.parent = at, .index = index, .value = json_is_null(value) ? NULL : value};
}

static void add_path(struct strbuf *b, const struct json_at *at)
{
	if (at->parent)
		add_path(b, at->parent);
	if (at->key)
		strbuf_addf(b, "%s%s", b->length ? "." : "", at->key);
	else if (at->parent)
		strbuf_addf(b, "[%zu]", at->index);
}

int json_fail(const struct json_at *at, struct error **err, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf path = {0};
	_cleanup_free_ char *message = NULL;
	va_list ap;

	if (!err)
		return -EINVAL;
	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	add_path(&path, at);
	if (!path.length)
		return error_set(err, EINVAL, "%s", message ? message : "out of memory");
	return error_set(err, EINVAL, "%s: %s", path.text, message ? message : "out of memory");
}

static const char *type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false", [JSON_NULL] = "null"};

	return names[json_typeof(value)];
}

static int expect(const struct json_at *at, bool is_right, const char *wanted, struct error **err)
{
	if (is_right)
		return 0;
	return json_fail(at, err, "expected %s, found %s", wanted, type_name(at->value));
}

int json_get_string(const struct json_at *at, const char **out, struct error **err)
{
	int r;

	if (!at->value)
		return 0;
	r = expect(at, json_is_string(at->value), "a string", err);
	if (r)
		return r;
	/* jansson refuses NUL unless asked (JSON_ALLOW_NUL); this holds whoever built the document. */
	if (strlen(json_string_value(at->value)) != json_string_length(at->value))
		return json_fail(at, err, "a NUL character is not allowed");
	*out = json_string_value(at->value);
	return 0;
}

int json_get_bool(const struct json_at *at, bool *out, struct error **err)
{
	int r;

	if (!at->value)
		return 0;
	r = expect(at, json_is_boolean(at->value), "true or false", err);
	if (r)
		return r;
	*out = json_is_true(at->value);
	return 0;
}

int json_get_i64(const struct json_at *at, int64_t min, int64_t max, int64_t *out,
		 struct error **err)
{
	int64_t value;
	int r;

	if (!at->value)
		return 0;
	r = expect(at, json_is_integer(at->value), "an integer", err);
	if (r)
		return r;
	value = json_integer_value(at->value);
	if (value < min || value > max)
		return json_fail(at, err,
				 "%" PRId64 " is out of range (%" PRId64 " to %" PRId64 ")", value, min,
				 max);
	*out = value;
	return 0;
}

int json_get_u64(const struct json_at *at, uint64_t max, uint64_t *out, struct error **err)
{
	int64_t value = 0;
	int r;

	if (!at->value)
		return 0;
	/* json_parse made integers of 2^63 and more real. A double tells 2^64-1, which is the one that
	 * matters, only from numbers 2048 below it. */
	if (json_is_real(at->value) && max == UINT64_MAX &&
	    json_real_value(at->value) >= 0x1p63 && json_real_value(at->value) <= 0x1p64) {
		double real = json_real_value(at->value);

		*out = real >= 0x1p64 ? UINT64_MAX : (uint64_t) real;
		return 0;
	}
	r = json_get_i64(at, 0, max > INT64_MAX ? INT64_MAX : (int64_t) max, &value, err);
	if (r)
		return r;
	*out = (uint64_t) value;
	return 0;
}

int json_get_object(const struct json_at *at, struct error **err)
{
	return at->value ? expect(at, json_is_object(at->value), "an object", err) : 0;
}

ssize_t json_get_array(const struct json_at *at, struct error **err)
{
	int r;

	if (!at->value)
		return 0;
	r = expect(at, json_is_array(at->value), "an array", err);
	return r ? r : (ssize_t) json_array_size(at->value);
}

/* Length of the UTF-8 sequence at p, or 0 when it is not valid. */
static size_t utf8_length(const unsigned char *p)
{
	size_t n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3
			       : *p >= 0xf0 && *p < 0xf5			  ? 4
										  : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void json_quote(struct strbuf *out, const char *text)
{
	strbuf_adds(out, "\"");
	for (const unsigned char *p = (const unsigned char *) text; *p;) {
		size_t n = utf8_length(p);

		if (*p == '"' || *p == '\\')
			strbuf_addf(out, "\\%c", *p);
		else if (*p == '\n')
			strbuf_adds(out, "\\n");
		else if (*p == '\t')
			strbuf_adds(out, "\\t");
		else if (*p < 0x20 || *p == 0x7f)
			strbuf_addf(out, "\\u%04x", *p);
		else if (n == 0)
			strbuf_adds(out, "\\ufffd");
		else
			strbuf_add(out, p, n);
		p += n ? n : 1;
	}
	strbuf_adds(out, "\"");
}

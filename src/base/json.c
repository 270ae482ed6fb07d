/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded JSON parsing and place-naming getters. See json.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <sys/auxv.h>

#include "base/json.h"
#include "base/number.h"

/* Go's configurations hold unsigned 64-bit integers (RLIM_INFINITY is 18446744073709551615), which are
 * too big for jansson. */
static bool is_big_integer(const char *digits, size_t length)
{
	static const char max[] = "9223372036854775807";

	for (size_t i = 0; i < length; i++)
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	return length > strlen(max) || (length == strlen(max) && memcmp(digits, max, length) > 0);
}

static bool is_number_part(char c)
{
	return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

/* Adds text to out with quotes around each integer that is too big, which makes it a string;
 * json_get_u64() takes it as the number it is. Nothing is lost so, as it would be in a double, and a
 * document that is written out again can be read again. */
static void quote_big_integers(struct strbuf *out, const char *text, size_t length)
{
	bool in_string = false;
	size_t copied = 0;

	for (size_t i = 0, n; i < length; i += n) {
		n = 1;
		if (in_string && text[i] == '\\')
			n = 2;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && is_number_part(text[i]))
			while (i + n < length && is_number_part(text[i + n]))
				n++;
		if (in_string || !is_big_integer(text + i, n))
			continue;
		strbuf_add(out, text + copied, i - copied);
		strbuf_addf(out, "\"%.*s\"", (int)n, text + i);
		copied = i + n;
	}
	strbuf_add(out, text + copied, length - copied);
}

/* jansson quotes what it choked on; the message must stay one line, and harmless on a terminal. */
static int fail_syntax(const char *what, json_error_t *e, struct error **err)
{
	for (char *p = e->text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return error_set(err, EINVAL, "%s: invalid JSON at line %d, column %d: %s", what, e->line,
			 e->column, e->text);
}

/* jansson's hash needs a seed that an author of documents can't know, and by itself would open
 * /dev/urandom for it. The kernel's 16 random bytes begin with the stack's canary, so they are mixed. */
static void seed_hash(void)
{
	const void *bytes = (const void *)getauxval(AT_RANDOM);
	uint32_t random[4];

	if (!bytes)
		return;
	memcpy(random, bytes, sizeof random);
	json_object_seed(random[0] ^ random[1] ^ random[2] ^ random[3]);
}

int json_parse(const char *text, size_t length, const char *what, json_t **out, struct error **err)
{
	_cleanup_strbuf_ struct strbuf quoted = {0};
	json_error_t e;
	json_t *value;

	seed_hash();
	/* jansson bounds the nesting itself (JSON_PARSER_MAX_DEPTH, 2048). */
	value = json_loadb(text, length, JSON_DECODE_ANY, &e);
	if (!value && json_error_code(&e) == json_error_numeric_overflow) {
		quote_big_integers(&quoted, text, length);
		if (quoted.failed)
			return error_errno(err, ENOMEM, "parse %s", what);
		value = json_loadb(quoted.text, quoted.length, JSON_DECODE_ANY, &e);
	}
	if (!value)
		return fail_syntax(what, &e, err);
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

/* How much of a strange key is worth showing. */
#define SHOWN_KEY 64

/* Keys that came from the document may hold anything. */
static void add_key(struct strbuf *b, const char *key)
{
	_cleanup_free_ char *shown = NULL;
	size_t length = strlen(key);

	if (length && length <= SHOWN_KEY &&
	    strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		    length) {
		strbuf_addf(b, "%s%s", b->length ? "." : "", key);
		return;
	}
	shown = strndup(key, SHOWN_KEY);
	strbuf_adds(b, "[");
	json_quote(b, shown ? shown : "");
	strbuf_adds(b, length > SHOWN_KEY ? "...]" : "]");
}

static void add_path(struct strbuf *b, const struct json_at *at)
{
	if (at->parent)
		add_path(b, at->parent);
	if (at->key)
		add_key(b, at->key);
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
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",  [JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null"};

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

/* The digits of an integer that json_parse() had to quote, or NULL. */
static const char *big_integer(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && is_big_integer(text, json_string_length(value)) ? text : NULL;
}

int json_get_i64(const struct json_at *at, int64_t min, int64_t max, int64_t *out,
		 struct error **err)
{
	int64_t value;
	int r;

	if (!at->value)
		return 0;
	if (big_integer(at->value))
		return json_fail(at, err, "%.32s is out of range (%" PRId64 " to %" PRId64 ")",
				 big_integer(at->value), min, max);
	r = expect(at, json_is_integer(at->value), "an integer", err);
	if (r)
		return r;
	value = json_integer_value(at->value);
	if (value < min || value > max)
		return json_fail(at, err,
				 "%" PRId64 " is out of range (%" PRId64 " to %" PRId64 ")", value,
				 min, max);
	*out = value;
	return 0;
}

int json_get_u64(const struct json_at *at, uint64_t max, uint64_t *out, struct error **err)
{
	const char *big = big_integer(at->value);
	uint64_t value = 0;
	int r = big ? parse_u64(big, UINT64_MAX, &value) : 0;

	if (!at->value)
		return 0;
	if (!big) {
		r = expect(at, json_is_integer(at->value), "an integer", err);
		if (r)
			return r;
		value = (uint64_t)json_integer_value(at->value);
		if (json_integer_value(at->value) < 0)
			return json_fail(at, err, "%" PRId64 " is out of range (0 to %" PRIu64 ")",
					 (int64_t)json_integer_value(at->value), max);
	}
	if (r || value > max)
		return big ? json_fail(at, err, "%.32s is out of range (0 to %" PRIu64 ")", big,
				       max)
			   : json_fail(at, err, "%" PRIu64 " is out of range (0 to %" PRIu64 ")",
				       value, max);
	*out = value;
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
	return r ? r : (ssize_t)json_array_size(at->value);
}

/* Length of the UTF-8 sequence at p, or 0 when it is not valid. */
static size_t utf8_length(const unsigned char *p)
{
	size_t n = *p < 0x80                 ? 1
		   : *p >= 0xc2 && *p < 0xe0 ? 2
		   : *p >= 0xe0 && *p < 0xf0 ? 3
		   : *p >= 0xf0 && *p < 0xf5 ? 4
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
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
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

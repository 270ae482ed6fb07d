/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Annotations org.systemd.property.NAME, which set any property of the container's unit.
 *
 * Their values are texts in GVariant's notation, of which we take what units' properties are made of:
 * true, 'text' or "text", numbers with or without their type (uint64 5; an integer alone is an int32, one
 * with a fraction a double), and arrays of texts. As in runc, a name that ends in Sec (which unit files use)
 * stands for the property that ends in USec. https://docs.gtk.org/glib/gvariant-text-format.html */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runtime/cgroup_systemd.h"

#define PREFIX          "org.systemd.property."
#define NAME_LENGTH_MIN 3
#define SECOND_US       1000000

/* The types of numbers by their words, with D-Bus' letter and their range. */
static const struct number_type {
	const char *word;
	char letter;
	int64_t min;
	uint64_t max;
} number_types[] = {
	{"int32", 'i', INT32_MIN, INT32_MAX},
	{"uint32", 'u', 0, UINT32_MAX},
	{"int64", 'x', INT64_MIN, INT64_MAX},
	{"uint64", 't', 0, UINT64_MAX},
};

/* White space around says nothing. Caller frees; NULL when memory runs out. */
static char *trim(const char *text)
{
	size_t length;

	text += strspn(text, " \t\n");
	length = strlen(text);
	while (length > 0 && strchr(" \t\n", text[length - 1]))
		length--;
	return strndup(text, length);
}

/* Reads a quoted text at *p, and moves *p behind it. */
static int read_quoted(const char **p, struct strbuf *out)
{
	char quote = **p;
	const char *s;

	if (quote != '\'' && quote != '"')
		return -EINVAL;
	for (s = *p + 1; *s != quote; s++) {
		if (*s == '\\')
			s++;
		/* dhow-systemd takes a list's texts one a line. */
		if (*s == '\0' || *s == '\n')
			return -EINVAL;
		strbuf_add(out, s, 1);
	}
	*p = s + 1;
	return 0;
}

static int read_array(const char *text, struct strbuf *out)
{
	const char *p = text + 1;
	bool is_first = true;

	for (;; is_first = false) {
		p += strspn(p, " \t");
		if (*p == ']' && is_first)
			break;
		strbuf_adds(out, is_first ? "" : "\n");
		if (read_quoted(&p, out) < 0)
			return -EINVAL;
		p += strspn(p, " \t");
		if (*p == ']')
			break;
		if (*p++ != ',')
			return -EINVAL;
	}
	return p[1] == '\0' ? 0 : -EINVAL;
}

static int read_double(const char *text, struct strbuf *out)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) ||
	    strspn(text, "+-.0123456789eE") < strlen(text))
		return -EINVAL;
	strbuf_addf(out, "d:%.17g", value);
	return 0;
}

static int read_number(const char *text, struct strbuf *out)
{
	const struct number_type *type = &number_types[0];
	size_t word = strcspn(text, " \t");
	const char *digits = text;
	uint64_t above;
	int64_t below;

	for (size_t i = 0; i < ARRAY_SIZE(number_types); i++) {
		if (strlen(number_types[i].word) == word &&
		    memcmp(text, number_types[i].word, word) == 0) {
			type = &number_types[i];
			digits = text + word + strspn(text + word, " \t");
		}
	}
	if (word == strlen("double") && str_starts(text, "double"))
		return read_double(text + word + strspn(text + word, " \t"), out);
	if (digits == text && strpbrk(text, ".eE"))
		return read_double(text, out);
	if (parse_u64(digits, type->max, &above) == 0)
		strbuf_addf(out, "%c:%" PRIu64, type->letter, above);
	else if (type->min < 0 && parse_i64(digits, type->min, -1, &below) == 0)
		strbuf_addf(out, "%c:%" PRId64, type->letter, below);
	else
		return -EINVAL;
	return 0;
}

static int read_value(const char *text, struct strbuf *out)
{
	const char *p = text;

	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		strbuf_addf(out, "b:%s", text);
		return 0;
	}
	if (*text == '[') {
		strbuf_adds(out, "as:");
		return read_array(text, out);
	}
	if (*text != '\'' && *text != '"')
		return read_number(text, out);
	strbuf_adds(out, "s:");
	return read_quoted(&p, out) < 0 || *p ? -EINVAL : 0;
}

int systemd_parse_variant(const char *text, char **out, struct error **err)
{
	_cleanup_strbuf_ struct strbuf value = {0};
	_cleanup_free_ char *trimmed = trim(text);

	if (!trimmed)
		return error_errno(err, ENOMEM, "read \"%s\"", text);
	if (read_value(trimmed, &value) < 0)
		return error_set(err, EINVAL,
				 "\"%s\" is neither true, false, a number, a quoted text nor an "
				 "array of such texts in GVariant's notation",
				 text);
	*out = strbuf_take(&value);
	return *out ? 0 : error_errno(err, ENOMEM, "read \"%s\"", text);
}

/* "uint64 5", "5", "0.5" seconds to "t:MICROSECONDS". */
static int to_microseconds(const char *value, char **out)
{
	char *end;
	double seconds = strtod(value + 2, &end);

	if (!strchr("iuxtd", value[0]) || value[1] != ':' || *end || !(seconds >= 0) ||
	    seconds > (double)(INT64_MAX / SECOND_US))
		return -EINVAL;
	return asprintf(out, "t:%" PRIu64, (uint64_t)(seconds * SECOND_US)) < 0 ? -ENOMEM : 0;
}

static bool is_seconds(const char *name, size_t length)
{
	return length > 4 && strcmp(name + length - 3, "Sec") == 0 && name[length - 4] >= 'a' &&
	       name[length - 4] <= 'z';
}

static int add_annotation(struct strv *properties, const char *name, const char *text,
			  struct error **err)
{
	_cleanup_free_ char *value = NULL, *micro = NULL;
	size_t length = strlen(name);
	int r;

	if (length < NAME_LENGTH_MIN ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") < length)
		return error_set(err, EINVAL, "\"%s\" is no name of a property", name);
	r = systemd_parse_variant(text, &value, err);
	if (r < 0)
		return r;
	if (!is_seconds(name, length))
		r = strv_addf(properties, "%s=%s", name, value);
	else if (to_microseconds(value, &micro) < 0)
		return error_set(err, EINVAL, "\"%s\" is no number of seconds", text);
	else
		r = strv_addf(properties, "%.*sUSec=%s", (int)length - 3, name, micro);
	return r < 0 ? error_errno(err, ENOMEM, "keep it") : 0;
}

int systemd_add_annotations(struct strv *properties, const struct spec_pairs *annotations,
			    struct error **err)
{
	for (size_t i = 0; i < annotations->count; i++) {
		const struct spec_pair *pair = &annotations->items[i];
		int r;

		if (!str_starts(pair->key, PREFIX))
			continue;
		r = add_annotation(properties, pair->key + strlen(PREFIX), pair->value, err);
		if (r < 0)
			return error_prefix(err, "annotations.%s", pair->key);
	}
	return 0;
}

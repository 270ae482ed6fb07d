/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of templates: Go's own, and those that docker adds. See template.h. */
#include <ctype.h>

#include "cli/template_internal.h"

bool template_truth(const json_t *v)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_OBJECT:
		return json_object_size(v) > 0;
	case JSON_ARRAY:
		return json_array_size(v) > 0;
	case JSON_STRING:
		return json_string_length(v) > 0;
	case JSON_INTEGER:
		return json_integer_value(v) != 0;
	case JSON_REAL:
		return json_real_value(v) != 0;
	case JSON_TRUE:
		return true;
	default:
		return false;
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_map(const json_t *map, struct strbuf *out)
{
	size_t count = json_object_size(map), i = 0;
	_cleanup_free_ const char **keys = calloc(count ? count : 1, sizeof *keys);
	const char *key;
	json_t *value;

	if (!keys) {
		out->failed = true;
		return;
	}
	json_object_foreach ((json_t *)map, key, value)
		keys[i++] = key;
	qsort(keys, count, sizeof *keys, compare_keys);
	strbuf_adds(out, "map[");
	for (i = 0; i < count; i++) {
		strbuf_addf(out, "%s%s:", i ? " " : "", keys[i]);
		template_print(json_object_get(map, keys[i]), out);
	}
	strbuf_adds(out, "]");
}

void template_print(const json_t *v, struct strbuf *out)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_OBJECT:
		print_map(v, out);
		break;
	case JSON_ARRAY:
		strbuf_adds(out, "[");
		for (size_t i = 0; i < json_array_size(v); i++) {
			strbuf_adds(out, i ? " " : "");
			template_print(json_array_get(v, i), out);
		}
		strbuf_adds(out, "]");
		break;
	case JSON_STRING:
		strbuf_add(out, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		strbuf_addf(out, "%lld", (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		strbuf_addf(out, "%g", json_real_value(v));
		break;
	case JSON_TRUE:
		strbuf_adds(out, "true");
		break;
	case JSON_FALSE:
		strbuf_adds(out, "false");
		break;
	default:
		strbuf_adds(out, "<no value>");
		break;
	}
}

/* A string of what was gathered; b is emptied. */
static json_t *string_of(struct strbuf *b)
{
	json_t *value = b->failed ? NULL : json_stringn_nocheck(b->text ? b->text : "", b->length);

	strbuf_free(b);
	*b = (struct strbuf){0};
	return value;
}

typedef int function(json_t *const *v, size_t count, json_t **out, struct error **err);

/* --- Text -------------------------------------------------------------------------------------------------------------------- */

static int call_json(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	_cleanup_free_ char *text = json_dumps(v[0], JSON_COMPACT | JSON_ENCODE_ANY);

	*out = text ? json_string_nocheck(text) : NULL;
	return 0;
}

static int map_letters(const json_t *v, int (*letter)(int c), json_t **out)
{
	struct strbuf b = {0};

	template_print(v, &b);
	for (size_t i = 0; i < b.length; i++)
		b.text[i] = (char)letter((unsigned char)b.text[i]);
	*out = string_of(&b);
	return 0;
}

static int call_upper(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	return map_letters(v[0], toupper, out);
}

static int call_lower(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	return map_letters(v[0], tolower, out);
}

static int call_title(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	struct strbuf b = {0};

	template_print(v[0], &b);
	for (size_t i = 0; i < b.length; i++)
		if (i == 0 || !isalnum((unsigned char)b.text[i - 1]))
			b.text[i] = (char)toupper((unsigned char)b.text[i]);
	*out = string_of(&b);
	return 0;
}

static int call_join(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	struct strbuf b = {0};

	for (size_t i = 0; i < json_array_size(v[0]); i++) {
		if (i)
			template_print(v[1], &b);
		template_print(json_array_get(v[0], i), &b);
	}
	*out = string_of(&b);
	return 0;
}

static int call_split(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	const char *text = json_string_value(v[0]), *by = json_string_value(v[1]);

	if (!text || !by || !*by)
		return error_set(err, EINVAL, "template: split takes a text and a separator");
	*out = json_array();
	for (;;) {
		const char *end = strstr(text, by);
		size_t length = end ? (size_t)(end - text) : strlen(text);

		json_array_append_new(*out, json_stringn_nocheck(text, length));
		if (!end)
			return 0;
		text = end + strlen(by);
	}
}

static int call_truncate(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	json_int_t length = json_integer_value(v[1]);
	struct strbuf b = {0};

	template_print(v[0], &b);
	if (length >= 0 && (size_t)length < b.length)
		b.length = (size_t)length;
	*out = string_of(&b);
	return 0;
}

static int call_pad(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	struct strbuf b = {0};

	if (json_integer_value(v[1]) > 1000 || json_integer_value(v[2]) > 1000)
		return error_set(err, EINVAL, "template: pad takes at most 1000");
	for (json_int_t i = 0; i < json_integer_value(v[1]); i++)
		strbuf_adds(&b, " ");
	template_print(v[0], &b);
	for (json_int_t i = 0; i < json_integer_value(v[2]); i++)
		strbuf_adds(&b, " ");
	*out = string_of(&b);
	return 0;
}

static int call_print(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	struct strbuf b = {0};

	for (size_t i = 0; i < count; i++) {
		if (i && !json_is_string(v[i]) && !json_is_string(v[i - 1]))
			strbuf_adds(&b, " ");
		template_print(v[i], &b);
	}
	*out = string_of(&b);
	return 0;
}

static int call_println(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	struct strbuf b = {0};

	for (size_t i = 0; i < count; i++) {
		strbuf_adds(&b, i ? " " : "");
		template_print(v[i], &b);
	}
	strbuf_adds(&b, "\n");
	*out = string_of(&b);
	return 0;
}

/* One verb of printf: "%-10s". Width and '-' are honoured; verbs s d v q t f x. */
static void print_verb(struct strbuf *out, bool is_left, size_t width, char verb, const json_t *v)
{
	struct strbuf b = {0};
	size_t fill;

	if (verb == 'q') {
		_cleanup_free_ char *text = json_dumps(v, JSON_ENCODE_ANY);

		strbuf_adds(&b, text ? text : "");
	} else if (verb == 'f') {
		strbuf_addf(&b, "%f", json_number_value(v));
	} else if (verb == 'x' && json_is_integer(v)) {
		strbuf_addf(&b, "%llx", (unsigned long long)json_integer_value(v));
	} else {
		template_print(v, &b);
	}
	fill = width > b.length ? width - b.length : 0;
	for (size_t i = 0; i < fill && !is_left; i++)
		strbuf_adds(out, " ");
	strbuf_add(out, b.text ? b.text : "", b.length);
	for (size_t i = 0; i < fill && is_left; i++)
		strbuf_adds(out, " ");
	strbuf_free(&b);
}

static int call_printf(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	const char *format = json_string_value(v[0]);
	struct strbuf b = {0};
	size_t next = 1;

	if (!format)
		return error_set(err, EINVAL, "template: printf takes a format");
	for (; *format; format++) {
		bool is_left;
		size_t width = 0;

		if (*format != '%' || format[1] == '%') {
			strbuf_add(&b, format, 1);
			format += *format == '%';
			continue;
		}
		is_left = *++format == '-';
		format += is_left;
		while (isdigit((unsigned char)*format) && width < 1000)
			width = 10 * width + (size_t)(*format++ - '0');
		if (!*format || !strchr("sdvqtfx", *format)) {
			strbuf_free(&b);
			return error_set(err, EINVAL,
					 "template: printf knows %%s %%d %%v %%q %%t %%f %%x");
		}
		if (next < count)
			print_verb(&b, is_left, width, *format, v[next++]);
		else
			strbuf_addf(&b, "%%!%c(MISSING)", *format);
	}
	*out = string_of(&b);
	return 0;
}

/* --- Values ------------------------------------------------------------------------------------------------------------------ */

static int call_len(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	size_t length = json_is_array(v[0])    ? json_array_size(v[0])
			: json_is_object(v[0]) ? json_object_size(v[0])
					       : json_string_length(v[0]);

	*out = json_integer((json_int_t)length);
	return 0;
}

static int call_index(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	json_t *value = v[0];

	for (size_t i = 1; i < count; i++) {
		if (json_is_array(value)) {
			json_int_t at = json_integer_value(v[i]);

			if (!json_is_integer(v[i]) || at < 0 ||
			    (size_t)at >= json_array_size(value))
				return error_set(err, EINVAL,
						 "template: error calling index: out of range");
			value = json_array_get(value, (size_t)at);
		} else {
			value = json_is_string(v[i])
					? json_object_get(value, json_string_value(v[i]))
					: NULL;
			if (!value)
				break;
		}
	}
	/* A map's missing key is the zero value: nothing to print. */
	*out = value ? json_incref(value) : json_string("");
	return 0;
}

static int call_and(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	size_t i = 0;

	while (i + 1 < count && template_truth(v[i]))
		i++;
	*out = json_incref(v[i]);
	return 0;
}

static int call_or(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	size_t i = 0;

	while (i + 1 < count && !template_truth(v[i]))
		i++;
	*out = json_incref(v[i]);
	return 0;
}

static int call_not(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	*out = json_boolean(!template_truth(v[0]));
	return 0;
}

/* Any of the further ones equals the first. */
static int call_eq(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	bool found = false;

	for (size_t i = 1; i < count && !found; i++)
		found = json_is_number(v[0]) && json_is_number(v[i])
				? json_number_value(v[0]) == json_number_value(v[i])
				: json_equal(v[0], v[i]);
	*out = json_boolean(found);
	return 0;
}

static int call_ne(json_t *const *v, size_t count, json_t **out, struct error **err)
{
	call_eq(v, count, out, err);
	*out = json_boolean(json_is_false(*out));
	return 0;
}

static int order(json_t *const *v, int *result, struct error **err)
{
	if (json_is_number(v[0]) && json_is_number(v[1])) {
		double a = json_number_value(v[0]), b = json_number_value(v[1]);

		*result = a < b ? -1 : a > b;
		return 0;
	}
	if (!json_is_string(v[0]) || !json_is_string(v[1]))
		return error_set(err, EINVAL, "template: incompatible types for comparison");
	*result = strcmp(json_string_value(v[0]), json_string_value(v[1]));
	return 0;
}

#define ORDERED(name, condition)                                                          \
	static int name(json_t *const *v, size_t count, json_t **out, struct error **err) \
	{                                                                                 \
		int c = 0, r = order(v, &c, err);                                         \
                                                                                          \
		*out = r ? NULL : json_boolean(condition);                                \
		return r;                                                                 \
	}
ORDERED(call_lt, c < 0)
ORDERED(call_le, c <= 0)
ORDERED(call_gt, c > 0)
ORDERED(call_ge, c >= 0)

static const struct {
	const char *name;
	size_t min, max;
	function *call;
} functions[] = {
	{"json", 1, 1, call_json},
	{"upper", 1, 1, call_upper},
	{"lower", 1, 1, call_lower},
	{"title", 1, 1, call_title},
	{"join", 2, 2, call_join},
	{"split", 2, 2, call_split},
	{"truncate", 2, 2, call_truncate},
	{"pad", 3, 3, call_pad},
	{"print", 0, ARGUMENTS_MAX, call_print},
	{"println", 0, ARGUMENTS_MAX, call_println},
	{"printf", 1, ARGUMENTS_MAX, call_printf},
	{"len", 1, 1, call_len},
	{"index", 1, ARGUMENTS_MAX, call_index},
	{"and", 1, ARGUMENTS_MAX, call_and},
	{"or", 1, ARGUMENTS_MAX, call_or},
	{"not", 1, 1, call_not},
	{"eq", 2, ARGUMENTS_MAX, call_eq},
	{"ne", 2, 2, call_ne},
	{"lt", 2, 2, call_lt},
	{"le", 2, 2, call_le},
	{"gt", 2, 2, call_gt},
	{"ge", 2, 2, call_ge},
};

bool template_has_function(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return true;
	return false;
}

int template_call(const char *name, json_t *const *values, size_t count, json_t **out,
		  struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		int r;

		if (strcmp(functions[i].name, name) != 0)
			continue;
		if (count < functions[i].min || count > functions[i].max)
			return error_set(err, EINVAL,
					 "template: wrong number of args for %s: want %zu got %zu",
					 name, functions[i].min, count);
		*out = NULL;
		r = functions[i].call(values, count, out, err);
		if (!r && !*out)
			r = error_errno(err, ENOMEM, "render a template");
		return r;
	}
	return error_set(err, EINVAL, "template: no function %s", name);
}

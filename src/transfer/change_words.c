/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of Dockerfile instructions. See change_words.h. */
#include <ctype.h>
#include <string.h>

#include "transfer/change_words.h"

/* ${A:-${B:-...}}: nobody needs more. */
#define NESTED_MAX 16

int change_split(const char *text, struct strv *words, struct error **err)
{
	const char *p = text;

	for (;;) {
		const char *start;
		char quote = '\0';

		while (isspace((unsigned char)*p))
			p++;
		if (!*p)
			return 0;
		start = p;
		for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
			if (*p == '\\' && quote != '\'' && p[1])
				p++;
			else if (quote && *p == quote)
				quote = '\0';
			else if (!quote && (*p == '"' || *p == '\''))
				quote = *p;
		}
		if (strv_addf(words, "%.*s", (int)(p - start), start) < 0)
			return error_errno(err, ENOMEM, "read an instruction");
	}
}

static const char *look_up(const struct strv *environment, const char *name, size_t length)
{
	for (size_t i = 0; i < environment->count; i++) {
		const char *item = environment->items[i];

		if (strncmp(item, name, length) == 0 && item[length] == '=')
			return item + length + 1;
	}
	return NULL;
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	if (isdigit((unsigned char)*p))
		return 0;
	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* Where the brace that p is behind is closed, or NULL. */
static const char *find_brace(const char *p)
{
	for (int depth = 1; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			return p;
	}
	return NULL;
}

static int expand(const char *text, const struct strv *environment, struct strbuf *out, int depth,
		  struct error **err);

/* *p is behind "${"; it is moved behind the "}". */
static int expand_braces(const char **p, const struct strv *environment, struct strbuf *out,
			 int depth, struct error **err)
{
	size_t length = name_length(*p);
	const char *end = find_brace(*p), *value = look_up(environment, *p, length);
	const char *rest = *p + length;
	_cleanup_free_ char *word = NULL;

	if (!end || length == 0 || depth > NESTED_MAX)
		return error_set(err, EINVAL, "syntax error in \"${%s\"", *p);
	*p = end + 1;
	if (rest == end) {
		strbuf_adds(out, value ? value : "");
		return 0;
	}
	if (rest[0] != ':' || (rest[1] != '-' && rest[1] != '+'))
		return error_set(err, EINVAL, "unsupported modifier in \"${%.*s}\"",
				 (int)(end - rest + (ptrdiff_t)length), rest - length);
	word = strndup(rest + 2, (size_t)(end - rest - 2));
	if (!word)
		return error_errno(err, ENOMEM, "read an instruction");
	if (rest[1] == '-' && value && *value) {
		strbuf_adds(out, value);
		return 0;
	}
	if (rest[1] == '+' && (!value || !*value))
		return 0;
	return expand(word, environment, out, depth + 1, err);
}

/* *p is behind the dollar. */
static int expand_variable(const char **p, const struct strv *environment, struct strbuf *out,
			   int depth, struct error **err)
{
	size_t length = name_length(*p);
	const char *value;

	if (**p == '{') {
		(*p)++;
		return expand_braces(p, environment, out, depth, err);
	}
	if (length == 0) {
		strbuf_adds(out, "$");
		return 0;
	}
	value = look_up(environment, *p, length);
	strbuf_adds(out, value ? value : "");
	*p += length;
	return 0;
}

static int expand(const char *text, const struct strv *environment, struct strbuf *out, int depth,
		  struct error **err)
{
	const char *p = text;
	char quote = '\0';
	int r = 0;

	while (*p && r == 0) {
		char c = *p++;

		if (quote == '\'') {
			if (c == '\'')
				quote = '\0';
			else
				strbuf_add(out, &c, 1);
		} else if (c == '$') {
			r = expand_variable(&p, environment, out, depth, err);
		} else if (c == '\\' && *p) {
			if (quote && *p != '"' && *p != '$' && *p != '\\')
				strbuf_add(out, &c, 1);
			strbuf_add(out, p++, 1);
		} else if (c == '"') {
			quote = quote ? '\0' : '"';
		} else if (c == '\'' && !quote) {
			quote = '\'';
		} else {
			strbuf_add(out, &c, 1);
		}
	}
	if (r == 0 && quote)
		return error_set(err, EINVAL, "a quote isn't closed in: %s", text);
	return r;
}

int change_expand(const char *text, const struct strv *environment, char **out, struct error **err)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	int r = expand(text, environment, &b, 0, err);

	if (r < 0)
		return r;
	*out = strbuf_take(&b);
	return *out ? 0 : error_errno(err, ENOMEM, "read an instruction");
}

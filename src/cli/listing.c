/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists. Columns are aligned as Go's text/tabwriter does it for docker: at least ten wide, three blanks between, the last one as it comes. */
#include "cli/listing.h"
#include "cli/template.h"

#define WIDTH_MIN 10
#define GAP       3

/* Characters, not bytes: UTF-8's further bytes don't count. */
static size_t width_of(const char *text, size_t length)
{
	size_t width = 0;

	for (size_t i = 0; i < length; i++)
		width += (text[i] & 0xc0) != 0x80;
	return width;
}

/* Lines of cells that are ended by tabs, the last one by the line's end. */
static void print_cells(const struct strv *lines, const size_t *widths)
{
	for (size_t i = 0; i < lines->count; i++) {
		const char *at = lines->items[i];

		for (size_t column = 0;; column++) {
			size_t length = strcspn(at, "\t");

			fwrite(at, 1, length, stdout);
			if (!at[length])
				break;
			for (size_t w = width_of(at, length); w < widths[column]; w++)
				putchar(' ');
			at += length + 1;
		}
		putchar('\n');
	}
}

static int align(const struct strv *lines, struct error **err)
{
	_cleanup_free_ size_t *widths = NULL;
	size_t columns = 1;

	for (size_t i = 0; i < lines->count; i++) {
		size_t tabs = 1;

		for (const char *c = lines->items[i]; *c; c++)
			tabs += *c == '\t';
		if (tabs > columns)
			columns = tabs;
	}
	widths = calloc(columns, sizeof *widths);
	if (!widths)
		return error_errno(err, ENOMEM, "print a list");
	for (size_t i = 0; i < lines->count; i++) {
		const char *at = lines->items[i];

		for (size_t column = 0;; column++) {
			size_t length = strcspn(at, "\t"), width = width_of(at, length) + GAP;

			if (!at[length])
				break;
			if (width < WIDTH_MIN)
				width = WIDTH_MIN;
			if (width > widths[column])
				widths[column] = width;
			at += length + 1;
		}
	}
	print_cells(lines, widths);
	return 0;
}

static const char *text_of(const json_t *row, const char *field, char *buf, size_t size)
{
	const json_t *value = json_object_get(row, field);

	if (json_is_string(value))
		return json_string_value(value);
	snprintf(buf, size, "%lld", (long long)json_integer_value(value));
	return json_is_integer(value) ? buf : "";
}

static int print_table(const struct listing *l, const json_t *rows, struct error **err)
{
	_cleanup_strv_ struct strv lines = {0};
	const json_t *row;
	size_t i;

	for (size_t n = l->has_no_heading ? 1 : 0; n <= json_array_size(rows); n++) {
		_cleanup_strbuf_ struct strbuf line = {0};

		row = n ? json_array_get(rows, n - 1) : NULL;
		i = 0;
		for (const struct listing_column *c = l->columns; c->header; c++) {
			char buf[32];

			strbuf_adds(&line, i++ ? "\t" : "");
			strbuf_adds(&line,
				    row ? text_of(row, c->field, buf, sizeof buf) : c->header);
		}
		if (line.failed || strv_add(&lines, line.text))
			return error_errno(err, ENOMEM, "print a list");
	}
	return align(&lines, err);
}

/* "\t" and "\n" as people type them in a shell's quotes. */
static char *unescape(const char *format)
{
	struct strbuf b = {0};

	strbuf_adds(&b, "");
	for (; *format; format++) {
		bool is_escape = *format == '\\' && (format[1] == 't' || format[1] == 'n');

		strbuf_add(&b, is_escape ? (format[1] == 't' ? "\t" : "\n") : format, 1);
		format += is_escape;
	}
	return strbuf_take(&b);
}

static int add_headers(json_t *headers, const struct listing_column *columns)
{
	int r = 0;

	for (const struct listing_column *c = columns; c && c->header && r == 0; c++)
		r = json_object_set_new(headers, c->field, json_string(c->header));
	return r;
}

static int add_rendered(const struct template *t, const json_t *value, struct strv *lines,
			struct error **err)
{
	_cleanup_strbuf_ struct strbuf line = {0};
	int r;

	strbuf_adds(&line, "");
	r = template_render(t, value, &line, err);
	if (!r && strv_add(lines, line.text))
		r = error_errno(err, ENOMEM, "print a list");
	return r;
}

static int print_templated(const struct listing *l, const char *format, bool is_table,
			   const json_t *rows, struct error **err)
{
	_cleanup_template_ struct template *t = NULL;
	_cleanup_free_ char *text = unescape(format);
	_cleanup_strv_ struct strv lines = {0};
	_cleanup_json_ json_t *headers = json_object();
	int r;

	if (!text || !headers || add_headers(headers, l->columns) ||
	    add_headers(headers, l->fields))
		return error_errno(err, ENOMEM, "print a list");
	r = template_parse(text, &t, err);
	if (!r && is_table && !l->has_no_heading)
		r = add_rendered(t, headers, &lines, err);
	for (size_t i = 0; i < json_array_size(rows) && r == 0; i++)
		r = add_rendered(t, json_array_get(rows, i), &lines, err);
	if (r)
		return r;
	if (is_table)
		return align(&lines, err);
	for (size_t i = 0; i < lines.count; i++)
		printf("%s\n", lines.items[i]);
	return 0;
}

static int print_json(const json_t *rows, struct error **err)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (json_dumpf(json_array_get(rows, i), stdout, JSON_COMPACT) < 0 ||
		    putchar('\n') == EOF)
			return error_errno(err, errno ? errno : EIO, "write to standard output");
	return 0;
}

int listing_print(const struct listing *l, const json_t *rows, struct error **err)
{
	const char *format = l->format;

	if (!format || !*format || strcmp(format, "table") == 0)
		return print_table(l, rows, err);
	if (strcmp(format, "json") == 0)
		return print_json(rows, err);
	if (str_starts(format, "table "))
		return print_templated(l, format + strspn(format + 5, " \t") + 5, true, rows, err);
	return print_templated(l, format, false, rows, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error objects: one line of text and an errno. See error.h. */
#include <stdarg.h>
#include <string.h>

#include "base/error.h"

/* Stands in when there is no memory for the real text: never freed. */
static struct error out_of_memory = {.code = ENOMEM, .message = (char *)"out of memory"};

static void replace(struct error **err, int code, char *message)
{
	struct error *e;

	if (!err) {
		free(message);
		return;
	}
	e = message ? malloc(sizeof *e) : NULL;
	if (!e) {
		free(message);
		error_free(*err);
		*err = &out_of_memory;
		return;
	}
	*e = (struct error){.code = code, .message = message};
	error_free(*err);
	*err = e;
}

int error_errno(struct error **err, int code, const char *format, ...)
{
	_cleanup_free_ char *what = NULL;
	char *message = NULL;
	va_list ap;

	if (!err)
		return -code;
	va_start(ap, format);
	if (vasprintf(&what, format, ap) < 0)
		what = NULL;
	va_end(ap);
	if (what && asprintf(&message, "%s: %s", what, strerror(code)) < 0)
		message = NULL;
	replace(err, code, message);
	return -code;
}

int error_set(struct error **err, int code, const char *format, ...)
{
	char *message = NULL;
	va_list ap;

	if (!err)
		return -code;
	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	replace(err, code, message);
	return -code;
}

int error_prefix(struct error **err, const char *format, ...)
{
	_cleanup_free_ char *prefix = NULL;
	char *message = NULL;
	va_list ap;
	int code;

	if (!err || !*err)
		return -EINVAL;
	code = (*err)->code;
	va_start(ap, format);
	if (vasprintf(&prefix, format, ap) < 0)
		prefix = NULL;
	va_end(ap);
	if (prefix && asprintf(&message, "%s: %s", prefix, (*err)->message) < 0)
		message = NULL;
	replace(err, code, message);
	return -code;
}

const char *error_text(const struct error *err)
{
	return err ? err->message : "unknown error";
}

void error_free(struct error *err)
{
	if (!err || err == &out_of_memory)
		return;
	free(err->message);
	free(err);
}

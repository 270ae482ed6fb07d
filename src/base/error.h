/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors of library code.
 *
 * A function that can fail returns 0 (or something non-negative) on success, or a negative errno, and
 * then *err holds one line: what was being done, to what, and why. Callers add context in front with
 * error_prefix(). err may be NULL when the caller needs only the number. Only cli/ and a forked
 * child's last lines turn an error into text or an exit code. */
#ifndef DHOW_BASE_ERROR_H
#define DHOW_BASE_ERROR_H

#include "base/cleanup.h"

struct error {
	int code; /* errno, positive */
	char *message;
};

/* Makes *err say FORMAT, then ": " and the text of errno code (a positive errno).
 * An error that is already there is replaced. Returns -code. */
int error_errno(struct error **err, int code, const char *format, ...) _printf_(3, 4);

/* The same without errno's text, for errors that explain themselves. Returns -code. */
int error_set(struct error **err, int code, const char *format, ...) _printf_(3, 4);

/* Puts "FORMAT: " in front of the message. Returns -(*err)->code, or -EINVAL where there is none. */
int error_prefix(struct error **err, const char *format, ...) _printf_(2, 3);

/* The message, or a fixed text where err is NULL. Owned by err. */
const char *error_text(const struct error *err);

void error_free(struct error *err);

static inline void error_freep(struct error **err)
{
	error_free(*err);
	*err = NULL;
}
#define _cleanup_error_ _cleanup_(error_freep)

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one strict parser for integers that come from outside. Whole string, decimal unless told
 * otherwise, no sign tricks, no white space, range checked. */
#ifndef DHOW_BASE_NUMBER_H
#define DHOW_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Each returns 0, -EINVAL where text is not such a number, or -ERANGE. *out is untouched on error. */
int parse_u64(const char *text, uint64_t max, uint64_t *out);
int parse_i64(const char *text, int64_t min, int64_t max, int64_t *out);
int parse_octal(const char *text, uint64_t max, uint64_t *out);

/* A size with an optional binary unit: b, k, m, g, t, p in either case, and "kb", "kib" and so on
 * (docker's RAMInBytes). Fractions such as 1.5g are taken. Bytes. */
int parse_bytes(const char *text, uint64_t *out);

/* A duration in Go's notation such as 5s, 1m30s, 250ms. Milliseconds. A plain number is -EINVAL. */
int parse_duration_ms(const char *text, uint64_t *out_ms);

#endif

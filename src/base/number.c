/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strict number parsing. See number.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

static int parse_digits(const char *text, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!text || !*text)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (*p < '0' || digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return -ERANGE;
	}
	if (value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int parse_u64(const char *text, uint64_t max, uint64_t *out)
{
	return parse_digits(text, 10, max, out);
}

int parse_octal(const char *text, uint64_t max, uint64_t *out)
{
	return parse_digits(text, 8, max, out);
}

int parse_i64(const char *text, int64_t min, int64_t max, int64_t *out)
{
	uint64_t magnitude;
	int64_t value;
	int r;

	if (!text || *text != '-') {
		r = parse_digits(text, 10, INT64_MAX, &magnitude);
		value = r ? 0 : (int64_t)magnitude;
	} else {
		r = parse_digits(text + 1, 10, (uint64_t)INT64_MAX + 1, &magnitude);
		value = r ? 0 : (int64_t)(0 - magnitude);
	}
	if (r)
		return r;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* Reads "12" or "12.5" as a number of thousandths; *end is behind it. */
static int parse_decimal(const char *text, uint64_t *out_milli, const char **end)
{
	uint64_t value = 0, scale = 1000;
	const char *p = text;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	if (__builtin_mul_overflow(value, (uint64_t)1000, &value))
		return -ERANGE;
	if (*p == '.') {
		if (p[1] < '0' || p[1] > '9')
			return -EINVAL;
		for (p++; *p >= '0' && *p <= '9'; p++) {
			scale /= 10;
			if (__builtin_add_overflow(value, scale * (uint64_t)(*p - '0'), &value))
				return -ERANGE;
		}
	}
	*out_milli = value;
	*end = p;
	return 0;
}

int parse_bytes(const char *text, uint64_t *out)
{
	static const char units[] = "bkmgtp";
	unsigned __int128 bytes;
	uint64_t milli, whole;
	const char *unit, *at;
	unsigned shift = 0;
	int r;

	if (!text)
		return -EINVAL;
	/* Without a unit the whole 64-bit range is wanted, which thousandths can't hold. */
	if (parse_u64(text, UINT64_MAX, &whole) == 0) {
		*out = whole;
		return 0;
	}
	r = parse_decimal(text, &milli, &unit);
	if (r)
		return r;
	if (*unit == ' ')
		unit++;
	if (*unit) {
		at = strchr(units, *unit | 0x20);
		if (!at)
			return -EINVAL;
		shift = (unsigned)(at - units) * 10;
		if (unit[1] && (shift == 0 || (strcasecmp(unit + 1, "b") != 0 &&
					       strcasecmp(unit + 1, "ib") != 0)))
			return -EINVAL;
	}
	bytes = ((unsigned __int128)milli << shift) / 1000;
	if (bytes > UINT64_MAX)
		return -ERANGE;
	*out = (uint64_t)bytes;
	return 0;
}

int parse_duration_ms(const char *text, uint64_t *out_ms)
{
	static const struct {
		const char *name;
		uint64_t microseconds;
	} units[] = {{"ms", 1000}, {"us", 1}, {"h", 3600000000}, {"m", 60000000}, {"s", 1000000}};
	uint64_t total_us = 0;

	if (!text || !*text)
		return -EINVAL;
	if (strcmp(text, "0") == 0) {
		*out_ms = 0;
		return 0;
	}
	while (*text) {
		uint64_t milli, us;
		const char *unit;
		size_t i;
		int r = parse_decimal(text, &milli, &unit);

		if (r)
			return r;
		for (i = 0; i < sizeof units / sizeof units[0]; i++)
			if (strncmp(unit, units[i].name, strlen(units[i].name)) == 0)
				break;
		if (i == sizeof units / sizeof units[0])
			return -EINVAL;
		if (__builtin_mul_overflow(milli, units[i].microseconds, &us) ||
		    __builtin_add_overflow(total_us, us / 1000, &total_us))
			return -ERANGE;
		text = unit + strlen(units[i].name);
	}
	*out_ms = total_us / 1000;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as JSON documents have them. RFC 3339; Go's time.RFC3339Nano. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "image/manifest.h"

static bool digits(const char **at, int count, int *out)
{
	*out = 0;
	for (; count; count--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*out = *out * 10 + (**at - '0');
	}
	return true;
}

static bool literal(const char **at, char c)
{
	return *(*at)++ == c;
}

static bool fraction(const char **at, int64_t *ns)
{
	int64_t unit = 100000000;

	*ns = 0;
	if (**at != '.')
		return true;
	(*at)++;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
		*ns += unit * (**at - '0');
	return true;
}

static bool zone(const char **at, int *seconds)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*seconds = 0;
	if (**at == 'Z' || **at == 'z') {
		(*at)++;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	(*at)++;
	if (!digits(at, 2, &hours) || !literal(at, ':') || !digits(at, 2, &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

int time_parse_rfc3339(const char *text, int64_t *ns)
{
	struct tm tm = {0};
	int64_t part;
	int offset;
	time_t seconds;
	bool ok = digits(&text, 4, &tm.tm_year) && literal(&text, '-') &&
		  digits(&text, 2, &tm.tm_mon) && literal(&text, '-') &&
		  digits(&text, 2, &tm.tm_mday) && (*text == 'T' || *text == 't');

	if (!ok)
		return -EINVAL;
	text++;
	ok = digits(&text, 2, &tm.tm_hour) && literal(&text, ':') && digits(&text, 2, &tm.tm_min) &&
	     literal(&text, ':') && digits(&text, 2, &tm.tm_sec) && fraction(&text, &part) &&
	     zone(&text, &offset) && !*text;
	if (!ok || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm) - offset;
	/* What 64 bits of nanoseconds hold: the years 1677 to 2262. Go's zero time, year 1, is absence. */
	if (seconds > INT64_MAX / 1000000000 - 1 || seconds < INT64_MIN / 1000000000 + 1) {
		*ns = 0;
		return 0;
	}
	*ns = (int64_t)seconds * 1000000000 + part;
	return 0;
}

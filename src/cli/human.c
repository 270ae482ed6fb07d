/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and times as docker's go-units writes them. */
#include <time.h>

#include "cli/listing.h"

/* In hours. */
#define WEEK  168
#define MONTH 720
#define YEAR  8760

void human_size(double bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	size_t unit = 0;

	while (bytes >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		bytes /= 1000;
		unit++;
	}
	snprintf(buf, size, "%.3g%s", bytes, units[unit]);
	/* %g would write 1e+03 for what rounds up to a thousand. */
	if (strchr(buf, 'e'))
		snprintf(buf, size, "%.0f%s", bytes, units[unit]);
}

void human_duration(int64_t s, char *buf, size_t size)
{
	int64_t hours = (s + 1800) / 3600;

	if (s < 1)
		snprintf(buf, size, "Less than a second");
	else if (s == 1)
		snprintf(buf, size, "1 second");
	else if (s < 60)
		snprintf(buf, size, "%jd seconds", (intmax_t)s);
	else if (s < 120)
		snprintf(buf, size, "About a minute");
	else if (s < 3600)
		snprintf(buf, size, "%jd minutes", (intmax_t)(s / 60));
	else if (hours == 1)
		snprintf(buf, size, "About an hour");
	else if (hours < 48)
		snprintf(buf, size, "%jd hours", (intmax_t)hours);
	else if (hours < 2L * WEEK)
		snprintf(buf, size, "%jd days", (intmax_t)(hours / 24));
	else if (hours < 2L * MONTH)
		snprintf(buf, size, "%jd weeks", (intmax_t)(hours / WEEK));
	else if (hours < 2L * YEAR)
		snprintf(buf, size, "%jd months", (intmax_t)(hours / MONTH));
	else
		snprintf(buf, size, "%jd years", (intmax_t)(s / 3600 / 24 / 365));
}

void human_time(int64_t ns, char *buf, size_t size)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	if (ns < 0 && ns % 1000000000)
		seconds--;
	gmtime_r(&seconds, &tm);
	strftime(buf, size, "%Y-%m-%d %H:%M:%S +0000 UTC", &tm);
}

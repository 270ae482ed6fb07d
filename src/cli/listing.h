/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists as docker prints them: aligned columns, a template per row, or one JSON object per line. */
#ifndef DHOW_CLI_LISTING_H
#define DHOW_CLI_LISTING_H

#include "base/base.h"

struct listing_column {
	const char *header; /* "IMAGE ID" */
	const char *field;  /* of the rows' objects */
};
struct listing {
	const struct listing_column *columns; /* of the default table, ended by an empty entry */
	const struct listing_column *
		fields; /* headers of further fields, for "table {{.X}}"; ended by an empty entry, or NULL */
	const char *format; /* NULL, "table", "table TEMPLATE", "json" or TEMPLATE */
	bool has_no_heading;
};
/* rows is an array of objects. Writes to standard output. */
int listing_print(const struct listing *l, const json_t *rows, struct error **err);

/* docker's units.HumanSize: "117MB", "1.02kB". */
void human_size(double bytes, char *buf, size_t size);
/* docker's units.HumanDuration: "2 weeks", "About a minute". */
void human_duration(int64_t seconds, char *buf, size_t size);
/* A time (ns since 1970) as docker's CreatedAt: "2020-01-02 03:04:05 +0000 UTC". */
void human_time(int64_t ns, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a class's schemata say what a configuration asks for. Runtime specification, "IntelRdt";
 * Documentation/filesystems/resctrl.rst, "Schemata files".
 *
 * A line is a resource and its domains, as in "L3:0=7ff;1=0f". The kernel answers in its own shape: with blanks in
 * front, all domains, leading zeros, and bandwidth rounded up to its steps. So numbers are compared, and only
 * those of the domains asked for. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "runtime/rdt_internal.h"

/* The text behind "RESOURCE:" in the lines, or NULL. resource includes the colon. */
static const char *line_of(const char *lines, const char *resource, size_t length)
{
	while (*lines) {
		lines += strspn(lines, " \t\n");
		if (strncmp(lines, resource, length) == 0)
			return lines + length;
		lines += strcspn(lines, "\n");
	}
	return NULL;
}

/* Takes "domain=value" from the cursor, and the separator behind it. */
static bool next_domain(const char **cursor, unsigned base, unsigned long *domain,
			unsigned long *value)
{
	char *end;

	*domain = strtoul(*cursor, &end, 10);
	if (end == *cursor || *end != '=')
		return false;
	*cursor = end + 1;
	*value = strtoul(*cursor, &end, (int)base);
	if (end == *cursor)
		return false;
	*cursor = end + strspn(end, "; \t\r");
	return true;
}

static bool has_domain(const char *line, unsigned base, unsigned long domain, unsigned long value)
{
	unsigned long there, its_value;

	while (*line && *line != '\n' && next_domain(&line, base, &there, &its_value))
		if (there == domain)
			return its_value == value;
	return false;
}

static bool line_matches(const char *wanted, const char *actual, unsigned long bandwidth_step)
{
	size_t length = strcspn(wanted, ":\n");
	bool is_bandwidth = strncmp(wanted, "MB:", 3) == 0;
	unsigned base = is_bandwidth ? 10 : 16;
	const char *line;

	if (wanted[length] != ':')
		return false;
	line = line_of(actual, wanted, ++length);
	wanted += length;
	if (!line)
		return false;
	while (*wanted && *wanted != '\n') {
		unsigned long domain, value;

		if (!next_domain(&wanted, base, &domain, &value))
			return false;
		if (is_bandwidth && bandwidth_step > 1 && value % bandwidth_step != 0)
			value += bandwidth_step - value % bandwidth_step;
		if (!has_domain(line, base, domain, value))
			return false;
	}
	return true;
}

bool rdt_schemata_match(const char *wanted, const char *actual, unsigned long bandwidth_step)
{
	for (; *wanted; wanted += *wanted == '\n') {
		if (*wanted != '\n' && !line_matches(wanted, actual, bandwidth_step))
			return false;
		wanted += strcspn(wanted, "\n");
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where rdt.c looks for the resctrl file system, and what it asks rdt_schemata.c. */
#ifndef DHOW_RUNTIME_RDT_INTERNAL_H
#define DHOW_RUNTIME_RDT_INTERNAL_H

#include <stdbool.h>

/* Used in place of the mounted resctrl when not NULL: the tests' way to a directory of theirs. */
extern const char *rdt_root_override;

/* True when each domain of each wanted line has its value in the actual lines, those of a schemata file.
 * bandwidth_step is what the kernel rounds MB up to, in percent; 0 and 1 are none. */
bool rdt_schemata_match(const char *wanted, const char *actual, unsigned long bandwidth_step);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where rdt.c looks for the resctrl file system. */
#ifndef DHOW_RUNTIME_RDT_INTERNAL_H
#define DHOW_RUNTIME_RDT_INTERNAL_H

/* Used in place of the mounted resctrl when not NULL: the tests' way to a directory of theirs. */
extern const char *rdt_root_override;

#endif

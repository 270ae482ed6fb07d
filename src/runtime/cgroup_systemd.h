/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container asks of systemd, as the arguments of dhow-systemd (src/systemd/README.md),
 * "[VERSION:]NAME=TYPE:VALUE": names of units, limits, annotations. systemd.resource-control(5),
 * org.freedesktop.systemd1(5). All functions return 0 or a negative errno with *err filled in. */
#ifndef DHOW_RUNTIME_CGROUP_SYSTEMD_H
#define DHOW_RUNTIME_CGROUP_SYSTEMD_H

#include "runtime/cgroup.h"

/* --- Units (cgroup_systemd_units.c) ---------------------------------------------------------------- */

/* linux.cgroupsPath, "SLICE:PREFIX:NAME", to the unit "PREFIX-NAME.scope" in SLICE; NAME may itself end in
 * ".slice", and is the unit then. No SLICE is system.slice (a normal user's: user.slice); no path is
 * ":dhow:ID". Caller frees both. */
int systemd_unit_name(const struct cgroup_opts *opts, char **slice, char **unit,
		      struct error **err);
/* "a-b.slice" to "a.slice/a-b.slice", "-.slice" to "". Caller frees *path. systemd.slice(5). */
int systemd_expand_slice(const char *slice, char **path, struct error **err);
bool systemd_is_slice(const char *unit);

struct systemd_start {
	const char *id, *unit, *slice;
	pid_t pid;
	bool is_v2;
};
/* Adds what a new unit is made with, but for its limits. */
int systemd_add_unit(struct strv *properties, const struct systemd_start *start,
		     struct error **err);

/* --- Limits (cgroup_systemd_properties.c) ---------------------------------------------------------- */

/* Whose limits they are. */
struct systemd_limits {
	bool is_v2;
	bool is_user; /* a user's systemd may load no device program */
	bool is_update;
};

/* Adds the properties that hold what resources give, so that systemd, when it writes a cgroup's files
 * again (daemon-reload), writes the same. What systemd has no property for is left out: the files are
 * written too. */
int systemd_add_resources(struct strv *properties, const struct spec_resources *resources,
			  const struct systemd_limits *limits, struct error **err);

/* --- Annotations (cgroup_systemd_variant.c) -------------------------------------------------------- */

/* Adds the annotations org.systemd.property.NAME, whose values are GVariant text such as "uint64 5",
 * "true" or "'text'". NAME ending in Sec becomes USec, and its number microseconds. */
int systemd_add_annotations(struct strv *properties, const struct spec_pairs *annotations,
			    struct error **err);
/* GVariant text (booleans, numbers, strings, arrays of strings) to "TYPE:VALUE". Caller frees *out. */
int systemd_parse_variant(const char *text, char **out, struct error **err);

#endif

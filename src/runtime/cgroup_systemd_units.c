/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of systemd's units and slices, and what a container's unit is made with.
 *
 * A slice's name tells its place: a-b.slice is in a.slice, which is in the root slice "-.slice". A scope may
 * be in any. The names come from config.json, and become paths of cgroups: they hold what systemd allows
 * in a unit's name and nothing else, so neither slashes nor "..". systemd.unit(5), systemd.slice(5). */
#include <string.h>

#include "runtime/cgroup_systemd.h"

#define NAME_MAX_LENGTH 255
#define SLICE_SUFFIX    ".slice"
#define DEFAULT_PREFIX  "dhow"

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), n = strlen(suffix);

	return length > n && strcmp(text + length - n, suffix) == 0;
}

bool systemd_is_slice(const char *unit)
{
	return has_suffix(unit, SLICE_SUFFIX);
}

static int check_name(const char *name, struct error **err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:_.\\-";
	size_t good = strspn(name, allowed);

	if (name[good])
		return error_set(err, EINVAL,
				 "linux.cgroupsPath: \"%s\" is no name of a systemd unit: it has a "
				 "\"%c\"",
				 name, name[good]);
	if (good > NAME_MAX_LENGTH)
		return error_set(err, ENAMETOOLONG,
				 "linux.cgroupsPath: \"%.40s...\" is no name of a systemd unit: it "
				 "is longer than %d characters",
				 name, NAME_MAX_LENGTH);
	return 0;
}

int systemd_expand_slice(const char *slice, char **path, struct error **err)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	size_t end, length = strlen(slice);

	if (!systemd_is_slice(slice))
		return error_set(err, EINVAL,
				 "linux.cgroupsPath: \"%s\" is no slice's name (NAME.slice)",
				 slice);
	length -= strlen(SLICE_SUFFIX);
	if (length == 1 && slice[0] == '-') {
		*path = strdup("");
		return *path ? 0 : error_errno(err, ENOMEM, "slice %s", slice);
	}
	for (size_t start = 0; start <= length; start = end + 1) {
		const char *dash = memchr(slice + start, '-', length - start);

		end = dash ? (size_t)(dash - slice) : length;
		if (end == start)
			return error_set(err, EINVAL,
					 "linux.cgroupsPath: \"%s\" is no slice's name: a part "
					 "between dashes is empty",
					 slice);
		strbuf_adds(&out, start > 0 ? "/" : "");
		strbuf_add(&out, slice, end);
		strbuf_adds(&out, SLICE_SUFFIX);
	}
	*path = strbuf_take(&out);
	return *path ? 0 : error_errno(err, ENOMEM, "slice %s", slice);
}

/* The slice that the name of a slice puts it in. NULL when memory runs out. */
static char *parent_of(const char *slice)
{
	const char *dash = strrchr(slice, '-');
	char *parent = NULL;

	if (!dash)
		return strdup("-" SLICE_SUFFIX);
	return asprintf(&parent, "%.*s" SLICE_SUFFIX, (int)(dash - slice), slice) < 0 ? NULL
										      : parent;
}

/* SLICE, PREFIX and NAME, borrowed from copy, which is cut up. */
static int split_path(char *copy, const char *path, const char *parts[3], struct error **err)
{
	for (size_t i = 0; i < 3; i++)
		parts[i] = strsep(&copy, ":");
	if (!parts[2] || copy || !*parts[2])
		return error_set(err, EINVAL,
				 "linux.cgroupsPath: with --systemd-cgroup it must be of the form "
				 "\"SLICE:PREFIX:NAME\", not \"%s\"",
				 path);
	return 0;
}

static int name_slice(const char *given, const char *name, char **slice, char **unit,
		      struct error **err)
{
	*unit = strdup(name);
	*slice = parent_of(name);
	if (!*unit || !*slice)
		return error_errno(err, ENOMEM, "name systemd's unit");
	if (*given && strcmp(given, *slice) != 0)
		return error_set(err, EINVAL,
				 "linux.cgroupsPath: by its name %s is in %s, not in %s", name,
				 *slice, given);
	return 0;
}

static int name_scope(const char *prefix, const char *name, char **unit, struct error **err)
{
	if (asprintf(unit, "%s%s%s.scope", prefix, *prefix ? "-" : "", name) < 0) {
		*unit = NULL;
		return error_errno(err, ENOMEM, "name systemd's unit");
	}
	return 0;
}

int systemd_unit_name(const struct cgroup_opts *opts, char **slice, char **unit, struct error **err)
{
	const char *path = opts->cgroups_path ? opts->cgroups_path : "";
	const char *parts[3] = {"", DEFAULT_PREFIX, opts->id};
	_cleanup_free_ char *copy = strdup(path), *place = NULL;
	int r = 0;

	if (!copy)
		return error_errno(err, ENOMEM, "name systemd's unit");
	if (*path)
		r = split_path(copy, path, parts, err);
	if (r == 0 && *path && systemd_is_slice(parts[2]))
		r = name_slice(parts[0], parts[2], slice, unit, err);
	else if (r == 0)
		r = name_scope(parts[1], parts[2], unit, err);
	if (r == 0 && !*slice) {
		const char *fallback = opts->is_rootless ? "user.slice" : "system.slice";

		*slice = strdup(*parts[0] ? parts[0] : fallback);
		r = *slice ? 0 : error_errno(err, ENOMEM, "name systemd's unit");
	}
	if (r == 0)
		r = check_name(*slice, err);
	if (r == 0)
		r = check_name(*unit, err);
	/* Whether it is a slice's name at all. */
	return r ? r : systemd_expand_slice(systemd_is_slice(*unit) ? *unit : *slice, &place, err);
}

int systemd_add_unit(struct strv *properties, const struct systemd_start *start, struct error **err)
{
	static const char *const all[] = {
		"MemoryAccounting=b:true",
		"CPUAccounting=b:true",
		"TasksAccounting=b:true",
		/* Not stopped before the others at shutdown, nor after the root is there only. */
		"DefaultDependencies=b:false",
	};
	int r = strv_addf(properties, "Description=s:container %s", start->id);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(all); i++)
		r = strv_add(properties, all[i]);
	if (r == 0)
		r = strv_add(properties,
			     start->is_v2 ? "IOAccounting=b:true" : "BlockIOAccounting=b:true");
	/* A slice's place is in its name; it takes no processes of systemd's, and isn't delegated. */
	if (r == 0 && !systemd_is_slice(start->unit)) {
		r = strv_addf(properties, "Slice=s:%s", start->slice);
		r = r ? r : strv_add(properties, "Delegate=b:true");
		r = r ? r : strv_addf(properties, "PIDs=au:%d", start->pid);
	}
	return r ? error_errno(err, ENOMEM, "start %s", start->unit) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host has mounted of control groups, and where this process is in them.
 *
 * cgroup2 at /sys/fs/cgroup is told by one statfs(2). v1 hierarchies, which /proc/self/cgroup lists, are
 * looked for where everybody mounts them, in a directory of the controllers' name. Only where one isn't there
 * as a whole (a container's view, a host that mounts elsewhere) /proc/self/mountinfo is read, for which
 * the kernel needs 2 us a mount, a millisecond on a host with many containers: each hierarchy is
 * matched with the mount whose super options name its controllers. One that is mounted more than once
 * counts where it is below /sys/fs/cgroup. */
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kernel/cgroup.h"

#define CGROUP_ROOT     "/sys/fs/cgroup"
#define CGROUP_FILE_MAX (1 << 20)
#define MOUNTINFO_MAX   (64 << 20)

/* One line of mountinfo, as far as it matters; points into the text, which is cut up. */
struct mount_line {
	char *root, *mount_point, *type, *super_options;
};

bool cgroup_controllers_have(const char *controllers, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = controllers; *p;) {
		size_t n = strcspn(p, ",");

		if (n == length && memcmp(p, name, n) == 0)
			return true;
		p += n;
		p += *p == ',';
	}
	return *controllers == '\0' && length == 0;
}

/* mountinfo writes blanks and backslashes as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to++ = *p++;
		}
	}
	*to = '\0';
}

/* Cuts "36 35 98:0 /root /point options [optional]... - type source super" into *out. */
static bool split_mount_line(char *line, struct mount_line *out)
{
	char *fields[6], *save = NULL;
	char *tail = strstr(line, " - ");

	if (!tail)
		return false;
	*tail = '\0';
	for (size_t i = 0; i < 5; i++) {
		fields[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (!fields[i])
			return false;
	}
	out->root = fields[3];
	out->mount_point = fields[4];
	out->type = strtok_r(tail + 3, " ", &save);
	if (!out->type || !strtok_r(NULL, " ", &save))
		return false;
	out->super_options = strtok_r(NULL, " ", &save);
	if (!out->super_options)
		out->super_options = (char *)"";
	unescape(out->root);
	unescape(out->mount_point);
	return true;
}

static struct cgroup_hierarchy *find_unmounted(struct cgroup_host *host, const struct mount_line *m)
{
	bool is_unified = strcmp(m->type, "cgroup2") == 0;

	for (size_t i = 0; i < host->count; i++) {
		struct cgroup_hierarchy *h = &host->hierarchies[i];
		char first[64];
		size_t n = strcspn(h->controllers, ",");

		if (h->is_unified != is_unified)
			continue;
		if (is_unified)
			return h;
		if (n == 0 || n >= sizeof first)
			continue;
		memcpy(first, h->controllers, n);
		first[n] = '\0';
		if (cgroup_controllers_have(m->super_options, first))
			return h;
	}
	return NULL;
}

static int take_mount(struct cgroup_host *host, const struct mount_line *m)
{
	struct cgroup_hierarchy *h = find_unmounted(host, m);
	char *root, *point;

	if (!h)
		return 0;
	if (h->mount_point && strcmp(h->mount_point, m->mount_point) != 0 &&
	    (str_starts(h->mount_point, CGROUP_ROOT) || !str_starts(m->mount_point, CGROUP_ROOT)))
		return 0;
	root = strdup(m->root);
	point = strdup(m->mount_point);
	if (!root || !point) {
		free(root);
		free(point);
		return -ENOMEM;
	}
	free(h->root);
	free(h->mount_point);
	h->root = root;
	h->mount_point = point;
	return 0;
}

static void clear_hierarchy(struct cgroup_hierarchy *h)
{
	free(h->controllers);
	free(h->mount_point);
	free(h->root);
	free(h->own_path);
}

void cgroup_host_clear(struct cgroup_host *host)
{
	for (size_t i = 0; i < host->count; i++)
		clear_hierarchy(&host->hierarchies[i]);
	free(host->hierarchies);
	*host = (struct cgroup_host){0};
}

/* "4:memory:/a/b" to a hierarchy without mount point. */
static int add_own_line(struct cgroup_host *host, char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	struct cgroup_hierarchy *h;

	if (!path)
		return 0;
	*path++ = '\0';
	controllers++;
	h = reallocarray(host->hierarchies, host->count + 1, sizeof *h);
	if (!h)
		return -ENOMEM;
	host->hierarchies = h;
	h += host->count;
	*h = (struct cgroup_hierarchy){
		.controllers = strdup(controllers),
		.own_path = strdup(path),
		.is_unified = *controllers == '\0',
	};
	host->count++;
	return h->controllers && h->own_path ? 0 : -ENOMEM;
}

static int each_line(struct cgroup_host *host, const char *text,
		     int (*take)(struct cgroup_host *, char *))
{
	_cleanup_free_ char *copy = strdup(text);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	if (!copy)
		return r;
	for (char *line = strtok_r(copy, "\n", &save); line && r == 0;
	     line = strtok_r(NULL, "\n", &save))
		r = take(host, line);
	return r;
}

static int take_mount_line(struct cgroup_host *host, char *line)
{
	struct mount_line m;

	/* Most lines are of other file systems. */
	if (!strstr(line, " - cgroup"))
		return 0;
	if (!split_mount_line(line, &m) ||
	    (strcmp(m.type, "cgroup") != 0 && strcmp(m.type, "cgroup2") != 0))
		return 0;
	return take_mount(host, &m);
}

static int set_whole_mount(struct cgroup_hierarchy *h, const char *mount_point)
{
	h->mount_point = strdup(mount_point);
	h->root = strdup("/");
	return h->mount_point && h->root ? 0 : -ENOMEM;
}

static int set_unified_root(struct cgroup_host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		if (host->hierarchies[i].is_unified)
			return set_whole_mount(&host->hierarchies[i], CGROUP_ROOT);
	}
	return 0;
}

/* The root directory of a hierarchy is inode 1 of its file system; a mount of less shows another. */
static bool is_whole_mount(const char *path, bool is_unified)
{
	struct statfs fs;
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_ino == 1 &&
	       statfs(path, &fs) == 0 &&
	       fs.f_type == (is_unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

/* Returns 1 when every v1 hierarchy is at its usual place, 0 when mountinfo must be read. */
static int find_usual_mounts(struct cgroup_host *host)
{
	int r = 0;

	for (size_t i = 0; i < host->count && r == 0; i++) {
		struct cgroup_hierarchy *h = &host->hierarchies[i];
		const char *name =
			str_starts(h->controllers, "name=") ? h->controllers + 5 : h->controllers;
		char path[128];
		int n = snprintf(path, sizeof path, CGROUP_ROOT "/%s",
				 h->is_unified ? "unified" : name);

		if (n >= (int)sizeof path || strchr(name, '/'))
			return 0;
		if (is_whole_mount(path, h->is_unified))
			r = set_whole_mount(h, path);
		else if (!h->is_unified || access(path, F_OK) == 0)
			return 0; /* "0::" is listed even where cgroup2 is mounted nowhere */
	}
	return r < 0 ? r : host->count > 1;
}

/* Forgets what isn't mounted, and on a v1 host a cgroup2 that somebody mounted elsewhere for himself. */
static void drop_unmounted(struct cgroup_host *host)
{
	bool has_v1 = false;
	size_t kept = 0;

	for (size_t i = 0; i < host->count; i++)
		has_v1 |= !host->hierarchies[i].is_unified && host->hierarchies[i].mount_point;
	for (size_t i = 0; i < host->count; i++) {
		struct cgroup_hierarchy *h = &host->hierarchies[i];

		if (!h->mount_point ||
		    (h->is_unified && has_v1 && !str_starts(h->mount_point, CGROUP_ROOT))) {
			clear_hierarchy(h);
			continue;
		}
		host->hierarchies[kept++] = *h;
	}
	host->count = kept;
}

static enum cgroup_layout tell_layout(const struct cgroup_host *host)
{
	bool has_v1 = false, has_v2 = false;

	for (size_t i = 0; i < host->count; i++) {
		has_v1 |= !host->hierarchies[i].is_unified;
		has_v2 |= host->hierarchies[i].is_unified;
	}
	if (has_v1)
		return has_v2 ? CGROUP_HYBRID : CGROUP_V1;
	return has_v2 ? CGROUP_V2 : CGROUP_NONE;
}

/* Ends the search: r is its result, and *host is cleared where that is an error. */
static int finish(struct cgroup_host *host, int r, struct error **err)
{
	if (r < 0) {
		cgroup_host_clear(host);
		return error_errno(err, -r, "look for cgroup mounts");
	}
	drop_unmounted(host);
	host->layout = tell_layout(host);
	return 0;
}

int cgroup_host_parse(const char *mountinfo, const char *own, struct cgroup_host *out,
		      struct error **err)
{
	int r;

	*out = (struct cgroup_host){0};
	r = each_line(out, own, add_own_line);
	if (r == 0)
		r = mountinfo ? each_line(out, mountinfo, take_mount_line) : set_unified_root(out);
	return finish(out, r, err);
}

static int look(struct cgroup_host *host, struct error **err)
{
	_cleanup_free_ char *mountinfo = NULL, *own = NULL;
	struct statfs fs;
	int r = file_read_at(AT_FDCWD, "/proc/self/cgroup", CGROUP_FILE_MAX, &own, NULL, err);

	if (r == -ENOENT) {
		/* A kernel without cgroups, or no procfs. */
		if (err)
			error_freep(err);
		return cgroup_host_parse(NULL, "", host, err);
	}
	if (r < 0)
		return r;
	if (statfs(CGROUP_ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		return cgroup_host_parse(NULL, own, host, err);
	r = each_line(host, own, add_own_line);
	if (r == 0)
		r = find_usual_mounts(host);
	if (r != 0)
		return finish(host, r, err);
	cgroup_host_clear(host);
	r = file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mountinfo, NULL, err);
	return r < 0 ? r : cgroup_host_parse(mountinfo, own, host, err);
}

int cgroup_host_get(const struct cgroup_host **out, struct error **err)
{
	static struct cgroup_host host;
	static bool is_known;

	if (!is_known) {
		int r = look(&host, err);

		if (r < 0)
			return r;
		is_known = true;
	}
	*out = &host;
	return 0;
}

const struct cgroup_hierarchy *cgroup_host_find(const struct cgroup_host *host,
						const char *controller)
{
	for (size_t i = 0; i < host->count; i++) {
		if (cgroup_controllers_have(host->hierarchies[i].controllers, controller))
			return &host->hierarchies[i];
	}
	return NULL;
}

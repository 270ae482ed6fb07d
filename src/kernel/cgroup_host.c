/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host has mounted of control groups, and where this process is in them.
 *
 * cgroup2 at /sys/fs/cgroup is told by one statfs(2). Everything else is read from /proc/self/mountinfo,
 * once: each hierarchy of /proc/self/cgroup is matched with the mount whose super options name its
 * controllers. A hierarchy that is mounted more than once counts where it is below /sys/fs/cgroup. */
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "kernel/cgroup.h"

#define CGROUP_ROOT     "/sys/fs/cgroup"
#define CGROUP_FILE_MAX (1 << 20)

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

static int set_unified_root(struct cgroup_host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		struct cgroup_hierarchy *h = &host->hierarchies[i];

		if (!h->is_unified)
			continue;
		h->mount_point = strdup(CGROUP_ROOT);
		h->root = strdup("/");
		return h->mount_point && h->root ? 0 : -ENOMEM;
	}
	return 0;
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

int cgroup_host_parse(const char *mountinfo, const char *own, struct cgroup_host *out,
		      struct error **err)
{
	struct cgroup_host host = {0};
	int r = each_line(&host, own, add_own_line);

	if (r == 0)
		r = mountinfo ? each_line(&host, mountinfo, take_mount_line)
			      : set_unified_root(&host);
	if (r < 0) {
		cgroup_host_clear(&host);
		return error_errno(err, -r, "look for cgroup mounts");
	}
	drop_unmounted(&host);
	host.layout = tell_layout(&host);
	*out = host;
	return 0;
}

int cgroup_host_get(const struct cgroup_host **out, struct error **err)
{
	static struct cgroup_host host;
	static bool is_known;
	_cleanup_free_ char *mountinfo = NULL, *own = NULL;
	struct statfs fs;
	int r;

	if (is_known) {
		*out = &host;
		return 0;
	}
	r = file_read_at(AT_FDCWD, "/proc/self/cgroup", CGROUP_FILE_MAX, &own, NULL, err);
	if (r == -ENOENT) {
		/* A kernel without cgroups, or no procfs. */
		error_freep(err ? err : &(struct error *){NULL});
		own = strdup("");
		r = own ? 0 : error_errno(err, ENOMEM, "look for cgroup mounts");
	}
	if (r < 0)
		return r;
	if (*own && (statfs(CGROUP_ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)) {
		r = file_read_at(AT_FDCWD, "/proc/self/mountinfo", 64 * CGROUP_FILE_MAX, &mountinfo,
				 NULL, err);
		if (r < 0)
			return r;
	}
	r = cgroup_host_parse(mountinfo, own, &host, err);
	if (r < 0)
		return r;
	is_known = true;
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

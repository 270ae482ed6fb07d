/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.intelRdt: the container's resctrl group. See attributes.h; runtime specification, "IntelRdt";
 * Documentation/filesystems/resctrl.rst.
 *
 * A class of service (CLOS) is a directory of resctrl. Without closID it is the container's own, named by
 * its id, and removed with it. With closID it may be shared: it must exist when no schema is given, is made
 * when one is, and is removed only by the container that made it; one that is there must have the schema asked
 * for already, or a container would change its neighbours' share. "/" is the root class, which always
 * is. With enableMonitoring the container gets a group of its own in the class's mon_groups. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "runtime/attributes.h"
#include "runtime/rdt_internal.h"

const char *rdt_root_override;

/* Mount points are escaped in mountinfo; ours to look for is where everybody mounts it, and without blanks. */
static char *find_root(void)
{
	_cleanup_file_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	if (rdt_root_override)
		return strdup(rdt_root_override);
	f = fopen("/proc/self/mountinfo", "re");
	while (f && getline(&line, &capacity, f) > 0) {
		_cleanup_free_ char *mount_point = NULL;
		const char *type = strstr(line, " - ");

		if (type && str_starts(type, " - resctrl ") &&
		    sscanf(line, "%*s %*s %*s %*s %ms", &mount_point) == 1)
			return TAKE_PTR(mount_point);
	}
	return NULL;
}

bool rdt_is_available(void)
{
	_cleanup_free_ char *root = find_root();

	return root != NULL;
}

static int open_root(char **root, struct error **err)
{
	*root = find_root();
	return *root ? 0
		     : error_set(err, ENOTSUP,
				 "linux.intelRdt: this host has no resctrl file system mounted");
}

/* The class as a path below resctrl, "" for the root class. A name is one component. Borrowed. */
static int class_name(const char *id, const char *clos_id, const char **out, struct error **err)
{
	const char *name = clos_id && *clos_id ? clos_id : id;

	if (strcmp(name, "/") == 0)
		name = "";
	else if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_set(err, EINVAL, "linux.intelRdt.closID: \"%s\" is no name", name);
	*out = name;
	return 0;
}

static char *join_path(const char *root, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", root, name) < 0 ? NULL : path;
}

/* What the kernel has against the last write, or "". */
static char *last_status(const char *root)
{
	_cleanup_free_ char *path = NULL, *text = NULL;

	if (asprintf(&path, "%s/info/last_cmd_status", root) < 0 ||
	    file_read_at(AT_FDCWD, path, 4096, &text, NULL, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text[0] && strcmp(text, "ok") != 0 ? TAKE_PTR(text) : NULL;
}

static int fail(const char *root, const char *what, const char *path, int code, struct error **err)
{
	_cleanup_free_ char *status = last_status(root);

	return status ? error_set(err, code, "linux.intelRdt: %s %s: %s (%s)", what, path,
				  strerror(code), status)
		      : error_errno(err, code, "linux.intelRdt: %s %s", what, path);
}

static int write_file(const char *root, const char *directory, const char *name, const char *value,
		      struct error **err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -1;
	uint64_t begin;
	int r;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return error_errno(err, ENOMEM, "linux.intelRdt");
	begin = trace_begin();
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
	trace_step(TRACE_PROCESS, begin, "write", r, "%s, %s", path, value);
	return r < 0 ? fail(root, "write", path, -r, err) : 0;
}

static int make_directory(const char *root, const char *path, bool *created, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = mkdir(path, 0755) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "mkdir", r, "%s", path);
	*created = r == 0;
	return r < 0 && r != -EEXIST ? fail(root, "create", path, -r, err) : 0;
}

static int remove_directory(const char *root, const char *path, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = rmdir(path) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "rmdir", r, "%s", path);
	return r < 0 && r != -ENOENT ? fail(root, "remove", path, -r, err) : 0;
}

/* Adds the lines of text but those that start with except (NULL: all). */
static void add_lines(struct strbuf *out, const char *text, const char *except)
{
	while (text && *text) {
		size_t length = strcspn(text, "\n");

		if (length && !(except && str_starts(text, except))) {
			strbuf_add(out, text, length);
			strbuf_adds(out, "\n");
		}
		text += length + (text[length] == '\n');
	}
}

/* Specification: memBwSchema wins over an MB line of l3CacheSchema. */
static void add_schemas(struct strbuf *out, const struct spec_intel_rdt *rdt)
{
	add_lines(out, rdt->l3_cache_schema, rdt->mem_bw_schema ? "MB:" : NULL);
	add_lines(out, rdt->mem_bw_schema, NULL);
}

/* Zero where the kernel does not round. */
static unsigned long bandwidth_step(const char *root)
{
	_cleanup_free_ char *path = join_path(root, "info/MB/bandwidth_gran"), *text = NULL;

	if (!path || file_read_at(AT_FDCWD, path, 64, &text, NULL, NULL) < 0)
		return 0;
	return strtoul(text, NULL, 10);
}

/* The class was there before: the two schemas must be its own. What "schemata" holds is written anyway. */
static int compare_schemas(const char *root, const char *directory,
			   const struct spec_intel_rdt *rdt, struct error **err)
{
	_cleanup_strbuf_ struct strbuf wanted = {0};
	_cleanup_free_ char *path = join_path(directory, "schemata"), *actual = NULL;
	int r;

	add_schemas(&wanted, rdt);
	if (wanted.failed || !path)
		return error_errno(err, ENOMEM, "linux.intelRdt");
	if (wanted.length == 0)
		return 0;
	r = file_read_at(AT_FDCWD, path, 1 << 20, &actual, NULL, err);
	if (r == 0 && !rdt_schemata_match(wanted.text, actual, bandwidth_step(root)))
		return error_set(err, EINVAL,
				 "linux.intelRdt.closID: \"%s\" exists with other schemata than "
				 "l3CacheSchema and memBwSchema",
				 rdt->clos_id);
	return r;
}

static int write_schemata(const char *root, const char *directory, const struct spec_intel_rdt *rdt,
			  struct error **err)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	add_schemas(&text, rdt);
	for (size_t i = 0; i < rdt->schemata.count; i++)
		add_lines(&text, rdt->schemata.items[i], NULL);
	if (text.failed)
		return error_errno(err, ENOMEM, "linux.intelRdt");
	return text.length ? write_file(root, directory, "schemata", text.text, err) : 0;
}

/* Makes the group, relative to resctrl, and puts the process into it. */
static int join_group(const char *root, const char *group, const char *pid, bool *created,
		      struct error **err)
{
	_cleanup_free_ char *path = join_path(root, group);
	int r;

	if (!path)
		return error_errno(err, ENOMEM, "linux.intelRdt");
	r = make_directory(root, path, created, err);
	return r == 0 ? write_file(root, path, "tasks", pid, err) : r;
}

/* Every class counts for itself; in a shared one it takes a group of one's own. */
static bool wants_monitor(const struct spec_intel_rdt *rdt)
{
	return rdt->enable_monitoring || (rdt->clos_id && (rdt->enable_cmt || rdt->enable_mbm));
}

static int fill_class(const char *root, const char *class, const struct spec_intel_rdt *rdt,
		      const char *pid, struct error **err)
{
	_cleanup_free_ char *path = join_path(root, class);
	int r;

	if (!path)
		return error_errno(err, ENOMEM, "linux.intelRdt");
	r = write_schemata(root, path, rdt, err);
	return r == 0 ? write_file(root, path, "tasks", pid, err) : r;
}

/* Makes the class where that is ours to do. */
static int make_class(const char *root, const char *class, const struct spec_intel_rdt *rdt,
		      bool *created, struct error **err)
{
	bool has_schema = rdt->l3_cache_schema || rdt->mem_bw_schema || rdt->schemata.count;
	_cleanup_free_ char *path = join_path(root, class);
	struct stat st;
	int r;

	*created = false;
	if (!path)
		return error_errno(err, ENOMEM, "linux.intelRdt");
	if (!rdt->clos_id || has_schema) {
		r = make_directory(root, path, created, err);
		if (r < 0)
			return r;
		return rdt->clos_id && !*created ? compare_schemas(root, path, rdt, err) : 0;
	}
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, ENOENT,
				 "linux.intelRdt.closID: \"%s\" must exist when no schema is given",
				 rdt->clos_id);
	return 0;
}

int rdt_create(const struct spec_intel_rdt *rdt, const char *id, pid_t pid, char **group,
	       struct error **err)
{
	_cleanup_free_ char *root = NULL, *monitor = NULL;
	bool made_class, made_monitor = false;
	const char *class;
	char text[16];
	int r;

	*group = NULL;
	snprintf(text, sizeof text, "%d", pid);
	r = open_root(&root, err);
	if (r == 0)
		r = class_name(id, rdt->clos_id, &class, err);
	if (r == 0 && asprintf(&monitor, "%s%smon_groups/%s", class, *class ? "/" : "", id) < 0)
		r = error_errno(err, ENOMEM, "linux.intelRdt");
	if (r == 0)
		r = make_class(root, class, rdt, &made_class, err);
	if (r < 0)
		return r;
	r = fill_class(root, class, rdt, text, err);
	if (r == 0 && wants_monitor(rdt))
		r = join_group(root, monitor, text, &made_monitor, err);
	/* With the class goes what is in it. */
	if (made_class)
		*group = strdup(class);
	else if (made_monitor)
		*group = TAKE_PTR(monitor);
	if (r < 0 && *group) {
		rdt_remove(*group, NULL);
		free(TAKE_PTR(*group));
	}
	return r;
}

int rdt_update(const char *id, const char *clos_id, const char *l3_cache, const char *mem_bw,
	       struct error **err)
{
	struct spec_intel_rdt rdt = {.l3_cache_schema = l3_cache, .mem_bw_schema = mem_bw};
	_cleanup_free_ char *root = NULL, *path = NULL;
	const char *class;
	int r = open_root(&root, err);

	if (r == 0)
		r = class_name(id, clos_id, &class, err);
	if (r < 0)
		return r;
	path = join_path(root, class);
	return path ? write_schemata(root, path, &rdt, err)
		    : error_errno(err, ENOMEM, "linux.intelRdt");
}

int rdt_remove(const char *group, struct error **err)
{
	_cleanup_free_ char *root = find_root(), *path = NULL;

	/* What was there is gone with the file system. */
	if (!root || !*group)
		return 0;
	path = join_path(root, group);
	return path ? remove_directory(root, path, err)
		    : error_errno(err, ENOMEM, "linux.intelRdt");
}

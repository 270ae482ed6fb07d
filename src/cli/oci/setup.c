/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands take from global options and environment: the state's root, whether there are
 * privileges, descriptors to hand on. See oci.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/oci/oci.h"

#define DEFAULT_ROOT "/run/dhow-oci"

/* In the initial user namespace every id maps to itself. user_namespaces(7). */
static bool in_user_namespace(void)
{
	_cleanup_free_ char *map = NULL;
	unsigned inside, outside, count;
	size_t length;

	if (file_read_at(AT_FDCWD, "/proc/self/uid_map", 4096, &map, &length, NULL))
		return false;
	return sscanf(map, "%u %u %u", &inside, &outside, &count) != 3 || inside != 0 ||
	       outside != 0 || count != UINT32_MAX;
}

/* The directory of a normal user, or of root in a user namespace who is not really root. */
static const char *user_directory(void)
{
	const char *directory = getenv("XDG_RUNTIME_DIR");
	const char *user;

	if (!directory || *directory != '/')
		return NULL;
	if (geteuid() != 0)
		return directory;
	user = getenv("USER");
	if ((user && strcmp(user, "root") == 0) || !in_user_namespace())
		return NULL;
	return directory;
}

static char *absolute(const char *path)
{
	_cleanup_free_ char *cwd = NULL;
	char *out = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&out, "%s/%s", cwd, path) < 0)
		return NULL;
	return out;
}

static bool is_rootless(const struct oci_globals *globals)
{
	if (str_equal(globals->rootless, "true"))
		return true;
	if (str_equal(globals->rootless, "false"))
		return false;
	return geteuid() != 0 || in_user_namespace();
}

int oci_runtime(const struct command_call *call, struct runtime *out, char **root,
		struct error **err)
{
	const struct oci_globals *globals = call->globals;
	const char *directory = globals->root && *globals->root ? NULL : user_directory();
	const char *given = globals->root && *globals->root ? globals->root : DEFAULT_ROOT;
	char *path = NULL;

	if (!directory)
		path = absolute(given);
	else if (asprintf(&path, "%s/dhow-oci", directory) < 0)
		path = NULL;
	if (!path)
		return error_errno(err, errno, "find the root directory %s", given);
	*root = path;
	*out = (struct runtime){.root = path,
				.is_systemd = globals->systemd_cgroup,
				.is_rootless = is_rootless(globals)};
	return 0;
}

int oci_runtime_for_new(const struct command_call *call, struct runtime *out, char **root,
			struct error **err)
{
	const struct oci_globals *globals = call->globals;
	int r = oci_runtime(call, out, root, err);

	if (r || (globals->root && *globals->root) || strcmp(out->root, DEFAULT_ROOT) == 0)
		return r;
	r = make_dirs(out->root, 0700, err);
	if (r)
		return error_prefix(err, "$XDG_RUNTIME_DIR must be writable by the user");
	if (chmod(out->root, 0700 | S_ISVTX) < 0)
		return error_errno(err, errno, "set the sticky bit of %s", out->root);
	return 0;
}

int oci_check_preserved(int count, struct error **err)
{
	if (count < 0)
		return error_set(err, EINVAL, "--preserve-fds %d: expected a number from 0", count);
	return 0;
}

/* sd_listen_fds(3): the descriptors are for us only where LISTEN_PID says so. */
static int listen_fds(int *out, struct error **err)
{
	const char *count_text = getenv("LISTEN_FDS"), *pid_text = getenv("LISTEN_PID");
	uint64_t count, pid;

	if (!count_text || !*count_text || !pid_text)
		return 0;
	if (parse_u64(pid_text, INT32_MAX, &pid) || pid != (uint64_t)getpid())
		return 0;
	if (parse_u64(count_text, INT32_MAX, &count))
		return error_set(err, EINVAL, "LISTEN_FDS=%s: expected a number", count_text);
	*out = (int)count;
	return 0;
}

const char *oci_notify_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && *path ? path : NULL;
}

int oci_complete_create(const struct command_call *call, struct container_create_opts *opts,
			struct error **err)
{
	int r;

	opts->id = call->arguments[0];
	if (opts->bundle && !*opts->bundle)
		opts->bundle = NULL;
	opts->notify_socket = oci_notify_socket();
	r = listen_fds(&opts->listen_fds, err);
	if (!r)
		r = oci_check_preserved(opts->preserve_fds, err);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow-criu: checkpoint and restore of a process tree through libcriu.
 *
 * A program of its own, because libcriu brings protobuf, which nothing else needs; dhow-oci executes it for
 * checkpoint and restore only. Arguments: an action, then OPTION VALUE pairs, in any order:
 *
 *   dump | pre-dump | restore | version
 *   images-dir DIR, work-dir DIR, parent DIR (relative to images-dir), log FILE
 *   pid N (dump), root DIR (restore: bound over itself in a mount namespace of our own)
 *   leave-running|tcp-established|tcp-skip-in-flight|link-remap|ext-unix-sk|shell-job|file-locks|
 *   auto-dedup 1
 *   manage-cgroups ignore|soft|full|strict, freeze-cgroup DIR
 *   page-server ADDRESS:PORT, lsm-profile P, lsm-mount-context C
 *   ext-mount KEY=VALUE, external KEY, skip-mount PATH, cg-root CONTROLLER:PATH, inherit-fd FD:KEY
 *
 * Restore prints the PID of the restored process, which becomes a child of our parent when we end and it is a
 * subreaper. Errors: one line on standard error, exit status 1. criu(8), libcriu. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <criu/criu.h>

static const char *log_path = "criu's log", *log_directory = ".";

static _Noreturn void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static int number(const char *name, const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!*text || *end || value < 0 || value > INT32_MAX)
		fail("%s: %s is no number", name, text);
	return (int)value;
}

static int open_directory(const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fail("%s: open %s: %s", name, path, strerror(errno));
	return fd;
}

/* Splits "A<at>B" in place. */
static char *split(const char *name, char *text, char at)
{
	char *second = strchr(text, at);

	if (!second)
		fail("%s: %s has no %c", name, text, at);
	*second = '\0';
	return second + 1;
}

static void set_images_dir(char *v)
{
	criu_set_images_dir_fd(open_directory("images-dir", v));
}

static void set_work_dir(char *v)
{
	log_directory = v;
	criu_set_work_dir_fd(open_directory("work-dir", v));
}

static void set_parent(char *v)
{
	criu_set_parent_images(v);
	criu_set_track_mem(true);
}

static void set_log(char *v)
{
	const char *slash = strrchr(v, '/');

	log_path = v;
	criu_set_log_file(slash ? slash + 1 : v);
	criu_set_log_level(4);
}

static void set_pid(char *v)
{
	criu_set_pid(number("pid", v));
}

/* criu pivots into the root, which must be a mount; ours is seen by nobody else. */
static void set_root(char *v)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(v, v, NULL, MS_BIND | MS_REC, NULL) < 0)
		fail("root: bind %s: %s", v, strerror(errno));
	criu_set_root(v);
}

/* NOLINTBEGIN(readability-non-const-parameter): the type that struct option asks for */
static void set_leave_running(char *v)
{
	(void)v;
	criu_set_leave_running(true);
}

static void set_tcp_established(char *v)
{
	(void)v;
	criu_set_tcp_established(true);
}

static void set_tcp_skip_in_flight(char *v)
{
	(void)v;
	criu_set_tcp_skip_in_flight(true);
}

static void set_link_remap(char *v)
{
	(void)v;
	criu_set_link_remap(true);
}

static void set_ext_unix_sk(char *v)
{
	(void)v;
	criu_set_ext_unix_sk(true);
}

static void set_shell_job(char *v)
{
	(void)v;
	criu_set_shell_job(true);
}

static void set_file_locks(char *v)
{
	(void)v;
	criu_set_file_locks(true);
}

static void set_auto_dedup(char *v)
{
	(void)v;
	criu_set_auto_dedup(true);
}
/* NOLINTEND(readability-non-const-parameter) */

static void set_manage_cgroups(char *v)
{
	static const struct {
		const char *name;
		enum criu_cg_mode mode;
	} modes[] = {{"ignore", CRIU_CG_MODE_IGNORE},
		     {"soft", CRIU_CG_MODE_SOFT},
		     {"full", CRIU_CG_MODE_FULL},
		     {"strict", CRIU_CG_MODE_STRICT}};

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (strcmp(v, modes[i].name) != 0)
			continue;
		criu_set_manage_cgroups(true);
		criu_set_manage_cgroups_mode(modes[i].mode);
		return;
	}
	fail("manage-cgroups: no mode %s", v);
}

static void set_freeze_cgroup(char *v)
{
	criu_set_freeze_cgroup(v);
}

static void set_page_server(char *v)
{
	char *colon = strrchr(v, ':');

	if (!colon)
		fail("page-server: %s is not ADDRESS:PORT", v);
	*colon = '\0';
	criu_set_page_server_address_port(v, number("page-server", colon + 1));
}

static void set_lsm_profile(char *v)
{
	criu_set_lsm_profile(v);
}

static void set_lsm_mount_context(char *v)
{
	criu_set_lsm_mount_context(v);
}

static void add_ext_mount(char *v)
{
	const char *value = split("ext-mount", v, '=');

	criu_add_ext_mount(v, value);
}

static void add_external(char *v)
{
	criu_add_external(v);
}

static void add_skip_mount(char *v)
{
	criu_add_skip_mnt(v);
}

static void add_cg_root(char *v)
{
	const char *path = split("cg-root", v, ':');

	criu_add_cg_root(*v ? v : NULL, path);
}

static void add_inherit_fd(char *v)
{
	const char *key = split("inherit-fd", v, ':');

	criu_add_inherit_fd(number("inherit-fd", v), key);
}

static const struct option {
	const char *name;
	void (*set)(char *value);
} options[] = {
	{"images-dir", set_images_dir},
	{"work-dir", set_work_dir},
	{"parent", set_parent},
	{"log", set_log},
	{"pid", set_pid},
	{"root", set_root},
	{"leave-running", set_leave_running},
	{"tcp-established", set_tcp_established},
	{"tcp-skip-in-flight", set_tcp_skip_in_flight},
	{"link-remap", set_link_remap},
	{"ext-unix-sk", set_ext_unix_sk},
	{"shell-job", set_shell_job},
	{"file-locks", set_file_locks},
	{"auto-dedup", set_auto_dedup},
	{"manage-cgroups", set_manage_cgroups},
	{"freeze-cgroup", set_freeze_cgroup},
	{"page-server", set_page_server},
	{"lsm-profile", set_lsm_profile},
	{"lsm-mount-context", set_lsm_mount_context},
	{"ext-mount", add_ext_mount},
	{"external", add_external},
	{"skip-mount", add_skip_mount},
	{"cg-root", add_cg_root},
	{"inherit-fd", add_inherit_fd},
};

static void set(const char *name, char *value)
{
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		if (strcmp(name, options[i].name) == 0) {
			options[i].set(value);
			return;
		}
	}
	fail("no option %s", name);
}

/* criu tells the reason only in its log; what follows the first error is mostly its echo. */
static bool read_reason(char *out, size_t size)
{
	char path[4096], *line = NULL;
	size_t capacity = 0;
	bool is_found = false;
	FILE *log;

	snprintf(path, sizeof path, "%s/%s", log_directory, log_path);
	log = fopen(path, "re");
	while (log && !is_found && getline(&line, &capacity, log) > 0) {
		char *reason = strstr(line, "Error (");

		reason = reason ? strstr(reason, "): ") : NULL;
		if (!reason)
			continue;
		reason[strcspn(reason, "\n")] = '\0';
		snprintf(out, size, "%s", reason + 3);
		is_found = true;
	}
	free(line);
	if (log)
		fclose(log);
	return is_found;
}

/* criu's newer way with mounts (3.17) can't restore an external mount that gets propagation from a directory
 * which is no mount itself; the older one can. */
static int restore(void)
{
	int r = criu_restore_child();
#ifdef HAVE_CRIU_COMPAT_MODE
	char reason[512];

	if (r < 0 && read_reason(reason, sizeof reason) &&
	    strncmp(reason, "mnt-v2:", strlen("mnt-v2:")) == 0) {
		criu_set_mntns_compat_mode(true);
		r = criu_restore_child();
	}
#endif
	return r;
}

static int act(const char *action)
{
	int r;

	if (strcmp(action, "dump") == 0) {
		criu_set_orphan_pts_master(true);
		return criu_dump();
	}
	if (strcmp(action, "pre-dump") == 0) {
		criu_set_track_mem(true);
		return criu_pre_dump();
	}
	if (strcmp(action, "restore") != 0)
		fail("no action %s", action);
	criu_set_orphan_pts_master(true);
	r = restore();
	if (r > 0)
		printf("%d\n", r);
	return r > 0 ? 0 : r;
}

static _Noreturn void fail_with_reason(int r)
{
	char reason[512];

	if (read_reason(reason, sizeof reason))
		fail("criu: %s (see %s/%s)", reason, log_directory, log_path);
	fail("criu failed (%d): see %s/%s", r, log_directory, log_path);
}

int main(int argc, char **argv)
{
	int r;

	if (argc < 2)
		fail("usage: dhow-criu dump|pre-dump|restore|version [OPTION VALUE]...");
	if (criu_init_opts() < 0)
		fail("libcriu: out of memory");
	criu_set_service_binary("criu");
	if (strcmp(argv[1], "version") == 0) {
		r = criu_get_version();
		if (r <= 0)
			fail("criu does not answer: is it installed?");
		printf("%d\n", r);
		return 0;
	}
	for (int i = 2; i < argc; i += 2) {
		if (i + 1 == argc)
			fail("%s wants a value", argv[i]);
		set(argv[i], argv[i + 1]);
	}
	r = act(argv[1]);
	if (r < 0)
		fail_with_reason(r);
	return 0;
}

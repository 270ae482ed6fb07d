/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User namespaces' id maps. See namespace.h. user_namespaces(7), newuidmap(1).
 *
 * With CAP_SETUID and CAP_SETGID the files are written directly. A normal user may write only a map of
 * one line to the own id (and must deny setgroups first); anything more is done by newuidmap and
 * newgidmap, which hold the user to /etc/subuid and /etc/subgid. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kernel/namespace.h"
#include "kernel/process.h"
#include "kernel/procfs.h"
#include "kernel/subprocess.h"

/* The two maps differ in names only. */
struct map_kind {
	const char *file, *tool, *what;
};
static const struct map_kind uid_kind = {"uid_map", "newuidmap", "user"};
static const struct map_kind gid_kind = {"gid_map", "newgidmap", "group"};

static int format_map(const struct id_map_line *lines, size_t count, char **out)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, "%u %u %u\n", lines[i].inside, lines[i].outside, lines[i].count);
	*out = strbuf_take(&text);
	return *out ? 0 : -ENOMEM;
}

static int run_map_tool(const struct map_kind *kind, pid_t pid, const struct id_map_line *lines,
			size_t count, struct error **err)
{
	uint64_t begin = trace_begin();
	_cleanup_strv_ struct strv argv = {0};
	int r;

	r = strv_add(&argv, kind->tool);
	if (r == 0)
		r = strv_addf(&argv, "%d", pid);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = strv_addf(&argv, "%u", lines[i].inside);
		if (r == 0)
			r = strv_addf(&argv, "%u", lines[i].outside);
		if (r == 0)
			r = strv_addf(&argv, "%u", lines[i].count);
	}
	if (r < 0)
		return error_errno(err, -r, "map %s ids", kind->what);
	r = subprocess_run(kind->tool, &argv, NULL, err);
	trace_step(TRACE_NAMESPACES, begin, kind->tool, r, "%d", pid);
	if (r == -ENOENT)
		return error_errno(err, ENOENT,
				   "map %s ids: run %s, which a normal user needs for this "
				   "(Debian package uidmap)",
				   kind->what, kind->tool);
	return r < 0 ? error_prefix(err, "map %s ids (see /etc/sub%cid)", kind->what, kind->what[0])
		     : 0;
}

static bool is_own_id_alone(const struct id_map_line *lines, size_t count, uint32_t own)
{
	return count == 1 && lines[0].count == 1 && lines[0].outside == own;
}

static int write_map(const struct map_kind *kind, pid_t pid, const struct id_map_line *lines,
		     size_t count, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	char path[48];
	int r;

	r = format_map(lines, count, &text);
	if (r < 0)
		return error_errno(err, -r, "map %s ids", kind->what);
	snprintf(path, sizeof path, "%d/%s", pid, kind->file);
	return procfs_write(TRACE_NAMESPACES, path, text, err);
}

static int deny_setgroups(pid_t pid, struct error **err)
{
	char path[48];

	snprintf(path, sizeof path, "%d/setgroups", pid);
	return procfs_write(TRACE_NAMESPACES, path, "deny", err);
}

/* Root may lack the right, too: in a user namespace, or without capabilities. */
static int map_ids(const struct map_kind *kind, pid_t pid, const struct id_map_line *lines,
		   size_t count, struct error **err)
{
	bool is_gid = kind == &gid_kind;
	bool is_own = is_own_id_alone(lines, count, is_gid ? getegid() : geteuid());
	_cleanup_error_ struct error *direct = NULL;
	int r = -EPERM;

	if (!count)
		return 0;
	if (geteuid() == 0 || is_own)
		r = write_map(kind, pid, lines, count, &direct);
	if (r == -EPERM && is_own && is_gid) {
		error_freep(&direct);
		r = deny_setgroups(pid, &direct);
		r = r ?: write_map(kind, pid, lines, count, &direct);
	}
	if (r == -EPERM)
		return run_map_tool(kind, pid, lines, count, err);
	return r < 0 ? error_set(err, -r, "%s", error_text(direct)) : 0;
}

int id_maps_write(pid_t pid, const struct id_maps *maps, struct error **err)
{
	int r = map_ids(&gid_kind, pid, maps->gids, maps->gid_count, err);

	return r ?: map_ids(&uid_kind, pid, maps->uids, maps->uid_count, err);
}

int id_maps_namespace(const struct id_maps *maps, struct error **err)
{
	struct process_clone opts = {
		.flags = CLONE_NEWUSER, .cgroup_fd = -1, .exit_signal = SIGCHLD};
	_cleanup_fd_ int pidfd = -1, ns = -1;
	pid_t pid, parent = getpid();
	char path[48];
	int r, status;

	/* The namespace needs a process only until its descriptor is open. */
	pid = process_clone(&opts, &pidfd, err);
	if (pid == 0) {
		/* It must not outlive a parent that is killed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			if (getppid() == parent)
				pause();
			else
				_exit(0);
	}
	if (pid < 0)
		return pid;
	r = id_maps_write(pid, maps, err);
	if (r == 0) {
		snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		if (ns < 0)
			r = error_errno(err, errno, "open %s", path);
	}
	process_signal(pidfd, SIGKILL, NULL);
	process_wait(pidfd, &status, NULL);
	return r < 0 ? r : TAKE_FD(ns);
}

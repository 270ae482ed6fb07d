/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes by pidfd. See process.h. clone(2), pidfd_open(2), pidfd_send_signal(2), close_range(2). */
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/process.h"
#include "kernel/procfs.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static const char *clone_flags_text(uint64_t flags, char *buf, size_t size)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{CLONE_NEWUSER, "CLONE_NEWUSER"},         {CLONE_NEWNS, "CLONE_NEWNS"},
		{CLONE_NEWPID, "CLONE_NEWPID"},           {CLONE_NEWNET, "CLONE_NEWNET"},
		{CLONE_NEWIPC, "CLONE_NEWIPC"},           {CLONE_NEWUTS, "CLONE_NEWUTS"},
		{CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},     {CLONE_PARENT, "CLONE_PARENT"},
		{CLONE_INTO_CGROUP, "CLONE_INTO_CGROUP"}, {CLONE_PIDFD, "CLONE_PIDFD"},
	};
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((flags & names[i].flag) && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "|" : "",
						 names[i].name);
	return buf;
}

pid_t process_clone(const struct process_clone *opts, int *pidfd, struct error **err)
{
	uint64_t begin = trace_begin();
	int fd = -1, saved;
	struct clone_args args = {
		.flags = opts->flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&fd,
		.exit_signal = (uint64_t)opts->exit_signal,
	};
	char text[256];
	pid_t pid;

	if (opts->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)opts->cgroup_fd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		return 0;
	saved = errno;
	trace_step(TRACE_NAMESPACES, begin, "clone3", pid < 0 ? -saved : pid, "%s",
		   clone_flags_text(args.flags, text, sizeof text));
	if (pid < 0)
		return error_errno(err, saved, "create a process (%s)",
				   clone_flags_text(opts->flags, text, sizeof text));
	*pidfd = fd;
	return pid;
}

int process_wait(int pidfd, int *status, struct error **err)
{
	siginfo_t info = {0};

	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "wait for a process");
	*status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status & 0x7f;
	return 0;
}

int process_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int process_start_time(pid_t pid, uint64_t *start_time, char *state)
{
	char path[32], buf[1024], letter;
	unsigned long long ticks;
	_cleanup_fd_ int fd = -1;
	const char *p;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, buf, sizeof buf - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	buf[n] = '\0';
	/* The command may hold blanks and brackets; what follows the last bracket doesn't. */
	p = strrchr(buf, ')');
	if (!p || sscanf(p + 1,
			 " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			 "%*d %llu",
			 &letter, &ticks) != 2)
		return -EINVAL;
	*start_time = ticks;
	if (state)
		*state = letter;
	return 0;
}

int process_open(pid_t pid, uint64_t start_time)
{
	_cleanup_fd_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	uint64_t now;
	int r;

	if (fd < 0)
		return -errno;
	/* Read after the pidfd is held: the PID can't change hands in between. */
	r = process_start_time(pid, &now, NULL);
	if (r)
		return r;
	return now == start_time ? TAKE_FD(fd) : -ESRCH;
}

int process_signal(int pidfd, int signal, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "pidfd_send_signal", r, "%d, %d", pidfd, signal);
	return r < 0 ? error_errno(err, -r, "send signal %d", signal) : 0;
}

int signal_parse(const char *text)
{
	uint64_t number;
	const char *name = text;

	if (parse_u64(text, (uint64_t)SIGRTMAX, &number) == 0)
		return number > 0 ? (int)number : -EINVAL;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	/* sigabbrev_np knows the standard ones; the real-time ones are relative. */
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcasecmp(name, known) == 0)
			return i;
	}
	if (strcasecmp(name, "RTMIN") == 0)
		return SIGRTMIN;
	if (strcasecmp(name, "RTMAX") == 0)
		return SIGRTMAX;
	if (strncasecmp(name, "RTMIN+", 6) == 0 &&
	    parse_u64(name + 6, (uint64_t)(SIGRTMAX - SIGRTMIN), &number) == 0)
		return SIGRTMIN + (int)number;
	if (strncasecmp(name, "RTMAX-", 6) == 0 &&
	    parse_u64(name + 6, (uint64_t)(SIGRTMAX - SIGRTMIN), &number) == 0)
		return SIGRTMAX - (int)number;
	return -EINVAL;
}

static bool is_kept(int fd, const int *keep, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* Linux before 5.9 has no close_range, before 5.11 no CLOSE_RANGE_CLOEXEC. keep NULL: seals instead of closing. */
static int change_by_listing(int first, const int *keep, size_t count, struct error **err)
{
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;
	int own = procfs_open("self/fd", O_RDONLY | O_DIRECTORY, err);

	if (own < 0)
		return own;
	dir = fdopendir(own);
	if (!dir) {
		close(own);
		return error_errno(err, errno, "list the open descriptors");
	}
	while ((entry = readdir(dir))) {
		uint64_t fd;

		if (parse_u64(entry->d_name, INT32_MAX, &fd) < 0 || (int)fd < first ||
		    (int)fd == own)
			continue;
		if (!keep)
			fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		else if (!is_kept((int)fd, keep, count))
			close((int)fd);
	}
	return 0;
}

int descriptors_seal(int first, struct error **err)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */) == 0)
		return 0;
	return change_by_listing(first, NULL, 0, err);
}

/* The lowest of keep from first on, or -1. */
static int next_kept(int first, const int *keep, size_t count)
{
	int next = -1;

	for (size_t i = 0; i < count; i++)
		if (keep[i] >= first && (next < 0 || keep[i] < next))
			next = keep[i];
	return next;
}

int descriptors_close(int first, const int *keep, size_t count, struct error **err)
{
	int r = 0, kept;

	for (int from = first; r == 0; from = kept + 1) {
		kept = next_kept(from, keep, count);
		if (kept == from)
			continue;
		if (syscall(SYS_close_range, (unsigned)from, kept < 0 ? ~0U : (unsigned)kept - 1,
			    0U) < 0)
			r = change_by_listing(first, keep, count, err) ?: 1;
		if (kept < 0)
			break;
	}
	procfs_forget();
	return r < 0 ? r : 0;
}

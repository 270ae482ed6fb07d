/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process of fuse-overlayfs and its mount.
 *
 * We open /dev/fuse and make the mount ourselves, detached, and give the process only the descriptor (its mount point is
 * "/dev/fd/N", which libfuse knows). So there is no mount point anywhere, no waiting for one to appear, and no setuid
 * fusermount. The kernel ends the process's connection when the last clone of the mount is gone, and with it the
 * process; and when the process dies first, its descriptor is closed and everybody gets ENOTCONN instead of
 * hanging. fuse(4), kernel docs filesystems/fuse.rst.
 *
 * A middle process makes the other one nobody's child of ours, and asks for the file system's status, which waits for the
 * process's first answer; that is what we wait for, with a limit. */
#include <linux/mount.h>
#include <poll.h>
#include <signal.h>
#include <sys/vfs.h>

#include "kernel/mount.h"
#include "kernel/process.h"
#include "storage/fuse_overlayfs.h"

#define ANSWER_TIMEOUT_MS 30000
#define LOG_MAX           (1 << 20)

static int make_mount(const struct fuse_start *start, int device, struct error **err)
{
	char fd[16], user[16], group[16];
	struct mount_parameter parameters[] = {
		{"fd", fd},
		{"rootmode", "40000"},
		{"user_id", user},
		{"group_id", group},
		{"default_permissions", NULL},
		{"allow_other", NULL},
		{"context", start->label},
	};
	const struct mount_fs fs = {
		.type = "fuse",
		.source = "fuse-overlayfs",
		.parameters = parameters,
		.parameter_count = ARRAY_SIZE(parameters) - (start->label ? 0 : 1),
		.attributes = start->is_read_only ? MOUNT_ATTR_RDONLY : 0,
	};

	snprintf(fd, sizeof fd, "%d", device);
	snprintf(user, sizeof user, "%u", geteuid());
	snprintf(group, sizeof group, "%u", getegid());
	return mount_detached(&fs, err);
}

/* In the new process. Only plain calls: other threads may have held any lock. */
_noreturn_ static void become_program(const struct fuse_start *start, int device, char *const *argv)
{
	const int keep[] = {device, start->lock};
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(start->log, 1) < 0 || dup2(start->log, 2) < 0 ||
	    fchdir(start->directory) < 0 || fcntl(device, F_SETFD, 0) < 0 ||
	    (start->lock >= 0 && fcntl(start->lock, F_SETFD, 0) < 0) ||
	    descriptors_close(3, keep, ARRAY_SIZE(keep), NULL) < 0)
		_exit(1);
	execv(start->program, argv);
	dprintf(2, "%s\n", strerror(errno));
	_exit(1);
}

/* The middle process. Exit status: 0, the file system answers. */
_noreturn_ static void be_middle(const struct fuse_start *start, int device, int mount,
				 char *const *argv)
{
	/* Not fork(3), whose locks another thread may have held. */
	const struct process_clone clone = {.cgroup_fd = -1, .exit_signal = SIGCHLD};
	sigset_t none;
	struct statfs fs;
	int pidfd;
	pid_t pid;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	pid = process_clone(&clone, &pidfd, NULL);
	if (pid == 0)
		become_program(start, device, argv);
	if (pid < 0 || descriptors_close(3, &mount, 1, NULL) < 0)
		_exit(1);
	_exit(fstatfs(mount, &fs) < 0);
}

/* The last line that the process wrote. */
static char *last_words(int log)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	char *line;

	if (lseek(log, 0, SEEK_SET) < 0 ||
	    fd_read_all(log, LOG_MAX, "the log", &text, &length, NULL) < 0)
		return NULL;
	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	return *line ? strdup(line) : NULL;
}

static int wait_for_answer(const struct fuse_start *start, int pidfd, struct error **err)
{
	struct pollfd wait = {.fd = pidfd, .events = POLLIN};
	_cleanup_free_ char *words = NULL;
	int n, status, r;

	while ((n = poll(&wait, 1, ANSWER_TIMEOUT_MS)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		process_signal(pidfd, SIGKILL, NULL);
	r = process_wait(pidfd, &status, err);
	if (r < 0)
		return r;
	if (n <= 0)
		return error_set(err, ETIMEDOUT, "%s does not answer", start->program);
	if (process_exit_code(status) == 0)
		return 0;
	words = last_words(start->log);
	return error_set(err, EIO, "run %s: %s", start->program,
			 words ? words : "it ended without a word");
}

int fuse_start(const struct fuse_start *start, struct error **err)
{
	_cleanup_fd_ int device = open("/dev/fuse", O_RDWR | O_CLOEXEC), mount = -1, pidfd = -1;
	const struct process_clone clone = {.cgroup_fd = -1, .exit_signal = SIGCHLD};
	char point[32],
		*argv[] = {"fuse-overlayfs", "-f", "-o", (char *)start->options, point, NULL};
	pid_t pid;
	int r;

	if (device < 0)
		return error_errno(err, errno, "open /dev/fuse");
	mount = make_mount(start, device, err);
	if (mount < 0)
		return mount;
	snprintf(point, sizeof point, "/dev/fd/%d", device);
	pid = process_clone(&clone, &pidfd, err);
	if (pid < 0)
		return pid;
	if (pid == 0)
		be_middle(start, device, mount, argv);
	close_fd(&device);
	r = wait_for_answer(start, pidfd, err);
	return r < 0 ? r : TAKE_FD(mount);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running another program to its end. See subprocess.h. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "kernel/subprocess.h"

#define OUTPUT_MAX 65536

static int spawn(const char *file, char *const *argv, int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	r = posix_spawnp(pid, file, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

static int check_end(const char *name, int status, const char *said, struct error **err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return error_set(err, EIO, "%s was killed by signal %d", name, WTERMSIG(status));
	if (!*said)
		return error_set(err, EIO, "%s failed without a word", name);
	return error_set(err, EIO, "%s", said);
}

int subprocess_run(const char *file, const struct strv *argv, char **answer, struct error **err)
{
	_cleanup_fd_ int in = -1, out = -1;
	_cleanup_free_ char *text = NULL;
	const char *name = argv->items[0];
	int fds[2], status, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	in = fds[0];
	out = fds[1];
	r = spawn(file, argv->items, out, &pid);
	if (r < 0)
		return error_errno(err, -r, "run %s", file);
	close_fd(&out);
	r = fd_read_all(in, OUTPUT_MAX, name, &text, NULL, err);
	close_fd(&in);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "wait for %s", name);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	r = check_end(name, status, text, err);
	if (r == 0 && answer)
		*answer = TAKE_PTR(text);
	return r;
}

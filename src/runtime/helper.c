/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the programs in libexec/dhow. See helper.h. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "dhow_config.h"
#include "runtime/helper.h"

#define OUTPUT_MAX 65536

void helper_find(const char *name, struct helper_path *path)
{
	const char *directory = getenv("DHOW_LIBEXECDIR");

	if (!directory || *directory != '/' ||
	    snprintf(path->text, sizeof path->text, "%s/%s", directory, name) >=
		    (int)sizeof path->text)
		snprintf(path->text, sizeof path->text, DHOW_LIBEXECDIR "/%s", name);
}

bool helper_exists(const char *name)
{
	struct helper_path path;

	helper_find(name, &path);
	return access(path.text, X_OK) == 0;
}

static int spawn(const char *path, char *const *argv, int output, pid_t *pid)
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
	r = posix_spawn(pid, path, &actions, &attributes, argv, environ);
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

int helper_run(const struct strv *argv, char **answer, struct error **err)
{
	_cleanup_fd_ int in = -1, out = -1;
	_cleanup_free_ char *text = NULL;
	const char *name = argv->items[0];
	struct helper_path path;
	int fds[2], status, r;
	pid_t pid;

	helper_find(name, &path);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	in = fds[0];
	out = fds[1];
	r = spawn(path.text, argv->items, out, &pid);
	if (r < 0)
		return error_errno(err, -r, "run %s", path.text);
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

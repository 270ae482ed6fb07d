/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running hooks. See hooks.h.
 *
 * State and output go through memory files, not pipes: a hook that never reads, writes much, or leaves
 * a daemon behind that keeps its output open blocks nobody. The hook is a process group leader, so that
 * a timeout ends what it started too. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kernel/process.h"
#include "runtime/hooks.h"

#define OUTPUT_SHOWN 1024 /* bytes of a failed hook's output in the error */

static int state_file(const json_t *state, struct error **err)
{
	_cleanup_fd_ int fd = memfd_create("hook-state", MFD_CLOEXEC);
	_cleanup_free_ char *text = json_dumps(state, JSON_COMPACT);
	int r;

	if (!text)
		return error_errno(err, ENOMEM, "write the state for a hook");
	if (fd < 0)
		return error_errno(err, errno, "make a memory file");
	r = fd_write_all(fd, text, strlen(text));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, r < 0 ? -r : errno, "write the state for a hook");
	return TAKE_FD(fd);
}

static _noreturn_ void execute(const struct spec_hook *hook, int input, int output,
			       const char *directory)
{
	static const char *const no_environment[] = {NULL};
	char *const fallback[] = {(char *)(uintptr_t)hook->path, NULL};
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 || descriptors_seal(3, NULL) < 0)
		_exit(127);
	if (directory && chdir(directory) < 0)
		/* A bundle may be gone by the time of poststop. */
		(void)!chdir("/");
	execve(hook->path, hook->args.count ? (char *const *)(uintptr_t)hook->args.items : fallback,
	       (char *const *)(uintptr_t)(hook->env.count
						  ? hook->env.items
						  : (const char **)(uintptr_t)no_environment));
	dprintf(STDERR_FILENO, "%s", strerror(errno));
	_exit(127);
}

/* Waits for the hook; -ETIMEDOUT when its time is up, with the hook killed. */
static int await(int pidfd, pid_t pid, const struct spec_hook *hook, int *status,
		 struct error **err)
{
	uint64_t deadline = now_ns() + hook->timeout_s.value * 1000000000;
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	bool is_late = false;

	while (hook->timeout_s.is_set) {
		uint64_t now = now_ns();
		uint64_t left_ms = now < deadline ? (deadline - now + 999999) / 1000000 : 0;
		int n = poll(&poll_fd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);

		if (n > 0)
			break;
		if (n == 0 && now_ns() >= deadline) {
			kill(-pid, SIGKILL);
			process_signal(pidfd, SIGKILL, NULL);
			is_late = true;
			break;
		}
	}
	if (process_wait(pidfd, status, err) < 0)
		return -EINVAL;
	return is_late ? -ETIMEDOUT : 0;
}

static int run_hook(const struct spec_hook *hook, int input, const char *directory,
		    struct error **err)
{
	struct process_clone opts = {.cgroup_fd = -1, .exit_signal = SIGCHLD};
	_cleanup_fd_ int output = memfd_create("hook-output", MFD_CLOEXEC), pidfd = -1;
	char shown[OUTPUT_SHOWN + 1];
	uint64_t begin = trace_begin();
	int status, r;
	ssize_t n;
	pid_t pid;

	if (output < 0)
		return error_errno(err, errno, "make a memory file");
	if (lseek(input, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "rewind the state for a hook");
	pid = process_clone(&opts, &pidfd, err);
	if (pid < 0)
		return pid;
	if (pid == 0)
		execute(hook, input, output, directory);
	r = await(pidfd, pid, hook, &status, err);
	trace_step(TRACE_PROCESS, begin, "hook",
		   r < 0    ? r
		   : status ? -ECHILD
			    : 0,
		   "%s", hook->path);
	if (r == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "%s did not end within %llu s", hook->path,
				 (unsigned long long)hook->timeout_s.value);
	if (r < 0 || status == 0)
		return r;
	n = pread(output, shown, OUTPUT_SHOWN, 0);
	shown[n > 0 ? n : 0] = '\0';
	if (WIFSIGNALED(status))
		return error_set(err, ECHILD, "%s was killed by signal %d, output: %s", hook->path,
				 WTERMSIG(status), shown);
	return error_set(err, ECHILD, "%s: exit status %d, output: %s", hook->path,
			 WEXITSTATUS(status), shown);
}

int hooks_run(const struct spec_hook_list *hooks, const char *kind, const json_t *state,
	      const char *directory, struct error **err)
{
	_cleanup_fd_ int input = -1;

	if (hooks->count == 0)
		return 0;
	input = state_file(state, err);
	if (input < 0)
		return input;
	for (size_t i = 0; i < hooks->count; i++)
		if (run_hook(&hooks->items[i], input, directory, err) < 0)
			return error_prefix(err, "error running %s hook #%zu", kind, i);
	return 0;
}

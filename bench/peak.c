/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peak: runs a command and prints its peak resident memory in KiB (ru_maxrss of the largest process among the command and
 * what it waited for) on descriptor 3, or standard error. Exits as the command did. getrusage(2).
 *
 *   peak PROGRAM [ARG...] */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	/* vfork: a forked copy of this program would count for the command's own. */
	pid = vfork();
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 1;
	getrusage(RUSAGE_CHILDREN, &usage);
	if (dprintf(3, "%ld\n", usage.ru_maxrss) < 0)
		dprintf(2, "%ld\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

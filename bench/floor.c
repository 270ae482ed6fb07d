/* SPDX-License-Identifier: GPL-2.0-or-later */
/* floor: what the kernel itself needs for a container. One clone3 with new namespaces, a bound root, proc, sysfs, a
 * tmpfs on /dev with its nodes, devpts, shm and mqueue, pivot_root, execve, wait; nothing else: no configuration, no cgroup,
 * no seccomp, no state. The bench measures runtimes against it.
 *
 *   floor [--no-net] ROOTFS PROGRAM [ARG...] */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(long result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void mount_all(const char *rootfs)
{
	static const struct {
		const char *name;
		unsigned minor;
	} nodes[] = {{"dev/null", 3},
		     {"dev/zero", 5},
		     {"dev/full", 7},
		     {"dev/random", 8},
		     {"dev/urandom", 9}};

	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
	must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind");
	must(chdir(rootfs), "chdir");
	must(mount("proc", "proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL), "proc");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=65536k"), "dev");
	must(mkdir("dev/pts", 0755) | mkdir("dev/shm", 0755) | mkdir("dev/mqueue", 0755), "mkdir");
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "newinstance,ptmxmode=0666,mode=0620"),
	     "devpts");
	must(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV,
		   "mode=1777,size=65536k"),
	     "shm");
	must(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL),
	     "mqueue");
	if (mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL) < 0)
		must(mount("/sys", "sys", NULL, MS_BIND | MS_REC, NULL), "sys");
	for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
		must(mknod(nodes[i].name, S_IFCHR | 0666, makedev(1, nodes[i].minor)), "mknod");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "detach");
	must(chdir("/"), "chdir /");
}

int main(int argc, char **argv)
{
	struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
					   CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET,
				  .exit_signal = SIGCHLD};
	int status;
	long pid;

	if (argc > 1 && strcmp(argv[1], "--no-net") == 0) {
		args.flags &= ~(unsigned long long)CLONE_NEWNET;
		argc--;
		argv++;
	}
	if (argc < 3) {
		fprintf(stderr, "usage: floor [--no-net] ROOTFS PROGRAM [ARG...]\n");
		return 2;
	}
	pid = syscall(SYS_clone3, &args, sizeof args);
	must(pid, "clone3");
	if (pid == 0) {
		mount_all(argv[1]);
		execv(argv[2], argv + 2);
		must(-1, "execv");
	}
	must(waitpid((pid_t)pid, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

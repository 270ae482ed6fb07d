/* SPDX-License-Identifier: GPL-2.0-or-later */
/* floor: what the kernel itself needs for a container, which the bench measures runtimes against.
 *
 *   floor [--no-net] [--all FILTER [--cgroup DIR]...] ROOTFS PROGRAM [ARG...]
 *
 * Without --all: one clone3 with new namespaces, a bound root, proc, sysfs, a tmpfs on /dev with its nodes, devpts, shm and
 * mqueue, pivot_root, execve, wait. No cgroup, no seccomp, no masks.
 * With --all the system calls that the default configuration takes, too: the cgroup in each hierarchy (made, joined, its
 * device rules, shown in the container, removed), lo, links in /dev, read-only and masked paths, session keyring,
 * capabilities, and the seccomp filter in the file FILTER (struct sock_filter, as they are).
 * Neither reads a configuration, checks anything or keeps state. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

#define CGROUPS_MAX 16
#define FILTER_MAX  4096

static const char *filter;
static const char *cgroups[CGROUPS_MAX];
static int tasks[CGROUPS_MAX];
static int cgroup_count;

static void write_text(const char *dir, const char *file, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	must(fd, path);
	must(write(fd, text, strlen(text)), path);
	close(fd);
}

/* A new cpuset has neither; this host's has what its parent has. */
static void copy_text(const char *dir, const char *file)
{
	char path[512], text[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/../%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd, path);
	n = read(fd, text, sizeof text - 1);
	must(n, path);
	text[n] = '\0';
	close(fd);
	write_text(dir, file, text);
}

static void make_cgroups(void)
{
	static const char *const rules[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm",  "c 1:8 rwm",
					    "c 1:7 rwm", "c 5:0 rwm", "c 1:5 rwm",  "c 1:9 rwm",
					    "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm"};
	char path[512];

	for (int i = 0; i < cgroup_count; i++) {
		must(mkdir(cgroups[i], 0755), cgroups[i]);
		if (strstr(cgroups[i], "/cpuset/")) {
			copy_text(cgroups[i], "cpuset.cpus");
			copy_text(cgroups[i], "cpuset.mems");
		}
		if (strstr(cgroups[i], "/devices/")) {
			write_text(cgroups[i], "devices.deny", "a");
			for (size_t j = 0; j < sizeof rules / sizeof rules[0]; j++)
				write_text(cgroups[i], "devices.allow", rules[j]);
		}
		snprintf(path, sizeof path, "%s/tasks", cgroups[i]);
		tasks[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (tasks[i] < 0) { /* v2 */
			snprintf(path, sizeof path, "%s/cgroup.procs", cgroups[i]);
			tasks[i] = open(path, O_WRONLY | O_CLOEXEC);
		}
		must(tasks[i], path);
	}
}

static void join_cgroups(void)
{
	for (int i = 0; i < cgroup_count; i++)
		must(write(tasks[i], "0", 1), cgroups[i]);
	must(unshare(CLONE_NEWCGROUP), "cgroup namespace");
}

/* /sys/fs/cgroup/NAME/... is hierarchy NAME. */
static void mount_cgroups(void)
{
	if (cgroup_count > 1)
		must(mount("tmpfs", "sys/fs/cgroup", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV,
			   "mode=755"),
		     "sys/fs/cgroup");
	for (int i = 0; i < cgroup_count; i++) {
		const char *name = cgroups[i] + strlen("/sys/fs/cgroup/");
		char path[128], options[128];
		int is_v2 = strncmp(name, "unified/", 8) == 0 || cgroup_count == 1;

		snprintf(path, sizeof path,
			 cgroup_count == 1 ? "sys/fs/cgroup" : "sys/fs/cgroup/%.*s",
			 (int)strcspn(name, "/"), name);
		snprintf(options, sizeof options, "%s%.*s",
			 strncmp(name, "systemd/", 8) == 0 ? "none,name=" : "",
			 (int)strcspn(name, "/"), name);
		if (cgroup_count > 1)
			must(mkdir(path, 0755), path);
		must(mount("cgroup", path, is_v2 ? "cgroup2" : "cgroup",
			   MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, is_v2 ? NULL : options),
		     path);
	}
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
	close(fd);
}

static void link_devices(void)
{
	must(symlink("/proc/self/fd", "dev/fd") | symlink("/proc/self/fd/0", "dev/stdin") |
		     symlink("/proc/self/fd/1", "dev/stdout") |
		     symlink("/proc/self/fd/2", "dev/stderr") | symlink("pts/ptmx", "dev/ptmx"),
	     "symlink");
}

/* Those of the default configuration that the kernel has. */
static void mask_paths(void)
{
	static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
						"/proc/sysrq-trigger"};
	static const char *const masked[] = {
		"/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
		"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
		"/sys/firmware",       "/proc/scsi"};

	for (size_t i = 0; i < sizeof read_only / sizeof read_only[0]; i++)
		if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			must(mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY,
				   NULL),
			     read_only[i]);
	for (size_t i = 0; i < sizeof masked / sizeof masked[0]; i++)
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) < 0 && errno == ENOTDIR)
			must(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL), masked[i]);
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = 0x20000420, .permitted = 0x20000420, .inheritable = 0}};

	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.floor"), "keyring");
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (!(data[0].permitted >> (i % 32) & 1) || i >= 32)
			must(prctl(PR_CAPBSET_DROP, i, 0, 0, 0), "bounding set");
	must(syscall(SYS_setgroups, 0, NULL), "setgroups");
	must(syscall(SYS_setresgid, 0, 0, 0) | syscall(SYS_setresuid, 0, 0, 0), "ids");
	must(syscall(SYS_capset, &header, data), "capset");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

static struct sock_fprog load_filter(void)
{
	static struct sock_filter code[FILTER_MAX];
	int fd = open(filter, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	must(fd, filter);
	n = read(fd, code, sizeof code);
	must(n, filter);
	close(fd);
	return (struct sock_fprog){(unsigned short)((size_t)n / sizeof code[0]), code};
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
	if (filter) {
		must(mknod("dev/tty", S_IFCHR | 0666, makedev(5, 0)), "mknod");
		link_devices();
		mount_cgroups();
	}
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "detach");
	must(chdir("/"), "chdir /");
}

static void child(char **argv)
{
	struct sock_fprog program = {0};

	if (filter) {
		program = load_filter();
		join_cgroups();
		setsid();
		loopback_up();
	}
	mount_all(argv[0]);
	if (filter) {
		must(sethostname("floor", 5), "hostname");
		mask_paths();
		drop_privileges();
		must(syscall(SYS_close_range, 3, ~0U, 4), "close_range");
		must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
	}
	execv(argv[1], argv + 1);
	must(-1, "execv");
}

int main(int argc, char **argv)
{
	struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
					   CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET,
				  .exit_signal = SIGCHLD};
	int status;
	long pid;

	for (argc--, argv++; argc > 0 && strncmp(argv[0], "--", 2) == 0; argc--, argv++) {
		if (strcmp(argv[0], "--no-net") == 0) {
			args.flags &= ~(unsigned long long)CLONE_NEWNET;
			continue;
		}
		if (argc > 1 && strcmp(argv[0], "--all") == 0)
			filter = argv[1];
		else if (argc > 1 && strcmp(argv[0], "--cgroup") == 0 && cgroup_count < CGROUPS_MAX)
			cgroups[cgroup_count++] = argv[1];
		else
			argc = 0;
		argc--;
		argv++;
	}
	if (argc < 2) {
		fprintf(stderr,
			"usage: floor [--no-net] [--all FILTER [--cgroup DIR]...] ROOTFS PROGRAM [ARG...]\n");
		return 2;
	}
	make_cgroups();
	if (filter)
		args.flags &= ~(unsigned long long)CLONE_NEWCGROUP; /* once it has joined */
	pid = syscall(SYS_clone3, &args, sizeof args);
	must(pid, "clone3");
	if (pid == 0)
		child(argv);
	must(waitpid((pid_t)pid, &status, 0), "wait");
	for (int i = 0; i < cgroup_count; i++)
		must(rmdir(cgroups[i]), cgroups[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

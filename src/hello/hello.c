/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow-hello: the program of the first container. Says who it is: what the kernel shows a process that
 * is in its own namespaces, cgroup and root. Static, so that it is the whole root file system by itself;
 * needs /proc for most of what it says, and says so where it is missing. With the argument "true" it exits
 * 0 and says nothing, with "sleep" it waits until it is killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MAX_SHOWN_MOUNTS 40

static bool is_coloured;

static void heading(const char *text)
{
	printf(is_coloured ? "\n\033[1;36m%s\033[0m\n" : "\n%s\n", text);
}

/* The first line that begins with key in /proc/self/status, without the key. "" where it isn't. */
static const char *status_field(const char *key)
{
	static char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	size_t length = strlen(key);

	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, key, length) == 0 && line[length] == ':') {
			const char *value = line + length + 1;

			fclose(f);
			line[strcspn(line, "\n")] = '\0';
			return value + strspn(value, " \t");
		}
	}
	if (f)
		fclose(f);
	return "";
}

static void show_identity(void)
{
	struct utsname name;
	char comm[64] = "?", path[4096];
	FILE *f = fopen("/proc/1/comm", "re");

	if (f) {
		if (fgets(comm, sizeof comm, f))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(f);
	}
	uname(&name);
	heading("Who am I?");
	printf("  %-16s %d; PID 1 is \"%s\"%s\n", "process", getpid(), comm,
	       getpid() == 1 ? ", and that is me" : "");
	printf("  %-16s uid %u, gid %u\n", "user", geteuid(), getegid());
	printf("  %-16s %s\n", "hostname", name.nodename);
	printf("  %-16s Linux %s, the host's: there is only one\n", "kernel", name.release);
	printf("  %-16s %s\n", "directory", getcwd(path, sizeof path) ? path : strerror(errno));
}

static void show_namespaces(void)
{
	static const struct {
		const char *name, *what;
	} all[] = {
		{"mnt", "which file systems are mounted where"},
		{"pid", "which processes there are"},
		{"net", "network devices, addresses, ports"},
		{"ipc", "System V IPC and message queues"},
		{"uts", "host and domain name"},
		{"user", "what a user id means"},
		{"cgroup", "where the cgroup tree begins"},
		{"time", "when the machine was booted"},
	};

	heading("Namespaces: what I see is not what the host sees");
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		char path[32], link[64];
		ssize_t n;

		snprintf(path, sizeof path, "/proc/self/ns/%s", all[i].name);
		n = readlink(path, link, sizeof link - 1);
		link[n > 0 ? n : 0] = '\0';
		printf("  %-8s %-22s %s\n", all[i].name, n > 0 ? link : "-", all[i].what);
	}
}

static void show_cgroup(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[512];

	heading("Cgroup: what I may use is counted and limited");
	while (f && fgets(line, sizeof line, f)) {
		char *controllers = strchr(line, ':'), *path;

		if (!controllers || !(path = strchr(++controllers, ':')))
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		printf("  %-16s %s\n", *controllers ? controllers : "unified (v2)", path);
	}
	if (f)
		fclose(f);
}

static void show_root(void)
{
	DIR *dir = opendir("/");
	struct dirent *entry;

	heading("Root: my file system is a directory that somebody unpacked");
	printf(" ");
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			printf(" /%s", entry->d_name);
	printf("\n");
	if (dir)
		closedir(dir);
}

static void show_mounts(void)
{
	FILE *f = fopen("/proc/self/mounts", "re");
	char line[1024], target[256], type[64], options[512];
	int n = 0;

	heading("Mounts");
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%*s %255s %63s %511s", target, type, options) != 3)
			continue;
		if (++n <= MAX_SHOWN_MOUNTS)
			printf("  %-28.28s %-10.10s %.36s\n", target, type, options);
	}
	if (n > MAX_SHOWN_MOUNTS)
		printf("  and %d more\n", n - MAX_SHOWN_MOUNTS);
	if (f)
		fclose(f);
}

static const char *const capability_names[] = {"CHOWN",
					       "DAC_OVERRIDE",
					       "DAC_READ_SEARCH",
					       "FOWNER",
					       "FSETID",
					       "KILL",
					       "SETGID",
					       "SETUID",
					       "SETPCAP",
					       "LINUX_IMMUTABLE",
					       "NET_BIND_SERVICE",
					       "NET_BROADCAST",
					       "NET_ADMIN",
					       "NET_RAW",
					       "IPC_LOCK",
					       "IPC_OWNER",
					       "SYS_MODULE",
					       "SYS_RAWIO",
					       "SYS_CHROOT",
					       "SYS_PTRACE",
					       "SYS_PACCT",
					       "SYS_ADMIN",
					       "SYS_BOOT",
					       "SYS_NICE",
					       "SYS_RESOURCE",
					       "SYS_TIME",
					       "SYS_TTY_CONFIG",
					       "MKNOD",
					       "LEASE",
					       "AUDIT_WRITE",
					       "AUDIT_CONTROL",
					       "SETFCAP",
					       "MAC_OVERRIDE",
					       "MAC_ADMIN",
					       "SYSLOG",
					       "WAKE_ALARM",
					       "BLOCK_SUSPEND",
					       "AUDIT_READ",
					       "PERFMON",
					       "BPF",
					       "CHECKPOINT_RESTORE"};
#define CAPABILITIES (sizeof capability_names / sizeof capability_names[0])

/* "none", "all", or the names, wrapped at 80 columns. */
static void show_set(const char *label, unsigned long long set)
{
	size_t column = 0;

	printf("  %-16s", label);
	if (set == 0)
		printf(" none");
	else if (set == (1ULL << CAPABILITIES) - 1)
		printf(" all %zu", CAPABILITIES);
	for (size_t i = 0; set && set != (1ULL << CAPABILITIES) - 1 && i < CAPABILITIES; i++) {
		if (!(set >> i & 1))
			continue;
		if (column + strlen(capability_names[i]) > 58) {
			printf("\n%18s", "");
			column = 0;
		}
		column += (size_t)printf(" %s", capability_names[i]);
	}
	printf("\n");
}

static void show_privileges(void)
{
	static const struct {
		const char *field, *label;
	} sets[] = {{"CapBnd", "bounding"},
		    {"CapPrm", "permitted"},
		    {"CapEff", "effective"},
		    {"CapInh", "inheritable"},
		    {"CapAmb", "ambient"}};
	static const char *const modes[] = {"off", "strict", "filter"};
	unsigned long long bounding = 0;
	const char *mode;

	heading("Privileges: root here is not root there");
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		unsigned long long set = strtoull(status_field(sets[i].field), NULL, 16);

		if (i > 0 && set && set == bounding)
			printf("  %-16s the same\n", sets[i].label);
		else
			show_set(sets[i].label, set);
		if (i == 0)
			bounding = set;
	}
	mode = status_field("Seccomp");
	printf("  %-16s %s\n", "seccomp",
	       *mode >= '0' && *mode <= '2' ? modes[*mode - '0'] : "unknown");
	printf("  %-16s %s\n", "no_new_privs", *status_field("NoNewPrivs") == '1' ? "yes" : "no");
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "true") == 0)
		return 0;
	while (argc > 1 && strcmp(argv[1], "sleep") == 0)
		pause();
	is_coloured = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	printf(is_coloured ? "\033[1mHello from inside a container.\033[0m\n"
			   : "Hello from inside a container.\n");
	printf("It was made by dhow from the kernel's own parts; here is what they are.\n");
	show_identity();
	show_root();
	if (access("/proc/self/status", R_OK) < 0) {
		heading("There is no /proc here, so that is all I can tell.");
		return 0;
	}
	show_namespaces();
	show_cgroup();
	show_privileges();
	show_mounts();
	return 0;
}

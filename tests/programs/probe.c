/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program inside a container sees of itself, where no file of /proc tells it.
 *
 * Each mode prints one line (or a line per item) for a test to compare:
 *   probe syscall NUMBER [ARG...]   "= RESULT" or "! ERRNO" of a raw system call
 *   probe scheduler                 policy, flags, nice, priority, runtime, deadline, period
 *   probe ioprio                    class and priority
 *   probe mempolicy                 mode, flags and first node word, in the kernel's numbers
 *   probe session-keyring           description of the session keyring
 *   probe fds                       each open descriptor above 2, with what fstat says it is
 *   probe clocks                    whole seconds of CLOCK_MONOTONIC and CLOCK_BOOTTIME
 *   probe cpus                      this process's affinity as a count and the lowest CPU
 *   probe eat MIB                   touches that much memory, says "ate"
 *   probe fork N                    forks until it fails or N children sleep, says how many
 *   probe signals                   blocked and ignored masks as inherited
 *   probe notify TEXT               sends TEXT to $NOTIFY_SOCKET
 *   probe exec PROGRAM...   (nothing but execv: for looking at what survives an exec)
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int probe_syscall(int argc, char **argv)
{
	long args[7] = {0};

	for (int i = 0; i < argc && i < 7; i++)
		args[i] = (long)strtoull(argv[i], NULL, 0);
	errno = 0;
	long result = syscall(args[0], args[1], args[2], args[3], args[4], args[5], args[6]);
	if (result == -1)
		printf("! %d\n", errno);
	else
		printf("= %ld\n", result);
	return 0;
}

static int probe_scheduler(int argc, char **argv)
{
	struct attr attr = {.size = sizeof(attr)};

	(void)argc, (void)argv;
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
		return 1;
	printf("policy=%u flags=%#lx nice=%d priority=%u runtime=%lu deadline=%lu period=%lu\n",
	       attr.policy, attr.flags, attr.nice, attr.priority, attr.runtime, attr.deadline,
	       attr.period);
	return 0;
}

static int probe_ioprio(int argc, char **argv)
{
	long value = syscall(SYS_ioprio_get, 1, 0);

	(void)argc, (void)argv;
	printf("class=%ld priority=%ld\n", value >> 13, value & 0xff);
	return 0;
}

static int probe_mempolicy(int argc, char **argv)
{
	unsigned long nodes[16] = {0};
	int mode = 0;

	(void)argc, (void)argv;
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) < 0)
		return 1;
	printf("mode=%d flags=%#x nodes=%#lx\n", mode & 0x1fff, mode & ~0x1fff, nodes[0]);
	return 0;
}

static int probe_session_keyring(int argc, char **argv)
{
	char text[512] = "";

	(void)argc, (void)argv;
	if (syscall(SYS_keyctl, 6 /* KEYCTL_DESCRIBE */, -3, text, sizeof(text) - 1) < 0) {
		printf("! %d\n", errno);
		return 1;
	}
	puts(text);
	return 0;
}

static int probe_fds(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (int fd = 3; fd < 1024; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			continue;
		printf("%d mode=%o dev=%lu ino=%lu\n", fd, st.st_mode, st.st_dev, st.st_ino);
	}
	return 0;
}

static int probe_clocks(int argc, char **argv)
{
	struct timespec monotonic, boottime;

	(void)argc, (void)argv;
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_BOOTTIME, &boottime);
	printf("%ld %ld\n", monotonic.tv_sec, boottime.tv_sec);
	return 0;
}

static int probe_cpus(int argc, char **argv)
{
	cpu_set_t set;
	int lowest = 0;

	(void)argc, (void)argv;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	while (!CPU_ISSET(lowest, &set))
		lowest++;
	printf("%d %d\n", CPU_COUNT(&set), lowest);
	return 0;
}

static int probe_eat(int argc, char **argv)
{
	size_t size = (argc > 0 ? strtoul(argv[0], NULL, 10) : 1) << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	puts("ate");
	return 0;
}

static int probe_fork(int argc, char **argv)
{
	int wanted = argc > 0 ? atoi(argv[0]) : 1, made = 0;

	for (; made < wanted; made++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			pause();
			_exit(0);
		}
	}
	printf("%d\n", made);
	fflush(stdout);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return 0;
}

static int probe_signals(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (int number = 1; number < 32; number++) {
		struct sigaction action;
		sigset_t blocked;

		sigprocmask(SIG_SETMASK, NULL, &blocked);
		if (sigismember(&blocked, number) == 1)
			printf("blocked %d\n", number);
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			printf("ignored %d\n", number);
	}
	puts("end");
	return 0;
}

/* notify TEXT: sends it to $NOTIFY_SOCKET. */
static int probe_notify(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strncpy(address.sun_path, getenv("NOTIFY_SOCKET"), sizeof(address.sun_path) - 1);
	return sendto(fd, argv[0], strlen(argv[0]), 0, (struct sockaddr *)&address,
		      sizeof(address)) < 0;
}

static int probe_exec(int argc, char **argv)
{
	if (argc > 0)
		execv(argv[0], argv);
	return 1;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} modes[] = {
	{"syscall", probe_syscall},
	{"scheduler", probe_scheduler},
	{"ioprio", probe_ioprio},
	{"mempolicy", probe_mempolicy},
	{"session-keyring", probe_session_keyring},
	{"fds", probe_fds},
	{"clocks", probe_clocks},
	{"cpus", probe_cpus},
	{"eat", probe_eat},
	{"fork", probe_fork},
	{"signals", probe_signals},
	{"notify", probe_notify},
	{"exec", probe_exec},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			return modes[i].run(argc - 2, argv + 2);
	fprintf(stderr, "probe: no such mode\n");
	return 2;
}

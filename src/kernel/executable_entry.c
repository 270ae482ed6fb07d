/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entry of a static program that seals its executable (executable.c) before the C library starts.
 *
 * Starting the library takes most of a short program's time: on virtual machines 0.2 to 0.4 ms, for each of its
 * CPUID instructions leaves the guest. Sealing it afterwards would start it twice. So `executable_entry` comes before
 * `_start`: for a command that enters containers it executes the read-only clone of the program at once. In all other
 * cases, and when anything fails, it goes on to `_start`, and process_seal_executable() does, or reports, the rest.
 *
 * Here nothing of the C library works: no relocated function, no errno, no thread pointer. Only system calls. */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "kernel/executable.h"

#ifndef __x86_64__
#error "executable_entry is written for x86_64"
#endif

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#endif

/* More of it is left to process_seal_executable(). */
#define ENVIRONMENT_MAX 1024

void executable_entry_seal(const long *stack);

/* The kernel's stack at entry: argc, argv, NULL, environment, NULL. */
__asm__(".globl executable_entry\n"
	".type executable_entry, @function\n"
	"executable_entry:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rbx\n"
	"	mov %rdx, %r12\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call executable_entry_seal\n"
	"	mov %rbx, %rsp\n"
	"	mov %r12, %rdx\n"
	"	jmp _start\n"
	".size executable_entry, . - executable_entry\n");

static long call(long number, long a, const void *b, long c, const void *d, long e)
{
	register const void *r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool starts(const char *s, const char *prefix)
{
	while (*prefix && *s == *prefix) {
		s++;
		prefix++;
	}
	return *prefix == '\0';
}

/* One that only looks so is sealed without need, which harms nothing. */
static bool enters_containers(char *const *argv)
{
	for (argv++; *argv; argv++)
		if (is_same(*argv, "run") || is_same(*argv, "create") || is_same(*argv, "exec") ||
		    is_same(*argv, "restore"))
			return true;
	return false;
}

static long open_clone(void)
{
	const unsigned long attributes[4] = {MOUNT_ATTR_RDONLY};
	long fd = call(SYS_open_tree, AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | O_CLOEXEC, NULL,
		       0);

	if (fd >= 0 &&
	    call(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, attributes, sizeof attributes) < 0)
		return -1;
	return fd;
}

void executable_entry_seal(const long *stack)
{
	char *const *argv = (char *const *)(stack + 1), *const *environment = argv + stack[0] + 1;
	const char *sealed[ENVIRONMENT_MAX + 2];
	size_t count = 0;
	long fd;

	if (stack[0] < 2 || !enters_containers(argv))
		return;
	for (; environment[count]; count++) {
		if (count == ENVIRONMENT_MAX ||
		    starts(environment[count], EXECUTABLE_SEALED_MARK "="))
			return;
		sealed[count] = environment[count];
	}
	sealed[count] = EXECUTABLE_SEALED_MARK "=1";
	sealed[count + 1] = NULL;
	fd = open_clone();
	if (fd >= 0)
		call(SYS_execveat, fd, "", (long)argv, sealed, AT_EMPTY_PATH);
}

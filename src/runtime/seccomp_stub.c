/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions in front of a filter that answer ENOSYS for system calls newer than the profile.
 *
 * For each value of seccomp_data.arch there is a section; what isn't the filter's architecture falls
 * through to libseccomp's own check. The kernel learns from a filter which calls it always allows by
 * running it on the number and architecture alone, so the stub keeps to instructions that it follows
 * there (kernel/seccomp.c, seccomp_is_const_allow()).
 *
 *	ld	arch
 *	jeq	ARCH, 0, next section
 *	ld	nr
 *	jgt	LAST, 0, 1		on x86-64 with x32 one for each, told apart by the number's bit 30
 *	ret	ENOSYS
 *	ja	filter */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>

#include "runtime/seccomp_internal.h"

#define X32_BIT 0x40000000U

struct writer {
	struct sock_filter *out;
	size_t count;
};

static void put(struct writer *w, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	w->out[w->count++] =
		(struct sock_filter){.code = code, .k = k, .jt = if_true, .jf = if_false};
}

static void load(struct writer *w, size_t offset)
{
	put(w, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_limits(struct writer *w, const struct seccomp_arch *arch,
		       const struct seccomp_arch *x32)
{
	switch (arch ? arch->token : x32->token) {
	case SCMP_ARCH_S390:
	case SCMP_ARCH_S390X:
		/* A number too large for its instruction arrives as 0 when nobody knows it. */
		put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		put(w, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)arch->last, 0, 1);
		break;
	case SCMP_ARCH_X86_64:
	case SCMP_ARCH_X32:
		if (arch && x32) {
			put(w, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 1, 0);
			put(w, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)arch->last, 1, 2);
			put(w, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)x32->last, 0, 1);
		} else if (arch) {
			put(w, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 2, 0);
			put(w, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)arch->last, 0, 1);
		} else {
			put(w, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 2);
			put(w, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)x32->last, 0, 1);
		}
		break;
	default:
		put(w, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)arch->last, 0, 1);
	}
}

static const struct seccomp_arch *find(const struct seccomp_arch *archs, size_t count,
				       uint32_t token)
{
	for (size_t i = 0; i < count; i++)
		if (archs[i].token == token && archs[i].last >= 0)
			return &archs[i];
	return NULL;
}

size_t seccomp_stub(const struct seccomp_arch *archs, size_t count, struct sock_filter *out)
{
	struct writer w = {.out = out};
	const struct seccomp_arch *x32 = find(archs, count, SCMP_ARCH_X32);

	load(&w, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < count; i++) {
		const struct seccomp_arch *arch = &archs[i];
		bool is_x86 = arch->token == SCMP_ARCH_X86_64 || arch->token == SCMP_ARCH_X32;
		size_t jump = w.count;

		if (arch->last < 0)
			continue;
		/* x32 goes with x86-64 where that is there. */
		if (arch == x32 && find(archs, count, SCMP_ARCH_X86_64))
			continue;
		put(&w, BPF_JMP | BPF_JEQ | BPF_K, arch->audit, 0, 0);
		load(&w, offsetof(struct seccomp_data, nr));
		put_limits(&w, arch == x32 ? NULL : arch, is_x86 ? x32 : NULL);
		put(&w, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
		/* To the end, which is known when all are written. */
		put(&w, BPF_JMP | BPF_JA, 0, 0, 0);
		out[jump].jf = (uint8_t)(w.count - jump - 1);
	}
	for (size_t i = 0; i < w.count; i++)
		if (out[i].code == (BPF_JMP | BPF_JA))
			out[i].k = (uint32_t)(w.count - i - 1);
	return w.count;
}

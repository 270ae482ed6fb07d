/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seccomp(2), which libc has no wrapper for. See seccomp.h. */
#include <sys/syscall.h>

#include "kernel/seccomp.h"

bool seccomp_flags_are_supported(unsigned flags)
{
	/* The flags are looked at before the filter, which is nowhere. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

static const char *explain(int code, unsigned flags)
{
	switch (code) {
	case EACCES:
		return "this takes no_new_privs or CAP_SYS_ADMIN";
	case EBUSY:
		return (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
			       ? "a filter that is in force already has a listener"
			       : strerror(code);
	case ENOMEM:
		return "out of memory, or too many filters are in force";
	default:
		return strerror(code);
	}
}

int seccomp_install(const struct sock_filter *instructions, size_t count, unsigned flags,
		    struct error **err)
{
	struct sock_fprog program = {
		.len = (unsigned short)count,
		.filter = (struct sock_filter *)(uintptr_t)instructions,
	};
	uint64_t begin;
	int r;

	if (count == 0 || count > BPF_MAXINSNS)
		return error_set(
			err, E2BIG,
			"the seccomp filter has %zu instructions, and the kernel takes 1 to %d",
			count, BPF_MAXINSNS);
	begin = trace_begin();
	r = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (r < 0)
		r = -errno;
	trace_step(TRACE_SECCOMP, begin, "seccomp", r, "SECCOMP_SET_MODE_FILTER, %#x, %zu", flags,
		   count);
	/* With TSYNC a positive number is a thread that could not be synchronised. */
	if (r > 0 && !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return error_set(err, ESRCH, "load the seccomp filter: thread %d can't take it", r);
	return r < 0 ? error_set(err, -r, "load the seccomp filter: %s", explain(-r, flags)) : r;
}

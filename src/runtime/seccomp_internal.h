/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the seccomp translation: the stub in front of a filter, and the cache. */
#ifndef DHOW_RUNTIME_SECCOMP_INTERNAL_H
#define DHOW_RUNTIME_SECCOMP_INTERNAL_H

#include "kernel/seccomp.h"
#include "runtime/seccomp.h"

/* One architecture of the filter: the token for libseccomp (SCMP_ARCH_x), what the kernel says in
 * seccomp_data.arch, and the largest system call number that the profile speaks of (-1: none). */
struct seccomp_arch {
	uint32_t token, audit;
	int64_t last;
};

/* Writes instructions that return ENOSYS for numbers above each architecture's last, and otherwise run
 * on into what follows. out has room for SECCOMP_STUB_MAX(count). Returns their number. */
#define SECCOMP_STUB_MAX(count) (1 + 8 * (count))
size_t seccomp_stub(const struct seccomp_arch *archs, size_t count, struct sock_filter *out);

/* The parts of the configuration that decide about the instructions, as bytes. Returns 0 or -ENOMEM. */
int seccomp_cache_key(const struct spec_seccomp *seccomp, struct strbuf *key);
/* Fills out->instructions and out->size from the cache. False when there is no entry to be trusted. */
bool seccomp_cache_load(int cache_fd, const struct strbuf *key, struct seccomp_program *out);
/* Keeps the program for the next time. A cache that can't be written costs only time. */
void seccomp_cache_store(int cache_fd, const struct strbuf *key,
			 const struct seccomp_program *program);

#endif

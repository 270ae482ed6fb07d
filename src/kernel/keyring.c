/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyctl(2), without libkeyutils. See keyring.h. */
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/keyring.h"

int keyring_join(const char *name, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = (int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);

	if (r < 0)
		r = -errno;
	trace_step(TRACE_PROCESS, begin, "keyctl", r, "KEYCTL_JOIN_SESSION_KEYRING, %s", name);
	return r < 0 ? error_errno(err, -r, "join the session keyring %s", name) : r;
}

/* "keyring;UID;GID;PERMISSIONS;NAME" */
static int read_permissions(int serial, uint32_t *out)
{
	/* A name that does not fit is not cut: then nothing is written at all. Ours hold a container's id. */
	char text[2048];
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, text, sizeof text);

	if (n < 0)
		return -errno;
	if (n > (long)sizeof text)
		return -ENAMETOOLONG;
	text[n > 0 ? n - 1 : 0] = '\0';
	return sscanf(text, "%*[^;];%*[^;];%*[^;];%x", out) == 1 ? 0 : -EIO;
}

int keyring_permit(int serial, uint32_t bits, struct error **err)
{
	uint64_t begin = trace_begin();
	uint32_t permissions = 0;
	int r = read_permissions(serial, &permissions);

	if (r == 0 && (permissions & bits) == bits)
		return 0;
	if (r == 0 && syscall(SYS_keyctl, KEYCTL_SETPERM, serial, permissions | bits) < 0)
		r = -errno;
	trace_step(TRACE_PROCESS, begin, "keyctl", r, "KEYCTL_SETPERM, %d, %#x", serial,
		   permissions | bits);
	return r < 0 ? error_errno(err, -r, "permit to search the session keyring") : 0;
}

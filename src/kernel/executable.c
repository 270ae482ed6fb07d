/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running from an executable that nobody can write.
 *
 * While a process of the runtime is inside a container, the container may reach the runtime's
 * executable through /proc/PID/exe, keep the descriptor, and write to the host's file once nobody
 * executes it (CVE-2019-5736). So the program executes itself again from
 *   - a read-only, detached clone of the mount that holds it: writes end in EROFS. The clone is gone
 *     from every mount namespace as soon as its descriptor closes, which is at the exec, so nobody can
 *     turn it writable again (mount_setattr refuses what is not mounted); or, without the privilege,
 *   - a sealed copy in memory.
 * The first costs no copy: about 0.3 ms for a static program. memfd_create(2), open_tree(2). */
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "kernel/executable.h"
#include "kernel/process.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE   1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#endif

/* The mark in the environment alone proves nothing: the file itself must say so. */
static bool is_sealed(void)
{
	struct statvfs fs;
	_cleanup_fd_ int fd = -1;
	int seals;

	if (!getenv(EXECUTABLE_SEALED_MARK))
		return false;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	seals = fcntl(fd, F_GET_SEALS);
	if (seals >= 0 && (seals & F_SEAL_WRITE))
		return true;
	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

static int open_read_only_clone(void)
{
	struct {
		uint64_t attr_set, attr_clr, propagation, userns_fd;
	} attr = {.attr_set = MOUNT_ATTR_RDONLY};
	_cleanup_fd_ int fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe",
					   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int open_sealed_copy(void)
{
	_cleanup_fd_ int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int fd = -1;
	struct stat st;
	off_t offset = 0;

	if (exe < 0 || fstat(exe, &st) < 0)
		return -errno;
	fd = memfd_create("dhow", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* Linux before 6.3 */
		fd = memfd_create("dhow", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	while (offset < st.st_size)
		if (sendfile(fd, exe, &offset, (size_t)(st.st_size - offset)) <= 0)
			return errno ? -errno : -EIO;
	if (fchmod(fd, 0500) < 0)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_EXEC) < 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int process_seal_executable(char **argv, struct error **err)
{
	_cleanup_fd_ int fd = -1;

	if (is_sealed()) {
		unsetenv(EXECUTABLE_SEALED_MARK);
		return 0;
	}
	fd = open_read_only_clone();
	if (fd < 0)
		fd = open_sealed_copy();
	if (fd < 0)
		return error_errno(err, -fd,
				   "make a copy of this program that containers can't write");
	if (setenv(EXECUTABLE_SEALED_MARK, "1", 1) < 0)
		return error_errno(err, errno, "set the environment");
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return error_errno(err, errno, "execute the protected copy of this program");
}

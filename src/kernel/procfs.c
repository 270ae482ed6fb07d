/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checked access to procfs. See procfs.h. proc(5), openat2(2).
 *
 * The root is kept for the life of the process, and through fork. What is opened below it is on the same
 * mount (RESOLVE_NO_XDEV), and so is procfs. A file that something is mounted over, as in a container whose
 * /proc/sys is read-only, is looked for once more in an instance of our own. */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "kernel/mount.h"
#include "kernel/procfs.h"

/* fs/proc/root.c gives the root this inode number, and nothing else below. */
#define PROC_ROOT_INODE 1
#define VALUE_MAX       (1 << 20)

static int root_fd = -1;
/* An own instance was made or refused: there is no better one. */
static bool is_own;

static int check_root(int fd, struct error **err)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "look at /proc");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return error_set(err, EINVAL, "/proc is not a procfs");
	return 0;
}

int procfs_root(struct error **err)
{
	_cleanup_fd_ int fd = -1;
	int r;

	if (root_fd >= 0)
		return root_fd;
	fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open /proc");
	r = check_root(fd, err);
	if (r < 0)
		return r;
	root_fd = TAKE_FD(fd);
	return root_fd;
}

/* Replaces the root by an instance of our own. Not having one is no error: the one at hand stays. */
static void use_own_instance(void)
{
	const struct mount_fs proc = {
		.type = "proc",
		.source = "proc",
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	_cleanup_fd_ int fd = mount_detached(&proc, NULL);

	is_own = true;
	if (fd < 0 || check_root(fd, NULL) < 0)
		return;
	close_fd(&root_fd);
	root_fd = TAKE_FD(fd);
}

void procfs_forget(void)
{
	root_fd = -1;
	is_own = false;
}

int procfs_renew(struct error **err)
{
	char self[64];
	int root;

	/* "self" is there when this procfs counts us. */
	if (root_fd < 0 || readlinkat(root_fd, "self", self, sizeof self) < 0)
		use_own_instance();
	root = procfs_root(err);
	return root < 0 ? root : 0;
}

/* "self/attr/exec" to "1234/attr/exec". The links self and thread-self tell the caller's PID as this
 * procfs counts. */
static char *resolve_self(int root, const char *path)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	size_t length = strcspn(path, "/");
	char link[64];
	ssize_t n;

	if (!(length == 4 && str_starts(path, "self")) &&
	    !(length == 11 && str_starts(path, "thread-self")))
		return strdup(path);
	n = readlinkat(root, length == 4 ? "self" : "thread-self", link, sizeof link - 1);
	if (n < 0)
		return NULL;
	link[n] = '\0';
	strbuf_addf(&out, "%s%s", link, path + length);
	return strbuf_take(&out);
}

/* Without openat2: one component at a time, never through a link or into another mount's file system. */
static int open_walking(int root, const char *path, int flags)
{
	_cleanup_fd_ int dir = fcntl(root, F_DUPFD_CLOEXEC, 3);
	_cleanup_free_ char *copy = strdup(path);
	struct stat root_st, st;
	char *rest = copy, *name;

	if (dir < 0 || fstat(root, &root_st) < 0)
		return -errno;
	if (!copy)
		return -ENOMEM;
	while ((name = strsep(&rest, "/"))) {
		int fd = openat(dir, name,
				(rest ? O_PATH | O_DIRECTORY : flags) | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		close(dir);
		dir = fd;
		if (str_equal(name, "..") || fstat(dir, &st) < 0 || st.st_dev != root_st.st_dev)
			return -EXDEV;
	}
	return TAKE_FD(dir);
}

static int open_below(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return open_walking(root, path, flags);
	return fd < 0 ? -errno : fd;
}

int procfs_open(const char *path, int flags, struct error **err)
{
	int fd, root = procfs_root(err);

	if (root < 0)
		return root;
	for (;;) {
		_cleanup_free_ char *real = resolve_self(root, path);

		if (!real)
			return error_errno(err, errno, "open /proc/%s", path);
		fd = open_below(root, real, flags);
		if (fd != -EXDEV || is_own)
			break;
		use_own_instance();
		root = root_fd;
	}
	return fd < 0 ? error_errno(err, -fd, "open /proc/%s", path) : fd;
}

int procfs_reopen(int fd, int flags, struct error **err)
{
	_cleanup_fd_ int dir = procfs_open("self/fd", O_PATH | O_DIRECTORY, err);
	char name[16];
	int opened;

	if (dir < 0)
		return dir;
	snprintf(name, sizeof name, "%d", fd);
	opened = openat(dir, name, flags | O_CLOEXEC);
	return opened < 0 ? error_errno(err, errno, "open a file again") : opened;
}

int procfs_write(enum trace_group group, const char *path, const char *value, struct error **err)
{
	uint64_t begin = trace_begin();
	_cleanup_fd_ int fd = procfs_open(path, O_WRONLY, err);
	ssize_t n;

	if (fd < 0) {
		trace_step(group, begin, "write", fd, "/proc/%s, %s", path, value);
		return fd;
	}
	n = write(fd, value, strlen(value));
	trace_step(group, begin, "write", n < 0 ? -errno : 0, "/proc/%s, %s", path, value);
	if (n < 0)
		return error_errno(err, errno, "write %s to /proc/%s", value, path);
	if ((size_t)n != strlen(value))
		return error_errno(err, EIO, "write %s to /proc/%s", value, path);
	return 0;
}

int procfs_read(const char *path, char **value, size_t *length, struct error **err)
{
	_cleanup_fd_ int fd = procfs_open(path, O_RDONLY, err);

	return fd < 0 ? fd : fd_read_all(fd, VALUE_MAX, path, value, length, err);
}

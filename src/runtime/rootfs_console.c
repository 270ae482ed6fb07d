/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container's terminal, from its own devpts. Specification: "Process", terminal; pty(7),
 * ioctl_tty(2).
 *
 * What is at /dev/ptmx and /dev/console may be the container's doing. So the multiplexer is looked at before it
 * is opened, the other side is taken from the master itself (TIOCGPTPEER) rather than by name,
 * checked to be on a devpts, and bound by descriptor (CVE-2025-52565). */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/rootfs_internal.h"

/* Documentation/admin-guide/devices.txt: 136 to 143 are the UNIX98 slaves. */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143

static int open_master(int root, struct error **err)
{
	_cleanup_fd_ int found = path_open_in_root(root, "/dev/ptmx", O_PATH, PATH_ANY, err);
	int locked = 0, master;
	struct stat st;

	if (found < 0)
		return found;
	if (fstat(found, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return error_set(err, EPERM, "/dev/ptmx is not the terminal multiplexer");
	master = procfs_reopen(found, O_RDWR | O_NOCTTY, err);
	if (master >= 0 && ioctl(master, TIOCSPTLCK, &locked) < 0) {
		error_errno(err, errno, "unlock the terminal");
		close(master);
		return -EIO;
	}
	return master;
}

static int open_slave(int master, struct error **err)
{
	_cleanup_fd_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (slave < 0)
		return error_errno(err, errno, "open the terminal's other side");
	if (fstat(slave, &st) < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) < PTS_MAJOR_FIRST ||
	    major(st.st_rdev) > PTS_MAJOR_LAST || !mount_is_type(slave, DEVPTS_SUPER_MAGIC))
		return error_set(err, EPERM, "the terminal is not on a devpts");
	return TAKE_FD(slave);
}

static int bind_console(struct rootfs *r, int slave, struct error **err)
{
	_cleanup_fd_ int covered =
		path_open_in_root(r->root_fd, "/dev/console", O_PATH | O_NOFOLLOW, PATH_ANY, NULL);
	struct mount_target target = {.root = r->root_fd, .path = "/dev/console"};
	_cleanup_fd_ int tree = -1;
	struct stat st;

	if (covered == -ENOENT)
		covered = path_create_in_root(r->root_fd, "/dev/console", 0666, PATH_MISSING, err);
	if (covered < 0)
		return error_errno(err, -covered, "open /dev/console");
	if (fstat(covered, &st) < 0 || S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return error_set(err, EPERM, "/dev/console is a link or directory");
	target.fd = covered;
	tree = mount_clone(slave, "", 0, err);
	return tree < 0 ? tree : mount_attach(&tree, &target, 0, err);
}

int rootfs_open_console(struct rootfs *r, bool bind, int *master, int *slave, struct error **err)
{
	_cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int m = -1, s = -1;
	int n = 0;

	if (root < 0)
		return error_errno(err, errno, "open /");
	m = open_master(root, err);
	s = m < 0 ? m : open_slave(m, err);
	if (s < 0)
		return error_prefix(err, "make a terminal");
	if (bind && r && r->opts.has_mount_namespace)
		n = bind_console(r, s, err);
	if (n < 0)
		return error_prefix(err, "make a terminal");
	*master = TAKE_FD(m);
	*slave = TAKE_FD(s);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making an overlay mount of any number of layers.
 *
 * Linux 6.7 takes the layers one by one (fsconfig(2), "lowerdir+"). Before, they are one text of at most a page, and
 * fsconfig takes only 255 bytes: then a child in a mount namespace of its own calls mount(2) from within /proc/self/fd, where
 * each layer's name is its descriptor's number, and passes a clone of the mount back. Nothing is ever mounted where others
 * could see it, or where it would stay if we were killed. */
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/mount.h"
#include "storage/overlay_mount.h"

#define STRING_MAX 255 /* of fsconfig(2) */

/* Descriptors of what is mounted: a path that is too long for fsconfig is named by its descriptor. */
struct opened {
	int *fds;
	size_t count;
};

static void opened_clear(struct opened *o)
{
	for (size_t i = 0; i < o->count; i++)
		close_fd(&o->fds[i]);
	free(o->fds);
}

static int open_all(const struct overlay_mount *m, struct opened *o, struct error **err)
{
	size_t count = m->lowers->count + 2;

	o->fds = calloc(count, sizeof *o->fds);
	if (!o->fds)
		return error_errno(err, ENOMEM, "mount an overlay");
	for (size_t i = 0; i < count; i++) {
		const char *path = i < m->lowers->count    ? m->lowers->items[i]
				   : i == m->lowers->count ? m->upper
							   : m->work;

		if (!path)
			break;
		o->fds[i] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (o->fds[i] < 0)
			return error_errno(err, errno, "open %s", path);
		o->count++;
	}
	return 0;
}

/* --- Linux 6.7 and later ----------------------------------------------------------------------------------------------- */

/* Parameters, whose texts are owned by texts. */
struct parameters {
	struct mount_parameter *items;
	size_t count;
	struct strv texts;
};

static void parameters_clear(struct parameters *p)
{
	free(p->items);
	strv_free(&p->texts);
}

static int add(struct parameters *p, const char *key, const char *value)
{
	p->items[p->count++] = (struct mount_parameter){key, value};
	return 0;
}

static int add_path(struct parameters *p, const char *key, const char *path, int fd)
{
	if (strlen(path) <= STRING_MAX)
		return add(p, key, path);
	if (strv_addf(&p->texts, "/proc/self/fd/%d", fd))
		return -ENOMEM;
	return add(p, key, p->texts.items[p->texts.count - 1]);
}

/* "volatile,metacopy=on": each its own parameter. */
static int add_options(struct parameters *p, const struct strv *options)
{
	for (size_t i = 0; i < options->count; i++) {
		char *equals = strchr(options->items[i], '=');

		if (equals)
			*equals = '\0';
		add(p, options->items[i], equals ? equals + 1 : NULL);
	}
	return 0;
}

static bool sets(const char *options, const char *key)
{
	const char *at = options;
	size_t length = strlen(key);

	while (at && *at) {
		if (strncmp(at, key, length) == 0 &&
		    (at[length] == '=' || at[length] == ',' || !at[length]))
			return true;
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return false;
}

static const struct {
	const char *key, *value;
} defaults[] = {
	{"index", "off"},
	{"metacopy", "off"},
	{"redirect_dir", "nofollow"},
};

static int mount_by_parameters(const struct overlay_mount *m, const struct opened *o,
			       struct error **err)
{
	_cleanup_(parameters_clear) struct parameters p = {0};
	_cleanup_strv_ struct strv options = {0};
	struct mount_fs fs = {.type = "overlay", .source = "overlay"};
	int r = 0;

	if (m->options && strv_split(&options, m->options, ","))
		return error_errno(err, ENOMEM, "mount an overlay");
	p.items = calloc(m->lowers->count + options.count + 8, sizeof *p.items);
	if (!p.items)
		return error_errno(err, ENOMEM, "mount an overlay");
	for (size_t i = 0; i < m->lowers->count && r == 0; i++)
		r = add_path(&p, "lowerdir+", m->lowers->items[i], o->fds[i]);
	if (!r && m->upper)
		r = add_path(&p, "upperdir", m->upper, o->fds[m->lowers->count]);
	if (!r && m->upper)
		r = add_path(&p, "workdir", m->work, o->fds[m->lowers->count + 1]);
	for (size_t i = 0; i < ARRAY_SIZE(defaults) && r == 0; i++)
		if (!sets(m->options, defaults[i].key))
			r = add(&p, defaults[i].key, defaults[i].value);
	if (!r && m->is_user)
		r = add(&p, "userxattr", NULL);
	if (!r && m->label)
		r = add(&p, "context", m->label);
	if (!r)
		r = add_options(&p, &options);
	if (r)
		return error_errno(err, ENOMEM, "mount an overlay");
	fs.parameters = p.items;
	fs.parameter_count = p.count;
	fs.attributes = m->upper ? 0 : MOUNT_ATTR_RDONLY;
	return mount_detached(&fs, err);
}

/* --- Before --------------------------------------------------------------------------------------------------------------- */

static char *option_text(const struct overlay_mount *m, const struct opened *o)
{
	struct strbuf b = {0};

	strbuf_adds(&b, "lowerdir=");
	for (size_t i = 0; i < m->lowers->count; i++)
		strbuf_addf(&b, "%s%d", i ? ":" : "", o->fds[i]);
	if (m->upper)
		strbuf_addf(&b, ",upperdir=%d,workdir=%d", o->fds[m->lowers->count],
			    o->fds[m->lowers->count + 1]);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!sets(m->options, defaults[i].key))
			strbuf_addf(&b, ",%s=%s", defaults[i].key, defaults[i].value);
	if (m->is_user)
		strbuf_adds(&b, ",userxattr");
	if (m->label)
		strbuf_addf(&b, ",context=\"%s\"", m->label);
	if (m->options)
		strbuf_addf(&b, ",%s", m->options);
	return strbuf_take(&b);
}

static int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control};
	struct cmsghdr *header;
	ssize_t n;
	int fd = -1;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof fd);
	return fd;
}

/* In the child: no allocation, no stdio. The exit status is the errno. */
static int mount_in_child(const char *options, bool is_read_only, int socket)
{
	const char *target = "/";
	int tree;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	if (chdir("/proc/self/fd") < 0)
		return errno;
	/* Over "/" of this namespace, which nobody else sees; the names resolve from where we stand. */
	if (mount("overlay", target, "overlay", is_read_only ? MS_RDONLY : 0, options) < 0)
		return errno;
	/* "/" as a path is what was there before; ".." of it leads to what is on top. */
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/..", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return errno;
	return -send_fd(socket, tree);
}

static int mount_by_text(const struct overlay_mount *m, const struct opened *o, struct error **err)
{
	_cleanup_free_ char *options = option_text(m, o);
	_cleanup_fd_ int ours = -1, theirs = -1;
	int sockets[2], status, fd;
	uint64_t begin = trace_begin();
	pid_t pid;

	if (!options)
		return error_errno(err, ENOMEM, "mount an overlay");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return error_errno(err, errno, "mount an overlay");
	ours = sockets[0];
	theirs = sockets[1];
	pid = fork();
	if (pid < 0)
		return error_errno(err, errno, "fork to mount an overlay");
	if (pid == 0)
		_exit(mount_in_child(options, !m->upper, theirs));
	close_fd(&theirs);
	fd = receive_fd(ours);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	trace_step(TRACE_MOUNTS, begin, "mount", -status, "overlay, %s", options);
	if (fd >= 0)
		return fd;
	return error_errno(err, status ? status : EIO, "mount overlay");
}

int overlay_mount(const struct overlay_mount *m, struct error **err)
{
	_cleanup_(opened_clear) struct opened o = {0};
	_cleanup_error_ struct error *first = NULL;
	int fd = open_all(m, &o, err);

	if (fd < 0)
		return fd;
	fd = mount_by_parameters(m, &o, &first);
	if (fd == -EINVAL || fd == -ENOSYS)
		return mount_by_text(m, &o, err);
	if (fd < 0)
		return error_set(err, -fd, "%s", error_text(first));
	return fd;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proxy of sd_notify(3). See notify.h. As runc's: only READY=1 goes through, for nothing else that a container may
 * say is the service manager's to believe. */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "runtime/notify.h"

#define DIRECTORY       "notify"
#define SOCKET_NAME     "notify.sock"
#define BARRIER_WAIT_MS 5000 /* as sd_notify_barrier's callers use */

int notify_prepare(const struct runtime *rt, const struct state *s, struct spec *spec,
		   struct error **err)
{
	static const char *options[] = {"bind", "nosuid", "noexec", "nodev", "ro", NULL};
	struct spec_mount mount = {
		.destination = "/run/notify", .type = "bind", .options = {options, 5}};
	_cleanup_free_ char *source = NULL;

	if (asprintf(&source, "%s/%s/" DIRECTORY, rt->root, s->id) < 0)
		return error_errno(err, ENOMEM, "make the notify directory");
	if (mkdirat(s->dir_fd, DIRECTORY, 0755) < 0 || fchmodat(s->dir_fd, DIRECTORY, 0755, 0) < 0)
		return error_errno(err, errno, "make %s", source);
	mount.source = source;
	return spec_add_mount(spec, &mount, err);
}

int notify_listen(const struct state *s, const char *host, struct notify *out, struct error **err)
{
	_cleanup_fd_ int dir = -1, fd = -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*out = (struct notify){.fd = -1, .host = host};
	if (!host)
		return 0;
	dir = openat(s->dir_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "open the notify directory");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SOCKET_NAME, dir);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    fchmodat(dir, SOCKET_NAME, 0777, 0) < 0)
		return error_errno(err, errno, "make the notify socket");
	out->fd = TAKE_FD(fd);
	return 0;
}

/* An abstract address begins with "@". */
static int connect_host(const char *host)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(host);
	_cleanup_fd_ int fd = -1;

	if (length >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, host, length);
	if (*host == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* sd_notify_barrier(3): waits until the service manager has worked off what was sent, for it tells who sent it by our
 * PID, which may be gone soon. */
static void await_barrier(int fd)
{
	char text[] = "BARRIER=1";
	struct iovec iov = {.iov_base = text, .iov_len = sizeof text - 1};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control};
	_cleanup_fd_ int ours = -1, theirs = -1;
	struct pollfd p = {.events = 0};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	ours = ends[0];
	theirs = ends[1];
	control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &theirs, sizeof theirs);
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		return;
	close_fd(&theirs);
	p.fd = ours;
	poll(&p, 1, BARRIER_WAIT_MS);
}

static void tell_host(const struct notify *n)
{
	_cleanup_fd_ int fd = connect_host(n->host);
	char text[64];
	int length = snprintf(text, sizeof text, "READY=1\nMAINPID=%d\n", n->pid);

	if (fd < 0 || send(fd, text, (size_t)length, MSG_NOSIGNAL) < 0) {
		log_warning("pass READY=1 on to %s: %s", n->host, strerror(fd < 0 ? -fd : errno));
		return;
	}
	await_barrier(fd);
}

static bool says_ready(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strcmp(line, "READY=1") == 0)
			return true;
	return false;
}

bool notify_handle(struct notify *n)
{
	char text[4096 + 1];
	ssize_t length;

	while ((length = recv(n->fd, text, sizeof text - 1, 0)) >= 0) {
		text[length] = '\0';
		if (!says_ready(text))
			continue;
		tell_host(n);
		notify_close(n);
		return true;
	}
	return false;
}

void notify_wait(struct notify *n, int pidfd)
{
	struct pollfd fds[] = {{.fd = n->fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};

	while (n->fd >= 0) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return;
		/* What it said last counts, too. */
		if ((fds[0].revents && notify_handle(n)) || fds[1].revents)
			return;
	}
}

void notify_close(struct notify *n)
{
	close_fd(&n->fd);
}

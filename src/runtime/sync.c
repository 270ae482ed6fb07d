/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between parent and child. See sync.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/sync.h"

struct header {
	int type, value;
};

int sync_pair(int *parent, int *child, struct error **err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return error_errno(err, errno, "make a socket pair");
	*parent = fds[0];
	*child = fds[1];
	return 0;
}

static int send_parts(int sock, struct iovec *parts, size_t count, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = count};

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof control.buf;
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int sync_send(int sock, enum sync_type type, int value, int fd, const char *text)
{
	struct header header = {.type = (int)type, .value = value};
	size_t length = text ? strnlen(text, SYNC_TEXT_MAX) : 0;
	struct iovec parts[] = {{&header, sizeof header}, {(void *)(uintptr_t)text, length}};

	return send_parts(sock, parts, length ? 2 : 1, fd);
}

int send_descriptor(int sock, int fd, const void *data, size_t length)
{
	struct iovec part = {(void *)(uintptr_t)data, length};

	return send_parts(sock, &part, 1, fd);
}

int sync_receive(int sock, struct sync_message *message)
{
	struct header header;
	struct iovec parts[] = {{&header, sizeof header}, {message->text, SYNC_TEXT_MAX}};
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {.msg_iov = parts,
			     .msg_iovlen = 2,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof control.buf};
	struct cmsghdr *cmsg;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	message->fd = -1;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
			memcpy(&message->fd, CMSG_DATA(cmsg), sizeof message->fd);
	if ((size_t)n < sizeof header) {
		close_fd(&message->fd);
		return -EBADMSG;
	}
	message->type = (enum sync_type)header.type;
	message->value = header.value;
	message->text[(size_t)n - sizeof header] = '\0';
	return 0;
}

int sync_expect(int sock, enum sync_type type, int *fd, struct error **err)
{
	struct sync_message message;
	int r = sync_receive(sock, &message);

	if (r == -ECONNRESET)
		return error_set(err, ECONNRESET, "the container's process ended unexpectedly");
	if (r < 0)
		return error_errno(err, -r, "receive from the container's process");
	if (message.type == type) {
		if (fd)
			*fd = message.fd;
		else
			close_fd(&message.fd);
		return 0;
	}
	close_fd(&message.fd);
	if (message.type == SYNC_ERROR)
		return error_set(err, message.value > 0 ? message.value : EINVAL, "%s",
				 message.text);
	return error_set(err, EPROTO, "unexpected message %d from the container's process",
			 message.type);
}

int connect_unix(const char *path, int type, struct error **err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_fd_ int sock = -1, at = -1;

	/* An O_PATH descriptor names the socket in few bytes, however long the path is. */
	at = open(path, O_PATH | O_CLOEXEC);
	if (at < 0)
		return error_errno(err, errno, "open the socket %s", path);
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", at);
	sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return error_errno(err, errno, "make a socket");
	if (connect(sock, (struct sockaddr *)&address, sizeof address) < 0)
		return error_errno(err, errno, "connect to %s", path);
	return TAKE_FD(sock);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's end of the sockets that a runtime hands descriptors to.
 *
 *   agent MODE SOCKET OUT [ARGUMENT]
 * listens on SOCKET (a unix stream socket), takes one connection, receives one message with descriptors, and
 * appends to OUT; then, by mode:
 *   console [TEXT]   OUT gets "fds N" and "name DATA"; OUT.tty gets what the terminal prints. TEXT is typed into it
 *                    once it has printed something: the program is there then.
 *   seccomp [VALUE]  OUT gets the JSON of the container process state; every notification is answered with
 *                    VALUE as the system call's result. OUT.calls gets "NUMBER PID" for each.
 *   pidfd            OUT gets "fds N", and what /proc says of the descriptor; it then waits for it to be readable
 *                    (the process has ended) and adds "ended".
 * It goes on until its peer is gone or it is killed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct message {
	char data[65536];
	ssize_t length;
	int fds[8];
	int count;
};

static int take_connection(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 4) < 0)
		return -1;
	return accept(listener, NULL, NULL);
}

static int receive(int connection, struct message *message)
{
	char control[CMSG_SPACE(sizeof(int) * 8)];
	struct iovec iov = {.iov_base = message->data, .iov_len = sizeof(message->data) - 1};
	struct msghdr header = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};

	message->length = recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
	if (message->length < 0)
		return -1;
	message->data[message->length] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		message->count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(message->fds, CMSG_DATA(c), sizeof(int) * (size_t)message->count);
	}
	return 0;
}

static FILE *open_out(const char *out, const char *suffix)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s%s", out, suffix);
	FILE *file = fopen(path, "ae");
	if (file)
		setvbuf(file, NULL, _IOLBF, 0);
	return file;
}

static int serve_console(int connection, struct message *message, const char *out, const char *text)
{
	FILE *log = open_out(out, ""), *tty = open_out(out, ".tty");
	char buffer[4096];
	ssize_t got;

	(void)connection;
	fprintf(log, "fds %d\nname %s\n", message->count, message->data);
	if (message->count < 1)
		return 1;
	while ((got = read(message->fds[0], buffer, sizeof(buffer))) > 0) {
		fwrite(buffer, 1, (size_t)got, tty);
		fflush(tty);
		if (text && write(message->fds[0], text, strlen(text)) < 0)
			return 1;
		text = NULL;
	}
	return 0;
}

static int serve_seccomp(int connection, struct message *message, const char *out, const char *text)
{
	FILE *log = open_out(out, ""), *calls = open_out(out, ".calls");

	(void)connection;
	fprintf(log, "%s\n", message->data);
	fclose(log);
	if (message->count < 1)
		return 1;
	for (;;) {
		struct pollfd poll_fd = {.fd = message->fds[0], .events = POLLIN};
		struct seccomp_notif request = {0};
		struct seccomp_notif_resp response = {0};

		if (poll(&poll_fd, 1, -1) < 0 || !(poll_fd.revents & POLLIN))
			return 0;
		if (ioctl(message->fds[0], SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			continue;
		fprintf(calls, "%d %u\n", request.data.nr, request.pid);
		response.id = request.id;
		response.val = text ? atoi(text) : 0;
		ioctl(message->fds[0], SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

static int serve_pidfd(int connection, struct message *message, const char *out, const char *text)
{
	FILE *log = open_out(out, "");
	char path[64], line[256];

	(void)connection, (void)text;
	fprintf(log, "fds %d\n", message->count);
	if (message->count < 1)
		return 1;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", message->fds[0]);
	FILE *info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		fputs(line, log);
	fputs("end\n", log);
	struct pollfd poll_fd = {.fd = message->fds[0], .events = POLLIN};
	poll(&poll_fd, 1, -1);
	fputs("ended\n", log);
	return 0;
}

static const struct {
	const char *name;
	int (*serve)(int connection, struct message *message, const char *out, const char *text);
} modes[] = {
	{"console", serve_console},
	{"seccomp", serve_seccomp},
	{"pidfd", serve_pidfd},
};

int main(int argc, char **argv)
{
	static struct message message;

	if (argc < 4)
		return 2;
	int connection = take_connection(argv[2]);
	if (connection < 0 || receive(connection, &message) < 0) {
		fprintf(stderr, "agent: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			return modes[i].serve(connection, &message, argv[3],
					      argc > 4 ? argv[4] : NULL);
	return 2;
}

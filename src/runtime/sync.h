/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container's process and its parent say to each other while the container is made: short
 * messages over a socket pair (or, for start, over the connection to ROOT/ID/start.sock). Each message is
 * one packet: a fixed header, a text of at most SYNC_TEXT_MAX bytes, at most one descriptor. When the
 * other side is gone, receiving ends with -ECONNRESET. unix(7), SOCK_SEQPACKET. */
#ifndef DHOW_RUNTIME_SYNC_H
#define DHOW_RUNTIME_SYNC_H

#include "base/base.h"

#define SYNC_TEXT_MAX 8192

enum sync_type {
	SYNC_PLACED = 1,    /* parent: id maps are written, a cgroup that needs help is joined */
	SYNC_CGROUP_GONE,   /* child: its cgroup was removed meanwhile, and PLACED is awaited */
	SYNC_HOOKS,         /* child: the root is prepared, run prestart and createRuntime hooks */
	SYNC_HOOKS_DONE,    /* parent */
	SYNC_READY,         /* child: everything is set up, waiting for START */
	SYNC_RECORDED,      /* parent of create: the PID is recorded, wait for start from others */
	SYNC_START,         /* parent: execute the program */
	SYNC_LISTENER,      /* child: here is the seccomp notify descriptor */
	SYNC_LISTENER_DONE, /* parent */
	SYNC_CONSOLE,       /* child: here is the pty's master */
	SYNC_ERROR,         /* child: text says what failed, value is the errno */
};

struct sync_message {
	enum sync_type type;
	int value;
	int fd; /* received: the caller's; -1 for none */
	char text[SYNC_TEXT_MAX + 1];
};

/* Makes the pair, both ends O_CLOEXEC. */
int sync_pair(int *parent, int *child, struct error **err);
/* Return 0 or a negative errno; fd -1 sends none, text NULL sends none. No allocation. */
int sync_send(int sock, enum sync_type type, int value, int fd, const char *text);
int sync_receive(int sock, struct sync_message *message);
/* Receives a message of the given type. An ERROR from the other side becomes *err; anything else, or the
 * end, is an error that says what was awaited. */
int sync_expect(int sock, enum sync_type type, int *fd, struct error **err);

/* Sends a descriptor with a text over any connected unix socket (console socket, pidfd socket). */
int send_descriptor(int sock, int fd, const void *data, size_t length);
/* Connects to the unix socket at path, also where path is too long for an address. Returns the socket. */
int connect_unix(const char *path, int type, struct error **err);

#endif

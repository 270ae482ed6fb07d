/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify(3) for containers: where NOTIFY_SOCKET is in our environment, the container gets a socket of its own, and its
 * READY=1 is passed on, with the PID that the service manager is to watch from then on.
 *
 * ROOT/ID/notify is bound on /run/notify in the container; the socket in it is made by start, or by run. */
#ifndef DHOW_RUNTIME_NOTIFY_H
#define DHOW_RUNTIME_NOTIFY_H

#include "runtime/state.h"

/* NOTIFY_SOCKET for the program. */
#define NOTIFY_SOCKET_INSIDE "/run/notify/notify.sock"

struct notify {
	int fd;           /* -1: none */
	const char *host; /* the service manager's socket; borrowed */
	pid_t pid;        /* of the container's first process; set by the caller */
};

/* Makes the directory and adds the mount to spec. */
int notify_prepare(const struct runtime *rt, const struct state *s, struct spec *spec,
		   struct error **err);
/* Makes the socket. Where the container was made without, or host is NULL, there is none, and that is no error. */
int notify_listen(const struct state *s, const char *host, struct notify *out, struct error **err);
/* To be called when fd is readable. Returns true once READY=1 was passed on, and closes fd then. */
bool notify_handle(struct notify *n);
/* Waits until READY=1 was passed on, or the process of pidfd has ended. Does nothing without a socket. */
void notify_wait(struct notify *n, int pidfd);
void notify_close(struct notify *n);

#endif

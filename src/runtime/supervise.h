/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standing by a container's process in the foreground: signals passed on, its terminal copied, its end
 * awaited. For run and exec without --detach. */
#ifndef DHOW_RUNTIME_SUPERVISE_H
#define DHOW_RUNTIME_SUPERVISE_H

#include "runtime/notify.h"

struct supervision {
	int signals;           /* signalfd; every signal is blocked while it is open */
	pid_t pid;             /* the process; set by the caller before supervise() */
	struct notify *notify; /* passed on meanwhile; NULL for none */
};

/* From here on signals wait for supervise(). Must be called before the process exists, so that none is
 * lost. make_subreaper: orphans of the container become ours to reap. */
int supervise_begin(struct supervision *s, bool make_subreaper, struct error **err);
/* Waits until pidfd's process, a child, ends, and fills *status. master is the pty to copy between our
 * standard streams and the container, or -1; it is closed. */
int supervise(struct supervision *s, int pidfd, int master, int *status, struct error **err);
void supervise_end(struct supervision *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state directory ROOT/ID: all that is known of a container between two commands.
 *
 *   state.json   who it is, its first process (PID and start time), its cgroup; replaced atomically
 *   config.json  the configuration it was created with, byte for byte
 *   start.sock   where the created process waits for `start`; gone once it was told to
 *
 * The directory appears by rename with state.json already in it, before anything else is made for the
 * container, so that `delete --force` finds what to clean up however early the creator died. A
 * descriptor of the directory carries the lock (flock(2)) that creating, starting and deleting take;
 * it vanishes with its holder. */
#ifndef DHOW_RUNTIME_STATE_H
#define DHOW_RUNTIME_STATE_H

#include <time.h>

#include "runtime/cgroup.h"
#include "runtime/container.h"

struct state {
	int dir_fd;
	char *id, *bundle, *rootfs;
	pid_t pid;           /* of the first process; 0 before it exists */
	uint64_t start_time; /* of that process: field 22 of /proc/PID/stat */
	struct timespec created;
	struct cgroup *cgroup; /* NULL when none was made or recorded */
	char *rdt_clos_id;     /* the resctrl group that must be removed, or NULL */
	bool is_systemd, is_rootless;
	json_t *annotations; /* object */
	json_t *streams;     /* array, see checkpoint_stdio.h; NULL for a terminal */
};

/* Makes ROOT/ID for s, with s->dir_fd open and locked, state.json and config.json written. -EEXIST when
 * a container of that id exists. */
int state_create(const struct runtime *rt, struct state *s, const char *config, size_t length,
		 struct error **err);
/* Reads ROOT/ID. -ENOENT (container does not exist: ID) when there is none. */
int state_load(const struct runtime *rt, const char *id, struct state *out, struct error **err);
/* Takes the lock, waiting for its holder. -ENOENT when the container was deleted meanwhile. */
int state_lock(struct state *s, struct error **err);
void state_unlock(struct state *s);
/* Writes state.json anew. */
int state_save(const struct state *s, struct error **err);
int state_load_config(const struct state *s, struct spec **out, struct error **err);
/* Removes the directory. */
int state_remove(const struct runtime *rt, struct state *s, struct error **err);
void state_clear(struct state *s);
#define _cleanup_state_ _cleanup_(state_clear)

/* What the kernel says now: is the process there, is it waiting for start, is its cgroup frozen? */
enum container_status state_status(const struct state *s);
/* A pidfd of the first process, or -ESRCH when it is gone. */
int state_open_process(const struct state *s, struct error **err);
/* The specification's state object, for hooks, `state` and seccomp agents. New reference. pid 0 is left out. */
json_t *state_object(const struct state *s, const char *status, pid_t pid);

/* The socket on which the created process waits for start, ROOT/ID/start.sock: bound and listening. */
int state_listen(const struct state *s, struct error **err);
/* Connects to it; -ENOENT or -ECONNREFUSED when nobody waits. */
int state_connect(const struct state *s, struct error **err);

/* Ids of all containers of the root. */
int state_list(const struct runtime *rt, struct strv *ids, struct error **err);
bool container_id_is_valid(const char *id);

#endif

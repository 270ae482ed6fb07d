/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's life, as the OCI runtime specification tells it: create, start, state, kill, delete,
 * and what runc adds. The door of the room for cli/ and later engine/.
 *
 * Everything that outlives a call is in the state directory ROOT/ID (state.h). All functions return 0
 * or a negative errno with *err filled in. Ids: [A-Za-z0-9_+.-]+, at most 1024 bytes, not "." or "..". */
#ifndef DHOW_RUNTIME_CONTAINER_H
#define DHOW_RUNTIME_CONTAINER_H

#include <time.h>

#include "runtime/spec.h"

enum container_status {
	CONTAINER_CREATING,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
};
extern const char *const container_status_names[];

/* What the commands share. */
struct runtime {
	const char *root; /* the state directory's parent, absolute; made when absent */
	bool is_systemd;  /* --systemd-cgroup */
	bool is_rootless; /* no privileges over the initial user namespace */
};

struct container_create_opts {
	const char *id;
	const char *bundle;         /* NULL: the current directory */
	const char *console_socket; /* NULL: none */
	const char *pid_file, *pidfd_socket;
	bool no_pivot, no_new_keyring, no_subreaper, keep;
	bool detach;      /* run --detach */
	int preserve_fds; /* descriptors 3 to 2+N are handed to the program */
	/* Counted from LISTEN_FDS by the caller; the runtime passes LISTEN_* on as runc does. */
	int listen_fds;
	const char *notify_socket; /* NOTIFY_SOCKET of the caller, or NULL; see sd_notify(3) */
};

int container_create(const struct runtime *rt, const struct container_create_opts *opts,
		     struct error **err);
/* With notify_socket (or NULL) it returns when the container has said READY=1, or ended. */
int container_start(const struct runtime *rt, const char *id, const char *notify_socket,
		    struct error **err);
/* Create, start and, unless detach, wait and delete. Returns the program's exit status (0 to 255), or a
 * negative errno. */
int container_run(const struct runtime *rt, const struct container_create_opts *opts,
		  struct error **err);

struct container_exec_opts {
	const char *id;
	const char *console_socket, *pid_file, *pidfd_socket;
	const char *process_file; /* --process; the fields below are NULL or empty then */
	const char *cwd, *user;   /* "UID[:GID]" */
	struct spec_strings env, args, additional_gids, capabilities,
		cgroups; /* cgroups: [CONTROLLER:]PATH */
	const char *apparmor, *process_label;
	bool tty, no_new_privs, detach, ignore_paused;
	int preserve_fds;
};
/* Returns the exit status (0 with detach), or a negative errno. */
int container_exec(const struct runtime *rt, const struct container_exec_opts *opts,
		   struct error **err);

int container_kill(const struct runtime *rt, const char *id, int signal, bool is_all,
		   struct error **err);
/* is_force: kill first, and no error where nothing of that name exists. */
int container_delete(const struct runtime *rt, const char *id, bool is_force, struct error **err);
int container_pause(const struct runtime *rt, const char *id, struct error **err);
int container_resume(const struct runtime *rt, const char *id, struct error **err);

/* A container as `state` and `list` show it. */
struct container_info {
	char *id, *bundle, *rootfs;
	uid_t owner; /* who created it */
	enum container_status status;
	pid_t pid; /* 0 when stopped */
	struct timespec created;
	json_t *annotations; /* object */
};
void container_info_clear(struct container_info *info);
int container_info(const struct runtime *rt, const char *id, struct container_info *out,
		   struct error **err);
/* All containers of the root, by name; what can't be read is left out with a warning. */
int container_list(const struct runtime *rt, struct container_info **out, size_t *count,
		   struct error **err);
int container_pids(const struct runtime *rt, const char *id, pid_t **pids, size_t *count,
		   struct error **err);

/* resources is parsed by the caller from flags or -r; fields not set stay. l3_cache and mem_bw are
 * Intel RDT schemas or NULL. */
int container_update(const struct runtime *rt, const char *id,
		     const struct spec_resources *resources, const char *l3_cache,
		     const char *mem_bw, struct error **err);

/* One statistics object in runc's shape ({"type":"stats","id":…,"data":{…}}). New reference. */
int container_stats(const struct runtime *rt, const char *id, json_t **out, struct error **err);
/* Calls on_event with one event at a time, "oom" as they come and "stats" each interval_ms, until the
 * container stops or on_event returns non-zero. */
typedef int container_event_fn(json_t *event, void *data);
int container_events(const struct runtime *rt, const char *id, uint64_t interval_ms,
		     container_event_fn *on_event, void *data, struct error **err);

/* CRIU. Flags as runc's checkpoint and restore commands. */
struct container_checkpoint_opts {
	const char *id, *bundle;
	const char *image_path, *work_path, *parent_path;
	const char *page_server, *console_socket, *pid_file, *status_fd, *manage_cgroups_mode,
		*lsm_profile, *lsm_mount_context;
	bool leave_running, tcp_established, tcp_skip_in_flight, link_remap, ext_unix_sk, shell_job,
		lazy_pages, file_locks, pre_dump, auto_dedup, detach, no_subreaper, no_pivot;
	struct spec_strings empty_ns;
};
int container_checkpoint(const struct runtime *rt, const struct container_checkpoint_opts *opts,
			 struct error **err);
int container_restore(const struct runtime *rt, const struct container_checkpoint_opts *opts,
		      struct error **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a container: the parent's side of create and run.
 *
 *   read and check the configuration; what this host can't do is known before anything is made
 *   state directory (the id is ours from here on); cgroup with its limits
 *   the process, in its namespaces (place.h); from here on it works beside us (init.h)
 *   id maps, hooks, and READY; then its PID is recorded
 *   create: we leave, and it waits on start.sock.  run: START, and we stand by it
 *
 * Everything made is in struct creation, and undone by undo() when a step fails. When this process is
 * killed at any point, the child sees its socket close and ends, and `delete --force` finds the rest by
 * the state directory, which was there first. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "kernel/namespace.h"
#include "kernel/process.h"
#include "runtime/attributes.h"
#include "runtime/checkpoint_stdio.h"
#include "runtime/destroy.h"
#include "runtime/hooks.h"
#include "runtime/init.h"
#include "runtime/launch.h"
#include "runtime/notify.h"
#include "runtime/supervise.h"
#include "runtime/sync.h"

/* How often cgroups are made again that somebody removed before the process was in. */
#define CGROUP_REPAIRS_MAX 5

struct creation {
	const struct runtime *rt;
	const struct container_create_opts *opts;
	char *bundle;
	int bundle_fd;
	struct spec *spec;
	char *config;
	size_t config_length;
	struct state state;
	bool has_state; /* the directory is there and ours */
	struct rootfs *rootfs;
	struct placement placement;
	struct seccomp_program seccomp;
	int console_socket, start_listener, master;
	int sync, child_sync;
	int cgroup_fds[CGROUP_JOIN_MAX];
	int cgroup_fd_count;
	struct notify notify;
	int pidfd;
	pid_t pid;
};

static void creation_clear(struct creation *c)
{
	for (int i = 0; i < c->cgroup_fd_count; i++)
		close_fd(&c->cgroup_fds[i]);
	close_fd(&c->bundle_fd);
	close_fd(&c->console_socket);
	close_fd(&c->start_listener);
	close_fd(&c->master);
	close_fd(&c->sync);
	close_fd(&c->child_sync);
	close_fd(&c->pidfd);
	notify_close(&c->notify);
	place_close(&c->placement);
	rootfs_free(c->rootfs);
	seccomp_program_clear(&c->seccomp);
	state_clear(&c->state);
	spec_free(c->spec);
	free(c->config);
	free(c->bundle);
}
#define _cleanup_creation_ _cleanup_(creation_clear)

static void creation_init(struct creation *c)
{
	*c = (struct creation){.bundle_fd = -1,
			       .console_socket = -1,
			       .start_listener = -1,
			       .master = -1,
			       .sync = -1,
			       .child_sync = -1,
			       .pidfd = -1,
			       .notify = {.fd = -1},
			       .state = {.dir_fd = -1}};
	for (int i = 0; i < NAMESPACE_TYPES; i++)
		c->placement.join_fds[i] = -1;
}

static int open_bundle(struct creation *c, struct error **err)
{
	const char *bundle = c->opts->bundle ? c->opts->bundle : ".";

	c->bundle = realpath(bundle, NULL);
	if (!c->bundle)
		return error_errno(err, errno, "open the bundle %s", bundle);
	c->bundle_fd = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->bundle_fd < 0)
		return error_errno(err, errno, "open the bundle %s", bundle);
	return spec_load(c->bundle_fd, &c->spec, &c->config, &c->config_length, err);
}

static bool has_user_namespace(const struct creation *c)
{
	return c->spec->linux.namespaces[NAMESPACE_USER].is_set;
}

/* What id_maps_write does for a normal user who maps the own group alone. */
static bool is_setgroups_denied(const struct creation *c)
{
	const struct spec_linux *config = &c->spec->linux;

	return (c->placement.new_flags & CLONE_NEWUSER) && geteuid() != 0 &&
	       config->gid_maps.count == 1 && config->gid_maps.items[0].size == 1 &&
	       config->gid_maps.items[0].host_id == getegid();
}

static struct attributes_opts attributes_of(const struct creation *c)
{
	return (struct attributes_opts){
		.process = &c->spec->process,
		.linux = &c->spec->linux,
		.id = c->opts->id,
		.no_new_keyring = c->opts->no_new_keyring,
		.has_user_namespace = has_user_namespace(c),
		.is_setgroups_denied = is_setgroups_denied(c),
	};
}

/* Reads and checks all that can be checked before anything is made. */
static int prepare(struct creation *c, bool is_detached, struct error **err)
{
	struct attributes_opts attributes;
	int r;

	r = check_preserved_descriptors(c->opts->preserve_fds + c->opts->listen_fds, err);
	if (r == 0)
		r = open_bundle(c, err);
	if (r < 0)
		return r;
	if (!c->spec->has_process)
		return error_set(err, EINVAL, "process: missing in config.json");
	r = check_terminal(&c->spec->process, is_detached, c->opts->console_socket, err);
	if (r < 0)
		return r;
	r = place_open(&c->spec->linux, &c->placement, err);
	if (r < 0)
		return r;
	attributes = attributes_of(c);
	r = attributes_check(&attributes, err);
	if (r == 0 && c->opts->console_socket) {
		c->console_socket = connect_unix(c->opts->console_socket, SOCK_STREAM, err);
		r = c->console_socket < 0 ? c->console_socket : 0;
	}
	return r;
}

static int claim_id(struct creation *c, struct error **err)
{
	int r;

	c->state.bundle = strdup(c->bundle);
	if (!c->spec->process.terminal)
		c->state.streams = stdio_describe((int[STDIO_COUNT]){-1, -1, -1});
	if (!c->state.bundle || (!c->spec->process.terminal && !c->state.streams))
		return error_errno(err, ENOMEM, "make the state of %s", c->opts->id);
	r = claim_state(c->rt, c->opts->id, c->spec, &c->state, c->config, c->config_length, err);
	c->has_state = r == 0;
	return r;
}

static int make_rootfs(struct creation *c, struct error **err)
{
	const struct spec_namespace *namespaces = c->spec->linux.namespaces;
	struct rootfs_opts opts = {
		.spec = c->spec,
		.bundle_fd = c->bundle_fd,
		.bundle = c->bundle,
		.no_pivot = c->opts->no_pivot,
		.has_mount_namespace =
			namespaces[NAMESPACE_MOUNT].is_set && !namespaces[NAMESPACE_MOUNT].path,
		.has_user_namespace = has_user_namespace(c),
		.has_cgroup_namespace = namespaces[NAMESPACE_CGROUP].is_set,
		.cgroup = c->state.cgroup,
	};
	int r = rootfs_new(&opts, &c->rootfs, err);

	return r == 0 && rootfs_wants_parent(c->rootfs) ? rootfs_open_sources(c->rootfs, err) : r;
}

/* Whether to try again, with the directories that were removed under our hands made again. */
static bool is_repaired(struct creation *c, int r, int *attempts, struct error **err)
{
	if ((r != -ENOENT && r != -ENODEV) || ++*attempts > CGROUP_REPAIRS_MAX ||
	    cgroup_repair(c->state.cgroup, NULL) < 0)
		return false;
	if (err)
		error_freep(err);
	return true;
}

static int make_cgroup(struct creation *c, struct error **err)
{
	const struct spec_resources *resources = &c->spec->linux.resources;
	int attempts = 0, n, r;

	r = cgroup_create(c->state.cgroup, resources, err);
	if (r < 0)
		return r;
	do {
		n = cgroup_set(c->state.cgroup, resources, false, err);
		if (n == 0)
			n = cgroup_join_fds(c->state.cgroup, c->cgroup_fds, err);
	} while (n < 0 && is_repaired(c, n, &attempts, err));
	if (n < 0)
		return n;
	c->cgroup_fd_count = n;
	c->placement.cgroup_fd = cgroup_clone_fd(c->state.cgroup);
	return 0;
}

/* The process found its cgroups gone: it is put into new ones. */
static int remake_cgroup(struct creation *c, struct error **err)
{
	const struct spec_resources *resources = &c->spec->linux.resources;
	int attempts = 0, r = -ENODEV;

	while (r < 0 && is_repaired(c, r, &attempts, err)) {
		r = cgroup_set(c->state.cgroup, resources, false, err);
		if (r == 0)
			r = cgroup_attach(c->state.cgroup, c->pid, resources, err);
	}
	if (r == 0)
		r = sync_send(c->sync, SYNC_PLACED, 0, -1, NULL);
	return r < 0 && err && !*err ? error_errno(err, -r, "make the container's cgroup again")
				     : r;
}

/* The process goes on only when it was put where it belongs from outside. */
static bool is_waiting(const struct creation *c)
{
	return has_user_namespace(c) || cgroup_is_attached_by_parent(c->state.cgroup);
}

static _noreturn_ void child(struct creation *c)
{
	struct init init = {
		.spec = c->spec,
		.state = &c->state,
		.placement = &c->placement,
		.rootfs = c->rootfs,
		.sources_are_open = rootfs_wants_parent(c->rootfs),
		.is_placed_by_parent = is_waiting(c),
		.program = {.process = &c->spec->process,
			    .attributes = attributes_of(c),
			    .seccomp = &c->seccomp,
			    .preserve_fds = c->opts->preserve_fds + c->opts->listen_fds,
			    .listen_fds = c->opts->listen_fds,
			    .notify_socket = c->opts->notify_socket ? NOTIFY_SOCKET_INSIDE : NULL,
			    .make_cwd = true,
			    .keep = {c->child_sync, c->start_listener}},
		.sync = c->child_sync,
		.start_listener = c->start_listener,
		.console_socket = c->console_socket,
		.cgroup_fds = c->cgroup_fds,
		.cgroup_fd_count = c->cgroup_fd_count,
	};

	close_fd(&c->sync);
	close_fd(&c->state.dir_fd);
	init_main(&init);
}

static void to_id_lines(const struct spec_id_maps *from, struct id_map_line *to)
{
	for (size_t i = 0; i < from->count; i++)
		to[i] = (struct id_map_line){.inside = from->items[i].container_id,
					     .outside = from->items[i].host_id,
					     .count = from->items[i].size};
}

static int write_id_maps(const struct creation *c, struct error **err)
{
	const struct spec_id_maps *uids = &c->spec->linux.uid_maps,
				  *gids = &c->spec->linux.gid_maps;
	_cleanup_free_ struct id_map_line *lines = NULL;
	struct id_maps maps;

	lines = calloc(uids->count + gids->count + 1, sizeof *lines);
	if (!lines)
		return error_errno(err, ENOMEM, "map ids");
	to_id_lines(uids, lines);
	to_id_lines(gids, lines + uids->count);
	maps = (struct id_maps){.uids = lines,
				.uid_count = uids->count,
				.gids = lines + uids->count,
				.gid_count = gids->count};
	return id_maps_write(c->pid, &maps, err);
}

/* What the process in its user namespace, new or joined, can't do itself. */
static int serve_user_namespace(const struct creation *c, struct error **err)
{
	struct attributes_opts attributes = attributes_of(c);
	int r;

	if (!has_user_namespace(c))
		return 0;
	r = attributes_outside(&attributes, c->pid, err);
	return r == 0 && (c->placement.new_flags & CLONE_NEWUSER) ? write_id_maps(c, err) : r;
}

/* Puts the process where it belongs, as far as that is done from outside, and lets it go on. */
static int place_process(const struct creation *c, struct error **err)
{
	int r = 0;

	/* With v1 or no driver help needed this does nothing: the child joins by itself. */
	if (c->cgroup_fd_count == 0 && c->placement.cgroup_fd < 0)
		r = cgroup_attach(c->state.cgroup, c->pid, &c->spec->linux.resources, err);
	if (r == 0)
		r = cgroup_delegate_to_user(c->state.cgroup, c->spec, err);
	if (r == 0)
		r = serve_user_namespace(c, err);
	if (r < 0 || !is_waiting(c))
		return r;
	r = sync_send(c->sync, SYNC_PLACED, 0, -1, NULL);
	return r < 0 ? error_errno(err, -r, "tell the container's process") : 0;
}

static int move_net_devices(const struct creation *c, struct error **err)
{
	const struct spec_linux *config = &c->spec->linux;
	_cleanup_fd_ int ns = -1;
	char path[48];

	if (!config->net_device_count)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/ns/net", c->pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return error_errno(err, errno, "open %s", path);
	return net_devices_move(config->net_devices, config->net_device_count, ns, err);
}

static int hooks_of_ours(const struct creation *c, struct error **err)
{
	const struct spec_hooks *hooks = &c->spec->hooks;
	_cleanup_json_ json_t *state = state_object(&c->state, "creating", c->pid);
	int r;

	if (!state)
		return error_errno(err, ENOMEM, "run hooks");
	r = move_net_devices(c, err);
	if (r == 0)
		r = hooks_run(&hooks->prestart, "prestart", state, c->bundle, err);
	if (r == 0)
		r = hooks_run(&hooks->create_runtime, "createRuntime", state, c->bundle, err);
	if (r < 0)
		return r;
	r = sync_send(c->sync, SYNC_HOOKS_DONE, 0, -1, NULL);
	return r < 0 ? error_errno(err, -r, "tell the container's process") : 0;
}

/* Serves the child until it sends the awaited message, or its end of the socket closes, which execve
 * does: then 0 with *is_closed. */
static int serve(struct creation *c, enum sync_type awaited, bool *is_closed, struct error **err)
{
	const struct listener_owner owner = {c->spec, &c->state, "creating", c->pid};
	struct sync_message *m = malloc(sizeof *m);
	_cleanup_free_ struct sync_message *owned = m;
	int r;

	if (!m)
		return error_errno(err, ENOMEM, "serve the container's process");
	for (;;) {
		r = sync_receive(c->sync, m);
		if (r == -ECONNRESET && is_closed) {
			*is_closed = true;
			return 0;
		}
		if (r == -ECONNRESET)
			return error_set(err, ECHILD, "the container's process ended unexpectedly");
		if (r < 0)
			return error_errno(err, -r, "receive from the container's process");
		switch (m->type) {
		case SYNC_CGROUP_GONE:
			r = remake_cgroup(c, err);
			break;
		case SYNC_HOOKS:
			r = hooks_of_ours(c, err);
			break;
		case SYNC_CONSOLE:
			c->master = TAKE_FD(m->fd);
			break;
		case SYNC_LISTENER:
			r = serve_listener(c->sync, TAKE_FD(m->fd), &owner, err);
			break;
		case SYNC_ERROR:
			r = error_set(err, m->value > 0 ? m->value : EINVAL, "%s", m->text);
			break;
		default:
			if (m->type != awaited)
				r = error_set(err, EPROTO, "unexpected message %d", m->type);
		}
		close_fd(&m->fd);
		if (r < 0 || m->type == awaited)
			return r;
	}
}

/* Clones the process and sees it through to READY, with its PID recorded. */
static int launch(struct creation *c, struct error **err)
{
	const struct spec_intel_rdt *rdt = &c->spec->linux.intel_rdt;
	int r;

	r = sync_pair(&c->sync, &c->child_sync, err);
	if (r < 0)
		return r;
	/* From its first moment in a joined PID namespace nobody there may trace it. A normal user's child is
	 * let be until its id maps are written: they are written through files that would be root's (init.c). */
	if (geteuid() == 0)
		prctl(PR_SET_DUMPABLE, 0);
	c->pid = place_clone(&c->placement, &c->pidfd, err);
	if (c->pid == 0)
		child(c);
	if (c->pid < 0)
		return c->pid;
	close_fd(&c->child_sync);
	r = place_process(c, err);
	if (r == 0 && rdt->is_set)
		r = rdt_create(rdt, c->opts->id, c->pid, &c->state.rdt_clos_id, err);
	if (r == 0)
		r = serve(c, SYNC_READY, NULL, err);
	if (r < 0)
		return r;
	c->state.pid = c->pid;
	r = process_start_time(c->pid, &c->state.start_time, NULL);
	if (r < 0)
		return error_errno(err, -r, "read the start time of process %d", c->pid);
	r = state_save(&c->state, err);
	if (r == 0)
		r = announce_process(c->opts->pid_file, c->opts->pidfd_socket, c->pid, c->pidfd,
				     err);
	if (r < 0 || c->start_listener < 0)
		return r;
	r = sync_send(c->sync, SYNC_RECORDED, 0, -1, NULL);
	return r < 0 ? error_errno(err, -r, "tell the container's process") : 0;
}

/* What to add when the process did not tell why it ended. */
static void explain_end(struct creation *c, struct error **err)
{
	int status;

	if (!err || !*err || (*err)->code != ECHILD || c->pidfd < 0 ||
	    !strstr((*err)->message, "ended unexpectedly"))
		return;
	if (process_wait(c->pidfd, &status, NULL) < 0)
		return;
	close_fd(&c->pidfd);
	if (WIFSIGNALED(status) && cgroup_oom_kills(c->state.cgroup) > 0)
		error_set(
			err, ENOMEM,
			"the container was killed for lack of memory while it was made: its memory "
			"limit is too low");
	else if (WIFSIGNALED(status))
		error_set(err, ECHILD, "the container's process was killed by signal %d",
			  WTERMSIG(status));
	else
		error_set(err, ECHILD, "the container's process ended with status %d",
			  WEXITSTATUS(status));
}

/* Takes back everything; *err stays what it was. */
static void undo(struct creation *c, struct error **err)
{
	_cleanup_error_ struct error *second = NULL;
	int status;

	explain_end(c, err);
	if (c->pidfd >= 0) {
		process_signal(c->pidfd, SIGKILL, NULL);
		process_wait(c->pidfd, &status, NULL);
	}
	if (c->has_state && destroy_container(c->rt, &c->state, c->spec, &second) < 0)
		log_warning("clean up after a failed create: %s", error_text(second));
	if (c->opts->pid_file && c->state.pid)
		unlink(c->opts->pid_file);
}

/* Everything up to READY. is_detached: the caller will not stand by. */
static int make(struct creation *c, bool is_detached, bool waits_for_start, struct error **err)
{
	int r = prepare(c, is_detached, err);

	if (r == 0)
		r = claim_id(c, err);
	if (r == 0 && c->opts->notify_socket)
		r = notify_prepare(c->rt, &c->state, c->spec, err);
	if (r == 0)
		r = make_rootfs(c, err);
	if (r == 0)
		r = compile_seccomp(c->rt, &c->spec->linux.seccomp, &c->seccomp, err);
	if (r == 0)
		r = make_cgroup(c, err);
	if (r == 0 && waits_for_start) {
		c->start_listener = state_listen(&c->state, err);
		r = c->start_listener < 0 ? c->start_listener : 0;
	}
	return r == 0 ? launch(c, err) : r;
}

int container_create(const struct runtime *rt, const struct container_create_opts *opts,
		     struct error **err)
{
	_cleanup_creation_ struct creation c;
	int r;

	creation_init(&c);
	c.rt = rt;
	c.opts = opts;
	r = make(&c, true, true, err);
	if (r < 0) {
		undo(&c, err);
		return r;
	}
	return 0;
}

/* START, and everything until the program runs. */
static int start(struct creation *c, struct error **err)
{
	bool is_closed = false;
	int r = notify_listen(&c->state, c->opts->notify_socket, &c->notify, err);

	if (r < 0)
		return r;
	c->notify.pid = c->pid;
	r = sync_send(c->sync, SYNC_START, 0, -1, NULL);
	if (r < 0)
		return error_errno(err, -r, "tell the container's process to start");
	r = serve(c, SYNC_ERROR, &is_closed, err);
	return r == 0 ? run_poststart(&c->state, c->spec, err) : r;
}

static int stand_by(struct creation *c, struct supervision *supervision, struct error **err)
{
	int status, r;

	state_unlock(&c->state);
	supervision->pid = c->pid;
	supervision->notify = &c->notify;
	r = supervise(supervision, c->pidfd, TAKE_FD(c->master), &status, err);
	if (r < 0)
		return r;
	if (!c->opts->keep) {
		_cleanup_error_ struct error *cleanup = NULL;

		if (state_lock(&c->state, NULL) == 0 &&
		    destroy_container(c->rt, &c->state, c->spec, &cleanup) < 0)
			log_warning("%s", error_text(cleanup));
	}
	return process_exit_code(status);
}

int container_run(const struct runtime *rt, const struct container_create_opts *opts,
		  struct error **err)
{
	_cleanup_(supervise_end) struct supervision supervision = {.signals = -1};
	_cleanup_creation_ struct creation c;
	int r = 0;

	creation_init(&c);
	c.rt = rt;
	c.opts = opts;
	if (!opts->detach)
		r = supervise_begin(&supervision, !opts->no_subreaper, err);
	if (r == 0)
		r = make(&c, opts->detach, false, err);
	if (r == 0)
		r = start(&c, err);
	if (r < 0) {
		undo(&c, err);
		return r;
	}
	if (!opts->detach)
		return stand_by(&c, &supervision, err);
	state_unlock(&c.state);
	notify_wait(&c.notify, c.pidfd);
	return 0;
}

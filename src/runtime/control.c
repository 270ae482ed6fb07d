/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to a container that exists: start, kill, delete, pause, resume, and looking at it.
 * Each loads the state directory, and asks the kernel how things are. See container.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "kernel/process.h"
#include "runtime/attributes.h"
#include "runtime/launch.h"
#include "runtime/notify.h"
#include "runtime/destroy.h"
#include "runtime/hooks.h"
#include "runtime/state.h"
#include "runtime/sync.h"

#define KILL_WAIT_MS 10000

/* Loads, locks and looks. */
static int open_locked(const struct runtime *rt, const char *id, struct state *s,
		       struct error **err)
{
	int r = state_load(rt, id, s, err);

	if (r == 0)
		r = state_lock(s, err);
	if (r == 0) {
		/* It may have changed while we waited for the lock. */
		state_clear(s);
		r = state_load(rt, id, s, err);
	}
	return r == 0 ? state_lock(s, err) : r;
}

/* Talks the waiting process through its start. */
static int start_waiting(struct state *s, const struct spec *spec, struct error **err)
{
	_cleanup_fd_ int sock = state_connect(s, err);
	_cleanup_free_ struct sync_message *m = malloc(sizeof *m);
	const struct listener_owner owner = {spec, s, "creating", s->pid};
	int r;

	if (sock < 0)
		return sock;
	if (!m)
		return error_errno(err, ENOMEM, "start %s", s->id);
	r = sync_send(sock, SYNC_START, 0, -1, NULL);
	if (r < 0)
		return error_errno(err, -r, "tell the container's process to start");
	/* execve closes its end; anything before that is a request or an error. */
	while ((r = sync_receive(sock, m)) == 0) {
		_cleanup_fd_ int fd = m->fd;

		if (m->type == SYNC_LISTENER)
			r = serve_listener(sock, TAKE_FD(fd), &owner, err);
		else if (m->type == SYNC_ERROR)
			r = error_set(err, m->value > 0 ? m->value : EINVAL, "%s", m->text);
		else
			r = error_set(err, EPROTO, "unexpected message %d", m->type);
		if (r < 0)
			return r;
	}
	return r == -ECONNRESET ? 0 : error_errno(err, -r, "receive from the container's process");
}

static int kill_and_wait(const struct state *s, struct error **err)
{
	_cleanup_fd_ int pidfd = state_open_process(s, NULL);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0)
		return 0;
	/* Frozen processes take no signal on v1. */
	if (s->cgroup && cgroup_is_frozen(s->cgroup) > 0)
		cgroup_thaw(s->cgroup, NULL);
	process_signal(pidfd, SIGKILL, NULL);
	if (poll(&p, 1, KILL_WAIT_MS) == 0)
		return error_set(err, EBUSY, "process %d does not end after SIGKILL", s->pid);
	return 0;
}

int container_start(const struct runtime *rt, const char *id, const char *notify_socket,
		    struct error **err)
{
	_cleanup_(notify_close) struct notify notify = {.fd = -1};
	_cleanup_fd_ int pidfd = -1;
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_spec_ struct spec *spec = NULL;
	enum container_status status;
	int r;

	r = open_locked(rt, id, &s, err);
	if (r < 0)
		return r;
	status = state_status(&s);
	if (status == CONTAINER_STOPPED)
		return error_set(err, EINVAL, "cannot start a container that has stopped");
	if (status != CONTAINER_CREATED)
		return error_set(err, EINVAL, "cannot start an already running container");
	r = state_load_config(&s, &spec, err);
	if (r == 0)
		r = notify_listen(&s, notify_socket, &notify, err);
	if (r == 0)
		r = start_waiting(&s, spec, err);
	unlinkat(s.dir_fd, "start.sock", 0);
	if (r == 0)
		r = run_poststart(&s, spec, err);
	/* Specification, "Lifecycle": a failed start or hook stops the container; it stays to be deleted. */
	if (r < 0)
		kill_and_wait(&s, NULL);
	if (r < 0 || notify.fd < 0)
		return r;
	pidfd = state_open_process(&s, NULL);
	state_unlock(&s);
	notify.pid = s.pid;
	if (pidfd >= 0)
		notify_wait(&notify, pidfd);
	return 0;
}

int destroy_container(const struct runtime *rt, struct state *s, const struct spec *spec,
		      struct error **err)
{
	_cleanup_json_ json_t *object = NULL;
	_cleanup_error_ struct error *hook_error = NULL;
	int r = 0;

	if (s->cgroup)
		r = cgroup_remove(s->cgroup, err);
	if (s->rdt_clos_id) {
		int removed = rdt_remove(s->rdt_clos_id, r < 0 ? NULL : err);

		r = r < 0 ? r : removed;
	}
	if (spec && spec->hooks.poststop.count) {
		object = state_object(s, "stopped", 0);
		/* Specification: a failing poststop hook is logged, and the rest goes on. */
		for (size_t i = 0; object && i < spec->hooks.poststop.count; i++) {
			struct spec_hook_list one = {&spec->hooks.poststop.items[i], 1};

			if (hooks_run(&one, "poststop", object, s->bundle, &hook_error) < 0)
				log_warning("%s", error_text(hook_error));
		}
	}
	return r < 0 ? r : state_remove(rt, s, err);
}

static bool has_own_pid_namespace(const struct state *s)
{
	_cleanup_spec_ struct spec *spec = NULL;
	const struct spec_namespace *pid;

	/* Without it everything in its cgroup counts as its own. */
	if (state_load_config(s, &spec, NULL) < 0)
		return false;
	pid = &spec->linux.namespaces[NAMESPACE_PID];
	return pid->is_set && !pid->path;
}

int container_kill(const struct runtime *rt, const char *id, int signal, bool is_all,
		   struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_fd_ int pidfd = -1;
	int r;

	r = state_load(rt, id, &s, err);
	if (r < 0)
		return r;
	if (is_all && s.cgroup)
		return cgroup_signal(s.cgroup, signal, err);
	pidfd = state_open_process(&s, err);
	if (pidfd < 0)
		return pidfd;
	if (state_status(&s) == CONTAINER_STOPPED)
		return error_set(err, ESRCH, "container not running");
	r = process_signal(pidfd, signal, err);
	if (r < 0 || signal != SIGKILL || !s.cgroup)
		return r;
	/* Frozen processes of v1 don't even die. */
	if (cgroup_is_frozen(s.cgroup) > 0)
		r = cgroup_thaw(s.cgroup, err);
	/* The host's or another's PID namespace doesn't die with the first process. */
	if (r == 0 && !has_own_pid_namespace(&s))
		r = cgroup_signal(s.cgroup, SIGKILL, err);
	return r;
}

/* The cgroup that the directory's configuration names, with all that is in it. */
static int remove_configured_cgroup(const struct runtime *rt, const char *id, const struct state *s,
				    struct error **err)
{
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_cgroup_ struct cgroup *cgroup = NULL;
	struct cgroup_opts opts = {
		.id = id, .is_systemd = rt->is_systemd, .is_rootless = rt->is_rootless};

	if (state_load_config(s, &spec, NULL) < 0)
		return 0;
	opts.cgroups_path = spec->linux.cgroups_path;
	opts.annotations = &spec->annotations;
	if (cgroup_open(&opts, &cgroup, NULL) < 0)
		return 0;
	return cgroup_remove(cgroup, err);
}

/* A directory whose state can't be read: what can be known of it is its name, and from its copy of the
 * configuration the cgroup that holds its processes. */
static int delete_damaged(const struct runtime *rt, const char *id, struct error **err)
{
	_cleanup_fd_ int root = open(rt->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_state_ struct state s = {.dir_fd = -1};
	int r = 0;

	if (root < 0)
		return 0;
	s.dir_fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s.dir_fd >= 0)
		r = remove_configured_cgroup(rt, id, &s, err);
	return r < 0 ? r : remove_tree_at(root, id, err);
}

int container_delete(const struct runtime *rt, const char *id, bool is_force, struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_error_ struct error *load = NULL;
	enum container_status status;
	int r;

	r = open_locked(rt, id, &s, &load);
	if (r == -ENOENT && is_force)
		return 0;
	if (r < 0 && is_force && container_id_is_valid(id)) {
		log_warning("%s", error_text(load));
		return delete_damaged(rt, id, err);
	}
	if (r < 0)
		return error_set(err, -r, "%s", error_text(load));
	status = state_status(&s);
	if (!is_force && status != CONTAINER_STOPPED && status != CONTAINER_CREATED)
		return error_set(err, EBUSY, "cannot delete container %s that is not stopped: %s",
				 id, container_status_names[status]);
	r = kill_and_wait(&s, err);
	if (r < 0)
		return r;
	state_load_config(&s, &spec, NULL);
	return destroy_container(rt, &s, spec, err);
}

static int change_freezer(const struct runtime *rt, const char *id, bool freeze, struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	enum container_status status;
	int r = state_load(rt, id, &s, err);

	if (r < 0)
		return r;
	status = state_status(&s);
	if (freeze && status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
		return error_set(err, EINVAL, "container not running");
	if (!freeze && status != CONTAINER_PAUSED)
		return error_set(err, EINVAL, "container not paused");
	if (!s.cgroup)
		return error_set(err, ENOTSUP, "container %s has no cgroup to freeze", id);
	return freeze ? cgroup_freeze(s.cgroup, err) : cgroup_thaw(s.cgroup, err);
}

int container_pause(const struct runtime *rt, const char *id, struct error **err)
{
	return change_freezer(rt, id, true, err);
}

int container_resume(const struct runtime *rt, const char *id, struct error **err)
{
	return change_freezer(rt, id, false, err);
}

void container_info_clear(struct container_info *info)
{
	free(info->id);
	free(info->bundle);
	free(info->rootfs);
	json_decref(info->annotations);
	*info = (struct container_info){0};
}

int container_info(const struct runtime *rt, const char *id, struct container_info *out,
		   struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	struct stat st;
	int r = state_load(rt, id, &s, err);

	if (r < 0)
		return r;
	*out = (struct container_info){
		.status = state_status(&s),
		.created = s.created,
		.id = TAKE_PTR(s.id),
		.bundle = TAKE_PTR(s.bundle),
		.rootfs = TAKE_PTR(s.rootfs),
		.owner = fstat(s.dir_fd, &st) == 0 ? st.st_uid : 0,
		.annotations = TAKE_PTR(s.annotations),
	};
	out->pid = out->status == CONTAINER_STOPPED ? 0 : s.pid;
	return 0;
}

int container_list(const struct runtime *rt, struct container_info **out, size_t *count,
		   struct error **err)
{
	_cleanup_strv_ struct strv ids = {0};
	struct container_info *infos;
	size_t n = 0;
	int r = state_list(rt, &ids, err);

	if (r < 0)
		return r;
	infos = calloc(ids.count + 1, sizeof *infos);
	if (!infos)
		return error_errno(err, ENOMEM, "list %s", rt->root);
	for (size_t i = 0; i < ids.count; i++) {
		_cleanup_error_ struct error *e = NULL;

		r = container_info(rt, ids.items[i], &infos[n], &e);
		if (r == 0)
			n++;
		else if (r != -ENOENT) /* deleted since it was listed */
			log_warning("%s", error_text(e));
	}
	*out = infos;
	*count = n;
	return 0;
}

int container_pids(const struct runtime *rt, const char *id, pid_t **pids, size_t *count,
		   struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	int r = state_load(rt, id, &s, err);

	if (r < 0)
		return r;
	if (!s.cgroup)
		return error_set(err, ENOTSUP, "container %s has no cgroup to ask for processes",
				 id);
	return cgroup_pids(s.cgroup, true, pids, count, err);
}

int container_update(const struct runtime *rt, const char *id,
		     const struct spec_resources *resources, const char *l3_cache,
		     const char *mem_bw, struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_spec_ struct spec *spec = NULL;
	int r = state_load(rt, id, &s, err);

	if (r < 0)
		return r;
	if (state_status(&s) == CONTAINER_STOPPED)
		return error_set(err, EINVAL, "container not running");
	if (l3_cache || mem_bw) {
		if (!rdt_is_available())
			return error_set(err, ENOTSUP,
					 "Intel RDT: this host has no resctrl file system");
		r = state_load_config(&s, &spec, err);
		if (r == 0)
			r = rdt_update(id, spec->linux.intel_rdt.clos_id, l3_cache, mem_bw, err);
		if (r < 0)
			return r;
	}
	if (!spec_has_resources(resources))
		return 0;
	if (!s.cgroup)
		return error_set(err, ENOTSUP, "container %s has no cgroup to update", id);
	return cgroup_set(s.cgroup, resources, true, err);
}

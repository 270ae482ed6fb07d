/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container's first process. See init.h. The order of its steps:
 *
 *   id maps (the parent writes them), root in the user namespace; cgroup, then the cgroup namespace,
 *   whose root is where we are; namespaces joined; session; a procfs of our own
 *   loopback up; mounts; hooks; pivot; names; terminal; sysctls, masks
 *   attributes; directory and executable; READY
 *   START; seccomp and privileges; startContainer hooks; execve
 *
 * Until START it keeps its privileges, so that errors appear at create; nothing of the container runs
 * before. createContainer hooks come from the host and run with privileges; startContainer hooks come from the
 * container's file system and run without. */
#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/namespace.h"
#include "kernel/process.h"
#include "kernel/procfs.h"
#include "runtime/hooks.h"
#include "runtime/init.h"
#include "runtime/sync.h"

static bool is_new(const struct init *init, enum spec_namespace_type type)
{
	const struct spec_namespace *ns = &init->spec->linux.namespaces[type];

	return ns->is_set && !ns->path;
}

/* Becomes root of the user namespace. One without an id 0 leaves us who we are, with all capabilities. */
static int become_root(const struct init *init, struct error **err)
{
	int r;

	r = init->is_placed_by_parent ? sync_expect(init->sync, SYNC_PLACED, NULL, err) : 0;
	if (r < 0 || !init->spec->linux.namespaces[NAMESPACE_USER].is_set)
		return r;
	if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
		return error_errno(err, errno, "become root of the user namespace");
	return 0;
}

static int enter_cgroup(const struct init *init, struct error **err)
{
	int r = cgroup_join_self(init->cgroup_fds, init->cgroup_fd_count);

	if (r == -ENODEV) {
		r = sync_send(init->sync, SYNC_CGROUP_GONE, 0, -1, NULL);
		if (r == 0 && sync_expect(init->sync, SYNC_PLACED, NULL, err) < 0)
			return -ENODEV;
	}
	if (r < 0)
		return error_errno(err, -r, "join the cgroup");
	for (int i = 0; i < init->cgroup_fd_count; i++)
		close(init->cgroup_fds[i]);
	if (is_new(init, NAMESPACE_CGROUP))
		return namespace_unshare(CLONE_NEWCGROUP, err);
	return 0;
}

/* unshare makes it for children only, and kernels before 6.3 don't change that at execve. The way there is through
 * a link that openat2 would refuse, in a directory that is checked to be procfs'. time_namespaces(7). */
static int enter_time_namespace(struct error **err)
{
	_cleanup_fd_ int directory = procfs_open("self/ns", O_PATH | O_DIRECTORY, err);
	_cleanup_fd_ int ns = -1;

	if (directory < 0)
		return directory;
	ns = openat(directory, "time_for_children", O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return error_errno(err, errno, "open the new time namespace");
	return namespace_join(ns, namespace_types[NAMESPACE_TIME].flag, "the new time namespace",
			      err);
}

/* The offsets can be set until somebody is in. */
static int make_time_namespace(const struct init *init, struct error **err)
{
	const struct spec_linux *config = &init->spec->linux;
	_cleanup_strbuf_ struct strbuf offsets = {0};
	int r;

	if (!is_new(init, NAMESPACE_TIME))
		return 0;
	r = namespace_unshare(namespace_types[NAMESPACE_TIME].flag, err);
	if (r < 0)
		return r;
	if (config->monotonic.is_set)
		strbuf_addf(&offsets, "monotonic %lld %u\n", (long long)config->monotonic.secs,
			    config->monotonic.nanosecs);
	if (config->boottime.is_set)
		strbuf_addf(&offsets, "boottime %lld %u\n", (long long)config->boottime.secs,
			    config->boottime.nanosecs);
	if (offsets.length)
		r = procfs_write(TRACE_NAMESPACES, "self/timens_offsets", offsets.text, err);
	return r < 0 ? r : enter_time_namespace(err);
}

static int set_names(const struct spec *spec, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = 0;

	if (spec->hostname) {
		r = sethostname(spec->hostname, strlen(spec->hostname)) < 0 ? -errno : 0;
		trace_step(TRACE_PROCESS, begin, "sethostname", r, "%s", spec->hostname);
	}
	if (r < 0)
		return error_errno(err, -r, "set the hostname %s", spec->hostname);
	if (spec->domainname) {
		r = setdomainname(spec->domainname, strlen(spec->domainname)) < 0 ? -errno : 0;
		trace_step(TRACE_PROCESS, begin, "setdomainname", r, "%s", spec->domainname);
	}
	return r < 0 ? error_errno(err, -r, "set the domainname %s", spec->domainname) : 0;
}

int console_hand_over(const struct spec_process *process, int master, int slave, int socket,
		      int sync, struct error **err)
{
	struct winsize size = {.ws_row = process->console_size.height,
			       .ws_col = process->console_size.width};
	int r;

	if (process->console_size.is_set && ioctl(master, TIOCSWINSZ, &size) < 0)
		r = error_errno(err, errno, "set the terminal's size");
	else if (socket >= 0)
		r = send_descriptor(socket, master, "/dev/ptmx", sizeof "/dev/ptmx" - 1);
	else
		r = sync_send(sync, SYNC_CONSOLE, 0, master, NULL);
	if (r < 0 && err && !*err)
		error_errno(err, -r, "send the terminal to the console socket");
	close(master);
	if (r == 0 && (ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0 ||
		       dup2(slave, 2) < 0))
		r = error_errno(err, errno, "make the terminal the controlling one");
	if (slave > 2)
		close(slave);
	return r;
}

void give_streams(const struct spec_user *user)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		/* The host's /dev/null stays the host's. */
		if (fstat(fd, &st) < 0 || st.st_uid == user->uid ||
		    (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
			continue;
		if (fchown(fd, user->uid, (gid_t)-1) < 0)
			continue;
	}
}

static int set_up_console(const struct init *init, struct error **err)
{
	int master, slave, r;

	if (!init->spec->process.terminal) {
		give_streams(&init->spec->process.user);
		return 0;
	}
	r = rootfs_open_console(init->rootfs, true, &master, &slave, err);
	if (r < 0)
		return r;
	if (fchown(slave, init->spec->process.user.uid, (gid_t)-1) < 0)
		log_debug("the terminal keeps its owner: %s", strerror(errno));
	return console_hand_over(&init->spec->process, master, slave, init->console_socket,
				 init->sync, err);
}

static int run_hooks(const struct init *init, const struct spec_hook_list *hooks, const char *kind,
		     bool is_created, struct error **err)
{
	/* Once in its root there is no bundle to be seen. */
	const char *directory = is_created ? NULL : init->state->bundle;
	_cleanup_json_ json_t *state = NULL;

	if (!hooks->count)
		return 0;
	state = state_object(init->state, is_created ? "created" : "creating", getpid());
	return state ? hooks_run(hooks, kind, state, directory, err)
		     : error_errno(err, ENOMEM, "run hooks");
}

/* Hooks of the runtime's namespaces are the parent's to run, while the mounts are there and the host's
 * tree is not yet gone. */
static int hooks_before_pivot(const struct init *init, struct error **err)
{
	const struct spec_hooks *hooks = &init->spec->hooks;
	int r;

	if (hooks->prestart.count || hooks->create_runtime.count ||
	    init->spec->linux.net_device_count) {
		r = sync_send(init->sync, SYNC_HOOKS, 0, -1, NULL);
		if (r < 0)
			return error_errno(err, -r, "ask for the hooks");
		r = sync_expect(init->sync, SYNC_HOOKS_DONE, NULL, err);
		if (r < 0)
			return r;
	}
	return run_hooks(init, &hooks->create_container, "createContainer", false, err);
}

static int enter_namespaces(const struct init *init, struct error **err)
{
	int r = become_root(init, err);

	if (r == 0)
		r = enter_cgroup(init, err);
	if (r == 0)
		r = place_join(init->placement, err);
	if (r < 0)
		return r;
	/* Another process of a joined PID namespace must not look into this one. */
	prctl(PR_SET_DUMPABLE, 0);
	setsid();
	if (is_new(init, NAMESPACE_PID) || init->placement->join_fds[NAMESPACE_PID] >= 0) {
		r = procfs_renew(err);
		if (r < 0)
			return r;
	}
	return is_new(init, NAMESPACE_NETWORK) ? net_loopback_up(err) : 0;
}

static int set_up_root(const struct init *init, struct error **err)
{
	int r = 0;

	if (!init->sources_are_open)
		r = rootfs_open_sources(init->rootfs, err);
	if (r == 0)
		r = rootfs_prepare(init->rootfs, err);
	if (r == 0)
		r = hooks_before_pivot(init, err);
	if (r == 0)
		r = rootfs_pivot(init->rootfs, err);
	if (r == 0)
		r = set_names(init->spec, err);
	if (r == 0)
		r = set_up_console(init, err);
	return r == 0 ? rootfs_finish(init->rootfs, err) : r;
}

/* A parent that died before it recorded our PID leaves nobody who could start or delete us.
 * After create, start comes as a connection; one without a message only looked whether we wait. */
static int await_start(struct init *init, struct error **err)
{
	struct sync_message message;
	int r;

	if (init->start_listener < 0)
		return sync_expect(init->sync, SYNC_START, NULL, err);
	r = sync_expect(init->sync, SYNC_RECORDED, NULL, err);
	if (r < 0)
		return r;
	for (;;) {
		_cleanup_fd_ int sock = accept4(init->start_listener, NULL, NULL, SOCK_CLOEXEC);

		if (sock < 0 && errno != EINTR && errno != ECONNABORTED)
			return error_errno(err, errno, "wait for start");
		if (sock < 0 || sync_receive(sock, &message) < 0)
			continue;
		close_fd(&message.fd);
		if (message.type != SYNC_START)
			continue;
		close_fd(&init->sync);
		init->sync = TAKE_FD(sock);
		return 0;
	}
}

int send_listener(int sync, int listener, struct error **err)
{
	int r = sync_send(sync, SYNC_LISTENER, 0, listener, NULL);

	close(listener);
	if (r < 0)
		return error_errno(err, -r, "hand on the seccomp listener");
	return sync_expect(sync, SYNC_LISTENER_DONE, NULL, err);
}

static int on_listener(int listener, void *data, struct error **err)
{
	return send_listener(((struct init *)data)->sync, listener, err);
}

static int start_container_hooks(void *data, struct error **err)
{
	struct init *init = data;

	return run_hooks(init, &init->spec->hooks.start_container, "startContainer", true, err);
}

static int run(struct init *init, struct error **err)
{
	const struct program_steps steps = {
		.on_listener = on_listener, .between = start_container_hooks, .data = init};
	int r;

	r = enter_namespaces(init, err);
	if (r == 0)
		r = set_up_root(init, err);
	if (r == 0)
		r = make_time_namespace(init, err);
	if (r == 0)
		r = attributes_early(&init->program.attributes, err);
	rootfs_free(TAKE_PTR(init->rootfs));
	close_fd(&init->console_socket);
	if (r == 0)
		r = program_prepare(&init->program, err);
	if (r < 0)
		return r;
	r = sync_send(init->sync, SYNC_READY, 0, -1, NULL);
	if (r < 0)
		return error_errno(err, -r, "tell the parent");
	/* After create the parent is gone when start comes, and with it the other end of sync. */
	r = await_start(init, err);
	if (r < 0)
		return r;
	close_fd(&init->start_listener);
	return program_execute(&init->program, &steps, err);
}

void init_main(struct init *init)
{
	struct error *err = NULL;
	int r = run(init, &err);

	sync_send(init->sync, SYNC_ERROR, -r, -1, error_text(err));
	_exit(r == -ENOENT ? 127 : r == -EACCES || r == -ENOEXEC ? 126 : 1);
}

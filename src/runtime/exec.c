/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec: one more process in a container that runs.
 *
 * The process is described by --process or by flags over what the container's own process has. It
 * joins the container's cgroup and, by the pidfd of its first process, all its namespaces at once, then takes
 * on attributes as the first process did. The container is hostile by now: from the moment the new process is in
 * its PID namespace it is not dumpable, holds no descriptor but its streams and the socket to us, and
 * runs from an executable that can't be written (kernel/process.h). SECURITY: CVE-2016-9962,
 * CVE-2019-5736, CVE-2024-21626. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kernel/capability.h"
#include "kernel/mount.h"
#include "kernel/namespace.h"
#include "kernel/process.h"
#include "kernel/procfs.h"
#include "runtime/launch.h"
#include "runtime/exec_process.h"
#include "runtime/init.h"
#include "runtime/supervise.h"
#include "runtime/sync.h"

struct session {
	const struct runtime *rt;
	const struct container_exec_opts *opts;
	struct state state;
	struct spec *spec; /* the container's */
	struct exec_process process;
	struct seccomp_program seccomp;
	int target_pidfd;
	int root_fd;    /* the container's root where it has no mount namespace of its own, or -1 */
	int namespaces; /* CLONE_NEW* of the container that are not ours */
	int console_socket, master, sync, child_sync, pidfd;
	struct cgroup *cgroup; /* the one to join */
	int cgroup_fds[CGROUP_JOIN_MAX];
	int cgroup_fd_count;
	pid_t pid;
};

static void session_clear(struct session *s)
{
	for (int i = 0; i < s->cgroup_fd_count; i++)
		close_fd(&s->cgroup_fds[i]);
	close_fd(&s->target_pidfd);
	close_fd(&s->root_fd);
	close_fd(&s->console_socket);
	close_fd(&s->master);
	close_fd(&s->sync);
	close_fd(&s->child_sync);
	close_fd(&s->pidfd);
	cgroup_free(s->cgroup);
	seccomp_program_clear(&s->seccomp);
	exec_process_clear(&s->process);
	state_clear(&s->state);
	spec_free(s->spec);
}
#define _cleanup_session_ _cleanup_(session_clear)

/* The target's namespaces are told from ours by inode. */
static int find_namespaces(pid_t pid, int *flags, struct error **err)
{
	*flags = 0;
	for (size_t i = 0; i < ARRAY_SIZE(namespace_types); i++) {
		struct stat ours, theirs;
		char path[48];

		snprintf(path, sizeof path, "/proc/self/ns/%s", namespace_types[i].proc_name);
		if (stat(path, &ours) < 0)
			continue; /* a kernel without this kind */
		snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, namespace_types[i].proc_name);
		if (stat(path, &theirs) < 0)
			return error_errno(err, errno, "look at the namespaces of process %d", pid);
		if (ours.st_ino != theirs.st_ino)
			*flags |= namespace_types[i].flag;
	}
	return 0;
}

/* A mount namespace brings its root along; a container in ours has but a chroot. */
static int open_root(struct session *s, struct error **err)
{
	char path[32];

	if (s->namespaces & CLONE_NEWNS)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/root", s->state.pid);
	s->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0)
		return error_errno(err, errno, "open %s", path);
	/* Still there, so it was the container's. */
	return process_signal(s->target_pidfd, 0, err);
}

static int check_status(const struct session *s, struct error **err)
{
	switch (state_status(&s->state)) {
	case CONTAINER_STOPPED:
		return error_set(err, ESRCH, "cannot exec in a stopped container");
	case CONTAINER_CREATING:
		return error_set(err, EBUSY, "container %s is still being created", s->state.id);
	case CONTAINER_PAUSED:
		if (!s->opts->ignore_paused)
			return error_set(
				err, EBUSY,
				"cannot exec in a paused container (use --ignore-paused to "
				"override)");
		return 0;
	default:
		return 0;
	}
}

static struct attributes_opts attributes_of(const struct session *s)
{
	return (struct attributes_opts){
		.process = &s->process.process,
		.linux = &s->spec->linux,
		.id = s->state.id,
		.no_new_keyring = true, /* the container's own is inherited by nobody outside */
		.has_user_namespace = (s->namespaces & CLONE_NEWUSER) != 0,
	};
}

static int prepare(struct session *s, struct error **err)
{
	struct attributes_opts attributes;
	int r;

	r = state_load(s->rt, s->opts->id, &s->state, err);
	if (r == 0)
		r = check_status(s, err);
	if (r == 0)
		r = state_load_config(&s->state, &s->spec, err);
	if (r == 0)
		r = exec_process_make(s->opts, &s->spec->process, &s->process, err);
	if (r == 0)
		r = check_terminal(&s->process.process, s->opts->detach, s->opts->console_socket,
				   err);
	if (r < 0)
		return r;
	/* Opened by start time: whatever is read of the PID before the clone is the container's. */
	s->target_pidfd = state_open_process(&s->state, err);
	if (s->target_pidfd < 0)
		return s->target_pidfd;
	r = find_namespaces(s->state.pid, &s->namespaces, err);
	if (r < 0)
		return r;
	attributes = attributes_of(s);
	r = attributes_check(&attributes, err);
	if (r == 0)
		r = compile_seccomp(s->rt, &s->spec->linux.seccomp, &s->seccomp, err);
	if (r == 0)
		r = open_root(s, err);
	if (r == 0 && s->opts->console_socket) {
		s->console_socket = connect_unix(s->opts->console_socket, SOCK_STREAM, err);
		r = s->console_socket < 0 ? s->console_socket : 0;
	}
	return r;
}

/* Where the process joins: by itself where it can, else from outside once it is there. */
static int open_cgroups(struct session *s, struct error **err)
{
	int n;

	if (!s->state.cgroup)
		return 0;
	n = cgroup_open_sub(s->state.cgroup, &s->opts->cgroups, s->state.pid, &s->cgroup, err);
	if (n == 0)
		n = cgroup_join_fds(s->cgroup, s->cgroup_fds, err);
	if (n < 0)
		return n;
	s->cgroup_fd_count = n;
	return 0;
}

static int attach(const struct session *s, int cgroup_fd, struct error **err)
{
	if (!s->cgroup || s->cgroup_fd_count || cgroup_fd >= 0)
		return 0;
	return cgroup_attach(s->cgroup, s->pid, NULL, err);
}

static int set_up_console(const struct session *s, struct error **err)
{
	int master, slave, r;

	if (!s->process.process.terminal) {
		give_streams(&s->process.process.user);
		return 0;
	}
	r = rootfs_open_console(NULL, false, &master, &slave, err);
	if (r < 0)
		return r;
	if (fchown(slave, s->process.process.user.uid, (gid_t)-1) < 0)
		log_debug("the terminal keeps its owner: %s", strerror(errno));
	return console_hand_over(&s->process.process, master, slave, s->console_socket,
				 s->child_sync, err);
}

static int on_listener(int listener, void *data, struct error **err)
{
	return send_listener(((struct session *)data)->child_sync, listener, err);
}

static int become_root(const struct session *s, struct error **err)
{
	if (!(s->namespaces & CLONE_NEWUSER))
		return 0;
	if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
		return error_errno(err, errno, "become root of the user namespace");
	return 0;
}

/* Without a final list the initial one ends with the cgroup's own. */
static int set_final_affinity(const struct spec_process *process, struct error **err)
{
	const char *final = process->exec_affinity_final;

	if (process->exec_affinity_initial && !(final && *final))
		return attributes_affinity_reset(err);
	return attributes_affinity(final, err);
}

/* Inside the container. */
static int child(struct session *s, struct error **err)
{
	const struct program_steps steps = {.on_listener = on_listener, .data = s};
	struct program program = {.process = &s->process.process,
				  .attributes = attributes_of(s),
				  .seccomp = &s->seccomp,
				  .preserve_fds = s->opts->preserve_fds,
				  .keep = {s->child_sync, -1}};
	int r = 0;

	/* The parent attaches us to the cgroup first where we couldn't. */
	r = sync_expect(s->child_sync, SYNC_START, NULL, err);
	close_fd(&s->target_pidfd);
	if (r == 0 && s->root_fd >= 0)
		r = mount_chroot(s->root_fd, err);
	if (r == 0)
		r = become_root(s, err);
	if (r < 0)
		return r;
	setsid();
	if (s->namespaces & CLONE_NEWPID) {
		r = procfs_renew(err);
		if (r < 0)
			return r;
	}
	r = set_up_console(s, err);
	close_fd(&s->console_socket);
	if (r == 0)
		r = attributes_early(&program.attributes, err);
	if (r == 0)
		r = set_final_affinity(&s->process.process, err);
	if (r == 0)
		r = program_prepare(&program, err);
	return r == 0 ? program_execute(&program, &steps, err) : r;
}

static _noreturn_ void child_main(struct session *s)
{
	struct error *err = NULL;
	int r;

	close_fd(&s->sync);
	close_fd(&s->state.dir_fd);
	for (int i = 0; i < s->cgroup_fd_count; i++)
		close_fd(&s->cgroup_fds[i]);
	r = child(s, &err);
	sync_send(s->child_sync, SYNC_ERROR, -r, -1, error_text(err));
	_exit(1);
}

/* Until execve closes the other end. */
static int serve(struct session *s, struct error **err)
{
	const struct listener_owner owner = {s->spec, &s->state, "running", s->pid};
	struct sync_message *m = malloc(sizeof *m);
	_cleanup_free_ struct sync_message *owned = m;
	int r;

	if (!m)
		return error_errno(err, ENOMEM, "serve the process");
	while ((r = sync_receive(s->sync, m)) == 0) {
		_cleanup_fd_ int fd = m->fd;

		if (m->type == SYNC_CONSOLE)
			s->master = TAKE_FD(fd);
		else if (m->type == SYNC_LISTENER)
			r = serve_listener(s->sync, TAKE_FD(fd), &owner, err);
		else if (m->type == SYNC_ERROR)
			r = error_set(err, m->value > 0 ? m->value : EINVAL, "%s", m->text);
		else
			r = error_set(err, EPROTO, "unexpected message %d", m->type);
		if (r < 0)
			return r;
	}
	return r == -ECONNRESET ? 0 : error_errno(err, -r, "receive from the process");
}

static int launch(struct session *s, struct error **err)
{
	struct attributes_opts attributes;
	struct place_exec place;
	int r;

	r = open_cgroups(s, err);
	if (r == 0)
		r = sync_pair(&s->sync, &s->child_sync, err);
	if (r == 0)
		r = attributes_affinity(s->process.process.exec_affinity_initial, err);
	if (r < 0)
		return r;
	place = (struct place_exec){
		.target_pidfd = s->target_pidfd,
		.flags = s->namespaces,
		.cgroup_fd = s->cgroup ? cgroup_clone_fd(s->cgroup) : -1,
		.cgroup_fds = s->cgroup_fds,
		.cgroup_fd_count = s->cgroup_fd_count,
	};
	/* The host's procfs shows the child, too, which then needs no instance of its own. */
	procfs_root(NULL);
	/* Inherited by the child: nobody in the container may trace it or look into its descriptors. */
	prctl(PR_SET_DUMPABLE, 0);
	s->pid = place_clone_into(&place, &s->pidfd, err);
	if (s->pid == 0)
		child_main(s);
	if (s->pid < 0)
		return s->pid;
	close_fd(&s->child_sync);
	attributes = attributes_of(s);
	r = attach(s, place.cgroup_fd, err);
	if (r == 0)
		r = attributes_outside(&attributes, s->pid, err);
	if (r < 0)
		return r;
	r = sync_send(s->sync, SYNC_START, 0, -1, NULL);
	if (r < 0)
		return error_errno(err, -r, "tell the process to go on");
	r = serve(s, err);
	if (r == 0)
		r = announce_process(s->opts->pid_file, s->opts->pidfd_socket, s->pid, s->pidfd,
				     err);
	return r;
}

int container_exec(const struct runtime *rt, const struct container_exec_opts *opts,
		   struct error **err)
{
	_cleanup_(supervise_end) struct supervision supervision = {.signals = -1};
	_cleanup_session_ struct session s = {.rt = rt,
					      .opts = opts,
					      .state = {.dir_fd = -1},
					      .target_pidfd = -1,
					      .root_fd = -1,
					      .console_socket = -1,
					      .master = -1,
					      .sync = -1,
					      .child_sync = -1,
					      .pidfd = -1};
	int r, status;

	r = check_preserved_descriptors(opts->preserve_fds, err);
	if (r == 0)
		r = prepare(&s, err);
	if (r == 0 && !opts->detach)
		r = supervise_begin(&supervision, false, err);
	if (r == 0)
		r = launch(&s, err);
	if (r < 0 && s.pidfd >= 0) {
		process_signal(s.pidfd, SIGKILL, NULL);
		process_wait(s.pidfd, &status, NULL);
	}
	if (r < 0 || opts->detach)
		return r;
	supervision.pid = s.pid;
	r = supervise(&supervision, s.pidfd, TAKE_FD(s.master), &status, err);
	return r < 0 ? r : process_exit_code(status);
}

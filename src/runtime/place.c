/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a process in its namespaces. See place.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/namespace.h"
#include "kernel/process.h"
#include "runtime/cgroup.h"
#include "runtime/place.h"

/* Order of joining; the mount namespace last, because paths change with it. User is taken apart. */
static const enum spec_namespace_type join_order[] = {NAMESPACE_IPC,	NAMESPACE_UTS,
						      NAMESPACE_NETWORK, NAMESPACE_CGROUP,
						      NAMESPACE_TIME,	NAMESPACE_PID,
						      NAMESPACE_MOUNT};

static const char *describe(enum spec_namespace_type type, char *buf, size_t size)
{
	snprintf(buf, size, "%s namespace", namespace_types[type].spec_name);
	return buf;
}

int place_open(const struct spec_linux *config, struct placement *out, struct error **err)
{
	struct placement p = {.cgroup_fd = -1};
	bool joins_any = false;

	for (int i = 0; i < NAMESPACE_TYPES; i++)
		p.join_fds[i] = -1;
	for (int i = 0; i < NAMESPACE_TYPES; i++) {
		const struct spec_namespace *ns = &config->namespaces[i];

		if (!ns->is_set)
			continue;
		if (!ns->path) {
			if (!namespace_is_supported(&namespace_types[i])) {
				place_close(&p);
				return error_set(err, EINVAL,
						 "linux.namespaces: this kernel has no %s namespaces",
						 namespace_types[i].spec_name);
			}
			if (i != NAMESPACE_CGROUP && i != NAMESPACE_TIME)
				p.new_flags |= (uint64_t) (unsigned) namespace_types[i].flag;
			continue;
		}
		p.join_fds[i] = namespace_open(&namespace_types[i], ns->path, err);
		if (p.join_fds[i] < 0) {
			int r = p.join_fds[i];

			place_close(&p);
			return r;
		}
		joins_any = true;
	}
	p.needs_joiner = p.join_fds[NAMESPACE_USER] >= 0 || p.join_fds[NAMESPACE_PID] >= 0 ||
			 (joins_any && (p.new_flags & CLONE_NEWUSER));
	*out = p;
	return 0;
}

void place_close(struct placement *p)
{
	for (int i = 0; i < NAMESPACE_TYPES; i++)
		close_fd(&p->join_fds[i]);
}

static int join_one(const struct placement *p, enum spec_namespace_type type, struct error **err)
{
	char what[32];

	return namespace_join(p->join_fds[type], namespace_types[type].flag,
			      describe(type, what, sizeof what), err);
}

/* In the joiner. A namespace that the host's user namespace owns must be joined while we still have rights
 * there, one that the container's owns only after joining that: so each is tried before and after. */
static int join_all(const struct placement *p, struct error **err)
{
	bool is_joined[NAMESPACE_TYPES] = {0};
	int r;

	if (p->join_fds[NAMESPACE_USER] >= 0) {
		for (size_t i = 0; i < ARRAY_SIZE(join_order); i++) {
			enum spec_namespace_type type = join_order[i];

			if (p->join_fds[type] >= 0 && type != NAMESPACE_MOUNT &&
			    type != NAMESPACE_TIME)
				is_joined[type] = join_one(p, type, NULL) == 0;
		}
		r = join_one(p, NAMESPACE_USER, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(join_order); i++) {
		enum spec_namespace_type type = join_order[i];

		/* Time is left to the child: setns refuses a process that shares its memory. The
		 * mount namespace too, unless a new user namespace would take the right away. */
		if (p->join_fds[type] < 0 || is_joined[type] || type == NAMESPACE_TIME ||
		    (type == NAMESPACE_MOUNT && !(p->new_flags & CLONE_NEWUSER)))
			continue;
		r = join_one(p, type, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the joiner leaves behind in the memory it shares with us. */
struct joiner {
	pid_t pid;
	int result;
};

/* Runs between vfork and _exit. Its own setns calls change nothing for us, but the child that it clones is
 * ours (CLONE_PARENT) and the PID it gets is as our namespace counts. */
static pid_t clone_as_parent(uint64_t flags, int cgroup_fd, volatile struct joiner *joiner,
			     struct error **err)
{
	struct process_clone opts = {
		.flags = flags | CLONE_PARENT, .cgroup_fd = cgroup_fd, .exit_signal = 0};
	_cleanup_fd_ int pidfd = -1;
	pid_t pid = process_clone(&opts, &pidfd, err);

	if (pid > 0)
		joiner->pid = pid;
	else
		joiner->result = pid;
	return pid;
}

static pid_t finish_joiner(pid_t joiner_pid, const volatile struct joiner *joiner, int *pidfd,
			   struct error **err)
{
	int status;

	while (waitpid(joiner_pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "wait for the joiner");
	if (joiner->result < 0)
		return joiner->result;
	if (joiner->pid <= 0)
		return error_set(err, ECHILD, "the joiner ended unexpectedly (status %d)", status);
	/* Ours and not waited for yet, so the PID can't be another's. */
	*pidfd = (int) syscall(SYS_pidfd_open, joiner->pid, 0);
	return *pidfd < 0 ? error_errno(err, errno, "open the process %d", joiner->pid) : joiner->pid;
}

pid_t place_clone(const struct placement *p, int *pidfd, struct error **err)
{
	struct process_clone direct = {
		.flags = p->new_flags, .cgroup_fd = p->cgroup_fd, .exit_signal = SIGCHLD};
	volatile struct joiner joiner = {0};
	pid_t pid;

	if (!p->needs_joiner)
		return process_clone(&direct, pidfd, err);
	pid = vfork();
	if (pid < 0)
		return error_errno(err, errno, "create a process");
	if (pid == 0) {
		joiner.result = join_all(p, err);
		if (joiner.result == 0 &&
		    clone_as_parent(p->new_flags, p->cgroup_fd, &joiner, err) == 0)
			return 0; /* the child, with memory of its own */
		_exit(0);
	}
	return finish_joiner(pid, &joiner, pidfd, err);
}

int place_join(const struct placement *p, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(join_order); i++) {
		enum spec_namespace_type type = join_order[i];
		int r;

		if (p->join_fds[type] < 0)
			continue;
		if (p->needs_joiner && type != NAMESPACE_TIME &&
		    (type != NAMESPACE_MOUNT || (p->new_flags & CLONE_NEWUSER)))
			continue;
		r = join_one(p, type, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* In the exec joiner. setns checks the rights for all of them before it changes any. */
static int enter(const struct place_exec *opts, struct error **err)
{
	int r = cgroup_join_self(opts->cgroup_fds, opts->cgroup_fd_count);

	if (r < 0)
		return error_errno(err, -r, "join the container's cgroup");
	if (!opts->flags)
		return 0;
	return namespace_join(opts->target_pidfd, opts->flags, "container's namespaces", err);
}

pid_t place_clone_into(const struct place_exec *opts, int *pidfd, struct error **err)
{
	volatile struct joiner joiner = {0};
	pid_t pid = vfork();

	if (pid < 0)
		return error_errno(err, errno, "create a process");
	if (pid == 0) {
		joiner.result = enter(opts, err);
		if (joiner.result == 0 && clone_as_parent(0, -1, &joiner, err) == 0)
			return 0; /* the child, with memory of its own */
		_exit(0);
	}
	return finish_joiner(pid, &joiner, pidfd, err);
}

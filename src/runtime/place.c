/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a process in its namespaces. See place.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/namespace.h"
#include "kernel/process.h"
#include "runtime/cgroup.h"
#include "runtime/place.h"

/* Order of joining; the mount namespace last, because paths change with it. User is taken apart. */
static const enum spec_namespace_type join_order[] = {
	NAMESPACE_IPC,  NAMESPACE_UTS, NAMESPACE_NETWORK, NAMESPACE_CGROUP,
	NAMESPACE_TIME, NAMESPACE_PID, NAMESPACE_MOUNT};

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
			if (i != NAMESPACE_CGROUP && i != NAMESPACE_TIME)
				p.new_flags |= (uint64_t)(unsigned)namespace_types[i].flag;
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

			if (p->join_fds[type] >= 0 && type != NAMESPACE_MOUNT)
				is_joined[type] = join_one(p, type, NULL) == 0;
		}
		r = join_one(p, NAMESPACE_USER, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(join_order); i++) {
		enum spec_namespace_type type = join_order[i];

		if (p->join_fds[type] < 0 || is_joined[type])
			continue;
		r = join_one(p, type, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the joiner says, on a page that it shares with us. */
struct joiner {
	pid_t pid;
	int result;
	char error[1024];
};

typedef int join_fn(const void *data, struct error **err);

/* Runs in the joiner, which ends here; the child returns 0. Its joins change nothing for us, but the child that
 * it clones is ours (CLONE_PARENT), and the PID it gets is as our namespace counts. */
static int run_joiner(join_fn *join, const void *data, uint64_t flags, struct joiner *page)
{
	struct process_clone opts = {.flags = flags | CLONE_PARENT, .cgroup_fd = -1};
	_cleanup_error_ struct error *err = NULL;
	int pidfd = -1, r;

	r = join(data, &err);
	if (r == 0)
		r = process_clone(&opts, &pidfd, &err);
	if (r == 0)
		return 0;
	if (r > 0)
		page->pid = r;
	page->result = r;
	snprintf(page->error, sizeof page->error, "%s", r < 0 ? error_text(err) : "");
	_exit(0);
}

static pid_t read_page(const struct joiner *page, int status, int *pidfd, struct error **err)
{
	if (page->result < 0)
		return error_set(err, -page->result, "%s", page->error);
	if (page->pid <= 0)
		return error_set(err, ECHILD, "the joiner ended unexpectedly (status %d)", status);
	/* Ours and not waited for yet, so the PID can't be another's. */
	*pidfd = (int)syscall(SYS_pidfd_open, page->pid, 0);
	return *pidfd < 0 ? error_errno(err, errno, "open the process %d", page->pid) : page->pid;
}

/* Clones with flags from a joiner that is in the cgroup already: to be cloned into it is no longer allowed
 * once the cgroup namespace has changed. */
static pid_t clone_by_joiner(join_fn *join, const void *data, uint64_t flags, int cgroup_fd,
			     int *pidfd, struct error **err)
{
	struct process_clone opts = {.cgroup_fd = cgroup_fd, .exit_signal = SIGCHLD};
	_cleanup_fd_ int joiner_fd = -1;
	struct joiner *page;
	pid_t pid;
	int status;

	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return error_errno(err, errno, "map a page");
	pid = process_clone(&opts, &joiner_fd, err);
	if (pid == 0)
		return run_joiner(join, data, flags, page);
	if (pid > 0) {
		pid = process_wait(joiner_fd, &status, err);
		if (pid == 0)
			pid = read_page(page, status, pidfd, err);
	}
	munmap(page, sizeof *page);
	return pid;
}

static int join_placement(const void *data, struct error **err)
{
	return join_all(data, err);
}

/* Asked only then, since each look into /proc takes longer than clone3 needs for the answer. */
static void explain_refusal(const struct placement *p, struct error **err)
{
	for (size_t i = 0; i < NAMESPACE_TYPES; i++)
		if ((p->new_flags & (uint64_t)(unsigned)namespace_types[i].flag) &&
		    !namespace_is_supported(&namespace_types[i]))
			error_set(err, EINVAL, "linux.namespaces: this kernel has no %s namespaces",
				  namespace_types[i].spec_name);
}

pid_t place_clone(const struct placement *p, int *pidfd, struct error **err)
{
	struct process_clone direct = {
		.flags = p->new_flags, .cgroup_fd = p->cgroup_fd, .exit_signal = SIGCHLD};

	pid_t pid = p->needs_joiner ? clone_by_joiner(join_placement, p, p->new_flags, p->cgroup_fd,
						      pidfd, err)
				    : process_clone(&direct, pidfd, err);

	if (pid == -EINVAL)
		explain_refusal(p, err);
	return pid;
}

int place_join(const struct placement *p, struct error **err)
{
	for (size_t i = 0; !p->needs_joiner && i < ARRAY_SIZE(join_order); i++) {
		int r = p->join_fds[join_order[i]] >= 0 ? join_one(p, join_order[i], err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* In the exec joiner. setns checks the rights for all of them before it changes any. */
static int enter(const void *data, struct error **err)
{
	const struct place_exec *opts = data;
	int r = cgroup_join_self(opts->cgroup_fds, opts->cgroup_fd_count);

	if (r < 0)
		return error_errno(err, -r, "join the container's cgroup");
	if (!opts->flags)
		return 0;
	return namespace_join(opts->target_pidfd, opts->flags, "container's namespaces", err);
}

pid_t place_clone_into(const struct place_exec *opts, int *pidfd, struct error **err)
{
	return clone_by_joiner(enter, opts, 0, opts->cgroup_fd, pidfd, err);
}

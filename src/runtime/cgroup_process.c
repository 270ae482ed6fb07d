/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of a cgroup: listing, signalling, freezing, moving in later, and OOM kills.
 *
 * Killing everything must not be outrun by something that forks: cgroup.kill (v2, 5.14) is atomic;
 * elsewhere the cgroup is frozen, all are signalled, and it is thawed. v1 freezes in the background, and
 * stays in FREEZING while processes come in: the state is written and read again for a bounded time.
 * Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst; cgroup-v2.rst, "Core Interface Files". */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "runtime/cgroup_internal.h"

#define FREEZE_TIMEOUT_MS 10000
#define CGROUP_DEPTH_MAX  64
/* Rounds of signalling where nothing can be frozen. */
#define KILL_ROUNDS 64

struct pid_list {
	pid_t *pids;
	size_t count, capacity;
};

static int add_pid(struct pid_list *list, pid_t pid)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		pid_t *grown = reallocarray(list->pids, capacity, sizeof *grown);

		if (!grown)
			return -ENOMEM;
		list->pids = grown;
		list->capacity = capacity;
	}
	list->pids[list->count++] = pid;
	return 0;
}

static int add_text(struct pid_list *list, const char *text)
{
	while (*text) {
		char *end;
		long pid = strtol(text, &end, 10);

		/* 0 stands for a process that our PID namespace can't see. */
		if (pid > 0 && add_pid(list, (pid_t)pid) < 0)
			return -ENOMEM;
		if (end == text)
			break;
		text = end + (*end == '\n');
	}
	return 0;
}

/* path is for errors and opening. A directory that vanishes meanwhile is empty. */
static int list_pids(const char *path, bool is_recursive, unsigned depth, struct pid_list *list,
		     struct error **err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *entry;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "open cgroup %s", path);
	r = cgroup_read(fd, path, "cgroup.procs", &text, NULL);
	/* A threaded v2 cgroup lists its processes in the domain above it. */
	if (r == -EOPNOTSUPP || r == -ENODEV || r == -ENOENT) {
		r = 0;
		text = strdup("");
	} else if (r < 0) {
		return error_errno(err, -r, "read %s/cgroup.procs", path);
	}
	if (!text || add_text(list, text) < 0)
		return error_errno(err, ENOMEM, "read %s/cgroup.procs", path);
	if (!is_recursive)
		return 0;
	d = fdopendir(fd);
	if (!d)
		return error_errno(err, errno, "open cgroup %s", path);
	(void)TAKE_FD(fd);
	while (r == 0 && (entry = readdir(d))) {
		_cleanup_free_ char *below = NULL;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (depth == 0)
			return error_set(err, ELOOP, "cgroup %s: nested too deep", path);
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) {
			below = NULL;
			return error_errno(err, ENOMEM, "open cgroup %s", path);
		}
		r = list_pids(below, true, depth - 1, list, err);
	}
	return r;
}

/* The directory that tells who is in the container: one that all processes are in. */
static struct cgroup_dir *process_dir(const struct cgroup *cg)
{
	static const char *const preferred[] = {"devices", "pids", "memory", "name=systemd", ""};
	struct cgroup_dir *dir = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(preferred) && !dir; i++)
		dir = cgroup_find_dir(cg, preferred[i]);
	return !dir && cg->dir_count > 0 ? &cg->dirs[0] : dir;
}

int cgroup_pids(const struct cgroup *cg, bool is_recursive, pid_t **pids, size_t *count,
		struct error **err)
{
	struct cgroup_dir *dir = process_dir(cg);
	struct pid_list list = {0};
	int r;

	if (!dir)
		return error_set(err, ENODEV, "the container has no cgroup");
	if (strlen(dir->path) <= dir->mount_length)
		return error_set(err, EINVAL, "cgroup %s is the root", dir->path);
	r = list_pids(dir->path, is_recursive, CGROUP_DEPTH_MAX, &list, err);
	if (r < 0) {
		free(list.pids);
		return r;
	}
	*pids = list.pids;
	*count = list.count;
	return 0;
}

/* Signals each process once. Returns how many there were, or a negative errno. */
static int signal_each(const struct cgroup *cg, int signal, struct error **err)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t count = 0;
	int r = cgroup_pids(cg, true, &pids, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		uint64_t begin = trace_begin();

		/* A cgroup names members by PID, and one that ends between read and kill is reaped by its
		 * parent: while frozen (SIGKILL) none can end. */
		r = kill(pids[i], signal) < 0 ? -errno : 0;
		trace_step(TRACE_PROCESS, begin, "kill", r, "%d, %d", pids[i], signal);
		if (r < 0 && r != -ESRCH)
			return error_errno(err, -r, "send signal %d to process %d", signal,
					   pids[i]);
	}
	return (int)count;
}

static bool has_freezer(const struct cgroup *cg)
{
	return cgroup_find_controller(cg, "freezer", "") != NULL;
}

static int kill_all(struct cgroup *cg, struct error **err)
{
	int r = 0;

	if (has_freezer(cg)) {
		/* A freezer that won't freeze is no reason not to kill. */
		bool was_frozen = cgroup_is_frozen(cg) == 1;
		int frozen = was_frozen ? 0 : cgroup_fs_freeze(cg, true, NULL);

		r = signal_each(cg, SIGKILL, err);
		if (frozen == 0 || was_frozen)
			cgroup_fs_freeze(cg, false, NULL);
		if (frozen == 0)
			return r < 0 ? r : 0;
	}
	for (unsigned i = 0; i < KILL_ROUNDS && r >= 0; i++) {
		int before = r;

		r = signal_each(cg, SIGKILL, err);
		/* As many as before: those are dying, and nothing was forked. */
		if (r == 0 || (i > 0 && r <= before))
			break;
	}
	return r < 0 ? r : 0;
}

int cgroup_signal(struct cgroup *cg, int signal, struct error **err)
{
	struct cgroup_dir *unified = cgroup_find_dir(cg, "");
	int r;

	if (signal != SIGKILL) {
		r = signal_each(cg, signal, err);
		return r < 0 ? r : 0;
	}
	if (unified && cgroup_dir_open(unified, NULL) >= 0 &&
	    cgroup_write(unified->fd, unified->path, "cgroup.kill", "1", NULL) == 0) {
		/* On a hybrid host processes may have been moved out of the unified directory alone. */
		if (cg->layout == CGROUP_V2)
			return 0;
		/* A process frozen by v1 doesn't even die of SIGKILL before it is thawed. */
		if (cgroup_is_frozen(cg) == 1)
			return kill_all(cg, err);
		r = signal_each(cg, SIGKILL, err);
		return r < 0 ? r : 0;
	}
	return kill_all(cg, err);
}

static int freeze_v1(struct cgroup_dir *dir, bool freeze, struct error **err)
{
	uint64_t deadline = now_ns() + FREEZE_TIMEOUT_MS * UINT64_C(1000000);
	unsigned round = 0;

	if (!freeze)
		return cgroup_write(dir->fd, dir->path, "freezer.state", "THAWED", err);
	for (;;) {
		_cleanup_free_ char *state = NULL;
		int r = cgroup_write(dir->fd, dir->path, "freezer.state", "FROZEN", err);

		if (r == 0)
			r = cgroup_read(dir->fd, dir->path, "freezer.state", &state, err);
		if (r)
			return r;
		if (strcmp(state, "FROZEN") == 0)
			return 0;
		if (now_ns() >= deadline) {
			/* FREEZING is no state to leave a container in. */
			cgroup_write(dir->fd, dir->path, "freezer.state", "THAWED", NULL);
			return error_set(err, ETIMEDOUT, "freeze %s: it doesn't freeze within %d s",
					 dir->path, FREEZE_TIMEOUT_MS / 1000);
		}
		/* v1 has no event for this. Thawing now and then lets through what blocks others. */
		if (++round % 50 == 0) {
			cgroup_write(dir->fd, dir->path, "freezer.state", "THAWED", NULL);
			poll(NULL, 0, 10);
		} else if (round > 4) {
			poll(NULL, 0, 1);
		}
	}
}

/* Waits for cgroup.events to say so; it is polled for POLLPRI. */
static int freeze_v2(struct cgroup_dir *dir, bool freeze, struct error **err)
{
	uint64_t deadline = now_ns() + FREEZE_TIMEOUT_MS * UINT64_C(1000000);
	_cleanup_fd_ int events = openat(dir->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int r = cgroup_write(dir->fd, dir->path, "cgroup.freeze", freeze ? "1" : "0", err);

	if (r < 0)
		return r;
	while (events >= 0) {
		char text[256];
		ssize_t n = pread(events, text, sizeof text - 1, 0);
		struct pollfd p = {.fd = events, .events = POLLPRI};
		uint64_t now = now_ns();

		if (n < 0)
			return error_errno(err, errno, "read %s/cgroup.events", dir->path);
		text[n] = '\0';
		if (strstr(text, freeze ? "frozen 1" : "frozen 0"))
			return 0;
		if (now >= deadline)
			break;
		poll(&p, 1, (int)((deadline - now) / 1000000) + 1);
	}
	if (freeze)
		cgroup_write(dir->fd, dir->path, "cgroup.freeze", "0", NULL);
	return error_set(err, ETIMEDOUT, "%s %s: nothing happened within %d s",
			 freeze ? "freeze" : "thaw", dir->path, FREEZE_TIMEOUT_MS / 1000);
}

int cgroup_fs_freeze(struct cgroup *cg, bool freeze, struct error **err)
{
	struct cgroup_dir *dir = cgroup_find_controller(cg, "freezer", "");
	int r;

	if (!dir)
		return error_set(err, ENODEV, "the container has no freezer cgroup on this host");
	r = cgroup_dir_open(dir, err);
	if (r < 0)
		return r;
	return dir->is_unified ? freeze_v2(dir, freeze, err) : freeze_v1(dir, freeze, err);
}

int cgroup_is_frozen(const struct cgroup *cg)
{
	struct cgroup_dir *dir = cgroup_find_controller(cg, "freezer", "");
	_cleanup_free_ char *state = NULL;
	uint64_t frozen;
	int r;

	if (!dir)
		return 0;
	r = cgroup_dir_open(dir, NULL);
	if (r < 0)
		return r;
	if (dir->is_unified) {
		r = cgroup_read_u64(dir->fd, dir->path, "cgroup.freeze", &frozen, NULL);
		return r < 0 ? r : frozen == 1;
	}
	r = cgroup_read(dir->fd, dir->path, "freezer.state", &state, NULL);
	if (r < 0)
		return r;
	if (strcmp(state, "THAWED") == 0)
		return 0;
	/* Frozen with its parent is not frozen itself. */
	r = cgroup_read_u64(dir->fd, dir->path, "freezer.self_freezing", &frozen, NULL);
	return r < 0 ? 1 : frozen == 1;
}

int64_t cgroup_oom_kills(const struct cgroup *cg)
{
	struct cgroup_dir *dir = cgroup_find_controller(cg, "memory", "memory");
	uint64_t kills = 0;
	int r;

	if (!dir)
		return 0;
	r = cgroup_dir_open(dir, NULL);
	if (r >= 0)
		r = cgroup_read_key(dir->fd, dir->path,
				    dir->is_unified ? "memory.events" : "memory.oom_control",
				    "oom_kill", &kills, NULL);
	return r < 0 ? r : (int64_t)kills;
}

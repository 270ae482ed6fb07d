/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics and events of a running container. See container.h.
 *
 * One poll loop: the container's end (pidfd), OOM kills, and a timer for the statistics. OOM kills are
 * told by an eventfd on v1 (cgroup.event_control with memory.oom_control,
 * Documentation/admin-guide/cgroup-v1/memory.rst, 9 and 10) and on v2 by inotify on memory.events, whose
 * oom_kill counter says whether it was one. */
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#include "runtime/state.h"

static json_t *event(const char *id, const char *type, json_t *data)
{
	return data ? json_pack("{s:s,s:s,s:o}", "type", type, "id", id, "data", data)
		    : json_pack("{s:s,s:s}", "type", type, "id", id);
}

static int stats_of(const struct state *s, json_t **out, struct error **err)
{
	json_t *data = NULL;
	int r;

	if (!s->cgroup)
		return error_set(err, ENOTSUP, "container %s has no cgroup to read", s->id);
	r = cgroup_stats(s->cgroup, &data, err);
	if (r < 0)
		return r;
	*out = event(s->id, "stats", data);
	return *out ? 0 : error_errno(err, ENOMEM, "read the statistics of %s", s->id);
}

static int load_running(const struct runtime *rt, const char *id, struct state *s,
			struct error **err)
{
	int r = state_load(rt, id, s, err);

	if (r < 0)
		return r;
	if (state_status(s) == CONTAINER_STOPPED)
		return error_set(err, ESRCH, "container with id %s is not running", id);
	return 0;
}

int container_stats(const struct runtime *rt, const char *id, json_t **out, struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	int r = load_running(rt, id, &s, err);

	return r < 0 ? r : stats_of(&s, out, err);
}

/* A descriptor that becomes readable when the group runs out of memory, or -1 where none can be had. */
static int watch_v1(const char *directory)
{
	_cleanup_fd_ int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int control =
		dir < 0 ? -1 : openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[32];

	if (control < 0 || fd < 0)
		return -1;
	snprintf(text, sizeof text, "%d %d", fd, control);
	return cgroup_write(dir, directory, "cgroup.event_control", text, NULL) < 0 ? -1
										    : TAKE_FD(fd);
}

static int watch_v2(const char *directory)
{
	_cleanup_fd_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	_cleanup_free_ char *path = NULL;

	if (fd < 0 || asprintf(&path, "%s/memory.events", directory) < 0)
		return -1;
	return inotify_add_watch(fd, path, IN_MODIFY) < 0 ? -1 : TAKE_FD(fd);
}

static int watch_oom(const struct cgroup *cg, bool *is_v1)
{
	const char *v1 = cgroup_directory(cg, "memory"), *v2 = cgroup_directory(cg, "");

	*is_v1 = v1 && (!v2 || strcmp(v1, v2) != 0);
	if (*is_v1)
		return watch_v1(v1);
	return v2 ? watch_v2(v2) : -1;
}

static int start_timer(uint64_t interval_ms, struct error **err)
{
	time_t seconds = (time_t)(interval_ms / 1000);
	long rest = (long)(interval_ms % 1000) * 1000000;
	struct itimerspec spec = {.it_interval = {seconds, rest}, .it_value = {seconds, rest}};
	_cleanup_fd_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &spec, NULL) < 0)
		return error_errno(err, errno, "set a timer");
	return TAKE_FD(fd);
}

static void empty(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof buf) > 0)
		continue;
}

/* Hands one event over and drops it. Returns what the callback returns. */
static int tell(json_t *e, container_event_fn *on_event, void *data)
{
	int r = e ? on_event(e, data) : -ENOMEM;

	json_decref(e);
	return r;
}

struct watch {
	const struct state *state;
	container_event_fn *on_event;
	void *data;
	int64_t oom_kills; /* told so far */
	bool is_v1;        /* each wake is an OOM */
};

/* v1 wakes us before it counts the kill (and when the group goes, which can't be asked any more). */
static int tell_oom(struct watch *w, bool is_certain)
{
	int64_t kills = cgroup_oom_kills(w->state->cgroup);
	int r = 0;

	if (is_certain && kills >= 0 && kills <= w->oom_kills)
		kills = w->oom_kills + 1;
	for (; r == 0 && kills > w->oom_kills; w->oom_kills++)
		r = tell(event(w->state->id, "oom", NULL), w->on_event, w->data);
	return r;
}

static int watch_loop(struct watch *w, int pidfd, int oom, int timer, struct error **err)
{
	struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
			       {.fd = oom, .events = POLLIN},
			       {.fd = timer, .events = POLLIN}};

	for (;;) {
		json_t *stats;
		int r = 0;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return error_errno(err, errno, "wait for events");
		if (fds[1].revents) {
			empty(oom);
			r = tell_oom(w, w->is_v1);
		}
		if (r == 0 && fds[0].revents)
			return tell_oom(w, false);
		if (r == 0 && fds[2].revents) {
			empty(timer);
			/* It may be gone between two looks; the pidfd says so next time round. */
			if (stats_of(w->state, &stats, NULL) == 0)
				r = tell(stats, w->on_event, w->data);
		}
		if (r)
			return r < 0 ? error_errno(err, -r, "tell an event") : 0;
	}
}

int container_events(const struct runtime *rt, const char *id, uint64_t interval_ms,
		     container_event_fn *on_event, void *data, struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_fd_ int pidfd = -1, oom = -1, timer = -1;
	struct watch watch = {.state = &s, .on_event = on_event, .data = data};
	int r;

	if (interval_ms == 0)
		return error_set(err, EINVAL, "duration interval must be greater than 0");
	r = load_running(rt, id, &s, err);
	if (r < 0)
		return r;
	if (!s.cgroup)
		return error_set(err, ENOTSUP, "container %s has no cgroup to watch", id);
	pidfd = state_open_process(&s, err);
	if (pidfd < 0)
		return pidfd;
	timer = start_timer(interval_ms, err);
	if (timer < 0)
		return timer;
	watch.oom_kills = cgroup_oom_kills(s.cgroup);
	if (watch.oom_kills < 0)
		watch.oom_kills = 0;
	oom = watch_oom(s.cgroup, &watch.is_v1);
	return watch_loop(&watch, pidfd, oom, timer, err);
}

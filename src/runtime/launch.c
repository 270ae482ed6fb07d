/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What create and exec share. See launch.h. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/process.h"
#include "runtime/hooks.h"
#include "runtime/launch.h"
#include "runtime/sync.h"

/* Compiled filters, beside the containers; the name is no valid container id. */
#define SECCOMP_CACHE "~seccomp"

int check_preserved_descriptors(int count, struct error **err)
{
	for (int fd = 3; fd < 3 + count; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || (flags & FD_CLOEXEC))
			return error_set(err, EBADF,
					 "please check that preserved-fd %d (of %d) is present",
					 fd - 3, count);
	}
	return 0;
}

int check_terminal(const struct spec_process *process, bool is_detached, const char *console_socket,
		   struct error **err)
{
	if (is_detached && process->terminal && !console_socket)
		return error_set(err, EINVAL,
				 "cannot allocate tty if the runtime will detach without setting "
				 "console socket");
	if ((!is_detached || !process->terminal) && console_socket)
		return error_set(
			err, EINVAL,
			"cannot use console socket if the runtime will not detach or allocate "
			"tty");
	return 0;
}

int compile_seccomp(const struct runtime *rt, const struct spec_seccomp *seccomp,
		    struct seccomp_program *out, struct error **err)
{
	_cleanup_fd_ int cache = -1;
	char path[PATH_MAX];

	if (!seccomp->is_set)
		return 0;
	/* A cache that can't be had costs time only. */
	if (snprintf(path, sizeof path, "%s/" SECCOMP_CACHE, rt->root) < (int)sizeof path) {
		cache = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (cache < 0 && mkdir(path, 0700) == 0)
			cache = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	}
	return seccomp_compile(seccomp, cache, out, err);
}

int serve_listener(int sync, int listener, const struct listener_owner *owner, struct error **err)
{
	_cleanup_fd_ int fd = listener;
	_cleanup_json_ json_t *state = state_object(owner->state, owner->status, owner->pid);
	int r;

	if (!state)
		return error_errno(err, ENOMEM, "hand on the seccomp listener");
	r = seccomp_send_listener(&owner->spec->linux.seccomp, state, owner->pid, fd, err);
	if (r < 0)
		return r;
	r = sync_send(sync, SYNC_LISTENER_DONE, 0, -1, NULL);
	return r < 0 ? error_errno(err, -r, "tell the container's process") : 0;
}

static int send_pidfd(const char *path, int pidfd, struct error **err)
{
	_cleanup_fd_ int sock = connect_unix(path, SOCK_STREAM, err);
	int r;

	if (sock < 0)
		return sock;
	r = send_descriptor(sock, pidfd, "pidfd", 5);
	return r < 0 ? error_errno(err, -r, "send the pidfd to %s", path) : 0;
}

int announce_process(const char *pid_file, const char *pidfd_socket, pid_t pid, int pidfd,
		     struct error **err)
{
	char text[16];
	int r = 0;

	if (pidfd_socket)
		r = send_pidfd(pidfd_socket, pidfd, err);
	if (r < 0 || !pid_file)
		return r;
	snprintf(text, sizeof text, "%d", pid);
	return file_replace_at(AT_FDCWD, pid_file, text, strlen(text), 0644, false, err);
}

static char *rootfs_path(const char *bundle, const struct spec *spec)
{
	char *path = NULL;

	if (spec->root.path[0] == '/')
		return strdup(spec->root.path);
	return asprintf(&path, "%s/%s", bundle, spec->root.path) < 0 ? NULL : path;
}

static json_t *annotations_object(const struct spec_pairs *pairs)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < pairs->count; i++)
		json_object_set_new(object, pairs->items[i].key,
				    json_string(pairs->items[i].value));
	return object;
}

int claim_state(const struct runtime *rt, const char *id, const struct spec *spec, struct state *s,
		const char *config, size_t length, struct error **err)
{
	struct cgroup_opts cgroup = {
		.id = id,
		.cgroups_path = spec->linux.cgroups_path,
		.is_systemd = rt->is_systemd,
		.is_rootless = rt->is_rootless,
		.annotations = &spec->annotations,
	};
	int r;

	s->id = strdup(id);
	s->rootfs = rootfs_path(s->bundle, spec);
	s->annotations = annotations_object(&spec->annotations);
	s->is_systemd = rt->is_systemd;
	s->is_rootless = rt->is_rootless;
	clock_gettime(CLOCK_REALTIME, &s->created);
	if (!s->id || !s->rootfs || !s->annotations)
		return error_errno(err, ENOMEM, "make the state of %s", id);
	r = cgroup_open(&cgroup, &s->cgroup, err);
	return r == 0 ? state_create(rt, s, config, length, err) : r;
}

int run_poststart(const struct state *s, const struct spec *spec, struct error **err)
{
	_cleanup_json_ json_t *state = NULL;

	if (!spec->hooks.poststart.count)
		return 0;
	state = state_object(s, "running", s->pid);
	return state ? hooks_run(&spec->hooks.poststart, "poststart", state, s->bundle, err)
		     : error_errno(err, ENOMEM, "run hooks");
}

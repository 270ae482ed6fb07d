/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state directory. See state.h. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "kernel/process.h"
#include "runtime/state.h"
#include "runtime/sync.h"

#define STATE_FILE  "state.json"
#define CONFIG_FILE "config.json"
#define SOCKET_FILE "start.sock"
/* All that grows is annotations, and a configuration is not larger. */
#define STATE_SIZE_MAX (16 << 20)
/* A directory that is being made; ids can't begin so. */
#define NEW_PREFIX ".new-"

const char *const container_status_names[] = {
	[CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
	[CONTAINER_STOPPED] = "stopped",
};

bool container_id_is_valid(const char *id)
{
	size_t length = strlen(id);

	if (length == 0 || length > 1024 || strcmp(id, ".") == 0 || strcmp(id, "..") == 0 ||
	    str_starts(id, NEW_PREFIX))
		return false;
	return strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.") ==
	       length;
}

static int check_id(const char *id, struct error **err)
{
	if (!id || !*id)
		return error_set(err, EINVAL, "container id cannot be empty");
	if (!container_id_is_valid(id))
		return error_set(err, EINVAL, "invalid container id format: %s", id);
	return 0;
}

static int open_root(const struct runtime *rt, bool make, struct error **err)
{
	int fd = open(rt->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make) {
		if (make_dirs(rt->root, 0700, err) < 0)
			return -EIO;
		fd = open(rt->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? error_errno(err, errno, "open the state directory %s", rt->root) : fd;
}

static json_t *to_json(const struct state *s)
{
	char created[40];

	format_time_rfc3339(&s->created, created, sizeof created);
	return json_pack("{s:i,s:s,s:s,s:s,s:i,s:I,s:s,s:I,s:i,s:b,s:b,s:s*,s:O,s:O*,s:o}",
			 "version", 1, "id", s->id, "bundle", s->bundle, "rootfs", s->rootfs, "pid",
			 (int)s->pid, "startTime", (json_int_t)s->start_time, "created", created,
			 "createdSeconds", (json_int_t)s->created.tv_sec, "createdNanoseconds",
			 (int)s->created.tv_nsec, "systemd", s->is_systemd, "rootless",
			 s->is_rootless, "rdtClosId", s->rdt_clos_id, "annotations", s->annotations,
			 "streams", s->streams, "cgroup",
			 s->cgroup ? cgroup_save(s->cgroup) : json_null());
}

int state_save(const struct state *s, struct error **err)
{
	_cleanup_json_ json_t *json = to_json(s);
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (!text)
		return error_errno(err, ENOMEM, "write the state of %s", s->id);
	return file_replace_at(s->dir_fd, STATE_FILE, text, strlen(text), 0600, false, err);
}

static int write_new(int dir_fd, const char *name, const char *data, size_t length,
		     struct error **err)
{
	_cleanup_fd_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, data, length);

	return r < 0 ? error_errno(err, -r, "write %s", name) : 0;
}

/* Fills the new directory and gives it its name. */
static int populate(int root_fd, const char *temporary, struct state *s, const char *config,
		    size_t length, struct error **err)
{
	_cleanup_json_ json_t *json = to_json(s);
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r;

	if (!text)
		return error_errno(err, ENOMEM, "write the state of %s", s->id);
	if (strlen(text) > STATE_SIZE_MAX)
		return error_set(err, EFBIG, "annotations: the state is larger than %d bytes",
				 STATE_SIZE_MAX);
	s->dir_fd = openat(root_fd, temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->dir_fd < 0)
		return error_errno(err, errno, "open %s", temporary);
	r = write_new(s->dir_fd, STATE_FILE, text, strlen(text), err);
	if (r == 0)
		r = write_new(s->dir_fd, CONFIG_FILE, config, length, err);
	if (r < 0)
		return r;
	if (flock(s->dir_fd, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, errno, "lock the state of %s", s->id);
	if (syscall(SYS_renameat2, root_fd, temporary, root_fd, s->id, 1U /* RENAME_NOREPLACE */) ==
	    0)
		return 0;
	if (errno == EEXIST)
		return error_set(err, EEXIST, "container with given ID already exists");
	return error_errno(err, errno, "make the state directory of %s", s->id);
}

int state_create(const struct runtime *rt, struct state *s, const char *config, size_t length,
		 struct error **err)
{
	_cleanup_fd_ int root_fd = -1;
	uint64_t begin = trace_begin();
	char temporary[64];
	int r;

	r = check_id(s->id, err);
	if (r < 0)
		return r;
	root_fd = open_root(rt, true, err);
	if (root_fd < 0)
		return root_fd;
	snprintf(temporary, sizeof temporary, NEW_PREFIX "%d", getpid());
	if (mkdirat(root_fd, temporary, 0700) < 0) {
		/* Left by a process of that PID that died here. */
		if (errno != EEXIST || remove_tree_at(root_fd, temporary, NULL) < 0 ||
		    mkdirat(root_fd, temporary, 0700) < 0)
			return error_errno(err, errno, "make a directory in %s", rt->root);
	}
	r = populate(root_fd, temporary, s, config, length, err);
	trace_step(TRACE_STATE, begin, "mkdir", r, "%s/%s", rt->root, s->id);
	if (r < 0) {
		close_fd(&s->dir_fd);
		remove_tree_at(root_fd, temporary, NULL);
	}
	return r;
}

static int parse_fields(const struct json_at *at, struct state *s, struct error **err)
{
	struct json_at field;
	int64_t number = 0;
	int r = 0;
	struct {
		const char *name;
		char **to;
		bool is_optional;
	} strings[] = {{"id", &s->id},
		       {"bundle", &s->bundle},
		       {"rootfs", &s->rootfs},
		       {"rdtClosId", &s->rdt_clos_id, true}};
	struct {
		const char *name;
		bool *to;
	} flags[] = {{"systemd", &s->is_systemd}, {"rootless", &s->is_rootless}};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		const char *text = NULL;

		field = json_member(at, strings[i].name);
		r = json_get_string(&field, &text, err);
		if (r < 0)
			return r;
		*strings[i].to = text ? strdup(text) : NULL;
		if (!text && !strings[i].is_optional)
			return json_fail(&field, err, "missing");
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		field = json_member(at, flags[i].name);
		r = json_get_bool(&field, flags[i].to, err);
		if (r < 0)
			return r;
	}
	field = json_member(at, "pid");
	r = json_get_i64(&field, 0, INT32_MAX, &number, err);
	s->pid = (pid_t)number;
	field = json_member(at, "startTime");
	r = r ? r : json_get_u64(&field, INT64_MAX, &s->start_time, err);
	number = 0;
	field = json_member(at, "createdSeconds");
	r = r ? r : json_get_i64(&field, 0, INT64_MAX, &number, err);
	s->created.tv_sec = (time_t)number;
	number = 0;
	field = json_member(at, "createdNanoseconds");
	r = r ? r : json_get_i64(&field, 0, 999999999, &number, err);
	s->created.tv_nsec = (long)number;
	if (r < 0)
		return r;
	field = json_member(at, "annotations");
	s->annotations = field.value ? json_incref(field.value) : json_object();
	field = json_member(at, "streams");
	s->streams = field.value ? json_incref(field.value) : NULL;
	field = json_member(at, "cgroup");
	return field.value ? cgroup_restore(&field, &s->cgroup, err) : 0;
}

int state_load(const struct runtime *rt, const char *id, struct state *out, struct error **err)
{
	_cleanup_fd_ int root_fd = -1;
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_json_ json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_at at = {0};
	size_t length;
	int r;

	r = check_id(id, err);
	if (r < 0)
		return r;
	root_fd = open(rt->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd >= 0)
		s.dir_fd = openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s.dir_fd < 0 && errno == ENOENT)
		return error_set(err, ENOENT, "container does not exist: %s", id);
	if (s.dir_fd < 0)
		return error_errno(err, errno, "open the state of container \"%s\"", id);
	r = file_read_at(s.dir_fd, STATE_FILE, STATE_SIZE_MAX, &text, &length, err);
	if (r == 0)
		r = json_parse(text, length, STATE_FILE, &json, err);
	at.value = json;
	if (r == 0)
		r = parse_fields(&at, &s, err);
	if (r < 0) {
		error_prefix(err, "the state of container \"%s\" is damaged", id);
		return r == -ENOENT ? -EIO : r;
	}
	*out = s;
	s = (struct state){.dir_fd = -1};
	return 0;
}

int state_lock(struct state *s, struct error **err)
{
	struct stat st;

	while (flock(s->dir_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "lock the state of %s", s->id);
	if (fstatat(s->dir_fd, STATE_FILE, &st, 0) < 0)
		return error_set(err, ENOENT, "container does not exist: %s", s->id);
	return 0;
}

void state_unlock(struct state *s)
{
	flock(s->dir_fd, LOCK_UN);
}

int state_load_config(const struct state *s, struct spec **out, struct error **err)
{
	return spec_load(s->dir_fd, out, NULL, NULL, err);
}

int state_remove(const struct runtime *rt, struct state *s, struct error **err)
{
	_cleanup_fd_ int root_fd = open_root(rt, false, err);
	uint64_t begin = trace_begin();
	int r;

	if (root_fd < 0)
		return root_fd;
	/* state.json goes last: until then the next delete finds what is left. */
	unlinkat(s->dir_fd, SOCKET_FILE, 0);
	unlinkat(s->dir_fd, CONFIG_FILE, 0);
	unlinkat(s->dir_fd, STATE_FILE, 0);
	r = unlinkat(root_fd, s->id, AT_REMOVEDIR) == 0 || errno == ENOENT
		    ? 0
		    : remove_tree_at(root_fd, s->id, err);
	trace_step(TRACE_STATE, begin, "rmdir", r, "%s/%s", rt->root, s->id);
	return r;
}

void state_clear(struct state *s)
{
	close_fd(&s->dir_fd);
	free(s->id);
	free(s->bundle);
	free(s->rootfs);
	free(s->rdt_clos_id);
	cgroup_free(s->cgroup);
	json_decref(s->annotations);
	json_decref(s->streams);
	*s = (struct state){.dir_fd = -1};
}

/* The address of ROOT/ID/start.sock, short however long ROOT is. */
static struct sockaddr_un socket_address(const struct state *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SOCKET_FILE,
		 s->dir_fd);
	return address;
}

int state_listen(const struct state *s, struct error **err)
{
	_cleanup_fd_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = socket_address(s);

	if (sock < 0)
		return error_errno(err, errno, "make a socket");
	if (bind(sock, (struct sockaddr *)&address, sizeof address) < 0 || listen(sock, 4) < 0)
		return error_errno(err, errno, "make the start socket of %s", s->id);
	return TAKE_FD(sock);
}

static int connect_socket(const struct state *s, int flags)
{
	_cleanup_fd_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
	struct sockaddr_un address = socket_address(s);

	if (sock < 0 || connect(sock, (struct sockaddr *)&address, sizeof address) < 0)
		return -errno;
	return TAKE_FD(sock);
}

int state_connect(const struct state *s, struct error **err)
{
	int sock = connect_socket(s, 0);

	return sock < 0 ? error_errno(err, -sock, "connect to the waiting process of %s", s->id)
			: sock;
}

/* The creator holds the lock until the process is recorded; without it there is none to come. */
static bool is_being_created(const struct state *s)
{
	if (flock(s->dir_fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(s->dir_fd, LOCK_UN);
	return false;
}

/* start.sock alone proves nothing, since whoever was to remove it may have been killed: the process
 * listens until it executes the program. It takes a connection without a message for what it is. */
static bool is_waiting_for_start(const struct state *s)
{
	_cleanup_fd_ int sock = -1;
	struct stat st;

	if (fstatat(s->dir_fd, SOCKET_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	/* One that is frozen or stopped accepts nothing, and its queue fills up: EAGAIN. */
	sock = connect_socket(s, SOCK_NONBLOCK);
	return sock >= 0 || sock == -EAGAIN;
}

enum container_status state_status(const struct state *s)
{
	uint64_t start_time;
	char letter;

	if (s->pid == 0)
		return is_being_created(s) ? CONTAINER_CREATING : CONTAINER_STOPPED;
	if (process_start_time(s->pid, &start_time, &letter) < 0 || start_time != s->start_time ||
	    letter == 'Z' || letter == 'X')
		return CONTAINER_STOPPED;
	if (s->cgroup && cgroup_is_frozen(s->cgroup) > 0)
		return CONTAINER_PAUSED;
	return is_waiting_for_start(s) ? CONTAINER_CREATED : CONTAINER_RUNNING;
}

int state_open_process(const struct state *s, struct error **err)
{
	int fd = s->pid ? process_open(s->pid, s->start_time) : -ESRCH;

	return fd < 0 ? error_set(err, -fd, "container not running") : fd;
}

json_t *state_object(const struct state *s, const char *status, pid_t pid)
{
	json_t *object = json_pack("{s:s,s:s,s:s}", "ociVersion", SPEC_VERSION, "id", s->id,
				   "status", status);

	if (object && pid)
		json_object_set_new(object, "pid", json_integer(pid));
	if (object)
		json_object_set_new(object, "bundle", json_string(s->bundle));
	if (object && json_object_size(s->annotations))
		json_object_set(object, "annotations", s->annotations);
	return object;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int state_list(const struct runtime *rt, struct strv *ids, struct error **err)
{
	_cleanup_dir_ DIR *dir = opendir(rt->root);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "open %s", rt->root);
	while ((entry = readdir(dir)))
		if (container_id_is_valid(entry->d_name) && strv_add(ids, entry->d_name) < 0)
			return error_errno(err, ENOMEM, "list %s", rt->root);
	if (ids->count)
		qsort(ids->items, ids->count, sizeof *ids->items, compare_names);
	return 0;
}

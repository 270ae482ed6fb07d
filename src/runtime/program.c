/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last steps before the program. See program.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/path.h"
#include "kernel/process.h"
#include "kernel/procfs.h"
#include "runtime/program.h"

#define PASSWD_SIZE_MAX (1 << 20)

/* An image's /etc/passwd is untrusted: a regular file of bounded size, reached without magic links (a descriptor of
 * the host's), and values without control characters, or it counts as absent. */
static char *home_from_passwd(uid_t uid)
{
	_cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int found = path_open_in_root(root, "/etc/passwd", O_PATH, PATH_ANY, NULL);
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	struct stat st;

	/* Looked at before it is opened: to open a device may have effects. */
	if (found < 0 || fstat(found, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	fd = procfs_reopen(found, O_RDONLY, NULL);
	if (fd < 0 || fd_read_all(fd, PASSWD_SIZE_MAX, "/etc/passwd", &text, NULL, NULL) < 0)
		return NULL;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *fields[6];
		uint64_t id;
		size_t i;

		for (i = 0; i < 6 && line; i++)
			fields[i] = strsep(&line, ":");
		if (i < 6 || parse_u64(fields[2], UINT32_MAX, &id) < 0 || id != uid)
			continue;
		for (const char *p = fields[5]; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return NULL;
		return *fields[5] == '/' ? strdup(fields[5]) : NULL;
	}
	return NULL;
}

static const char *environment_get(const struct strv *environment, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = environment->count; i-- > 0;)
		if (strncmp(environment->items[i], name, length) == 0 &&
		    environment->items[i][length] == '=')
			return environment->items[i] + length + 1;
	return NULL;
}

static int prepare_environment(struct program *p)
{
	_cleanup_free_ char *home = NULL;
	int r = 0;

	for (size_t i = 0; i < p->process->env.count && r == 0; i++)
		r = strv_add(&p->environment, p->process->env.items[i]);
	if (r == 0 && !environment_get(&p->environment, "HOME")) {
		home = home_from_passwd(p->process->user.uid);
		r = strv_addf(&p->environment, "HOME=%s", home ? home : "/");
	}
	if (r == 0 && p->listen_fds) {
		r = strv_addf(&p->environment, "LISTEN_FDS=%d", p->listen_fds);
		if (r == 0)
			r = strv_add(&p->environment, "LISTEN_PID=1");
	}
	if (r == 0 && p->notify_socket)
		r = strv_addf(&p->environment, "NOTIFY_SOCKET=%s", p->notify_socket);
	/* execve wants a terminated list, also an empty one. */
	return r;
}

/* A container's path or link may point at a descriptor of the host that we still hold
 * (/proc/self/fd/N): magic links are refused, and where we end must be below the root. */
static int change_directory(const struct program *p, struct error **err)
{
	const char *cwd = p->process->cwd ? p->process->cwd : "/";
	_cleanup_fd_ int root = -1, fd = -1;
	char where[4096];
	long n;

	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, errno, "open /");
	fd = path_open_in_root(root, cwd, O_PATH | O_DIRECTORY, PATH_ANY, NULL);
	if (fd == -ENOENT && p->make_cwd)
		fd = path_mkdirs_in_root(root, cwd, 0755, PATH_ANY, NULL);
	if (fd < 0)
		return error_errno(err, -fd, "chdir to cwd (\"%s\") set in config.json failed",
				   cwd);
	if (fchdir(fd) < 0)
		return error_errno(err, errno, "chdir to cwd (\"%s\") set in config.json failed",
				   cwd);
	n = syscall(SYS_getcwd, where, sizeof where);
	if (n <= 0 || where[0] != '/')
		return error_set(err, EPERM, "cwd \"%s\" is outside of the container's root", cwd);
	return 0;
}

/* 0 when path is a file that may be executed. */
static int is_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int find_in_path(struct program *p, const char *name, struct error **err)
{
	const char *path = environment_get(&p->environment, "PATH");
	_cleanup_strv_ struct strv directories = {0};

	if (strv_split(&directories, path ? path : "", ":") < 0)
		return error_errno(err, ENOMEM, "exec: \"%s\"", name);
	for (size_t i = 0; i < directories.count; i++) {
		_cleanup_free_ char *candidate = NULL;

		if (asprintf(&candidate, "%s/%s", directories.items[i], name) < 0)
			return error_errno(err, ENOMEM, "exec: \"%s\"", name);
		if (is_executable(candidate) == 0) {
			p->executable = TAKE_PTR(candidate);
			return 0;
		}
	}
	return error_set(err, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

static int find_executable(struct program *p, struct error **err)
{
	const char *name = p->process->args.items[0];
	int r;

	if (!strchr(name, '/'))
		return find_in_path(p, name, err);
	r = is_executable(name);
	if (r == -ENOENT || r == -ENOTDIR)
		return error_set(err, -r, "exec: \"%s\": stat %s: %s", name, name,
				 r == -ENOENT ? "no such file or directory" : "not a directory");
	if (r == -EISDIR)
		return error_set(err, EISDIR, "exec: \"%s\": is a directory", name);
	if (r < 0)
		return error_set(err, -r, "exec: \"%s\": %s", name,
				 r == -EACCES ? "permission denied" : strerror(-r));
	p->executable = strdup(name);
	return p->executable ? 0 : error_errno(err, ENOMEM, "exec: \"%s\"", name);
}

/* execve resolves every path before it closes anything: the program's, its "#!" and its ELF interpreter's, and all
 * three may go through /proc/self/fd/N. So no descriptor of the host may be left by then, O_CLOEXEC or
 * not (as CVE-2024-21626). */
static int close_others(const struct program *p, struct error **err)
{
	const int keep[] = {p->keep[0], p->keep[1], log_fd(), trace_fd()};

	return descriptors_close(3 + p->preserve_fds, keep, ARRAY_SIZE(keep), err);
}

int program_prepare(struct program *p, struct error **err)
{
	int r;

	if (p->process->args.count == 0 || !p->process->args.items[0][0])
		return error_set(err, EINVAL, "process.args: must have a program to run");
	if (prepare_environment(p) < 0)
		return error_errno(err, ENOMEM, "prepare the environment");
	r = change_directory(p, err);
	if (r == 0)
		r = find_executable(p, err);
	return r == 0 ? close_others(p, err) : r;
}

static int load_seccomp(const struct program *p, const struct program_steps *steps,
			struct error **err)
{
	int listener = -1, r;

	if (!p->seccomp || !p->seccomp->size)
		return 0;
	r = seccomp_program_load(p->seccomp, &listener, err);
	if (r < 0 || listener < 0)
		return r;
	return steps->on_listener(listener, steps->data, err);
}

int program_execute(struct program *p, const struct program_steps *steps, struct error **err)
{
	static char *no_environment[] = {NULL};
	bool is_late = p->process->no_new_privileges;
	struct spec_capabilities granted;
	sigset_t none;
	uint64_t begin;
	int r;

	/* Loading a filter takes CAP_SYS_ADMIN or no_new_privs: so before the privileges go, or after
	 * no_new_privs is set, which is as late as can be, for the fewest calls under the filter. */
	r = attributes_become_user(&p->attributes, &granted, err);
	if (r == 0 && !is_late)
		r = load_seccomp(p, steps, err);
	if (r == 0)
		r = attributes_late(&p->attributes, &granted, err);
	if (r == 0 && steps->between)
		r = steps->between(steps->data, err);
	if (r < 0)
		return r;
	for (int i = 1; i < NSIG; i++)
		if (i == SIGPIPE || i == SIGCHLD)
			signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	begin = trace_begin();
	trace_step(TRACE_EXEC, begin, "execve", 0, "%s", p->executable);
	if (is_late) {
		r = load_seccomp(p, steps, err);
		if (r < 0)
			return r;
	}
	execve(p->executable, (char *const *)(uintptr_t)p->process->args.items,
	       p->environment.count ? p->environment.items : no_environment);
	return error_errno(err, errno, "exec %s", p->executable);
}

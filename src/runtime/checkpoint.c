/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checkpoint and restore, through CRIU.
 *
 * The work is done by the program dhow-criu (libcriu), which is executed for it. What is told to CRIU from
 * outside: bind mounts and masked files are external, found again by their destination; a network
 * namespace that was joined by path is external too; cgroups are handled as --manage-cgroups-mode says
 * (soft when nothing is said, as runc). A restored container is recorded like one that was run. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/process.h"
#include "runtime/checkpoint_stdio.h"
#include "runtime/destroy.h"
#include "runtime/helper.h"
#include "runtime/launch.h"
#include "runtime/state.h"
#include "runtime/supervise.h"

static int add_option(struct strv *argv, const char *name, const char *value)
{
	int r = value ? strv_add(argv, name) : 0;

	return r == 0 && value ? strv_add(argv, value) : r;
}

static int add_flag(struct strv *argv, const char *name, bool is_wanted)
{
	return add_option(argv, name, is_wanted ? "1" : NULL);
}

/* The options that dump and restore share. */
static int add_common(struct strv *argv, const struct container_checkpoint_opts *opts,
		      const char *log)
{
	const char *mode = opts->manage_cgroups_mode ? opts->manage_cgroups_mode : "soft";
	int r = add_option(argv, "images-dir", opts->image_path);

	r = r ? r
	      : add_option(argv, "work-dir", opts->work_path ? opts->work_path : opts->image_path);
	r = r ? r : add_option(argv, "log", log);
	r = r ? r : add_option(argv, "manage-cgroups", mode);
	r = r ? r : add_option(argv, "lsm-profile", opts->lsm_profile);
	r = r ? r : add_option(argv, "lsm-mount-context", opts->lsm_mount_context);
	r = r ? r : add_flag(argv, "tcp-established", opts->tcp_established);
	r = r ? r : add_flag(argv, "ext-unix-sk", opts->ext_unix_sk);
	r = r ? r : add_flag(argv, "shell-job", opts->shell_job);
	r = r ? r : add_flag(argv, "file-locks", opts->file_locks);
	r = r ? r : add_flag(argv, "link-remap", opts->link_remap);
	return r ? r : add_flag(argv, "auto-dedup", opts->auto_dedup);
}

static bool is_bind(const struct spec_mount *m)
{
	for (size_t i = 0; i < m->options.count; i++)
		if (str_equal(m->options.items[i], "bind") ||
		    str_equal(m->options.items[i], "rbind"))
			return true;
	return str_equal(m->type, "bind");
}

static int add_external(struct strv *argv, const char *key, const char *value)
{
	int r = strv_add(argv, "ext-mount");

	return r ? r : strv_addf(argv, "%s=%s", key, value);
}

/* A mount of type cgroup: the host's whole on v2; on v1 a tmpfs, which CRIU makes itself, and the container's
 * directory of each hierarchy in it (rootfs_cgroup.c). */
static int add_cgroup_mounts(struct strv *argv, const struct cgroup *cg, const char *destination,
			     bool is_restore)
{
	const struct cgroup_host *host;
	int r = cgroup_host_get(&host, NULL);

	if (r == 0 && host->layout == CGROUP_V2)
		return add_external(argv, destination, is_restore ? "/sys/fs/cgroup" : destination);
	for (size_t i = 0; r == 0 && i < host->count; i++) {
		const struct cgroup_hierarchy *h = &host->hierarchies[i];
		_cleanup_free_ char *first = strndup(h->controllers, strcspn(h->controllers, ","));
		_cleanup_free_ char *key = NULL;
		const char *own = first && cg ? cgroup_directory(cg, first) : NULL;

		if (!first ||
		    asprintf(&key, "%s%s", destination, strrchr(h->mount_point, '/')) < 0) {
			key = NULL;
			return -ENOMEM;
		}
		r = add_external(argv, key, !is_restore ? key : own ? own : h->mount_point);
	}
	return r;
}

/* A masked file has the null device over it, which all of them share as a key; a masked directory an empty tmpfs, which
 * CRIU makes itself. */
static int add_masks(struct strv *argv, const struct spec *spec, pid_t saved)
{
	const struct spec_strings *masked = &spec->linux.masked_paths;
	int r = 0;

	if (!saved)
		return masked->count ? add_external(argv, "/dev/null", "/dev/null") : 0;
	for (size_t i = 0; r == 0 && i < masked->count; i++) {
		_cleanup_free_ char *path = NULL;
		struct stat st;

		if (asprintf(&path, "/proc/%d/root%s", saved, masked->items[i]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
			r = add_external(argv, masked->items[i], "/dev/null");
	}
	return r;
}

/* Mounts from outside: their key is the destination. saved is the process that is saved, or 0 when one is
 * restored. */
static int add_external_mounts(struct strv *argv, const struct spec *spec, const struct cgroup *cg,
			       pid_t saved)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->mount_count; i++) {
		const struct spec_mount *m = &spec->mounts[i];

		if (str_equal(m->type, "cgroup"))
			r = add_cgroup_mounts(argv, cg, m->destination, !saved);
		else if (is_bind(m))
			r = add_external(argv, m->destination, saved ? m->destination : m->source);
	}
	return r ? r : add_masks(argv, spec, saved);
}

static int run_criu(const struct strv *argv, char **output, struct error **err)
{
	if (!helper_exists(argv->items[0]))
		return error_set(
			err, ENOTSUP,
			"checkpoint and restore need CRIU, which this dhow was built without: "
			"install the package criu and build again");
	return helper_run(argv, output, err);
}

static int refuse_unsupported(const struct container_checkpoint_opts *opts, struct error **err)
{
	if (opts->lazy_pages || opts->status_fd)
		return error_set(err, ENOTSUP,
				 "--lazy-pages: libcriu has no call for it; use --page-server");
	if (opts->empty_ns.count)
		return error_set(err, ENOTSUP, "--empty-ns: libcriu has no call for it");
	return 0;
}

int container_checkpoint(const struct runtime *rt, const struct container_checkpoint_opts *opts,
			 struct error **err)
{
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_strv_ struct strv argv = {0};
	enum container_status status;
	struct stat ns;
	char path[64];
	int r;

	r = refuse_unsupported(opts, err);
	if (r == 0)
		r = state_load(rt, opts->id, &s, err);
	if (r < 0)
		return r;
	status = state_status(&s);
	if (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED)
		return error_set(err, EINVAL, "container cannot be checkpointed in %s state",
				 container_status_names[status]);
	r = state_load_config(&s, &spec, err);
	if (r == 0)
		r = make_dirs(opts->image_path, 0700, err);
	if (r < 0)
		return r;
	r = strv_add(&argv, "dhow-criu");
	r = r ? r : strv_add(&argv, opts->pre_dump ? "pre-dump" : "dump");
	r = r ? r : add_common(&argv, opts, "dump.log");
	r = r ? r : strv_add(&argv, "pid");
	r = r ? r : strv_addf(&argv, "%d", s.pid);
	r = r ? r : add_option(&argv, "parent", opts->parent_path);
	r = r ? r : add_option(&argv, "page-server", opts->page_server);
	r = r ? r : add_flag(&argv, "leave-running", opts->leave_running || opts->pre_dump);
	r = r ? r : add_flag(&argv, "tcp-skip-in-flight", opts->tcp_skip_in_flight);
	r = r ? r : add_external_mounts(&argv, spec, s.cgroup, s.pid);
	if (r == 0) {
		r = stdio_save(s.streams, opts->image_path, &argv, err);
		if (r < 0)
			return r;
	}
	if (r == 0 && spec->linux.namespaces[NAMESPACE_NETWORK].path) {
		snprintf(path, sizeof path, "/proc/%d/ns/net", s.pid);
		if (stat(path, &ns) < 0)
			return error_errno(err, errno, "stat %s", path);
		r = strv_add(&argv, "external");
		r = r ? r
		      : strv_addf(&argv, "net[%llu]:extRootNetNS", (unsigned long long)ns.st_ino);
	}
	if (r < 0)
		return error_errno(err, -r, "checkpoint %s", opts->id);
	r = run_criu(&argv, NULL, err);
	/* What lives on in the images is gone here, as with runc. */
	return r == 0 && !opts->leave_running && !opts->pre_dump
		       ? container_delete(rt, opts->id, true, err)
		       : r;
}

/* A state directory and a cgroup for the container to come. */
static int claim(const struct runtime *rt, const struct container_checkpoint_opts *opts,
		 struct state *s, struct spec **spec, struct error **err)
{
	_cleanup_fd_ int bundle_fd = -1;
	_cleanup_free_ char *config = NULL;
	size_t length;
	int r;

	s->bundle = realpath(opts->bundle ? opts->bundle : ".", NULL);
	if (!s->bundle)
		return error_errno(err, errno, "open the bundle %s", opts->bundle);
	bundle_fd = open(s->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle_fd < 0)
		return error_errno(err, errno, "open the bundle %s", s->bundle);
	r = spec_load(bundle_fd, spec, &config, &length, err);
	return r < 0 ? r : claim_state(rt, opts->id, *spec, s, config, length, err);
}

static void close_streams(int (*fds)[STDIO_COUNT])
{
	for (size_t i = 0; i < STDIO_COUNT; i++)
		close_fd(&(*fds)[i]);
}

static int restore(const struct container_checkpoint_opts *opts, struct state *s,
		   const struct spec *spec, int net_ns, struct error **err)
{
	_cleanup_strv_ struct strv argv = {0};
	_cleanup_(close_streams) int streams[STDIO_COUNT] = {-1, -1, -1};
	_cleanup_free_ char *output = NULL;
	uint64_t pid;
	int r;

	r = cgroup_create(s->cgroup, &spec->linux.resources, err);
	if (r == 0)
		r = cgroup_set(s->cgroup, &spec->linux.resources, false, err);
	if (r < 0)
		return r;
	r = strv_add(&argv, "dhow-criu");
	r = r ? r : strv_add(&argv, "restore");
	r = r ? r : add_option(&argv, "root", s->rootfs);
	r = r ? r : add_common(&argv, opts, "restore.log");
	r = r ? r : add_external_mounts(&argv, spec, s->cgroup, 0);
	if (r == 0) {
		r = stdio_inherit(opts->image_path, &argv, streams, err);
		if (r < 0)
			return r;
	}
	if (r == 0 && net_ns >= 0) {
		r = strv_add(&argv, "inherit-fd");
		r = r ? r : strv_addf(&argv, "%d:extRootNetNS", net_ns);
	}
	if (r < 0)
		return error_errno(err, -r, "restore %s", opts->id);
	s->streams = stdio_describe(streams);
	r = run_criu(&argv, &output, err);
	if (r < 0)
		return r;
	if (parse_u64(output, INT32_MAX, &pid) < 0 || pid == 0)
		return error_set(err, EPROTO, "dhow-criu gave no PID: %s", output);
	s->pid = (pid_t)pid;
	r = process_start_time(s->pid, &s->start_time, NULL);
	if (r < 0)
		return error_errno(err, -r, "the restored process %d is gone", s->pid);
	r = cgroup_attach(s->cgroup, s->pid, &spec->linux.resources, err);
	return r == 0 ? state_save(s, err) : r;
}

int container_restore(const struct runtime *rt, const struct container_checkpoint_opts *opts,
		      struct error **err)
{
	_cleanup_(supervise_end) struct supervision supervision = {.signals = -1};
	_cleanup_state_ struct state s = {.dir_fd = -1};
	_cleanup_spec_ struct spec *spec = NULL;
	_cleanup_fd_ int pidfd = -1, net_ns = -1;
	const char *ns_path;
	int r, status;

	r = refuse_unsupported(opts, err);
	if (r == 0 && opts->console_socket)
		r = error_set(err, ENOTSUP,
			      "--console-socket: libcriu can't hand on a restored terminal");
	if (r == 0 && !opts->detach)
		r = supervise_begin(&supervision, true, err);
	if (r == 0)
		r = claim(rt, opts, &s, &spec, err);
	if (r)
		return r;
	ns_path = spec->linux.namespaces[NAMESPACE_NETWORK].path;
	/* Inherited by dhow-criu, so not close-on-exec. */
	net_ns = ns_path ? open(ns_path, O_RDONLY) : -1;
	if (ns_path && net_ns < 0)
		r = error_errno(err, errno, "open %s", ns_path);
	if (r == 0)
		r = restore(opts, &s, spec, net_ns, err);
	if (r == 0) {
		pidfd = state_open_process(&s, err);
		r = pidfd < 0 ? pidfd : 0;
	}
	if (r == 0)
		r = announce_process(opts->pid_file, NULL, s.pid, pidfd, err);
	if (r < 0) {
		destroy_container(rt, &s, spec, NULL);
		return r;
	}
	if (opts->detach)
		return 0;
	state_unlock(&s);
	supervision.pid = s.pid;
	r = supervise(&supervision, pidfd, -1, &status, err);
	if (r == 0 && state_lock(&s, NULL) == 0)
		destroy_container(rt, &s, spec, NULL);
	return r < 0 ? r : process_exit_code(status);
}

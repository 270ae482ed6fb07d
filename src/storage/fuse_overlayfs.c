/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver fuse-overlayfs: overlay in a process, for hosts and users whose kernel won't do it.
 *
 * Layers and containers are directories as directory.h has them; a mount is a process of the program fuse-overlayfs
 * (fuse_overlayfs_process.c), whose lower directories are named relative to the driver's root, so that their number is limited
 * by argv's size alone (128 KiB, some 1,800 layers).
 *
 * In layers a deletion is a character device 0:0, or for a user who may make none the name .wh.NAME, both of which the
 * program reads. In a container's directory the program leaves marks of its own beside them (.wh..wh..opq and .wh..opq in new directories,
 * extended attributes), so that a container's changes are found by comparing what a mount shows, not by reading that directory.
 *
 * Two processes must not write to one container: the process holds a lock on containers/ID/lock as long as it lives. What it says is in
 * containers/ID/log. */
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "storage/directory.h"
#include "storage/fuse_overlayfs.h"
#include "storage/places.h"

#define END_TIMEOUT_MS   5000
#define START_TIMEOUT_MS 500 /* a process that is just ending holds the lock still */

static const char *const places[] = {"/usr/bin/fuse-overlayfs", "/usr/local/bin/fuse-overlayfs",
				     NULL};

/* The program, or NULL with *err filled in. */
static const char *find_program(const struct storage *s, struct error **err)
{
	const char *chosen = storage_option(s, "mount_program");

	if (chosen) {
		if (*chosen == '/' && access(chosen, X_OK) == 0)
			return chosen;
		error_set(err, ENOENT,
			  "fuse-overlayfs.mount_program: %s is no absolute path of a program",
			  chosen);
		return NULL;
	}
	for (size_t i = 0; places[i]; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	error_set(err, ENOENT,
		  "the program fuse-overlayfs is missing (Debian package fuse-overlayfs)");
	return NULL;
}

static int open_log(struct storage *s, const char *container, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int fd, n = container ? asprintf(&path, "containers/%s/log", container)
			      : asprintf(&path, "staging/log.%d.%llx", getpid(),
					 (unsigned long long)now_ns());

	if (n < 0)
		return error_errno(err, ENOMEM, "open a log");
	fd = openat(s->root, path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return error_errno(err, errno, "open %s", path);
	/* What serves only to tell why the process didn't start needs no name. */
	if (!container)
		unlinkat(s->root, path, 0);
	return fd;
}

/* -EBUSY where a process serves the container for that time yet. */
static int lock_container(struct storage *s, const char *id, unsigned timeout_ms,
			  struct error **err)
{
	uint64_t end = now_ns() + timeout_ms * UINT64_C(1000000);
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -1;

	if (asprintf(&path, "containers/%s/lock", id) < 0)
		return error_errno(err, ENOMEM, "lock the container %s", id);
	fd = openat(s->root, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "open %s", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return error_errno(err, errno, "lock %s", path);
		if (now_ns() >= end)
			return error_set(err, EBUSY, "container %s is mounted", id);
		poll(NULL, 0, 5);
	}
	return TAKE_FD(fd);
}

static int start_process(struct storage *s, const char *options, const char *label,
			 const char *container, struct error **err)
{
	_cleanup_fd_ int log = -1, lock = -1;
	const char *program = find_program(s, err);

	if (!program)
		return -ENOENT;
	if (container) {
		lock = lock_container(s, container, START_TIMEOUT_MS, err);
		if (lock < 0)
			return lock;
	}
	log = open_log(s, container, err);
	if (log < 0)
		return log;
	return fuse_start(&(struct fuse_start){.program = program,
					       .options = options,
					       .label = label,
					       .directory = s->root,
					       .log = log,
					       .lock = lock,
					       .is_read_only = !container},
			  err);
}

static void add_layers(struct strbuf *b, const char *const *layers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strbuf_addf(b, "%slayers/%s", i ? ":" : "", storage_hex(layers[i]));
}

/* A container without layers has an empty directory below it. */
static int mount_container(struct storage *s, const struct storage_mount_opts *opts,
			   struct error **err)
{
	_cleanup_strbuf_ struct strbuf options = {0};

	strbuf_adds(&options, "lowerdir=");
	if (opts->layer_count)
		add_layers(&options, opts->layers, opts->layer_count);
	else
		strbuf_addf(&options, "containers/%s/work", opts->container);
	strbuf_addf(&options, ",upperdir=containers/%s/fs,workdir=containers/%s/work",
		    opts->container, opts->container);
	if (options.failed)
		return error_errno(err, ENOMEM, "mount the container %s", opts->container);
	return start_process(s, options.text, opts->label, opts->container, err);
}

/* The layers, under a container's changes where above is set: "containers/ID/fs:". */
static int mount_view(struct storage *s, const struct storage_mount_opts *opts, const char *above,
		      struct error **err)
{
	_cleanup_strbuf_ struct strbuf options = {0};

	strbuf_addf(&options, "lowerdir=%s", above);
	add_layers(&options, opts->layers, opts->layer_count);
	if (options.failed)
		return error_errno(err, ENOMEM, "mount layers");
	return start_process(s, options.text, opts->label, NULL, err);
}

static int fuse_mount(struct storage *s, const struct storage_mount_opts *opts, struct error **err)
{
	return opts->container ? mount_container(s, opts, err) : mount_view(s, opts, "", err);
}

/* The process ends by itself; but the next mount, and removal, must not meet it. */
static int fuse_release(struct storage *s, const struct storage_mount_opts *opts,
			struct error **err)
{
	_cleanup_error_ struct error *why = NULL;
	_cleanup_fd_ int fd = -1;

	if (!opts->container)
		return 0;
	fd = lock_container(s, opts->container, END_TIMEOUT_MS, &why);
	/* One that is gone, or was never mounted. */
	if (fd >= 0 || fd == -ENOENT)
		return 0;
	return error_set(err, -fd, "%s", error_text(why));
}

static int fuse_container_remove(struct storage *s, const char *id, struct error **err)
{
	int r = fuse_release(s, &(struct storage_mount_opts){.container = id}, err);

	return r < 0 ? r : directory_container_remove(s, id, err);
}

static int may_mknod(struct storage *s)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "staging/probe.%d", getpid()) < 0)
		return -ENOMEM;
	r = mknodat(s->root, path, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
	unlinkat(s->root, path, 0);
	return r;
}

static int fuse_open(struct storage *s, struct error **err)
{
	enum storage_whiteouts *whiteouts = malloc(sizeof *whiteouts);

	if (!whiteouts)
		return error_errno(err, ENOMEM, "open the storage");
	*whiteouts = WHITEOUTS_OVERLAY;
	if (s->is_rootless)
		*whiteouts = may_mknod(s) == 0 ? WHITEOUTS_OVERLAY_USER : WHITEOUTS_AUFS;
	s->data = whiteouts;
	return 0;
}

static void fuse_close(struct storage *s)
{
	free(s->data);
}

static enum storage_whiteouts fuse_whiteouts(const struct storage *s)
{
	return *(enum storage_whiteouts *)s->data;
}

static int fuse_probe(struct storage *s, struct error **err)
{
	_cleanup_free_ char *place = NULL, *options = NULL;
	_cleanup_fd_ int fd = -1;

	if (asprintf(&place, "staging/probe.%d.%llx", getpid(), (unsigned long long)now_ns()) < 0 ||
	    asprintf(&options, "lowerdir=%s", place) < 0)
		return error_errno(err, ENOMEM, "try fuse-overlayfs");
	if (mkdirat(s->root, place, 0700) < 0)
		return error_errno(err, errno, "create %s", place);
	fd = start_process(s, options, NULL, NULL, err);
	unlinkat(s->root, place, AT_REMOVEDIR);
	return fd < 0 ? fd : 0;
}

static int open_directory(int mount, struct error **err)
{
	int fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, errno, "open a mount") : fd;
}

static int open_view(struct storage *s, const struct storage_mount_opts *opts, const char *above,
		     struct error **err)
{
	_cleanup_fd_ int mount = mount_view(s, opts, above, err);

	return mount < 0 ? mount : open_directory(mount, err);
}

/* The container may be mounted, so its view is another process's, which only reads. */
static int open_container_view(struct storage *s, const struct storage_mount_opts *opts,
			       struct error **err)
{
	_cleanup_free_ char *above = NULL;

	if (asprintf(&above, "containers/%s/fs%s", opts->container, opts->layer_count ? ":" : "") <
	    0)
		return error_errno(err, ENOMEM, "mount the container %s", opts->container);
	return open_view(s, opts, above, err);
}

static int fuse_diff_open(struct storage *s, const struct storage_mount_opts *opts,
			  struct storage_diff *out, struct error **err)
{
	struct storage_mount_opts below = *opts;
	_cleanup_fd_ int upper = -1;

	if (!opts->container) {
		below.layers++;
		below.layer_count--;
	}
	upper = opts->container ? open_container_view(s, opts, err)
				: directory_open_layer(s, opts->layers[0], err);
	if (upper < 0)
		return upper;
	out->lower = -1;
	below.container = NULL;
	if (below.layer_count) {
		out->lower = open_view(s, &below, "", err);
		if (out->lower < 0)
			return out->lower;
	}
	out->kind = opts->container ? STORAGE_DIFF_TREES : STORAGE_DIFF_UPPER;
	out->upper = TAKE_FD(upper);
	return 0;
}

const struct storage_driver storage_fuse_overlayfs = {
	.name = "fuse-overlayfs",
	.options = (const char *const[]){"mount_program", NULL},
	.probe = fuse_probe,
	.open = fuse_open,
	.close = fuse_close,
	.layers_are_independent = true,
	.whiteouts = fuse_whiteouts,
	.layer_begin = directory_layer_begin,
	.layer_commit = directory_layer_commit,
	.layer_abort = directory_layer_abort,
	.layer_remove = directory_layer_remove,
	.container_create = directory_container_create,
	.container_remove = fuse_container_remove,
	.mount = fuse_mount,
	.release = fuse_release,
	.diff_open = fuse_diff_open,
};

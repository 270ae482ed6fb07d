/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a store: its two directories, with nobody else's eyes on them, what is in them, and the configuration. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

static char *in_home(const char *variable, const char *fallback, const char *name)
{
	const char *base = getenv(variable);
	const char *home = getenv("HOME");
	char *path = NULL;

	if (base && *base == '/')
		return asprintf(&path, "%s/%s", base, name) < 0 ? NULL : path;
	if (!fallback || !home || *home != '/')
		return NULL;
	return asprintf(&path, "%s/%s/%s", home, fallback, name) < 0 ? NULL : path;
}

static int default_directories(const struct store_opts *opts, char **root, char **runroot,
			       struct error **err)
{
	bool is_root = geteuid() == 0;

	*root = opts->root ? strdup(opts->root)
		: is_root  ? strdup("/var/lib/dhow")
			   : in_home("XDG_DATA_HOME", ".local/share", "dhow");
	*runroot = opts->runroot ? strdup(opts->runroot)
		   : is_root     ? strdup("/run/dhow")
				 : in_home("XDG_RUNTIME_DIR", NULL, "dhow");
	if (!*runroot && asprintf(runroot, "/tmp/dhow-%u", geteuid()) < 0)
		*runroot = NULL;
	if (*root && *runroot)
		return 0;
	return error_set(
		err, ENOENT,
		"where is the store? set HOME or XDG_DATA_HOME, or use --root and --runroot");
}

/* Made where missing. It is ours alone, whatever the umask, and whoever made it (a file in it may be setuid root). */
static int open_private(const char *path, struct error **err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		r = make_dirs(path, 0700, err);
		if (r)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "open the store %s", path);
	if (st.st_uid != geteuid())
		return error_set(err, EPERM, "the store %s belongs to user %u, not to %u", path,
				 st.st_uid, geteuid());
	if ((st.st_mode & 077) && fchmod(fd, 0700) < 0)
		return error_errno(err, errno, "make %s private", path);
	return TAKE_FD(fd);
}

int store_directory(int dirfd, const char *name, struct error **err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
			return error_errno(err, errno, "make the store's directory %s", name);
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? error_errno(err, errno, "open the store's directory %s", name) : fd;
}

static int open_directories(struct store *s, struct error **err)
{
	_cleanup_fd_ int blobs = -1;
	const struct {
		int at;
		const char *name;
		int *fd;
	} directories[] = {
		{s->root_fd, "blobs", &blobs},
		{s->root_fd, "ingest", &s->ingest},
		{s->root_fd, "trash", &s->trash},
		{s->run_fd, "leases", &s->leases},
	};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		int fd = store_directory(directories[i].at, directories[i].name, err);

		if (fd < 0)
			return fd;
		*directories[i].fd = fd;
	}
	s->blobs = store_directory(blobs, "sha256", err);
	if (s->blobs < 0)
		return s->blobs;
	s->blobs_sha512 = store_directory(blobs, "sha512", err);
	return s->blobs_sha512 < 0 ? s->blobs_sha512 : 0;
}

static int apply_opts(struct store *s, const struct store_opts *opts, struct error **err)
{
	if (opts->storage_driver) {
		free(s->config.storage_driver);
		s->config.storage_driver = strdup(opts->storage_driver);
		if (!s->config.storage_driver)
			return error_errno(err, ENOMEM, "open the store");
	}
	for (size_t i = 0; opts->storage_opts && i < opts->storage_opts->count; i++)
		if (strv_add(&s->config.storage_opts, opts->storage_opts->items[i]))
			return error_errno(err, ENOMEM, "open the store");
	return 0;
}

static char *absolute(char *path)
{
	_cleanup_free_ char *here = NULL;
	char *out = NULL;

	if (!path || *path == '/')
		return path;
	here = getcwd(NULL, 0);
	if (!here || asprintf(&out, "%s/%s", here, path) < 0)
		out = NULL;
	free(path);
	return out;
}

int store_open(const struct store_opts *opts, struct store **out, struct error **err)
{
	_cleanup_store_ struct store *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return error_errno(err, ENOMEM, "open the store");
	s->root_fd = s->run_fd = s->blobs = s->blobs_sha512 = s->ingest = s->trash = s->leases = -1;
	pthread_mutex_init(&s->transaction, NULL);
	r = store_config_read(opts->config, &s->config, err);
	if (!r)
		r = apply_opts(s, opts, err);
	if (!r)
		r = default_directories(opts, &s->root, &s->runroot, err);
	if (r)
		return r;
	s->root = absolute(s->root);
	s->runroot = absolute(s->runroot);
	if (!s->root || !s->runroot)
		return error_errno(err, ENOMEM, "open the store");
	s->root_fd = open_private(s->root, err);
	if (s->root_fd < 0)
		return s->root_fd;
	s->run_fd = open_private(s->runroot, err);
	if (s->run_fd < 0)
		return s->run_fd;
	r = open_directories(s, err);
	if (!r)
		r = database_open(s, err);
	if (!r)
		*out = TAKE_PTR(s);
	return r;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	close_fd(&s->root_fd);
	close_fd(&s->run_fd);
	close_fd(&s->blobs);
	close_fd(&s->blobs_sha512);
	close_fd(&s->ingest);
	close_fd(&s->trash);
	close_fd(&s->leases);
	store_config_clear(&s->config);
	free(s->root);
	free(s->runroot);
	pthread_mutex_destroy(&s->transaction);
	free(s);
}

const char *store_root(const struct store *s)
{
	return s->root;
}

int store_root_fd(const struct store *s)
{
	return s->root_fd;
}

const char *store_runroot(const struct store *s)
{
	return s->runroot;
}

int store_runroot_fd(const struct store *s)
{
	return s->run_fd;
}

const struct store_config *store_config(const struct store *s)
{
	return &s->config;
}

sqlite3 *store_db(const struct store *s)
{
	return s->db;
}

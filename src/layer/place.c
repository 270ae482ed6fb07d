/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Placing entries. See place.h.
 *
 * Directories are made with a mode of ours; their own owner, mode, attributes and times come at the end, when nothing is created in them
 * any more: a setgid bit or a default ACL would be inherited, and every new entry changes the time. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernel/path.h"
#include "layer/place_internal.h"

static mode_t read_umask(void)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	const char *at;

	if (file_read_at(AT_FDCWD, "/proc/self/status", 65536, &text, &length, NULL))
		return 0777;
	at = strstr(text, "\nUmask:");
	return at ? (mode_t)strtoul(at + 7, NULL, 8) : 0777;
}

int placer_new(const struct placer_opts *opts, struct placer **out, struct error **err)
{
	struct placer *p = calloc(1, sizeof *p);
	int r;

	if (!p)
		return error_errno(err, ENOMEM, "unpack");
	p->opts = *opts;
	p->umask = read_umask();
	p->uid = geteuid();
	p->gid = getegid();
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->done, NULL);
	r = writers_start(p, err);
	if (r)
		placer_free(p);
	else
		*out = p;
	return r;
}

void placer_free(struct placer *p)
{
	if (!p)
		return;
	writers_stop(p);
	place_forget_parents(p);
	for (size_t i = 0; i < p->directory_count; i++) {
		free(p->directories[i].path);
		attributes_clear(&p->directories[i].attributes);
	}
	free(p->directories);
	strv_free(&p->placed);
	error_free(p->error);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->done);
	free(p);
}

/* --- Names --------------------------------------------------------------------------------------------------------------- */

int place_clean_name(const char *name, uint64_t depth_max, char **out, struct error **err)
{
	_cleanup_free_ char *clean = malloc(strlen(name) + 1);
	uint64_t depth = 0;
	size_t length = 0;

	if (!clean)
		return error_errno(err, ENOMEM, "unpack");
	while (*name) {
		size_t part = strcspn(name, "/");

		if (part == 2 && name[0] == '.' && name[1] == '.')
			return error_set(err, EINVAL, "the name has a \"..\"");
		if (part > NAME_MAX)
			return error_errno(err, ENAMETOOLONG, "a component of the name");
		if (part && !(part == 1 && *name == '.')) {
			if (length)
				clean[length++] = '/';
			memcpy(clean + length, name, part);
			length += part;
			depth++;
		}
		name += part + (name[part] == '/');
	}
	if (depth > depth_max)
		return error_set(err, ELOOP,
				 "the name has %ju components, more than the limit of %ju (depth)",
				 (uintmax_t)depth, (uintmax_t)depth_max);
	clean[length] = '\0';
	*out = TAKE_PTR(clean);
	return 0;
}

static void free_parent(struct parent *parent)
{
	close_fd(&parent->fd);
	free(parent->path);
	free(parent);
}

void parent_drop(struct placer *p, struct parent *parent)
{
	bool is_last;

	if (!parent)
		return;
	pthread_mutex_lock(&p->lock);
	is_last = --parent->users == 0;
	pthread_mutex_unlock(&p->lock);
	if (is_last)
		free_parent(parent);
}

void place_forget_parents(struct placer *p)
{
	for (size_t i = 0; i < PARENTS; i++) {
		parent_drop(p, p->parents[i]);
		p->parents[i] = NULL;
	}
	p->last = NULL;
}

static struct parent *find_parent(struct placer *p, const char *path, size_t length)
{
	struct parent *last = p->last;

	if (last && strncmp(last->path, path, length) == 0 && !last->path[length])
		return last;
	for (size_t i = 0; i < PARENTS; i++) {
		struct parent *parent = p->parents[i];

		if (parent && strncmp(parent->path, path, length) == 0 && !parent->path[length])
			return parent;
	}
	return NULL;
}

/* The first component of path that is no directory goes. */
static int remove_non_directory(struct placer *p, const char *path, struct error **err)
{
	_cleanup_free_ char *above = strdup(path);
	char *slash = above;

	if (!above)
		return error_errno(err, ENOMEM, "unpack");
	do {
		_cleanup_fd_ int fd = -1;

		slash = strchr(slash == above ? slash : slash + 1, '/');
		if (slash)
			*slash = '\0';
		fd = path_open_in_root(p->opts.root, above, O_PATH | O_DIRECTORY, PATH_ANY, NULL);
		if (fd == -ENOTDIR)
			return place_remove(p, above, err);
		if (slash)
			*slash = '/';
	} while (slash);
	return 0;
}

/* Opens the directory, making what is missing of it with 0755, as docker does. A file in the way goes: the archive says it is a directory. */
static int open_parent(struct placer *p, const char *path, struct error **err)
{
	int fd = *path ? path_open_in_root(p->opts.root, path, O_RDONLY | O_DIRECTORY, PATH_ANY,
					   NULL)
		       : openat(p->opts.root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int made = -1;
	int r;

	if (fd >= 0)
		return fd;
	r = writers_drain(p, err);
	if (r)
		return r;
	if (fd == -ENOTDIR) {
		r = remove_non_directory(p, path, err);
		if (r)
			return r;
	}
	made = path_mkdirs_in_root(p->opts.root, path, 0755, PATH_ANY, err);
	if (made < 0)
		return made;
	fd = openat(made, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open %s", path) : fd;
}

static int add_parent(struct placer *p, const char *path, size_t length, struct parent **out,
		      struct error **err)
{
	struct parent *parent = calloc(1, sizeof *parent);
	int r = 0;

	if (!parent)
		return error_errno(err, ENOMEM, "unpack");
	parent->path = strndup(path, length);
	parent->fd = -1;
	if (!parent->path)
		r = error_errno(err, ENOMEM, "unpack");
	if (!r) {
		parent->fd = open_parent(p, parent->path, err);
		r = parent->fd < 0 ? parent->fd : 0;
	}
	if (r) {
		free_parent(parent);
		return r;
	}
	parent->users = 1;
	parent_drop(p, p->parents[p->next_parent]);
	p->parents[p->next_parent] = parent;
	p->next_parent = (p->next_parent + 1) % PARENTS;
	*out = parent;
	return 0;
}

int place_parent(struct placer *p, const char *name, struct parent **out, const char **last,
		 struct error **err)
{
	const char *slash = strrchr(name, '/');
	size_t length = slash ? (size_t)(slash - name) : 0;
	struct parent *parent = find_parent(p, name, length);
	int r = 0;

	if (!parent)
		r = add_parent(p, name, length, &parent, err);
	if (r)
		return r;
	p->last = parent;
	pthread_mutex_lock(&p->lock);
	parent->users++;
	pthread_mutex_unlock(&p->lock);
	*last = slash ? slash + 1 : name;
	*out = parent;
	return 0;
}

/* --- What stands in the way -------------------------------------------------------------------------------------------- */

int place_clear_way(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	return remove_tree_at(dir, name, NULL);
}

/* What is not made by a writer must not overtake one of the same name. */
static int settle(struct placer *p, const char *name, struct error **err)
{
	return writers_have(p, place_hash(name)) ? writers_drain(p, err) : 0;
}

static int remember(struct placer *p, const char *name, struct error **err)
{
	if (p->opts.is_fresh || strv_add(&p->placed, name) == 0)
		return 0;
	return error_errno(err, ENOMEM, "unpack");
}

/* --- Directories --------------------------------------------------------------------------------------------------------- */

static int keep_attributes(struct placer *p, const char *name, struct attributes *a,
			   struct error **err)
{
	struct directory_entry *d;

	if (p->directory_count == p->directory_room) {
		size_t room = p->directory_room ? 2 * p->directory_room : 256;
		struct directory_entry *grown = reallocarray(p->directories, room, sizeof *grown);

		if (!grown)
			return error_errno(err, ENOMEM, "unpack");
		p->directories = grown;
		p->directory_room = room;
	}
	d = &p->directories[p->directory_count];
	d->path = strdup(name);
	if (!d->path)
		return error_errno(err, ENOMEM, "unpack");
	d->attributes = *a;
	a->xattrs = NULL;
	a->xattr_count = 0;
	p->directory_count++;
	return 0;
}

/* 1: a whiteout was there, of which only its effect stays: the caller makes the directory opaque. */
static int make_directory(struct placer *p, int dir, const char *name)
{
	struct stat st;
	bool was_whiteout;
	int r;

	if (mkdirat(dir, name, 0700) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return 0;
	was_whiteout = S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
	r = place_clear_way(dir, name);
	place_forget_parents(p);
	if (!r && mkdirat(dir, name, 0700) < 0)
		r = -errno;
	return r ? r : was_whiteout;
}

int place_directory(struct placer *p, const char *name, struct attributes *a, struct error **err)
{
	struct parent *parent = NULL;
	const char *last;
	int r = 0, made = 0;

	if (*name) {
		r = settle(p, name, err);
		if (!r)
			r = place_parent(p, name, &parent, &last, err);
		if (r)
			return r;
		made = make_directory(p, parent->fd, last);
		parent_drop(p, parent);
		if (made < 0)
			return error_errno(err, -made, "make the directory");
		r = remember(p, name, err);
	}
	if (!r)
		r = keep_attributes(p, name, a, err);
	return r ? r : made;
}

static int finish_directory(struct placer *p, const struct directory_entry *d, struct error **err)
{
	_cleanup_fd_ int fd = -1;
	const char *slash = strrchr(d->path, '/');
	_cleanup_free_ char *above =
		slash ? strndup(d->path, (size_t)(slash - d->path)) : strdup("");
	_cleanup_fd_ int parent = -1;
	int r;

	if (!above)
		return error_errno(err, ENOMEM, "unpack");
	if (!*d->path) {
		fd = openat(p->opts.root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		parent = *above ? path_open_in_root(p->opts.root, above, O_PATH | O_DIRECTORY,
						    PATH_ANY, NULL)
				: openat(p->opts.root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (parent >= 0)
			fd = openat(parent, slash ? slash + 1 : d->path,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	/* A later entry replaced it. */
	if (fd < 0)
		return 0;
	r = attributes_set_fd(p, fd, &d->attributes);
	return r ? error_errno(err, -r, "set the attributes of %s", d->path) : 0;
}

int place_finish(struct placer *p, struct error **err)
{
	int r = writers_drain(p, err);

	/* Forward: of two entries of one name the later wins. */
	for (size_t i = 0; i < p->directory_count && r == 0; i++)
		r = finish_directory(p, &p->directories[i], err);
	return r;
}

/* --- Links and nodes ------------------------------------------------------------------------------------------------------ */

struct making {
	const char *link_target; /* of a symbolic link */
	const struct attributes *attributes;
	dev_t device;
};

static int make_special(int dir, const char *name, const struct making *m)
{
	mode_t type = m->attributes->mode & S_IFMT;
	int r = m->link_target ? symlinkat(m->link_target, dir, name)
			       : mknodat(dir, name, type | 0600, m->device);

	return r < 0 ? -errno : 0;
}

static int place_special(struct placer *p, const char *name, const struct making *m,
			 struct error **err)
{
	struct parent *parent = NULL;
	const char *last;
	int r = settle(p, name, err);

	if (!r)
		r = place_parent(p, name, &parent, &last, err);
	if (r)
		return r;
	r = make_special(parent->fd, last, m);
	if (r == -EEXIST) {
		r = place_clear_way(parent->fd, last);
		if (!r)
			r = make_special(parent->fd, last, m);
		place_forget_parents(p);
	}
	if (!r)
		r = attributes_set_at(p, parent->fd, last, m->attributes);
	parent_drop(p, parent);
	if (r)
		return error_errno(err, -r, "make it");
	return remember(p, name, err);
}

int place_link(struct placer *p, const char *name, const char *target, const struct attributes *a,
	       struct error **err)
{
	const struct making m = {.link_target = target, .attributes = a};

	return place_special(p, name, &m, err);
}

int place_node(struct placer *p, const char *name, dev_t device, const struct attributes *a,
	       struct error **err)
{
	const struct making m = {.attributes = a, .device = device};

	return place_special(p, name, &m, err);
}

static int make_hard_link(struct placer *p, const char *target, int dir, const char *name,
			  struct error **err)
{
	struct parent *from = NULL;
	const char *last;
	int r = place_parent(p, target, &from, &last, err);

	if (r)
		return r;
	/* Flags 0: a symbolic link is linked itself. */
	r = linkat(from->fd, last, dir, name, 0) < 0 ? -errno : 0;
	if (r == -EEXIST) {
		struct stat a, b;

		if (fstatat(from->fd, last, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
		    fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino)
			r = 0;
		if (r)
			r = place_clear_way(dir, name);
		if (!r)
			r = linkat(from->fd, last, dir, name, 0) < 0 && errno != EEXIST ? -errno
											: 0;
	}
	parent_drop(p, from);
	return r ? error_errno(err, -r, "link it to %s", target) : 0;
}

int place_hard_link(struct placer *p, const char *name, const char *target, struct error **err)
{
	struct parent *parent = NULL;
	const char *last;
	int r = settle(p, name, err);

	if (!r)
		r = settle(p, target, err);
	if (!*target)
		return error_set(err, EINVAL, "a hard link to the root");
	if (!r)
		r = place_parent(p, name, &parent, &last, err);
	if (r)
		return r;
	r = make_hard_link(p, target, parent->fd, last, err);
	parent_drop(p, parent);
	return r ? r : remember(p, name, err);
}

/* --- Files ---------------------------------------------------------------------------------------------------------------- */

void job_clear(struct placer *p, struct job *job)
{
	/* With the lock held: the last user of a directory closes it. */
	if (job->parent && --job->parent->users == 0)
		free_parent(job->parent);
	attributes_clear(&job->attributes);
	free(job->name);
	free(job->data);
	*job = (struct job){0};
}

static int create(int dir, const char *name, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags, mode);
	int r;

	if (fd >= 0 || errno != EEXIST)
		return fd < 0 ? -errno : fd;
	r = place_clear_way(dir, name);
	if (r)
		return r;
	fd = openat(dir, name, flags, mode);
	return fd < 0 ? -errno : fd;
}

int place_job(const struct placer *p, const struct job *job)
{
	_cleanup_fd_ int fd = create(job->parent->fd, job->name, job->attributes.mode & 0777);

	if (fd < 0)
		return fd;
	if (job->size) {
		int r = fd_write_all(fd, job->data, job->size);

		if (r)
			return r;
	}
	return attributes_set_fd(p, fd, &job->attributes);
}

int place_file(struct placer *p, const char *name, struct attributes *a, void *data, size_t size,
	       struct error **err)
{
	struct job job = {.data = data, .size = size, .hash = place_hash(name), .attributes = *a};
	const char *last;
	int r;

	a->xattrs = NULL;
	a->xattr_count = 0;
	r = place_parent(p, name, &job.parent, &last, err);
	if (!r)
		r = remember(p, name, err);
	if (!r) {
		job.name = strdup(last);
		if (job.name)
			return writers_add(p, &job, err);
		r = error_errno(err, ENOMEM, "unpack");
	}
	pthread_mutex_lock(&p->lock);
	job_clear(p, &job);
	pthread_mutex_unlock(&p->lock);
	return r;
}

int place_file_begin(struct placer *p, const char *name, struct error **err)
{
	struct parent *parent = NULL;
	const char *last;
	int fd, r = settle(p, name, err);

	if (!r)
		r = place_parent(p, name, &parent, &last, err);
	if (r)
		return r;
	fd = create(parent->fd, last, 0600);
	parent_drop(p, parent);
	if (fd < 0)
		return error_errno(err, -fd, "make it");
	r = remember(p, name, err);
	if (r)
		close_fd(&fd);
	return r ? r : fd;
}

int place_file_end(struct placer *p, int fd, const char *name, const struct attributes *a,
		   struct error **err)
{
	int r = fchmod(fd, a->mode & 07777) < 0 ? -errno : attributes_set_fd(p, fd, a);

	close(fd);
	return r ? error_errno(err, -r, "set its attributes") : 0;
}

int place_type(struct placer *p, const char *name, mode_t *type, struct error **err)
{
	struct parent *parent = NULL;
	const char *last;
	struct stat st;
	int r = writers_drain(p, err);

	if (!r)
		r = place_parent(p, name, &parent, &last, err);
	if (r)
		return r;
	*type = fstatat(parent->fd, last, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mode & S_IFMT;
	parent_drop(p, parent);
	return 0;
}

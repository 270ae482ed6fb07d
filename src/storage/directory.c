/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layers as plain directories. See directory.h. */
#include <sys/stat.h>

#include "storage/directory.h"
#include "storage/places.h"

int directory_layer_begin(struct storage *s, struct storage_staging *staging, struct error **err)
{
	_cleanup_free_ char *place = NULL;

	if (asprintf(&place, "staging/%s", storage_hex(staging->id)) < 0)
		return error_errno(err, ENOMEM, "begin the layer %s", staging->id);
	if (mkdirat(s->root, place, 0755) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create %s", place);
	staging->root = openat(s->root, place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (staging->root < 0)
		return error_errno(err, errno, "open %s", place);
	/* Whatever the umask was: it is "/" where the archive says nothing of it. */
	return fchmod(staging->root, 0755) < 0 ? error_errno(err, errno, "chmod %s", place) : 0;
}

int directory_layer_commit(struct storage *s, struct storage_staging *staging, struct error **err)
{
	return storage_publish(s, staging, err);
}

void directory_layer_abort(struct storage *s, struct storage_staging *staging)
{
	_cleanup_free_ char *place = NULL;

	if (asprintf(&place, "staging/%s", storage_hex(staging->id)) >= 0)
		remove_tree_at(s->root, place, NULL);
}

static int discard(struct storage *s, const char *folder, const char *name, struct error **err)
{
	_cleanup_free_ char *place = NULL;
	int r = storage_discard(s, folder, name, &place, err);

	return r < 0 || !place ? r : remove_tree_at(s->root, place, err);
}

int directory_layer_remove(struct storage *s, const char *id, struct error **err)
{
	return discard(s, "layers", storage_hex(id), err);
}

int directory_container_remove(struct storage *s, const char *id, struct error **err)
{
	return discard(s, "containers", id, err);
}

int directory_open_layer(struct storage *s, const char *id, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "layers/%s", storage_hex(id)) < 0)
		return error_errno(err, ENOMEM, "layer %s", id);
	fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open the layer %s", id) : fd;
}

/* The merged "/" shows the owner and mode of the container's own directory. */
static int make_fs(int dir, int top, struct error **err)
{
	struct stat st = {.st_mode = 0755};
	_cleanup_fd_ int fs = -1;

	if (top >= 0 && fstat(top, &st) < 0)
		return error_errno(err, errno, "look at the top layer");
	if (mkdirat(dir, "staged", 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create a container's directory");
	fs = openat(dir, "staged", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fs < 0)
		return error_errno(err, errno, "open a container's directory");
	if ((top >= 0 && fchown(fs, st.st_uid, st.st_gid) < 0) ||
	    fchmod(fs, st.st_mode & 07777) < 0)
		return error_errno(err, errno, "set the owner and mode of a container's directory");
	if (renameat(dir, "staged", dir, "fs") < 0)
		return error_errno(err, errno, "create a container's directory");
	return 0;
}

int directory_container_create(struct storage *s, const struct storage_container_opts *opts,
			       struct error **err)
{
	_cleanup_fd_ int dir = -1, top = -1;
	int r;

	if (opts->size_limit)
		return error_set(err, ENOTSUP, "%s can't limit a container's size",
				 s->driver->name);
	if (opts->layer_count) {
		top = directory_open_layer(s, opts->layers[0], err);
		if (top < 0)
			return top;
	}
	dir = storage_make_container(s, opts->id, "fs", err);
	if (dir < 0)
		return dir;
	r = 0;
	if (mkdirat(dir, "work", 0700) < 0 && errno != EEXIST)
		r = error_errno(err, errno, "create a container's directory");
	if (r == 0)
		r = make_fs(dir, top, err);
	if (r < 0)
		directory_container_remove(s, opts->id, NULL);
	return r;
}

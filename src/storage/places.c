/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and places that drivers share. See places.h. */
#include <inttypes.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/mount.h"
#include "storage/places.h"

int storage_discard(struct storage *s, const char *folder, const char *name, char **trash,
		    struct error **err)
{
	_cleanup_free_ char *from = NULL, *to = NULL;
	uint64_t begin = trace_begin();
	int r;

	*trash = NULL;
	if (asprintf(&from, "%s/%s", folder, name) < 0 ||
	    asprintf(&to, "trash/%s.%d.%" PRIx64, name, getpid(), now_ns()) < 0)
		return error_errno(err, ENOMEM, "remove %s", name);
	r = renameat(s->root, from, s->root, to) < 0 ? -errno : 0;
	trace_step(TRACE_IMAGE, begin, "renameat", r, "%s, %s", from, to);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_errno(err, -r, "remove %s", from);
	*trash = TAKE_PTR(to);
	return 0;
}

int storage_publish(struct storage *s, const struct storage_staging *staging, struct error **err)
{
	_cleanup_free_ char *from = NULL, *to = NULL;
	uint64_t begin = trace_begin();
	int r;

	if (asprintf(&from, "staging/%s", storage_hex(staging->id)) < 0 ||
	    asprintf(&to, "layers/%s", storage_hex(staging->id)) < 0)
		return error_errno(err, ENOMEM, "commit the layer %s", staging->id);
	r = renameat2(s->root, from, s->root, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
	trace_step(TRACE_IMAGE, begin, "renameat2", r, "%s, %s", from, to);
	return r < 0 ? error_errno(err, -r, "commit the layer %s", staging->id) : 0;
}

int storage_make_container(struct storage *s, const char *id, const char *complete,
			   struct error **err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -1;

	if (asprintf(&path, "containers/%s", id) < 0)
		return error_errno(err, ENOMEM, "container %s", id);
	if (mkdirat(s->root, path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "create %s", path);
	fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "open %s", path);
	if (faccessat(fd, complete, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_errno(err, EEXIST, "container %s", id);
	return TAKE_FD(fd);
}

const char *storage_option(const struct storage *s, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = s->options.count; i > 0; i--) {
		const char *item = s->options.items[i - 1];

		if (strncmp(item, name, length) == 0 && item[length] == '=')
			return item + length + 1;
	}
	return NULL;
}

int storage_bind(int dir, bool is_read_only, struct error **err)
{
	const struct mount_change change = {.set = MOUNT_ATTR_RDONLY, .id_map = -1};
	_cleanup_fd_ int fd = mount_clone(dir, "", 0, err);
	int r;

	if (fd < 0)
		return fd;
	r = is_read_only ? mount_set(fd, &change, err) : 0;
	return r < 0 ? r : TAKE_FD(fd);
}

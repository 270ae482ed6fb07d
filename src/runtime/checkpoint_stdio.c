/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standard streams of a container that is saved and restored: they lead outside, so CRIU can neither save nor
 * make them.
 *
 * They are looked at when the container is created: later its descriptors 0 to 2 may be anything, as a shell's are
 * while it redirects a command. descriptors.json in the images' directory, as runc writes it, has a text for each
 * stream: what its link in /proc/PID/fd says, "pipe:[INODE]" for one; for a file "file[MOUNT:INODE]PATH", of which
 * CRIU names an external file by what is before PATH. On restore these are the keys of inherited descriptors. What was
 * a pipe is the stream of who restores; a file is that file again, since CRIU seeks in it and wants it to have the size
 * that it had. criu(8), --inherit-fd, --external. */
#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/checkpoint_stdio.h"

#define FILE_NAME        "descriptors.json"
#define SIZE_MAX_BYTES   65536
#define INHERITED_FD_MIN 10
#define MOUNT_ID_PREFIX  "\nmnt_id:\t"

/* The id of the mount that the descriptor is on, or a negative errno. */
static int64_t mount_id_of(int fd)
{
	_cleanup_free_ char *text = NULL;
	char path[48], *at;
	int r;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	r = file_read_at(AT_FDCWD, path, SIZE_MAX_BYTES, &text, NULL, NULL);
	if (r < 0)
		return r;
	at = strstr(text, MOUNT_ID_PREFIX);
	return at ? strtol(at + strlen(MOUNT_ID_PREFIX), NULL, 10) : -ENOENT;
}

/* The text for one stream, "" where it is closed; NULL without memory. */
static json_t *describe(int fd)
{
	char path[48], link[PATH_MAX];
	struct stat st;
	int64_t mount;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof link - 1);
	link[n > 0 ? n : 0] = '\0';
	if (link[0] == '/' && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		mount = mount_id_of(fd);
		if (mount >= 0)
			return json_sprintf("file[%llx:%llx]%s", (unsigned long long)mount,
					    (unsigned long long)st.st_ino, link);
	}
	return json_string(link);
}

json_t *stdio_describe(const int fds[STDIO_COUNT])
{
	json_t *array = json_array();

	/* A path that is no UTF-8 can't be told; CRIU will say that it does not know the file. */
	for (int i = 0; array && i < STDIO_COUNT; i++) {
		json_t *text = describe(fds[i] >= 0 ? fds[i] : i);

		json_array_append_new(array, text ? text : json_string(""));
	}
	return array;
}

/* What CRIU calls it by. */
static int add_key(struct strv *argv, const char *option, const char *before, const char *name)
{
	int r = strv_add(argv, option);

	return r ? r : strv_addf(argv, "%s%.*s", before, (int)(strcspn(name, "]") + 1), name);
}

int stdio_save(const json_t *streams, const char *images, struct strv *argv, struct error **err)
{
	_cleanup_fd_ int dir = open(images, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *text = streams ? json_dumps(streams, JSON_COMPACT) : strdup("[]");
	int r = 0;

	if (dir < 0)
		return error_errno(err, errno, "open %s", images);
	for (size_t i = 0; r == 0 && streams && i < json_array_size(streams); i++) {
		const char *name = json_string_value(json_array_get(streams, i));

		if (name && str_starts(name, "file["))
			r = add_key(argv, "external", "", name);
	}
	if (r < 0 || !text)
		return error_errno(err, ENOMEM, "write " FILE_NAME);
	return file_replace_at(dir, FILE_NAME, text, strlen(text), 0600, false, err);
}

/* A descriptor to take the place of a stream, not close-on-exec, or a negative errno. */
static int open_stream(int stream, const char *name, struct error **err)
{
	const char *path = name + strcspn(name, "]") + 1;
	_cleanup_fd_ int file = -1;
	int fd;

	if (str_starts(name, "file[")) {
		file = open(path, (stream == 0 ? O_RDONLY : O_WRONLY | O_APPEND) | O_CLOEXEC);
		if (file < 0)
			return error_errno(err, errno, "open %s, which was stream %d", path,
					   stream);
	}
	fd = fcntl(file >= 0 ? file : stream, F_DUPFD, INHERITED_FD_MIN);
	return fd >= 0 ? fd : error_errno(err, errno, "hand on stream %d", stream);
}

static int inherit(int stream, const char *name, struct strv *argv, int *fd, struct error **err)
{
	char before[16];

	/* Everything else CRIU makes by itself. */
	if ((!str_starts(name, "pipe:[") && !str_starts(name, "file[")) || !strchr(name, ']'))
		return 0;
	*fd = open_stream(stream, name, err);
	if (*fd < 0)
		return *fd;
	snprintf(before, sizeof before, "%d:", *fd);
	return add_key(argv, "inherit-fd", before, name) < 0
		       ? error_errno(err, ENOMEM, "hand on stream %d", stream)
		       : 0;
}

int stdio_inherit(const char *images, struct strv *argv, int fds[STDIO_COUNT], struct error **err)
{
	_cleanup_fd_ int dir = open(images, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_json_ json_t *array = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_at at = {0};
	size_t length;
	int r;

	if (dir < 0)
		return error_errno(err, errno, "open %s", images);
	r = file_read_at(dir, FILE_NAME, SIZE_MAX_BYTES, &text, &length, err);
	/* Images of others may have none. */
	if (r == -ENOENT) {
		if (err)
			error_freep(err);
		return 0;
	}
	if (r == 0)
		r = json_parse(text, length, FILE_NAME, &array, err);
	if (r < 0)
		return r;
	at = (struct json_at){.key = FILE_NAME, .value = array};
	if (json_get_array(&at, err) < 0)
		return -EINVAL;
	for (int i = 0; r == 0 && i < STDIO_COUNT && (size_t)i < json_array_size(array); i++) {
		const struct json_at element = json_element(&at, (size_t)i);
		const char *name = "";

		r = json_get_string(&element, &name, err);
		if (r == 0)
			r = inherit(i, name, argv, &fds[i], err);
	}
	return r;
}

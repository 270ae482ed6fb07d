/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the thin pool as file systems.
 *
 * A device is active only while it is mounted: it is made, mounted, and at once marked to be removed when nobody has it open any more, which
 * is after the last unmount. All of them descend from the base device, which mkfs made once.
 *
 * The file system's root is the layer's "/", so that a mount needs no directory in it; mkfs's lost+found is removed. Blocks new in
 * the pool aren't zeroed, which is no leak since a file system shows no block that it did not write. */
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "kernel/mount.h"
#include "kernel/subprocess.h"
#include "storage/devicemapper.h"

#define RETRIES           200 /* of 10 ms: udev and the last unmount may have it open for a moment */
#define RESIZE_EXT4       _IOW('f', 16, uint64_t) /* EXT4_IOC_RESIZE_FS */
#define MOUNT_OPTIONS_MAX 32

/* What is particular to a file system. */
struct dm_fs {
	const char *name, *package;
	const char *const programs[3], *const mkfs[8];
	const char *mount_options;
};
static const struct dm_fs file_systems[] = {
	/* Inode tables are made when first used, and not by a thread of the kernel in every snapshot. */
	{.name = "ext4",
	 .package = "e2fsprogs",
	 .programs = {"/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4"},
	 .mkfs = {"-q", "-F", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=0"},
	 .mount_options = "noinit_itable,discard"},
	/* Snapshots all have one UUID. */
	{.name = "xfs",
	 .package = "xfsprogs",
	 .programs = {"/sbin/mkfs.xfs", "/usr/sbin/mkfs.xfs"},
	 .mkfs = {"-q", "-f", "-K"},
	 .mount_options = "nouuid,discard"},
};

static const struct dm_fs *find_fs(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++)
		if (str_equal(file_systems[i].name, name))
			return &file_systems[i];
	return NULL;
}

int dm_check_fs(const char *name, struct error **err)
{
	const struct dm_fs *fs = find_fs(name);

	if (!fs)
		return error_set(err, EINVAL, "dm.fs: %s is neither ext4 nor xfs", name);
	for (size_t i = 0; fs->programs[i]; i++)
		if (access(fs->programs[i], X_OK) == 0)
			return 0;
	return error_set(err, ENOENT, "the program mkfs.%s is missing (Debian package %s)", name,
			 fs->package);
}

char *dm_thin_name(const struct dm_pool *pool, uint32_t id)
{
	char *name;

	return asprintf(&name, "%s-%" PRIu32, pool->prefix, id) < 0 ? NULL : name;
}

/* --- Active devices --- */

/* Starts the device, or uses it where it is active. */
static int activate(struct storage *s, const char *name, const struct dm_thin *thin,
		    char node[DM_NODE_SIZE], struct error **err)
{
	struct dm_pool *pool = s->data;
	char parameters[64];
	const struct dm_target target = {
		.type = "thin", .parameters = parameters, .sectors = thin->sectors};
	struct dm_state state;
	dev_t device;
	int r = dm_state(pool->control, name, &state, NULL);

	if (r == 0) {
		/* Whoever took a snapshot of it was cut off. */
		if (state.is_suspended)
			r = dm_suspend(pool->control, name, false, err);
		return r < 0 ? r : dm_node(state.device, node, err);
	}
	snprintf(parameters, sizeof parameters, "%u:%u %" PRIu32, major(pool->device),
		 minor(pool->device), thin->id);
	r = dm_create(pool->control, name, &target, &device, err);
	return r < 0 ? r : dm_node(device, node, err);
}

/* Until its last user lets go. */
static int deactivate(struct dm_pool *pool, const char *name, struct error **err)
{
	int r;

	for (int i = 0; i < RETRIES; i++) {
		r = dm_remove(pool->control, name, false, NULL);
		if (r == 0 || r == -ENXIO)
			return 0;
		if (r != -EBUSY)
			return error_errno(err, -r, "remove the device %s", name);
		poll(NULL, 0, 10);
	}
	return error_set(err, EBUSY, "the device %s is in use", name);
}

/* Splits the comma-separated text in place. */
static size_t split_options(char *text, struct mount_parameter *parameters, size_t count)
{
	char *rest = text, *word;

	while (count < MOUNT_OPTIONS_MAX && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (!*word)
			continue;
		if (value)
			*value++ = '\0';
		parameters[count++] = (struct mount_parameter){word, value};
	}
	return count;
}

static int mount_node(const struct dm_pool *pool, const char *node, const struct dm_mount *mount,
		      struct error **err)
{
	const struct dm_fs *fs = find_fs(pool->options.fs);
	struct mount_parameter parameters[MOUNT_OPTIONS_MAX + 2];
	_cleanup_free_ char *own = strdup(fs->mount_options);
	_cleanup_free_ char *given =
		strdup(pool->options.mount_options ? pool->options.mount_options : "");
	size_t count = 0;

	if (!own || !given)
		return error_errno(err, ENOMEM, "mount %s", node);
	count = split_options(own, parameters, count);
	count = split_options(given, parameters, count);
	if (mount->is_read_only)
		parameters[count++] = (struct mount_parameter){"ro", NULL};
	if (mount->label)
		parameters[count++] = (struct mount_parameter){"context", mount->label};
	return mount_detached(
		&(struct mount_fs){.type = fs->name,
				   .source = node,
				   .parameters = parameters,
				   .parameter_count = count,
				   .attributes = mount->is_read_only ? MOUNT_ATTR_RDONLY : 0},
		err);
}

int dm_thin_mount(struct storage *s, const struct dm_mount *mount, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_free_ char *name = dm_thin_name(pool, mount->thin->id);
	_cleanup_error_ struct error *last = NULL;
	_cleanup_fd_ int fd = -1;
	char node[DM_NODE_SIZE];
	int r;

	if (!name)
		return error_errno(err, ENOMEM, "mount a device");
	/* One that is just being removed is there for the first call, and not for the second. */
	for (int i = 0; i < RETRIES; i++) {
		r = activate(s, name, mount->thin, node, &last);
		fd = r < 0 ? r : mount_node(pool, node, mount, &last);
		if (fd != -ENXIO && fd != -ENOENT && fd != -ENODEV)
			break;
		poll(NULL, 0, 10);
	}
	r = dm_remove(pool->control, name, true, fd < 0 ? NULL : err);
	if (fd < 0)
		return error_set(err, -fd, "%s", error_text(last));
	return r < 0 ? r : TAKE_FD(fd);
}

static int discard_all(const char *node, const struct dm_thin *thin)
{
	_cleanup_fd_ int fd = open(node, O_RDWR | O_CLOEXEC);
	uint64_t range[2] = {0, thin->sectors * SECTOR_SIZE};

	return fd < 0 || ioctl(fd, BLKDISCARD, range) < 0 ? -errno : 0;
}

int dm_thin_end(struct storage *s, const struct dm_thin *thin, bool discard, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_free_ char *name = dm_thin_name(pool, thin->id);
	char node[DM_NODE_SIZE];
	int r;

	if (!name)
		return error_errno(err, ENOMEM, "end a device");
	r = deactivate(pool, name, err);
	if (r < 0 || !discard)
		return r;
	/* What can't be given back is only room in a sparse file. */
	r = activate(s, name, thin, node, NULL);
	if (r == 0)
		discard_all(node, thin);
	return deactivate(pool, name, err);
}

/* --- The base device --- */

static int run_mkfs(const struct dm_pool *pool, const char *node, struct error **err)
{
	const struct dm_fs *fs = find_fs(pool->options.fs);
	_cleanup_strv_ struct strv argv = {0};
	const char *program = NULL;
	int r = dm_check_fs(pool->options.fs, err);

	if (r < 0)
		return r;
	for (size_t i = 0; fs->programs[i] && !program; i++)
		if (access(fs->programs[i], X_OK) == 0)
			program = fs->programs[i];
	r = strv_add(&argv, program);
	for (size_t i = 0; fs->mkfs[i] && r == 0; i++)
		r = strv_add(&argv, fs->mkfs[i]);
	if (r == 0 && pool->options.mkfs_arguments)
		r = strv_split(&argv, pool->options.mkfs_arguments, " ");
	if (r == 0)
		r = strv_add(&argv, node);
	if (r < 0)
		return error_errno(err, -r, "run %s", program);
	return subprocess_run(program, &argv, NULL, err);
}

/* An empty "/" of which only mkfs's own directory is taken away. */
static int prepare_root(int mount, struct error **err)
{
	_cleanup_fd_ int root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return error_errno(err, errno, "open the base device's file system");
	if (unlinkat(root, "lost+found", AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_errno(err, errno, "remove the base device's lost+found");
	if (fchmod(root, 0755) < 0 || syncfs(root) < 0)
		return error_errno(err, errno, "prepare the base device");
	return 0;
}

static int fill_base(struct storage *s, const struct dm_thin *thin, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_free_ char *name = dm_thin_name(pool, thin->id);
	_cleanup_fd_ int mount = -1;
	char node[DM_NODE_SIZE];
	int r = name ? activate(s, name, thin, node, err) : error_errno(err, ENOMEM, "base device");

	if (r == 0)
		r = run_mkfs(pool, node, err);
	if (r == 0) {
		mount = dm_thin_mount(s, &(struct dm_mount){.thin = thin}, err);
		r = mount < 0 ? mount : prepare_root(mount, err);
	}
	close_fd(&mount);
	if (name && r < 0)
		deactivate(pool, name, NULL);
	return r < 0 ? r : dm_thin_end(s, thin, false, err);
}

/* What was made with other options stays as it is; only a new store takes them. */
static int check_base(const struct dm_pool *pool, const struct dm_records *records,
		      struct error **err)
{
	if (!str_equal(records->fs, pool->options.fs))
		return error_set(err, EINVAL, "dm.fs=%s: this store was made with %s",
				 pool->options.fs, records->fs);
	return 0;
}

int dm_base(struct storage *s, struct dm_thin *base, struct error **err)
{
	struct dm_pool *pool = s->data;
	_cleanup_records_ struct dm_records records = {0};
	int r = dm_records_read(s, &records, err);

	if (r < 0)
		return r;
	if (records.base) {
		*base = (struct dm_thin){records.base, records.base_sectors};
		return check_base(pool, &records, err);
	}
	*base = (struct dm_thin){.sectors = pool->options.base_size / SECTOR_SIZE};
	r = dm_pool_add(s, NULL, "", base, err);
	if (r < 0)
		return r;
	r = fill_base(s, base, err);
	if (r < 0) {
		dm_pool_delete(s, base->id, NULL);
		return error_prefix(err, "make the base device");
	}
	dm_records_free(&records);
	r = dm_records_read(s, &records, err);
	if (r < 0)
		return r;
	records.base = base->id;
	records.base_sectors = base->sectors;
	records.fs = strdup(pool->options.fs);
	return records.fs ? dm_records_write(s, &records, err)
			  : error_errno(err, ENOMEM, "make the base device");
}

int dm_grow(int dir, uint64_t bytes, struct error **err)
{
	struct statfs fs;
	uint64_t blocks;

	if (fstatfs(dir, &fs) < 0)
		return error_errno(err, errno, "look at a file system");
	if (fs.f_type != EXT4_SUPER_MAGIC)
		return error_set(err, ENOTSUP, "only ext4 takes a size larger than dm.basesize");
	blocks = bytes / (uint64_t)fs.f_bsize;
	if (ioctl(dir, RESIZE_EXT4, &blocks) < 0)
		return error_errno(err, errno, "grow a file system to %" PRIu64 " bytes", bytes);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One entry of a layer: what it is, and handing it to the placer. */
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "layer/unpack_internal.h"

/* Up to this size a file goes to the writers with a copy of its content. */
#define SMALL_FILE (512u << 10)
#define XATTRS_MAX 64
/* A path that is longer can't be opened by anybody. */
#define LINK_MAX_BYTES 4095

/* --- Attributes ------------------------------------------------------------------------------------------------------------ */

/* user.*, trusted.* and security.* (capabilities) are the image's; ACLs too. The overlay's own attributes are never: they would make the kernel look
 * for files elsewhere. A label is the host's policy. */
static bool may_set(const char *name)
{
	static const char *const kept[] = {"user.", "security.", "trusted.", "system.posix_acl_"};

	if (str_starts(name, "user.overlay.") || str_starts(name, "trusted.overlay.") ||
	    str_starts(name, "user.fuseoverlayfs.") ||
	    str_starts(name, "user.containers.override_stat") ||
	    strcmp(name, "security.selinux") == 0 || strcmp(name, "security.ima") == 0 ||
	    strcmp(name, "security.evm") == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (str_starts(name, kept[i]))
			return true;
	return false;
}

static int add_attribute(struct attributes *a, const char *name, const void *value, size_t size)
{
	struct attribute *grown, *x;

	for (size_t i = 0; i < a->xattr_count; i++)
		if (strcmp(a->xattrs[i].name, name) == 0)
			return 0;
	if (a->xattr_count == XATTRS_MAX)
		return -E2BIG;
	grown = reallocarray(a->xattrs, a->xattr_count + 1, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	a->xattrs = grown;
	x = &grown[a->xattr_count];
	*x = (struct attribute){
		.name = strdup(name), .value = malloc(size ? size : 1), .size = size};
	a->xattr_count++;
	if (!x->name || !x->value)
		return -ENOMEM;
	memcpy(x->value, value, size);
	return 0;
}

static const struct {
	int archive, posix;
} acl_tags[] = {
	{ARCHIVE_ENTRY_ACL_USER_OBJ, ACL_USER_OBJ},   {ARCHIVE_ENTRY_ACL_USER, ACL_USER},
	{ARCHIVE_ENTRY_ACL_GROUP_OBJ, ACL_GROUP_OBJ}, {ARCHIVE_ENTRY_ACL_GROUP, ACL_GROUP},
	{ARCHIVE_ENTRY_ACL_MASK, ACL_MASK},           {ARCHIVE_ENTRY_ACL_OTHER, ACL_OTHER},
};

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[256];
};

static int compare_acl(const void *a, const void *b)
{
	const struct posix_acl_xattr_entry *x = a, *y = b;

	if (x->e_tag != y->e_tag)
		return le16toh(x->e_tag) - le16toh(y->e_tag);
	return le32toh(x->e_id) < le32toh(y->e_id) ? -1 : x->e_id != y->e_id;
}

/* The kernel's form of an ACL: acl(5), linux/posix_acl_xattr.h. */
static int add_acl(struct archive_entry *entry, int type, const char *name, struct attributes *a)
{
	struct acl acl = {.header.a_version = htole32(POSIX_ACL_XATTR_VERSION)};
	int permissions, tag, id, kind;
	const char *who;
	size_t count = 0;

	if (archive_entry_acl_reset(entry, type) == 0)
		return 0;
	while (archive_entry_acl_next(entry, type, &kind, &permissions, &tag, &id, &who) ==
	       ARCHIVE_OK) {
		struct posix_acl_xattr_entry *e = &acl.entries[count];
		size_t i = 0;

		if (kind != type)
			continue;
		while (i < ARRAY_SIZE(acl_tags) && acl_tags[i].archive != tag)
			i++;
		if (i == ARRAY_SIZE(acl_tags) || count == ARRAY_SIZE(acl.entries))
			return -EINVAL;
		e->e_tag = htole16((uint16_t)acl_tags[i].posix);
		e->e_perm = htole16((uint16_t)(permissions & 7));
		e->e_id = htole32(tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP
					  ? (uint32_t)id
					  : (uint32_t)ACL_UNDEFINED_ID);
		count++;
	}
	if (count == 0 || (count <= 3 && type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS))
		return 0; /* what the mode says already */
	qsort(acl.entries, count, sizeof acl.entries[0], compare_acl);
	return add_attribute(a, name, &acl, sizeof acl.header + count * sizeof acl.entries[0]);
}

static int add_attributes(struct archive_entry *entry, struct attributes *a)
{
	const char *name;
	const void *value;
	size_t size;
	int r = 0;

	if (archive_entry_xattr_reset(entry) > 0)
		while (r == 0 &&
		       archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
			if (name && may_set(name))
				r = size > 65536 ? -E2BIG : add_attribute(a, name, value, size);
	if (!r && (archive_entry_acl_types(entry) & ARCHIVE_ENTRY_ACL_TYPE_POSIX1E)) {
		r = add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", a);
		if (!r)
			r = add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT,
				    "system.posix_acl_default", a);
	}
	return r;
}

int entry_attributes(struct archive_entry *entry, struct attributes *out, struct error **err)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	int r;

	*out = (struct attributes){
		.mode = archive_entry_mode(entry),
		.uid = (uid_t)uid,
		.gid = (gid_t)gid,
		.mtime = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)},
	};
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return error_set(err, EINVAL, "its owner %jd:%jd is out of range", (intmax_t)uid,
				 (intmax_t)gid);
	out->atime = out->mtime;
	if (archive_entry_atime_is_set(entry))
		out->atime = (struct timespec){archive_entry_atime(entry),
					       archive_entry_atime_nsec(entry)};
	r = add_attributes(entry, out);
	if (!r)
		return 0;
	attributes_clear(out);
	return error_errno(err, -r, "read its attributes");
}

/* --- Content --------------------------------------------------------------------------------------------------------------- */

static int read_block(struct unpacking *u, const void **block, size_t *size, int64_t *offset,
		      struct error **err)
{
	int r = archive_read_data_block(u->archive, block, size, offset);

	if (r == ARCHIVE_EOF)
		return 0;
	return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 1 : unpacking_fail(u, err);
}

static int read_small(struct unpacking *u, void *data, size_t length, struct error **err)
{
	const void *block;
	int64_t offset;
	size_t size;
	int r;

	while ((r = read_block(u, &block, &size, &offset, err)) == 1) {
		if (offset < 0 || (uint64_t)offset + size > length)
			return error_set(err, EINVAL, "more data than its size says");
		memcpy((char *)data + offset, block, size);
	}
	return r;
}

static int write_blocks(struct unpacking *u, int fd, int64_t length, struct error **err)
{
	const void *block;
	int64_t offset;
	size_t size;
	int r;

	if (ftruncate(fd, length) < 0)
		return error_errno(err, errno, "write it");
	while ((r = read_block(u, &block, &size, &offset, err)) == 1) {
		const char *at = block;

		if (offset < 0 || size > (uint64_t)length || offset > length - (int64_t)size)
			return error_set(err, EINVAL, "more data than its size says");
		while (size) {
			ssize_t n = pwrite(fd, at, size, offset);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return error_errno(err, errno, "write it");
			at += n;
			offset += n;
			size -= (size_t)n;
		}
	}
	return r;
}

static int place_large(struct unpacking *u, struct archive_entry *entry, const char *name,
		       const struct attributes *a, struct error **err)
{
	int fd = place_file_begin(u->placer, name, err);
	int r;

	if (fd < 0)
		return fd;
	r = write_blocks(u, fd, archive_entry_size(entry), err);
	if (r) {
		close(fd);
		return r;
	}
	return place_file_end(u->placer, fd, name, a, err);
}

static int place_regular(struct unpacking *u, struct archive_entry *entry, const char *name,
			 struct attributes *a, struct error **err)
{
	size_t size = (size_t)archive_entry_size(entry);
	void *data = NULL;
	int r = 0;

	u->result.size += size;
	if (size > SMALL_FILE || archive_entry_sparse_count(entry) > 0)
		return place_large(u, entry, name, a, err);
	if (size) {
		data = calloc(1, size);
		if (!data)
			return error_errno(err, ENOMEM, "unpack");
		r = read_small(u, data, size, err);
	}
	if (r) {
		free(data);
		return r;
	}
	return place_file(u->placer, name, a, data, size, err);
}

/* --- Kinds ------------------------------------------------------------------------------------------------------------------- */

static int place_symlink(struct unpacking *u, struct archive_entry *entry, const char *name,
			 const struct attributes *a, struct error **err)
{
	const char *target = archive_entry_symlink(entry);

	if (!target || !*target || strlen(target) > LINK_MAX_BYTES)
		return error_set(err, EINVAL, "a symbolic link without a proper target");
	return place_link(u->placer, name, target, a, err);
}

static int place_hard(struct unpacking *u, struct archive_entry *entry, const char *name,
		      struct error **err)
{
	_cleanup_free_ char *target = NULL;
	int r = place_clean_name(archive_entry_hardlink(entry), u->opts->limits->depth, &target,
				 err);

	return r ? error_prefix(err, "its link's target")
		 : place_hard_link(u->placer, name, target, err);
}

static int place_dir(struct unpacking *u, const char *name, struct attributes *a,
		     struct error **err)
{
	int r = place_directory(u->placer, name, a, err);

	return r == 1 ? unpack_opaque(u, name, err) : r;
}

static int place_kind(struct unpacking *u, struct archive_entry *entry, const char *name,
		      struct attributes *a, struct error **err)
{
	switch (a->mode & S_IFMT) {
	case S_IFDIR:
		return place_dir(u, name, a, err);
	case S_IFREG:
		return place_regular(u, entry, name, a, err);
	case S_IFLNK:
		return place_symlink(u, entry, name, a, err);
	case S_IFCHR:
		/* In an overlay's directory a device 0:0 is a whiteout: one can't be had otherwise. */
		if (archive_entry_rdev(entry) == makedev(0, 0) &&
		    u->opts->whiteouts == WHITEOUTS_OVERLAY)
			return error_set(err, EINVAL,
					 "a character device 0:0, which overlays take for a "
					 "deletion");
		return place_node(u->placer, name, archive_entry_rdev(entry), a, err);
	case S_IFBLK:
		return place_node(u->placer, name, archive_entry_rdev(entry), a, err);
	case S_IFIFO:
		return place_node(u->placer, name, 0, a, err);
	default:
		return error_set(err, EINVAL, "it is of no kind that a layer may have");
	}
}

static int place_entry(struct unpacking *u, struct archive_entry *entry, const char *name,
		       struct error **err)
{
	struct attributes a;
	int r = 0;

	if (!u->opts->is_plain)
		r = unpack_whiteout(u, name, err);
	if (r)
		return r < 0 ? r : 0;
	if (archive_entry_hardlink(entry) && !*name)
		return error_set(err, EINVAL, "the root can't be a link");
	if (archive_entry_hardlink(entry))
		return place_hard(u, entry, name, err);
	r = entry_attributes(entry, &a, err);
	if (r)
		return r;
	if (!*name && !S_ISDIR(a.mode))
		r = error_set(err, EINVAL, "the root can be nothing but a directory");
	else
		r = place_kind(u, entry, name, &a, err);
	attributes_clear(&a);
	return r;
}

int unpack_entry(struct unpacking *u, struct archive_entry *entry, struct error **err)
{
	const char *name = archive_entry_pathname(entry);
	_cleanup_free_ char *clean = NULL;
	int r;

	if (!name || !*name)
		return error_set(err, EINVAL, "an entry without a name");
	r = place_clean_name(name, u->opts->limits->depth, &clean, err);
	if (!r)
		r = place_entry(u, entry, clean, err);
	return r ? error_prefix(err, "%.300s", name) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an upper directory says beside files: deletions, opaque directories, files whose content is elsewhere.
 *
 * overlay (kernel: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories", "Metadata only copy up", "Redirecting
 * directories"): a deletion is a character device 0:0, or an empty file with the attribute overlay.whiteout; an opaque directory has
 * overlay.opaque=y. The attributes begin with "trusted.", or with "user." where the mount was made with userxattr; only those of the mount's own kind count,
 * since a process in the container may set the other kind on its files. fuse-overlayfs (its manual) has its own attribute, and
 * where it can make neither devices nor attributes, the names of aufs: .wh.NAME and .wh..wh..opq, which no file there can have. */
#include <string.h>
#include <sys/stat.h>

#include "layer/diff_internal.h"

#define MARK        ".wh."
#define MARK_OPAQUE ".wh..wh..opq"
#define MARK_OWN    ".wh..wh."

enum own_attribute { OWN_OPAQUE, OWN_WHITEOUT, OWN_METACOPY, OWN_REDIRECT };
static const char *const trusted_names[] = {"trusted.overlay.opaque", "trusted.overlay.whiteout",
					    "trusted.overlay.metacopy", "trusted.overlay.redirect"};
static const char *const user_names[] = {"user.overlay.opaque", "user.overlay.whiteout",
					 "user.overlay.metacopy", "user.overlay.redirect"};

/* Whether fd has it; one that overlay made itself. Returns 1, 0 or a negative errno. */
static int has_own(enum storage_whiteouts whiteouts, int fd, enum own_attribute which)
{
	const char *const *names = whiteouts == WHITEOUTS_OVERLAY_USER ? user_names : trusted_names;
	char value[1];
	ssize_t n;

	if (whiteouts != WHITEOUTS_OVERLAY && whiteouts != WHITEOUTS_OVERLAY_USER)
		return 0;
	n = xattr_get(fd, names[which], value, sizeof value);
	/* An opaque directory has "y"; "x" is one in which the other kind of whiteout may be. */
	if (which == OWN_OPAQUE)
		return n == 1                                   ? value[0] == 'y'
		       : n < 0 && n != -ENODATA && n != -ERANGE ? (int)n
								: 0;
	return n >= 0 || n == -ERANGE ? 1 : n == -ENODATA ? 0 : (int)n;
}

int upper_sense(enum storage_whiteouts whiteouts, int fd, const struct stat *st, const char **name,
		enum upper_sense *out, struct error **err)
{
	int r = 0;

	*out = UPPER_FILE;
	if (str_starts(*name, MARK_OWN)) {
		if (strcmp(*name, MARK_OPAQUE) == 0)
			*out = UPPER_OPAQUE;
		else if (whiteouts == WHITEOUTS_AUFS)
			*out = UPPER_NOTHING;
		return 0;
	}
	if (str_starts(*name, MARK) && (*name)[strlen(MARK)] && S_ISREG(st->st_mode) &&
	    st->st_size == 0) {
		*name += strlen(MARK);
		*out = UPPER_WHITEOUT;
		return 0;
	}
	if (whiteouts == WHITEOUTS_AUFS)
		return 0;
	if (S_ISCHR(st->st_mode) && st->st_rdev == 0)
		r = 1;
	else if (S_ISREG(st->st_mode) && st->st_size == 0)
		r = has_own(whiteouts, fd, OWN_WHITEOUT);
	if (r < 0)
		return error_errno(err, -r, "look for overlay's whiteouts");
	if (r > 0)
		*out = UPPER_WHITEOUT;
	return 0;
}

int upper_is_opaque(enum storage_whiteouts whiteouts, int dir, bool *out, struct error **err)
{
	struct stat st;
	char value[1];
	int r = has_own(whiteouts, dir, OWN_OPAQUE);

	if (r < 0)
		return error_errno(err, -r, "look for overlay's opaque directories");
	*out = r > 0 || fstatat(dir, MARK_OPAQUE, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	       (whiteouts == WHITEOUTS_OVERLAY_USER &&
		xattr_get(dir, "user.fuseoverlayfs.opaque", value, sizeof value) == 1 &&
		value[0] == 'y');
	return 0;
}

int upper_content(enum storage_whiteouts whiteouts, int fd, int lower, int *data,
		  struct error **err)
{
	int is_moved = has_own(whiteouts, fd, OWN_REDIRECT);
	int is_without = has_own(whiteouts, fd, OWN_METACOPY);
	struct stat st;

	if (is_moved < 0 || is_without < 0)
		return error_errno(err, is_moved < 0 ? -is_moved : -is_without,
				   "look for overlay's redirects");
	*data = fd;
	if (!is_moved && !is_without)
		return 0;
	if (is_moved)
		return error_set(
			err, EOPNOTSUPP,
			"overlay keeps it as renamed (redirect_dir), and its content is in a layer below under another name");
	if (lower < 0 || fstat(lower, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(
			err, EOPNOTSUPP,
			"overlay keeps only its metadata (metacopy), and below it there is no such file");
	*data = lower;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whiteouts: ".wh.NAME" deletes NAME of the layers below, ".wh..wh..opq" all that its directory had there. OCI image spec, layer.md, "Whiteouts".
 * How each storage driver keeps them is enum storage_whiteouts. */
#include <sys/sysmacros.h>

#include "layer/unpack_internal.h"

#define PREFIX ".wh."
#define OPAQUE ".wh..wh..opq"

static char *above_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? strndup(name, (size_t)(slash - name)) : strdup("");
}

int unpack_opaque(struct unpacking *u, const char *directory, struct error **err)
{
	switch (u->opts->whiteouts) {
	case WHITEOUTS_APPLY:
		return place_opaque(u->placer, directory, err);
	case WHITEOUTS_OVERLAY:
		return place_mark(u->placer, directory, "trusted.overlay.opaque", "y", err);
	case WHITEOUTS_OVERLAY_USER:
		return place_mark(u->placer, directory, "user.overlay.opaque", "y", err);
	case WHITEOUTS_AUFS:
		break;
	}
	return 0;
}

static int make_file(struct unpacking *u, const char *name, mode_t mode, struct error **err)
{
	struct attributes a = {.mode = mode};

	return S_ISREG(mode) ? place_file(u->placer, name, &a, NULL, 0, err)
			     : place_node(u->placer, name, makedev(0, 0), &a, err);
}

static int delete_below(struct unpacking *u, const char *directory, const char *last,
			struct error **err)
{
	_cleanup_free_ char *target = NULL;
	mode_t type;
	int r;

	if (asprintf(&target, "%s%s%s", directory, *directory ? "/" : "", last) < 0) {
		target = NULL;
		return error_errno(err, ENOMEM, "unpack");
	}
	if (u->opts->whiteouts == WHITEOUTS_APPLY)
		return place_remove(u->placer, target, err);
	/* It concerns what is below only: this layer's own stays, and hides that. */
	r = place_type(u->placer, target, &type, err);
	if (!r && S_ISDIR(type))
		return unpack_opaque(u, target, err);
	if (!r && !type)
		return make_file(u, target, S_IFCHR, err);
	return r;
}

int unpack_whiteout(struct unpacking *u, const char *name, struct error **err)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	_cleanup_free_ char *directory = NULL;
	int r;

	if (!str_starts(last, PREFIX))
		return 0;
	directory = above_of(name);
	if (!directory)
		return error_errno(err, ENOMEM, "unpack");
	if (u->opts->whiteouts == WHITEOUTS_AUFS)
		r = make_file(u, name, S_IFREG | 0600, err);
	else if (strcmp(last, OPAQUE) == 0)
		r = unpack_opaque(u, directory, err);
	else if (str_starts(last, ".wh..wh."))
		r = 0; /* aufs' own bookkeeping (.wh..wh.plnk), of no meaning elsewhere */
	else if (!last[strlen(PREFIX)] || strcmp(last, ".wh..") == 0 || strcmp(last, ".wh...") == 0)
		r = error_set(err, EINVAL, "a whiteout of no name");
	else
		r = delete_below(u, directory, last + strlen(PREFIX), err);
	return r ? r : 1;
}

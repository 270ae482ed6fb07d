/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON object that state and list print, runc's keys in runc's order. See oci.h. */
#include <errno.h>

#include "cli/oci/oci.h"

json_t *oci_state_object(const struct container_info *info, const char *owner)
{
	char created[40];

	format_time_rfc3339(&info->created, created, sizeof created);
	return json_pack(
		"{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:O*, s:s}", "ociVersion", SPEC_VERSION, "id",
		info->id, "pid", (int)info->pid, "status", container_status_names[info->status],
		"bundle", info->bundle ? info->bundle : "", "rootfs",
		info->rootfs ? info->rootfs : "", "created", created, "annotations",
		json_object_size(info->annotations) ? info->annotations : NULL, "owner", owner);
}

int oci_print_json(const json_t *value, size_t flags, struct error **err)
{
	if (!value)
		return error_errno(err, ENOMEM, "print JSON");
	if (json_dumpf(value, stdout, flags | JSON_ENCODE_ANY) < 0 || fputc('\n', stdout) == EOF)
		return error_errno(err, errno ? errno : EIO, "write to standard output");
	return 0;
}

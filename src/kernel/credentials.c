/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing who we are. See credentials.h. setgroups(2), setresuid(2), prctl(2). */
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "kernel/credentials.h"

int credentials_set_groups(const gid_t *gids, size_t count, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = setgroups(count, gids) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "setgroups", r, "%zu", count);
	return r < 0 ? error_errno(err, -r, "set the additional groups") : 0;
}

static int set_ids(uid_t uid, gid_t gid, struct error **err)
{
	uint64_t begin = trace_begin();
	int r = setresgid(gid, gid, gid) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "setresgid", r, "%u", gid);
	if (r < 0)
		return r == -EINVAL ? error_set(err, EINVAL,
						"gid %u is not mapped in the user "
						"namespace",
						gid)
				    : error_errno(err, -r, "set the gid %u", gid);
	begin = trace_begin();
	r = setresuid(uid, uid, uid) < 0 ? -errno : 0;
	trace_step(TRACE_PROCESS, begin, "setresuid", r, "%u", uid);
	if (r < 0)
		return r == -EINVAL ? error_set(err, EINVAL,
						"uid %u is not mapped in the user "
						"namespace",
						uid)
				    : error_errno(err, -r, "set the uid %u", uid);
	return 0;
}

int credentials_set_user(uid_t uid, gid_t gid, bool keep_capabilities, struct error **err)
{
	int r;

	if (keep_capabilities && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "keep the capabilities");
	r = set_ids(uid, gid, err);
	if (keep_capabilities && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 && r == 0)
		return error_errno(err, errno, "stop keeping the capabilities");
	return r;
}

void credentials_set_umask(mode_t mask)
{
	uint64_t begin = trace_begin();

	umask(mask);
	trace_step(TRACE_PROCESS, begin, "umask", 0, "%#o", mask);
}

int credentials_no_new_privileges(struct error **err)
{
	uint64_t begin = trace_begin();
	int r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;

	trace_step(TRACE_PROCESS, begin, "prctl", r, "PR_SET_NO_NEW_PRIVS, 1");
	return r < 0 ? error_errno(err, -r, "set no_new_privs") : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.user and process.capabilities: giving up what the container must not have.
 *
 * The order is the kernel's: the bounding set and the groups while we are privileged, then the ids with the
 * permitted set kept, then (after seccomp, which takes CAP_SYS_ADMIN and may forbid all but these last calls)
 * the sets themselves, the ambient one last. In the end the kernel is asked what we
 * are, and a container that would keep more than the configuration says is not started (CVE-2018-10856).
 * What can't be granted is left out with a warning, as the specification wants it. capabilities(7). */
#include "kernel/capability.h"
#include "kernel/credentials.h"
#include "runtime/attributes_internal.h"

#define NAMES_SIZE 1024

/* What of the wanted sets can be had by one who holds these permitted and bounding capabilities. */
static struct spec_capabilities grant(const struct spec_capabilities *wanted, uint64_t permitted,
				      uint64_t bounding)
{
	struct spec_capabilities granted = {.is_set = true};

	granted.bounding = wanted->bounding & bounding;
	granted.permitted = wanted->permitted & permitted;
	granted.effective = wanted->effective & granted.permitted;
	granted.inheritable = wanted->inheritable & permitted & granted.bounding;
	granted.ambient = wanted->ambient & granted.permitted & granted.inheritable;
	return granted;
}

static int check_ids(const struct spec_user *user, struct error **err)
{
	if (user->uid == (uid_t)-1)
		return error_set(err, EINVAL, "process.user.uid: 4294967295 is no user");
	if (user->gid == (gid_t)-1)
		return error_set(err, EINVAL, "process.user.gid: 4294967295 is no group");
	for (size_t i = 0; i < user->additional_gid_count; i++)
		if (user->additional_gids[i] == (gid_t)-1)
			return error_set(err, EINVAL,
					 "process.user.additionalGids[%zu]: 4294967295 is no group",
					 i);
	return 0;
}

static void warn(const char *set, uint64_t missing)
{
	char names[NAMES_SIZE];

	if (missing)
		log_warning("process.capabilities.%s: can't be granted here: %s", set,
			    capability_list(missing, names, sizeof names));
}

/* In a user namespace of its own the process has them all. */
static int warn_about_missing(const struct attributes_opts *opts, struct error **err)
{
	const struct spec_capabilities *wanted = &opts->process->capabilities;
	struct capability_sets have = {.permitted = UINT64_MAX};
	struct spec_capabilities granted;
	int r = 0;

	if (!opts->has_user_namespace)
		r = capability_get(&have, err);
	if (r < 0)
		return r;
	granted = grant(wanted, have.permitted, have.permitted);
	warn("bounding", wanted->bounding & ~granted.bounding);
	warn("permitted", wanted->permitted & ~granted.permitted);
	warn("effective", wanted->effective & ~granted.effective);
	warn("inheritable", wanted->inheritable & ~granted.inheritable);
	warn("ambient", wanted->ambient & ~granted.ambient);
	return 0;
}

int privileges_check(const struct attributes_opts *opts, struct error **err)
{
	const struct spec_user *user = &opts->process->user;
	int r = check_ids(user, err);

	if (r < 0)
		return r;
	if (opts->is_setgroups_denied && user->additional_gid_count)
		return error_set(
			err, EPERM,
			"process.user.additionalGids: the user namespace does not let us set "
			"groups");
	return warn_about_missing(opts, err);
}

/* A user namespace made without privileges denies setgroups, or groups could be dropped to get at what
 * is closed to them (CVE-2014-8989). Who asks for none, keeps those of the caller. */
static int apply_groups(const struct attributes_opts *opts, struct error **err)
{
	const struct spec_user *user = &opts->process->user;
	int r;

	if (opts->is_setgroups_denied && !user->additional_gid_count)
		return 0;
	r = credentials_set_groups(user->additional_gids, user->additional_gid_count, err);
	if (r == -EPERM && opts->has_user_namespace && !user->additional_gid_count) {
		if (err)
			error_freep(err);
		return 0;
	}
	if (r == -EINVAL)
		return error_set(err, EINVAL,
				 "process.user.additionalGids: a group is not mapped in the user "
				 "namespace");
	return r < 0 ? error_prefix(err, "process.user.additionalGids") : 0;
}

static int check_identity(const struct spec_user *user, uint64_t bounding, uint64_t wanted,
			  struct error **err)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return error_errno(err, errno, "read the ids");
	for (int i = 0; i < 3; i++)
		if (uid[i] != user->uid || gid[i] != user->gid)
			return error_set(err, EPERM, "the process did not become user %u:%u",
					 user->uid, user->gid);
	if (bounding & ~wanted)
		return error_set(
			err, EPERM,
			"the bounding set holds more capabilities than process.capabilities says");
	return 0;
}

/* The effective set went with the ids; a seccomp filter can't be loaded without. */
static int regain(struct capability_sets *sets, struct error **err)
{
	if (sets->effective == sets->permitted)
		return 0;
	sets->effective = sets->permitted;
	return capability_set(sets, err);
}

int privileges_become_user(const struct attributes_opts *opts, struct spec_capabilities *granted,
			   struct error **err)
{
	const struct spec_user *user = &opts->process->user;
	struct capability_sets sets;
	uint64_t bounding;
	int r = capability_bound(opts->process->capabilities.bounding, err);

	r = r ?: apply_groups(opts, err);
	if (r < 0)
		return r;
	r = credentials_set_user(user->uid, user->gid, true, err);
	if (r < 0)
		return error_prefix(err, "process.user");
	r = capability_get(&sets, err);
	if (r < 0)
		return r;
	bounding = capability_bounding();
	*granted = grant(&opts->process->capabilities, sets.permitted, bounding);
	r = check_identity(user, bounding, granted->bounding, err);
	r = r ?: regain(&sets, err);
	return r < 0 ? error_prefix(err, "process.user") : 0;
}

static int check_capabilities(const struct spec_capabilities *granted, struct error **err)
{
	struct capability_sets now;
	int r = capability_get(&now, err);

	if (r < 0)
		return r;
	/* The ambient set was emptied: only what was raised can be in it. */
	if ((now.effective & ~granted->effective) || (now.permitted & ~granted->permitted) ||
	    (now.inheritable & ~granted->inheritable) ||
	    (granted->ambient && (capability_ambient() & ~granted->ambient)))
		return error_set(
			err, EPERM,
			"the process holds more capabilities than process.capabilities says");
	return 0;
}

int privileges_drop(const struct spec_capabilities *granted, struct error **err)
{
	const struct capability_sets sets = {.effective = granted->effective,
					     .permitted = granted->permitted,
					     .inheritable = granted->inheritable};
	int r = capability_set(&sets, err);

	r = r ?: capability_set_ambient(granted->ambient, err);
	r = r ?: check_capabilities(granted, err);
	return r < 0 ? error_prefix(err, "process.capabilities") : 0;
}

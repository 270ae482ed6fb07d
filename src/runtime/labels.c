/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels of the security modules for the next execve, and the session keyring.
 *
 * Written through the trusted procfs (kernel/procfs.h): a container's /proc could be anything
 * (CVE-2019-16884). Keys made from here on, the keyring first of all, carry the process's label. */
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "kernel/keyring.h"
#include "kernel/procfs.h"
#include "runtime/attributes_internal.h"

#define SELINUX_FILE_SYSTEM 0xf97cff8c

/* Permissions of a keyring, as keyctl(2) has them. */
#define KEY_USER_SEARCH  0x00080000
#define KEY_OTHER_SEARCH 0x00000008

static bool is_apparmor_enabled(void)
{
	_cleanup_free_ char *value = NULL;

	return file_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &value, NULL,
			    NULL) == 0 &&
	       value[0] == 'Y';
}

/* Mounted read-only it is there for show: so libselinux has it. */
static bool is_selinux_enabled(void)
{
	struct statfs st;

	return statfs("/sys/fs/selinux", &st) == 0 &&
	       (unsigned long)st.f_type == SELINUX_FILE_SYSTEM && !(st.f_flags & ST_RDONLY);
}

static bool is_given(const char *label)
{
	return label && *label;
}

int labels_check(const struct attributes_opts *opts, struct error **err)
{
	const struct spec_process *process = opts->process;

	if (is_given(process->apparmor_profile) && !is_apparmor_enabled())
		return error_set(
			err, ENOTSUP,
			"process.apparmorProfile: \"%s\": apparmor not enabled on this host",
			process->apparmor_profile);
	if (is_given(process->selinux_label) && !is_selinux_enabled())
		return error_set(err, ENOTSUP,
				 "process.selinuxLabel: \"%s\": selinux not enabled on this host",
				 process->selinux_label);
	return 0;
}

/* Since Linux 5.8 AppArmor has a directory of its own, so that it goes together with other modules. */
static int apply_apparmor(const char *profile, struct error **err)
{
	_cleanup_fd_ int own = procfs_open("self/attr/apparmor/exec", O_WRONLY, NULL);
	_cleanup_free_ char *value = NULL;
	int r;

	if (asprintf(&value, "exec %s", profile) < 0)
		return error_errno(err, ENOMEM, "process.apparmorProfile");
	r = procfs_write(TRACE_PROCESS, own >= 0 ? "self/attr/apparmor/exec" : "self/attr/exec",
			 value, err);
	if (r == -ENOENT)
		return error_set(err, ENOENT,
				 "process.apparmorProfile: the profile \"%s\" is not loaded",
				 profile);
	return r < 0 ? error_prefix(err, "process.apparmorProfile: \"%s\"", profile) : 0;
}

static int apply_selinux(const char *file, const char *label, struct error **err)
{
	int r = procfs_write(TRACE_PROCESS, file, label, err);

	return r < 0 ? error_prefix(err, "process.selinuxLabel: \"%s\"", label) : 0;
}

/* Keyrings are in no namespace: without one of its own, a container would share that of its caller. */
static int join_keyring(const struct attributes_opts *opts, struct error **err)
{
	_cleanup_free_ char *name = NULL;
	int serial, r;

	if (asprintf(&name, "_ses.%s", opts->id) < 0)
		return error_errno(err, ENOMEM, "join the session keyring");
	serial = keyring_join(name, err);
	/* The kernel has none, or a filter around us forbids them: then the container can't reach its
	 * caller's either. */
	if (serial == -ENOSYS || serial == -EPERM) {
		log_debug("no session keyring: %s", strerror(-serial));
		if (err)
			error_freep(err);
		return 0;
	}
	if (serial < 0)
		return serial;
	r = keyring_permit(serial, opts->has_user_namespace ? KEY_OTHER_SEARCH : KEY_USER_SEARCH,
			   err);
	return r < 0 ? error_prefix(err, "session keyring %s", name) : 0;
}

int labels_apply(const struct attributes_opts *opts, struct error **err)
{
	const char *selinux = opts->process->selinux_label;
	bool has_selinux = is_given(selinux);
	int r = 0;

	if (!opts->no_new_keyring) {
		if (has_selinux)
			r = apply_selinux("self/attr/keycreate", selinux, err);
		if (r == 0)
			r = join_keyring(opts, err);
		if (r == 0 && has_selinux)
			r = apply_selinux("self/attr/keycreate", "", err);
	}
	if (r == 0 && has_selinux)
		r = apply_selinux("self/attr/exec", selinux, err);
	if (r == 0 && is_given(opts->process->apparmor_profile))
		r = apply_apparmor(opts->process->apparmor_profile, err);
	return r;
}

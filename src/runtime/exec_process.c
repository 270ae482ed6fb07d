/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What exec is to run. See exec_process.h; the flags' meaning is runc's. */
#include <fcntl.h>

#include "kernel/capability.h"
#include "runtime/exec_process.h"

#define PROCESS_SIZE_MAX (4 << 20)

static int load_file(const char *path, struct exec_process *out, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = file_read_at(AT_FDCWD, path, PROCESS_SIZE_MAX, &text, &length, err);

	if (r == 0)
		r = spec_parse_process(text, length, &out->file, err);
	if (r < 0)
		return r;
	out->process = out->file->process;
	return 0;
}

/* "UID[:GID]", numbers only: names are the caller's to look up. */
static int parse_user(const char *text, struct spec_user *user, struct error **err)
{
	_cleanup_free_ char *copy = strdup(text);
	uint64_t uid, gid = 0;
	char *colon;

	if (!copy)
		return error_errno(err, ENOMEM, "--user");
	colon = strchr(copy, ':');
	if (colon)
		*colon++ = '\0';
	if (parse_u64(copy, UINT32_MAX - 1, &uid) < 0)
		return error_set(err, EINVAL, "parsing %s as int for uid failed: invalid user",
				 copy);
	if (colon && parse_u64(colon, UINT32_MAX - 1, &gid) < 0)
		return error_set(err, EINVAL, "parsing %s as int for gid failed: invalid group",
				 colon);
	user->uid = (uid_t)uid;
	if (colon)
		user->gid = (gid_t)gid;
	return 0;
}

static int apply_groups(const struct container_exec_opts *opts, struct exec_process *out,
			struct error **err)
{
	struct spec_user *user = &out->process.user;
	size_t count = user->additional_gid_count + opts->additional_gids.count;

	if (!opts->additional_gids.count)
		return 0;
	out->additional_gids = calloc(count, sizeof *out->additional_gids);
	if (!out->additional_gids)
		return error_errno(err, ENOMEM, "--additional-gids");
	for (size_t i = 0; i < user->additional_gid_count; i++)
		out->additional_gids[i] = user->additional_gids[i];
	for (size_t i = 0; i < opts->additional_gids.count; i++) {
		uint64_t gid;

		if (parse_u64(opts->additional_gids.items[i], UINT32_MAX - 1, &gid) < 0)
			return error_set(err, EINVAL,
					 "additional-gids must be non-negative numbers: %s",
					 opts->additional_gids.items[i]);
		out->additional_gids[user->additional_gid_count + i] = (gid_t)gid;
	}
	user->additional_gids = out->additional_gids;
	user->additional_gid_count = count;
	return 0;
}

static int apply_environment(const struct container_exec_opts *opts, struct exec_process *out,
			     struct error **err)
{
	struct spec_strings *env = &out->process.env;
	size_t count = env->count + opts->env.count;

	out->env = calloc(count + 1, sizeof *out->env);
	if (!out->env)
		return error_errno(err, ENOMEM, "--env");
	for (size_t i = 0; i < env->count; i++)
		out->env[i] = env->items[i];
	for (size_t i = 0; i < opts->env.count; i++)
		out->env[env->count + i] = opts->env.items[i];
	*env = (struct spec_strings){.items = out->env, .count = count};
	return 0;
}

/* Each goes where runc's --cap puts it: into all sets but the inheritable, and into the ambient one only where
 * the container's process has that. */
static int apply_capabilities(const struct container_exec_opts *opts, struct exec_process *out,
			      struct error **err)
{
	struct spec_capabilities *sets = &out->process.capabilities;

	for (size_t i = 0; i < opts->capabilities.count; i++) {
		const char *name = opts->capabilities.items[i];
		int number = capability_parse(name);

		if (number < 0)
			return error_set(err, EINVAL, "--cap %s: no such capability", name);
		sets->is_set = true;
		sets->bounding |= UINT64_C(1) << number;
		sets->effective |= UINT64_C(1) << number;
		sets->permitted |= UINT64_C(1) << number;
		if (sets->ambient && (sets->inheritable >> number & 1))
			sets->ambient |= UINT64_C(1) << number;
	}
	return 0;
}

int exec_process_make(const struct container_exec_opts *opts, const struct spec_process *base,
		      struct exec_process *out, struct error **err)
{
	struct spec_process *p = &out->process;
	int r;

	if (opts->process_file)
		return load_file(opts->process_file, out, err);
	*p = *base;
	p->terminal = opts->tty;
	p->console_size.is_set = false;
	p->args = opts->args;
	if (opts->cwd)
		p->cwd = opts->cwd;
	if (opts->apparmor)
		p->apparmor_profile = opts->apparmor;
	if (opts->process_label)
		p->selinux_label = opts->process_label;
	if (opts->no_new_privs)
		p->no_new_privileges = true;
	r = opts->user ? parse_user(opts->user, &p->user, err) : 0;
	if (r == 0)
		r = apply_groups(opts, out, err);
	if (r == 0)
		r = apply_environment(opts, out, err);
	return r == 0 ? apply_capabilities(opts, out, err) : r;
}

void exec_process_clear(struct exec_process *p)
{
	spec_free(p->file);
	free(p->env);
	free(p->additional_gids);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules between the fields of a configuration: what needs which namespace, and which sysctls
 * belong to one. They are runc's, so that what it refuses is refused here before anything is made. */
#include <sys/stat.h>

#include "runtime/spec_internal.h"

static bool has_namespace(const struct spec_parser *p, enum spec_namespace_type type)
{
	return p->spec->linux.namespaces[type].is_set;
}

static int check_user_namespace(struct spec_parser *p, const struct json_at *os)
{
	const struct spec_linux *out = &p->spec->linux;
	struct json_at uids = json_member(os, "uidMappings"), gids = json_member(os, "gidMappings");

	if (!has_namespace(p, NAMESPACE_USER)) {
		if (out->uid_maps.count || out->gid_maps.count)
			return json_fail(out->uid_maps.count ? &uids : &gids, p->err,
					 "id mappings need a user namespace");
		return 0;
	}
	/* With a path they describe the namespace that is joined, and may be left out. */
	if (out->namespaces[NAMESPACE_USER].path)
		return 0;
	if (!out->uid_maps.count)
		return json_fail(&uids, p->err, "missing, a new user namespace needs it");
	if (!out->gid_maps.count)
		return json_fail(&gids, p->err, "missing, a new user namespace needs it");
	return 0;
}

/* A network namespace joined by path may be our own: then it is the host's as far as we know. */
static bool is_host_network(const struct spec_parser *p)
{
	const struct spec_namespace *network = &p->spec->linux.namespaces[NAMESPACE_NETWORK];
	struct stat own, other;

	if (!network->is_set || !network->path)
		return !network->is_set;
	/* One that isn't there can't be joined either; the error of that says more. */
	return stat(network->path, &other) == 0 && stat("/proc/self/ns/net", &own) == 0 &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/* The kernel's __NEW_UTS_LEN, for both names. */
#define MAX_HOST_NAME 64

static int check_host_name(struct spec_parser *p, const struct json_at *top, const char *key,
			   const char *name)
{
	struct json_at at = json_member(top, key);

	if (!name)
		return 0;
	if (!has_namespace(p, NAMESPACE_UTS))
		return json_fail(&at, p->err, "unable to set %s without a private UTS namespace",
				 key);
	if (strlen(name) > MAX_HOST_NAME)
		return json_fail(&at, p->err, "%zu bytes are more than the kernel's %d",
				 strlen(name), MAX_HOST_NAME);
	return 0;
}

static int check_namespaces(struct spec_parser *p, const struct json_at *os)
{
	const struct spec_linux *out = &p->spec->linux;
	struct json_at offsets = json_member(os, "timeOffsets");
	struct json_at net_devices = json_member(os, "netDevices");

	if ((out->masked_paths.count || out->readonly_paths.count) &&
	    !has_namespace(p, NAMESPACE_MOUNT))
		return json_fail(os, p->err,
				 "maskedPaths and readonlyPaths need a private mount "
				 "namespace");
	if (offsets.value &&
	    (!has_namespace(p, NAMESPACE_TIME) || out->namespaces[NAMESPACE_TIME].path))
		return json_fail(&offsets, p->err, "needs a new time namespace");
	if (out->net_device_count && is_host_network(p))
		return json_fail(&net_devices, p->err, "needs a private network namespace");
	return 0;
}

static const char *const ipc_sysctls[] = {
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
	"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
};

static bool is_ipc_sysctl(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(ipc_sysctls); i++)
		if (strcmp(ipc_sysctls[i], key) == 0)
			return true;
	return str_starts(key, "fs.mqueue.");
}

/* The key becomes a path below /proc/sys when dots and slashes change places: no part of it may be
 * empty, "." or "..". A slash in key stands for a dot in the file's name. */
static bool is_sysctl_path(const char *key)
{
	for (;;) {
		size_t length = strcspn(key, ".");

		if (length == 0 || (length <= 2 && strspn(key, "/") >= length))
			return false;
		if (key[length] == '\0')
			return true;
		key += length + 1;
	}
}

static int check_sysctl(struct spec_parser *p, const struct json_at *at, const char *key)
{
	if (!is_sysctl_path(key))
		return spec_refuse(p, at, key, "is not a sysctl");
	if (is_ipc_sysctl(key))
		return has_namespace(p, NAMESPACE_IPC)
			       ? 0
			       : spec_refuse(p, at, key,
					     "is not allowed in the host's ipc namespace");
	if (str_starts(key, "net."))
		return is_host_network(p)
			       ? spec_refuse(p, at, key,
					     "is not allowed in the host's network namespace")
			       : 0;
	if (str_starts(key, "user.") && has_namespace(p, NAMESPACE_USER))
		return 0;
	if (has_namespace(p, NAMESPACE_UTS)) {
		if (strcmp(key, "kernel.domainname") == 0)
			return 0;
		if (strcmp(key, "kernel.hostname") == 0)
			return spec_refuse(
				p, at, key,
				"is not allowed, as it conflicts with the field hostname");
	}
	return spec_refuse(p, at, key, "is not in a separate kernel namespace");
}

/* sysctl(8): where the first separator is a slash, slashes separate, and dots belong to the names.
 * Then the two are exchanged here, so that dots separate everywhere. */
static const char *with_dots(struct spec *spec, const char *key)
{
	const char *separator = strpbrk(key, "./");
	char *copy;

	if (!separator || *separator == '.')
		return key;
	copy = spec_alloc(spec, strlen(key) + 1, 1);
	for (size_t i = 0; copy && key[i]; i++)
		copy[i] = (char)(key[i] == '.' ? '/' : key[i] == '/' ? '.' : key[i]);
	return copy;
}

static int check_sysctls(struct spec_parser *p, const struct json_at *os)
{
	struct spec_pairs *sysctl = &p->spec->linux.sysctl;
	struct json_at at = json_member(os, "sysctl");

	for (size_t i = 0; i < sysctl->count; i++) {
		struct spec_pair *pair = &sysctl->items[i];
		int r;

		pair->key = with_dots(p->spec, pair->key);
		if (!pair->key)
			return error_errno(p->err, ENOMEM, "parse the configuration");
		r = check_sysctl(p, &at, pair->key);
		if (r)
			return r;
	}
	return 0;
}

int spec_validate(struct spec_parser *p)
{
	struct json_at top = {.value = p->spec->json}, os = json_member(&top, "linux");
	int r = check_user_namespace(p, &os);

	r = r ?: check_host_name(p, &top, "hostname", p->spec->hostname);
	r = r ?: check_host_name(p, &top, "domainname", p->spec->domainname);
	r = r ?: check_namespaces(p, &os);
	r = r ?: check_sysctls(p, &os);
	return r ?: spec_check_mounts(p, &top);
}

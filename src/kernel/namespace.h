/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces: their names and flags, joining them, and id maps. namespaces(7), user_namespaces(7). */
#ifndef DHOW_KERNEL_NAMESPACE_H
#define DHOW_KERNEL_NAMESPACE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

/* Order as enum spec_namespace_type. */
struct namespace_type {
	const char *spec_name; /* "network" */
	const char *proc_name; /* "net": /proc/PID/ns/net */
	int flag;              /* CLONE_NEWNET */
};
extern const struct namespace_type namespace_types[8];

/* The kernel has this kind of namespace. */
bool namespace_is_supported(const struct namespace_type *type);
/* Opens path and checks that it is a namespace of that type (NS_GET_NSTYPE). Returns the descriptor. */
int namespace_open(const struct namespace_type *type, const char *path, struct error **err);
/* setns(2); what names it in trace and error. flags 0 takes any type; with a pidfd they may be several. */
int namespace_join(int fd, int flags, const char *what, struct error **err);
int namespace_unshare(int flags, struct error **err);

/* One line of an id map. */
struct id_map_line {
	uint32_t inside, outside, count;
};
struct id_maps {
	const struct id_map_line *uids, *gids;
	size_t uid_count, gid_count;
};
/* Writes uid_map, gid_map and setgroups of process pid. Where the caller lacks CAP_SETUID/CAP_SETGID
 * over the ids, newuidmap(1) and newgidmap(1) do it, or, for the map of the caller's own ids alone, setgroups is denied first. */
int id_maps_write(pid_t pid, const struct id_maps *maps, struct error **err);
/* A user namespace with these maps and no process in it, for idmapped mounts (mount_setattr(2),
 * MOUNT_ATTR_IDMAP). Returns its descriptor. */
int id_maps_namespace(const struct id_maps *maps, struct error **err);

#endif

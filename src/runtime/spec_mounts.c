/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts, id maps and hooks of the configuration. Runtime specification, "Mounts", "POSIX-platform
 * Hooks" and "User namespace mappings". Mount options stay text: the rootfs room knows them. */
#include "runtime/spec_internal.h"

/* The kernel's own bound, UID_GID_MAP_MAX_EXTENTS. */
#define MAX_ID_MAPS 340

static int parse_id_map(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"containerID", MEMBER_U32, offsetof(struct spec_id_map, container_id),
		 MEMBER_REQUIRED},
		{"hostID", MEMBER_U32, offsetof(struct spec_id_map, host_id), MEMBER_REQUIRED},
		{"size", MEMBER_U32, offsetof(struct spec_id_map, size), MEMBER_REQUIRED, 1,
		 UINT32_MAX},
	};
	struct spec_id_map *map = item;
	int r = spec_members_of(p, at, members, map);

	if (r)
		return r;
	if ((uint64_t)map->container_id + map->size > UINT32_MAX ||
	    (uint64_t)map->host_id + map->size > UINT32_MAX)
		return json_fail(at, p->err, "reaches past the last id, %u", UINT32_MAX - 1);
	return 0;
}

static bool do_overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

int spec_parse_id_maps(struct spec_parser *p, const struct json_at *at, struct spec_id_maps *maps)
{
	int r = spec_list(p, at, sizeof *maps->items, parse_id_map, (void **)&maps->items,
			  &maps->count);

	if (r == 0 && maps->count > MAX_ID_MAPS)
		return json_fail(at, p->err, "%zu lines are more than the kernel's %d", maps->count,
				 MAX_ID_MAPS);
	for (size_t i = 0; r == 0 && i < maps->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct spec_id_map *a = &maps->items[i], *b = &maps->items[j];
			struct json_at element = json_element(at, i);

			if (do_overlap(a->container_id, a->size, b->container_id, b->size) ||
			    do_overlap(a->host_id, a->size, b->host_id, b->size))
				return json_fail(&element, p->err, "overlaps with line %zu", j);
		}
	return r;
}

static bool has_option(const struct spec_mount *mount, const char *option)
{
	for (size_t i = 0; i < mount->options.count; i++)
		if (strcmp(mount->options.items[i], option) == 0)
			return true;
	return false;
}

/* A mount with maps of its own needs both, and the kernel maps ids of bind mounts only here; one that
 * asks for them without giving any takes those of the container's user namespace. */
static int check_id_mapped(struct spec_parser *p, const struct json_at *at,
			   const struct spec_mount *mount)
{
	const struct spec_linux *os = &p->spec->linux;
	bool has_maps = mount->uid_maps.count || mount->gid_maps.count;

	if (!has_maps && !has_option(mount, "idmap") && !has_option(mount, "ridmap"))
		return 0;
	if (!has_option(mount, "bind") && !has_option(mount, "rbind") &&
	    !str_equal(mount->type, "bind"))
		return json_fail(at, p->err,
				 "%s: id-mapped mounts are only supported for bind mounts",
				 has_maps ? "uidMappings" : "options: idmap");
	if (has_maps && (!mount->uid_maps.count || !mount->gid_maps.count))
		return json_fail(at, p->err, "%s: missing, uidMappings and gidMappings go together",
				 mount->uid_maps.count ? "gidMappings" : "uidMappings");
	if (!has_maps && !os->namespaces[NAMESPACE_USER].is_set)
		return json_fail(
			at, p->err,
			"options: idmap: an id-mapped mount needs uidMappings and gidMappings, "
			"or a user namespace to take them from");
	return 0;
}

static int parse_mount(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"destination", MEMBER_STRING, offsetof(struct spec_mount, destination),
		 MEMBER_REQUIRED},
		{"type", MEMBER_STRING, offsetof(struct spec_mount, type)},
		{"source", MEMBER_STRING, offsetof(struct spec_mount, source)},
		{"options", MEMBER_STRINGS, offsetof(struct spec_mount, options)},
	};
	struct json_at uids = json_member(at, "uidMappings"), gids = json_member(at, "gidMappings");
	struct spec_mount *mount = item;
	int r = spec_members_of(p, at, members, mount);

	r = r ?: spec_parse_id_maps(p, &uids, &mount->uid_maps);
	r = r ?: spec_parse_id_maps(p, &gids, &mount->gid_maps);
	if (r == 0 && mount->destination[0] != '/')
		log_warning(
			"mounts[%zu].destination: %.64s is relative, which is deprecated; it counts "
			"from /",
			at->index, mount->destination);
	return r;
}

int spec_parse_mounts(struct spec_parser *p, const struct json_at *top)
{
	struct json_at at = json_member(top, "mounts");

	return spec_list(p, &at, sizeof *p->spec->mounts, parse_mount, (void **)&p->spec->mounts,
			 &p->spec->mount_count);
}

int spec_check_mounts(struct spec_parser *p, const struct json_at *top)
{
	struct json_at at = json_member(top, "mounts");

	for (size_t i = 0; i < p->spec->mount_count; i++) {
		struct json_at element = json_element(&at, i);
		int r = check_id_mapped(p, &element, &p->spec->mounts[i]);

		if (r)
			return r;
	}
	return 0;
}

static char *copy_text(struct spec *spec, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = spec_alloc(spec, size, 1);

	return copy ? memcpy(copy, text, size) : NULL;
}

int spec_add_mount(struct spec *spec, const struct spec_mount *mount, struct error **err)
{
	struct spec_mount *mounts = spec_alloc(spec, spec->mount_count + 1, sizeof *mounts), *added;

	if (!mounts)
		return error_errno(err, ENOMEM, "add a mount");
	if (spec->mount_count)
		memcpy(mounts, spec->mounts, spec->mount_count * sizeof *mounts);
	added = &mounts[spec->mount_count];
	*added = *mount;
	added->destination = copy_text(spec, mount->destination);
	added->source = copy_text(spec, mount->source);
	if (!added->destination || !added->source)
		return error_errno(err, ENOMEM, "add a mount");
	spec->mounts = mounts;
	spec->mount_count++;
	return 0;
}

static int parse_hook(struct spec_parser *p, const struct json_at *at, void *item)
{
	static const struct spec_member members[] = {
		{"path", MEMBER_STRING, offsetof(struct spec_hook, path),
		 MEMBER_REQUIRED | MEMBER_ABSOLUTE},
		{"args", MEMBER_STRINGS, offsetof(struct spec_hook, args)},
		{"env", MEMBER_STRINGS, offsetof(struct spec_hook, env)},
		/* Bounded so that it can be counted in nanoseconds. */
		{"timeout", MEMBER_OPTIONAL_U64, offsetof(struct spec_hook, timeout_s), 0, 1,
		 INT32_MAX},
	};

	return spec_members_of(p, at, members, item);
}

int spec_parse_hooks(struct spec_parser *p, const struct json_at *at)
{
	struct spec_hooks *hooks = &p->spec->hooks;
	const struct {
		const char *key;
		struct spec_hook_list *list;
	} lists[] = {{"prestart", &hooks->prestart},
		     {"createRuntime", &hooks->create_runtime},
		     {"createContainer", &hooks->create_container},
		     {"startContainer", &hooks->start_container},
		     {"poststart", &hooks->poststart},
		     {"poststop", &hooks->poststop}};
	int r = json_get_object(at, p->err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
		r = spec_list_member(p, at, lists[i].key, parse_hook, &lists[i].list->items,
				     &lists[i].list->count);
	return r;
}

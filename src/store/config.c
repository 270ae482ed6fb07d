/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the configuration file. One table has the keys; what is unknown is refused with a suggestion. See config.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/config.h"

#define CONFIG_MAX (1u << 20)

const struct store_limits store_limits_default = {
	.layer_bytes = 64ull << 30,
	.layer_entries = 4000000,
	.ratio = 1000,
	.depth = 512,
	.layers = 500,
	.manifest_bytes = 4u << 20,
	.config_bytes = 8u << 20,
};

typedef int reader(struct store_config *c, const struct json_at *at, struct error **err);

static int set_string(const struct json_at *at, char **out, struct error **err)
{
	const char *text = NULL;
	int r = json_get_string(at, &text, err);

	if (r || !text)
		return r;
	free(*out);
	*out = strdup(text);
	return *out ? 0 : error_errno(err, ENOMEM, "read the configuration");
}

static int set_list(const struct json_at *at, struct strv *out, struct error **err)
{
	ssize_t count = json_get_array(at, err);

	if (count < 0)
		return (int)count;
	strv_free(out);
	*out = (struct strv){0};
	for (size_t i = 0; i < (size_t)count; i++) {
		struct json_at element = json_element(at, i);
		const char *text = NULL;
		int r = json_get_string(&element, &text, err);

		if (!r && !text)
			r = json_fail(&element, err, "expected a string");
		if (!r && strv_add(out, text))
			r = error_errno(err, ENOMEM, "read the configuration");
		if (r)
			return r;
	}
	return 0;
}

/* --- Keys ---------------------------------------------------------------------------------------------------------- */

static int read_driver(struct store_config *c, const struct json_at *at, struct error **err)
{
	return set_string(at, &c->storage_driver, err);
}

static int read_storage_opts(struct store_config *c, const struct json_at *at, struct error **err)
{
	return set_list(at, &c->storage_opts, err);
}

static int read_default_registry(struct store_config *c, const struct json_at *at,
				 struct error **err)
{
	return set_string(at, &c->default_registry, err);
}

static int read_insecure(struct store_config *c, const struct json_at *at, struct error **err)
{
	return set_list(at, &c->insecure_registries, err);
}

static int add_short_name(struct store_config *c, const struct json_at *at, struct error **err)
{
	struct store_short_name *grown =
		reallocarray(c->short_names, c->short_name_count + 1, sizeof *grown);
	struct store_short_name *s;
	int r;

	if (!grown)
		return error_errno(err, ENOMEM, "read the configuration");
	c->short_names = grown;
	s = &grown[c->short_name_count++];
	*s = (struct store_short_name){.name = strdup(at->key)};
	r = s->name ? set_string(at, &s->target, err) : -ENOMEM;
	if (!r && !s->target)
		r = json_fail(at, err, "expected a string");
	return r == -ENOMEM ? error_errno(err, ENOMEM, "read the configuration") : r;
}

static int read_short_names(struct store_config *c, const struct json_at *at, struct error **err)
{
	const char *key;
	json_t *value;
	int r = json_get_object(at, err);

	if (r)
		return r;
	json_object_foreach (at->value, key, value) {
		struct json_at member = json_member(at, key);

		r = add_short_name(c, &member, err);
		if (r)
			return r;
	}
	return 0;
}

static const char *const registry_keys[] = {"mirrors", "insecure", "blocked", "ca", NULL};

static int check_keys(const struct json_at *at, const char *const *known, struct error **err)
{
	const char *key;
	json_t *value;
	int r = json_get_object(at, err);

	if (r)
		return r;
	json_object_foreach (at->value, key, value) {
		const char *nearest = str_nearest(key, known);
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i] && nearest)
			return json_fail(at, err, "unknown key \"%s\"; did you mean \"%s\"?", key,
					 nearest);
		if (!known[i])
			return json_fail(at, err, "unknown key \"%s\"", key);
	}
	return 0;
}

static struct store_registry *registry_of(struct store_config *c, const char *name)
{
	struct store_registry *grown;

	for (size_t i = 0; i < c->registry_count; i++)
		if (strcmp(c->registries[i].name, name) == 0)
			return &c->registries[i];
	grown = reallocarray(c->registries, c->registry_count + 1, sizeof *grown);
	if (!grown)
		return NULL;
	c->registries = grown;
	grown[c->registry_count] = (struct store_registry){.name = strdup(name)};
	return grown[c->registry_count].name ? &grown[c->registry_count++] : NULL;
}

static int read_registry(struct store_config *c, const struct json_at *at, struct error **err)
{
	struct store_registry *registry = registry_of(c, at->key);
	struct json_at mirrors = json_member(at, "mirrors"), ca = json_member(at, "ca");
	struct json_at insecure = json_member(at, "insecure"), blocked = json_member(at, "blocked");
	int r;

	if (!registry)
		return error_errno(err, ENOMEM, "read the configuration");
	r = check_keys(at, registry_keys, err);
	if (!r)
		r = set_list(&mirrors, &registry->mirrors, err);
	if (!r)
		r = set_string(&ca, &registry->ca, err);
	if (!r)
		r = json_get_bool(&insecure, &registry->is_insecure, err);
	return r ? r : json_get_bool(&blocked, &registry->is_blocked, err);
}

static int read_registries(struct store_config *c, const struct json_at *at, struct error **err)
{
	const char *key;
	json_t *value;
	int r = json_get_object(at, err);

	if (r)
		return r;
	json_object_foreach (at->value, key, value) {
		struct json_at member = json_member(at, key);

		r = read_registry(c, &member, err);
		if (r)
			return r;
	}
	return 0;
}

static int read_count(const struct json_at *at, uint32_t *out, struct error **err)
{
	uint64_t number = *out;
	int r = json_get_u64(at, 64, &number, err);

	if (!r && number == 0)
		r = json_fail(at, err, "expected 1 to 64");
	if (!r)
		*out = (uint32_t)number;
	return r;
}

static int read_downloads(struct store_config *c, const struct json_at *at, struct error **err)
{
	return read_count(at, &c->downloads, err);
}

static int read_uploads(struct store_config *c, const struct json_at *at, struct error **err)
{
	return read_count(at, &c->uploads, err);
}

static const struct {
	const char *key;
	size_t offset;
} limits[] = {
	{"layer-bytes", offsetof(struct store_limits, layer_bytes)},
	{"layer-entries", offsetof(struct store_limits, layer_entries)},
	{"ratio", offsetof(struct store_limits, ratio)},
	{"depth", offsetof(struct store_limits, depth)},
	{"layers", offsetof(struct store_limits, layers)},
	{"manifest-bytes", offsetof(struct store_limits, manifest_bytes)},
	{"config-bytes", offsetof(struct store_limits, config_bytes)},
};

/* A number, or a text with a unit. */
static int read_limit(const struct json_at *at, uint64_t *out, struct error **err)
{
	const char *text = NULL;
	int r;

	if (!json_is_string(at->value))
		return json_get_u64(at, INT64_MAX, out, err);
	r = json_get_string(at, &text, err);
	if (!r && parse_bytes(text, out))
		r = json_fail(at, err, "\"%s\" is no size", text);
	return r;
}

static int read_limits(struct store_config *c, const struct json_at *at, struct error **err)
{
	const char *known[ARRAY_SIZE(limits) + 1] = {0};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		known[i] = limits[i].key;
	r = check_keys(at, known, err);
	for (size_t i = 0; i < ARRAY_SIZE(limits) && r == 0; i++) {
		struct json_at member = json_member(at, limits[i].key);

		if (member.value)
			r = read_limit(&member, (uint64_t *)((char *)&c->limits + limits[i].offset),
				       err);
	}
	return r;
}

static const struct {
	const char *key;
	reader *read;
} keys[] = {
	{"storage-driver", read_driver},
	{"storage-opts", read_storage_opts},
	{"default-registry", read_default_registry},
	{"short-names", read_short_names},
	{"insecure-registries", read_insecure},
	{"registries", read_registries},
	{"max-concurrent-downloads", read_downloads},
	{"max-concurrent-uploads", read_uploads},
	{"limits", read_limits},
};

/* --- Files --------------------------------------------------------------------------------------------------------- */

static int read_document(const struct json_at *top, struct store_config *c, struct error **err)
{
	const char *known[ARRAY_SIZE(keys) + 1] = {0};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		known[i] = keys[i].key;
	r = check_keys(top, known, err);
	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++) {
		struct json_at member = json_member(top, keys[i].key);

		if (member.value)
			r = keys[i].read(c, &member, err);
	}
	return r;
}

static int read_file(const char *path, bool is_required, struct store_config *c, struct error **err)
{
	_cleanup_json_ json_t *document = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_at top = {0};
	size_t length;
	int r;

	if (!is_required && access(path, F_OK) < 0)
		return 0;
	r = file_read_at(AT_FDCWD, path, CONFIG_MAX, &text, &length, err);
	if (!r)
		r = json_parse(text, length, path, &document, err);
	if (r)
		return r;
	top.value = document;
	r = read_document(&top, c, err);
	return r ? error_prefix(err, "configuration %s", path) : 0;
}

static int read_users_file(struct store_config *c, struct error **err)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	_cleanup_free_ char *path = NULL;
	int r = 0;

	if (base && *base == '/')
		r = asprintf(&path, "%s/dhow/config.json", base);
	else if (home && *home == '/')
		r = asprintf(&path, "%s/.config/dhow/config.json", home);
	else
		return 0;
	if (r < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "read the configuration");
	}
	return read_file(path, false, c, err);
}

int store_config_read(const char *path, struct store_config *out, struct error **err)
{
	int r;

	*out = (struct store_config){
		.default_registry = strdup("docker.io"),
		.downloads = 6,
		.uploads = 5,
		.limits = store_limits_default,
	};
	if (!out->default_registry)
		return error_errno(err, ENOMEM, "read the configuration");
	if (path)
		return read_file(path, true, out, err);
	r = read_file("/etc/dhow/config.json", false, out, err);
	return r ? r : read_users_file(out, err);
}

void store_config_clear(struct store_config *c)
{
	for (size_t i = 0; i < c->short_name_count; i++) {
		free(c->short_names[i].name);
		free(c->short_names[i].target);
	}
	for (size_t i = 0; i < c->registry_count; i++) {
		free(c->registries[i].name);
		free(c->registries[i].ca);
		strv_free(&c->registries[i].mirrors);
	}
	free(c->short_names);
	free(c->registries);
	free(c->storage_driver);
	free(c->default_registry);
	strv_free(&c->storage_opts);
	strv_free(&c->insecure_registries);
	*c = (struct store_config){0};
}

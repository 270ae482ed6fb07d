/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding, storing and erasing credentials: in a file of docker's format, or with a helper that the file names. See credentials.h. */
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer/credentials_internal.h"

#define FILE_MAX (4u << 20)

void credentials_clear(struct credentials *c)
{
	char *secrets[] = {c->password, c->identity_token};

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (secrets[i])
			explicit_bzero(secrets[i], strlen(secrets[i]));
	free(c->user);
	free(c->password);
	free(c->identity_token);
	*c = (struct credentials){0};
}

/* --- Files ------------------------------------------------------------------------------------------------------------------- */

static int add_place(struct strv *places, const char *directory, const char *rest)
{
	return directory && *directory ? strv_addf(places, "%s%s", directory, rest) : 0;
}

/* In the order of looking. With a file that was named there is no other. */
static int find_places(const char *authfile, struct strv *places)
{
	const char *named = authfile ? authfile : getenv("REGISTRY_AUTH_FILE");
	int r;

	if (named && *named)
		return strv_add(places, named);
	r = add_place(places, getenv("DOCKER_CONFIG"), "/config.json");
	if (!r)
		r = add_place(places, getenv("HOME"), "/.docker/config.json");
	if (!r)
		r = add_place(places, getenv("XDG_RUNTIME_DIR"), "/containers/auth.json");
	if (!r && geteuid() == 0)
		r = strv_add(places, "/run/containers/0/auth.json");
	return r;
}

static int read_file(const char *path, json_t **out, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = file_read_at(AT_FDCWD, path, FILE_MAX, &text, &length, err);

	if (r == -ENOENT || r == -EACCES || r == -ENOTDIR) {
		error_freep(err);
		*out = json_object();
		return *out ? 0 : error_errno(err, ENOMEM, "read credentials");
	}
	if (!r && length == 0) {
		*out = json_object();
		return *out ? 0 : error_errno(err, ENOMEM, "read credentials");
	}
	if (!r)
		r = json_parse(text, length, path, out, err);
	if (text)
		explicit_bzero(text, length);
	if (!r && !json_is_object(*out))
		return error_set(err, EINVAL, "%s: expected an object", path);
	return r;
}

/* docker.io has a name of its own in these files. */
const char *credentials_key(const char *registry)
{
	return strcmp(registry, "docker.io") == 0 ? "https://index.docker.io/v1/" : registry;
}

/* --- Entries ------------------------------------------------------------------------------------------------------------------ */

/* Keys of older files are URLs: "https://host/v1/" is host. */
static bool key_is(const char *key, const char *registry)
{
	const char *bare = str_starts(key, "https://")  ? key + 8
			   : str_starts(key, "http://") ? key + 7
							: key;
	size_t length = bare == key ? strlen(key) : strcspn(bare, "/");

	if (strcmp(key, credentials_key(registry)) == 0)
		return true;
	return strlen(registry) == length && strncasecmp(bare, registry, length) == 0;
}

static const json_t *find_entry(const json_t *auths, const char *registry, const char *repository)
{
	_cleanup_free_ char *name = repository ? strdup(repository) : NULL;
	const json_t *entry;
	const char *key;
	json_t *value;

	/* The most specific name first: host/a/b, host/a. */
	for (char *slash = name; name && slash; slash = strrchr(name, '/')) {
		if (slash != name)
			*slash = '\0';
		if (!strchr(name, '/'))
			break;
		entry = json_object_get(auths, name);
		if (entry)
			return entry;
		if (slash == name && !strrchr(name, '/'))
			break;
	}
	json_object_foreach ((json_t *)auths, key, value)
		if (key_is(key, registry))
			return value;
	return NULL;
}

static int take_entry(const json_t *entry, struct credentials *out, struct error **err)
{
	const char *auth = json_string_value(json_object_get(entry, "auth"));
	const char *identity = json_string_value(json_object_get(entry, "identitytoken"));
	_cleanup_free_ char *plain = NULL;
	char *colon;

	if (auth && *auth) {
		plain = base64_decode(auth);
		colon = plain ? strchr(plain, ':') : NULL;
		if (!colon)
			return error_set(err, EINVAL, "an \"auth\" in the credentials is damaged");
		*colon = '\0';
		out->user = strdup(plain);
		out->password = strdup(colon + 1);
		explicit_bzero(colon + 1, strlen(colon + 1));
		if (!out->user || !out->password)
			return error_errno(err, ENOMEM, "read credentials");
	}
	if (identity && *identity && !(out->identity_token = strdup(identity)))
		return error_errno(err, ENOMEM, "read credentials");
	return 0;
}

static const char *helper_for(const json_t *document, const char *registry)
{
	const json_t *helpers = json_object_get(document, "credHelpers");
	const char *key, *helper;
	json_t *value;

	json_object_foreach ((json_t *)helpers, key, value)
		if (key_is(key, registry) && json_string_value(value))
			return json_string_value(value);
	helper = json_string_value(json_object_get(document, "credsStore"));
	return helper && *helper ? helper : NULL;
}

static int find_in(const json_t *document, const char *registry, const char *repository,
		   struct credentials *out, struct error **err)
{
	const char *helper = helper_for(document, registry);
	const json_t *entry;
	int r;

	if (helper) {
		r = helper_get(helper, credentials_key(registry), out, err);
		if (r != -ENOENT)
			return r;
		error_freep(err);
	}
	entry = find_entry(json_object_get(document, "auths"), registry, repository);
	return entry ? take_entry(entry, out, err) : 0;
}

int credentials_find(const char *authfile, const char *registry, const char *repository,
		     struct credentials *out, struct error **err)
{
	_cleanup_strv_ struct strv places = {0};
	int r = 0;

	*out = (struct credentials){0};
	if (find_places(authfile, &places))
		return error_errno(err, ENOMEM, "look for credentials");
	for (size_t i = 0; i < places.count && r == 0 && !out->user && !out->identity_token; i++) {
		_cleanup_json_ json_t *document = NULL;

		r = read_file(places.items[i], &document, err);
		if (!r)
			r = find_in(document, registry, repository, out, err);
		if (r)
			r = error_prefix(err, "credentials in %s", places.items[i]);
	}
	if (r)
		credentials_clear(out);
	return r;
}

/* --- Changing ---------------------------------------------------------------------------------------------------------------- */

static int write_file(const char *path, const json_t *document, struct error **err)
{
	_cleanup_free_ char *text = json_dumps(document, JSON_INDENT(8));
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory =
		slash && slash != path ? strndup(path, (size_t)(slash - path)) : NULL;
	int r;

	if (!text)
		return error_errno(err, ENOMEM, "store credentials");
	r = directory ? make_dirs(directory, 0700, err) : 0;
	if (!r)
		r = file_replace_at(AT_FDCWD, path, text, strlen(text), 0600, true, err);
	explicit_bzero(text, strlen(text));
	return r;
}

/* The first place that exists, else the first. */
static const char *place_to_write(const struct strv *places)
{
	for (size_t i = 0; i < places->count; i++)
		if (access(places->items[i], F_OK) == 0)
			return places->items[i];
	return places->count ? places->items[0] : NULL;
}

static int set_entry(json_t *document, const char *registry, const struct credentials *c)
{
	_cleanup_free_ char *plain = NULL, *auth = NULL;
	json_t *auths = json_object_get(document, "auths"), *entry = json_object();
	int r = 0;

	if (!json_is_object(auths)) {
		auths = json_object();
		if (json_object_set_new(document, "auths", auths))
			return -ENOMEM;
	}
	if (asprintf(&plain, "%s:%s", c->user ? c->user : "", c->password ? c->password : "") < 0) {
		plain = NULL;
		r = -ENOMEM;
	}
	auth = plain ? base64_encode(plain, strlen(plain)) : NULL;
	if (plain)
		explicit_bzero(plain, strlen(plain));
	if (!auth || json_object_set_new(entry, "auth", json_string(auth)))
		r = -ENOMEM;
	if (!r && c->identity_token &&
	    json_object_set_new(entry, "identitytoken", json_string(c->identity_token)))
		r = -ENOMEM;
	if (r) {
		json_decref(entry);
		return r;
	}
	return json_object_set_new(auths, credentials_key(registry), entry) ? -ENOMEM : 0;
}

int credentials_store(const char *authfile, const char *registry, const struct credentials *c,
		      char **where, struct error **err)
{
	_cleanup_strv_ struct strv places = {0};
	_cleanup_json_ json_t *document = NULL;
	const char *path, *helper;
	int r;

	if (find_places(authfile, &places))
		return error_errno(err, ENOMEM, "store credentials");
	path = place_to_write(&places);
	if (!path)
		return error_set(err, ENOENT,
				 "no place for credentials: set HOME, or use --authfile");
	r = read_file(path, &document, err);
	if (r)
		return r;
	helper = helper_for(document, registry);
	if (helper) {
		r = helper_store(helper, credentials_key(registry), c, err);
		if (!r && asprintf(where, "docker-credential-%s", helper) < 0)
			r = error_errno(err, ENOMEM, "store credentials");
		return r;
	}
	if (set_entry(document, registry, c))
		return error_errno(err, ENOMEM, "store credentials");
	r = write_file(path, document, err);
	if (!r && !(*where = strdup(path)))
		r = error_errno(err, ENOMEM, "store credentials");
	return r;
}

static bool remove_entries(json_t *document, const char *registry)
{
	json_t *auths = json_object_get(document, "auths");
	bool found = false;
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe (auths, next, key, value)
		if (!registry || key_is(key, registry)) {
			json_object_del(auths, key);
			found = true;
		}
	return found;
}

int credentials_erase(const char *authfile, const char *registry, struct error **err)
{
	_cleanup_strv_ struct strv places = {0};
	bool found = false;
	int r = 0;

	if (find_places(authfile, &places))
		return error_errno(err, ENOMEM, "erase credentials");
	for (size_t i = 0; i < places.count && r == 0; i++) {
		_cleanup_json_ json_t *document = NULL;
		const char *helper;

		r = read_file(places.items[i], &document, err);
		if (r)
			return r;
		helper = registry ? helper_for(document, registry) : NULL;
		if (helper && helper_erase(helper, credentials_key(registry), NULL) == 0)
			found = true;
		if (remove_entries(document, registry)) {
			found = true;
			r = write_file(places.items[i], document, err);
		}
	}
	if (r || found)
		return r;
	return error_set(err, ENOENT, "not logged in to %s", registry ? registry : "any registry");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References: taking them apart, and writing them as people do. The grammar is distribution/reference's:
 *
 *   reference := [registry "/"] path [":" tag] ["@" digest]
 *   registry  := host [":" port]            host: labels of letters, digits and '-', or [IPv6]
 *   path      := component ["/" component]*  component: [a-z0-9]+ joined by '.', '_', '__' or dashes
 *   tag       := [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} */
#include <ctype.h>

#include "image/reference.h"
#include "store/blobs.h"

#define NAME_MAX_BYTES 255
#define TAG_MAX_BYTES  128

static int wrong(struct error **err, const char *text)
{
	return error_set(err, EINVAL, "invalid reference format: \"%.300s\"", text);
}

bool reference_tag_is_valid(const char *tag)
{
	size_t length = strlen(tag);

	if (length == 0 || length > TAG_MAX_BYTES || *tag == '.' || *tag == '-')
		return false;
	for (const char *c = tag; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			return false;
	return true;
}

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Length of the separator at c ('.', '_', '__', dashes), 0 for none. */
static size_t separator(const char *c)
{
	if (*c == '.')
		return 1;
	if (*c == '_')
		return c[1] == '_' ? 2 : 1;
	return strspn(c, "-");
}

static bool path_is_valid(const char *path)
{
	const char *c = path;

	for (;;) {
		if (!is_lower(*c))
			return false;
		while (is_lower(*c))
			c++;
		if (!*c)
			return true;
		if (*c == '/')
			c++;
		else if (separator(c))
			c += separator(c);
		else
			return false;
	}
}

static bool port_is_valid(const char *port)
{
	return *port && strspn(port, "0123456789") == strlen(port) && strlen(port) <= 5;
}

static bool registry_is_valid(const char *registry)
{
	const char *c = registry;
	const char *label;

	if (*c == '[') {
		size_t length = strspn(c + 1, "0123456789abcdefABCDEF:");

		c += 1 + length;
		if (!length || *c != ']')
			return false;
		c++;
		return !*c || (*c == ':' && port_is_valid(c + 1));
	}
	for (label = c; *c && *c != ':'; c++) {
		if (*c == '.') {
			if (c == label || c[-1] == '-')
				return false;
			label = c + 1;
		} else if (!isalnum((unsigned char)*c) && (*c != '-' || c == label)) {
			return false;
		}
	}
	if (c == label || c[-1] == '-')
		return false;
	return !*c || port_is_valid(c + 1);
}

/* The first component names a registry if it can't be a path's. */
static bool names_registry(const char *text, size_t length)
{
	if (length == 9 && strncmp(text, "localhost", 9) == 0)
		return true;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '.' || text[i] == ':' || isupper((unsigned char)text[i]) ||
		    text[i] == '[')
			return true;
	return false;
}

/* --- Taking apart -------------------------------------------------------------------------------------------------- */

/* Cuts the digest and the tag off name, which is a copy of ours. */
static int cut_suffixes(char *name, struct reference *out, const char *text, struct error **err)
{
	char *at = strchr(name, '@');
	char *slash, *colon;

	if (at) {
		*at = '\0';
		if (!digest_is_valid(at + 1))
			return wrong(err, text);
		out->digest = strdup(at + 1);
		if (!out->digest)
			return error_errno(err, ENOMEM, "read a reference");
	}
	slash = strrchr(name, '/');
	colon = strrchr(slash ? slash : name, ':');
	if (!colon)
		return 0;
	*colon = '\0';
	if (!reference_tag_is_valid(colon + 1))
		return wrong(err, text);
	out->tag = strdup(colon + 1);
	return out->tag ? 0 : error_errno(err, ENOMEM, "read a reference");
}

static const char *short_name(const struct store_config *config, const char *name)
{
	for (size_t i = 0; config && i < config->short_name_count; i++)
		if (strcmp(config->short_names[i].name, name) == 0)
			return config->short_names[i].target;
	return name;
}

static int split_name(const char *name, const struct store_config *config, struct reference *out,
		      struct error **err)
{
	const char *slash = strchr(name, '/');
	const char *registry =
		config && config->default_registry ? config->default_registry : "docker.io";
	bool has_registry = slash && names_registry(name, (size_t)(slash - name));
	const char *path = has_registry ? slash + 1 : name;
	bool is_hub;

	out->registry = has_registry ? strndup(name, (size_t)(slash - name)) : strdup(registry);
	if (out->registry && strcmp(out->registry, "index.docker.io") == 0)
		memcpy(out->registry, "docker.io", sizeof "docker.io");
	is_hub = out->registry && strcmp(out->registry, "docker.io") == 0;
	if (is_hub && !strchr(path, '/')) {
		if (asprintf(&out->path, "library/%s", path) < 0)
			out->path = NULL;
	} else {
		out->path = strdup(path);
	}
	if (!out->registry || !out->path ||
	    asprintf(&out->repository, "%s/%s", out->registry, out->path) < 0)
		return error_errno(err, ENOMEM, "read a reference");
	return 0;
}

static bool is_hex64(const char *name)
{
	return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

static int check_name(const struct reference *r, const char *text, struct error **err)
{
	if (!registry_is_valid(r->registry))
		return wrong(err, text);
	for (const char *c = r->path; *c; c++)
		if (isupper((unsigned char)*c))
			return error_set(
				err, EINVAL,
				"invalid reference format: repository name (%.255s) must be "
				"lowercase",
				r->path);
	if (!path_is_valid(r->path))
		return wrong(err, text);
	if (strlen(r->repository) > NAME_MAX_BYTES)
		return error_set(
			err, EINVAL,
			"invalid reference format: repository name must not be more than %d "
			"characters",
			NAME_MAX_BYTES);
	return 0;
}

int reference_parse(const char *text, const struct store_config *config, struct reference *out,
		    struct error **err)
{
	_cleanup_free_ char *name = strdup(text);
	const char *target;
	int r;

	*out = (struct reference){0};
	if (!name)
		return error_errno(err, ENOMEM, "read a reference");
	if (!*name)
		return wrong(err, text);
	if (is_hex64(name))
		return error_set(err, EINVAL,
				 "invalid repository name (%s), cannot specify 64-byte hexadecimal "
				 "strings",
				 text);
	r = cut_suffixes(name, out, text, err);
	target = short_name(config, name);
	if (!r && !*target)
		r = wrong(err, text);
	if (!r)
		r = split_name(target, config, out, err);
	if (!r)
		r = check_name(out, text, err);
	if (!r && !out->tag) {
		out->is_tag_default = true;
		if (!out->digest && !(out->tag = strdup("latest")))
			r = error_errno(err, ENOMEM, "read a reference");
	}
	if (r)
		reference_clear(out);
	return r;
}

void reference_clear(struct reference *r)
{
	free(r->registry);
	free(r->path);
	free(r->repository);
	free(r->tag);
	free(r->digest);
	*r = (struct reference){0};
}

/* --- Writing --------------------------------------------------------------------------------------------------------- */

char *repository_familiar(const char *repository)
{
	const char *rest = repository;

	if (str_starts(repository, "docker.io/library/") &&
	    !strchr(repository + strlen("docker.io/library/"), '/'))
		rest += strlen("docker.io/library/");
	else if (str_starts(repository, "docker.io/"))
		rest += strlen("docker.io/");
	return strdup(rest);
}

char *reference_familiar(const char *repository, const char *tag, const char *digest)
{
	_cleanup_free_ char *name = repository_familiar(repository);
	char *out = NULL;

	if (!name || asprintf(&out, "%s%s%s%s%s", name, tag ? ":" : "", tag ? tag : "",
			      digest ? "@" : "", digest ? digest : "") < 0)
		return NULL;
	return out;
}

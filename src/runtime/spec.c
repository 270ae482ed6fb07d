/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The doors of the configuration parser, and the top of config.json. See spec.h and spec_internal.h.
 *
 * The text becomes a jansson document first, bounded in size here and in depth by jansson. The sections
 * are then read into the structs, each field checked by itself; the rules between fields come last
 * (spec_validate.c). Fields that nobody here knows are ignored, as the specification demands. */
#include "runtime/spec_internal.h"

#define MAX_SIZE ((size_t)4 * 1024 * 1024)

/* Opens a spec around text. */
static int begin(const char *text, size_t length, const char *what, struct spec **out,
		 struct error **err)
{
	_cleanup_spec_ struct spec *spec = NULL;
	int r;

	if (length > MAX_SIZE)
		return error_set(err, EINVAL,
				 "%s: %zu bytes are more than the %zu that are allowed", what,
				 length, MAX_SIZE);
	spec = calloc(1, sizeof *spec);
	if (!spec)
		return error_errno(err, ENOMEM, "parse %s", what);
	r = json_parse(text, length, what, &spec->json, err);
	if (r)
		return r;
	if (!json_is_object(spec->json))
		return error_set(err, EINVAL, "%s: expected an object", what);
	*out = TAKE_PTR(spec);
	return 0;
}

/* A semantic version whose major number is 1, the only one there is. */
static int check_version(struct spec_parser *p, const struct json_at *root)
{
	struct json_at at = json_member(root, "ociVersion");
	const char *v = p->spec->oci_version;

	for (int i = 0; i < 3; i++) {
		size_t digits = strspn(v, "0123456789");

		if (digits == 0 || digits > 9 || (i < 2 && v[digits] != '.'))
			return spec_refuse(p, &at, p->spec->oci_version,
					   "is not a semantic version");
		if (i == 0 && strncmp(v, "1.", 2) != 0)
			return spec_refuse(p, &at, p->spec->oci_version,
					   "is not supported (only 1.x is)");
		v += digits + (i < 2);
	}
	if (*v && (!strchr("-+", *v) || strspn(v, "-+.0123456789abcdefghijklmnopqrstuvwxyz"
						  "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(v)))
		return spec_refuse(p, &at, p->spec->oci_version, "is not a semantic version");
	return 0;
}

static int parse_root(struct spec_parser *p, const struct json_at *top)
{
	static const struct spec_member members[] = {
		{"path", MEMBER_STRING, offsetof(struct spec_root, path)},
		{"readonly", MEMBER_BOOL, offsetof(struct spec_root, is_readonly)},
	};
	struct json_at at = json_member(top, "root");
	int r = spec_members_of(p, &at, members, &p->spec->root);

	if (r == 0 && !p->spec->root.path)
		return spec_missing(p, &at, "path");
	return r;
}

static int parse_sections(struct spec_parser *p, const struct json_at *top)
{
	static const struct spec_member members[] = {
		{"ociVersion", MEMBER_STRING, offsetof(struct spec, oci_version), MEMBER_REQUIRED},
		{"hostname", MEMBER_STRING, offsetof(struct spec, hostname)},
		{"domainname", MEMBER_STRING, offsetof(struct spec, domainname)},
		{"annotations", MEMBER_PAIRS, offsetof(struct spec, annotations)},
	};
	struct json_at process = json_member(top, "process"), hooks = json_member(top, "hooks");
	struct json_at os = json_member(top, "linux");
	int r = spec_members_of(p, top, members, p->spec);

	r = r ?: check_version(p, top);
	r = r ?: parse_root(p, top);
	r = r ?: spec_parse_process_at(p, &process);
	r = r ?: spec_parse_mounts(p, top);
	r = r ?: spec_parse_hooks(p, &hooks);
	r = r ?: spec_parse_linux(p, &os);
	return r ?: spec_validate(p);
}

int spec_parse(const char *text, size_t length, struct spec **out, struct error **err)
{
	_cleanup_spec_ struct spec *spec = NULL;
	int r = begin(text, length, "config.json", &spec, err);

	if (r)
		return r;
	r = parse_sections(&(struct spec_parser){spec, err},
			   &(struct json_at){.value = spec->json});
	if (r)
		return r;
	*out = TAKE_PTR(spec);
	return 0;
}

int spec_load(int bundle_fd, struct spec **out, char **text, size_t *length, struct error **err)
{
	_cleanup_free_ char *data = NULL;
	size_t size = 0;
	int r = file_read_at(bundle_fd, "config.json", MAX_SIZE, &data, &size, err);

	if (r == -ENOENT)
		return error_set(err, ENOENT, "JSON specification file config.json not found");
	r = r ?: spec_parse(data, size, out, err);
	if (r)
		return r;
	if (length)
		*length = size;
	if (text)
		*text = TAKE_PTR(data);
	return 0;
}

/* The name of a lone section's place: its errors read as those of a whole configuration. */
static struct json_at section(const char *key, json_t *value, const struct json_at *parent)
{
	return (struct json_at){.parent = parent, .key = key, .value = value};
}

int spec_parse_process(const char *text, size_t length, struct spec **out, struct error **err)
{
	_cleanup_spec_ struct spec *spec = NULL;
	struct json_at at;
	int r = begin(text, length, "process", &spec, err);

	if (r)
		return r;
	at = section("process", spec->json, NULL);
	r = spec_parse_process_at(&(struct spec_parser){spec, err}, &at);
	if (r)
		return r;
	*out = TAKE_PTR(spec);
	return 0;
}

int spec_parse_resources(const char *text, size_t length, struct spec **out, struct error **err)
{
	_cleanup_spec_ struct spec *spec = NULL;
	struct json_at at;
	int r = begin(text, length, "resources", &spec, err);

	if (r)
		return r;
	at = section("resources", spec->json, NULL);
	r = spec_parse_resources_at(&(struct spec_parser){spec, err}, &at);
	if (r)
		return r;
	*out = TAKE_PTR(spec);
	return 0;
}

const char *spec_annotation(const struct spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.count; i++)
		if (strcmp(spec->annotations.items[i].key, key) == 0)
			return spec->annotations.items[i].value;
	return NULL;
}

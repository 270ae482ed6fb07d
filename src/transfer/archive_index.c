/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents by which archives say what is in them. See archive_index.h. */
#include "store/blobs.h"
#include "transfer/archive_index.h"

/* Of one archive, and of one image. */
#define IMAGES_LIMIT 1000
#define NAMES_LIMIT  1000

void docker_index_clear(struct docker_index *index)
{
	for (size_t i = 0; i < index->count; i++) {
		free(index->entries[i].config);
		strv_free(&index->entries[i].names);
		strv_free(&index->entries[i].layers);
	}
	free(index->entries);
	*index = (struct docker_index){0};
}

static int take_strings(const struct json_at *at, uint64_t limit, struct strv *out,
			struct error **err)
{
	ssize_t count = json_get_array(at, err);

	if (count < 0)
		return (int)count;
	if ((uint64_t)count > limit)
		return json_fail(at, err, "more than %ju entries", (uintmax_t)limit);
	for (ssize_t i = 0; i < count; i++) {
		struct json_at element = json_element(at, (size_t)i);
		const char *text = NULL;
		int r = json_get_string(&element, &text, err);

		if (r)
			return r;
		if (!text || !*text)
			return json_fail(&element, err, "expected a string that isn't empty");
		if (strv_add(out, text))
			return error_errno(err, ENOMEM, "manifest.json");
	}
	return 0;
}

static int take_entry(const struct json_at *at, const struct store_limits *limits,
		      struct docker_entry *out, struct error **err)
{
	struct json_at config = json_member(at, "Config"), names = json_member(at, "RepoTags"),
		       layers = json_member(at, "Layers");
	const char *text = NULL;
	int r;

	r = json_get_object(at, err);
	if (!r)
		r = json_get_string(&config, &text, err);
	if (r)
		return r;
	if (!text || !*text)
		return json_fail(&config, err, "is missing");
	out->config = strdup(text);
	if (!out->config)
		return error_errno(err, ENOMEM, "manifest.json");
	r = take_strings(&names, NAMES_LIMIT, &out->names, err);
	return r ? r : take_strings(&layers, limits->layers, &out->layers, err);
}

int docker_index_parse(const char *text, size_t length, const struct store_limits *limits,
		       struct docker_index *out, struct error **err)
{
	_cleanup_docker_index_ struct docker_index index = {0};
	json_t *document _cleanup_json_ = NULL;
	struct json_at root = {.key = "manifest.json"};
	ssize_t count;
	int r;

	r = json_parse(text, length, "manifest.json", &document, err);
	if (r)
		return r;
	root.value = document;
	count = json_get_array(&root, err);
	if (count < 0)
		return (int)count;
	if (!count)
		return error_set(err, EINVAL, "manifest.json lists no image");
	if (count > IMAGES_LIMIT)
		return error_set(err, E2BIG, "manifest.json lists more than %d images",
				 IMAGES_LIMIT);
	index.entries = calloc((size_t)count, sizeof *index.entries);
	if (!index.entries)
		return error_errno(err, ENOMEM, "manifest.json");
	index.count = (size_t)count;
	for (size_t i = 0; i < index.count && r == 0; i++) {
		struct json_at at = json_element(&root, i);

		r = take_entry(&at, limits, &index.entries[i], err);
	}
	if (r)
		return r;
	*out = index;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): read by the cleanup. */
	index = (struct docker_index){0};
	return 0;
}

int oci_layout_check(const char *text, size_t length, struct error **err)
{
	json_t *document _cleanup_json_ = NULL;
	struct json_at root = {.key = "oci-layout"}, version;
	const char *value = NULL;
	int r;

	r = json_parse(text, length, "oci-layout", &document, err);
	if (r)
		return r;
	root.value = document;
	version = json_member(&root, "imageLayoutVersion");
	r = json_get_object(&root, err);
	if (!r)
		r = json_get_string(&version, &value, err);
	if (r)
		return r;
	if (!value || !str_starts(value, "1."))
		return error_set(err, ENOTSUP,
				 "oci-layout: version %.20s of the image layout is not known",
				 value ? value : "(none)");
	return 0;
}

static bool set_digest(const char *algorithm, const char *hex, size_t length, char *out)
{
	if (strlen(algorithm) + 1 + length >= DIGEST_SIZE)
		return false;
	snprintf(out, DIGEST_SIZE, "%s:%.*s", algorithm, (int)length, hex);
	return digest_is_valid(out);
}

bool archive_name_digest(const char *name, char *out)
{
	static const char *const endings[] = {".json", ".tar", ""};
	static const char *const algorithms[] = {"sha256", "sha512"};
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		char folder[16];
		size_t skip = (size_t)snprintf(folder, sizeof folder, "blobs/%s/", algorithms[i]);

		if (str_starts(name, folder))
			return set_digest(algorithms[i], name + skip, strlen(name + skip), out);
	}
	length = strlen(name);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t ending = strlen(endings[i]);

		if (length > ending && strcmp(name + length - ending, endings[i]) == 0)
			return set_digest("sha256", name, length - ending, out);
	}
	return false;
}

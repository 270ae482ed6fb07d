/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image's configuration, as far as dhow acts on it. OCI image spec, config.md. */
#include "image/manifest.h"

static int copy_string(const struct json_at *at, const char *key, char **out, struct error **err)
{
	struct json_at member = json_member(at, key);
	const char *text = NULL;
	int r = json_get_string(&member, &text, err);

	if (r)
		return r;
	*out = strdup(text ? text : "");
	return *out ? 0 : error_errno(err, ENOMEM, "read the image's configuration");
}

static int read_diff_ids(const struct json_at *top, const struct store_limits *limits,
			 struct strv *out, struct error **err)
{
	struct json_at rootfs = json_member(top, "rootfs");
	struct json_at ids = json_member(&rootfs, "diff_ids");
	ssize_t count;
	int r = json_get_object(&rootfs, err);

	if (!r && !rootfs.value)
		r = json_fail(&rootfs, err, "is missing");
	if (r)
		return r;
	count = json_get_array(&ids, err);
	if (count < 0)
		return (int)count;
	if ((uint64_t)count > limits->layers)
		return json_fail(&ids, err, "%zd layers are more than the limit of %ju", count,
				 (uintmax_t)limits->layers);
	for (size_t i = 0; i < (size_t)count; i++) {
		struct json_at id = json_element(&ids, i);
		const char *text = NULL;

		r = json_get_string(&id, &text, err);
		if (!r && !digest_is_valid(text))
			r = json_fail(&id, err, "invalid digest");
		if (!r && strv_add(out, text))
			r = error_errno(err, ENOMEM, "read the image's configuration");
		if (r)
			return r;
	}
	return 0;
}

static int read_created(const struct json_at *top, int64_t *out, struct error **err)
{
	struct json_at created = json_member(top, "created");
	const char *text = NULL;
	int r = json_get_string(&created, &text, err);

	if (!r && text && *text && time_parse_rfc3339(text, out))
		r = json_fail(&created, err, "\"%.64s\" is no time", text);
	return r;
}

static int read_config(const struct json_at *top, const struct store_limits *limits,
		       struct image_config *out, struct error **err)
{
	int r = json_get_object(top, err);

	if (!r)
		r = copy_string(top, "os", &out->platform.os, err);
	if (!r)
		r = copy_string(top, "architecture", &out->platform.architecture, err);
	if (!r)
		r = copy_string(top, "variant", &out->platform.variant, err);
	if (!r)
		r = read_created(top, &out->created_ns, err);
	return r ? r : read_diff_ids(top, limits, &out->diff_ids, err);
}

int image_config_parse(const char *text, size_t length, const struct store_limits *limits,
		       struct image_config *out, struct error **err)
{
	struct json_at top = {0};
	int r;

	*out = (struct image_config){0};
	if (length > limits->config_bytes)
		return error_set(
			err, EFBIG,
			"the image's configuration has %zu bytes, more than the limit of %ju",
			length, (uintmax_t)limits->config_bytes);
	r = json_parse(text, length, "image configuration", &out->document, err);
	if (r)
		return r;
	top.value = out->document;
	r = read_config(&top, limits, out, err);
	if (r)
		image_config_clear(out);
	return r ? error_prefix(err, "image configuration") : 0;
}

void image_config_clear(struct image_config *c)
{
	json_decref(c->document);
	platform_clear(&c->platform);
	strv_free(&c->diff_ids);
	*c = (struct image_config){0};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OCI layouts (OCI image spec, image-layout.md), in a tar or a directory.
 *
 * Each name of an image is an entry of index.json. Its annotations have the whole name, not the tag alone: containerd and
 * docker look for io.containerd.image.name, podman takes org.opencontainers.image.ref.name for the image's name. */
#include "transfer/save_internal.h"

static json_t *platform(const struct image *image)
{
	json_t *value =
		json_pack("{s:s, s:s}", "architecture", image->architecture, "os", image->os);

	if (value && image->variant && *image->variant)
		json_object_set_new(value, "variant", json_string(image->variant));
	return value;
}

static json_t *entry(const struct saving *s, const struct saved_image *image, const char *name)
{
	const struct image *stored = image->image->image;
	json_t *value =
		json_pack("{s:s, s:s, s:I}", "mediaType", s->format->manifest_type, "digest",
			  image->manifest, "size", (json_int_t)image->manifest_size);

	if (value && name)
		json_object_set_new(value, "annotations",
				    json_pack("{s:s, s:s}", "io.containerd.image.name", name,
					      "org.opencontainers.image.ref.name", name));
	if (value && *stored->os && *stored->architecture)
		json_object_set_new(value, "platform", platform(stored));
	return value;
}

static int add_entries(const struct saving *s, const struct saved_image *image, json_t *manifests,
		       struct error **err)
{
	for (size_t i = 0; i < image->names.count; i++)
		if (json_array_append_new(manifests, entry(s, image, image->names.items[i])))
			return error_errno(err, ENOMEM, "save");
	if (!image->names.count && json_array_append_new(manifests, entry(s, image, NULL)))
		return error_errno(err, ENOMEM, "save");
	return 0;
}

int save_index(struct saving *s, struct error **err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	json_t *manifests _cleanup_json_ = json_array();
	json_t *index _cleanup_json_ = NULL;
	int r = 0;

	for (size_t i = 0; i < s->image_count && r == 0; i++)
		r = add_entries(s, &s->images[i], manifests, err);
	if (r)
		return r;
	index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", MEDIA_OCI_INDEX,
			  "manifests", manifests);
	if (!index)
		return error_errno(err, ENOMEM, "save");
	r = save_json(s, "index.json", index, err);
	return r ? r : archive_out_document(s->out, "oci-layout", layout, strlen(layout), err);
}

#define OCI_TYPES                                                             \
	.manifest_type = MEDIA_OCI_MANIFEST, .config_type = MEDIA_OCI_CONFIG, \
	.layer_types = {[LAYER_PLAIN] = MEDIA_OCI_LAYER,                      \
			[LAYER_GZIP] = MEDIA_OCI_LAYER_GZIP,                  \
			[LAYER_ZSTD] = MEDIA_OCI_LAYER_ZSTD}

const struct save_format save_oci_archive = {
	.name = "oci-archive",
	OCI_TYPES,
	.finish = save_index,
};

const struct save_format save_oci_dir = {
	.name = "oci-dir",
	OCI_TYPES,
	.finish = save_index,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docker-archive as docker writes it since 25 (an OCI layout with manifest.json and repositories beside it), and docker-dir.
 *
 * manifest.json names the layers where the layout has them, compressed as they are: docker, podman and skopeo take them so. */
#include "transfer/save_internal.h"

static json_t *layer_names(const struct saving *s, const struct saved_image *image)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < image->layer_count; i++) {
		_cleanup_free_ char *name = save_blob_name(s, image->layers[i].digest);

		if (!name || json_array_append_new(layers, json_string(name))) {
			json_decref(layers);
			return NULL;
		}
	}
	return layers;
}

/* Docker writes null for an image without names. Names are whole ("docker.io/library/debian:latest"): docker takes them for
 * what it calls "debian:latest", but podman takes that for "localhost/debian:latest". */
static json_t *tag_names(const struct saved_image *image)
{
	json_t *tags = image->names.count ? json_array() : json_null();

	for (size_t i = 0; i < image->names.count; i++)
		if (json_array_append_new(tags, json_string(image->names.items[i]))) {
			json_decref(tags);
			return NULL;
		}
	return tags;
}

static int add_image(const struct saving *s, const struct saved_image *image, json_t *list,
		     struct error **err)
{
	_cleanup_free_ char *config = save_blob_name(s, image->image->image->id);

	if (!config || json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "Config", config,
							     "RepoTags", tag_names(image), "Layers",
							     layer_names(s, image))))
		return error_errno(err, ENOMEM, "save");
	return 0;
}

/* {"docker.io/library/debian": {"latest": HEX of the uppermost layer}}: what readers older than manifest.json go by. */
static int add_repositories(const struct saved_image *image, json_t *repositories,
			    struct error **err)
{
	for (size_t i = 0; i < image->names.count && image->layer_count; i++) {
		const char *name = image->names.items[i], *colon = strrchr(name, ':');
		const char *top = digest_hex(image->layers[image->layer_count - 1].digest);
		_cleanup_free_ char *repository =
			colon ? strndup(name, (size_t)(colon - name)) : NULL;
		json_t *tags = repository ? json_object_get(repositories, repository) : NULL;

		if (repository && !tags) {
			json_object_set_new(repositories, repository, json_object());
			tags = json_object_get(repositories, repository);
		}
		if (!tags || json_object_set_new(tags, colon + 1, json_string(top)))
			return error_errno(err, ENOMEM, "save");
	}
	return 0;
}

static int finish_docker_archive(struct saving *s, struct error **err)
{
	json_t *list _cleanup_json_ = json_array();
	json_t *repositories _cleanup_json_ = json_object();
	int r = 0;

	for (size_t i = 0; i < s->image_count && r == 0; i++) {
		r = add_image(s, &s->images[i], list, err);
		if (!r)
			r = add_repositories(&s->images[i], repositories, err);
	}
	if (!r)
		r = save_index(s, err);
	if (!r)
		r = save_json(s, "manifest.json", list, err);
	if (!r && json_object_size(repositories))
		r = save_json(s, "repositories", repositories, err);
	return r;
}

/* containers-transports(5), dir: */
static int finish_docker_dir(struct saving *s, struct error **err)
{
	static const char version[] = "Directory Transport Version: 1.1\n";
	const struct saved_image *image = &s->images[0];
	int r = archive_out_document(s->out, "version", version, strlen(version), err);

	return r ? r
		 : archive_out_document(s->out, "manifest.json", image->document,
					image->manifest_size, err);
}

const struct save_format save_docker_archive = {
	.name = "docker-archive",
	.manifest_type = MEDIA_OCI_MANIFEST,
	.config_type = MEDIA_OCI_CONFIG,
	.layer_types = {[LAYER_PLAIN] = MEDIA_OCI_LAYER,
			[LAYER_GZIP] = MEDIA_OCI_LAYER_GZIP,
			[LAYER_ZSTD] = MEDIA_OCI_LAYER_ZSTD},
	.finish = finish_docker_archive,
};

const struct save_format save_docker_dir = {
	.name = "docker-dir",
	.manifest_type = MEDIA_DOCKER_MANIFEST,
	.config_type = MEDIA_DOCKER_CONFIG,
	.layer_types = {[LAYER_PLAIN] = MEDIA_DOCKER_LAYER, [LAYER_GZIP] = MEDIA_DOCKER_LAYER_GZIP},
	.is_flat = true,
	.is_single = true,
	.finish = finish_docker_dir,
};

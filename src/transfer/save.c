/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images to files. See archive.h.
 *
 * For each image: its configuration, its layers, its manifest; behind all of them what lists them. A reader of a pipe so gets the
 * bytes in one pass, and a reader of a file finds the lists by the headers. A manifest is written as it is stored where the
 * format has its type and no layer was changed; else it is made anew, and its digest is another one then. The image's id is that of
 * its configuration, which is never changed. */
#include "transfer/save_internal.h"

static const struct save_format *const formats[] = {
	[ARCHIVE_DOCKER] = &save_docker_archive,
	[ARCHIVE_OCI] = &save_oci_archive,
	[ARCHIVE_OCI_DIR] = &save_oci_dir,
	[ARCHIVE_DOCKER_DIR] = &save_docker_dir,
};

int save_json(struct saving *s, const char *name, const json_t *value, struct error **err)
{
	_cleanup_free_ char *text = json_dumps(value, JSON_COMPACT);

	if (!text)
		return error_errno(err, ENOMEM, "save");
	return archive_out_document(s->out, name, text, strlen(text), err);
}

/* --- One image's manifest ------------------------------------------------------------------------------------------ */

static bool is_as_stored(const struct saving *s, const struct manifest *m,
			 const struct saved_image *image)
{
	if (strcmp(m->media_type, s->format->manifest_type) != 0)
		return false;
	for (size_t i = 0; i < image->layer_count; i++)
		if (strcmp(image->layers[i].source, image->layers[i].digest) != 0)
			return false;
	return true;
}

static json_t *describe(const char *media_type, const char *digest, uint64_t size)
{
	return json_pack("{s:s, s:I, s:s}", "mediaType", media_type, "size", (json_int_t)size,
			 "digest", digest);
}

static json_t *describe_layers(const struct saving *s, const struct saved_image *image)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < image->layer_count; i++) {
		const struct saved_blob *l = &image->layers[i];

		if (json_array_append_new(layers, describe(s->format->layer_types[l->compression],
							   l->digest, l->size))) {
			json_decref(layers);
			return NULL;
		}
	}
	return layers;
}

/* What a new manifest keeps of the old one: OCI's annotations. */
static int keep_annotations(const struct saving *s, const char *old, size_t length,
			    json_t *manifest, struct error **err)
{
	json_t *document _cleanup_json_ = NULL;
	json_t *annotations;
	int r = json_parse(old, length, "manifest", &document, err);

	if (r)
		return r;
	annotations = json_object_get(document, "annotations");
	if (annotations && strcmp(s->format->manifest_type, MEDIA_OCI_MANIFEST) == 0 &&
	    json_object_set(manifest, "annotations", annotations))
		return error_errno(err, ENOMEM, "save");
	return 0;
}

static int make_manifest(const struct saving *s, const struct manifest *m, const char *old,
			 size_t length, struct saved_image *image, struct error **err)
{
	json_t *manifest _cleanup_json_ = NULL;
	int r;

	manifest = json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType",
			     s->format->manifest_type, "config",
			     describe(s->format->config_type, m->config.digest, m->config.size),
			     "layers", describe_layers(s, image));
	if (!manifest)
		return error_errno(err, ENOMEM, "save");
	r = keep_annotations(s, old, length, manifest, err);
	if (r)
		return r;
	image->document = json_dumps(manifest, JSON_COMPACT);
	if (!image->document)
		return error_errno(err, ENOMEM, "save");
	image->manifest_size = strlen(image->document);
	hash_bytes(image->document, image->manifest_size, image->manifest);
	return 0;
}

/* --- One image ------------------------------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int copy_names(const struct strv *names, struct strv *out, struct error **err)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strv_contains(out, names->items[i]) && strv_add(out, names->items[i]))
			return error_errno(err, ENOMEM, "save");
	if (out->count)
		qsort(out->items, out->count, sizeof *out->items, compare_names);
	return 0;
}

static int check_platform(const struct saving *s, const struct image *image, struct error **err)
{
	const struct platform *wanted = s->opts->platform;
	const struct platform has = {
		.os = image->os, .architecture = image->architecture, .variant = image->variant};
	_cleanup_free_ char *text = NULL, *found = NULL;

	if (!wanted ||
	    (str_equal(wanted->os, has.os) && str_equal(wanted->architecture, has.architecture) &&
	     (!wanted->variant || !*wanted->variant || !has.variant || !*has.variant ||
	      str_equal(wanted->variant, has.variant))))
		return 0;
	text = platform_text(wanted);
	found = platform_text(&has);
	return error_set(err, ENOENT, "image %.19s is for %s, not for %s", image->id,
			 found ? found : "another platform", text ? text : "the one asked for");
}

static int save_layers(struct saving *s, const struct manifest *m, struct saved_image *image,
		       struct error **err)
{
	int r = save_stored_blob(s, m->config.digest, err);

	image->layers = calloc(m->count ? m->count : 1, sizeof *image->layers);
	if (!image->layers)
		return error_errno(err, ENOMEM, "save");
	for (size_t i = 0; i < m->count && r == 0; i++) {
		image->layer_count = i + 1;
		r = save_layer(s, &m->items[i], &image->layers[i], err);
	}
	return r;
}

static int save_manifest(struct saving *s, struct saved_image *image, struct error **err)
{
	const struct image *stored = image->image->image;
	_cleanup_manifest_ struct manifest m = {0};
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	r = blob_read(s->opts->store, stored->manifest, s->limits->manifest_bytes, &text, &length,
		      err);
	if (!r)
		r = manifest_parse(text, length, stored->manifest_type, s->limits, &m, err);
	if (!r && m.is_index)
		r = error_set(err, EINVAL, "its manifest is an index");
	if (!r)
		r = save_layers(s, &m, image, err);
	if (r)
		return r;
	if (is_as_stored(s, &m, image)) {
		snprintf(image->manifest, sizeof image->manifest, "%s", stored->manifest);
		image->manifest_size = length;
		image->document = TAKE_PTR(text);
		return 0;
	}
	return make_manifest(s, &m, text, length, image, err);
}

static int save_one(struct saving *s, const struct save_image *source, struct saved_image *image,
		    struct error **err)
{
	int r;

	image->image = source;
	r = copy_names(&source->names, &image->names, err);
	if (!r)
		r = save_manifest(s, image, err);
	if (r)
		return error_prefix(err, "image %.19s", source->image->id);
	if (s->format->is_flat)
		return 0;
	return save_document_blob(s, image->manifest, image->document, image->manifest_size, err);
}

/* --- The whole ------------------------------------------------------------------------------------------------------ */

static void saving_clear(struct saving *s)
{
	for (size_t i = 0; i < s->image_count; i++) {
		free(s->images[i].document);
		free(s->images[i].layers);
		strv_free(&s->images[i].names);
	}
	free(s->images);
	free(s->blobs);
	archive_out_free(s->out);
}

static int check(const struct saving *s, const struct save_image *images, size_t count,
		 struct error **err)
{
	int r = 0;

	if (s->format->is_single && count != 1)
		return error_set(err, EINVAL, "%s holds one image; there are %zu", s->format->name,
				 count);
	if (s->opts->is_compressed && s->opts->is_uncompressed)
		return error_set(err, EINVAL, "layers can't be both compressed and uncompressed");
	for (size_t i = 0; i < count && r == 0; i++)
		r = check_platform(s, images[i].image, err);
	return r;
}

static int save_folders(struct saving *s, struct error **err)
{
	int r;

	if (s->format->is_flat)
		return 0;
	r = archive_out_folder(s->out, "blobs/", err);
	return r ? r : archive_out_folder(s->out, "blobs/sha256/", err);
}

int image_save(const struct save_image *images, size_t count, const struct save_opts *opts, int fd,
	       const char *path, struct error **err)
{
	_cleanup_(saving_clear) struct saving s = {
		.opts = opts,
		.limits = &store_config(opts->store)->limits,
		.format = formats[opts->format],
		.images = calloc(count ? count : 1, sizeof *s.images),
	};
	int r;

	if (!s.images)
		return error_errno(err, ENOMEM, "save");
	r = check(&s, images, count, err);
	if (!r)
		r = archive_out_open(fd, path, &s.out, err);
	if (!r)
		r = save_folders(&s, err);
	for (size_t i = 0; i < count && r == 0; i++) {
		s.image_count = i + 1;
		r = save_one(&s, &images[i], &s.images[i], err);
	}
	if (!r)
		r = s.format->finish(&s, err);
	return r ? r : archive_out_finish(s.out, err);
}

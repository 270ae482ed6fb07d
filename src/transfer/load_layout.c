/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of an OCI layout (image-layout.md), and of docker-dir, which is one manifest with its blobs beside it.
 *
 * An index may list one image for several platforms, directly or by an index of its own; often not all of them are in the
 * archive. Of those with one name, the best for the platform is taken. Names come from the annotations; where those have
 * none, from docker's manifest.json, for an image with the same configuration. */
#include "transfer/load_internal.h"

#define NESTING_LIMIT 4
#define IMAGES_LIMIT  1000

/* --- Blobs ------------------------------------------------------------------------------------------------------- */

/* Where a blob is in the archive. Caller frees. */
static char *blob_name(const struct loading *l, const char *digest)
{
	char *name = NULL;
	int r;

	if (l->is_flat)
		return strdup(digest_hex(digest));
	r = asprintf(&name, "blobs/%.6s/%s", digest, digest_hex(digest));
	return r < 0 ? NULL : name;
}

static char *manifest_name(const struct loading *l, const char *digest)
{
	char *name = NULL;

	if (!l->is_flat)
		return blob_name(l, digest);
	return asprintf(&name, "%s.manifest.json", digest_hex(digest)) < 0 ? NULL : name;
}

static bool has_manifest(const struct loading *l, const struct descriptor *d)
{
	_cleanup_free_ char *name = manifest_name(l, d->digest);

	return name && archive_has(l->archive, name);
}

struct document {
	char *text;
	size_t length;
	struct manifest manifest;
};

static void document_clear(struct document *d)
{
	free(d->text);
	manifest_clear(&d->manifest);
}

/* Its digest is compared when the intake takes it. */
static int read_manifest(const struct loading *l, const struct descriptor *d, struct document *out,
			 struct error **err)
{
	_cleanup_free_ char *name = manifest_name(l, d->digest);
	int r;

	if (!name)
		return error_errno(err, ENOMEM, "load");
	r = archive_read_document(l->archive, name, l->limits->manifest_bytes, &out->text,
				  &out->length, err);
	if (!r)
		r = manifest_parse(out->text, out->length, d->media_type, l->limits, &out->manifest,
				   err);
	return r;
}

/* --- Choosing ---------------------------------------------------------------------------------------------------- */

static bool is_index(const struct descriptor *d)
{
	return str_equal(d->media_type, MEDIA_OCI_INDEX) ||
	       str_equal(d->media_type, MEDIA_DOCKER_LIST);
}

static bool is_manifest(const struct descriptor *d)
{
	return str_equal(d->media_type, MEDIA_OCI_MANIFEST) ||
	       str_equal(d->media_type, MEDIA_DOCKER_MANIFEST);
}

static bool is_attestation(const struct descriptor *d)
{
	return str_equal(d->platform.architecture, "unknown");
}

static int none_for_platform(const struct loading *l, struct error **err)
{
	_cleanup_free_ char *text = platform_text(l->platform);

	return error_set(err, ENOENT, "the archive has no image for %s",
			 text ? text : "this platform");
}

/* The best of candidates (borrowed descriptors): when there is but one, it is taken unless another platform was asked for. */
static int select_candidate(const struct loading *l, struct descriptor *candidates, size_t count,
			    const struct descriptor **out, struct error **err)
{
	struct manifest index = {.media_type = MEDIA_OCI_INDEX,
				 .is_index = true,
				 .items = candidates,
				 .count = count};

	*out = count ? manifest_select(&index, l->platform) : NULL;
	if (!*out && count == 1 && (!l->opts->platform || !candidates[0].platform.os))
		*out = &candidates[0];
	return *out ? 0 : none_for_platform(l, err);
}

static int descriptor_copy(const struct descriptor *d, struct descriptor *out, struct error **err)
{
	*out = (struct descriptor){
		.media_type = strdup(d->media_type), .digest = strdup(d->digest), .size = d->size};
	if (out->media_type && out->digest)
		return 0;
	descriptor_clear(out);
	return error_errno(err, ENOMEM, "load");
}

/* An index isn't kept, so no intake compares its digest. */
static int check_digest(const struct document *d, const char *digest, struct error **err)
{
	_cleanup_hash_ struct hash *hash = hash_new(digest);
	char computed[DIGEST_SIZE];

	if (!hash)
		return error_errno(err, ENOMEM, "load");
	hash_add(hash, d->text, d->length);
	hash_finish(hash, computed);
	if (strcmp(computed, digest) == 0)
		return 0;
	return error_set(err, EUCLEAN, "the content of %s has the digest %s", digest, computed);
}

static int choose(const struct loading *l, const struct descriptor *items, size_t count, int depth,
		  struct descriptor *out, struct error **err);

static int choose_in_index(const struct loading *l, const struct descriptor *d, int depth,
			   struct descriptor *out, struct error **err)
{
	_cleanup_(document_clear) struct document index = {0};
	int r;

	if (depth == NESTING_LIMIT)
		return error_set(err, EINVAL, "the archive has indexes in indexes, more than %d",
				 NESTING_LIMIT);
	r = read_manifest(l, d, &index, err);
	if (!r)
		r = check_digest(&index, d->digest, err);
	if (r)
		return r;
	return choose(l, index.manifest.items, index.manifest.count, depth + 1, out, err);
}

/* The manifest to load of several that stand for one image. *out is a copy. */
static int choose(const struct loading *l, const struct descriptor *items, size_t count, int depth,
		  struct descriptor *out, struct error **err)
{
	_cleanup_free_ struct descriptor *candidates = calloc(count ? count : 1, sizeof *items);
	const struct descriptor *chosen = NULL;
	size_t found = 0;
	int r;

	if (!candidates)
		return error_errno(err, ENOMEM, "load");
	for (size_t i = 0; i < count; i++)
		if (!is_attestation(&items[i]) && (is_index(&items[i]) || is_manifest(&items[i])) &&
		    has_manifest(l, &items[i]))
			candidates[found++] = items[i];
	if (!found && count == 1)
		return error_set(err, EINVAL, "the archive lists %s (%s), which is no image in it",
				 items[0].digest, items[0].media_type);
	/* An index doesn't tell its platforms: the first is as good as any. */
	for (size_t i = 0; i < found && !chosen; i++)
		if (is_index(&candidates[i]))
			chosen = &candidates[i];
	if (!chosen) {
		r = select_candidate(l, candidates, found, &chosen, err);
		if (r)
			return r;
	}
	if (!chosen)
		return error_set(err, ENOENT, "the archive has no image for this platform");
	return is_index(chosen) ? choose_in_index(l, chosen, depth, out, err)
				: descriptor_copy(chosen, out, err);
}

/* --- Loading one -------------------------------------------------------------------------------------------------- */

/* Names for an image that the index has none for. */
static int add_docker_names(struct load_image *image, struct error **err)
{
	const struct docker_index *docker = &image->loading->docker;

	for (size_t i = 0; i < docker->count && !image->names.count; i++) {
		char digest[DIGEST_SIZE];

		if (!archive_name_digest(docker->entries[i].config, digest) ||
		    strcmp(digest, image->config_digest) != 0)
			continue;
		for (size_t j = 0; j < docker->entries[i].names.count; j++)
			if (strv_add(&image->names, docker->entries[i].names.items[j]))
				return error_errno(err, ENOMEM, "load");
	}
	return 0;
}

static int check_size(const struct load_image *image, const char *member,
		      const struct descriptor *d, struct error **err)
{
	_cleanup_archive_member_ struct archive_member m = {.fd = -1};
	int r = archive_find(image->loading->archive, member, &m, err);

	if (!r && m.size != d->size)
		r = error_set(err, EUCLEAN, "%s has %ju bytes, but the manifest says %ju", member,
			      (uintmax_t)m.size, (uintmax_t)d->size);
	return r;
}

/* A layer that the store has needn't be in the archive. */
static int take_layers(struct load_image *image, struct manifest *m, struct error **err)
{
	const struct loading *l = image->loading;
	int r = load_image_layers(image, m->count, err);

	for (size_t i = 0; i < m->count && r == 0; i++) {
		image->layers[i] = m->items[i];
		m->items[i] = (struct descriptor){0};
		image->members[i] = blob_name(l, image->layers[i].digest);
		if (!image->members[i])
			r = error_errno(err, ENOMEM, "load");
		else if (!blob_exists(l->opts->store, image->layers[i].digest))
			r = check_size(image, image->members[i], &image->layers[i], err);
	}
	return r;
}

static int take_config(struct load_image *image, const struct manifest *m, struct error **err)
{
	_cleanup_free_ char *name = blob_name(image->loading, m->config.digest);

	if (strcmp(m->config.media_type, MEDIA_OCI_CONFIG) != 0 &&
	    strcmp(m->config.media_type, MEDIA_DOCKER_CONFIG) != 0)
		return error_set(err, EINVAL, "this is no image but an artifact of type %s",
				 m->artifact_type ? m->artifact_type : m->config.media_type);
	if (!name)
		return error_errno(err, ENOMEM, "load");
	return load_image_config(image, name, m->config.digest, err);
}

/* digest is NULL when nobody claims one. */
static int load_document(struct load_image *image, struct document *d, const char *digest,
			 struct error **err)
{
	int r;

	if (d->manifest.is_index)
		return error_set(err, EINVAL, "an index is where an image's manifest is expected");
	r = load_image_begin(image->loading, image, err);
	if (!r)
		r = intake_document(image->intake, d->text, d->length, digest, image->manifest,
				    err);
	if (!r)
		r = take_config(image, &d->manifest, err);
	if (!r)
		r = take_layers(image, &d->manifest, err);
	if (!r)
		r = add_docker_names(image, err);
	image->manifest_type = d->manifest.media_type;
	return r ? r : load_image_finish(image, err);
}

static int load_manifest(struct loading *l, const struct descriptor *d, const struct strv *names,
			 struct error **err)
{
	_cleanup_load_image_ struct load_image image = {.loading = l};
	_cleanup_(document_clear) struct document document = {0};
	int r = read_manifest(l, d, &document, err);

	for (size_t i = 0; i < names->count && r == 0; i++)
		if (strv_add(&image.names, names->items[i]))
			r = error_errno(err, ENOMEM, "load");
	return r ? r : load_document(&image, &document, d->digest, err);
}

/* --- OCI layout --------------------------------------------------------------------------------------------------- */

/* An image of the index: a manifest, and all names that lead to it. */
struct target {
	struct descriptor manifest;
	struct strv names;
};
struct targets {
	struct target *items;
	size_t count;
};

static void targets_clear(struct targets *t)
{
	for (size_t i = 0; i < t->count; i++) {
		descriptor_clear(&t->items[i].manifest);
		strv_free(&t->items[i].names);
	}
	free(t->items);
}

static struct target *find_target(struct targets *t, const char *digest)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->items[i].manifest.digest, digest) == 0)
			return &t->items[i];
	return NULL;
}

/* Takes manifest over. t has room. */
static int add_target(struct targets *t, struct descriptor *manifest, const char *name,
		      struct error **err)
{
	struct target *target = find_target(t, manifest->digest);

	if (target) {
		descriptor_clear(manifest);
	} else {
		target = &t->items[t->count++];
		target->manifest = *manifest;
	}
	if (load_name_is_reference(name) && !strv_contains(&target->names, name) &&
	    strv_add(&target->names, name))
		return error_errno(err, ENOMEM, "load");
	return 0;
}

static bool had_name(const struct manifest *index, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (index->items[i].name &&
		    str_equal(index->items[i].name, index->items[before].name))
			return true;
	return false;
}

/* The entries of one name are one image; an entry without a name is one by itself. */
static int choose_group(const struct loading *l, const struct manifest *index, size_t first,
			struct descriptor *out, struct error **err)
{
	_cleanup_free_ struct descriptor *group = calloc(index->count, sizeof *group);
	const struct descriptor *d = &index->items[first];
	size_t count = 1;

	if (!group)
		return error_errno(err, ENOMEM, "load");
	group[0] = *d;
	for (size_t i = first + 1; i < index->count && d->name; i++)
		if (str_equal(index->items[i].name, d->name) &&
		    strcmp(index->items[i].digest, d->digest) != 0)
			group[count++] = index->items[i];
	return choose(l, group, count, 0, out, err);
}

static int find_targets(const struct loading *l, const struct manifest *index, struct targets *out,
			struct error **err)
{
	out->items = calloc(index->count ? index->count : 1, sizeof *out->items);
	if (!out->items)
		return error_errno(err, ENOMEM, "load");
	for (size_t i = 0; i < index->count; i++) {
		struct descriptor chosen = {0};
		int r;

		if (is_attestation(&index->items[i]) || had_name(index, i))
			continue;
		r = choose_group(l, index, i, &chosen, err);
		if (!r)
			r = add_target(out, &chosen, index->items[i].name, err);
		if (r)
			return r;
	}
	return out->count ? 0 : error_set(err, EINVAL, "index.json lists no image");
}

static int check_layout(const struct loading *l, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = archive_read_document(l->archive, "oci-layout", 4096, &text, &length, err);

	return r ? r : oci_layout_check(text, length, err);
}

int load_oci(struct loading *l, struct error **err)
{
	_cleanup_(document_clear) struct document index = {0};
	_cleanup_(targets_clear) struct targets targets = {0};
	int r;

	r = check_layout(l, err);
	if (r)
		return r;
	r = archive_read_document(l->archive, "index.json", l->limits->manifest_bytes, &index.text,
				  &index.length, err);
	if (!r)
		r = manifest_parse(index.text, index.length, MEDIA_OCI_INDEX, l->limits,
				   &index.manifest, err);
	if (!r && index.manifest.count > IMAGES_LIMIT)
		r = error_set(err, E2BIG, "more than %d images", IMAGES_LIMIT);
	if (r)
		return error_prefix(err, "index.json");
	r = find_targets(l, &index.manifest, &targets, err);
	for (size_t i = 0; i < targets.count && r == 0; i++)
		r = load_manifest(l, &targets.items[i].manifest, &targets.items[i].names, err);
	return r;
}

/* --- docker-dir --------------------------------------------------------------------------------------------------- */

int load_docker_dir(struct loading *l, const char *manifest, size_t length, struct error **err)
{
	_cleanup_load_image_ struct load_image image = {.loading = l};
	_cleanup_(document_clear) struct document document = {.text = strndup(manifest, length),
							      .length = length};
	_cleanup_strv_ struct strv no_names = {0};
	struct descriptor chosen = {0};
	int r;

	l->is_flat = true;
	if (!document.text)
		return error_errno(err, ENOMEM, "load");
	r = manifest_parse(document.text, length, NULL, l->limits, &document.manifest, err);
	if (r)
		return error_prefix(err, "manifest.json");
	if (!document.manifest.is_index)
		return load_document(&image, &document, NULL, err);
	r = choose(l, document.manifest.items, document.manifest.count, 0, &chosen, err);
	if (!r)
		r = load_manifest(l, &chosen, &no_names, err);
	descriptor_clear(&chosen);
	return r;
}

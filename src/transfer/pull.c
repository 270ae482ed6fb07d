/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a registry into the store.
 *
 *   HEAD tag                         the digest; what is here already costs no more than that
 *   GET manifest, maybe GET index's  by digest
 *   GET configuration                tells the layers' diff ids, and so their chain ids
 *   GET layers                       several at a time, each unpacked behind its transfer (intake.h)
 *
 * Where a download went on from what an earlier try left, and then was damaged, all is tried once more from the start: a power cut may leave
 * a file whose end was never written. */
#include <pthread.h>

#include "transfer/pull.h"

struct pull {
	const struct reference *name;
	const struct pull_opts *opts;
	struct platform host; /* where opts has no platform */
	const struct platform *platform;
	struct registry *registry;
	struct intake *intake;
	struct registry_document top, image; /* image is empty when top is no index */
	struct manifest top_manifest, image_manifest;
	struct image_config config;
	pthread_mutex_t lock;
	size_t next;     /* layer that no thread has taken */
	bool can_resume; /* what earlier tries left is good */
};

static const struct manifest *manifest_of(const struct pull *p)
{
	return p->top_manifest.is_index ? &p->image_manifest : &p->top_manifest;
}

static const struct registry_document *document_of(const struct pull *p)
{
	return p->top_manifest.is_index ? &p->image : &p->top;
}

static void pull_clear(struct pull *p)
{
	intake_free(p->intake);
	registry_close(p->registry);
	registry_document_clear(&p->top);
	registry_document_clear(&p->image);
	manifest_clear(&p->top_manifest);
	manifest_clear(&p->image_manifest);
	image_config_clear(&p->config);
	platform_clear(&p->host);
	pthread_mutex_destroy(&p->lock);
}

/* --- What is here already ---------------------------------------------------------------------------------------- */

static bool has_name(const struct image *image, const struct reference *name)
{
	for (size_t i = 0; i < image->name_count; i++)
		if (image->names[i].tag && name->tag &&
		    strcmp(image->names[i].tag, name->tag) == 0 &&
		    strcmp(image->names[i].repository, name->repository) == 0)
			return true;
	return !name->tag || name->digest;
}

/* Its blobs and layers are all there: a damaged store is mended by pulling again. */
static bool is_whole(const struct pull *p, const struct image *image)
{
	if (!blob_exists(p->opts->store, image->id) ||
	    !blob_exists(p->opts->store, image->manifest))
		return false;
	for (size_t i = 0; i < image->layer_count; i++)
		if (!blob_exists(p->opts->store, image->layers[i].blob) ||
		    !storage_layer_exists(p->opts->storage, image->layers[i].chain_id))
			return false;
	return true;
}

/* 1: the image of that digest is here, and has the name now. */
static int use_present(struct pull *p, const char *digest, struct pull_result *out,
		       struct error **err)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_error_ struct error *ignored = NULL;
	int r;

	r = image_find_digest(p->opts->store, p->name->repository, digest, p->platform, &image,
			      &ignored);
	if (r < 0 || !is_whole(p, image))
		return 0;
	if (!has_name(image, p->name)) {
		r = image_tag(p->opts->store, image, p->name, err);
		if (r)
			return r;
		out->is_new = true;
	}
	snprintf(out->digest, sizeof out->digest, "%s", digest);
	out->image = strdup(image->id);
	return out->image ? 1 : error_errno(err, ENOMEM, "pull");
}

/* --- Documents ------------------------------------------------------------------------------------------------------ */

static int get_document(struct pull *p, const char *what, struct registry_document *document,
			struct manifest *manifest, struct error **err)
{
	int r = registry_manifest_get(p->registry, what, document, err);

	if (r)
		return r;
	return manifest_parse(document->data, document->length, document->content_type,
			      &store_config(p->opts->store)->limits, manifest, err);
}

static int choose_platform(struct pull *p, struct error **err)
{
	const struct descriptor *chosen = manifest_select(&p->top_manifest, p->platform);
	_cleanup_free_ char *text = platform_text(p->platform);
	int r;

	if (!chosen)
		return error_set(err, ENOENT,
				 "no matching manifest for %s in the manifest list entries",
				 text ? text : "this platform");
	r = get_document(p, chosen->digest, &p->image, &p->image_manifest, err);
	if (r)
		return r;
	if (p->image_manifest.is_index)
		return error_set(err, EINVAL,
				 "the index lists another index where an image was expected");
	return 0;
}

static int get_manifests(struct pull *p, const char *what, struct error **err)
{
	int r = get_document(p, what, &p->top, &p->top_manifest, err);

	if (!r && p->top_manifest.is_index)
		r = choose_platform(p, err);
	return r;
}

static int get_config(struct pull *p, struct error **err)
{
	const struct store_limits *limits = &store_config(p->opts->store)->limits;
	const struct descriptor *d = &manifest_of(p)->config;
	_cleanup_free_ char *data = NULL;
	size_t length;
	int r;

	if (strcmp(d->media_type, MEDIA_OCI_CONFIG) != 0 &&
	    strcmp(d->media_type, MEDIA_DOCKER_CONFIG) != 0)
		return error_set(err, EINVAL, "this is no image but an artifact of type %s",
				 d->media_type);
	r = registry_blob_get(p->registry, d, limits->config_bytes, &data, &length, err);
	if (!r)
		r = image_config_parse(data, length, limits, &p->config, err);
	return r ? r : intake_document(p->intake, data, length, d->digest, NULL, err);
}

static int keep_manifests(struct pull *p, struct error **err)
{
	int r = intake_document(p->intake, p->top.data, p->top.length, p->top.digest, NULL, err);

	if (!r && p->top_manifest.is_index)
		r = intake_document(p->intake, p->image.data, p->image.length, p->image.digest,
				    NULL, err);
	return r;
}

/* --- Layers --------------------------------------------------------------------------------------------------------- */

struct fetch {
	struct pull *pull;
	size_t position;
};

static int write_layer(void *data, const void *buf, size_t length, struct error **err)
{
	const struct fetch *f = data;
	const struct pull *p = f->pull;
	int r = intake_write(p->intake, f->position, buf, length, err);

	if (!r)
		progress_add(p->opts->progress, manifest_of(p)->items[f->position].digest, length);
	return r;
}

static int fetch_layer(struct pull *p, size_t position, struct error **err)
{
	const struct descriptor *d = &manifest_of(p)->items[position];
	struct fetch fetch = {.pull = p, .position = position};
	struct sink sink = {.write = write_layer, .data = &fetch};
	struct error *failure = NULL;
	uint64_t offset;
	int r;

	r = intake_layer_begin(p->intake, position, p->can_resume, &offset, err);
	if (r <= 0)
		return r;
	progress_state(p->opts->progress, d->digest, "Downloading", d->size);
	progress_add(p->opts->progress, d->digest, offset);
	r = registry_blob_fetch(p->registry, d, offset, sink, intake_cancelled(p->intake),
				&failure);
	if (!r)
		progress_state(p->opts->progress, d->digest, "Download complete", 0);
	r = intake_written(p->intake, position, &failure);
	error_free(failure);
	return r;
}

/* A thread takes layers until none is left. Failures are the intake's. */
static void *fetch_layers(void *data)
{
	struct pull *p = data;

	while (!*intake_cancelled(p->intake)) {
		_cleanup_error_ struct error *ignored = NULL;
		size_t position;

		pthread_mutex_lock(&p->lock);
		position = p->next;
		p->next += position < manifest_of(p)->count;
		pthread_mutex_unlock(&p->lock);
		if (position >= manifest_of(p)->count || fetch_layer(p, position, &ignored) < 0)
			break;
	}
	return NULL;
}

static void announce_layers(struct pull *p)
{
	const struct manifest *m = manifest_of(p);

	for (size_t i = 0; i < m->count; i++)
		progress_state(p->opts->progress, m->items[i].digest, "Pulling fs layer", 0);
}

static int get_layers(struct pull *p, struct error **err)
{
	const struct manifest *m = manifest_of(p);
	size_t count = store_config(p->opts->store)->downloads;
	_cleanup_free_ pthread_t *threads = NULL;
	size_t started = 0;
	int r;

	r = intake_image(p->intake, m->config.digest, &p->config, m->items, m->count, err);
	if (r)
		return r;
	announce_layers(p);
	if (count > m->count)
		count = m->count;
	threads = calloc(count ? count : 1, sizeof *threads);
	if (!threads)
		return error_errno(err, ENOMEM, "pull");
	while (started < count && pthread_create(&threads[started], NULL, fetch_layers, p) == 0)
		started++;
	if (!started)
		fetch_layers(p);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static int finish(struct pull *p, struct pull_result *out, struct error **err)
{
	const struct registry_document *document = document_of(p);
	struct image_name names[3] = {
		{.repository = p->name->repository, .digest = p->top.digest},
		{.repository = p->name->repository, .tag = p->name->tag},
	};
	struct intake_names registered = {
		.manifest = document->digest,
		.manifest_type = manifest_of(p)->media_type,
		.names = names,
		.count = p->name->tag && !p->name->digest ? 2 : 1,
		.source_repository = p->name->repository,
	};

	memcpy(out->digest, p->top.digest, sizeof out->digest);
	out->is_new = true;
	return intake_finish(p->intake, &registered, &out->image, err);
}

/* --- The whole ------------------------------------------------------------------------------------------------------ */

static int pull_image(struct pull *p, struct pull_result *out, struct error **err)
{
	struct registry_document head = {0};
	const char *what = p->name->digest ? p->name->digest : p->name->tag;
	struct intake_opts intake = {.store = p->opts->store,
				     .storage = p->opts->storage,
				     .progress = p->opts->progress};
	int r;

	if (p->name->digest) {
		r = use_present(p, p->name->digest, out, err);
		if (r)
			return r;
	}
	r = registry_open(p->name, &p->opts->registry, &p->registry, err);
	if (!r && !p->name->digest)
		r = registry_manifest_head(p->registry, what, &head, err);
	if (!r && digest_is_valid(head.digest)) {
		r = use_present(p, head.digest, out, err);
		what = head.digest;
	}
	if (r) {
		registry_document_clear(&head);
		return r;
	}
	r = get_manifests(p, what, err);
	registry_document_clear(&head);
	if (!r)
		r = intake_new(&intake, &p->intake, err);
	if (!r)
		r = keep_manifests(p, err);
	if (!r)
		r = get_config(p, err);
	if (!r)
		r = get_layers(p, err);
	return r ? r : finish(p, out, err);
}

static int pull_once(const struct reference *name, const struct pull_opts *opts,
		     struct pull_result *out, bool *is_suspect, struct error **err)
{
	_cleanup_(pull_clear) struct pull p = {
		.name = name, .opts = opts, .platform = opts->platform, .can_resume = !*is_suspect};
	int r;

	pthread_mutex_init(&p.lock, NULL);
	if (!p.platform) {
		r = platform_host(&p.host, err);
		if (r)
			return r;
		p.platform = &p.host;
	}
	r = pull_image(&p, out, err);
	*is_suspect = (r == -EUCLEAN || r == -EINVAL || r == -EFBIG) && p.intake &&
		      intake_was_resumed(p.intake);
	return r < 0 ? r : 0;
}

int image_pull(const struct reference *name, const struct pull_opts *opts, struct pull_result *out,
	       struct error **err)
{
	bool is_suspect = false;
	int r = pull_once(name, opts, out, &is_suspect, err);

	if (r < 0 && is_suspect) {
		error_freep(err);
		r = pull_once(name, opts, out, &is_suspect, err);
	}
	return r;
}

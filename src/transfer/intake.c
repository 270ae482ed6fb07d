/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The intake's life: begin, documents, what the image consists of, and letting go of all that was not finished. See
 * intake.h and intake_internal.h. */
#include <pthread.h>
#include <sched.h>

#include "transfer/intake_internal.h"

static unsigned int processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 2;
	return (unsigned int)CPU_COUNT(&set);
}

int intake_new(const struct intake_opts *opts, struct intake **out, struct error **err)
{
	_cleanup_intake_ struct intake *in = calloc(1, sizeof *in);
	unsigned int count = processors();
	int r;

	if (!in)
		return error_errno(err, ENOMEM, "take in an image");
	in->opts = *opts;
	pthread_mutex_init(&in->lock, NULL);
	pthread_cond_init(&in->changed, NULL);
	/* Each unpacks with threads of its own; two at a time keep the disk and memory in bounds. */
	in->slots = count < 2 ? 1 : count > 4 ? 4 : count;
	r = store_lease_open(opts->store, &in->lease, err);
	if (r)
		return r;
	*out = TAKE_PTR(in);
	return 0;
}

static void free_content(struct intake_content *c)
{
	if (!c)
		return;
	hash_free(c->hash);
	close_fd(&c->fd);
	free(c);
}

static void free_layer(struct intake *in, struct intake_layer_in *layer)
{
	if (layer->is_staged && !layer->is_committed)
		storage_layer_abort(in->opts.storage, &layer->staging);
	free(layer->media_type);
	free(layer->diff_id);
}

static void clear_image(struct image *image)
{
	free(image->id);
	free(image->os);
	free(image->architecture);
	free(image->variant);
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	pthread_mutex_lock(&in->lock);
	if (!in->failed) {
		in->failed = true;
		pthread_cond_broadcast(&in->changed);
	}
	pthread_mutex_unlock(&in->lock);
	for (size_t i = 0; i < in->layer_count; i++)
		if (in->layers[i].has_worker)
			pthread_join(in->layers[i].worker, NULL);
	/* From the top: a driver may have put one on the other. */
	for (size_t i = in->layer_count; i > 0; i--)
		free_layer(in, &in->layers[i - 1]);
	for (size_t i = 0; i < in->content_count; i++)
		free_content(in->contents[i]);
	free(in->layers);
	free(in->contents);
	strv_free(&in->blobs);
	clear_image(&in->image);
	store_lease_close(in->lease);
	error_free(in->error);
	pthread_cond_destroy(&in->changed);
	pthread_mutex_destroy(&in->lock);
	free(in);
}

int intake_fail(struct intake *in, struct error **err)
{
	int code = *err ? (*err)->code : EIO;

	pthread_mutex_lock(&in->lock);
	if (!in->error && (!in->failed || code != ECANCELED))
		in->error = TAKE_PTR(*err);
	in->failed = true;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	error_freep(err);
	return -code;
}

int intake_failure(struct intake *in, struct error **err)
{
	int r;

	pthread_mutex_lock(&in->lock);
	r = in->error ? error_set(err, in->error->code, "%s", in->error->message)
		      : error_errno(err, ECANCELED, "take in the image");
	pthread_mutex_unlock(&in->lock);
	return r;
}

const bool *intake_cancelled(const struct intake *in)
{
	return &in->failed;
}

bool intake_was_resumed(const struct intake *in)
{
	return in->was_resumed;
}

struct intake_content *intake_content(struct intake *in, const char *digest, uint64_t size)
{
	struct intake_content *c, **grown;

	for (size_t i = 0; i < in->content_count; i++)
		if (strcmp(in->contents[i]->digest, digest) == 0)
			return in->contents[i];
	c = calloc(1, sizeof *c);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): these are pointers. */
	grown = reallocarray(in->contents, in->content_count + 1, sizeof *grown);
	if (grown)
		in->contents = grown;
	if (!c || !grown) {
		free(c);
		return NULL;
	}
	snprintf(c->digest, sizeof c->digest, "%s", digest);
	c->size = size;
	c->fd = -1;
	in->contents[in->content_count++] = c;
	return c;
}

/* --- Documents ------------------------------------------------------------------------------------------------- */

static int write_document(struct intake *in, struct intake_content *c, const char *data,
			  size_t length, struct error **err)
{
	c->fd = blob_ingest_anonymous(in->opts.store, err);
	if (c->fd < 0)
		return c->fd;
	c->is_anonymous = true;
	errno = 0;
	if (fd_write_all(c->fd, data, length) < 0)
		return error_errno(err, errno ? errno : EIO, "write blob %s", c->digest);
	return 0;
}

int intake_document(struct intake *in, const char *data, size_t length, const char *digest,
		    char out_digest[DIGEST_SIZE], struct error **err)
{
	struct intake_content *c;
	char computed[DIGEST_SIZE];
	_cleanup_hash_ struct hash *hash = hash_new(digest ? digest : "sha256");
	int r;

	if (!hash)
		return error_errno(err, ENOMEM, "take in a document");
	hash_add(hash, data, length);
	hash_finish(hash, computed);
	if (digest && strcmp(digest, computed) != 0)
		return error_set(err, EUCLEAN, "the content of %s has the digest %s", digest,
				 computed);
	if (out_digest)
		memcpy(out_digest, computed, sizeof computed);
	c = intake_content(in, computed, length);
	if (!c || (!strv_contains(&in->blobs, computed) && strv_add(&in->blobs, computed)))
		return error_errno(err, ENOMEM, "take in a document");
	if (c->is_done)
		return 0;
	r = store_lease_add(in->lease, computed, err);
	if (r)
		return r;
	if (blob_exists(in->opts.store, computed))
		c->is_published = true;
	else
		r = write_document(in, c, data, length, err);
	c->have = length;
	c->is_done = r == 0;
	return r;
}

/* --- The image --------------------------------------------------------------------------------------------------- */

static int describe_layer(struct intake *in, size_t position, const struct descriptor *d,
			  const char *diff_id, struct error **err)
{
	struct intake_layer_in *layer = &in->layers[position];
	int r;

	layer->intake = in;
	layer->position = position;
	layer->parent = position ? in->layers[position - 1].chain_id : NULL;
	if (d->has_urls)
		return error_set(
			err, ENOTSUP,
			"layer %s is kept elsewhere (a foreign layer), which dhow does not follow",
			d->digest);
	r = layer_media_compression(d->media_type, &layer->compression, err);
	if (r)
		return r;
	chain_id(layer->parent, diff_id, layer->chain_id);
	layer->media_type = strdup(d->media_type);
	layer->diff_id = strdup(diff_id);
	layer->content = intake_content(in, d->digest, d->size);
	if (!layer->media_type || !layer->diff_id || !layer->content ||
	    (!strv_contains(&in->blobs, d->digest) && strv_add(&in->blobs, d->digest)))
		return error_errno(err, ENOMEM, "take in layer %s", d->digest);
	if (layer->content->size != d->size)
		return error_set(err, EINVAL, "layer %s has two sizes in one manifest", d->digest);
	return 0;
}

static int describe_image(struct intake *in, const char *config_digest,
			  const struct image_config *config, struct error **err)
{
	struct image *image = &in->image;

	image->id = strdup(config_digest);
	image->os = strdup(config->platform.os ? config->platform.os : "");
	image->architecture =
		strdup(config->platform.architecture ? config->platform.architecture : "");
	image->variant = strdup(config->platform.variant ? config->platform.variant : "");
	image->created_ns = config->created_ns;
	if (!image->id || !image->os || !image->architecture || !image->variant)
		return error_errno(err, ENOMEM, "take in image %s", config_digest);
	return 0;
}

int intake_image(struct intake *in, const char *config_digest, const struct image_config *config,
		 const struct descriptor *layers, size_t layer_count, struct error **err)
{
	int r = 0;

	if (layer_count != config->diff_ids.count)
		return error_set(
			err, EINVAL,
			"the manifest has %zu layers, but the configuration %s has %zu diff ids",
			layer_count, config_digest, config->diff_ids.count);
	in->layers = calloc(layer_count ? layer_count : 1, sizeof *in->layers);
	if (!in->layers)
		return error_errno(err, ENOMEM, "take in image %s", config_digest);
	r = describe_image(in, config_digest, config, err);
	for (size_t i = 0; i < layer_count && r == 0; i++) {
		in->layer_count = i + 1;
		r = describe_layer(in, i, &layers[i], config->diff_ids.items[i], err);
	}
	return r;
}

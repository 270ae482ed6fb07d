/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the store to a registry.
 *
 * Blobs first, several at a time: one that is there is skipped, one that the registry has in another repository is
 * mounted, the rest is uploaded. Then the manifest, which may name only what is there. It is sent byte for byte as it
 * came, so that the digest stays; only where layers are compressed anew, or another kind of manifest is asked for, a new
 * one is written (push_manifest.c). */
#include <pthread.h>
#include <unistd.h>

#include "transfer/push_internal.h"

#define MOUNTS_TRIED 3

static void push_clear(struct push *p)
{
	registry_close(p->registry);
	for (size_t i = 0; i < p->part_count; i++) {
		close_fd(&p->parts[i].fd);
		free(p->parts[i].media_type);
		error_free(p->parts[i].error);
	}
	free(p->parts);
	free(p->manifest);
	manifest_clear(&p->original);
	store_lease_close(p->lease);
	pthread_mutex_destroy(&p->lock);
}

/* --- One blob ------------------------------------------------------------------------------------------------------- */

/* 1: the registry took it from another of its repositories. */
static int mount_elsewhere(struct push *p, struct push_part *part, struct error **err)
{
	_cleanup_strv_ struct strv sources = {0};
	int r;

	pthread_mutex_lock(&p->lock);
	r = blob_source_list(p->opts->store, p->name->registry, part->digest, &sources, err);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < sources.count && i < MOUNTS_TRIED && r == 0; i++) {
		const char *path = sources.items[i] + strlen(p->name->registry) + 1;
		_cleanup_error_ struct error *ignored = NULL;
		char text[64];

		if (strcmp(sources.items[i], p->name->repository) == 0)
			continue;
		/* A source that is gone, or isn't ours to read, is no failure. */
		if (registry_blob_mount(p->registry, part->digest, path, &ignored) != 1)
			continue;
		snprintf(text, sizeof text, "Mounted from %s", path);
		progress_state(p->opts->progress, part->digest, text, 0);
		return 1;
	}
	return r;
}

struct upload {
	struct push *push;
	const char *digest;
};

static void count_upload(void *data, uint64_t bytes)
{
	const struct upload *u = data;

	progress_add(u->push->opts->progress, u->digest, bytes);
}

static int upload_part(struct push *p, struct push_part *part, struct error **err)
{
	struct upload upload = {.push = p, .digest = part->digest};
	_cleanup_fd_ int stored =
		part->fd < 0 ? blob_open(p->opts->store, part->digest, NULL, err) : -1;
	int r, fd = part->fd < 0 ? stored : part->fd;

	if (fd < 0)
		return fd;
	progress_state(p->opts->progress, part->digest, "Pushing", part->size);
	r = registry_blob_upload(p->registry, part->digest, fd, part->size, count_upload, &upload,
				 err);
	if (!r)
		progress_state(p->opts->progress, part->digest, "Pushed", 0);
	return r;
}

static int push_part(struct push *p, struct push_part *part, struct error **err)
{
	int r;

	r = registry_blob_exists(p->registry, part->digest, err);
	if (r == 1)
		progress_state(p->opts->progress, part->digest, "Layer already exists", 0);
	if (r == 0)
		r = mount_elsewhere(p, part, err);
	if (r == 0)
		r = upload_part(p, part, err);
	return r < 0 ? r : 0;
}

/* --- All of them ---------------------------------------------------------------------------------------------------- */

static void *push_parts(void *data)
{
	struct push *p = data;

	for (;;) {
		struct push_part *part = NULL;

		pthread_mutex_lock(&p->lock);
		if (!p->failed && p->next < p->part_count)
			part = &p->parts[p->next++];
		pthread_mutex_unlock(&p->lock);
		if (!part)
			return NULL;
		if (push_part(p, part, &part->error) < 0) {
			pthread_mutex_lock(&p->lock);
			p->failed = true;
			pthread_mutex_unlock(&p->lock);
		}
	}
}

static int push_blobs(struct push *p, struct error **err)
{
	size_t count = store_config(p->opts->store)->uploads;
	_cleanup_free_ pthread_t *threads = NULL;
	size_t started = 0;

	if (count > p->part_count)
		count = p->part_count;
	threads = calloc(count ? count : 1, sizeof *threads);
	if (!threads)
		return error_errno(err, ENOMEM, "push");
	while (started < count && pthread_create(&threads[started], NULL, push_parts, p) == 0)
		started++;
	if (!started)
		push_parts(p);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < p->part_count; i++)
		if (p->parts[i].error)
			return error_set(err, p->parts[i].error->code, "%s",
					 p->parts[i].error->message);
	return 0;
}

/* What was pushed is known by its digest in that repository from now on, and may be mounted from there. */
static int remember(struct push *p, const char *digest, struct error **err)
{
	_cleanup_strv_ struct strv digests = {0};
	int r = 0;

	for (size_t i = 0; i < p->part_count && r == 0; i++)
		r = strv_add(&digests, p->parts[i].digest);
	if (r)
		return error_errno(err, ENOMEM, "push");
	r = blob_source_add(p->opts->store, p->name->repository, &digests, err);
	if (r || p->is_rewritten)
		return r;
	return image_digest_add(p->opts->store, p->image, p->name->repository, digest, err);
}

int image_push(const struct image *image, const struct reference *name,
	       const struct push_opts *opts, struct push_result *out, struct error **err)
{
	_cleanup_(push_clear) struct push p = {.image = image, .name = name, .opts = opts};
	struct registry_opts registry = opts->registry;
	int r;

	pthread_mutex_init(&p.lock, NULL);
	registry.is_push = true;
	r = push_prepare(&p, err);
	if (!r)
		r = registry_open(name, &registry, &p.registry, err);
	if (!r)
		r = push_blobs(&p, err);
	if (!r)
		r = registry_manifest_put(p.registry, name->tag ? name->tag : p.manifest_digest,
					  p.manifest_type, p.manifest, p.manifest_length, err);
	if (!r)
		r = remember(&p, p.manifest_digest, err);
	if (r)
		return r;
	snprintf(out->digest, sizeof out->digest, "%s", p.manifest_digest);
	out->size = p.manifest_length;
	return 0;
}

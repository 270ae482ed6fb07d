/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes become an image on top of another. See archive.h.
 *
 * The walk that writes the layer's tar and the spooling that compresses it and takes it in run side by side, a pipe between them. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "transfer/assemble.h"

/* The walk, in a thread of its own. Its error is the reader's at the end of the pipe. */
struct walker {
	const struct diff_opts *diff;
	pthread_t thread;
	bool is_running;
	int in, out; /* the pipe's ends */
	int result;
	struct error *error;
};

static int write_pipe(void *data, const void *buf, size_t size, struct error **err)
{
	const struct walker *w = data;
	int r = fd_write_all(w->in, buf, size);

	return r < 0 ? error_errno(err, -r, "pass the layer on") : 0;
}

static void *walk(void *data)
{
	struct walker *w = data;
	struct sink sink = {.write = write_pipe, .data = w};

	w->result = layer_diff(w->diff, sink, &w->error);
	close_fd(&w->in);
	return NULL;
}

static int walker_start(struct walker *w, struct error **err)
{
	sigset_t all, before;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "make a pipe");
	w->out = ends[0];
	w->in = ends[1];
	/* The bytes of half a second or so; it may be refused. */
	fcntl(w->in, F_SETPIPE_SZ, 1 << 20);
	/* Signals are for the caller's thread, and a reader that went away is an error here, no signal. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&w->thread, NULL, walk, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return error_errno(err, r, "start a thread");
	w->is_running = true;
	return 0;
}

static int walker_join(struct walker *w, struct error **err)
{
	if (w->is_running)
		pthread_join(w->thread, NULL);
	w->is_running = false;
	if (w->result < 0 && w->error)
		error_set(err, w->error->code, "%s", w->error->message);
	return w->result;
}

static ssize_t read_walker(void *data, void *buf, size_t size, struct error **err)
{
	struct walker *w = data;
	ssize_t n;

	do
		n = read(w->out, buf, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "read the layer");
	return n > 0 ? n : walker_join(w, err);
}

static void walker_clear(struct walker *w)
{
	close_fd(&w->out);
	if (w->is_running)
		pthread_join(w->thread, NULL);
	close_fd(&w->in);
	error_free(w->error);
}

static int spool_changes(struct intake *in, const struct commit_opts *opts,
			 struct intake_blob *blob, struct error **err)
{
	_cleanup_(walker_clear) struct walker w = {.diff = opts->diff, .in = -1, .out = -1};
	int r = walker_start(&w, err);

	return r < 0 ? r
		     : intake_spool(in, (struct source){.read = read_walker, .data = &w},
				    opts->compression, blob, err);
}

/* The parent's document as it is; its layers are the new image's, too. */
static int take_parent(struct assembly *a, const struct commit_opts *opts, struct error **err)
{
	_cleanup_image_config_ struct image_config config = {0};
	int r = image_read_config(opts->store, opts->parent, &config, err);

	if (r < 0)
		return r;
	a->document = json_deep_copy(config.document);
	if (!a->document)
		return error_errno(err, ENOMEM, "commit");
	json_object_del(a->document, "rootfs");
	if (opts->is_squashed)
		return json_object_del(a->document, "history"), 0;
	for (size_t i = 0; i < opts->parent->layer_count && r == 0; i++) {
		const struct image_layer *l = &opts->parent->layers[i];
		struct assembly_layer layer = {
			.digest = l->blob, .diff_id = l->diff_id, .size = l->blob_size};

		r = layer_media_compression(l->media_type, &layer.compression, err);
		if (r == 0)
			r = assembly_add(a, &layer, err);
	}
	return r;
}

static int new_document(struct assembly *a, struct error **err)
{
	_cleanup_(platform_clear) struct platform host = {0};
	int r = platform_host(&host, err);

	if (r < 0)
		return r;
	a->document =
		json_pack("{s:s, s:s, s:s*}", "architecture", host.architecture, "os", host.os,
			  "variant", host.variant && *host.variant ? host.variant : NULL);
	return a->document ? 0 : error_errno(err, ENOMEM, "commit");
}

static int fill_document(struct assembly *a, const struct commit_opts *opts, struct error **err)
{
	json_t *config = opts->config ? json_deep_copy(opts->config) : json_object();

	/* What docker notes of the container that the parent came from. */
	json_object_del(a->document, "container");
	json_object_del(a->document, "container_config");
	json_object_del(a->document, "author");
	if (json_object_set_new(a->document, "created", json_time(opts->created_ns)) < 0 ||
	    json_object_set_new(a->document, "config", config) < 0 ||
	    (opts->author && *opts->author &&
	     json_object_set_new(a->document, "author", json_string(opts->author)) < 0))
		return error_errno(err, ENOMEM, "commit");
	return config_changes(a->document, opts->changes, err);
}

static const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static int add_history(struct assembly *a, const struct commit_opts *opts, struct error **err)
{
	_cleanup_json_ json_t *entry =
		json_pack("{s:o, s:s*, s:s*, s:s*}", "created", json_time(opts->created_ns),
			  "created_by", text_or_null(opts->created_by), "author",
			  text_or_null(opts->author), "comment", text_or_null(opts->message));

	return entry ? assembly_history(a, entry, err) : error_errno(err, ENOMEM, "commit");
}

int image_commit(const struct commit_opts *opts, char **image_id, struct error **err)
{
	struct intake_opts intake_opts = {
		.store = opts->store, .storage = opts->storage, .progress = opts->progress};
	_cleanup_intake_ struct intake *in = NULL;
	_cleanup_assembly_ struct assembly a = {
		.store = opts->store,
		.name = opts->name,
		.is_docker = opts->is_docker,
		.parent = opts->parent && !opts->is_squashed ? opts->parent->id : NULL};
	struct intake_blob blob;
	int r = opts->parent ? take_parent(&a, opts, err) : new_document(&a, err);

	if (r == 0 && opts->is_squashed && opts->diff->trees->lower >= 0)
		r = error_set(err, EINVAL, "to squash takes the whole tree, not its changes");
	if (r == 0)
		r = fill_document(&a, opts, err);
	if (r == 0)
		r = intake_new(&intake_opts, &in, err);
	if (r == 0)
		r = spool_changes(in, opts, &blob, err);
	if (r < 0)
		return r;
	a.intake = in;
	r = assembly_add(&a,
			 &(struct assembly_layer){.digest = blob.digest,
						  .diff_id = blob.diff_id,
						  .size = blob.size,
						  .compression = blob.compression},
			 err);
	if (r == 0)
		r = add_history(&a, opts, err);
	return r < 0 ? r : assembly_finish(&a, image_id, err);
}

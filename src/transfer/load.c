/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images from files. See archive.h.
 *
 * The archive is opened as a set of members (archive_read.h), whatever it came as. What documents it has tells the format:
 *
 *   oci-layout, index.json    OCI layout; docker 25 and later writes it, too, beside its own manifest.json
 *   manifest.json, a list     docker save, podman save
 *   manifest.json, an object  docker-dir (skopeo's dir:)
 *
 * Each image goes through an intake of its own, so that an image that was told of is whole, whatever becomes of those after it. */
#include "transfer/load_internal.h"

#define COPY_BYTES (256u << 10)

void load_result_clear(struct load_result *r)
{
	strv_free(&r->names);
	strv_free(&r->ids);
}

/* --- One image --------------------------------------------------------------------------------------------------- */

int load_image_begin(struct loading *l, struct load_image *image, struct error **err)
{
	struct intake_opts opts = {.store = l->opts->store,
				   .storage = l->opts->storage,
				   .progress = l->opts->progress};

	image->loading = l;
	return intake_new(&opts, &image->intake, err);
}

void load_image_clear(struct load_image *image)
{
	intake_free(image->intake);
	image_config_clear(&image->config);
	for (size_t i = 0; i < image->layer_count; i++) {
		descriptor_clear(&image->layers[i]);
		free(image->members[i]);
	}
	free(image->layers);
	free(image->members);
	strv_free(&image->names);
}

int load_image_layers(struct load_image *image, size_t count, struct error **err)
{
	image->layers = calloc(count ? count : 1, sizeof *image->layers);
	image->members = calloc(count ? count : 1, sizeof *image->members);
	if (!image->layers || !image->members)
		return error_errno(err, ENOMEM, "load");
	image->layer_count = count;
	return 0;
}

static bool is_asked_for(const struct platform *wanted, const struct platform *found)
{
	return !wanted || (str_equal(wanted->os, found->os) &&
			   str_equal(wanted->architecture, found->architecture) &&
			   (!wanted->variant || !*wanted->variant || !found->variant ||
			    !*found->variant || str_equal(wanted->variant, found->variant)));
}

/* An archive with one image may say nothing of its platform until here. */
static int check_platform(const struct load_image *image, struct error **err)
{
	const struct platform *wanted = image->loading->opts->platform;
	_cleanup_free_ char *text = NULL, *found = NULL;

	if (is_asked_for(wanted, &image->config.platform))
		return 0;
	text = platform_text(wanted);
	found = platform_text(&image->config.platform);
	return error_set(err, ENOENT, "the archive has no image for %s, but one for %s",
			 text ? text : "this platform", found ? found : "another");
}

int load_image_config(struct load_image *image, const char *member, const char *digest,
		      struct error **err)
{
	const struct loading *l = image->loading;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	r = archive_read_document(l->archive, member, l->limits->config_bytes, &text, &length, err);
	if (r)
		return r;
	r = intake_document(image->intake, text, length, digest, image->config_digest, err);
	if (!r)
		r = image_config_parse(text, length, l->limits, &image->config, err);
	return r ? error_prefix(err, "%s", member) : check_platform(image, err);
}

/* --- Layers ------------------------------------------------------------------------------------------------------ */

static int copy_member(struct load_image *image, size_t position, struct archive_member *m,
		       struct error **err)
{
	const char *digest = image->layers[position].digest;
	struct progress *progress = image->loading->opts->progress;
	struct source source = archive_member_source(m);
	_cleanup_free_ char *buf = malloc(COPY_BYTES);
	ssize_t n;
	int r = 0;

	if (!buf)
		return error_errno(err, ENOMEM, "load layer %s", digest);
	while (r == 0 && (n = source.read(source.data, buf, COPY_BYTES, err)) != 0) {
		if (n < 0)
			return (int)n;
		r = intake_write(image->intake, position, buf, (size_t)n, err);
		progress_add(progress, digest, (uint64_t)n);
	}
	return r;
}

static int load_layer(struct load_image *image, size_t position, struct error **err)
{
	_cleanup_archive_member_ struct archive_member m = {.fd = -1};
	const struct archive *archive = image->loading->archive;
	const char *member = image->members[position];
	struct error *failure = NULL;
	uint64_t offset;
	int r;

	r = intake_layer_begin(image->intake, position, false, &offset, err);
	if (r <= 0)
		return r;
	progress_state(image->loading->opts->progress, image->layers[position].digest,
		       "Loading layer", image->layers[position].size);
	/* A failure is told to the intake, which ends with it. */
	if (archive_find(archive, member, &m, &failure) == 0)
		copy_member(image, position, &m, &failure);
	r = intake_written(image->intake, position, &failure);
	if (!r)
		archive_forget(archive, member);
	if (r && failure)
		error_set(err, failure->code, "%s", failure->message);
	error_free(failure);
	return r;
}

static int load_layers(struct load_image *image, struct error **err)
{
	int r = intake_image(image->intake, image->config_digest, &image->config, image->layers,
			     image->layer_count, err);

	for (size_t i = 0; i < image->layer_count && r == 0; i++)
		r = load_layer(image, i, err);
	return r;
}

/* --- Names ------------------------------------------------------------------------------------------------------- */

bool load_name_is_reference(const char *name)
{
	_cleanup_reference_ struct reference reference = {0};

	/* A word alone is what OCI layouts have for tags. */
	return name && strpbrk(name, ":/") && reference_parse(name, NULL, &reference, NULL) == 0 &&
	       !reference.digest;
}

struct name_set {
	struct reference *references;
	struct image_name *names;
	size_t count;
};

static void name_set_clear(struct name_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		reference_clear(&set->references[i]);
	free(set->references);
	free(set->names);
}

static int parse_names(const struct strv *names, struct name_set *out, struct error **err)
{
	out->references = calloc(names->count + 1, sizeof *out->references);
	out->names = calloc(names->count + 1, sizeof *out->names);
	if (!out->references || !out->names)
		return error_errno(err, ENOMEM, "load");
	for (size_t i = 0; i < names->count; i++) {
		struct reference *reference = &out->references[i];
		int r = reference_parse(names->items[i], NULL, reference, err);

		if (r)
			return error_prefix(err, "the archive names an image %s", names->items[i]);
		out->count++;
		if (reference->digest || !reference->tag)
			return error_set(err, EINVAL,
					 "the archive names an image %s, which is no tag",
					 names->items[i]);
		out->names[i] = (struct image_name){.repository = reference->repository,
						    .tag = reference->tag};
	}
	return 0;
}

static int record(struct load_image *image, const struct name_set *set, const char *id,
		  struct error **err)
{
	struct load_result *result = image->loading->result;
	int r = strv_add(&result->ids, id);

	for (size_t i = 0; i < set->count && r == 0; i++) {
		_cleanup_free_ char *text =
			reference_familiar(set->names[i].repository, set->names[i].tag, NULL);

		r = text ? strv_add(&result->names, text) : -ENOMEM;
	}
	if (!r && !set->count)
		r = strv_add(&result->names, id);
	return r ? error_errno(err, ENOMEM, "load") : 0;
}

int load_image_finish(struct load_image *image, struct error **err)
{
	_cleanup_(name_set_clear) struct name_set set = {0};
	_cleanup_free_ char *id = NULL;
	struct intake_names names = {.manifest = image->manifest,
				     .manifest_type = image->manifest_type};
	int r;

	r = parse_names(&image->names, &set, err);
	if (r)
		return r;
	names.names = set.names;
	names.count = set.count;
	r = load_layers(image, err);
	if (r && r != -ECANCELED)
		return r;
	/* Cancelled: what failed, and why, is the intake's to say. */
	error_freep(err);
	r = intake_finish(image->intake, &names, &id, err);
	return r ? r : record(image, &set, id, err);
}

/* --- The whole --------------------------------------------------------------------------------------------------- */

static int load_unknown(const struct loading *l, struct error **err)
{
	if (archive_has(l->archive, "repositories"))
		return error_set(
			err, ENOTSUP,
			"this is an archive of docker before 1.10 (it has 'repositories', but no "
			"manifest.json), which dhow doesn't read; load and save it with a docker "
			"that does");
	if (archive_has(l->archive, "etc/passwd") || archive_has(l->archive, "bin/sh") ||
	    archive_has(l->archive, "usr/bin/sh"))
		return error_set(
			err, EINVAL,
			"this is no image but a file system; dhow import makes an image of it");
	return error_set(
		err, EINVAL,
		"this is no image: neither manifest.json nor index.json with oci-layout is "
		"in it");
}

/* What comes first in a JSON text. */
static char first_of(const char *text)
{
	return text[strspn(text, " \t\r\n")];
}

static int load_archive(struct loading *l, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	bool is_oci =
		archive_has(l->archive, "oci-layout") && archive_has(l->archive, "index.json");
	size_t length;
	int r;

	if (!archive_has(l->archive, "manifest.json"))
		return is_oci ? load_oci(l, err) : load_unknown(l, err);
	r = archive_read_document(l->archive, "manifest.json", l->limits->manifest_bytes, &text,
				  &length, err);
	if (r)
		return r;
	if (first_of(text) == '{' && !is_oci)
		return load_docker_dir(l, text, length, err);
	r = docker_index_parse(text, length, l->limits, &l->docker, err);
	if (r)
		return r;
	return is_oci ? load_oci(l, err) : load_docker(l, err);
}

int image_load(int fd, const char *path, const struct load_opts *opts, struct load_result *out,
	       struct error **err)
{
	struct loading l = {.opts = opts,
			    .limits = &store_config(opts->store)->limits,
			    .platform = opts->platform,
			    .result = out};
	int r = 0;

	if (!l.platform) {
		r = platform_host(&l.host, err);
		l.platform = &l.host;
	}
	if (!r)
		r = archive_open(fd, path, opts->store, &l.archive, err);
	if (!r)
		r = load_archive(&l, err);
	archive_close(l.archive);
	docker_index_clear(&l.docker);
	platform_clear(&l.host);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file system tar becomes an image of one layer. See archive.h.
 *
 * The tar is kept as it came when an image may have its compression (plain ones become gzip), else it is decompressed on the way. */
#include <string.h>

#include "transfer/assemble.h"

/* A source whose first bytes were looked at. */
struct peeked {
	struct source source;
	char start[6];
	size_t length, used;
};

static ssize_t read_peeked(void *data, void *buf, size_t size, struct error **err)
{
	struct peeked *p = data;
	size_t left = p->length - p->used;

	if (left == 0)
		return p->source.read(p->source.data, buf, size, err);
	if (size > left)
		size = left;
	memcpy(buf, p->start + p->used, size);
	p->used += size;
	return (ssize_t)size;
}

static int peek(struct peeked *p, struct error **err)
{
	while (p->length < sizeof p->start) {
		ssize_t n = p->source.read(p->source.data, p->start + p->length,
					   sizeof p->start - p->length, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		p->length += (size_t)n;
	}
	return p->length ? 0 : error_set(err, EINVAL, "the archive is empty");
}

static int spool(struct intake *in, struct source source, struct intake_blob *blob,
		 struct error **err)
{
	struct peeked p = {.source = source};
	struct source start = {.read = read_peeked, .data = &p};
	struct decompressor *d = NULL;
	enum layer_compression found;
	int r = peek(&p, err);

	if (r < 0)
		return r;
	found = compression_detect(p.start, p.length);
	if (found == LAYER_XZ || found == LAYER_BZIP2) {
		r = decompressor_new(found, start, &d, err);
		if (r == 0)
			r = intake_spool(in, decompressor_source(d), LAYER_GZIP, blob, err);
		decompressor_free(d);
		return r;
	}
	return intake_spool(in, start, LAYER_GZIP, blob, err);
}

static json_t *new_document(const struct import_opts *opts, const struct platform *platform)
{
	json_t *created = json_time(opts->created_ns);
	const char *variant = platform->variant && *platform->variant ? platform->variant : NULL;

	return json_pack("{s:o, s:s, s:s, s:s*, s:{}}", "created", created, "architecture",
			 platform->architecture, "os", platform->os, "variant", variant, "config");
}

static int add_history(struct assembly *a, const struct import_opts *opts, struct error **err)
{
	_cleanup_json_ json_t *entry =
		json_pack("{s:o, s:s*}", "created", json_time(opts->created_ns), "comment",
			  opts->message && *opts->message ? opts->message : NULL);

	return entry ? assembly_history(a, entry, err)
		     : error_errno(err, ENOMEM, "import an image");
}

int image_import(struct source source, const struct import_opts *opts, char **image_id,
		 struct error **err)
{
	struct intake_opts intake_opts = {
		.store = opts->store, .storage = opts->storage, .progress = opts->progress};
	_cleanup_intake_ struct intake *in = NULL;
	_cleanup_assembly_ struct assembly a = {.store = opts->store, .name = opts->name};
	_cleanup_(platform_clear) struct platform host = {0};
	struct intake_blob blob;
	int r = opts->platform ? 0 : platform_host(&host, err);

	if (r < 0)
		return r;
	a.document = new_document(opts, opts->platform ? opts->platform : &host);
	if (!a.document)
		return error_errno(err, ENOMEM, "import an image");
	/* Before the archive is read: a mistake there should not cost minutes. */
	r = config_changes(a.document, opts->changes, err);
	if (r == 0)
		r = intake_new(&intake_opts, &in, err);
	if (r == 0)
		r = spool(in, source, &blob, err);
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

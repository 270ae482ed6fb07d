/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decompression in process: gzip by ISA-L, zstd by libzstd, xz and bzip2 by libarchive's filters.
 *
 * A stream of several gzip members or zstd frames is one text. It must end where the input ends: an early end is an error, and so is
 * anything behind the last member but zeros (tapes and some tools pad). */
#include <archive.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "layer/compress.h"

#define INPUT_SIZE (256u << 10)
/* Of a zstd window: what zstd itself decodes without being told. */
#define WINDOW_LOG_MAX 27

struct decompressor {
	const struct decoder *decoder;
	struct source in;
	unsigned char *input;
	size_t length, used; /* of input */
	bool at_end;         /* of in */
	bool mid_member;     /* a member has begun and not ended */
	struct inflate_state *inflate;
	bool needs_header;
	ZSTD_DStream *zstd;
	struct archive *archive;
	bool has_entry;
};

struct decoder {
	enum layer_compression kind;
	int (*open)(struct decompressor *d, struct error **err);
	ssize_t (*read)(struct decompressor *d, void *buf, size_t size, struct error **err);
};

static int fill(struct decompressor *d, struct error **err)
{
	ssize_t n;

	if (d->used < d->length || d->at_end)
		return 0;
	n = d->in.read(d->in.data, d->input, INPUT_SIZE, err);
	if (n < 0)
		return (int)n;
	d->used = 0;
	d->length = (size_t)n;
	d->at_end = n == 0;
	return 0;
}

/* --- Plain ------------------------------------------------------------------------------------------------------------- */

static ssize_t read_plain(struct decompressor *d, void *buf, size_t size, struct error **err)
{
	return d->in.read(d->in.data, buf, size, err);
}

/* --- gzip -------------------------------------------------------------------------------------------------------------- */

static int open_gzip(struct decompressor *d, struct error **err)
{
	d->inflate = malloc(sizeof *d->inflate);
	if (!d->inflate)
		return error_errno(err, ENOMEM, "decompress");
	d->needs_header = true;
	return 0;
}

/* What may stand behind a member: another one, or zeros to the end. */
static int next_member(struct decompressor *d, struct error **err)
{
	int r;

	for (;;) {
		r = fill(d, err);
		if (r || d->at_end)
			return r;
		if (d->input[d->used] != 0)
			break;
		d->used++;
	}
	if (d->input[d->used] != 0x1f)
		return error_set(err, EINVAL, "garbage behind the end of the gzip data");
	isal_inflate_init(d->inflate);
	d->inflate->crc_flag = ISAL_GZIP;
	d->needs_header = false;
	d->mid_member = true;
	return 0;
}

static ssize_t read_gzip(struct decompressor *d, void *buf, size_t size, struct error **err)
{
	struct inflate_state *s = d->inflate;
	size_t done = 0;

	while (done == 0) {
		int r = d->needs_header ? next_member(d, err) : fill(d, err);

		if (r)
			return r;
		if (d->at_end && !d->mid_member)
			return 0;
		s->next_in = d->input + d->used;
		s->avail_in = (uint32_t)(d->length - d->used);
		s->next_out = buf;
		s->avail_out = (uint32_t)(size > UINT32_MAX ? UINT32_MAX : size);
		r = isal_inflate(s);
		if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT)
			return error_set(err, EINVAL, "the gzip data is damaged (%d)", r);
		done = (size_t)((unsigned char *)s->next_out - (unsigned char *)buf);
		d->used = d->length - s->avail_in;
		if (s->block_state == ISAL_BLOCK_FINISH && done == 0) {
			d->mid_member = false;
			d->needs_header = true;
		} else if (done == 0 && d->at_end) {
			return error_set(err, EINVAL, "the gzip data ends early");
		}
	}
	return (ssize_t)done;
}

/* --- zstd -------------------------------------------------------------------------------------------------------------- */

static int open_zstd(struct decompressor *d, struct error **err)
{
	d->zstd = ZSTD_createDStream();
	if (!d->zstd ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return error_errno(err, ENOMEM, "decompress");
	return 0;
}

static ssize_t read_zstd(struct decompressor *d, void *buf, size_t size, struct error **err)
{
	ZSTD_outBuffer out = {.dst = buf, .size = size};

	while (out.pos == 0) {
		ZSTD_inBuffer in;
		size_t left;
		int r = fill(d, err);

		if (r)
			return r;
		if (d->at_end && d->mid_member)
			return error_set(err, EINVAL, "the zstd data ends early");
		if (d->at_end)
			return 0;
		in = (ZSTD_inBuffer){.src = d->input + d->used, .size = d->length - d->used};
		left = ZSTD_decompressStream(d->zstd, &out, &in);
		if (ZSTD_isError(left))
			return error_set(err, EINVAL, "the zstd data is damaged: %s",
					 ZSTD_getErrorName(left));
		d->used += in.pos;
		d->mid_member = left != 0;
	}
	return (ssize_t)out.pos;
}

/* --- xz and bzip2 -------------------------------------------------------------------------------------------------------- */

static la_ssize_t feed_archive(struct archive *a, void *data, const void **buf)
{
	struct decompressor *d = data;
	ssize_t n = d->in.read(d->in.data, d->input, INPUT_SIZE, NULL);

	*buf = d->input;
	return n < 0 ? ARCHIVE_FATAL : n;
}

static int open_archive(struct decompressor *d, struct error **err)
{
	d->archive = archive_read_new();
	if (!d->archive || archive_read_support_format_raw(d->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(d->archive) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(d->archive) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(d->archive) != ARCHIVE_OK)
		return error_errno(err, ENOMEM, "decompress");
	return 0;
}

static ssize_t read_archive(struct decompressor *d, void *buf, size_t size, struct error **err)
{
	struct archive_entry *entry;
	la_ssize_t n;

	if (!d->has_entry) {
		if (archive_read_open2(d->archive, d, NULL, feed_archive, NULL, NULL) !=
			    ARCHIVE_OK ||
		    archive_read_next_header(d->archive, &entry) != ARCHIVE_OK)
			return error_set(err, EINVAL, "the compressed data is damaged: %s",
					 archive_error_string(d->archive));
		d->has_entry = true;
	}
	n = archive_read_data(d->archive, buf, size);
	if (n < 0)
		return error_set(err, EINVAL, "the compressed data is damaged: %s",
				 archive_error_string(d->archive));
	return n;
}

/* --- All ----------------------------------------------------------------------------------------------------------------- */

static const struct decoder decoders[] = {
	{LAYER_PLAIN, NULL, read_plain},           {LAYER_GZIP, open_gzip, read_gzip},
	{LAYER_ZSTD, open_zstd, read_zstd},        {LAYER_XZ, open_archive, read_archive},
	{LAYER_BZIP2, open_archive, read_archive},
};

int decompressor_new(enum layer_compression kind, struct source in, struct decompressor **out,
		     struct error **err)
{
	struct decompressor *d = calloc(1, sizeof *d);
	int r = 0;

	if (d)
		d->input = malloc(INPUT_SIZE);
	if (!d || !d->input) {
		decompressor_free(d);
		return error_errno(err, ENOMEM, "decompress");
	}
	d->in = in;
	d->decoder = &decoders[kind];
	if (d->decoder->open)
		r = d->decoder->open(d, err);
	if (r)
		decompressor_free(d);
	else
		*out = d;
	return r;
}

static ssize_t read_decompressed(void *data, void *buf, size_t size, struct error **err)
{
	struct decompressor *d = data;

	return d->decoder->read(d, buf, size, err);
}

struct source decompressor_source(struct decompressor *d)
{
	return (struct source){.read = read_decompressed, .data = d};
}

void decompressor_free(struct decompressor *d)
{
	if (!d)
		return;
	ZSTD_freeDStream(d->zstd);
	archive_read_free(d->archive);
	free(d->inflate);
	free(d->input);
	free(d);
}

enum layer_compression compression_detect(const void *start, size_t length)
{
	static const struct {
		const char *magic;
		size_t length;
		enum layer_compression kind;
	} magics[] = {
		{"\x1f\x8b", 2, LAYER_GZIP},
		{"\x28\xb5\x2f\xfd", 4, LAYER_ZSTD},
		{"\xfd"
		 "7zXZ\0",
		 6, LAYER_XZ},
		{"BZh", 3, LAYER_BZIP2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (length >= magics[i].length &&
		    memcmp(start, magics[i].magic, magics[i].length) == 0)
			return magics[i].kind;
	/* zstd also begins with frames that are to be skipped: 0x184D2A50 to 0x184D2A5F, little-endian. */
	if (length >= 4 && memcmp((const char *)start + 1, "\x2a\x4d\x18", 3) == 0 &&
	    (*(const unsigned char *)start & 0xf0) == 0x50)
		return LAYER_ZSTD;
	return LAYER_PLAIN;
}

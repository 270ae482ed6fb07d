/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tar around an image. See archive_tar.h; tar(5) of libarchive describes the formats. */
#include <inttypes.h>
#include <limits.h>

#include "transfer/archive_tar.h"

#define NAME_LIMIT     4096u
#define EXTENDED_LIMIT (1u << 20) /* bytes of one extended header */

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[8], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is a block");

/* What extended headers said of the member that follows. */
struct extension {
	char *name, *link;
	uint64_t size;
	bool has_size;
};

static void extension_clear(struct extension *x)
{
	free(x->name);
	free(x->link);
}

void tar_member_clear(struct tar_member *m)
{
	free(m->name);
	free(m->link);
	*m = (struct tar_member){0};
}

/* --- Numbers --------------------------------------------------------------------------------------------------- */

static int parse_field(const char *field, size_t length, uint64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;

	if ((unsigned char)field[0] == 0x80) {
		for (i = 1; i < length; i++) {
			if (value >> 55)
				return -ERANGE;
			value = value << 8 | (unsigned char)field[i];
		}
		*out = value;
		return 0;
	}
	while (i < length && field[i] == ' ')
		i++;
	for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	for (; i < length; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return -EINVAL;
	*out = value;
	return 0;
}

/* Of the block, with blanks in place of the field itself. Old programs added signed bytes. */
static bool checksum_matches(const struct header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	size_t from = offsetof(struct header, checksum), to = from + sizeof h->checksum;
	uint64_t wanted, sum = 0;
	int64_t signed_sum = 0;

	for (size_t i = 0; i < sizeof *h; i++) {
		unsigned char c = i >= from && i < to ? ' ' : bytes[i];

		sum += c;
		signed_sum += (signed char)c;
	}
	return parse_field(h->checksum, sizeof h->checksum, &wanted) == 0 &&
	       (wanted == sum || (int64_t)wanted == signed_sum);
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

static int read_at(const struct tar_reader *r, uint64_t offset, void *buf, size_t size,
		   struct error **err)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = pread(r->fd, (char *)buf + have, size - have, (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read the archive");
		if (n == 0)
			return error_set(err, EINVAL, "the archive is cut short");
		have += (size_t)n;
	}
	return 0;
}

static char *copy_field(const char *field, size_t length)
{
	return strndup(field, length);
}

/* ustar's name has two parts; GNU's and the old one are told by their magic, and use the prefix otherwise. */
static char *header_name(const struct header *h)
{
	char *name = NULL;
	bool is_ustar = memcmp(h->magic, "ustar\0", 6) == 0;

	if (!is_ustar || !h->prefix[0])
		return copy_field(h->name, sizeof h->name);
	if (asprintf(&name, "%.*s/%.*s", (int)sizeof h->prefix, h->prefix, (int)sizeof h->name,
		     h->name) < 0)
		return NULL;
	return name;
}

/* Takes the "./" and "/" away that don't matter. In place. */
static void normalise(char *name)
{
	size_t length, skip = 0;

	while (name[skip] == '.' && name[skip + 1] == '/') {
		skip += 2;
		while (name[skip] == '/')
			skip++;
	}
	length = strlen(name + skip);
	memmove(name, name + skip, length + 1);
	while (length > 1 && name[length - 1] == '/')
		name[--length] = '\0';
}

static int set_text(char **where, const char *text, size_t length, struct error **err)
{
	if (length > NAME_LIMIT)
		return error_set(err, ENAMETOOLONG, "the archive has a name of more than %u bytes",
				 NAME_LIMIT);
	if (memchr(text, '\0', length))
		return error_set(err, EINVAL, "the archive has a name with a NUL in it");
	free(*where);
	*where = strndup(text, length);
	return *where ? 0 : error_errno(err, ENOMEM, "read the archive");
}

static int take_pax_record(struct extension *x, const char *key, const char *value, size_t length,
			   struct error **err)
{
	if (strcmp(key, "path") == 0)
		return set_text(&x->name, value, length, err);
	if (strcmp(key, "linkpath") == 0)
		return set_text(&x->link, value, length, err);
	if (str_starts(key, "GNU.sparse."))
		return error_set(err, ENOTSUP, "the archive has a sparse member");
	if (strcmp(key, "size") == 0) {
		_cleanup_free_ char *text = strndup(value, length);

		if (!text)
			return error_errno(err, ENOMEM, "read the archive");
		if (parse_u64(text, INT64_MAX, &x->size))
			return error_set(err, EINVAL, "the archive has a wrong size: %.40s", text);
		x->has_size = true;
	}
	return 0;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts all of that. */
static int take_pax(struct extension *x, char *text, size_t length, struct error **err)
{
	while (length) {
		char *space = memchr(text, ' ', length), *equals;
		uint64_t size;

		if (!space)
			return error_set(err, EINVAL, "the archive has a broken extended header");
		*space = '\0';
		if (parse_u64(text, length, &size) || size < (size_t)(space - text) + 3 ||
		    text[size - 1] != '\n')
			return error_set(err, EINVAL, "the archive has a broken extended header");
		equals = memchr(space + 1, '=', size - (size_t)(space + 1 - text));
		if (!equals)
			return error_set(err, EINVAL, "the archive has a broken extended header");
		*equals = '\0';
		int r = take_pax_record(x, space + 1, equals + 1,
					(size_t)(text + size - 1 - (equals + 1)), err);
		if (r)
			return r;
		text += size;
		length -= size;
	}
	return 0;
}

static int take_extension(const struct tar_reader *r, const struct header *h, uint64_t offset,
			  uint64_t size, struct extension *x, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	int e;

	if (size > EXTENDED_LIMIT)
		return error_set(err, EFBIG,
				 "the archive has an extended header of more than %u bytes",
				 EXTENDED_LIMIT);
	text = calloc(1, size + 1);
	if (!text)
		return error_errno(err, ENOMEM, "read the archive");
	e = read_at(r, offset, text, size, err);
	if (e)
		return e;
	if (h->type == 'x')
		return take_pax(x, text, size, err);
	return set_text(h->type == 'L' ? &x->name : &x->link, text, strlen(text), err);
}

static const struct {
	char flag;
	enum tar_type type;
} types[] = {
	{'\0', TAR_FILE},    {'0', TAR_FILE},    {'7', TAR_FILE},
	{'1', TAR_HARDLINK}, {'2', TAR_SYMLINK}, {'5', TAR_DIRECTORY},
};

static enum tar_type type_of(char flag)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].flag == flag)
			return types[i].type;
	return TAR_OTHER;
}

static int fill_member(const struct header *h, struct extension *x, struct tar_member *out,
		       struct error **err)
{
	out->type = type_of(h->type);
	out->name = x->name ? TAKE_PTR(x->name) : header_name(h);
	if (out->type == TAR_SYMLINK || out->type == TAR_HARDLINK)
		out->link = x->link ? TAKE_PTR(x->link) : copy_field(h->link, sizeof h->link);
	if (!out->name || ((out->type == TAR_SYMLINK || out->type == TAR_HARDLINK) && !out->link)) {
		tar_member_clear(out);
		return error_errno(err, ENOMEM, "read the archive");
	}
	/* The old format has directories as files whose name ends so. */
	if (out->type == TAR_FILE && *out->name && out->name[strlen(out->name) - 1] == '/')
		out->type = TAR_DIRECTORY;
	normalise(out->name);
	return 0;
}

static bool is_zero(const struct header *h)
{
	static const struct header zero;

	return memcmp(h, &zero, sizeof zero) == 0;
}

/* Content of links, devices and directories isn't there, whatever the size says. */
static bool has_content(char flag)
{
	return !strchr("123456", flag) || flag == '\0';
}

static int read_header(const struct tar_reader *r, struct header *h, uint64_t *size,
		       struct error **err)
{
	int e = read_at(r, r->at, h, sizeof *h, err);

	if (e)
		return e;
	if (is_zero(h))
		return 0;
	if (!checksum_matches(h))
		return error_set(err, EINVAL, "not a tar archive, or a damaged one (at byte %ju)",
				 (uintmax_t)r->at);
	if (parse_field(h->size, sizeof h->size, size) || *size > INT64_MAX)
		return error_set(err, EINVAL, "the archive has a wrong size (at byte %ju)",
				 (uintmax_t)r->at);
	return 1;
}

static int check_extent(const struct tar_reader *r, uint64_t offset, uint64_t size,
			struct error **err)
{
	if (offset > r->end || size > r->end - offset)
		return error_set(err, EINVAL, "the archive is cut short");
	return 0;
}

/* Behind a content and its padding, which the very last member may lack. */
static uint64_t behind(const struct tar_reader *r, uint64_t offset, uint64_t size)
{
	uint64_t at = offset + size + tar_padding(size);

	return at < r->end ? at : r->end;
}

int tar_next(struct tar_reader *r, struct tar_member *out, struct error **err)
{
	_cleanup_(extension_clear) struct extension x = {0};
	struct header h;
	uint64_t size = 0;
	int e;

	*out = (struct tar_member){0};
	while (r->at < r->end) {
		uint64_t offset = r->at + TAR_BLOCK;

		e = read_header(r, &h, &size, err);
		if (e <= 0)
			return e;
		if (h.type == 'S')
			return error_set(err, ENOTSUP, "the archive has a sparse member");
		if (!strchr("xgLK", h.type) || h.type == '\0') {
			size = x.has_size ? x.size : size;
			size = has_content(h.type) ? size : 0;
			e = check_extent(r, offset, size, err);
			if (!e)
				e = fill_member(&h, &x, out, err);
			out->offset = offset;
			out->size = size;
			r->at = behind(r, offset, size);
			return e ? e : 1;
		}
		e = check_extent(r, offset, size, err);
		if (!e && h.type != 'g')
			e = take_extension(r, &h, offset, size, &x, err);
		if (e)
			return e;
		r->at = behind(r, offset, size);
	}
	return 0;
}

/* --- Writing ------------------------------------------------------------------------------------------------------- */

static void finish_header(struct header *h, struct strbuf *out)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned int sum = 0;

	memset(h->checksum, ' ', sizeof h->checksum);
	for (size_t i = 0; i < sizeof *h; i++)
		sum += bytes[i];
	snprintf(h->checksum, sizeof h->checksum, "%06o", sum);
	strbuf_add(out, h, sizeof *h);
}

static void fill_header(struct header *h, char type, unsigned int mode, uint64_t size)
{
	*h = (struct header){.type = type};
	snprintf(h->mode, sizeof h->mode, "%07o", mode);
	snprintf(h->uid, sizeof h->uid, "%07o", 0);
	snprintf(h->gid, sizeof h->gid, "%07o", 0);
	snprintf(h->mtime, sizeof h->mtime, "%011o", 0);
	memcpy(h->magic, "ustar\00000", 8);
	if (size >> 33) {
		h->size[0] = (char)0x80;
		for (size_t i = 0; i < 8; i++)
			h->size[sizeof h->size - 1 - i] = (char)(size >> 8 * i);
	} else {
		snprintf(h->size, sizeof h->size, "%011" PRIo64, size);
	}
}

/* A name that the header has no room for goes before it. */
static void append_long_name(struct strbuf *out, const char *name)
{
	static const char zeros[TAR_BLOCK];
	size_t record = strlen(" path=\n") + strlen(name), length;
	_cleanup_strbuf_ struct strbuf text = {0};
	struct header h;

	/* The length counts its own digits, too. */
	length = record + 1;
	while ((size_t)snprintf(NULL, 0, "%zu", length) + record != length)
		length++;
	strbuf_addf(&text, "%zu path=%s\n", length, name);
	fill_header(&h, 'x', 0644, text.length);
	snprintf(h.name, sizeof h.name, "PaxHeader");
	finish_header(&h, out);
	strbuf_add(out, text.text, text.length);
	strbuf_add(out, zeros, tar_padding(text.length));
	out->failed |= text.failed;
}

int tar_header_append(struct strbuf *out, const char *name, uint64_t size, struct error **err)
{
	size_t length = strlen(name);
	bool is_directory = length && name[length - 1] == '/';
	struct header h;

	if (length > sizeof h.name)
		append_long_name(out, name);
	fill_header(&h, is_directory ? '5' : '0', is_directory ? 0755 : 0444, size);
	memcpy(h.name, name, length < sizeof h.name ? length : sizeof h.name);
	finish_header(&h, out);
	return out->failed ? error_errno(err, ENOMEM, "write the archive") : 0;
}

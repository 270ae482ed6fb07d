/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tar archives, byte by byte. See tar_write.h.
 *
 * The ustar header says names of up to 100 bytes (255 where a slash is at the right place), ids below 2^21, sizes below 8 GiB and whole seconds since
 * 1970. What doesn't fit becomes a record of a pax extended header, an entry of type x in front of the entry; the ustar
 * field then has what fits, for readers that know no pax. Names are bytes: one that fits is written as it is, whatever its encoding. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "layer/tar_write.h"

#define BLOCK 512
/* A file's extended attributes are at most 64 KiB of names and as much per value (xattr(7)); records of one entry beyond this are
 * refused by readers. */
#define PAX_MAX (1 << 20)

/* POSIX.1-2017, pax, "ustar Interchange Format". */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	char prefix[155], unused[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a header is one block");

void tar_xattrs_clear(struct tar_xattrs *x)
{
	for (size_t i = 0; i < x->count; i++) {
		free(x->items[i].name);
		free(x->items[i].value);
	}
	free(x->items);
	*x = (struct tar_xattrs){0};
}

/* Digits and a NUL fill the field. False when the value is too large; the field is then all zeros. */
static bool put_octal(char *field, size_t size, uint64_t value)
{
	bool fits = value < (uint64_t)1 << (3 * (size - 1));

	if (!fits)
		value = 0;
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
	return fits;
}

/* Splits at a slash into prefix and name where one field isn't enough. */
static bool put_path(struct ustar *h, const char *path)
{
	size_t length = strlen(path);

	if (length <= sizeof h->name) {
		memcpy(h->name, path, length);
		return true;
	}
	for (size_t i = length - sizeof h->name - 1; i < length - 1 && i <= sizeof h->prefix; i++) {
		if (path[i] != '/' || i == 0)
			continue;
		memcpy(h->prefix, path, i);
		memcpy(h->name, path + i + 1, length - i - 1);
		return true;
	}
	memcpy(h->name, path, sizeof h->name);
	return false;
}

static void seal(struct ustar *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned int sum = 0;

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->checksum, ' ', sizeof h->checksum);
	for (size_t i = 0; i < sizeof *h; i++)
		sum += bytes[i];
	put_octal(h->checksum, 7, sum);
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void add_record(struct strbuf *pax, const char *key, const void *value, size_t length)
{
	size_t rest = strlen(key) + length + 3, total = rest + 1;

	for (size_t digits = 1, limit = 10; total >= limit; limit *= 10)
		total = rest + ++digits;
	strbuf_addf(pax, "%zu %s=", total, key);
	strbuf_add(pax, value, length);
	strbuf_add(pax, "\n", 1);
}

static void add_text(struct strbuf *pax, const char *key, const char *value)
{
	add_record(pax, key, value, strlen(value));
}

static void add_number(struct strbuf *pax, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, value);
	add_text(pax, key, text);
}

/* Seconds with as many digits after the point as are needed. Before 1970 the fraction counts away from zero. */
static void add_time(struct strbuf *pax, const char *key, struct timespec t)
{
	char text[48];
	size_t length;
	bool is_negative = t.tv_sec < 0;

	if (is_negative && t.tv_nsec > 0) {
		t.tv_sec++;
		t.tv_nsec = 1000000000 - t.tv_nsec;
	}
	snprintf(text, sizeof text, "%s%" PRIu64 ".%09ld", is_negative ? "-" : "",
		 is_negative ? -(uint64_t)t.tv_sec : (uint64_t)t.tv_sec, t.tv_nsec);
	length = strlen(text);
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	add_record(pax, key, text, length);
}

static int add_xattrs(struct strbuf *pax, const struct tar_entry *e, struct error **err)
{
	for (size_t i = 0; e->xattrs && i < e->xattrs->count; i++) {
		const struct tar_xattr *x = &e->xattrs->items[i];
		char key[300];

		if (strchr(x->name, '='))
			return error_set(
				err, EINVAL,
				"%s: the extended attribute \"%s\" has a '=' in its name, which archives can't say",
				e->path, x->name);
		snprintf(key, sizeof key, "SCHILY.xattr.%s", x->name);
		add_record(pax, key, x->value, x->length);
	}
	return 0;
}

static char type_of(const struct tar_entry *e)
{
	if (e->hard_link)
		return '1';
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '\0';
	}
}

static int write_padded(struct sink out, const void *data, size_t length, struct error **err)
{
	int r = out.write(out.data, data, length, err);

	return r < 0 ? r : tar_write_padding(out, length, err);
}

/* The entry of type x. Its name is for people who look at it with tools that know no pax. */
static int write_pax(struct sink out, const char *path, const struct strbuf *pax,
		     struct error **err)
{
	struct ustar h = {.type = 'x'};
	const char *base = strrchr(path, '/');
	char name[sizeof h.name];
	int r;

	if (pax->failed)
		return error_errno(err, ENOMEM, "archive %s", path);
	if (pax->length > PAX_MAX)
		return error_set(err, EINVAL, "%s: more than %d bytes of extended attributes", path,
				 PAX_MAX);
	snprintf(name, sizeof name, "PaxHeaders.0/%.80s", base ? base + 1 : path);
	put_path(&h, name);
	put_octal(h.mode, sizeof h.mode, 0644);
	put_octal(h.uid, sizeof h.uid, 0);
	put_octal(h.gid, sizeof h.gid, 0);
	put_octal(h.size, sizeof h.size, pax->length);
	put_octal(h.mtime, sizeof h.mtime, 0);
	put_octal(h.major, sizeof h.major, 0);
	put_octal(h.minor, sizeof h.minor, 0);
	seal(&h);
	r = out.write(out.data, &h, sizeof h, err);
	return r < 0 ? r : write_padded(out, pax->text, pax->length, err);
}

/* Fills the header's fields; what doesn't fit goes to pax. */
static int fill(struct ustar *h, const struct tar_entry *e, const char *path, struct strbuf *pax,
		struct error **err)
{
	bool is_device = S_ISCHR(e->mode) || S_ISBLK(e->mode);
	const char *link = e->hard_link ? e->hard_link : S_ISLNK(e->mode) ? e->symbolic_link : "";
	uint64_t size = S_ISREG(e->mode) && !e->hard_link ? e->size : 0;
	uint64_t seconds = e->mtime.tv_sec < 0 ? 0 : (uint64_t)e->mtime.tv_sec;

	h->type = type_of(e);
	if (!h->type)
		return error_set(err, EINVAL, "%s: archives can't say this type of file", e->path);
	put_octal(h->mode, sizeof h->mode, e->mode & 07777);
	if (!put_path(h, path))
		add_text(pax, "path", path);
	memcpy(h->link, link, strnlen(link, sizeof h->link));
	if (strlen(link) > sizeof h->link)
		add_text(pax, "linkpath", link);
	if (!put_octal(h->uid, sizeof h->uid, e->uid))
		add_number(pax, "uid", e->uid);
	if (!put_octal(h->gid, sizeof h->gid, e->gid))
		add_number(pax, "gid", e->gid);
	if (!put_octal(h->size, sizeof h->size, size))
		add_number(pax, "size", size);
	if (!put_octal(h->mtime, sizeof h->mtime, seconds) || e->mtime.tv_sec < 0 ||
	    e->mtime.tv_nsec != 0)
		add_time(pax, "mtime", e->mtime);
	put_octal(h->major, sizeof h->major, is_device ? major(e->device) : 0);
	put_octal(h->minor, sizeof h->minor, is_device ? minor(e->device) : 0);
	return e->hard_link ? 0 : add_xattrs(pax, e, err);
}

int tar_write_header(struct sink out, const struct tar_entry *e, struct error **err)
{
	_cleanup_strbuf_ struct strbuf path = {0}, pax = {0};
	struct ustar h = {0};
	int r;

	strbuf_addf(&path, "%s%s", e->path, S_ISDIR(e->mode) ? "/" : "");
	if (path.failed)
		return error_errno(err, ENOMEM, "archive %s", e->path);
	r = fill(&h, e, path.text, &pax, err);
	if (r == 0 && pax.length > 0)
		r = write_pax(out, e->path, &pax, err);
	if (r < 0)
		return r;
	seal(&h);
	return out.write(out.data, &h, sizeof h, err);
}

int tar_write_padding(struct sink out, uint64_t size, struct error **err)
{
	static const char zeros[BLOCK];
	size_t over = (size_t)(size % BLOCK);

	return over ? out.write(out.data, zeros, BLOCK - over, err) : 0;
}

int tar_write_end(struct sink out, struct error **err)
{
	static const char zeros[2 * BLOCK];

	return out.write(out.data, zeros, sizeof zeros, err);
}

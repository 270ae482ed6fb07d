/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tar writer: what libarchive reads is what was written, and pax headers are only where they must be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/base.h"
#include "layer/tar_write.h"

static int keep(void *data, const void *buf, size_t size, struct error **err)
{
	strbuf_add(data, buf, size);
	return 0;
}

static struct sink memory(struct strbuf *b)
{
	return (struct sink){.write = keep, .data = b};
}

/* One entry as an archive of its own. */
static void write_one(struct strbuf *b, const struct tar_entry *e)
{
	static const char content[4096] = "content";

	assert_int_equal(tar_write_header(memory(b), e, NULL), 0);
	if (e->size && e->size < sizeof content) {
		strbuf_add(b, content, (size_t)e->size);
		assert_int_equal(tar_write_padding(memory(b), e->size, NULL), 0);
	}
	assert_int_equal(tar_write_end(memory(b), NULL), 0);
	assert_int_equal(b->length % 512, 0);
}

static struct archive *open_archive(const struct strbuf *b, struct archive_entry **entry)
{
	struct archive *a = archive_read_new();

	archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_memory(a, b->text, b->length), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, entry), ARCHIVE_OK);
	return a;
}

static void what_ustar_can_say_has_no_pax_header(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	struct tar_entry e = {.path = "etc/passwd",
			      .mode = S_IFREG | 04755,
			      .uid = 1000,
			      .gid = 07777777,
			      .size = 7,
			      .mtime = {.tv_sec = 1700000000}};
	struct archive_entry *entry;
	struct archive *a;

	write_one(&b, &e);
	assert_int_equal(b.length, 512 + 512 + 1024);
	assert_int_equal(b.text[156], '0');
	a = open_archive(&b, &entry);
	assert_string_equal(archive_entry_pathname(entry), "etc/passwd");
	assert_int_equal(archive_entry_mode(entry), S_IFREG | 04755);
	assert_int_equal(archive_entry_uid(entry), 1000);
	assert_int_equal(archive_entry_gid(entry), 07777777);
	assert_int_equal(archive_entry_size(entry), 7);
	assert_int_equal(archive_entry_mtime(entry), 1700000000);
	archive_read_free(a);
}

static void long_names_are_split_where_they_can_be(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0}, name = {0};
	struct tar_entry e = {.mode = S_IFDIR | 0755};
	struct archive_entry *entry;
	struct archive *a;

	for (int i = 0; i < 24; i++)
		strbuf_adds(&name, "ten-bytes/");
	strbuf_adds(&name, "leaf");
	e.path = name.text;
	write_one(&b, &e);
	assert_int_equal(b.length, 512 + 1024);
	a = open_archive(&b, &entry);
	strbuf_adds(&name, "/");
	assert_string_equal(archive_entry_pathname(entry), name.text);
	archive_read_free(a);
}

static void what_ustar_cannot_say_is_in_a_pax_header(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0}, name = {0}, target = {0};
	struct tar_xattr one = {
		.name = (char *)"user.note", .value = (char *)"a\0b\n=", .length = 5};
	struct tar_xattrs xattrs = {.items = &one, .count = 1};
	struct tar_entry e = {.mode = S_IFLNK | 0777,
			      .uid = 4294967294,
			      .gid = 2097152,
			      .mtime = {.tv_sec = -2, .tv_nsec = 500000000},
			      .xattrs = &xattrs};
	struct archive_entry *entry;
	struct archive *a;
	const char *attribute;
	const void *value;
	size_t length;

	for (int i = 0; i < 300; i++) {
		strbuf_adds(&name, "n");
		strbuf_adds(&target, "t");
	}
	e.path = name.text;
	e.symbolic_link = target.text;
	write_one(&b, &e);
	assert_int_equal(b.text[156], 'x');
	a = open_archive(&b, &entry);
	assert_string_equal(archive_entry_pathname(entry), name.text);
	assert_string_equal(archive_entry_symlink(entry), target.text);
	assert_int_equal(archive_entry_uid(entry), 4294967294);
	assert_int_equal(archive_entry_gid(entry), 2097152);
	/* -1.5 seconds. */
	assert_non_null(strstr(b.text + 512, "mtime=-1.5\n"));
	assert_int_equal(archive_entry_xattr_reset(entry), 1);
	archive_entry_xattr_next(entry, &attribute, &value, &length);
	assert_string_equal(attribute, "user.note");
	assert_int_equal(length, 5);
	assert_memory_equal(value, "a\0b\n=", 5);
	archive_read_free(a);
}

static void sizes_beyond_8_gib_are_said(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	struct tar_entry e = {.path = "big", .mode = S_IFREG | 0644, .size = 8ULL << 30};
	struct archive_entry *entry;
	struct archive *a;

	assert_int_equal(tar_write_header(memory(&b), &e, NULL), 0);
	a = open_archive(&b, &entry);
	assert_int_equal(archive_entry_size(entry), 8LL << 30);
	archive_read_free(a);
}

static void the_length_of_a_record_counts_itself(void **state)
{
	/* Around the lengths where it gets one more digit. */
	for (size_t length = 80; length < 110; length++) {
		_cleanup_strbuf_ struct strbuf b = {0};
		_cleanup_free_ char *value = calloc(1, length + 1);
		struct tar_xattr one = {.name = (char *)"user.x", .value = value, .length = length};
		struct tar_xattrs xattrs = {.items = &one, .count = 1};
		struct tar_entry e = {.path = "f", .mode = S_IFREG | 0644, .xattrs = &xattrs};
		size_t said;

		memset(value, 'v', length);
		write_one(&b, &e);
		said = strtoul(b.text + 512, NULL, 10);
		assert_int_equal(b.text[512 + said - 1], '\n');
		assert_int_equal(b.text[512 + said], '\0');
	}
}

static void devices_links_and_fifos_keep_their_kind(void **state)
{
	static const struct {
		mode_t mode;
		char type;
	} kinds[] = {{S_IFCHR, '3'}, {S_IFBLK, '4'}, {S_IFIFO, '6'}};
	_cleanup_strbuf_ struct strbuf link = {0};
	struct tar_entry e = {.path = "b", .mode = S_IFREG | 0644, .size = 9, .hard_link = "a"};
	struct archive_entry *entry;
	struct archive *a;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_strbuf_ struct strbuf b = {0};
		struct tar_entry d = {.path = "d",
				      .mode = kinds[i].mode | 0600,
				      .device = makedev(4095, 1048575)};

		write_one(&b, &d);
		assert_int_equal(b.text[156], kinds[i].type);
		a = open_archive(&b, &entry);
		if (kinds[i].mode != S_IFIFO) {
			assert_int_equal(archive_entry_rdevmajor(entry), 4095);
			assert_int_equal(archive_entry_rdevminor(entry), 1048575);
		}
		archive_read_free(a);
	}
	assert_int_equal(tar_write_header(memory(&link), &e, NULL), 0);
	assert_int_equal(link.length, 512);
	a = open_archive(&link, &entry);
	assert_string_equal(archive_entry_hardlink(entry), "a");
	archive_read_free(a);
}

static void what_no_archive_can_say_is_refused(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	struct tar_xattr one = {.name = (char *)"user.a=b", .value = (char *)"", .length = 0};
	struct tar_xattrs xattrs = {.items = &one, .count = 1};
	struct tar_entry socket = {.path = "s", .mode = S_IFSOCK},
			 attribute = {.path = "f", .mode = S_IFREG, .xattrs = &xattrs};
	_cleanup_error_ struct error *err = NULL;

	assert_int_equal(tar_write_header(memory(&b), &socket, &err), -EINVAL);
	assert_non_null(strstr(error_text(err), "type of file"));
	assert_int_equal(tar_write_header(memory(&b), &attribute, &err), -EINVAL);
	assert_non_null(strstr(error_text(err), "user.a=b"));
	assert_int_equal(b.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ustar_can_say_has_no_pax_header),
		cmocka_unit_test(long_names_are_split_where_they_can_be),
		cmocka_unit_test(what_ustar_cannot_say_is_in_a_pax_header),
		cmocka_unit_test(sizes_beyond_8_gib_are_said),
		cmocka_unit_test(the_length_of_a_record_counts_itself),
		cmocka_unit_test(devices_links_and_fifos_keep_their_kind),
		cmocka_unit_test(what_no_archive_can_say_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

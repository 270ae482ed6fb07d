/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver devicemapper as far as it goes without a device mapper: what it writes down, and its options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "storage/devicemapper.h"

struct world {
	char path[64];
	struct storage s;
};

static int set_up(void **state)
{
	static const char *const folders[] = {"layers", "staging", "containers", "trash"};
	struct world *w = calloc(1, sizeof *w);

	strcpy(w->path, "/tmp/dhow-test-dm.XXXXXX");
	assert_non_null(mkdtemp(w->path));
	w->s.path = w->path;
	w->s.driver = &storage_devicemapper;
	w->s.root = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		assert_int_equal(mkdirat(w->s.root, folders[i], 0700), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	close(w->s.root);
	strv_free(&w->s.options);
	remove_tree_at(AT_FDCWD, w->path, NULL);
	free(w);
	return 0;
}

static void write_file(struct world *w, const char *name, const char *text)
{
	assert_int_equal(file_replace_at(w->s.root, name, text, strlen(text), 0600, false, NULL),
			 0);
}

static void make_place(struct world *w, const char *path, uint32_t id)
{
	assert_int_equal(mkdirat(w->s.root, path, 0700), 0);
	assert_int_equal(
		dm_thin_write(&w->s, path, &(struct dm_thin){.id = id, .sectors = 2048}, NULL), 0);
}

/* No error text may be left behind where there was no error, and the other way round. */
static void expect_error(int r, int code, struct error **err, const char *part)
{
	assert_int_equal(r, -code);
	assert_non_null(*err);
	assert_non_null(strstr((*err)->message, part));
	error_freep(err);
}

static void given_no_records_when_read_then_there_is_no_pool_yet(void **state)
{
	struct world *w = *state;
	_cleanup_records_ struct dm_records records = {0};

	assert_int_equal(dm_records_read(&w->s, &records, NULL), 0);
	assert_false(records.exist);
	assert_int_equal(records.count, 0);
}

static void given_records_when_written_and_read_then_they_are_the_same(void **state)
{
	struct world *w = *state;
	_cleanup_records_ struct dm_records wrote = {
		.transaction = 7, .next = 5, .base = 1, .base_sectors = 1 << 20};
	_cleanup_records_ struct dm_records read = {0};

	wrote.fs = strdup("xfs");
	for (uint32_t id = 1; id <= 5; id++)
		assert_int_equal(dm_records_add(&wrote, id), 0);
	dm_records_drop(&wrote, 1);
	dm_records_drop(&wrote, 5);
	dm_records_drop(&wrote, 99);
	assert_int_equal(dm_records_write(&w->s, &wrote, NULL), 0);
	assert_int_equal(dm_records_read(&w->s, &read, NULL), 0);
	assert_true(read.exist);
	assert_int_equal(read.transaction, 7);
	assert_int_equal(read.next, 5);
	assert_int_equal(read.base, 1);
	assert_int_equal(read.base_sectors, 1 << 20);
	assert_string_equal(read.fs, "xfs");
	assert_int_equal(read.count, 3);
}

static void given_broken_records_when_read_then_the_error_names_the_file(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"devices\":[-1]}",
		"{\"devices\":[16777216]}",
		"{\"transaction\":\"x\"}",
		"{\"devices\":7}",
		"{\"fs\":1}",
		"{\"devices\":[1",
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_records_ struct dm_records records = {0};
		struct error *err = NULL;
		int r;

		write_file(w, "pool.json", texts[i]);
		r = dm_records_read(&w->s, &records, &err);
		expect_error(r, EINVAL, &err, "pool.json");
	}
}

static void given_a_broken_device_file_when_read_then_it_is_an_error(void **state)
{
	static const char *const texts[] = {
		"", "1", "1 ", "x 2", "1 2 3", "-1 2", "16777216 2", "1 999999999999999999999"};
	struct world *w = *state;

	assert_int_equal(mkdirat(w->s.root, "layers/a", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct error *err = NULL;
		struct dm_thin thin;

		write_file(w, "layers/a/device", texts[i]);
		expect_error(dm_thin_read(&w->s, "layers/a", &thin, &err), EINVAL, &err,
			     "layers/a/device");
	}
}

static void given_devices_that_places_name_when_looked_for_then_only_the_others_are_unused(
	void **state)
{
	struct world *w = *state;
	_cleanup_records_ struct dm_records records = {.base = 1};
	uint32_t ids[6];

	for (uint32_t id = 1; id <= 6; id++)
		assert_int_equal(dm_records_add(&records, id), 0);
	make_place(w, "layers/a", 2);
	make_place(w, "containers/b", 3);
	make_place(w, "staging/c", 4);
	make_place(w, "trash/d", 5);
	assert_int_equal(mkdirat(w->s.root, "containers/empty", 0700), 0);
	write_file(w, "staging/lock", "");
	assert_int_equal(dm_find_unused(&w->s, &records, ids, NULL), 2);
	assert_int_equal(ids[0] + ids[1], 5 + 6);
}

static void given_a_place_that_cannot_be_read_when_looked_for_then_nothing_is_called_unused(
	void **state)
{
	struct world *w = *state;
	_cleanup_records_ struct dm_records records = {0};
	struct error *err = NULL;
	uint32_t ids[1];

	assert_int_equal(dm_records_add(&records, 9), 0);
	assert_int_equal(mkdirat(w->s.root, "layers/a", 0700), 0);
	write_file(w, "layers/a/device", "nonsense");
	expect_error((int)dm_find_unused(&w->s, &records, ids, &err), EINVAL, &err,
		     "layers/a/device");
}

static void given_options_that_make_no_sense_when_opened_then_the_error_names_them(void **state)
{
	static const struct {
		const char *option, *part;
	} cases[] = {
		{"basesize=x", "dm.basesize"},
		{"basesize=0", "dm.basesize"},
		{"basesize=1k", "dm.basesize"},
		{"blocksize=2g", "dm.blocksize"},
		{"loopdatasize=", "dm.loopdatasize"},
		{"loopmetadatasize=-1", "dm.loopmetadatasize"},
		{"min_free_space=100%", "dm.min_free_space"},
		{"fs=zfs", "dm.fs"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;

		strv_free(&w->s.options);
		w->s.options = (struct strv){0};
		assert_int_equal(strv_add(&w->s.options, cases[i].option), 0);
		expect_error(storage_devicemapper.open(&w->s, &err), EINVAL, &err, cases[i].part);
		assert_null(w->s.data);
	}
}

static void given_a_whole_pool_and_a_part_of_one_when_opened_then_it_is_an_error(void **state)
{
	struct world *w = *state;
	struct error *err = NULL;

	assert_int_equal(strv_add(&w->s.options, "thinpooldev=/dev/mapper/pool"), 0);
	assert_int_equal(strv_add(&w->s.options, "datadev=/dev/sdz"), 0);
	expect_error(storage_devicemapper.open(&w->s, &err), EINVAL, &err, "dm.thinpooldev");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(given_no_records_when_read_then_there_is_no_pool_yet),
		TEST(given_records_when_written_and_read_then_they_are_the_same),
		TEST(given_broken_records_when_read_then_the_error_names_the_file),
		TEST(given_a_broken_device_file_when_read_then_it_is_an_error),
		TEST(given_devices_that_places_name_when_looked_for_then_only_the_others_are_unused),
		TEST(given_a_place_that_cannot_be_read_when_looked_for_then_nothing_is_called_unused),
		TEST(given_options_that_make_no_sense_when_opened_then_the_error_names_them),
		TEST(given_a_whole_pool_and_a_part_of_one_when_opened_then_it_is_an_error),
	};

	return cmocka_run_group_tests_name("storage devicemapper", tests, NULL, NULL);
}

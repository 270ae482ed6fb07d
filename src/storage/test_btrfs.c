/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver btrfs, on a small file system in a file. Skipped where it can't be made or mounted. */
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "storage/btrfs_subvolume.h"
#include "storage/test_world.h"

static const struct storage_driver *const driver = &storage_btrfs;
static char place[] = "/var/tmp/dhow-test-btrfs.XXXXXX";
static const char *why_not;

static int run(const char *format, ...) _printf_(1, 2);
static int run(const char *format, ...)
{
	_cleanup_free_ char *command = NULL;
	va_list list;
	int n;

	va_start(list, format);
	n = vasprintf(&command, format, list);
	va_end(list);
	return n < 0 ? -1
		     : system(command); /* NOLINT(cert-env33-c): mkfs and mount, as one types them */
}

static void make_file_system(void)
{
	if (geteuid() != 0) {
		why_not = "needs root";
		return;
	}
	assert_non_null(mkdtemp(place));
	if (run("truncate -s 512M %s/image && mkfs.btrfs -q %s/image >/dev/null 2>&1", place,
		place))
		why_not = "needs mkfs.btrfs";
	else if (run("mkdir %s/fs && mount -o loop %s/image %s/fs 2>/dev/null", place, place,
		     place))
		why_not = "needs btrfs in the kernel, and a loop device";
}

static void remove_file_system(void)
{
	if (geteuid() == 0)
		run("umount %s/fs 2>/dev/null; rm -rf %s", place, place);
}

static int set_up(void **state)
{
	_cleanup_free_ char *parent = NULL;

	assert_true(asprintf(&parent, "%s/fs", place) > 0);
	*state = world_new(driver, parent);
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	driver->layer_remove(&w->s, UPPER, NULL);
	driver->layer_remove(&w->s, LOWER, NULL);
	driver->container_remove(&w->s, "c", NULL);
	world_free(w);
	return 0;
}

static void given_layers_and_a_container_when_mounted_then_they_show_and_leave_nothing(void **state)
{
	struct world *w = *state;

	open_store(w);
	use_store(w);
	/* Subvolumes don't hinder: nothing is in there any more. */
	assert_int_equal(unlinkat(w->s.root, "layers", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(w->s.root, "containers", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(w->s.root, "trash", AT_REMOVEDIR), 0);
}

static void given_another_file_system_when_probed_then_the_error_says_so(void **state)
{
	struct world *w = *state;
	int root = w->s.root;

	w->s.root = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(driver->probe(&w->s, &problem), -ENOTSUP);
	assert_non_null(strstr(problem->message, "is not on btrfs"));
	close(w->s.root);
	w->s.root = root;
}

static void given_a_committed_layer_when_written_to_then_it_is_read_only(void **state)
{
	struct world *w = *state;

	open_store(w);
	add_layer(w, LOWER, NULL);
	assert_int_equal(openat(w->s.root, "layers/aaaa/fs/x", O_WRONLY | O_CREAT, 0600), -1);
	assert_int_equal(errno, EROFS);
}

static void given_subvolumes_in_a_container_when_removed_then_they_go_too(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int container = -1, inner = -1, root = -1;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 0));
	container = mount_it(w, "c");
	root = openat(container, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root, "a", 0700), 0);
	inner = openat(root, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OK(subvolume_create(inner, "one", &problem));
	close_fd(&inner);
	inner = openat(root, "a/one", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OK(subvolume_create(inner, "two", &problem));
	OK(subvolume_set_read_only(inner, &problem));
	close_fd(&inner);
	close_fd(&root);
	close_fd(&container);
	OK(driver->container_remove(&w->s, "c", &problem));
	assert_int_equal(faccessat(w->s.root, "containers/c", F_OK, 0), -1);
}

static void given_a_size_when_written_over_then_it_ends_there(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int container = -1, fd = -1;
	static char block[1 << 20];
	int r = 0, written = 0;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 8 << 20));
	container = mount_it(w, "c");
	fd = openat(container, "big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	memset(block, 'x', sizeof block);
	for (; written < 32 && r == 0; written++) {
		r = fd_write_all(fd, block, sizeof block);
		if (r == 0 && fsync(fd) < 0)
			r = -errno;
	}
	assert_int_equal(r, -EDQUOT);
	assert_in_range(written, 4, 10);
}

static void given_min_space_when_a_size_is_below_then_it_is_refused(void **state)
{
	struct world *w = *state;

	OK(strv_add(&w->s.options, "min_space=16m"));
	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	assert_int_equal(try_container(w, "c", 8 << 20), -EINVAL);
	assert_non_null(strstr(problem->message, "btrfs.min_space"));
}

static void given_a_min_space_that_is_no_size_when_opened_then_it_is_an_error(void **state)
{
	struct world *w = *state;

	OK(strv_add(&w->s.options, "min_space=much"));
	assert_int_equal(driver->open(&w->s, &problem), -EINVAL);
}

static void given_a_layer_that_is_aborted_when_begun_again_then_nothing_is_left_of_it(void **state)
{
	struct world *w = *state;
	struct storage_staging staging = {.id = (char *)LOWER, .root = -1};

	open_store(w);
	OK(driver->layer_begin(&w->s, &staging, &problem));
	put(staging.root, "x", "1");
	close_fd(&staging.root);
	driver->layer_abort(&w->s, &staging);
	assert_int_equal(faccessat(w->s.root, "staging/aaaa", F_OK, 0), -1);
	add_layer(w, LOWER, NULL);
	assert_int_equal(faccessat(w->s.root, "layers/aaaa/fs/x", F_OK, 0), -1);
}

static void given_a_rest_of_a_killed_process_when_begun_anew_then_it_is_taken_away(void **state)
{
	struct world *w = *state;
	struct storage_staging staging = {.id = (char *)LOWER, .root = -1};

	open_store(w);
	OK(driver->layer_begin(&w->s, &staging, &problem));
	put(staging.root, "x", "1");
	close_fd(&staging.root);
	add_layer(w, LOWER, NULL);
	assert_int_equal(faccessat(w->s.root, "layers/aaaa/fs/x", F_OK, 0), -1);
	OK(driver->layer_begin(&w->s, &staging, &problem));
	close_fd(&staging.root);
	OK(driver->rest_remove(&w->s, "staging/aaaa", &problem));
	put(w->s.root, "trash/file", "");
	OK(driver->rest_remove(&w->s, "trash/file", &problem));
	OK(driver->rest_remove(&w->s, "trash/none", &problem));
	assert_int_equal(unlinkat(w->s.root, "staging", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(w->s.root, "trash", AT_REMOVEDIR), 0);
	assert_int_equal(mkdirat(w->s.root, "trash", 0700), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(given_layers_and_a_container_when_mounted_then_they_show_and_leave_nothing),
		TEST(given_another_file_system_when_probed_then_the_error_says_so),
		TEST(given_a_committed_layer_when_written_to_then_it_is_read_only),
		TEST(given_subvolumes_in_a_container_when_removed_then_they_go_too),
		TEST(given_a_size_when_written_over_then_it_ends_there),
		TEST(given_min_space_when_a_size_is_below_then_it_is_refused),
		TEST(given_a_min_space_that_is_no_size_when_opened_then_it_is_an_error),
		TEST(given_a_layer_that_is_aborted_when_begun_again_then_nothing_is_left_of_it),
		TEST(given_a_rest_of_a_killed_process_when_begun_anew_then_it_is_taken_away),
	};
	int failed = 0;

	make_file_system();
	if (why_not)
		printf("1..1\nok 1 - storage btrfs # SKIP %s\n", why_not);
	else
		failed = cmocka_run_group_tests_name("storage btrfs", tests, NULL, NULL);
	remove_file_system();
	return failed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver fuse-overlayfs: its process's life. Skipped where the program or /dev/fuse is missing, or for a normal user. */
#include <poll.h>
#include <signal.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "storage/places.h"
#include "storage/test_world.h"

static const struct storage_driver *const driver = &storage_fuse_overlayfs;

static int set_up(void **state)
{
	*state = world_new(driver, "/var/tmp");
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	if (w->s.data)
		driver->close(&w->s);
	world_free(w);
	return 0;
}

static void given_layers_and_a_container_when_mounted_then_they_show_and_leave_nothing(void **state)
{
	struct world *w = *state;

	open_store(w);
	use_store(w);
}

static void write_program(struct world *w, const char *text)
{
	OK(file_replace_at(w->s.root, "program", text, strlen(text), 0755, false, &problem));
	OK(strv_addf(&w->s.options, "mount_program=%s/program", w->path));
}

static void given_a_program_that_fails_when_mounted_then_the_error_is_its_last_words(void **state)
{
	struct world *w = *state;

	write_program(w, "#!/bin/sh\necho not this >&2\necho out of luck >&2\nexit 1\n");
	assert_int_equal(driver->probe(&w->s, &problem), -EIO);
	assert_non_null(strstr(problem->message, "out of luck"));
	assert_null(strstr(problem->message, "not this"));
}

static void given_a_program_that_is_none_when_mounted_then_the_error_names_it(void **state)
{
	struct world *w = *state;

	OK(strv_add(&w->s.options, "mount_program=fuse-overlayfs"));
	assert_int_equal(driver->probe(&w->s, &problem), -ENOENT);
	assert_non_null(strstr(problem->message, "mount_program"));
	write_program(w, "#!/no/such/interpreter\n");
	assert_int_equal(driver->probe(&w->s, &problem), -EIO);
	assert_non_null(strstr(problem->message, "No such file"));
}

static void given_a_mounted_container_when_mounted_again_or_removed_then_it_is_busy(void **state)
{
	struct world *w = *state;
	const struct storage_mount_opts opts = {.layers = both, .layer_count = 2, .container = "c"};
	_cleanup_fd_ int container = -1;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 0));
	container = mount_it(w, "c");
	assert_int_equal(driver->mount(&w->s, &opts, &problem), -EBUSY);
	assert_non_null(strstr(problem->message, "container c is mounted"));
	close_fd(&container);
	OK(driver->release(&w->s, &opts, &problem));
	OK(driver->container_remove(&w->s, "c", &problem));
}

/* One of pid's descriptors is the file at path. */
static bool has_open(const char *pid, const char *path)
{
	_cleanup_free_ char *folder = NULL;
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;

	assert_true(asprintf(&folder, "/proc/%s/fd", pid) > 0);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		char target[256] = {0};

		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1) > 0 &&
		    str_equal(target, path))
			return true;
	}
	return false;
}

/* The process that holds the container's lock. */
static pid_t find_process(struct world *w)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_dir_ DIR *dir = opendir("/proc");
	struct dirent *entry;

	assert_true(asprintf(&path, "%s/containers/c/lock", w->path) > 0);
	while ((entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (pid > 1 && has_open(entry->d_name, path))
			return pid;
	}
	fail_msg("no process has %s open", path);
	return -1;
}

static void given_a_process_that_is_killed_when_its_mount_is_used_then_it_fails_at_once(
	void **state)
{
	struct world *w = *state;
	const struct storage_mount_opts opts = {.layers = both, .layer_count = 2, .container = "c"};
	_cleanup_fd_ int container = -1;
	struct statfs fs;
	pid_t pid;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 0));
	container = mount_it(w, "c");
	pid = find_process(w);
	kill(pid, SIGKILL);
	OK(driver->release(&w->s, &opts, &problem));
	assert_int_equal(fstatfs(container, &fs), -1);
	assert_int_equal(errno, ENOTCONN);
	close_fd(&container);
	container = mount_it(w, "c");
	expect(container, UPPER, LOWER);
}

static void given_changes_when_compared_then_no_marks_of_the_program_show(void **state)
{
	struct world *w = *state;
	const struct storage_mount_opts opts = {.layers = both, .layer_count = 2, .container = "c"};
	_cleanup_fd_ int container = -1;
	struct storage_diff diff;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 0));
	container = mount_it(w, "c");
	assert_int_equal(mkdirat(container, "new", 0755), 0);
	put(container, "new/file", "1");
	assert_int_equal(unlinkat(container, LOWER, 0), 0);
	/* The program's, which a layer must not have. */
	assert_int_equal(
		faccessat(w->s.root, "containers/c/fs/new/.wh..wh..opq", F_OK, AT_SYMLINK_NOFOLLOW),
		0);
	OK(driver->diff_open(&w->s, &opts, &diff, &problem));
	assert_int_equal(diff.kind, STORAGE_DIFF_TREES);
	expect(diff.upper, "new/file", "1");
	expect(diff.lower, LOWER, "lowest");
	assert_int_equal(faccessat(diff.upper, LOWER, F_OK, 0), -1);
	assert_int_equal(faccessat(diff.upper, "new/.wh..wh..opq", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(diff.lower, "new", F_OK, 0), -1);
	close_fd(&diff.upper);
	close_fd(&diff.lower);
}

static void given_a_size_when_created_then_it_is_an_error(void **state)
{
	struct world *w = *state;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	assert_int_equal(try_container(w, "c", 1 << 20), -ENOTSUP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(given_layers_and_a_container_when_mounted_then_they_show_and_leave_nothing),
		TEST(given_a_program_that_fails_when_mounted_then_the_error_is_its_last_words),
		TEST(given_a_program_that_is_none_when_mounted_then_the_error_names_it),
		TEST(given_a_mounted_container_when_mounted_again_or_removed_then_it_is_busy),
		TEST(given_a_process_that_is_killed_when_its_mount_is_used_then_it_fails_at_once),
		TEST(given_changes_when_compared_then_no_marks_of_the_program_show),
		TEST(given_a_size_when_created_then_it_is_an_error),
	};

	if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) < 0 ||
	    access("/usr/bin/fuse-overlayfs", X_OK) < 0) {
		puts("1..1\nok 1 - storage fuse-overlayfs # SKIP needs root, /dev/fuse and fuse-overlayfs");
		return 0;
	}
	return cmocka_run_group_tests_name("storage fuse-overlayfs", tests, NULL, NULL);
}

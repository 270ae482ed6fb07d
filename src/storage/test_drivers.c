/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suite that every storage driver passes, through the room's door. A driver that can't work on this host is one skipped
 * test that says why. DHOW_TEST_DRIVER chooses one driver.
 *
 * Each test has a store of its own in /var/tmp; that of btrfs is on a file system in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "storage/storage.h"

#define DEPTH     130
#define TESTS_MAX 128

struct world {
	const char *driver;
	char path[64], root_path[80];
	int root;
	struct storage *s;
};

static struct error *problem; /* of the last call, for the message */

#define OK(call) check((call), #call)
static int check(int r, const char *call)
{
	if (r < 0)
		fail_msg("%s: %s", call, error_text(problem));
	return r;
}

/* --- Worlds -------------------------------------------------------------------------------------------------------------- */

/* A line of shell, in the directory. */
static int run(const char *directory, const char *line)
{
	_cleanup_free_ char *command = NULL;

	if (asprintf(&command, "cd %s && %s", directory, line) < 0)
		return -1;
	return system(command); /* NOLINT(cert-env33-c): mkfs and mount, as one types them */
}

static int open_store(struct world *w)
{
	static const char *const small[] = {"dm.basesize=256m", "dm.loopdatasize=4g",
					    "dm.loopmetadatasize=16m"};
	_cleanup_strv_ struct strv options = {0};

	for (size_t i = 0; i < ARRAY_SIZE(small); i++)
		assert_int_equal(strv_add(&options, small[i]), 0);
	return storage_open(&(struct storage_opts){.root = w->root,
						   .root_path = w->root_path,
						   .driver = w->driver,
						   .options = &options},
			    &w->s, &problem);
}

static struct world *make_world(const char *driver)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->driver = driver;
	snprintf(w->path, sizeof w->path, "/var/tmp/dhow-test-%s.XXXXXX", driver);
	assert_non_null(mkdtemp(w->path));
	snprintf(w->root_path, sizeof w->root_path, "%s/root", w->path);
	assert_int_equal(mkdir(w->root_path, 0700), 0);
	if (str_equal(driver, "btrfs"))
		run(w->path, "truncate -s 1G image && mkfs.btrfs -q image >/dev/null 2>&1 && "
			     "mount -o loop image root 2>/dev/null");
	w->root = open(w->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w;
}

static void remove_world(struct world *w)
{
	storage_close(w->s);
	close(w->root);
	/* What the pool of devicemapper is made of goes when udev has let go of it, too. */
	if (str_equal(w->driver, "btrfs"))
		run(w->path, "umount root 2>/dev/null");
	OK(remove_tree_at(AT_FDCWD, w->path, &problem));
	free(w);
	error_freep(&problem);
}

static int set_up(void **state)
{
	struct world *w = make_world(*state);

	*state = w;
	OK(open_store(w));
	return 0;
}

static int tear_down(void **state)
{
	remove_world(*state);
	return 0;
}

/* --- Words --------------------------------------------------------------------------------------------------------------- */

static const char *layer_id(unsigned n)
{
	static char ids[DEPTH][72];

	snprintf(ids[n], sizeof ids[n], "sha256:%064x", n + 1);
	return ids[n];
}

/* The layers 0 to count - 1, top first. */
static const char *const *stack(size_t count)
{
	static const char *layers[DEPTH];

	for (size_t i = 0; i < count; i++)
		layers[i] = layer_id((unsigned)(count - 1 - i));
	return layers;
}

static void put(int dir, const char *name, const char *text)
{
	OK(file_replace_at(dir, name, text, strlen(text), 0644, false, &problem));
}

static void expect(int dir, const char *name, const char *text)
{
	_cleanup_free_ char *found = NULL;

	OK(file_read_at(dir, name, 4096, &found, NULL, &problem));
	assert_string_equal(found, text);
}

static void expect_none(int dir, const char *name)
{
	assert_int_equal(faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(errno, ENOENT);
}

static int begin(struct world *w, unsigned n, struct storage_staging *staging)
{
	return storage_layer_begin(w->s, layer_id(n), n ? layer_id(n - 1) : NULL, true, staging,
				   &problem);
}

static void commit(struct world *w, struct storage_staging *staging)
{
	OK(storage_layer_flush(w->s, staging, &problem));
	OK(storage_layer_commit(w->s, staging, &problem));
}

/* As unpacking does it: a deletion of name, which has no slash. */
static void hide(const struct storage_staging *staging, const char *name)
{
	char mark[64];

	snprintf(mark, sizeof mark, ".wh.%s", name);
	if (staging->whiteouts == WHITEOUTS_APPLY)
		OK(remove_tree_at(staging->root, name, &problem));
	else if (staging->whiteouts == WHITEOUTS_AUFS)
		put(staging->root, mark, "");
	else
		assert_int_equal(mknodat(staging->root, name, S_IFCHR, makedev(0, 0)), 0);
}

/* An opaque directory. */
static void hide_below(const struct storage_staging *staging, const char *name)
{
	_cleanup_fd_ int dir = -1;

	if (staging->whiteouts == WHITEOUTS_APPLY)
		OK(remove_tree_at(staging->root, name, &problem));
	assert_int_equal(mkdirat(staging->root, name, 0755), 0);
	dir = openat(staging->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (staging->whiteouts == WHITEOUTS_AUFS)
		put(dir, ".wh..wh..opq", "");
	else if (staging->whiteouts != WHITEOUTS_APPLY)
		assert_int_equal(fsetxattr(dir,
					   staging->whiteouts == WHITEOUTS_OVERLAY
						   ? "trusted.overlay.opaque"
						   : "user.overlay.opaque",
					   "y", 1, 0),
				 0);
}

/* The layer n: a file of its own, one that each layer replaces. */
static void add_layer(struct world *w, unsigned n)
{
	struct storage_staging staging;
	char name[16];

	OK(begin(w, n, &staging));
	snprintf(name, sizeof name, "f%u", n);
	put(staging.root, name, name);
	put(staging.root, "same", name);
	commit(w, &staging);
}

static struct storage_mount_opts mount_opts(size_t layers, const char *container)
{
	return (struct storage_mount_opts){
		.layers = stack(layers), .layer_count = layers, .container = container};
}

static int mount_it(struct world *w, size_t layers, const char *container)
{
	const struct storage_mount_opts opts = mount_opts(layers, container);

	return OK(storage_mount(w->s, &opts, &problem));
}

static void unmount(struct world *w, int *fd, size_t layers, const char *container)
{
	const struct storage_mount_opts opts = mount_opts(layers, container);

	close_fd(fd);
	OK(storage_release(w->s, &opts, &problem));
}

static int try_container(struct world *w, size_t layers, const char *id)
{
	return storage_container_create(w->s,
					&(struct storage_container_opts){.id = id,
									 .layers = stack(layers),
									 .layer_count = layers},
					&problem);
}

static bool is_empty(struct world *w, const char *folder)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_dir_ DIR *dir = NULL;
	const struct dirent *entry;

	assert_true(asprintf(&path, "%s/storage/%s/%s", w->root_path, w->driver, folder) > 0);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			print_message("# %s is there\n", entry->d_name);
			return false;
		}
	return true;
}

static int count_one(void *data, const char *id)
{
	(*(size_t *)data)++;
	return 0;
}

static size_t layer_count(struct world *w)
{
	size_t count = 0;

	OK(storage_layer_each(w->s, count_one, &count, &problem));
	return count;
}

/* --- Tests --------------------------------------------------------------------------------------------------------------- */

static void given_layers_when_mounted_then_the_upper_hide_what_they_delete(void **state)
{
	struct world *w = *state;
	struct storage_staging staging;
	_cleanup_fd_ int root = -1;
	struct stat st;

	OK(begin(w, 0, &staging));
	assert_int_equal(mkdirat(staging.root, "d", 0755), 0);
	assert_int_equal(mkdirat(staging.root, "d/sub", 0755), 0);
	put(staging.root, "d/sub/x", "lower");
	put(staging.root, "gone", "lower");
	put(staging.root, "stays", "lower");
	commit(w, &staging);
	OK(begin(w, 1, &staging));
	hide_below(&staging, "d");
	assert_int_equal(mkdirat(staging.root, "d/sub", 0750), 0);
	put(staging.root, "d/sub/y", "upper");
	hide(&staging, "gone");
	commit(w, &staging);
	root = mount_it(w, 2, NULL);
	expect(root, "stays", "lower");
	expect(root, "d/sub/y", "upper");
	expect_none(root, "d/sub/x");
	expect_none(root, "gone");
	assert_int_equal(fstatat(root, "d/sub", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(openat(root, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -1);
	assert_int_equal(errno, EROFS);
	unmount(w, &root, 2, NULL);
	root = mount_it(w, 1, NULL);
	expect(root, "d/sub/x", "lower");
	expect(root, "gone", "lower");
}

static void given_a_container_when_written_to_then_it_keeps_it_and_the_layers_do_not(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int root = -1;

	add_layer(w, 0);
	add_layer(w, 1);
	OK(try_container(w, 2, "c.1_x-y"));
	assert_int_equal(try_container(w, 2, "c.1_x-y"), -EEXIST);
	root = mount_it(w, 2, "c.1_x-y");
	put(root, "own", "1");
	put(root, "same", "mine");
	assert_int_equal(unlinkat(root, "f0", 0), 0);
	unmount(w, &root, 2, "c.1_x-y");
	root = mount_it(w, 2, "c.1_x-y");
	expect(root, "own", "1");
	expect(root, "same", "mine");
	expect_none(root, "f0");
	unmount(w, &root, 2, "c.1_x-y");
	root = mount_it(w, 2, NULL);
	expect(root, "same", "f1");
	expect(root, "f0", "f0");
	expect_none(root, "own");
	unmount(w, &root, 2, NULL);
	OK(storage_container_remove(w->s, "c.1_x-y", &problem));
	OK(storage_container_remove(w->s, "c.1_x-y", &problem));
	OK(try_container(w, 2, "c.1_x-y"));
	root = mount_it(w, 2, "c.1_x-y");
	expect_none(root, "own");
}

static void given_a_container_when_compared_then_both_sides_are_there(void **state)
{
	struct world *w = *state;
	struct storage_mount_opts opts = mount_opts(2, "c");
	struct storage_diff diff;
	_cleanup_fd_ int root = -1;

	add_layer(w, 0);
	add_layer(w, 1);
	OK(try_container(w, 2, "c"));
	root = mount_it(w, 2, "c");
	put(root, "own", "1");
	assert_int_equal(unlinkat(root, "f0", 0), 0);
	/* While it is mounted, and after that. */
	for (int i = 0; i < 2; i++) {
		OK(storage_diff_open(w->s, &opts, &diff, &problem));
		expect(diff.upper, "own", "1");
		if (diff.kind == STORAGE_DIFF_TREES) {
			expect_none(diff.upper, "f0");
			expect(diff.upper, "f1", "f1");
			expect(diff.lower, "f0", "f0");
		} else {
			expect_none(diff.upper, "f1");
		}
		storage_diff_close(w->s, &diff);
		if (i == 0)
			unmount(w, &root, 2, "c");
	}
	opts = mount_opts(2, NULL);
	OK(storage_diff_open(w->s, &opts, &diff, &problem));
	expect(diff.upper, "f1", "f1");
	storage_diff_close(w->s, &diff);
	opts = mount_opts(1, NULL);
	OK(storage_diff_open(w->s, &opts, &diff, &problem));
	expect(diff.upper, "f0", "f0");
	assert_int_equal(diff.lower, -1);
	storage_diff_close(w->s, &diff);
}

static void given_130_layers_when_mounted_then_all_show(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int root = -1;

	for (unsigned i = 0; i < DEPTH; i++)
		add_layer(w, i);
	assert_int_equal(layer_count(w), DEPTH);
	OK(try_container(w, DEPTH, "c"));
	root = mount_it(w, DEPTH, "c");
	expect(root, "same", "f129");
	for (unsigned i = 0; i < DEPTH; i++) {
		char name[16];

		snprintf(name, sizeof name, "f%u", i);
		expect(root, name, name);
	}
	put(root, "f0", "mine");
	expect(root, "f0", "mine");
	unmount(w, &root, DEPTH, "c");
	root = mount_it(w, DEPTH, NULL);
	expect(root, "f0", "f0");
	unmount(w, &root, DEPTH, NULL);
	OK(storage_container_remove(w->s, "c", &problem));
	for (unsigned i = DEPTH; i > 0; i--)
		OK(storage_layer_remove(w->s, layer_id(i - 1), &problem));
	assert_int_equal(layer_count(w), 0);
	assert_true(is_empty(w, "trash"));
	assert_true(is_empty(w, "staging"));
}

static void given_a_layer_when_begun_or_removed_again_then_it_is_there_or_gone(void **state)
{
	struct world *w = *state;
	struct storage_staging staging;

	assert_false(storage_layer_exists(w->s, layer_id(0)));
	OK(begin(w, 0, &staging));
	put(staging.root, "x", "1");
	assert_false(storage_layer_exists(w->s, layer_id(0)));
	storage_layer_abort(w->s, &staging);
	storage_layer_abort(w->s, &staging);
	assert_true(is_empty(w, "staging"));
	assert_int_equal(layer_count(w), 0);
	add_layer(w, 0);
	assert_true(storage_layer_exists(w->s, layer_id(0)));
	assert_int_equal(begin(w, 0, &staging), -EEXIST);
	OK(storage_sync_directories(w->s, &problem));
	OK(storage_layer_remove(w->s, layer_id(0), &problem));
	OK(storage_layer_remove(w->s, layer_id(0), &problem));
	assert_false(storage_layer_exists(w->s, layer_id(0)));
}

/* Begins the layer 1 in a process of its own, and kills it. */
static void be_killed_in_a_layer(struct world *w)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct storage_staging staging;

		if (begin(w, 1, &staging) == 0 &&
		    file_replace_at(staging.root, "half", "1", 1, 0600, false, NULL) == 0)
			(void)!write(ready[1], "", 1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void given_a_process_killed_in_a_layer_when_begun_anew_then_it_starts_empty(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int root = -1;

	add_layer(w, 0);
	be_killed_in_a_layer(w);
	assert_int_equal(layer_count(w), 1);
	add_layer(w, 1);
	root = mount_it(w, 2, NULL);
	expect(root, "f1", "f1");
	expect_none(root, "half");
	assert_true(is_empty(w, "staging"));
}

static void given_a_process_killed_in_a_layer_when_swept_then_only_live_places_stay(void **state)
{
	struct world *w = *state;
	struct storage_staging staging;

	add_layer(w, 0);
	be_killed_in_a_layer(w);
	storage_sweep(w->s);
	assert_true(is_empty(w, "staging"));
	assert_true(is_empty(w, "trash"));
	OK(begin(w, 1, &staging));
	put(staging.root, "f1", "f1");
	storage_sweep(w->s);
	put(staging.root, "f2", "f2");
	commit(w, &staging);
	assert_int_equal(layer_count(w), 2);
}

static void given_two_processes_when_they_fill_one_layer_then_the_second_waits_for_it(void **state)
{
	struct world *w = *state;
	struct storage_staging staging;
	int status;
	pid_t pid;

	OK(begin(w, 0, &staging));
	pid = fork();
	if (pid == 0) {
		struct storage_staging other;
		struct world mine = *w;

		/* A lock is held as long as any copy of it is open. */
		close(staging.lock);
		close(staging.root);
		_exit(open_store(&mine) == 0 && begin(&mine, 0, &other) == -EEXIST ? 0 : 1);
	}
	poll(NULL, 0, 50);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	put(staging.root, "x", "1");
	commit(w, &staging);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void given_a_store_when_opened_again_then_everything_is_there(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int root = -1;

	add_layer(w, 0);
	add_layer(w, 1);
	OK(try_container(w, 2, "c"));
	root = mount_it(w, 2, "c");
	put(root, "own", "1");
	unmount(w, &root, 2, "c");
	storage_close(w->s);
	w->s = NULL;
	OK(open_store(w));
	storage_sweep(w->s);
	assert_int_equal(layer_count(w), 2);
	root = mount_it(w, 2, "c");
	expect(root, "own", "1");
	expect(root, "f0", "f0");
}

static void given_names_that_are_paths_when_used_then_they_are_refused(void **state)
{
	static const char *const ids[] = {
		"", "sha256:", "sha256:../x", "../../etc",
		"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	static const char *const containers[] = {"", ".", "..", "../x", "a/b", "-x", "a b"};
	struct world *w = *state;
	struct storage_staging staging;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_false(storage_layer_exists(w->s, ids[i]));
		assert_int_equal(storage_layer_begin(w->s, ids[i], NULL, true, &staging, &problem),
				 -EINVAL);
		assert_int_equal(storage_layer_remove(w->s, ids[i], &problem), -EINVAL);
	}
	add_layer(w, 0);
	for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
		assert_int_equal(try_container(w, 1, containers[i]), -EINVAL);
		assert_int_equal(storage_container_remove(w->s, containers[i], &problem), -EINVAL);
	}
}

/* --- The drivers of this host ------------------------------------------------------------------------------------------ */

static void a_driver_that_cannot_work_here(void **state)
{
	skip();
}

static const struct CMUnitTest suite[] = {
#define TEST(test)                                   \
	{                                            \
#test, test, set_up, tear_down, NULL \
	}
	TEST(given_layers_when_mounted_then_the_upper_hide_what_they_delete),
	TEST(given_a_container_when_written_to_then_it_keeps_it_and_the_layers_do_not),
	TEST(given_a_container_when_compared_then_both_sides_are_there),
	TEST(given_130_layers_when_mounted_then_all_show),
	TEST(given_a_layer_when_begun_or_removed_again_then_it_is_there_or_gone),
	TEST(given_a_process_killed_in_a_layer_when_begun_anew_then_it_starts_empty),
	TEST(given_a_process_killed_in_a_layer_when_swept_then_only_live_places_stay),
	TEST(given_two_processes_when_they_fill_one_layer_then_the_second_waits_for_it),
	TEST(given_a_store_when_opened_again_then_everything_is_there),
	TEST(given_names_that_are_paths_when_used_then_they_are_refused),
};

/* Adds the suite for the driver, or one test that is skipped, whose name tells why. */
static size_t add_driver(struct CMUnitTest *tests, const char *driver)
{
	struct world *w = make_world(driver);
	int r = open_store(w);
	char *name = NULL;
	size_t count = 0;

	if (r < 0 && asprintf(&name, "%s: %s", driver, error_text(problem)) > 0)
		tests[count++] = (struct CMUnitTest){.name = name,
						     .test_func = a_driver_that_cannot_work_here};
	for (size_t i = 0; i < ARRAY_SIZE(suite) && r == 0; i++) {
		tests[count] = suite[i];
		tests[count].initial_state = (void *)driver;
		if (asprintf(&name, "%s: %s", driver, suite[i].name) > 0)
			tests[count++].name = name;
	}
	remove_world(w);
	return count;
}

int main(void)
{
	struct CMUnitTest tests[TESTS_MAX] = {0};
	const char *chosen = getenv("DHOW_TEST_DRIVER");
	size_t count = 0;
	int failed;

	if (geteuid() != 0) {
		puts("1..1\nok 1 - storage drivers # SKIP needs root");
		return 0;
	}
	for (size_t i = 0; storage_driver_names[i]; i++)
		if (!chosen || str_equal(chosen, storage_driver_names[i]))
			count += add_driver(&tests[count], storage_driver_names[i]);
	/* With a count that isn't the array's. */
	failed = _cmocka_run_group_tests("storage drivers", tests, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		free((char *)tests[i].name);
	return failed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver devicemapper on a real device mapper: pools of every kind, both file systems, sizes, crashes. Skipped, all of
 * it, where there is none or for a normal user. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <linux/loop.h>

#include "storage/devicemapper.h"
#include "storage/test_world.h"

static const struct storage_driver *const driver = &storage_devicemapper;

static int set_up(void **state)
{
	struct world *w = world_new(driver, "/var/tmp");

	OK(strv_add(&w->s.options, "basesize=256m"));
	OK(strv_add(&w->s.options, "loopdatasize=4g"));
	OK(strv_add(&w->s.options, "loopmetadatasize=16m"));
	*state = w;
	return 0;
}

static bool is_active(struct world *w)
{
	_cleanup_fd_ int control = dm_open_control(NULL);
	_cleanup_free_ char *name = NULL;
	struct dm_state state;
	struct stat st;

	assert_int_equal(fstat(w->s.root, &st), 0);
	assert_true(asprintf(&name, "dhow-%u:%u-%ju-pool", (unsigned)(st.st_dev >> 8 & 0xfff),
			     (unsigned)(st.st_dev & 0xff), (uintmax_t)st.st_ino) > 0);
	return dm_state(control, name, &state, NULL) == 0;
}

/* Whatever a test did, nothing of it is active afterwards. */
static int tear_down(void **state)
{
	struct world *w = *state;

	driver->close(&w->s);
	for (int i = 0; i < 1000 && is_active(w); i++)
		poll(NULL, 0, 10);
	if (is_active(w))
		print_error("the pool of %s is still active\n", w->path);
	world_free(w);
	return 0;
}

static size_t device_count(struct world *w)
{
	_cleanup_records_ struct dm_records records = {0};

	OK(dm_records_read(&w->s, &records, &problem));
	return records.count;
}

static void given_loop_files_when_used_then_layers_and_containers_work_and_only_the_base_stays(
	void **state)
{
	struct world *w = *state;

	open_store(w);
	use_store(w);
	assert_int_equal(device_count(w), 1);
}

static void given_xfs_when_used_then_layers_and_containers_work(void **state)
{
	struct world *w = *state;

	/* The smallest that mkfs.xfs makes. */
	OK(strv_add(&w->s.options, "basesize=512m"));
	OK(strv_add(&w->s.options, "fs=xfs"));
	if (dm_check_fs("xfs", NULL) < 0)
		skip();
	open_store(w);
	use_store(w);
}

static void given_other_options_later_when_used_then_the_file_system_may_not_change(void **state)
{
	struct world *w = *state;

	if (dm_check_fs("xfs", NULL) < 0)
		skip();
	open_store(w);
	add_layer(w, LOWER, NULL);
	driver->close(&w->s);
	OK(strv_add(&w->s.options, "fs=xfs"));
	open_store(w);
	{
		struct storage_staging staging = {.id = (char *)UPPER, .root = -1};

		assert_int_equal(driver->layer_begin(&w->s, &staging, &problem), -EINVAL);
		assert_non_null(strstr(problem->message, "dm.fs=xfs"));
		driver->layer_abort(&w->s, &staging);
	}
}

static void given_a_store_that_was_closed_when_opened_again_then_everything_is_there(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int layer = -1;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	driver->close(&w->s);
	for (int i = 0; i < 1000 && is_active(w); i++)
		poll(NULL, 0, 10);
	assert_false(is_active(w));
	open_store(w);
	layer = mount_it(w, NULL);
	expect(layer, UPPER, LOWER);
}

static void given_a_mount_when_the_store_is_closed_then_it_lives_on_until_its_end(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int container = -1;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 0));
	container = mount_it(w, "c");
	driver->close(&w->s);
	put(container, "own", "1");
	open_store(w);
	assert_int_equal(driver->container_remove(&w->s, "c", &problem), -EBUSY);
	expect(container, "own", "1");
	close_fd(&container);
	OK(driver->container_remove(&w->s, "c", &problem));
}

static void given_a_process_killed_in_a_layer_when_swept_then_its_device_is_gone(void **state)
{
	struct world *w = *state;
	int ready[2], status;
	char byte;
	pid_t pid;

	open_store(w);
	add_layer(w, LOWER, NULL);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct storage_staging staging = {
			.id = (char *)UPPER, .parent = (char *)LOWER, .root = -1};

		if (driver->layer_begin(&w->s, &staging, NULL) == 0)
			(void)!write(ready[1], "", 1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(device_count(w), 3);
	OK(remove_tree_at(w->s.root, "staging/bbbb", &problem));
	driver->sweep(&w->s);
	assert_int_equal(device_count(w), 2);
	add_layer(w, UPPER, LOWER);
}

static void given_a_device_that_nobody_marked_when_started_then_it_goes(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int control = dm_open_control(NULL), layer = -1;
	_cleanup_free_ char *name = NULL, *parameters = NULL;
	struct dm_target target = {.type = "thin", .sectors = (256 << 20) / SECTOR_SIZE};
	struct dm_pool *pool;
	struct dm_state active;
	dev_t device;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	layer = mount_it(w, NULL);
	pool = w->s.data;
	name = dm_thin_name(pool, 2);
	assert_true(asprintf(&parameters, "/dev/mapper/../dm-%u 2",
			     (unsigned)(pool->device & 0xff)) > 0);
	target.parameters = parameters;
	OK(dm_create(control, name, &target, &device, &problem));
	driver->close(&w->s);
	OK(dm_state(control, name, &active, &problem));
	open_store(w);
	expect(layer, UPPER, LOWER);
	OK(try_container(w, "c", 0));
	assert_int_equal(dm_state(control, name, &active, &problem), -ENXIO);
	expect(layer, UPPER, LOWER);
}

static void given_a_full_pool_when_flushed_then_the_layer_is_not_taken_for_whole(void **state)
{
	struct world *w = *state;
	struct storage_staging staging = {.id = (char *)LOWER, .root = -1};
	static char block[1 << 20];
	_cleanup_fd_ int fd = -1;
	int r = 0;

	OK(strv_add(&w->s.options, "loopdatasize=64m"));
	OK(strv_add(&w->s.options, "min_free_space=0"));
	open_store(w);
	OK(driver->layer_begin(&w->s, &staging, &problem));
	memset(block, 'x', sizeof block);
	fd = openat(staging.root, "big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 100 && r == 0; i++)
		r = fd_write_all(fd, block, sizeof block);
	close_fd(&fd);
	assert_true(driver->layer_flush(&w->s, &staging, &problem) < 0);
	driver->layer_abort(&w->s, &staging);
	assert_int_equal(device_count(w), 1);
}

struct worker {
	struct world *w;
	int number;
	char message[200];
};

/* Fills layers of its own, of which every second is thrown away. cmocka's checks are for one thread. */
static void *fill_layers(void *data)
{
	struct worker *worker = data;
	struct storage *s = &worker->w->s;

	for (int i = 0; i < 6; i++) {
		_cleanup_error_ struct error *err = NULL;
		_cleanup_free_ char *id = NULL;
		struct storage_staging staging = {.root = -1};
		int r = asprintf(&id, "sha256:%d%d", worker->number, i) < 0 ? -ENOMEM : 0;

		staging.id = id;
		if (r == 0)
			r = driver->layer_begin(s, &staging, &err);
		if (r == 0)
			r = file_replace_at(staging.root, "id", id, strlen(id), 0600, false, &err);
		if (r == 0 && i % 2 == 0)
			r = driver->layer_flush(s, &staging, &err)
				    ?: driver->layer_commit(s, &staging, &err);
		else if (r == 0)
			driver->layer_abort(s, &staging);
		close_fd(&staging.root);
		if (r < 0) {
			snprintf(worker->message, sizeof worker->message, "%s", error_text(err));
			break;
		}
	}
	return NULL;
}

static void given_threads_when_they_fill_layers_at_once_then_each_is_whole(void **state)
{
	struct world *w = *state;
	struct worker workers[4] = {0};
	pthread_t threads[ARRAY_SIZE(workers)];

	open_store(w);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i].w = w;
		workers[i].number = (int)i;
		assert_int_equal(pthread_create(&threads[i], NULL, fill_layers, &workers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		assert_string_equal(workers[i].message, "");
	assert_int_equal(device_count(w), 1 + ARRAY_SIZE(workers) * 3);
	for (int i = 0; i < 6; i += 2) {
		char id[] = "sha256:3?";
		const char *const layers[] = {id};
		_cleanup_fd_ int layer = -1;

		id[8] = (char)('0' + i);
		layer = OK(driver->mount(
			&w->s, &(struct storage_mount_opts){.layers = layers, .layer_count = 1},
			&problem));
		expect(layer, "id", id);
	}
}

/* Starts and ends the pool again and again. */
_noreturn_ static void come_and_go(struct world *w)
{
	for (int i = 0; i < 15; i++) {
		const struct storage_mount_opts opts = {.layers = both, .layer_count = 2};
		_cleanup_error_ struct error *err = NULL;
		_cleanup_fd_ int layer = -1;

		if (driver->open(&w->s, &err) == 0)
			layer = driver->mount(&w->s, &opts, &err);
		if (layer < 0 || faccessat(layer, UPPER, F_OK, 0) < 0) {
			print_error("%s\n", error_text(err));
			_exit(1);
		}
		close_fd(&layer);
		driver->close(&w->s);
	}
	_exit(0);
}

static void given_processes_that_come_and_go_when_the_pool_is_used_then_it_is_always_there(
	void **state)
{
	struct world *w = *state;
	pid_t pids[3];
	int status;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	driver->close(&w->s);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			come_and_go(w);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void given_records_ahead_of_the_pool_when_started_then_only_one_step_is_taken(void **state)
{
	struct world *w = *state;
	_cleanup_records_ struct dm_records records = {0};
	struct storage_staging staging = {.id = (char *)UPPER, .root = -1};

	open_store(w);
	add_layer(w, LOWER, NULL);
	OK(dm_records_read(&w->s, &records, &problem));
	records.transaction++;
	OK(dm_records_write(&w->s, &records, &problem));
	add_layer(w, UPPER, LOWER);
	OK(driver->layer_remove(&w->s, UPPER, &problem));
	records.transaction += 5;
	OK(dm_records_write(&w->s, &records, &problem));
	assert_int_equal(driver->layer_begin(&w->s, &staging, &problem), -EUCLEAN);
	assert_non_null(strstr(problem->message, "don't belong together"));
}

static void given_a_size_when_created_then_the_container_has_it_and_none_smaller(void **state)
{
	struct world *w = *state;
	_cleanup_fd_ int container = -1;
	struct statvfs fs;

	open_store(w);
	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 1 << 30));
	container = mount_it(w, "c");
	assert_int_equal(fstatvfs(container, &fs), 0);
	assert_in_range(fs.f_blocks * fs.f_frsize, 900 << 20, 1 << 30);
	expect(container, UPPER, LOWER);
	assert_int_equal(try_container(w, "d", 1 << 20), -EINVAL);
	assert_non_null(strstr(problem->message, "dm.basesize"));
}

static void given_a_pool_nearly_full_when_used_then_it_says_so(void **state)
{
	struct world *w = *state;
	struct storage_staging staging = {.id = (char *)LOWER, .root = -1};

	OK(strv_add(&w->s.options, "loopdatasize=64m"));
	OK(strv_add(&w->s.options, "min_free_space=99%"));
	open_store(w);
	/* The base device passes, and takes more than the hundredth that may be used. */
	assert_int_equal(driver->layer_begin(&w->s, &staging, &problem), -ENOSPC);
	assert_non_null(strstr(problem->message, "dm.min_free_space"));
}

/* A loop device of size bytes, that goes with its last user. */
static int make_loop(struct world *w, const char *file, off_t size, char name[32])
{
	_cleanup_fd_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	_cleanup_fd_ int fd = openat(w->s.root, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const struct loop_config config = {.fd = (uint32_t)fd,
					   .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
	int loop;

	assert_int_equal(ftruncate(fd, size), 0);
	snprintf(name, 32, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
	loop = open(name, O_RDWR | O_CLOEXEC);
	assert_int_equal(ioctl(loop, LOOP_CONFIGURE, &config), 0);
	return loop;
}

static void given_devices_when_used_then_the_pool_is_on_them(void **state)
{
	struct world *w = *state;
	char name[2][32];
	_cleanup_fd_ int data = make_loop(w, "mydata", 1 << 30, name[0]);
	_cleanup_fd_ int metadata = make_loop(w, "mymetadata", 16 << 20, name[1]);

	OK(strv_addf(&w->s.options, "datadev=%s", name[0]));
	OK(strv_addf(&w->s.options, "metadatadev=%s", name[1]));
	open_store(w);
	use_store(w);
	assert_int_equal(faccessat(w->s.root, "data", F_OK, 0), -1);
}

static void given_a_device_with_data_when_used_then_it_is_left_alone(void **state)
{
	struct world *w = *state;
	struct storage_staging staging = {.id = (char *)LOWER, .root = -1};
	char name[32], text[10] = {0};
	_cleanup_fd_ int metadata = make_loop(w, "mymetadata", 16 << 20, name);

	assert_int_equal(pwrite(metadata, "precious", 8, 100), 8);
	OK(strv_addf(&w->s.options, "metadatadev=%s", name));
	open_store(w);
	assert_int_equal(driver->layer_begin(&w->s, &staging, &problem), -EEXIST);
	assert_non_null(strstr(problem->message, "is not empty"));
	assert_int_equal(pread(metadata, text, 8, 100), 8);
	assert_string_equal(text, "precious");
}

static void given_a_thin_pool_of_somebody_else_when_used_then_devices_are_made_in_it(void **state)
{
	struct world *w = *state;
	char name[2][32];
	_cleanup_fd_ int data = make_loop(w, "mydata", 1 << 30, name[0]);
	_cleanup_fd_ int metadata = make_loop(w, "mymetadata", 16 << 20, name[1]);
	_cleanup_fd_ int control = dm_open_control(NULL);
	_cleanup_free_ char *parameters = NULL;
	struct dm_target target = {.type = "thin-pool", .sectors = (1 << 30) / SECTOR_SIZE};
	dev_t device;

	assert_true(asprintf(&parameters, "%s %s 128 0", name[1], name[0]) > 0);
	target.parameters = parameters;
	OK(dm_create(control, "dhow-test-thin", &target, &device, &problem));
	/* Its owner's: the numbers are taken, and the count of transactions has begun. */
	OK(dm_message(control, "dhow-test-thin", "create_thin 1", &problem));
	OK(dm_message(control, "dhow-test-thin", "set_transaction_id 0 7", &problem));
	OK(strv_add(&w->s.options, "thinpooldev=/dev/mapper/dhow-test-thin"));
	open_store(w);
	use_store(w);
	driver->close(&w->s);
	OK(dm_message(control, "dhow-test-thin", "delete 1", &problem));
	OK(dm_remove(control, "dhow-test-thin", false, &problem));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(given_loop_files_when_used_then_layers_and_containers_work_and_only_the_base_stays),
		TEST(given_xfs_when_used_then_layers_and_containers_work),
		TEST(given_other_options_later_when_used_then_the_file_system_may_not_change),
		TEST(given_a_store_that_was_closed_when_opened_again_then_everything_is_there),
		TEST(given_a_mount_when_the_store_is_closed_then_it_lives_on_until_its_end),
		TEST(given_a_process_killed_in_a_layer_when_swept_then_its_device_is_gone),
		TEST(given_a_device_that_nobody_marked_when_started_then_it_goes),
		TEST(given_a_full_pool_when_flushed_then_the_layer_is_not_taken_for_whole),
		TEST(given_threads_when_they_fill_layers_at_once_then_each_is_whole),
		TEST(given_processes_that_come_and_go_when_the_pool_is_used_then_it_is_always_there),
		TEST(given_records_ahead_of_the_pool_when_started_then_only_one_step_is_taken),
		TEST(given_a_size_when_created_then_the_container_has_it_and_none_smaller),
		TEST(given_a_pool_nearly_full_when_used_then_it_says_so),
		TEST(given_devices_when_used_then_the_pool_is_on_them),
		TEST(given_a_device_with_data_when_used_then_it_is_left_alone),
		TEST(given_a_thin_pool_of_somebody_else_when_used_then_devices_are_made_in_it),
	};

	if (geteuid() != 0 || access("/dev/mapper/control", R_OK | W_OK) < 0) {
		puts("1..1\nok 1 - storage thin # SKIP needs root and a kernel with a device mapper");
		return 0;
	}
	return cmocka_run_group_tests_name("storage thin", tests, NULL, NULL);
}

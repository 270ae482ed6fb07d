/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of a container's cgroup on this host: made, limited, joined, read, frozen, killed and removed. Each
 * is skipped where it may not make cgroups. v2's ways are tested in the unified hierarchy of a hybrid
 * host too, as far as they need no controller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kernel/process.h"
#include "runtime/cgroup_internal.h"

#define WAIT_MS 5000

struct world {
	struct cgroup *cg;
	char id[48];
};

static struct spec *parsed(const char *json)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *text = strdup(json);
	struct spec *spec;

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	if (spec_parse_resources(text, strlen(text), &spec, &err) < 0)
		fail_msg("%s: %s", json, error_text(err));
	return spec;
}

static int open_world(void **state)
{
	static int number;
	struct world *w = calloc(1, sizeof *w);
	_cleanup_error_ struct error *err = NULL;
	struct cgroup_opts opts = {.id = w->id, .is_rootless = geteuid() != 0};

	snprintf(w->id, sizeof w->id, "test-cgroup-%d-%d", getpid(), number++);
	if (cgroup_open(&opts, &w->cg, &err) < 0)
		return -1;
	*state = w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;

	if (w->cg->dir_count > 0)
		cgroup_remove(w->cg, NULL);
	cgroup_free(w->cg);
	free(w);
	return 0;
}

/* The unified hierarchy alone, as if the host had no other (from created() on: making it so would pass on
 * the host's controllers for good). */
static void keep_unified(struct cgroup *cg)
{
	struct cgroup_dir *unified = cgroup_find_dir(cg, "");

	if (!unified) {
		print_message("# skipped: no cgroup2 is mounted\n");
		skip();
		return;
	}
	for (size_t i = cg->dir_count; i-- > 0;) {
		if (cg->dirs[i].is_unified)
			continue;
		free(cg->dirs[i].path);
		free(cg->dirs[i].controllers);
		cg->dirs[i] = cg->dirs[--cg->dir_count];
	}
}

static void created(struct world *w, const char *json)
{
	_cleanup_spec_ struct spec *spec = parsed(json);
	_cleanup_error_ struct error *err = NULL;

	if (geteuid() != 0 || w->cg->dir_count == 0) {
		print_message("# skipped: needs root and cgroups\n");
		skip();
	}
	if (cgroup_create(w->cg, &spec->linux.resources, &err) < 0 || w->cg->dir_count == 0) {
		print_message("# skipped: %s\n", error_text(err));
		skip();
	}
	if (w->cg->dir_count == 1 && w->cg->dirs[0].is_unified)
		w->cg->layout = CGROUP_V2;
	if (cgroup_set(w->cg, &spec->linux.resources, false, &err) < 0)
		fail_msg("%s", error_text(err));
}

/* A child in the cgroup that runs until it is killed, or until in_child returns its exit status. */
static pid_t joined(struct world *w, int (*in_child)(void), int *pidfd)
{
	_cleanup_error_ struct error *err = NULL;
	int fds[CGROUP_JOIN_MAX], count = cgroup_join_fds(w->cg, fds, &err);
	struct process_clone opts = {.cgroup_fd = cgroup_clone_fd(w->cg), .exit_signal = SIGCHLD};
	int ready[2];
	char byte;
	pid_t pid;

	if (count < 0)
		fail_msg("%s", error_text(err));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = process_clone(&opts, pidfd, &err);
	if (pid < 0)
		fail_msg("%s", error_text(err));
	if (pid == 0) {
		if (cgroup_join_self(fds, count) < 0)
			_exit(99);
		if (write(ready[1], "x", 1) != 1)
			_exit(98);
		if (in_child)
			_exit(in_child());
		for (;;)
			pause();
	}
	for (int i = 0; i < count; i++)
		close(fds[i]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid, int pidfd)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(pidfd);
}

static char *value_of(const struct world *w, const char *controller, const char *file)
{
	struct cgroup_dir *dir = cgroup_find_controller(w->cg, controller, controller);
	char *value = NULL;

	assert_non_null(dir);
	assert_true(cgroup_dir_open(dir, NULL) >= 0);
	assert_int_equal(cgroup_read(dir->fd, dir->path, file, &value, NULL), 0);
	return value;
}

static bool has_v1(const struct world *w, const char *controller)
{
	if (cgroup_find_dir(w->cg, controller))
		return true;
	print_message("# skipped: no v1 %s here\n", controller);
	return false;
}

static void given_a_child_that_joins_then_it_is_in_every_hierarchy(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t lines = 0, inside = 0;
	int pidfd;
	pid_t pid;

	created(w, "{}");
	pid = joined(w, NULL, &pidfd);
	assert_true(asprintf(&path, "/proc/%d/cgroup", pid) > 0);
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 16, &text, NULL, NULL), 0);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		lines++;
		inside += strstr(line, w->id) != NULL;
	}
	end(pid, pidfd);
	/* A pure v1 host lists the unified hierarchy although nobody mounted it. */
	assert_in_range(inside, w->cg->dir_count, lines);
	assert_true(cgroup_exists(w->cg));
	assert_int_equal(cgroup_remove(w->cg, NULL), 0);
	assert_false(cgroup_exists(w->cg));
	assert_int_equal(cgroup_remove(w->cg, NULL), 0);
}

static void given_limits_then_the_kernel_has_them(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *limit = NULL, *pids = NULL, *shares = NULL, *cpus = NULL,
			    *quota = NULL;

	if (!has_v1(w, "memory") || !has_v1(w, "cpu") || !has_v1(w, "pids") || !has_v1(w, "cpuset"))
		skip();
	created(w,
		"{'memory':{'limit':33554432,'swap':67108864,'swappiness':10,'reservation':4194304,"
		"'useHierarchy':true},'pids':{'limit':20},'cpu':{'shares':512,'quota':30000,"
		"'period':60000,'burst':1000,'idle':0,'cpus':'0','mems':'0'}}");
	limit = value_of(w, "memory", "memory.limit_in_bytes");
	pids = value_of(w, "pids", "pids.max");
	shares = value_of(w, "cpu", "cpu.shares");
	cpus = value_of(w, "cpuset", "cpuset.cpus");
	quota = value_of(w, "cpu", "cpu.cfs_quota_us");
	assert_string_equal(limit, "33554432");
	assert_string_equal(pids, "20");
	assert_string_equal(shares, "512");
	assert_string_equal(cpus, "0");
	assert_string_equal(quota, "30000");
}

static void updated(struct world *w, const char *json)
{
	_cleanup_spec_ struct spec *spec = parsed(json);
	_cleanup_error_ struct error *err = NULL;

	if (cgroup_set(w->cg, &spec->linux.resources, true, &err) < 0)
		fail_msg("%s: %s", json, error_text(err));
}

static void given_updates_up_and_down_then_the_order_of_writes_fits(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *swap = NULL, *period = NULL;

	if (!has_v1(w, "memory") || !has_v1(w, "cpu"))
		skip();
	created(w,
		"{'memory':{'limit':33554432,'swap':33554432},'cpu':{'quota':50000,'period':100000,"
		"'burst':20000}}");
	updated(w, "{'memory':{'limit':67108864,'swap':134217728}}");
	updated(w, "{'memory':{'limit':16777216,'swap':20971520}}");
	updated(w, "{'memory':{'limit':-1}}");
	swap = value_of(w, "memory", "memory.memsw.limit_in_bytes");
	assert_string_equal(swap, "9223372036854771712");
	updated(w, "{'cpu':{'quota':5000,'burst':5000}}");
	updated(w, "{'cpu':{'quota':900000,'burst':900000,'period':1000000}}");
	updated(w, "{'cpu':{'period':50000}}");
	period = value_of(w, "cpu", "cpu.cfs_period_us");
	assert_string_equal(period, "50000");
}

static void given_shares_out_of_range_then_the_error_tells_the_bound(void **state)
{
	struct world *w = *state;
	_cleanup_spec_ struct spec *spec = parsed("{'cpu':{'shares':1}}");
	_cleanup_error_ struct error *err = NULL;

	if (!has_v1(w, "cpu"))
		skip();
	created(w, "{}");
	assert_int_equal(cgroup_set(w->cg, &spec->linux.resources, true, &err), -ERANGE);
	assert_string_equal(error_text(err),
			    "linux.resources.cpu.shares: 1 is out of range, the minimum is 2");
}

static void given_unified_on_a_host_with_v1_then_it_is_refused(void **state)
{
	struct world *w = *state;
	_cleanup_spec_ struct spec *spec = parsed("{'unified':{'memory.high':'1000000'}}");
	_cleanup_error_ struct error *err = NULL;

	if (w->cg->layout == CGROUP_V2)
		skip();
	created(w, "{}");
	assert_int_equal(cgroup_set(w->cg, &spec->linux.resources, false, &err), -EOPNOTSUPP);
	assert_true(str_starts(error_text(err), "linux.resources.unified: "));
}

/* Has a mebibyte that can't be reclaimed. */
static int hold_memory(void)
{
	const size_t size = 1 << 20;
	char *memory = calloc(1, size);

	if (!memory || mlock(memory, size) < 0)
		return 97;
	memset(memory, 1, size);
	for (;;)
		pause();
}

static void wait_for_usage(const struct world *w, uint64_t bytes)
{
	struct cgroup_dir *dir = cgroup_find_dir(w->cg, "memory");
	uint64_t usage = 0;

	assert_true(cgroup_dir_open(dir, NULL) >= 0);
	for (int i = 0; i < WAIT_MS && usage < bytes; i++) {
		assert_int_equal(
			cgroup_read_u64(dir->fd, dir->path, "memory.usage_in_bytes", &usage, NULL),
			0);
		if (usage < bytes)
			poll(NULL, 0, 1);
	}
	assert_true(usage >= bytes);
}

static void given_memory_below_what_is_used_then_the_error_tells_both(void **state)
{
	struct world *w = *state;
	_cleanup_spec_ struct spec *spec = parsed("{'memory':{'limit':4096}}");
	_cleanup_error_ struct error *err = NULL;
	int pidfd;
	pid_t pid;

	if (!has_v1(w, "memory"))
		skip();
	created(w, "{}");
	pid = joined(w, hold_memory, &pidfd);
	wait_for_usage(w, 1 << 20);
	assert_int_equal(cgroup_set(w->cg, &spec->linux.resources, true, &err), -EBUSY);
	assert_non_null(
		strstr(error_text(err), "linux.resources.memory.limit: 4096 bytes are less"));
	end(pid, pidfd);
}

static int open_full(void)
{
	return open("/dev/full", O_RDWR) < 0 ? errno : 0;
}

static int open_kmsg(void)
{
	return open("/dev/kmsg", O_RDONLY | O_NONBLOCK) < 0 ? errno : 0;
}

static int exit_status_of(struct world *w, int (*in_child)(void))
{
	int pidfd, status;
	pid_t pid = joined(w, in_child, &pidfd);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(pidfd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_device_rules_hold(struct world *w)
{
	if (open_kmsg() != 0) {
		print_message("# skipped: no device here to be denied\n");
		skip();
	}
	created(w, "{'devices':[{'allow':false,'access':'rwm'}]}");
	assert_int_equal(exit_status_of(w, open_full), 0);
	assert_int_equal(exit_status_of(w, open_kmsg), EPERM);
	updated(w, "{'devices':[{'allow':false,'access':'rwm'},"
		   "{'allow':true,'type':'c','major':1,'minor':11,'access':'r'}]}");
	assert_int_equal(exit_status_of(w, open_kmsg), 0);
	/* An update of something else leaves them alone. */
	updated(w, "{}");
	assert_int_equal(exit_status_of(w, open_kmsg), 0);
	updated(w, "{'devices':[{'allow':false,'access':'rwm'}]}");
	assert_int_equal(exit_status_of(w, open_kmsg), EPERM);
}

static void given_device_rules_then_v1_enforces_them_and_their_update(void **state)
{
	if (!has_v1(*state, "devices"))
		skip();
	expect_device_rules_hold(*state);
}

static void given_device_rules_then_v2_enforces_them_and_their_update(void **state)
{
	struct world *w = *state;

	keep_unified(w->cg);
	expect_device_rules_hold(w);
}

static bool runs(pid_t pid)
{
	char letter = '?';
	uint64_t start;

	return process_start_time(pid, &start, &letter) == 0 && letter != 'Z' && letter != 'X';
}

static void expect_freezing_and_killing(struct world *w)
{
	_cleanup_free_ pid_t *pids = NULL;
	struct pollfd ended;
	size_t count;
	int pidfd;
	pid_t pid;

	created(w, "{}");
	pid = joined(w, NULL, &pidfd);
	assert_int_equal(cgroup_is_frozen(w->cg), 0);
	assert_int_equal(cgroup_freeze(w->cg, NULL), 0);
	assert_int_equal(cgroup_is_frozen(w->cg), 1);
	assert_int_equal(cgroup_thaw(w->cg, NULL), 0);
	assert_int_equal(cgroup_is_frozen(w->cg), 0);
	assert_int_equal(cgroup_pids(w->cg, true, &pids, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(pids[0], pid);
	/* Frozen processes are killed, too. */
	assert_int_equal(cgroup_freeze(w->cg, NULL), 0);
	assert_int_equal(cgroup_signal(w->cg, SIGKILL, NULL), 0);
	ended = (struct pollfd){.fd = pidfd, .events = POLLIN};
	assert_int_equal(poll(&ended, 1, WAIT_MS), 1);
	end(pid, pidfd);
	assert_int_equal(cgroup_oom_kills(w->cg) > 0, 0);
}

static void given_a_process_then_it_is_frozen_thawed_and_killed(void **state)
{
	expect_freezing_and_killing(*state);
}

static void given_a_process_on_v2_then_it_is_frozen_thawed_and_killed(void **state)
{
	struct world *w = *state;

	keep_unified(w->cg);
	expect_freezing_and_killing(w);
}

static void given_nested_cgroups_with_processes_then_removal_takes_all(void **state)
{
	struct world *w = *state;
	_cleanup_error_ struct error *err = NULL;
	int pidfd, inner_pidfd;
	pid_t pid, inner_pid;

	created(w, "{}");
	for (size_t i = 0; i < w->cg->dir_count; i++) {
		_cleanup_free_ char *inner = NULL, *innermost = NULL;

		/* A v1 cpuset without masks takes no process. */
		if (cgroup_controllers_have(w->cg->dirs[i].controllers, "cpuset"))
			continue;
		assert_true(asprintf(&inner, "%s/in", w->cg->dirs[i].path) > 0);
		assert_true(asprintf(&innermost, "%s/in/most", w->cg->dirs[i].path) > 0);
		assert_int_equal(cgroup_make(inner, NULL), 0);
		assert_int_equal(cgroup_make(innermost, NULL), 0);
	}
	pid = joined(w, NULL, &pidfd);
	inner_pid = joined(w, NULL, &inner_pidfd);
	for (size_t i = 0; i < w->cg->dir_count; i++) {
		_cleanup_free_ char *innermost = NULL;
		_cleanup_fd_ int fd = -1;

		assert_true(asprintf(&innermost, "%s/in/most", w->cg->dirs[i].path) > 0);
		fd = open(innermost, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			assert_int_equal(cgroup_move(fd, innermost, inner_pid, NULL), 0);
	}
	assert_true(runs(pid) && runs(inner_pid));
	/* Zombies don't keep a cgroup busy, so it doesn't matter that nobody has reaped them. */
	if (cgroup_remove(w->cg, &err) < 0)
		fail_msg("%s", error_text(err));
	assert_false(runs(pid) || runs(inner_pid));
	assert_false(cgroup_exists(w->cg));
	end(pid, pidfd);
	end(inner_pid, inner_pidfd);
}

static void given_a_sub_cgroup_then_exec_goes_there_and_not_out(void **state)
{
	static const char *const out[] = {"../x", "a/../../x", ".."};
	struct world *w = *state;
	_cleanup_cgroup_ struct cgroup *sub = NULL;
	const char *below[] = {"below", NULL};
	struct spec_strings arguments = {below, 1};

	created(w, "{}");
	for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
		below[0] = out[i];
		assert_int_equal(cgroup_open_sub(w->cg, &arguments, 1, &sub, NULL), -EINVAL);
	}
	below[0] = "below";
	assert_int_equal(cgroup_open_sub(w->cg, &arguments, 1, &sub, NULL), -ENOENT);
	for (size_t i = 0; i < w->cg->dir_count; i++) {
		_cleanup_free_ char *path = NULL;

		assert_true(asprintf(&path, "%s/below", w->cg->dirs[i].path) > 0);
		assert_int_equal(cgroup_make(path, NULL), 0);
	}
	assert_int_equal(cgroup_open_sub(w->cg, &arguments, 1, &sub, NULL), 0);
	assert_true(str_starts(sub->dirs[0].path, w->cg->dirs[0].path));
	assert_non_null(strstr(sub->dirs[0].path, "/below"));
	cgroup_free(TAKE_PTR(sub));
	below[0] = "nocontroller:below";
	assert_int_equal(cgroup_open_sub(w->cg, &arguments, 1, &sub, NULL), -EINVAL);
}

static void given_a_used_cgroup_then_another_container_may_not_have_it(void **state)
{
	struct world *w = *state;
	_cleanup_spec_ struct spec *spec = parsed("{}");
	_cleanup_error_ struct error *err = NULL;
	_cleanup_cgroup_ struct cgroup *other = NULL;
	struct cgroup_opts opts = {.id = w->id};
	int pidfd;
	pid_t pid;

	created(w, "{}");
	pid = joined(w, NULL, &pidfd);
	assert_int_equal(cgroup_open(&opts, &other, NULL), 0);
	assert_int_equal(cgroup_create(other, &spec->linux.resources, &err), -EBUSY);
	assert_non_null(strstr(error_text(err), "not empty: 1 process"));
	assert_true(runs(pid));
	assert_true(cgroup_exists(w->cg));
	end(pid, pidfd);
	/* Empty ones may be taken over. */
	error_freep(&err);
	assert_int_equal(cgroup_create(other, &spec->linux.resources, &err), 0);
}

static void given_a_path_of_several_new_parts_then_all_are_made_and_usable(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *path = NULL, *outer = NULL;
	_cleanup_cgroup_ struct cgroup *deep = NULL;
	_cleanup_spec_ struct spec *spec = parsed("{}");
	struct cgroup_opts opts = {.id = "unused"};
	struct world inside = {0};
	int pidfd;
	pid_t pid;

	created(w, "{}");
	assert_true(asprintf(&path, "%s/a/b", w->id) > 0);
	opts.cgroups_path = path;
	/* Relative, so below the test's own; on a v2 host beside it. */
	assert_int_equal(cgroup_open(&opts, &deep, NULL), 0);
	assert_int_equal(cgroup_create(deep, &spec->linux.resources, NULL), 0);
	inside.cg = deep;
	pid = joined(&inside, NULL, &pidfd);
	end(pid, pidfd);
	assert_int_equal(cgroup_remove(deep, NULL), 0);
	assert_false(cgroup_exists(deep));
}

static void given_a_parent_with_threads_then_a_new_cgroup_becomes_one_that_takes_processes(
	void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *threaded = NULL, *type = NULL;
	_cleanup_cgroup_ struct cgroup *cg = calloc(1, sizeof *cg);
	_cleanup_spec_ struct spec *spec = parsed("{}");
	_cleanup_fd_ int fd = -1;
	struct cgroup_hierarchy inner = {.controllers = (char *)"",
					 .root = (char *)"/",
					 .own_path = (char *)"/",
					 .is_unified = true};
	struct world inside = {.cg = cg};
	int pidfd, inner_pidfd;
	pid_t pid, inner_pid;

	keep_unified(w->cg);
	created(w, "{}");
	pid = joined(w, NULL, &pidfd);
	assert_true(asprintf(&threaded, "%s/threads", w->cg->dirs[0].path) > 0);
	assert_int_equal(cgroup_make(threaded, NULL), 0);
	fd = open(threaded, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(cgroup_write(fd, threaded, "cgroup.type", "threaded", NULL), 0);
	/* As a container in there sees it. */
	cg->manager = &cgroup_manager_cgroupfs;
	cg->layout = CGROUP_V2;
	inner.mount_point = w->cg->dirs[0].path;
	assert_int_equal(cgroup_add_dir(cg, &inner, "/new", false, NULL), 0);
	assert_int_equal(cgroup_create(cg, &spec->linux.resources, NULL), 0);
	assert_int_equal(
		cgroup_read(cgroup_dir_open(&cg->dirs[0], NULL), "", "cgroup.type", &type, NULL),
		0);
	assert_string_equal(type, "threaded");
	inner_pid = joined(&inside, NULL, &inner_pidfd);
	end(inner_pid, inner_pidfd);
	end(pid, pidfd);
	assert_int_equal(cgroup_remove(cg, NULL), 0);
}

static void given_a_delegated_cgroup_then_its_owner_owns_what_he_must_write(void **state)
{
	static const char *const given[] = {"cgroup.procs", "cgroup.subtree_control", "."};
	struct world *w = *state;
	struct stat st;

	keep_unified(w->cg);
	created(w, "{}");
	assert_int_equal(cgroup_delegate(w->cg, 12345, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		assert_int_equal(fstatat(w->cg->dirs[0].fd, given[i], &st, 0), 0);
		assert_int_equal(st.st_uid, 12345);
	}
	assert_int_equal(fstatat(w->cg->dirs[0].fd, "cgroup.freeze", &st, 0), 0);
	assert_int_equal(st.st_uid, 0);
}

static void given_statistics_then_all_sections_are_there(void **state)
{
	static const char *const sections[] = {"cpu",  "cpuset", "memory",
					       "pids", "blkio",  "hugetlb"};
	struct world *w = *state;
	_cleanup_json_ json_t *data = NULL;
	int pidfd;
	pid_t pid;

	created(w, "{'pids':{'limit':33}}");
	pid = joined(w, NULL, &pidfd);
	assert_int_equal(cgroup_stats(w->cg, &data, NULL), 0);
	end(pid, pidfd);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		assert_true(json_is_object(json_object_get(data, sections[i])));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(data, "pids"), "current")), 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(data, "pids"), "limit")), 33);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		IN_WORLD(given_a_child_that_joins_then_it_is_in_every_hierarchy),
		IN_WORLD(given_limits_then_the_kernel_has_them),
		IN_WORLD(given_updates_up_and_down_then_the_order_of_writes_fits),
		IN_WORLD(given_shares_out_of_range_then_the_error_tells_the_bound),
		IN_WORLD(given_unified_on_a_host_with_v1_then_it_is_refused),
		IN_WORLD(given_memory_below_what_is_used_then_the_error_tells_both),
		IN_WORLD(given_device_rules_then_v1_enforces_them_and_their_update),
		IN_WORLD(given_device_rules_then_v2_enforces_them_and_their_update),
		IN_WORLD(given_a_process_then_it_is_frozen_thawed_and_killed),
		IN_WORLD(given_a_process_on_v2_then_it_is_frozen_thawed_and_killed),
		IN_WORLD(given_nested_cgroups_with_processes_then_removal_takes_all),
		IN_WORLD(given_a_sub_cgroup_then_exec_goes_there_and_not_out),
		IN_WORLD(given_a_used_cgroup_then_another_container_may_not_have_it),
		IN_WORLD(given_a_path_of_several_new_parts_then_all_are_made_and_usable),
		IN_WORLD(
			given_a_parent_with_threads_then_a_new_cgroup_becomes_one_that_takes_processes),
		IN_WORLD(given_a_delegated_cgroup_then_its_owner_owns_what_he_must_write),
		IN_WORLD(given_statistics_then_all_sections_are_there),
	};

	return cmocka_run_group_tests_name("cgroups of this host", tests, NULL, NULL);
}

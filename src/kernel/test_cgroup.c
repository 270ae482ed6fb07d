/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the host's cgroup layout (from captured texts) and of access to cgroup files (in a directory of
 * ordinary files, and in real cgroups where that is allowed). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kernel/bpf.h"
#include "kernel/cgroup.h"

#define NOISE                                                       \
	"22 27 0:21 / /proc rw,relatime - proc proc rw\n"           \
	"23 27 0:22 / /sys rw,relatime shared:7 - sysfs sysfs rw\n" \
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"

static struct cgroup_host parsed(const char *mountinfo, const char *own)
{
	_cleanup_error_ struct error *err = NULL;
	struct cgroup_host host;

	if (cgroup_host_parse(mountinfo, own, &host, &err) < 0)
		fail_msg("%s", error_text(err));
	return host;
}

static void given_a_v2_host_then_one_hierarchy_is_at_the_root(void **state)
{
	struct cgroup_host host = parsed(NULL, "0::/user.slice/user-0.slice/session-1.scope\n");
	const struct cgroup_hierarchy *h = cgroup_host_find(&host, "");

	(void)state;
	assert_int_equal(host.layout, CGROUP_V2);
	assert_int_equal(host.count, 1);
	assert_non_null(h);
	assert_string_equal(h->mount_point, "/sys/fs/cgroup");
	assert_string_equal(h->own_path, "/user.slice/user-0.slice/session-1.scope");
	assert_null(cgroup_host_find(&host, "memory"));
	cgroup_host_clear(&host);
}

static void given_a_v1_host_then_co_mounted_controllers_are_one_hierarchy(void **state)
{
	struct cgroup_host host = parsed(
		NOISE
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
		"33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		"34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
		"rw,xattr,release_agent=/usr/lib/systemd/systemd-cgroups-agent,name=systemd\n",
		"5:memory:/a\n4:cpu,cpuacct:/b\n3:pids:/\n1:name=systemd:/c\n0::/c\n");
	const struct cgroup_hierarchy *h = cgroup_host_find(&host, "cpuacct");

	(void)state;
	assert_int_equal(host.layout, CGROUP_V1);
	assert_int_equal(host.count, 3);
	assert_non_null(h);
	assert_ptr_equal(h, cgroup_host_find(&host, "cpu"));
	assert_string_equal(h->mount_point, "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(h->own_path, "/b");
	assert_string_equal(cgroup_host_find(&host, "name=systemd")->own_path, "/c");
	assert_null(cgroup_host_find(&host, "pids"));
	assert_null(cgroup_host_find(&host, "cpua"));
	assert_null(cgroup_host_find(&host, ""));
	cgroup_host_clear(&host);
}

static void given_a_hybrid_host_then_v1_and_unified_are_both_found(void **state)
{
	struct cgroup_host host =
		parsed(NOISE "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			     "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
		       "4:memory:/x\n0::/y\n");

	(void)state;
	assert_int_equal(host.layout, CGROUP_HYBRID);
	assert_true(cgroup_host_find(&host, "")->is_unified);
	assert_string_equal(cgroup_host_find(&host, "")->mount_point, "/sys/fs/cgroup/unified");
	cgroup_host_clear(&host);
}

static void given_a_v1_host_with_cgroup2_mounted_elsewhere_then_that_does_not_count(void **state)
{
	struct cgroup_host host =
		parsed(NOISE "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			     "41 31 0:38 / /run/net/cgroupv2 rw - cgroup2 cgroup2 rw\n",
		       "4:memory:/x\n0::/y\n");

	(void)state;
	assert_int_equal(host.layout, CGROUP_V1);
	assert_int_equal(host.count, 1);
	cgroup_host_clear(&host);
}

static void given_a_nested_container_then_root_tells_what_is_mounted(void **state)
{
	struct cgroup_host host = parsed(
		NOISE
		"50 31 0:29 /docker/abc /sys/fs/cgroup/memory ro,nosuid master:9 - cgroup cgroup rw,memory\n"
		"51 31 0:30 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n",
		"5:memory:/docker/abc\n4:pids:/docker/abc/sub\n");
	const struct cgroup_hierarchy *h = cgroup_host_find(&host, "pids");

	(void)state;
	assert_non_null(h);
	assert_string_equal(h->root, "/docker/abc");
	assert_string_equal(h->own_path, "/docker/abc/sub");
	cgroup_host_clear(&host);
}

static void given_a_hierarchy_mounted_twice_then_the_usual_place_wins(void **state)
{
	struct cgroup_host host = parsed(
		NOISE "50 31 0:29 / /srv/root/sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
		      "51 31 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
		      "52 31 0:29 / /mnt/with\\040blank rw - cgroup cgroup rw,pids\n",
		"5:pids:/\n");

	(void)state;
	assert_string_equal(cgroup_host_find(&host, "pids")->mount_point, "/sys/fs/cgroup/pids");
	cgroup_host_clear(&host);
}

static void given_an_escaped_mount_point_then_it_is_decoded(void **state)
{
	struct cgroup_host host = parsed(
		"52 31 0:29 / /mnt/with\\040blank\\134 rw - cgroup cgroup rw,pids\n", "5:pids:/\n");

	(void)state;
	assert_string_equal(cgroup_host_find(&host, "pids")->mount_point, "/mnt/with blank\\");
	cgroup_host_clear(&host);
}

static void given_no_cgroup_mount_or_garbage_then_there_is_no_layout(void **state)
{
	static const char *const mountinfos[] = {
		NOISE,
		"",
		"- cgroup\n - cgroup\n1 2 - cgroup cgroup rw\n",
		"1 2 3:4 / /x rw - cgroup\n1 2 3 / - cgroup2 a b c\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mountinfos); i++) {
		struct cgroup_host host = parsed(mountinfos[i], "5:pids:/\n0::/\nx\n7:y\n\n");

		assert_int_equal(host.layout, CGROUP_NONE);
		assert_int_equal(host.count, 0);
		cgroup_host_clear(&host);
	}
}

static void given_this_host_then_quick_and_thorough_search_agree(void **state)
{
	_cleanup_free_ char *mountinfo = NULL, *own = NULL;
	const struct cgroup_host *host;
	struct cgroup_host thorough;

	(void)state;
	assert_int_equal(cgroup_host_get(&host, NULL), 0);
	if (host->layout == CGROUP_NONE)
		skip();
	assert_int_equal(
		file_read_at(AT_FDCWD, "/proc/self/mountinfo", 64 << 20, &mountinfo, NULL, NULL),
		0);
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/cgroup", 1 << 20, &own, NULL, NULL), 0);
	thorough = parsed(mountinfo, own);
	assert_int_equal(thorough.layout, host->layout);
	assert_int_equal(thorough.count, host->count);
	for (size_t i = 0; i < host->count; i++) {
		assert_string_equal(thorough.hierarchies[i].mount_point,
				    host->hierarchies[i].mount_point);
		assert_string_equal(thorough.hierarchies[i].root, host->hierarchies[i].root);
	}
	cgroup_host_clear(&thorough);
}

/* A directory of ordinary files. */
struct room {
	char path[32];
	int fd;
};

static int make_room(void **state)
{
	struct room *room = calloc(1, sizeof *room);

	if (!room)
		return -1;
	strcpy(room->path, "/tmp/test-cgroup-XXXXXX");
	if (!mkdtemp(room->path))
		return -1;
	room->fd = open(room->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = room;
	return 0;
}

static int remove_room(void **state)
{
	struct room *room = *state;

	close(room->fd);
	remove_tree_at(AT_FDCWD, room->path, NULL);
	free(room);
	return 0;
}

static void put_file(const struct room *room, const char *name, const char *text)
{
	assert_int_equal(file_replace_at(room->fd, name, text, strlen(text), 0600, false, NULL), 0);
}

static void given_a_missing_file_then_writing_makes_none_and_says_which(void **state)
{
	_cleanup_error_ struct error *err = NULL;
	struct room *room = *state;

	assert_int_equal(cgroup_write(room->fd, room->path, "pids.max", "5", &err), -ENOENT);
	assert_non_null(strstr(error_text(err), "write \"5\" to "));
	assert_non_null(strstr(error_text(err), "/pids.max: No such file"));
	assert_int_equal(faccessat(room->fd, "pids.max", F_OK, 0), -1);
}

static void given_a_link_then_it_is_not_followed(void **state)
{
	struct room *room = *state;

	put_file(room, "secret", "1\n");
	assert_int_equal(symlinkat("secret", room->fd, "pids.max"), 0);
	assert_int_equal(cgroup_write(room->fd, room->path, "pids.max", "5", NULL), -ELOOP);
}

static void given_numbers_then_they_are_read_and_max_is_the_greatest(void **state)
{
	_cleanup_error_ struct error *err = NULL;
	struct room *room = *state;
	uint64_t value;

	put_file(room, "a", "9223372036854771712\n");
	put_file(room, "b", "max\n");
	put_file(room, "c", "-1\n");
	put_file(room, "d", "seven\n");
	assert_int_equal(cgroup_read_u64(room->fd, room->path, "a", &value, NULL), 0);
	assert_true(value == 9223372036854771712u);
	assert_int_equal(cgroup_read_u64(room->fd, room->path, "b", &value, NULL), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(cgroup_read_u64(room->fd, room->path, "c", &value, NULL), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(cgroup_read_u64(room->fd, room->path, "d", &value, &err), -EINVAL);
	assert_non_null(strstr(error_text(err), "not a number: seven"));
	assert_int_equal(cgroup_read_u64(room->fd, room->path, "e", &value, NULL), -ENOENT);
}

static void given_keys_then_the_whole_key_must_match(void **state)
{
	struct room *room = *state;
	uint64_t value = 0;

	put_file(room, "memory.events", "low 1\noom 2\noom_kill 3\n");
	assert_int_equal(
		cgroup_read_key(room->fd, room->path, "memory.events", "oom_kill", &value, NULL),
		0);
	assert_int_equal(value, 3);
	assert_int_equal(
		cgroup_read_key(room->fd, room->path, "memory.events", "oom", &value, NULL), 0);
	assert_int_equal(value, 2);
	assert_int_equal(cgroup_read_key(room->fd, room->path, "memory.events", "oo", &value, NULL),
			 -ENOENT);
}

static void given_a_long_file_then_it_is_read_whole(void **state)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_free_ char *value = NULL;
	struct room *room = *state;

	for (int i = 0; i < 5000; i++)
		strbuf_addf(&text, "%d\n", i);
	put_file(room, "cgroup.procs", text.text);
	assert_int_equal(cgroup_read(room->fd, room->path, "cgroup.procs", &value, NULL), 0);
	assert_int_equal(strlen(value), text.length - 1);
	assert_memory_equal(value, text.text, text.length - 1);
}

/* A real directory on cgroup2, or the reason to skip. */
static char *make_unified(const char *name)
{
	const struct cgroup_host *host;
	const struct cgroup_hierarchy *h;
	char *path;

	if (geteuid() != 0 || cgroup_host_get(&host, NULL) < 0 ||
	    !(h = cgroup_host_find(host, "")) ||
	    asprintf(&path, "%s/%s-%d", h->mount_point, name, getpid()) < 0) {
		print_message("# skipped: needs root and cgroup2\n");
		return NULL;
	}
	if (cgroup_make(path, NULL) < 0) {
		print_message("# skipped: may not make cgroups\n");
		free(path);
		return NULL;
	}
	return path;
}

static void given_a_cgroup_then_making_it_again_says_so_and_removing_twice_is_fine(void **state)
{
	_cleanup_free_ char *path = make_unified("test-make");
	_cleanup_error_ struct error *err = NULL;

	(void)state;
	if (!path)
		skip();
	assert_int_equal(cgroup_make(path, &err), -EEXIST);
	assert_null(err);
	assert_int_equal(cgroup_unmake(path, 0, &err), 0);
	assert_int_equal(cgroup_unmake(path, 0, &err), 0);
}

static void given_a_busy_cgroup_then_removal_waits_for_its_last_process(void **state)
{
	_cleanup_free_ char *path = make_unified("test-busy");
	_cleanup_fd_ int fd = -1;
	int to_child[2];
	pid_t pid;

	(void)state;
	if (!path)
		skip();
	assert_int_equal(pipe(to_child), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		close(to_child[1]);
		_exit(read(to_child[0], &byte, 1) < 0);
	}
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(cgroup_move(fd, path, pid, NULL), 0);
	close_fd(&fd);
	assert_int_equal(cgroup_unmake(path, 0, NULL), -EBUSY);
	assert_int_equal(cgroup_unmake(path, 20, NULL), -EBUSY);
	close(to_child[1]);
	close(to_child[0]);
	assert_int_equal(cgroup_unmake(path, 5000, NULL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* r0 = verdict; exit */
static int load_verdict(int verdict, struct error **err)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_load_device_program(insns, ARRAY_SIZE(insns), err);
}

static void given_device_programs_then_setting_one_leaves_it_alone_attached(void **state)
{
	_cleanup_free_ char *path = make_unified("test-bpf");
	_cleanup_error_ struct error *err = NULL;
	_cleanup_fd_ int fd = -1, allow = -1, deny = -1;

	(void)state;
	if (!path)
		skip();
	allow = load_verdict(1, &err);
	if (allow == -EPERM || allow == -ENOSYS) {
		cgroup_unmake(path, 0, NULL);
		print_message("# skipped: %s\n", error_text(err));
		skip();
	}
	deny = load_verdict(0, NULL);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bpf_count_device_programs(fd, NULL), 0);
	assert_int_equal(bpf_set_device_program(fd, allow, NULL), 0);
	assert_int_equal(bpf_count_device_programs(fd, NULL), 1);
	assert_int_equal(bpf_set_device_program(fd, deny, NULL), 0);
	assert_int_equal(bpf_count_device_programs(fd, NULL), 1);
	close_fd(&fd);
	assert_int_equal(cgroup_unmake(path, 1000, NULL), 0);
}

static void given_a_program_the_verifier_refuses_then_the_error_tells_why(void **state)
{
	const struct bpf_insn insns[] = {{.code = BPF_JMP | BPF_EXIT}};
	_cleanup_error_ struct error *err = NULL;
	int fd = bpf_load_device_program(insns, ARRAY_SIZE(insns), &err);

	(void)state;
	if (fd == -EPERM || fd == -ENOSYS) {
		print_message("# skipped: %s\n", error_text(err));
		skip();
	}
	assert_true(fd < 0);
	assert_non_null(strstr(error_text(err), "verifier: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_v2_host_then_one_hierarchy_is_at_the_root),
		cmocka_unit_test(given_a_v1_host_then_co_mounted_controllers_are_one_hierarchy),
		cmocka_unit_test(given_a_hybrid_host_then_v1_and_unified_are_both_found),
		cmocka_unit_test(
			given_a_v1_host_with_cgroup2_mounted_elsewhere_then_that_does_not_count),
		cmocka_unit_test(given_a_nested_container_then_root_tells_what_is_mounted),
		cmocka_unit_test(given_a_hierarchy_mounted_twice_then_the_usual_place_wins),
		cmocka_unit_test(given_an_escaped_mount_point_then_it_is_decoded),
		cmocka_unit_test(given_no_cgroup_mount_or_garbage_then_there_is_no_layout),
		cmocka_unit_test(given_this_host_then_quick_and_thorough_search_agree),
		cmocka_unit_test_setup_teardown(
			given_a_missing_file_then_writing_makes_none_and_says_which, make_room,
			remove_room),
		cmocka_unit_test_setup_teardown(given_a_link_then_it_is_not_followed, make_room,
						remove_room),
		cmocka_unit_test_setup_teardown(
			given_numbers_then_they_are_read_and_max_is_the_greatest, make_room,
			remove_room),
		cmocka_unit_test_setup_teardown(given_keys_then_the_whole_key_must_match, make_room,
						remove_room),
		cmocka_unit_test_setup_teardown(given_a_long_file_then_it_is_read_whole, make_room,
						remove_room),
		cmocka_unit_test(
			given_a_cgroup_then_making_it_again_says_so_and_removing_twice_is_fine),
		cmocka_unit_test(given_a_busy_cgroup_then_removal_waits_for_its_last_process),
		cmocka_unit_test(given_device_programs_then_setting_one_leaves_it_alone_attached),
		cmocka_unit_test(given_a_program_the_verifier_refuses_then_the_error_tells_why),
	};

	return cmocka_run_group_tests_name("kernel cgroup", tests, NULL, NULL);
}

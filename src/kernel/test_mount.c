/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts by descriptor, in a private mount namespace, with the mount API and without it (a seccomp filter
 * takes the calls away one kernel generation at a time). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/test_child.h"
#include "kernel/mount.h"
#include "kernel/path.h"

enum kernel { NEW, LINUX_5_10, NO_MOUNT_API };

static void forbid(long call)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* base is a fresh tmpfs. */
static void run(void (*test)(int base), enum kernel kernel)
{
	static const long old_calls[] = {SYS_fsopen, SYS_open_tree, SYS_move_mount};
	char path[] = "/tmp/test-mount-XXXXXX";
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("# needs root\n");
		skip();
	}
	assert_non_null(mkdtemp(path));
	pid = fork();
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount_set_root_propagation(MS_PRIVATE, true, NULL) == 0);
		CHECK(syscall(SYS_mount, "none", path, "tmpfs", 0, NULL) == 0);
		if (kernel >= LINUX_5_10)
			forbid(SYS_mount_setattr);
		for (size_t i = 0; kernel == NO_MOUNT_API && i < ARRAY_SIZE(old_calls); i++)
			forbid(old_calls[i]);
		test(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(path);
	assert_int_equal(status, 0);
}

static struct mount_target target(int base, const char *name)
{
	return (struct mount_target){
		.fd = path_mkdirs_in_root(base, name, 0755, PATH_ANY, NULL),
		.root = base,
		.path = name,
	};
}

static void a_file_system_is_mounted(int base)
{
	const struct mount_parameter parameters[] = {{"mode", "0711"}, {"size", "64k"}};
	const struct mount_fs fs = {
		.type = "tmpfs",
		.source = "x",
		.parameters = parameters,
		.parameter_count = 2,
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	};
	struct mount_target at = target(base, "m");
	struct error *err = NULL;
	uint64_t attributes;
	struct stat st, top;
	int fd = mount_new(&fs, &at, &err);

	CHECK(fd >= 0 && mount_is_type(fd, TMPFS_MAGIC));
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0711);
	CHECK(fstatat(base, "m", &top, 0) == 0 && top.st_dev == st.st_dev);
	CHECK(mount_attributes(fd, &attributes, &err) == 0);
	CHECK(attributes == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
}

static void a_bind_becomes_read_only(int base)
{
	const struct mount_change readonly = {
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME,
		.clear = MOUNT_ATTR__ATIME,
		.id_map = -1,
	};
	struct mount_target at = target(base, "to");
	struct error *err = NULL;
	uint64_t attributes;
	int from = path_mkdirs_in_root(base, "from", 0755, PATH_ANY, NULL);
	int tree = mount_clone(from, "", MOUNT_CLONE_RECURSIVE, &err);

	CHECK(tree >= 0);
	CHECK(mount_attach(&tree, &at, MOUNT_CLONE_RECURSIVE, &err) == 0);
	CHECK(mount_set(tree, &readonly, &err) == 0);
	CHECK(mount_attributes(tree, &attributes, &err) == 0);
	CHECK(attributes == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME));
	CHECK(mkdirat(base, "to/x", 0755) < 0 && errno == EROFS);
	CHECK(mkdirat(base, "from/x", 0755) == 0);
}

static void propagation_is_set(int base)
{
	const struct mount_change shared = {
		.propagation = MS_SHARED, .is_recursive = true, .id_map = -1};
	struct mount_target at = target(base, "m");
	struct error *err = NULL;
	int tree = mount_clone(at.fd, "", 0, &err);

	CHECK(tree >= 0 && mount_attach(&tree, &at, 0, &err) == 0);
	CHECK(mount_set(tree, &shared, &err) == 0);
	CHECK(mount_make_parent_private(tree, &err) == 0);
}

static void recursive_attributes_are_refused(int base)
{
	const struct mount_change change = {
		.set = MOUNT_ATTR_RDONLY, .is_recursive = true, .id_map = -1};
	struct error *err = NULL;

	CHECK(mount_set(base, &change, &err) == -EOPNOTSUPP);
	CHECK(strstr(error_text(err), "5.12"));
}

static void the_kernel_says_why(int base)
{
	const struct mount_parameter parameters[] = {{"bogus", "1"}};
	const struct mount_fs fs = {
		.type = "tmpfs", .parameters = parameters, .parameter_count = 1};
	const struct mount_fs nothing = {.type = "no-such-fs"};
	struct mount_target at = target(base, "m");
	struct error *err = NULL;

	CHECK(mount_new(&fs, &at, &err) == -EINVAL);
	CHECK(strstr(error_text(err), "bogus=1") && strstr(error_text(err), "Unknown parameter"));
	CHECK(mount_new(&nothing, &at, &err) == -ENODEV);
	CHECK(strstr(error_text(err), "no-such-fs"));
}

static void a_long_option_is_taken(int base)
{
	_cleanup_strbuf_ struct strbuf lower = {0};
	struct mount_parameter parameters[] = {{"lowerdir", NULL}};
	const struct mount_fs fs = {
		.type = "overlay", .parameters = parameters, .parameter_count = 1};
	struct mount_target at = target(base, "m");
	struct error *err = NULL;
	char directory[64], path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/self/fd/%d", base);
	n = readlink(path, directory, sizeof directory - 1);
	CHECK(n > 0);
	directory[n] = '\0';
	for (int i = 0; i < 12; i++) {
		snprintf(path, sizeof path, "a-rather-long-name-for-a-layer-%d", i);
		CHECK(mkdirat(base, path, 0755) == 0);
		strbuf_addf(&lower, "%s%s/%s", i ? ":" : "", directory, path);
	}
	CHECK(lower.length > 300);
	parameters[0].value = lower.text;
	fd = mount_new(&fs, &at, &err);
	CHECK(fd >= 0 || err->code == ENODEV);
	CHECK(fd < 0 || mount_is_type(fd, OVERLAYFS_SUPER_MAGIC));
}

static void the_root_is_switched(int base)
{
	struct mount_target at = target(base, "root");
	struct error *err = NULL;
	int tree = mount_clone(at.fd, "", 0, &err);
	struct stat st;

	CHECK(mkdirat(base, "root/mark", 0755) == 0);
	CHECK(tree >= 0 && mount_attach(&tree, &at, 0, &err) == 0);
	CHECK(mount_pivot(tree, &err) == 0);
	CHECK(mount_detach(".", &err) == 0);
	CHECK(stat("/mark", &st) == 0 && stat("/usr", &st) < 0);
}

#define CASE(kernel, number, name)                             \
	static void given_##kernel##_then_##name(void **state) \
	{                                                      \
		(void)state;                                   \
		run(name, number);                             \
	}
CASE(this_kernel, NEW, a_file_system_is_mounted)
CASE(no_mount_api, NO_MOUNT_API, a_file_system_is_mounted)
CASE(this_kernel, NEW, a_bind_becomes_read_only)
CASE(linux_5_10, LINUX_5_10, a_bind_becomes_read_only)
CASE(no_mount_api, NO_MOUNT_API, a_bind_becomes_read_only)
CASE(this_kernel, NEW, propagation_is_set)
CASE(linux_5_10, LINUX_5_10, propagation_is_set)
CASE(linux_5_10, LINUX_5_10, recursive_attributes_are_refused)
CASE(this_kernel, NEW, the_kernel_says_why)
CASE(this_kernel, NEW, a_long_option_is_taken)
CASE(this_kernel, NEW, the_root_is_switched)
CASE(no_mount_api, NO_MOUNT_API, the_root_is_switched)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_this_kernel_then_a_file_system_is_mounted),
		cmocka_unit_test(given_no_mount_api_then_a_file_system_is_mounted),
		cmocka_unit_test(given_this_kernel_then_a_bind_becomes_read_only),
		cmocka_unit_test(given_linux_5_10_then_a_bind_becomes_read_only),
		cmocka_unit_test(given_no_mount_api_then_a_bind_becomes_read_only),
		cmocka_unit_test(given_this_kernel_then_propagation_is_set),
		cmocka_unit_test(given_linux_5_10_then_propagation_is_set),
		cmocka_unit_test(given_linux_5_10_then_recursive_attributes_are_refused),
		cmocka_unit_test(given_this_kernel_then_the_kernel_says_why),
		cmocka_unit_test(given_this_kernel_then_a_long_option_is_taken),
		cmocka_unit_test(given_this_kernel_then_the_root_is_switched),
		cmocka_unit_test(given_no_mount_api_then_the_root_is_switched),
	};

	return cmocka_run_group_tests_name("mount", tests, NULL, NULL);
}

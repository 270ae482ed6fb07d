/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths inside a root: what resolves where, what gets made, and a race against somebody who swaps names. Each
 * test runs twice, the second time without openat2 (a seccomp filter in a child takes it away). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/test_child.h"
#include "base/base.h"
#include "kernel/path.h"

struct world {
	char path[64]; /* holds root/, and canary/ beside it */
	int dir, root;
};

static int set_up(void **state)
{
	static struct world w;

	snprintf(w.path, sizeof w.path, "/tmp/test-path-XXXXXX");
	assert_non_null(mkdtemp(w.path));
	w.dir = open(w.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(mkdirat(w.dir, "root", 0755), errno);
	assert_return_code(mkdirat(w.dir, "canary", 0755), errno);
	w.root = openat(w.dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(w.root >= 0);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	close(w->root);
	close(w->dir);
	return remove_tree_at(AT_FDCWD, w->path, NULL);
}

static void lose_openat2(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void run(void **state, void (*test)(struct world *w), bool has_openat2)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!has_openat2)
			lose_openat2();
		test(*state);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool is_same(int fd, int dir, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static bool is_empty(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	_cleanup_dir_ DIR *d = fdopendir(fd);

	while (d && readdir(d))
		count++;
	return count == 2;
}

static void links_stay_inside(struct world *w)
{
	CHECK(mkdirat(w->root, "etc", 0755) == 0);
	CHECK(symlinkat("/etc", w->root, "absolute") == 0);
	CHECK(symlinkat("../../../../etc", w->root, "upwards") == 0);
	CHECK(symlinkat("absolute", w->root, "twice") == 0);
	CHECK(symlinkat("loop", w->root, "loop") == 0);
	CHECK(is_same(path_open_in_root(w->root, "/absolute", O_PATH, PATH_ANY, NULL), w->root,
		      "etc"));
	CHECK(is_same(path_open_in_root(w->root, "upwards", O_PATH, PATH_ANY, NULL), w->root,
		      "etc"));
	CHECK(is_same(path_open_in_root(w->root, "/twice/../twice/.", O_PATH, PATH_ANY, NULL),
		      w->root, "etc"));
	CHECK(is_same(path_open_in_root(w->root, "../../..", O_PATH, PATH_ANY, NULL), w->root,
		      "."));
	CHECK(path_open_in_root(w->root, "loop", O_PATH, PATH_ANY, NULL) == -ELOOP);
	CHECK(path_open_in_root(w->root, "twice", O_PATH, PATH_NO_SYMLINKS, NULL) == -ELOOP);
	CHECK(is_same(path_open_in_root(w->root, "loop", O_PATH | O_NOFOLLOW, PATH_ANY, NULL),
		      w->root, "loop"));
	CHECK(path_open_in_root(w->root, "missing/..", O_PATH, PATH_ANY, NULL) == -ENOENT);
	CHECK(path_open_in_root(w->root, "etc", O_PATH | O_DIRECTORY, PATH_ANY, NULL) >= 0);
}

static void magic_links_are_text(struct world *w)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(path_open_in_root(proc, "self/root/etc", O_PATH, PATH_ANY, NULL) < 0);
	CHECK(path_open_in_root(proc, "self/cwd", O_PATH | O_DIRECTORY, PATH_ANY, NULL) < 0);
	(void)w;
}

static void missing_parts_are_made(struct world *w)
{
	struct error *err = NULL;
	struct stat st;
	char text[8];
	int fd;

	umask(0);
	CHECK(is_same(path_mkdirs_in_root(w->root, "/a/b/c", 0750, PATH_ANY, &err), w->root,
		      "a/b/c"));
	CHECK(fstatat(w->root, "a/b/c", &st, 0) == 0 && (st.st_mode & 07777) == 0750);
	CHECK(is_same(path_mkdirs_in_root(w->root, "a/b", 0755, PATH_ANY, &err), w->root, "a/b"));
	CHECK(is_same(path_create_in_root(w->root, "/d/file", 0640, PATH_ANY, &err), w->root,
		      "d/file"));
	CHECK(is_same(path_create_in_root(w->root, "/d/file", 0640, PATH_MISSING, &err), w->root,
		      "d/file"));
	CHECK(path_mkdirs_in_root(w->root, "/d/file/x", 0755, PATH_ANY, &err) == -ENOTDIR);
	CHECK(strstr(error_text(err), "/d/file/x"));
	/* Links that lead nowhere yet: what they name is made, inside. */
	CHECK(symlinkat("/run/here", w->root, "dangling") == 0);
	CHECK(symlinkat("../../../canary/escape", w->root, "outwards") == 0);
	CHECK(is_same(path_mkdirs_in_root(w->root, "dangling/x", 0755, PATH_ANY, &err), w->root,
		      "run/here/x"));
	fd = path_create_in_root(w->root, "outwards", 0600, PATH_ANY, &err);
	CHECK(is_same(fd, w->root, "canary/escape"));
	CHECK(path_mkdirs_in_root(w->root, "dangling/y", 0755, PATH_NO_SYMLINKS, &err) == -ELOOP);
	CHECK(symlinkat("b", w->root, "ring") == 0 && symlinkat("ring", w->root, "b") == 0);
	CHECK(path_mkdirs_in_root(w->root, "ring/x", 0755, PATH_ANY, &err) == -ELOOP);
	CHECK(readlinkat(w->root, "outwards", text, sizeof text) > 0);
	CHECK(is_empty(w->dir, "canary"));
}

static void the_last_name_is_handed_out(struct world *w)
{
	const char *name;

	CHECK(is_same(path_parent_in_root(w->root, "/dev/net/tun", &name, NULL), w->root,
		      "dev/net"));
	CHECK(str_equal(name, "tun"));
	CHECK(path_parent_in_root(w->root, "/", &name, NULL) == -EINVAL);
	CHECK(path_parent_in_root(w->root, "/a/..", &name, NULL) == -EINVAL);
}

/* Somebody beside us exchanges a directory of the root with a link out of it, as fast as possible. */
static void swapped_names_never_lead_out(struct world *w)
{
	pid_t swapper;
	int made = 0;

	CHECK(mkdirat(w->root, "x", 0755) == 0);
	CHECK(symlinkat("../../../../canary", w->root, "y") == 0);
	CHECK(symlinkat(w->path, w->root, "z") == 0);
	swapper = fork();
	if (swapper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			syscall(SYS_renameat2, w->root, "x", w->root, "y", 2 /* RENAME_EXCHANGE */);
			syscall(SYS_renameat2, w->root, "x", w->root, "z", 2);
		}
	}
	for (int i = 0; i < 2000; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof path, "x/%d/canary", i);
		fd = i & 1 ? path_mkdirs_in_root(w->root, path, 0755, PATH_ANY, NULL)
			   : path_create_in_root(w->root, path, 0644, PATH_ANY, NULL);
		if (fd >= 0)
			made++;
		close(fd);
	}
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	CHECK(made > 0);
	CHECK(is_empty(w->dir, "canary"));
}

#define TWICE(name)                                            \
	static void given_openat2_then_##name(void **state)    \
	{                                                      \
		run(state, name, true);                        \
	}                                                      \
	static void given_no_openat2_then_##name(void **state) \
	{                                                      \
		run(state, name, false);                       \
	}
TWICE(links_stay_inside)
TWICE(magic_links_are_text)
TWICE(missing_parts_are_made)
TWICE(the_last_name_is_handed_out)
TWICE(swapped_names_never_lead_out)

static void given_an_open_file_when_asked_where_then_it_says_or_refuses(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = path_mkdirs_in_root(w->root, "/a/b", 0755, PATH_ANY, NULL);
	_cleanup_fd_ int outside = openat(w->dir, "canary", O_PATH | O_CLOEXEC);

	assert_int_equal(path_within_root(w->root, fd, &path, NULL), 0);
	assert_string_equal(path, "/a/b");
	free(TAKE_PTR(path));
	assert_int_equal(path_within_root(w->root, w->root, &path, NULL), 0);
	assert_string_equal(path, "/");
	free(TAKE_PTR(path));
	assert_int_equal(path_within_root(w->root, outside, &path, NULL), -EXDEV);
}

static void given_a_path_when_cleaned_then_it_is_absolute_and_plain(void **state)
{
	static const struct {
		const char *given, *expected;
	} cases[] = {
		{"/", "/"},
		{"", "/"},
		{"a", "/a"},
		{"//a///b/", "/a/b"},
		{"/a/../b", "/b"},
		{"/../../x", "/x"},
		{"/a/./b", "/a/b"},
		{"/a/b/../../..", "/"},
		{"/..a/b..", "/..a/b.."},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *clean = path_clean(cases[i].given);

		assert_string_equal(clean, cases[i].expected);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(given_openat2_then_links_stay_inside),
		CASE(given_no_openat2_then_links_stay_inside),
		CASE(given_openat2_then_magic_links_are_text),
		CASE(given_no_openat2_then_magic_links_are_text),
		CASE(given_openat2_then_missing_parts_are_made),
		CASE(given_no_openat2_then_missing_parts_are_made),
		CASE(given_openat2_then_the_last_name_is_handed_out),
		CASE(given_no_openat2_then_the_last_name_is_handed_out),
		CASE(given_openat2_then_swapped_names_never_lead_out),
		CASE(given_no_openat2_then_swapped_names_never_lead_out),
		CASE(given_an_open_file_when_asked_where_then_it_says_or_refuses),
		cmocka_unit_test(given_a_path_when_cleaned_then_it_is_absolute_and_plain),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}

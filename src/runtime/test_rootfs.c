/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root file system, with real mounts: each test is a child with namespaces of its own, a tmpfs that holds
 * the bundle, and the host's tree, which must stay as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/test_child.h"
#include "kernel/namespace.h"
#include "runtime/rootfs_internal.h"

/* The working directory of a test is the bundle, which holds rootfs/ and, outside of that, canary/. */
struct world {
	char bundle[64];
	bool has_user_namespace, no_pivot;
	bool keeps_pids; /* in the PID namespace of /proc, as the parent of a container is */
};

static const char config[] =
	"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},"
	"\"process\":{\"cwd\":\"/\",\"args\":[\"x\"],\"user\":{\"uid\":0,\"gid\":0}},"
	"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},"
	"{\"type\":\"uts\"},{\"type\":\"network\"}%s]%s},\"mounts\":[%s]}";

#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define DEV  "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}"
#define PTS                                                                                     \
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"options\":[\"nosuid\",\"noexec\"," \
	"\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}"
#define BIND(from, to, options)                                            \
	"{\"destination\":\"" to "\",\"type\":\"bind\",\"source\":\"" from \
	"\",\"options\":[" options "]}"
#define TMPFS(to, options)       \
	"{\"destination\":\"" to \
	"\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[" options "]}"

static struct spec *parse(const char *namespaces, const char *os, const char *mounts)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	struct error *err = NULL;
	struct spec *spec;

	strbuf_addf(&text, config, namespaces, os, mounts);
	if (spec_parse(text.text, text.length, &spec, &err) < 0) {
		fprintf(stderr, "# %s\n", error_text(err));
		_exit(1);
	}
	return spec;
}

static int make(const struct world *w, struct spec *spec, struct rootfs **out, struct error **err)
{
	struct rootfs_opts opts = {
		.spec = spec,
		.bundle_fd = open(w->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC),
		.bundle = w->bundle,
		.no_pivot = w->no_pivot,
		.has_mount_namespace = true,
		.has_user_namespace = w->has_user_namespace,
	};

	return rootfs_new(&opts, out, err);
}

/* Sets a root up to the point where it can be looked at from outside, below rootfs/. */
static int prepare(const struct world *w, const char *mounts, struct rootfs **out,
		   struct error **err)
{
	int r = make(w, parse("", "", mounts), out, err);

	return r < 0 ? r : rootfs_prepare(*out, err);
}

static void prepare_well(const struct world *w, const char *mounts, struct rootfs **out)
{
	struct error *err = NULL;

	if (prepare(w, mounts, out, &err) < 0) {
		fprintf(stderr, "# %s\n", error_text(err));
		_exit(1);
	}
}

static void enter(struct rootfs *r)
{
	struct error *err = NULL;

	if (rootfs_pivot(r, &err) < 0 || rootfs_finish(r, &err) < 0) {
		fprintf(stderr, "# %s\n", error_text(err));
		_exit(1);
	}
}

static bool has(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

static uint64_t attributes_of(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
	uint64_t attributes = 0;

	CHECK(fd >= 0 && mount_attributes(fd, &attributes, NULL) == 0);
	return attributes;
}

static bool is_on(const char *path, long magic)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);

	return fd >= 0 && mount_is_type(fd, magic);
}

static void write_file(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static int entries(const char *path)
{
	_cleanup_dir_ DIR *dir = opendir(path);
	int count = -2;

	CHECK(dir);
	while (readdir(dir))
		count++;
	return count;
}

static void map_root(pid_t pid)
{
	const struct id_map_line line = {0, 100000, 65536};
	const struct id_maps maps = {&line, &line, 1, 1};

	assert_int_equal(id_maps_write(pid, &maps, NULL), 0);
}

typedef void test_fn(struct world *w);

static _noreturn_ void child(struct world *w, test_fn *test)
{
	pid_t pid;
	int status;

	CHECK(syscall(SYS_mount, "none", w->bundle, "tmpfs", 0, NULL) == 0);
	CHECK(chdir(w->bundle) == 0 && chmod(".", 0755) == 0);
	CHECK(mkdir("rootfs", 0755) == 0 && mkdir("canary", 0777) == 0);
	/* The first process of the new PID namespace. */
	pid = fork();
	if (pid == 0) {
		test(w);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	_exit(status != 0);
}

static void run(test_fn *test, struct world *w)
{
	int status, ready[2];
	pid_t pid;

	if (geteuid() != 0) {
		print_message("# needs root\n");
		skip();
	}
	snprintf(w->bundle, sizeof w->bundle, "/tmp/test-rootfs-XXXXXX");
	assert_non_null(mkdtemp(w->bundle));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount_set_root_propagation(MS_PRIVATE, true, NULL) == 0);
		CHECK(unshare((w->keeps_pids ? 0 : CLONE_NEWPID) | CLONE_NEWIPC | CLONE_NEWUTS |
			      CLONE_NEWNET |
			      (w->has_user_namespace ? CLONE_NEWUSER | CLONE_NEWNS : 0)) == 0);
		if (w->has_user_namespace) {
			close(ready[0]);
			CHECK(write(ready[1], "", 1) == 1 && read(ready[1], &byte, 1) == 1);
			CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
		}
		child(w, test);
	}
	if (w->has_user_namespace) {
		char byte;

		assert_int_equal(read(ready[0], &byte, 1), 1);
		map_root(pid);
		assert_int_equal(write(ready[0], "", 1), 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
	rmdir(w->bundle);
	assert_int_equal(status, 0);
}

static void default_config(struct world *w)
{
	_cleanup_free_ char *text = spec_default(false, 0, 0);
	static const char *const dirs[] = {"rootfs/proc", "rootfs/sys"};
	struct error *err = NULL;
	struct spec *spec;
	struct rootfs *r;
	struct stat st;
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK(mkdir(dirs[i], 0755) == 0);
	CHECK(spec_parse(text, strlen(text), &spec, &err) == 0);
	CHECK(make(w, spec, &r, &err) == 0);
	if (rootfs_prepare(r, &err) < 0)
		fprintf(stderr, "# %s\n", error_text(err));
	enter(r);
	CHECK(is_on("/proc", PROC_SUPER_MAGIC) && is_on("/dev/pts", DEVPTS_SUPER_MAGIC));
	CHECK(is_on("/sys", SYSFS_MAGIC) && is_on("/dev", TMPFS_MAGIC));
	CHECK(is_on("/dev/shm", TMPFS_MAGIC) && has("/dev/mqueue", S_IFDIR));
	CHECK(attributes_of("/") & MOUNT_ATTR_RDONLY);
	CHECK(attributes_of("/proc/sys") & MOUNT_ATTR_RDONLY);
	CHECK(!(attributes_of("/proc") & MOUNT_ATTR_RDONLY));
	CHECK(stat("/dev/null", &st) == 0 && st.st_rdev == makedev(1, 3) && st.st_mode == 020666);
	CHECK(has("/dev/tty", S_IFCHR) && has("/dev/ptmx", S_IFLNK) && has("/dev/fd", S_IFLNK));
	/* Masks. */
	CHECK(stat("/proc/keys", &st) < 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)));
	CHECK(entries("/sys/firmware") == 0 && mkdir("/sys/firmware/x", 0755) < 0);
	CHECK(read(open("/proc/timer_list", O_RDONLY), &byte, 1) <= 0);
	/* Nothing of the host. */
	CHECK(entries("/") == 3 && stat("/usr", &st) < 0);
	CHECK(chdir("..") == 0 && stat("proc", &st) == 0 && stat("usr", &st) < 0);
}

static void binds(struct world *w)
{
	struct rootfs *r;
	struct stat st;

	CHECK(mkdir("dir", 0755) == 0 && mkdir("dir/sub", 0755) == 0);
	write_file("file", "text");
	CHECK(mkfifo("fifo", 0600) == 0);
	CHECK(syscall(SYS_mount, "none", "dir/sub", "tmpfs", 0, NULL) == 0);
	prepare_well(
		w,
		BIND("dir", "/plain", "\"rbind\"") "," BIND("dir", "/ro", "\"rbind\",\"ro\"") "," BIND("dir", "/rro", "\"rbind\",\"rro\",\"rnosuid\"") "," BIND(
			"dir", "/alone",
			"\"bind\",\"noexec\",\"shared\"") "," BIND("file", "/new/file",
								   "\"bind\",\"ro\"") "," BIND("fifo",
											       "fifo",
											       "\"bind\"") "," BIND("none",
														    "/ro",
														    "\"bind\",\"remount\",\"nosuid\""),
		&r);
	enter(r);
	CHECK(is_on("/plain/sub", TMPFS_MAGIC) && mkdir("/plain/x", 0755) == 0);
	CHECK(attributes_of("/ro") == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
	CHECK(attributes_of("/ro/sub") == 0);
	CHECK(attributes_of("/rro/sub") == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
	CHECK(attributes_of("/alone") == MOUNT_ATTR_NOEXEC);
	CHECK(mkdir("/alone/sub/y", 0755) == 0 && stat("/plain/sub/y", &st) < 0);
	CHECK(has("/new/file", S_IFREG) && open("/new/file", O_WRONLY) < 0 && errno == EROFS);
	CHECK(has("/fifo", S_IFIFO));
}

static void links_lead_inside(struct world *w)
{
	struct rootfs *r;

	CHECK(symlink("../../../canary", "rootfs/out") == 0);
	CHECK(symlink(w->bundle, "rootfs/absolute") == 0);
	CHECK(symlink("/etc", "rootfs/dev") == 0);
	write_file("file", "text");
	prepare_well(w,
		     TMPFS("/out/deep", "") "," BIND("file", "/absolute/canary/file", "\"bind\""),
		     &r);
	CHECK(entries("canary") == 0);
	CHECK(has("rootfs/canary/deep", S_IFDIR) && has("rootfs/etc/null", S_IFCHR));
	enter(r);
	CHECK(is_on("/canary/deep", TMPFS_MAGIC));
}

static void proc_is_guarded(struct world *w)
{
	static const struct {
		const char *mounts, *message;
	} refused[] = {
		{TMPFS("/proc", ""), "only a procfs"},
		{BIND("dir", "/proc", "\"rbind\""), "only a procfs"},
		{PROC "," TMPFS("/proc/sys", ""), "inside /proc"},
		{PROC "," TMPFS("/sub/../proc/fs", ""), "inside /proc"},
		{PROC "," TMPFS("/link/fs", ""), "inside /proc"},
		{TMPFS("/link", ""), "only a procfs"},
		{"{\"destination\":\"/link\",\"type\":\"proc\"}", "ordinary directory"},
	};
	struct error *err = NULL;
	struct rootfs *r;

	CHECK(mkdir("dir", 0755) == 0);
	CHECK(mkdir("rootfs/proc", 0755) == 0 && symlink("proc", "rootfs/link") == 0);
	write_file("file", "text");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		CHECK(prepare(w, refused[i].mounts, &r, &err) < 0);
		if (!strstr(error_text(err), refused[i].message)) {
			fprintf(stderr, "# %zu: %s\n", i, error_text(err));
			_exit(1);
		}
		rootfs_free(r);
	}
	prepare_well(w, PROC "," BIND("file", "/proc/uptime", "\"bind\",\"ro\""), &r);
	rootfs_free(r);
	prepare_well(w, BIND("/proc", "/proc", "\"rbind\""), &r);
}

static void copies_up(struct world *w)
{
	struct rootfs *r;
	struct stat st;
	char value[8] = "";

	umask(0);
	CHECK(mkdir("rootfs/var", 01775) == 0 && mkdir("rootfs/var/d", 0750) == 0);
	CHECK(chown("rootfs/var/d", 5, 6) == 0);
	write_file("rootfs/var/d/f", "text");
	CHECK(chmod("rootfs/var/d/f", 04711) == 0);
	CHECK(setxattr("rootfs/var/d/f", "trusted.mark", "yes", 3, 0) == 0);
	CHECK(symlink("/etc/passwd", "rootfs/var/link") == 0);
	CHECK(utimensat(AT_FDCWD, "rootfs/var/d/f", (struct timespec[]){{9, 0}, {7, 5}}, 0) == 0);
	prepare_well(w,
		     TMPFS("/var", "\"tmpcopyup\",\"size=1m\",\"ro\"") "," TMPFS("/var/d/new", ""),
		     &r);
	enter(r);
	CHECK(is_on("/var", TMPFS_MAGIC) && attributes_of("/var") == MOUNT_ATTR_RDONLY);
	CHECK(stat("/var", &st) == 0 && (st.st_mode & 07777) == 01775);
	CHECK(stat("/var/d", &st) == 0 && st.st_mode == 040750 && st.st_uid == 5 && st.st_gid == 6);
	CHECK(stat("/var/d/f", &st) == 0 && st.st_mode == 0104711 && st.st_size == 4);
	CHECK(st.st_mtim.tv_sec == 7 && st.st_mtim.tv_nsec == 5);
	CHECK(getxattr("/var/d/f", "trusted.mark", value, sizeof value) == 3);
	CHECK(has("/var/link", S_IFLNK) && is_on("/var/d/new", TMPFS_MAGIC));
}

static void console(struct world *w)
{
	struct error *err = NULL;
	int master, slave;
	struct rootfs *r;
	struct stat st;
	char text[4];

	prepare_well(w, PROC "," DEV "," PTS, &r);
	CHECK(rootfs_pivot(r, &err) == 0);
	if (rootfs_open_console(r, true, &master, &slave, &err) < 0) {
		fprintf(stderr, "# %s\n", error_text(err));
		_exit(1);
	}
	CHECK(stat("/dev/console", &st) == 0 && major(st.st_rdev) == 136);
	CHECK(write(slave, "hey", 3) == 3 && read(master, text, 3) == 3);
	/* A multiplexer that is none. */
	CHECK(unlink("/dev/ptmx") == 0 && symlink("null", "/dev/ptmx") == 0);
	CHECK(rootfs_open_console(NULL, false, &master, &slave, &err) < 0);
	CHECK(strstr(error_text(err), "multiplexer"));
}

static void null_is_verified(struct world *w)
{
	struct error *err = NULL;
	struct rootfs *r;

	CHECK(mkdir("rootfs/dev", 0755) == 0);
	write_file("rootfs/dev/null", "fake");
	write_file("rootfs/secret", "secret");
	CHECK(make(w, parse("", ",\"maskedPaths\":[\"/missing\",\"/secret\"]", PROC), &r, &err) ==
	      0);
	CHECK(rootfs_prepare(r, &err) == 0 && rootfs_pivot(r, &err) == 0);
	CHECK(rootfs_finish(r, &err) < 0);
	CHECK(strstr(error_text(err), "not the null device"));
}

static void sysctls(struct world *w)
{
	_cleanup_free_ char *value = NULL;
	struct error *err = NULL;
	struct rootfs *r;
	size_t length;

	CHECK(mkdir("rootfs/proc", 0755) == 0);
	CHECK(make(w,
		   parse("",
			 ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"net/ipv4/conf/lo/forwarding\":\"1\"}",
			 PROC),
		   &r, &err) == 0);
	CHECK(rootfs_prepare(r, &err) == 0);
	enter(r);
	CHECK(procfs_read("sys/net/ipv4/ip_forward", &value, &length, &err) == 0 && *value == '1');
}

static void user_namespace(struct world *w)
{
	struct error *err = NULL;
	struct rootfs *r;
	struct stat st;

	CHECK(mkdir("dir", 0755) == 0);
	prepare_well(w,
		     PROC
		     "," DEV
		     "," BIND("/dev/null", "/devnull",
			      "\"bind\",\"ro\"") ","
						 "{\"destination\":\"/sys\",\"type\":\"sysfs\"}",
		     &r);
	enter(r);
	CHECK(stat("/dev/null", &st) == 0 && st.st_rdev == makedev(1, 3));
	CHECK(stat("/dev/tty", &st) == 0 && st.st_rdev == makedev(5, 0));
	CHECK(is_on("/sys", SYSFS_MAGIC));
	(void)err;
}

/* A source that is read-only on the host can't be had writable by a less privileged user. */
static void locked_stays_locked(struct world *w)
{
	struct mount_change readonly = {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, .id_map = -1};
	struct error *err = NULL;
	struct rootfs *r;
	int tree, dir;

	CHECK(mkdir("dir", 0755) == 0);
	dir = open("dir", O_PATH | O_CLOEXEC);
	tree = mount_clone(dir, "", 0, &err);
	CHECK(tree >= 0);
	CHECK(mount_attach(&tree, &(struct mount_target){dir, dir, "/"}, 0, &err) == 0);
	CHECK(mount_set(tree, &readonly, &err) == 0);
	/* One more, less privileged namespace, for which these attributes are locked. */
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	w->has_user_namespace = true;
	CHECK(prepare(w, BIND("dir", "/x", "\"bind\",\"rw\""), &r, &err) < 0);
	if (!strstr(error_text(err), "read-only")) {
		fprintf(stderr, "# %s\n", error_text(err));
		_exit(1);
	}
	rootfs_free(r);
	CHECK(make(w, parse("", "", BIND("dir", "/x", "\"bind\",\"nosuid\"")), &r, &err) == 0);
	r->sets_up_dev = false;
	if (rootfs_prepare(r, &err) < 0) {
		fprintf(stderr, "# %s\n", error_text(err));
		_exit(1);
	}
	CHECK(attributes_of("rootfs/x") ==
	      (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID));
}

static void id_mapped(struct world *w)
{
	struct error *err = NULL;
	struct rootfs *r;
	struct stat st;

	CHECK(mkdir("dir", 0755) == 0);
	write_file("dir/f", "x");
	CHECK(make(w,
		   parse("", "",
			 "{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"dir\",\"options\":[\"bind\","
			 "\"idmap\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":7000,\"size\":10}],"
			 "\"gidMappings\":[{\"containerID\":0,\"hostID\":8000,\"size\":10}]}"),
		   &r, &err) == 0);
	CHECK(rootfs_wants_parent(r));
	if (rootfs_open_sources(r, &err) < 0 || rootfs_prepare(r, &err) < 0) {
		fprintf(stderr, "# %s\n", error_text(err));
		_exit(1);
	}
	enter(r);
	CHECK(stat("/x/f", &st) == 0 && st.st_uid == 7000 && st.st_gid == 8000);
}

static void moved(struct world *w)
{
	struct rootfs *r;
	struct stat st;

	w->no_pivot = true;
	CHECK(mkdir("rootfs/proc", 0755) == 0);
	prepare_well(w, PROC, &r);
	enter(r);
	CHECK(is_on("/proc", PROC_SUPER_MAGIC) && stat("/usr", &st) < 0);
	CHECK(stat("../usr", &st) < 0);
}

static void root_is_covered(struct world *w)
{
	struct rootfs *r;

	CHECK(mkdir("dir", 0755) == 0);
	write_file("dir/mark", "x");
	prepare_well(w, BIND("dir", "/", "\"bind\"") "," TMPFS("/t", ""), &r);
	enter(r);
	CHECK(has("/mark", S_IFREG) && is_on("/t", TMPFS_MAGIC) && has("/dev/null", S_IFCHR));
}

static void links_of_crun(struct world *w)
{
	struct rootfs *r;
	char text[16];

	CHECK(symlink("target", "link") == 0);
	write_file("target", "x");
	prepare_well(w,
		     BIND("link", "/copied", "\"bind\",\"copy-symlink\"") "," BIND(
			     "link", "/followed",
			     "\"bind\"") "," BIND("link", "/itself",
						  "\"bind\",\"src-nofollow\",\"dest-nofollow\""),
		     &r);
	enter(r);
	CHECK(readlink("/copied", text, sizeof text) == 6 && has("/followed", S_IFREG));
	CHECK(readlink("/itself", text, sizeof text) == 6);
}

/* Somebody who shares the root exchanges a directory with a link out of it while we mount there. */
static void race(struct world *w)
{
	pid_t swapper;
	int made = 0;
	struct statx before, now;

	CHECK(mkdir("rootfs/a", 0755) == 0 && symlink("../canary", "rootfs/b") == 0);
	CHECK(statx(AT_FDCWD, "canary", 0, STATX_MNT_ID, &before) == 0);
	swapper = fork();
	if (swapper == 0) {
		int dir = open("rootfs", O_PATH | O_DIRECTORY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			syscall(SYS_renameat2, dir, "a", dir, "b", 2 /* RENAME_EXCHANGE */);
	}
	for (int i = 0; i < 300; i++) {
		char mounts[256];
		struct rootfs *r;

		snprintf(mounts, sizeof mounts, i & 1 ? TMPFS("/a", "") : TMPFS("/a/%d/x", ""), i);
		CHECK(make(w, parse("", "", mounts), &r, NULL) == 0);
		r->sets_up_dev = false;
		made += rootfs_prepare(r, NULL) == 0;
		rootfs_free(r);
		CHECK(mount_detach("rootfs", NULL) == 0);
		CHECK(statx(AT_FDCWD, "canary", 0, STATX_MNT_ID, &now) == 0);
		CHECK(now.stx_mnt_id == before.stx_mnt_id && entries("canary") == 0);
	}
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	CHECK(made > 0);
}

#define CASE(name, test, in_user_namespace)                                          \
	static void name(void **state)                                               \
	{                                                                            \
		(void)state;                                                         \
		run(test, &(struct world){.has_user_namespace = in_user_namespace}); \
	}
CASE(given_the_default_config_when_entered_then_all_is_there_and_the_host_gone, default_config,
     false)
CASE(given_bind_mounts_when_made_then_each_has_its_attributes, binds, false)
CASE(given_links_out_of_the_root_when_mounted_on_then_they_lead_inside, links_lead_inside, false)
CASE(given_mounts_on_proc_when_made_then_only_a_procfs_passes, proc_is_guarded, false)
CASE(given_tmpcopyup_when_mounted_then_the_content_is_there, copies_up, false)
CASE(given_a_devpts_when_a_console_is_asked_for_then_it_is_that_devpts, console, false)
CASE(given_a_false_null_device_when_masking_then_it_is_refused, null_is_verified, false)
CASE(given_sysctls_when_finished_then_they_are_set, sysctls, false)
CASE(given_a_user_namespace_when_prepared_then_devices_are_bound, user_namespace, true)
CASE(given_a_read_only_source_when_bound_by_less_privileged_then_it_stays_so, locked_stays_locked,
     false)
static void given_an_id_map_when_bound_then_owners_are_mapped(void **state)
{
	(void)state;
	run(id_mapped, &(struct world){.keeps_pids = true});
}
CASE(given_no_pivot_when_entered_then_the_host_is_hidden, moved, false)
CASE(given_a_mount_on_the_root_when_entered_then_it_is_the_root, root_is_covered, false)
CASE(given_sources_that_are_links_when_bound_then_options_decide, links_of_crun, false)
CASE(given_somebody_who_swaps_names_when_mounted_then_nothing_lands_outside, race, false)

static void given_option_words_when_parsed_then_the_last_one_wins(void **state)
{
	const char *words[] = {"ro,noexec",        "rw",      "sync",     "async",
			       "lowerdir=a\\,b:c", "noatime", "relatime", "rslave"};
	const struct spec_mount mount = {
		.destination = "x/../y",
		.type = "overlay",
		.options = {words, ARRAY_SIZE(words)},
	};
	struct mount_plan m;

	(void)state;
	assert_int_equal(mount_plan_parse(&mount, &m, NULL), 0);
	assert_string_equal(m.destination, "/y");
	assert_int_equal(m.set, MOUNT_ATTR_NOEXEC);
	assert_int_equal(m.clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME);
	assert_int_equal(m.parameter_count, 1);
	assert_string_equal(mount_plan_parameter(&m, "lowerdir"), "a\\,b:c");
	assert_int_equal(m.propagation_count, 1);
	assert_true(m.propagation[0].is_recursive && m.propagation[0].type == MS_SLAVE);
	mount_plan_clear(&m);
}

static void given_wrong_options_when_parsed_then_the_error_names_them(void **state)
{
	static const struct {
		const char *type, *option, *message;
	} cases[] = {
		{"tmpfs", "idmap", "idmap"},
		{"proc", "tmpcopyup", "tmpcopyup"},
		{"bind", "ro", "source"},
		{"none", "ro", "no type"},
		{"tmpfs", "copy-symlink", "copy-symlink"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *words[] = {cases[i].option};
		const struct spec_mount mount = {
			.destination = "/x", .type = cases[i].type, .options = {words, 1}};
		_cleanup_error_ struct error *err = NULL;
		struct mount_plan m;

		assert_int_equal(mount_plan_parse(&mount, &m, &err), -EINVAL);
		assert_non_null(strstr(error_text(err), cases[i].message));
		assert_non_null(strstr(error_text(err), "/x"));
		mount_plan_clear(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_option_words_when_parsed_then_the_last_one_wins),
		cmocka_unit_test(given_wrong_options_when_parsed_then_the_error_names_them),
		cmocka_unit_test(
			given_the_default_config_when_entered_then_all_is_there_and_the_host_gone),
		cmocka_unit_test(given_bind_mounts_when_made_then_each_has_its_attributes),
		cmocka_unit_test(given_links_out_of_the_root_when_mounted_on_then_they_lead_inside),
		cmocka_unit_test(given_mounts_on_proc_when_made_then_only_a_procfs_passes),
		cmocka_unit_test(given_tmpcopyup_when_mounted_then_the_content_is_there),
		cmocka_unit_test(given_a_devpts_when_a_console_is_asked_for_then_it_is_that_devpts),
		cmocka_unit_test(given_a_false_null_device_when_masking_then_it_is_refused),
		cmocka_unit_test(given_sysctls_when_finished_then_they_are_set),
		cmocka_unit_test(given_a_user_namespace_when_prepared_then_devices_are_bound),
		cmocka_unit_test(
			given_a_read_only_source_when_bound_by_less_privileged_then_it_stays_so),
		cmocka_unit_test(given_an_id_map_when_bound_then_owners_are_mapped),
		cmocka_unit_test(given_no_pivot_when_entered_then_the_host_is_hidden),
		cmocka_unit_test(given_a_mount_on_the_root_when_entered_then_it_is_the_root),
		cmocka_unit_test(given_sources_that_are_links_when_bound_then_options_decide),
		cmocka_unit_test(
			given_somebody_who_swaps_names_when_mounted_then_nothing_lands_outside),
	};

	return cmocka_run_group_tests_name("rootfs", tests, NULL, NULL);
}

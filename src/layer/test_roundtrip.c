/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What layer_diff writes, layer_unpack makes again: every kind of file, whiteouts, opaque directories, metadata alone. The judge is
 * layer_changes, which compares trees by itself. Needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/test_child.h"
#include "layer/layer.h"

static char world[64]; /* holds lower/, upper/, again/, merged/ */

static int sh(const char *script)
{
	_cleanup_strbuf_ struct strbuf command = {0};

	strbuf_addf(&command, "cd %s && umask 022 && set -e; %s", world, script);
	return system(command.text);
}

static int set_up(void **state)
{
	snprintf(world, sizeof world, "/tmp/test-roundtrip-XXXXXX");
	assert_non_null(mkdtemp(world));
	return sh("mkdir lower upper again merged work-upper work-again full");
}

static int tear_down(void **state)
{
	return remove_tree_at(AT_FDCWD, world, NULL);
}

static int open_dir(const char *name)
{
	_cleanup_strbuf_ struct strbuf path = {0};

	strbuf_addf(&path, "%s/%s", world, name);
	return open(path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int keep(void *data, const void *buf, size_t size, struct error **err)
{
	strbuf_add(data, buf, size);
	return 0;
}

struct memory {
	const char *text;
	size_t length;
};
static ssize_t read_memory(void *data, void *buf, size_t size, struct error **err)
{
	struct memory *m = data;

	if (size > m->length)
		size = m->length;
	memcpy(buf, m->text, size);
	m->text += size;
	m->length -= size;
	return (ssize_t)size;
}

static int print_change(void *data, enum change_kind kind, const char *path, uint64_t size)
{
	fprintf(stderr, "# differs: %c %s\n", "CAD"[kind], path);
	++*(int *)data;
	return 0;
}

/* How many files of two whole trees differ. */
static int count_differences(const char *a, const char *b)
{
	struct storage_diff trees = {
		.kind = STORAGE_DIFF_TREES, .upper = open_dir(a), .lower = open_dir(b)};
	struct diff_opts opts = {.trees = &trees, .time_limit_s = -1};
	_cleanup_error_ struct error *err = NULL;
	int count = 0;

	if (layer_changes(&opts, print_change, &count, &err) < 0) {
		fprintf(stderr, "# %s\n", error_text(err));
		count = -1;
	}
	close(trees.upper);
	close(trees.lower);
	return count;
}

/* Makes a layer of upper against lower and unpacks it to again. */
static int make_again(enum storage_diff_kind kind, enum storage_whiteouts from,
		      enum storage_whiteouts to)
{
	static const struct store_limits limits = {.layer_bytes = 1ULL << 40,
						   .layer_entries = 1000000,
						   .ratio = 1000,
						   .depth = 512,
						   .layers = 100};
	struct storage_diff trees = {
		.kind = kind, .upper = open_dir("upper"), .lower = open_dir("lower")};
	struct diff_opts opts = {.trees = &trees, .whiteouts = from, .time_limit_s = -1};
	_cleanup_strbuf_ struct strbuf tar = {0}, twice = {0};
	_cleanup_error_ struct error *err = NULL;
	struct unpack_opts unpack = {.root = open_dir("again"), .whiteouts = to, .limits = &limits};
	struct unpack_result result;
	struct memory memory;
	int r = layer_diff(&opts, (struct sink){.write = keep, .data = &tar}, &err);

	CHECK(r == 0);
	CHECK(layer_diff(&opts, (struct sink){.write = keep, .data = &twice}, &err) == 0);
	CHECK(tar.length == twice.length && memcmp(tar.text, twice.text, tar.length) == 0);
	memory = (struct memory){.text = tar.text, .length = tar.length};
	r = layer_unpack((struct source){.read = read_memory, .data = &memory}, &unpack, &result,
			 &err);
	if (r < 0)
		fprintf(stderr, "# %s\n", error_text(err));
	close(trees.upper);
	close(trees.lower);
	close(unpack.root);
	return r;
}

#define BASE                                                                                                                 \
	"cd lower; mkdir -p etc opaque/sub tmp deep/a/b gone/dir; chmod 1777 tmp; echo 1 > etc/passwd; echo 1 > etc/group; " \
	"echo 1 > opaque/old; echo 1 > opaque/sub/old; echo 1 > deep/a/b/f; echo 1 > gone/dir/f; echo 1 > tmp/f; "           \
	"echo 1 > file-to-dir; mkdir dir-to-file; echo 1 > dir-to-file/f; ln -s etc link-to-dir; echo 1 > owner; "           \
	"echo 1 > linked; ln linked linked2; mkdir mode; cd ..; "

#define CHANGE                                                                                                                \
	"echo 22 > etc/passwd; rm etc/group; rm -r opaque; mkdir opaque; echo n > opaque/new; echo 2 >> deep/a/b/f; "         \
	"rm -r gone; echo 2 >> tmp/f; rm file-to-dir; mkdir file-to-dir; echo n > file-to-dir/n; rm -r dir-to-file; "         \
	"echo n > dir-to-file; rm link-to-dir; mkdir link-to-dir; echo n > link-to-dir/n; chown 70000:5000000 owner; "        \
	"chmod 2711 mode; mv tmp/f tmp/renamed; ln linked linked3; mknod c c 7 300; mknod b b 7 1; mkfifo p; "                \
	"ln -s /nowhere dangling; echo cap > cap; chmod 4755 cap; touch -d @1.123456789 cap; ln cap cap2; "                   \
	"head -c 3000000 /dev/urandom > big; truncate -s 5000000 sparse; echo x > \"$(printf 'sp ace\\n\\303\\251\\377')\"; " \
	"mkdir -p $(printf 'n%.0s' $(seq 200))/$(printf 'm%.0s' $(seq 200)); "                                                \
	"setcap cap_mknod=ep big || :; setfattr -n user.k -v v cap || :; setfattr -n trusted.t -v v etc || :; "               \
	"setfacl -m u:5:r,d:u:6:rwx mode || :; setfacl -m u:7:rw cap || :; "

static int trees_again(void)
{
	if (geteuid() != 0)
		return SKIPPED;
	CHECK(sh(BASE "cp -a lower/. upper/; cp -a lower/. again/; cd upper; " CHANGE) == 0);
	CHECK(make_again(STORAGE_DIFF_TREES, WHITEOUTS_APPLY, WHITEOUTS_APPLY) == 0);
	CHECK(count_differences("again", "upper") == 0);
	return 0;
}

static void trees_are_made_again_from_their_differences(void **state)
{
	expect_child(trees_again);
}

/* upper and the directory for its work are named alike. */
static int mount_overlay(const char *upper, const char *target)
{
	_cleanup_strbuf_ struct strbuf data = {0}, path = {0};

	strbuf_addf(&data,
		    "lowerdir=%s/lower,upperdir=%s/%s,workdir=%s/work-%s,index=off,metacopy=off",
		    world, world, upper, world, upper);
	strbuf_addf(&path, "%s/%s", world, target);
	return mount("overlay", path.text, "overlay", 0, data.text);
}

static int overlay_again_to(const char *copy, enum storage_whiteouts to)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return SKIPPED;
	CHECK(sh(BASE) == 0);
	CHECK(sh(copy) == 0);
	if (mount_overlay("upper", "merged") < 0)
		return SKIPPED;
	CHECK(sh("cd merged; " CHANGE) == 0);
	CHECK(make_again(STORAGE_DIFF_UPPER, WHITEOUTS_OVERLAY, to) == 0);
	if (to == WHITEOUTS_APPLY) {
		/* There a file with three names is one, while overlay without an index took two of them apart. */
		CHECK(sh("rm merged/linked2 again/linked2; touch -r merged again") == 0);
		CHECK(count_differences("again", "merged") == 0);
	} else {
		CHECK(mount_overlay("again", "full") == 0);
		CHECK(count_differences("full", "merged") == 0);
		CHECK(sh("umount full") == 0);
	}
	CHECK(sh("umount merged") == 0);
	return 0;
}

static int overlay_again(void)
{
	return overlay_again_to("", WHITEOUTS_OVERLAY);
}

static int overlay_applied(void)
{
	return overlay_again_to("cp -a lower/. again/", WHITEOUTS_APPLY);
}

static void an_upper_directory_is_made_again_as_one(void **state)
{
	expect_child(overlay_again);
}

static void an_upper_directory_is_applied_to_a_copy_of_what_is_below(void **state)
{
	expect_child(overlay_applied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(trees_are_made_again_from_their_differences),
		T(an_upper_directory_is_made_again_as_one),
		T(an_upper_directory_is_applied_to_a_copy_of_what_is_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

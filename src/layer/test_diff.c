/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layers from changes: what is in them, in which order, and that nothing else decides their bytes. Trees are made in a directory of /tmp, upper
 * directories by a real overlay mount where the host lets us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/base.h"
#include "base/test_child.h"
#include "layer/layer.h"

struct world {
	char path[64]; /* holds lower/ and upper/ */
	struct storage_diff trees;
	struct diff_opts opts;
};

/* Runs a script in the world's directory. */
static int sh(const struct world *w, const char *script)
{
	_cleanup_strbuf_ struct strbuf command = {0};

	strbuf_addf(&command, "cd %s && umask 022 && set -e; %s", w->path, script);
	return system(command.text);
}

static int set_up(void **state)
{
	static struct world w;

	snprintf(w.path, sizeof w.path, "/tmp/test-diff-XXXXXX");
	assert_non_null(mkdtemp(w.path));
	w.opts = (struct diff_opts){.trees = &w.trees, .time_limit_s = -1};
	w.trees = (struct storage_diff){.upper = -1, .lower = -1};
	assert_int_equal(sh(&w, "mkdir lower upper work merged"), 0);
	*state = &w;
	return 0;
}

static void close_trees(struct world *w)
{
	close_fd(&w->trees.upper);
	close_fd(&w->trees.lower);
}

static int tear_down(void **state)
{
	struct world *w = *state;

	close_trees(w);
	return remove_tree_at(AT_FDCWD, w->path, NULL);
}

static void open_trees(struct world *w, enum storage_diff_kind kind, bool has_lower)
{
	_cleanup_strbuf_ struct strbuf upper = {0}, lower = {0};

	close_trees(w);
	strbuf_addf(&upper, "%s/upper", w->path);
	strbuf_addf(&lower, "%s/lower", w->path);
	w->trees.kind = kind;
	w->trees.upper = open(upper.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->trees.lower = has_lower ? open(lower.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static int keep(void *data, const void *buf, size_t size, struct error **err)
{
	strbuf_add(data, buf, size);
	return 0;
}

static int diff_into(struct world *w, struct strbuf *tar, struct error **err)
{
	return layer_diff(&w->opts, (struct sink){.write = keep, .data = tar}, err);
}

/* "d etc/", "f etc/passwd", "l a > target", "h b = a", "c dev", one a line. */
static char *list_tar(const struct strbuf *tar)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	int r;

	archive_read_support_format_tar(a);
	archive_read_open_memory(a, tar->text, tar->length);
	while ((r = archive_read_next_header(a, &e)) == ARCHIVE_OK) {
		static const char letters[] = "?pc?d?b?f?l?s???";
		const char *path = archive_entry_pathname(e);

		if (archive_entry_hardlink(e))
			strbuf_addf(&out, "h %s = %s\n", path, archive_entry_hardlink(e));
		else if (archive_entry_symlink(e))
			strbuf_addf(&out, "l %s > %s\n", path, archive_entry_symlink(e));
		else
			strbuf_addf(&out, "%c %s\n", letters[archive_entry_mode(e) >> 12 & 15],
				    path);
	}
	if (r != ARCHIVE_EOF)
		strbuf_addf(&out, "broken: %s\n", archive_error_string(a));
	archive_read_free(a);
	return strbuf_take(&out);
}

static char *diff_list(struct world *w)
{
	_cleanup_strbuf_ struct strbuf tar = {0};
	_cleanup_error_ struct error *err = NULL;

	if (diff_into(w, &tar, &err) < 0)
		return strdup(error_text(err));
	return list_tar(&tar);
}

static void assert_layer(struct world *w, const char *expected)
{
	_cleanup_free_ char *found = diff_list(w);

	assert_string_equal(found, expected);
}

static int note_change(void *data, enum change_kind kind, const char *path, uint64_t size)
{
	strbuf_addf(data, "%c %s\n", "CAD"[kind], path);
	return 0;
}

static char *changes_list(struct world *w)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_error_ struct error *err = NULL;

	if (layer_changes(&w->opts, note_change, &text, &err) < 0)
		return strdup(error_text(err));
	return strbuf_take(&text);
}

static void assert_changes(struct world *w, const char *expected)
{
	_cleanup_free_ char *found = changes_list(w);

	assert_string_equal(found, expected);
}

/* --- Whole trees --- */

static void equal_trees_make_an_empty_layer(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf tar = {0};

	assert_int_equal(
		sh(w,
		   "cd lower; mkdir -p a/b; echo x > a/b/f; ln -s f a/b/l; ln a/b/f a/h; mkfifo p; "
		   "cd ..; cp -a lower/. upper/"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, true);
	assert_int_equal(diff_into(w, &tar, NULL), 0);
	assert_int_equal(tar.length, 1024);
	assert_changes(w, "");
}

static void trees_differ_by_what_was_added_changed_and_deleted(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		sh(w,
		   "cd lower; mkdir -p same/deep gone/dir kept; echo 1 > same/deep/f; echo 1 > kept/grown; "
		   "echo 1 > kept/away; echo 1 > kind; ln -s a kept/link; echo 1 > mode; cd ..; cp -a lower/. upper/; "
		   "cd upper; echo 22 > kept/grown; rm kept/away; ln -sfn b kept/link; rm -r gone kind; mkdir kind; "
		   "echo n > kind/new; chmod 600 mode; touch -r ../lower/kept kept"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, true);
	assert_layer(w, "f .wh.gone\n"
			"d kept/\n"
			"f kept/.wh.away\n"
			"f kept/grown\n"
			"l kept/link > b\n"
			"d kind/\n"
			"f kind/new\n"
			"f mode\n");
	assert_changes(w, "D /gone\n"
			  "C /kept\n"
			  "D /kept/away\n"
			  "C /kept/grown\n"
			  "C /kept/link\n"
			  "C /kind\n"
			  "A /kind/new\n"
			  "C /mode\n");
}

static void content_counts_where_size_and_time_are_equal(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		sh(w,
		   "echo one > lower/f; cp -a lower/f upper/f; echo two > upper/f; touch -r lower/f upper/f; "
		   "echo same > lower/g; cp -a lower/g upper/g; touch -r lower upper"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, true);
	assert_layer(w, "f f\n");
}

static void a_name_more_brings_all_names_of_the_file(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		sh(w,
		   "cd lower; echo 1 > a; ln a b; echo 1 > x; ln x y; cd ..; cp -a lower/. upper/; "
		   "ln upper/b upper/0; touch -r lower upper"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, true);
	assert_layer(w, "f 0\nh a = 0\nh b = 0\n");
}

static void skipped_paths_are_left_out(void **state)
{
	struct world *w = *state;
	_cleanup_strv_ struct strv skip = {0};

	assert_int_equal(
		sh(w,
		   "mkdir -p upper/dev/shm upper/proc; touch upper/dev/console upper/dev/shm/x upper/f; echo 1 > lower/f2"),
		0);
	strv_add(&skip, "/dev");
	strv_add(&skip, "/proc");
	strv_add(&skip, "/f2");
	w->opts.skip = &skip;
	open_trees(w, STORAGE_DIFF_TREES, true);
	assert_layer(w, "f f\n");
}

static void later_times_become_the_limit(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf tar = {0};
	struct archive_entry *e;
	struct archive *a = archive_read_new();

	assert_int_equal(sh(w, "touch -d @2000.5 upper/late; touch -d @999.25 upper/early"), 0);
	open_trees(w, STORAGE_DIFF_TREES, true);
	w->opts.time_limit_s = 1000;
	assert_int_equal(diff_into(w, &tar, NULL), 0);
	archive_read_support_format_tar(a);
	archive_read_open_memory(a, tar.text, tar.length);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	assert_string_equal(archive_entry_pathname(e), "early");
	assert_int_equal(archive_entry_mtime(e), 999);
	assert_int_equal(archive_entry_mtime_nsec(e), 250000000);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	assert_int_equal(archive_entry_mtime(e), 1000);
	assert_int_equal(archive_entry_mtime_nsec(e), 0);
	archive_read_free(a);
}

static void the_order_of_the_directory_decides_nothing(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf one = {0}, two = {0};

	assert_int_equal(
		sh(w,
		   "cd upper; for i in $(seq 300); do echo $i > f$i; done; mkdir d; ln f7 d/link; touch -d @5 * .; "
		   "chown 0:0 ."),
		0);
	open_trees(w, STORAGE_DIFF_TREES, false);
	assert_int_equal(diff_into(w, &one, NULL), 0);
	assert_int_equal(
		sh(w,
		   "mv upper old; mkdir upper; cd upper; mkdir d; "
		   "for i in $(seq 300 -1 1); do cp -a ../old/f$i f$i; done; ln f7 d/link; touch -d @5 * ."),
		0);
	open_trees(w, STORAGE_DIFF_TREES, false);
	assert_int_equal(diff_into(w, &two, NULL), 0);
	assert_int_equal(one.length, two.length);
	assert_memory_equal(one.text, two.text, one.length);
}

static void sockets_are_left_out_and_reserved_names_refused(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *said = NULL;

	assert_int_equal(
		sh(w,
		   "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"upper/s\")'; touch upper/f"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, true);
	assert_layer(w, "f f\n");
	assert_int_equal(sh(w, "mkdir upper/d; echo x > upper/d/.wh.f"), 0);
	said = diff_list(w);
	assert_non_null(strstr(said, "/d/.wh.f: a layer can't have"));
}

static void too_deep_a_tree_is_an_error(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *said = NULL;

	assert_int_equal(
		sh(w, "ulimit -n 4096; cd upper; for i in $(seq 520); do mkdir d; cd -P d; done"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, false);
	said = diff_list(w);
	assert_true(strstr(said, "directories deep") || strstr(said, "Too many open files"));
}

static void an_archive_of_a_tree_unpacks_to_the_same_tree(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf tar = {0}, path = {0};
	_cleanup_fd_ int file = -1;

	if (geteuid() != 0)
		skip();
	assert_int_equal(
		sh(w,
		   "cd upper; mkdir -p d/e; echo f > d/f; chmod 4751 d/f; chown 70000:3000000 d/f; ln d/f d/e/g; ln -s ../f d/e/l; "
		   "mkfifo p; mknod c c 7 300; mknod b b 7 1; head -c 3000000 /dev/urandom > big; chmod 1777 d; "
		   "mkdir -p $(printf 'n%.0s' $(seq 200))/$(printf 'm%.0s' $(seq 200)); touch -d @-77.25 d/e; "
		   "setfattr -n user.k -v v d/f 2>/dev/null || :; setfacl -m u:5:r d/f 2>/dev/null || :; "
		   "setcap cap_mknod=ep big 2>/dev/null || :; printf 'x' > $'a b\\nc\\377'"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, false);
	assert_int_equal(tree_archive(w->trees.upper, &w->opts,
				      (struct sink){.write = keep, .data = &tar}, NULL),
			 0);
	strbuf_addf(&path, "%s/a.tar", w->path);
	file = open(path.text, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(file, tar.text, tar.length), 0);
	assert_int_equal(
		sh(w,
		   "tar --numeric-owner --xattrs --xattrs-include='*' -xpf a.tar -C lower; touch -r upper lower"),
		0);
	open_trees(w, STORAGE_DIFF_TREES, true);
	assert_changes(w, "");
}

static void a_file_that_shrinks_is_filled_up(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf tar = {0};
	_cleanup_free_ char *listed = NULL;

	/* A file of sysfs says 4096 bytes and gives fewer. */
	w->opts.trees = &w->trees;
	w->trees.kind = STORAGE_DIFF_TREES;
	w->trees.upper = open("/sys/kernel/mm/ksm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->trees.upper < 0)
		skip();
	assert_int_equal(diff_into(w, &tar, NULL), 0);
	listed = list_tar(&tar);
	assert_non_null(strstr(listed, "f run\n"));
	assert_null(strstr(listed, "broken"));
}

/* --- Upper directories --- */

/* Mounts lower and upper as the kernel's overlay, in a mount namespace of this child, and runs a script in it. */
static int in_overlay(const struct world *w, const char *options, const char *script)
{
	_cleanup_strbuf_ struct strbuf data = {0}, target = {0};

	strbuf_addf(&data, "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work,%s", w->path,
		    w->path, w->path, options);
	strbuf_addf(&target, "%s/merged", w->path);
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("overlay", target.text, "overlay", 0, data.text) < 0)
		return SKIPPED;
	CHECK(sh(w, script) == 0);
	CHECK(umount2(target.text, MNT_DETACH) == 0);
	return 0;
}

static struct world *shared;
static const char *overlay_script, *overlay_options;

static int run_overlay(void)
{
	return in_overlay(shared, overlay_options, overlay_script);
}

static void change_by_overlay(struct world *w, const char *options, const char *script)
{
	shared = w;
	overlay_options = options;
	overlay_script = script;
	expect_child(run_overlay);
	w->opts.whiteouts =
		strstr(options, "userxattr") ? WHITEOUTS_OVERLAY_USER : WHITEOUTS_OVERLAY;
	open_trees(w, STORAGE_DIFF_UPPER, true);
}

static const char base_tree[] =
	"cd lower; mkdir -p etc opaque/sub tmp only/way; chmod 1777 tmp; echo 1 > etc/passwd; echo 1 > etc/group; "
	"echo 1 > opaque/old; echo 1 > opaque/sub/old; echo 1 > only/way/file; echo 1 > touched; echo 1 > moved; echo 1 > tmp/f";

static void an_upper_directory_becomes_a_layer(void **state)
{
	struct world *w = *state;

	assert_int_equal(sh(w, base_tree), 0);
	change_by_overlay(
		w, "index=off,metacopy=off",
		"cd merged; rm etc/group; rm -r opaque; mkdir opaque; echo n > opaque/new; echo 2 >> only/way/file; "
		"touch touched; mv moved renamed; chmod 600 etc/passwd; echo 2 >> tmp/f; echo h > h1; ln h1 h2; "
		"echo gone > g; rm g");
	assert_layer(w, "d etc/\n"
			"f etc/.wh.group\n"
			"f etc/passwd\n"
			"f h1\n"
			"h h2 = h1\n"
			"f .wh.moved\n"
			"d only/\n"
			"d only/way/\n"
			"f only/way/file\n"
			"d opaque/\n"
			"f opaque/.wh..wh..opq\n"
			"f opaque/new\n"
			"f renamed\n"
			"d tmp/\n"
			"f tmp/f\n"
			"f touched\n");
	assert_changes(w, "C /etc\n"
			  "D /etc/group\n"
			  "C /etc/passwd\n"
			  "A /h1\n"
			  "A /h2\n"
			  "D /moved\n"
			  "C /only\n"
			  "C /only/way\n"
			  "C /only/way/file\n"
			  "C /opaque\n"
			  "A /opaque/new\n"
			  "D /opaque/old\n"
			  "D /opaque/sub\n"
			  "A /renamed\n"
			  "C /tmp\n"
			  "C /tmp/f\n"
			  "C /touched\n");
}

static void an_unchanged_way_to_nothing_is_no_change(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		sh(w,
		   "mkdir -p lower/a/b upper/a/b; touch -r lower/a/b upper/a/b; touch -r lower/a upper/a"),
		0);
	w->opts.whiteouts = WHITEOUTS_OVERLAY;
	open_trees(w, STORAGE_DIFF_UPPER, true);
	assert_layer(w, "");
	assert_changes(w, "");
}

static void metadata_only_copies_take_their_content_from_below(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf tar = {0};
	_cleanup_free_ char *listed = NULL;

	assert_int_equal(sh(w, "echo the-content-from-below > lower/f; touch -d @5 lower"), 0);
	change_by_overlay(w, "metacopy=on,redirect_dir=on", "chmod 640 merged/f");
	assert_int_equal(diff_into(w, &tar, NULL), 0);
	listed = list_tar(&tar);
	assert_string_equal(listed, "f f\n");
	assert_non_null(memmem(tar.text, tar.length, "the-content-from-below\n", 23));
}

static void renamed_directories_are_refused_rather_than_lost(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *said = NULL;

	assert_int_equal(sh(w, "mkdir lower/d; echo 1 > lower/d/f"), 0);
	change_by_overlay(w, "redirect_dir=on", "mv merged/d merged/e");
	said = diff_list(w);
	assert_non_null(strstr(said, "/e: overlay keeps it as renamed"));
}

static void attributes_of_overlay_stay_here(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf tar = {0};

	assert_int_equal(sh(w, "mkdir lower/d; echo 1 > lower/d/f"), 0);
	change_by_overlay(w, "userxattr",
			  "rm -r merged/d; mkdir merged/d; setfattr -n user.note -v mine merged/d");
	assert_layer(w, "d d/\nf d/.wh..wh..opq\n");
	assert_int_equal(diff_into(w, &tar, NULL), 0);
	assert_null(memmem(tar.text, tar.length, "overlay", 7));
	assert_non_null(memmem(tar.text, tar.length, "SCHILY.xattr.user.note=mine", 27));
}

static void a_mark_of_the_other_kind_of_mount_is_no_mark(void **state)
{
	struct world *w = *state;
	_cleanup_strbuf_ struct strbuf path = {0};

	assert_int_equal(
		sh(w,
		   "mkdir lower/d upper/d; echo 1 > lower/d/f; echo 1 > upper/d/g; touch -d @5 lower/d"),
		0);
	strbuf_addf(&path, "%s/upper/d", w->path);
	if (setxattr(path.text, "user.overlay.opaque", "y", 1, 0) < 0)
		skip();
	w->opts.whiteouts = WHITEOUTS_OVERLAY;
	open_trees(w, STORAGE_DIFF_UPPER, true);
	assert_layer(w, "d d/\nf d/g\n");
}

static void whiteouts_by_name_are_whiteouts_where_they_delete_something(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		sh(w,
		   "mkdir lower/d lower/o upper/d upper/o; touch lower/d/a lower/d/b lower/o/x upper/d/.wh.b upper/d/.wh.never "
		   "upper/d/aa upper/o/.wh..wh..opq upper/.wh..wh.aufs upper/.wh..wh.plnk"),
		0);
	w->opts.whiteouts = WHITEOUTS_AUFS;
	open_trees(w, STORAGE_DIFF_UPPER, true);
	assert_layer(w, "d d/\nf d/aa\nf d/.wh.b\nd o/\nf o/.wh..wh..opq\n");
	assert_changes(w, "C /d\nA /d/aa\nD /d/b\nC /o\nD /o/x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(equal_trees_make_an_empty_layer),
		T(trees_differ_by_what_was_added_changed_and_deleted),
		T(content_counts_where_size_and_time_are_equal),
		T(a_name_more_brings_all_names_of_the_file),
		T(skipped_paths_are_left_out),
		T(later_times_become_the_limit),
		T(the_order_of_the_directory_decides_nothing),
		T(sockets_are_left_out_and_reserved_names_refused),
		T(too_deep_a_tree_is_an_error),
		T(an_archive_of_a_tree_unpacks_to_the_same_tree),
		T(a_file_that_shrinks_is_filled_up),
		T(an_upper_directory_becomes_a_layer),
		T(an_unchanged_way_to_nothing_is_no_change),
		T(metadata_only_copies_take_their_content_from_below),
		T(renamed_directories_are_refused_rather_than_lost),
		T(attributes_of_overlay_stay_here),
		T(a_mark_of_the_other_kind_of_mount_is_no_mark),
		T(whiteouts_by_name_are_whiteouts_where_they_delete_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

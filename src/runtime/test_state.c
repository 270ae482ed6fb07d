/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state directory, the messages between parent and child, and hooks. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kernel/process.h"
#include "runtime/hooks.h"
#include "runtime/state.h"
#include "runtime/sync.h"

static char root[] = "/tmp/test-state.XXXXXX";
static struct runtime rt = {.root = root};

static int make_root(void **state)
{
	return mkdtemp(root) ? 0 : -1;
}

static int drop_root(void **state)
{
	return remove_tree_at(AT_FDCWD, root, NULL);
}

static struct state sample(const char *id)
{
	return (struct state){.dir_fd = -1,
			      .id = strdup(id),
			      .bundle = strdup("/b"),
			      .rootfs = strdup("/b/rootfs"),
			      .created = {.tv_sec = 1700000000, .tv_nsec = 5},
			      .annotations = json_pack("{s:s}", "k", "v")};
}

static void given_a_new_state_when_loaded_then_it_is_the_same(void **state)
{
	_cleanup_state_ struct state s = sample("one"), loaded = {.dir_fd = -1};

	assert_int_equal(state_create(&rt, &s, "{}", 2, NULL), 0);
	s.pid = getpid();
	assert_int_equal(process_start_time(s.pid, &s.start_time, NULL), 0);
	assert_int_equal(state_save(&s, NULL), 0);
	state_unlock(&s);
	assert_int_equal(state_load(&rt, "one", &loaded, NULL), 0);
	assert_string_equal(loaded.bundle, "/b");
	assert_int_equal(loaded.pid, getpid());
	assert_int_equal(loaded.created.tv_nsec, 5);
	assert_string_equal(json_string_value(json_object_get(loaded.annotations, "k")), "v");
	assert_int_equal(state_status(&loaded), CONTAINER_RUNNING);
	assert_int_equal(state_remove(&rt, &loaded, NULL), 0);
}

static void given_an_id_in_use_when_created_again_then_it_is_refused_and_nothing_is_left(
	void **state)
{
	_cleanup_state_ struct state first = sample("two"), second = sample("two");
	_cleanup_error_ struct error *err = NULL;
	_cleanup_strv_ struct strv ids = {0};

	assert_int_equal(state_create(&rt, &first, "{}", 2, NULL), 0);
	assert_int_equal(state_create(&rt, &second, "{}", 2, &err), -EEXIST);
	assert_string_equal(error_text(err), "container with given ID already exists");
	assert_int_equal(state_list(&rt, &ids, NULL), 0);
	assert_int_equal(ids.count, 1);
	assert_int_equal(state_remove(&rt, &first, NULL), 0);
}

static void given_a_creator_that_died_when_asked_then_it_is_stopped_not_creating(void **state)
{
	_cleanup_state_ struct state s = sample("three"), seen = {.dir_fd = -1};

	assert_int_equal(state_create(&rt, &s, "{}", 2, NULL), 0);
	assert_int_equal(state_load(&rt, "three", &seen, NULL), 0);
	assert_int_equal(state_status(&seen), CONTAINER_CREATING);
	close_fd(&s.dir_fd); /* as its death would */
	assert_int_equal(state_status(&seen), CONTAINER_STOPPED);
	assert_int_equal(state_remove(&rt, &seen, NULL), 0);
}

static void given_a_reused_pid_when_asked_then_the_container_is_stopped(void **state)
{
	_cleanup_state_ struct state s = sample("four");

	s.pid = getpid();
	s.start_time = 1;
	assert_int_equal(state_status(&s), CONTAINER_STOPPED);
	assert_int_equal(state_open_process(&s, NULL), -ESRCH);
}

static void given_a_damaged_state_when_loaded_then_the_error_names_the_container(void **state)
{
	_cleanup_state_ struct state s = sample("five"), seen = {.dir_fd = -1};
	_cleanup_error_ struct error *err = NULL;

	assert_int_equal(state_create(&rt, &s, "{}", 2, NULL), 0);
	assert_int_equal(file_replace_at(s.dir_fd, "state.json", "{", 1, 0600, false, NULL), 0);
	assert_true(state_load(&rt, "five", &seen, &err) < 0);
	assert_non_null(strstr(error_text(err), "the state of container \"five\" is damaged"));
	assert_int_equal(state_remove(&rt, &s, NULL), 0);
}

static void given_ids_when_checked_then_only_names_without_tricks_pass(void **state)
{
	assert_true(container_id_is_valid("a"));
	assert_true(container_id_is_valid("A-b_c.d+0"));
	assert_false(container_id_is_valid(""));
	assert_false(container_id_is_valid("."));
	assert_false(container_id_is_valid(".."));
	assert_false(container_id_is_valid("a/b"));
	assert_false(container_id_is_valid("a b"));
	assert_false(container_id_is_valid("~seccomp"));
	assert_false(container_id_is_valid(".new-1"));
}

static void given_a_waiting_process_when_it_is_gone_then_it_no_longer_waits(void **state)
{
	_cleanup_state_ struct state s = sample("six");
	int listener;

	assert_int_equal(state_create(&rt, &s, "{}", 2, NULL), 0);
	state_unlock(&s);
	s.pid = getpid();
	assert_int_equal(process_start_time(s.pid, &s.start_time, NULL), 0);
	listener = state_listen(&s, NULL);
	assert_true(listener >= 0);
	assert_int_equal(state_status(&s), CONTAINER_CREATED);
	close(listener);
	/* start.sock is still there, as after a start that was killed half-way. */
	assert_int_equal(state_status(&s), CONTAINER_RUNNING);
	assert_int_equal(state_remove(&rt, &s, NULL), 0);
}

static void given_messages_when_sent_then_they_arrive_whole_with_their_descriptor(void **state)
{
	struct sync_message m;
	int parent, child, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(sync_pair(&parent, &child, NULL), 0);
	assert_int_equal(sync_send(child, SYNC_ERROR, 13, fd, "no way"), 0);
	assert_int_equal(sync_send(child, SYNC_READY, 0, -1, NULL), 0);
	assert_int_equal(sync_receive(parent, &m), 0);
	assert_int_equal(m.type, SYNC_ERROR);
	assert_int_equal(m.value, 13);
	assert_string_equal(m.text, "no way");
	assert_true(m.fd >= 0 && (fcntl(m.fd, F_GETFD) & FD_CLOEXEC));
	close(m.fd);
	assert_int_equal(sync_expect(parent, SYNC_READY, NULL, NULL), 0);
	close(child);
	assert_int_equal(sync_receive(parent, &m), -ECONNRESET);
	close(parent);
	close(fd);
}

static void given_a_long_error_when_sent_then_it_is_cut_and_not_lost(void **state)
{
	_cleanup_error_ struct error *err = NULL;
	static char text[SYNC_TEXT_MAX * 2];
	int parent, child;

	memset(text, 'x', sizeof text - 1);
	assert_int_equal(sync_pair(&parent, &child, NULL), 0);
	assert_int_equal(sync_send(child, SYNC_ERROR, EPERM, -1, text), 0);
	assert_int_equal(sync_expect(parent, SYNC_READY, NULL, &err), -EPERM);
	assert_int_equal(strlen(error_text(err)), SYNC_TEXT_MAX);
	close(parent);
	close(child);
}

static struct spec_hook shell_hook(const char *script, uint64_t timeout_s)
{
	static const char *args[4];

	args[0] = "sh";
	args[1] = "-c";
	args[2] = script;
	args[3] = NULL;
	return (struct spec_hook){
		.path = "/bin/sh", .args = {args, 3}, .timeout_s = {timeout_s > 0, timeout_s}};
}

static int run_shell(const char *script, uint64_t timeout_s, struct error **err)
{
	struct spec_hook hook = shell_hook(script, timeout_s);
	struct spec_hook_list list = {&hook, 1};
	_cleanup_json_ json_t *object = json_pack("{s:s}", "id", "c1");

	return hooks_run(&list, "prestart", object, NULL, err);
}

static void given_a_hook_when_run_then_it_reads_the_state_and_has_no_environment(void **state)
{
	const char *script = "read -r s; [ \"$s\" = '{\"id\":\"c1\"}' ] && [ -z \"$HOME\" ]";

	assert_int_equal(run_shell(script, 0, NULL), 0);
}

static void given_a_failing_hook_when_run_then_the_error_has_its_status_and_output(void **state)
{
	_cleanup_error_ struct error *err = NULL;

	assert_true(run_shell("echo broken >&2; exit 3", 0, &err) < 0);
	assert_string_equal(
		error_text(err),
		"error running prestart hook #0: /bin/sh: exit status 3, output: broken\n");
}

static void given_a_slow_hook_when_its_time_is_up_then_it_is_killed(void **state)
{
	_cleanup_error_ struct error *err = NULL;

	assert_int_equal(run_shell("sleep 1000", 1, &err), -ETIMEDOUT);
	assert_string_equal(error_text(err),
			    "error running prestart hook #0: /bin/sh did not end within 1 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_new_state_when_loaded_then_it_is_the_same),
		cmocka_unit_test(
			given_an_id_in_use_when_created_again_then_it_is_refused_and_nothing_is_left),
		cmocka_unit_test(
			given_a_creator_that_died_when_asked_then_it_is_stopped_not_creating),
		cmocka_unit_test(given_a_reused_pid_when_asked_then_the_container_is_stopped),
		cmocka_unit_test(
			given_a_damaged_state_when_loaded_then_the_error_names_the_container),
		cmocka_unit_test(given_ids_when_checked_then_only_names_without_tricks_pass),
		cmocka_unit_test(given_a_waiting_process_when_it_is_gone_then_it_no_longer_waits),
		cmocka_unit_test(
			given_messages_when_sent_then_they_arrive_whole_with_their_descriptor),
		cmocka_unit_test(given_a_long_error_when_sent_then_it_is_cut_and_not_lost),
		cmocka_unit_test(
			given_a_hook_when_run_then_it_reads_the_state_and_has_no_environment),
		cmocka_unit_test(
			given_a_failing_hook_when_run_then_the_error_has_its_status_and_output),
		cmocka_unit_test(given_a_slow_hook_when_its_time_is_up_then_it_is_killed),
	};

	return cmocka_run_group_tests_name("state", tests, make_root, drop_root);
}

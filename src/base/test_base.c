/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the base room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <time.h>

#include "base/base.h"

static void given_an_errno_then_the_error_holds_its_text_and_code(void **state)
{
	_cleanup_error_ struct error *err = NULL;

	(void)state;
	assert_int_equal(error_errno(&err, ENOENT, "open %s", "x"), -ENOENT);
	assert_string_equal(error_text(err), "open x: No such file or directory");
	assert_int_equal(err->code, ENOENT);
	assert_int_equal(error_prefix(&err, "network %s", "n"), -ENOENT);
	assert_string_equal(error_text(err), "network n: open x: No such file or directory");
	/* A later error takes the place of the first. */
	assert_int_equal(error_set(&err, EINVAL, "no %d", 7), -EINVAL);
	assert_string_equal(error_text(err), "no 7");
}

static void given_no_place_for_an_error_then_only_the_code_is_returned(void **state)
{
	struct error *none = NULL;

	(void)state;
	assert_int_equal(error_errno(NULL, EPERM, "x"), -EPERM);
	assert_int_equal(error_set(NULL, EPERM, "x"), -EPERM);
	assert_int_equal(error_prefix(NULL, "x"), -EINVAL);
	assert_int_equal(error_prefix(&none, "x"), -EINVAL);
	assert_string_equal(error_text(NULL), "unknown error");
}

static void given_appends_then_a_string_buffer_grows_and_stays_terminated(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	_cleanup_free_ char *text = NULL, *empty = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&b, "%d,", i);
	strbuf_add(&b, "a\0b", 3);
	assert_false(b.failed);
	assert_int_equal(b.length, 3893);
	assert_memory_equal(b.text + 3890, "a\0b", 4);
	text = strbuf_take(&b);
	assert_memory_equal(text, "0,1,2,", 6);
	assert_null(b.text);
	empty = strbuf_take(&b);
	assert_string_equal(empty, "");
}

static void given_a_size_that_overflows_then_the_buffer_remembers_its_failure(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0};

	(void)state;
	strbuf_adds(&b, "x");
	strbuf_add(&b, "y", SIZE_MAX);
	assert_true(b.failed);
	strbuf_adds(&b, "z");
	assert_string_equal(b.text, "x");
	assert_null(strbuf_take(&b));
}

static void given_words_then_a_list_keeps_copies_and_ends_with_null(void **state)
{
	_cleanup_strv_ struct strv v = {0};

	(void)state;
	assert_int_equal(strv_split(&v, "::a:b,,c:", ":,"), 0);
	assert_int_equal(v.count, 3);
	for (int i = 0; i < 70; i++) {
		assert_int_equal(strv_addf(&v, "w%d", i), 0);
		assert_null(v.items[v.count]);
	}
	assert_string_equal(v.items[72], "w69");
	assert_true(strv_contains(&v, "c") && strv_contains(&v, "w0"));
	assert_false(strv_contains(&v, "") || strv_contains(&v, "w70"));
}

static void given_a_misspelt_word_then_the_nearest_is_found(void **state)
{
	static const char *const words[] = {"create", "start", "state", "delete", NULL};

	(void)state;
	assert_string_equal(str_nearest("craete", words), "create");
	assert_string_equal(str_nearest("stat", words), "start");
	assert_null(str_nearest("checkpoint", words));
	assert_null(str_nearest("x", words));
	assert_null(str_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", words));
}

static void given_numbers_then_only_whole_decimal_ones_in_range_are_taken(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "0x1", "1.0", "a", "--1", "-"};
	int64_t i = 5;
	uint64_t u = 5;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		assert_int_equal(parse_u64(bad[n], UINT64_MAX, &u), -EINVAL);
		assert_int_equal(parse_i64(bad[n], INT64_MIN, INT64_MAX, &i), -EINVAL);
	}
	assert_int_equal(parse_u64(NULL, 1, &u), -EINVAL);
	assert_int_equal(parse_u64("-1", UINT64_MAX, &u), -EINVAL);
	assert_int_equal(parse_u64("18446744073709551616", UINT64_MAX, &u), -ERANGE);
	assert_int_equal(parse_u64("8", 7, &u), -ERANGE);
	assert_true(u == 5 && i == 5);
	assert_int_equal(parse_u64("18446744073709551615", UINT64_MAX, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &i), -ERANGE);
	assert_int_equal(parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &i), -ERANGE);
	assert_int_equal(parse_i64("-2", -1, 5, &i), -ERANGE);
	assert_int_equal(parse_octal("0755", 07777, &u), 0);
	assert_int_equal(u, 0755);
	assert_int_equal(parse_octal("8", 07777, &u), -EINVAL);
	assert_int_equal(parse_octal("10000", 07777, &u), -ERANGE);
}

static void given_sizes_then_units_are_binary(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0},
		    {"512", 512},
		    {"1b", 1},
		    {"4k", 4096},
		    {"4K", 4096},
		    {"1kb", 1024},
		    {"1KiB", 1024},
		    {"1.5g", 1610612736},
		    {"2 MB", 2097152},
		    {"1t", 1099511627776},
		    {"1p", 1125899906842624},
		    {"18446744073709551615", UINT64_MAX}};
	static const char *const bad[] = {"",      "k",  "-1",  "1x",  "1kk",
					  "1 k b", "1.", ".5k", "1e3", "1bb"};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_bytes(good[i].text, &bytes), 0);
		assert_true(bytes == good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_bytes(bad[i], &bytes), -EINVAL);
	assert_int_equal(parse_bytes(NULL, &bytes), -EINVAL);
	assert_int_equal(parse_bytes("99999999p", &bytes), -ERANGE);
	assert_int_equal(parse_bytes("18446744073709551616", &bytes), -ERANGE);
}

static void given_durations_then_units_add_up(void **state)
{
	static const char *const bad[] = {"", "5", "s", "-1s", "1s2", "1d", " 1s", "1s "};
	uint64_t ms;

	(void)state;
	assert_int_equal(parse_duration_ms("5s", &ms), 0);
	assert_int_equal(ms, 5000);
	assert_int_equal(parse_duration_ms("1h1m30.5s", &ms), 0);
	assert_int_equal(ms, 3690500);
	assert_int_equal(parse_duration_ms("250ms", &ms), 0);
	assert_int_equal(ms, 250);
	assert_int_equal(parse_duration_ms("999us", &ms), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(parse_duration_ms("0", &ms), 0);
	assert_int_equal(ms, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_duration_ms(bad[i], &ms), -EINVAL);
	assert_int_equal(parse_duration_ms("99999999999999999999h", &ms), -ERANGE);
}

static struct json_at parsed(const char *text, json_t **document)
{
	_cleanup_error_ struct error *err = NULL;

	if (json_parse(text, strlen(text), "test", document, &err))
		fail_msg("%s", error_text(err));
	return (struct json_at){.value = *document};
}

static void given_a_document_then_getters_find_values_and_leave_absent_ones(void **state)
{
	_cleanup_json_ json_t *document = NULL;
	struct json_at top =
		parsed("{\"s\":\"x\",\"b\":true,\"i\":-5,\"n\":null,\"a\":[1,null]}", &document);
	struct json_at s = json_member(&top, "s"), b = json_member(&top, "b"),
		       i = json_member(&top, "i");
	struct json_at n = json_member(&top, "n"), a = json_member(&top, "a"),
		       below = json_member(&n, "x");
	struct json_at null_element = json_element(&a, 1), past = json_element(&a, 2);
	const char *string = "before";
	int64_t number = 7;
	bool flag = false;

	(void)state;
	assert_int_equal(json_get_string(&s, &string, NULL), 0);
	assert_string_equal(string, "x");
	assert_int_equal(json_get_bool(&b, &flag, NULL), 0);
	assert_true(flag);
	assert_int_equal(json_get_i64(&i, -5, 5, &number, NULL), 0);
	assert_int_equal(number, -5);
	assert_int_equal(json_get_array(&a, NULL), 2);
	assert_int_equal(json_get_object(&top, NULL), 0);
	assert_int_equal(
		json_get_string(&n, &string, NULL) + json_get_string(&below, &string, NULL), 0);
	assert_int_equal(json_get_i64(&null_element, 0, 0, &number, NULL), 0);
	assert_int_equal(json_get_i64(&past, 0, 0, &number, NULL), 0);
	assert_string_equal(string, "x");
	assert_int_equal(number, -5);
}

static void given_wrong_types_and_ranges_then_the_error_names_the_place(void **state)
{
	_cleanup_json_ json_t *document = NULL;
	_cleanup_error_ struct error *err = NULL;
	struct json_at top = parsed("{\"a\":[{\"k.x\\n\":[5,-1,1.5]}]}", &document);
	struct json_at a = json_member(&top, "a"), element = json_element(&a, 0);
	struct json_at odd = json_member(&element, "k.x\n");
	struct json_at five = json_element(&odd, 0), minus = json_element(&odd, 1);
	struct json_at fraction = json_element(&odd, 2);
	const char *string = NULL;
	uint64_t number = 0;
	bool flag = false;

	(void)state;
	assert_int_equal(json_get_string(&five, &string, &err), -EINVAL);
	assert_string_equal(error_text(err),
			    "a[0][\"k.x\\n\"][0]: expected a string, found an integer");
	assert_int_equal(json_get_bool(&a, &flag, &err), -EINVAL);
	assert_string_equal(error_text(err), "a: expected true or false, found an array");
	assert_int_equal(json_get_object(&five, &err), -EINVAL);
	assert_int_equal(json_get_array(&top, &err), -EINVAL);
	assert_string_equal(error_text(err), "expected an array, found an object");
	assert_int_equal(json_get_u64(&five, 4, &number, &err), -EINVAL);
	assert_string_equal(error_text(err), "a[0][\"k.x\\n\"][0]: 5 is out of range (0 to 4)");
	assert_int_equal(json_get_u64(&minus, 4, &number, &err), -EINVAL);
	assert_string_equal(error_text(err), "a[0][\"k.x\\n\"][1]: -1 is out of range (0 to 4)");
	assert_int_equal(json_get_u64(&fraction, 4, &number, &err), -EINVAL);
	assert_string_equal(error_text(err),
			    "a[0][\"k.x\\n\"][2]: expected an integer, found a fraction");
}

static void given_integers_beyond_63_bits_then_they_stay_exact(void **state)
{
	static const char text[] =
		"{\"a\":[9223372036854775807,9223372036854775808,18446744073709551615,"
		"18446744073709551614,18446744073709551616],\"s\":\"\\\"18446744073709551615\"}";
	static const uint64_t wanted[] = {INT64_MAX, 1ULL << 63, UINT64_MAX, UINT64_MAX - 1};
	_cleanup_json_ json_t *document = NULL;
	_cleanup_error_ struct error *err = NULL;
	struct json_at top = parsed(text, &document), a = json_member(&top, "a");
	struct json_at second = json_element(&a, 1), last = json_element(&a, 4),
		       s = json_member(&top, "s");
	const char *string = NULL;
	uint64_t number = 0;
	int64_t small = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct json_at element = json_element(&a, i);

		assert_int_equal(json_get_u64(&element, UINT64_MAX, &number, NULL), 0);
		assert_true(number == wanted[i]);
	}
	assert_int_equal(json_get_u64(&last, UINT64_MAX, &number, &err), -EINVAL);
	assert_string_equal(
		error_text(err),
		"a[4]: 18446744073709551616 is out of range (0 to 18446744073709551615)");
	assert_int_equal(json_get_i64(&second, 0, 9, &small, &err), -EINVAL);
	assert_string_equal(error_text(err), "a[1]: 9223372036854775808 is out of range (0 to 9)");
	assert_int_equal(json_get_string(&s, &string, NULL), 0);
	assert_string_equal(string, "\"18446744073709551615");
}

static void given_bad_json_then_it_is_refused_in_one_line(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{\"a\":}",
		"[1,]",
		"nul",
		"\"\\u0000\"",
		"\"a\nb\"",
		"\"\x1b\"",
		"\"\xff\"",
		"{} {}",
		"1e999",
		"-99999999999999999999",
		"18446744073709551616 x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ struct error *err = NULL;
		json_t *document = NULL;

		assert_int_equal(json_parse(bad[i], strlen(bad[i]), "f.json", &document, &err),
				 -EINVAL);
		assert_null(document);
		assert_int_equal(strncmp(error_text(err), "f.json: invalid JSON at line ", 29), 0);
		for (const char *c = error_text(err); *c; c++)
			assert_true((unsigned char)*c >= 0x20);
	}
}

static void given_duplicate_keys_then_the_last_wins(void **state)
{
	_cleanup_json_ json_t *document = NULL;
	struct json_at top = parsed("{\"a\":1,\"a\":2}", &document), a = json_member(&top, "a");
	uint64_t number = 0;

	(void)state;
	assert_int_equal(json_get_u64(&a, 9, &number, NULL), 0);
	assert_int_equal(number, 2);
}

static void given_any_bytes_then_a_quoted_string_is_valid_json(void **state)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	char all[256];

	(void)state;
	json_quote(&b, "a\"\\\n\t\x01\x7f\xc3\xa4\xff\xe2\x82");
	assert_string_equal(b.text,
			    "\"a\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xa4\\ufffd\\ufffd\\ufffd\"");
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	for (int i = 0; i < 255; i++) {
		_cleanup_strbuf_ struct strbuf quoted = {0};
		_cleanup_json_ json_t *document = NULL;

		json_quote(&quoted, all + i);
		assert_int_equal(json_parse(quoted.text, quoted.length, "x", &document, NULL), 0);
	}
}

/* A directory of its own for a test, as a descriptor. */
static int make_world(void **state)
{
	static char path[] = "/tmp/test-base-XXXXXX";

	memcpy(path + sizeof path - 7, "XXXXXX", 6);
	*state = mkdtemp(path);
	return *state ? 0 : -1;
}

static int end_world(void **state)
{
	return remove_tree_at(AT_FDCWD, *state, NULL);
}

static void given_a_file_when_replaced_then_its_content_and_mode_are_new(void **state)
{
	_cleanup_fd_ int dir = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *data = NULL;
	mode_t old = umask(077);
	struct stat st;
	size_t length;

	assert_int_equal(file_replace_at(dir, "f", "one", 3, 0644, false, NULL), 0);
	assert_int_equal(file_replace_at(dir, "f", "two\0!", 5, 0640, true, NULL), 0);
	umask(old);
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_read_at(dir, "f", 5, &data, &length, NULL), 0);
	assert_int_equal(length, 5);
	assert_memory_equal(data, "two\0!", 6);
	assert_int_equal(file_replace_at(dir, "none/f", "x", 1, 0600, false, &err), -ENOENT);
	assert_string_equal(error_text(err), "write none/f: No such file or directory");
	/* Nothing temporary is left. */
	assert_int_equal(unlinkat(dir, "f", 0), 0);
	assert_int_equal(rmdir(*state), 0);
	assert_int_equal(mkdir(*state, 0700), 0);
}

static void given_a_file_larger_than_the_limit_then_it_is_not_read(void **state)
{
	_cleanup_fd_ int dir = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *data = NULL;
	int ends[2];

	assert_int_equal(file_replace_at(dir, "f", "12345", 5, 0600, false, NULL), 0);
	assert_int_equal(file_read_at(dir, "f", 4, &data, NULL, &err), -EFBIG);
	assert_string_equal(error_text(err), "f: larger than 4 bytes");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(ends[1], "12345", 5), 0);
	close(ends[1]);
	assert_int_equal(fd_read_all(ends[0], 4, "pipe", &data, NULL, &err), -EFBIG);
	close(ends[0]);
	assert_int_equal(file_read_at(dir, "none", 4, &data, NULL, &err), -ENOENT);
	/* sysfs files claim a page whatever they hold. */
	if (access("/sys/kernel/uevent_seqnum", R_OK) == 0) {
		assert_int_equal(
			file_read_at(AT_FDCWD, "/sys/kernel/uevent_seqnum", 24, &data, NULL, NULL),
			0);
		free(TAKE_PTR(data));
	}
	/* A FIFO without a writer does not block. */
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(file_read_at(dir, "fifo", 4, &data, NULL, &err), 0);
}

static void given_a_tree_when_removed_then_links_are_not_followed(void **state)
{
	_cleanup_strbuf_ struct strbuf deep = {0}, keep = {0}, tree = {0}, link = {0};
	_cleanup_fd_ int fd = -1;

	strbuf_addf(&tree, "%s/tree", (char *)*state);
	strbuf_addf(&deep, "%s/a/b/c", tree.text);
	strbuf_addf(&keep, "%s/keep/inside", (char *)*state);
	strbuf_addf(&link, "%s/a/link", tree.text);
	assert_int_equal(make_dirs(deep.text, 0700, NULL), 0);
	assert_int_equal(make_dirs(deep.text, 0700, NULL), 0);
	assert_int_equal(make_dirs(keep.text, 0700, NULL), 0);
	assert_int_equal(symlink("../../keep", link.text), 0);
	assert_int_equal(file_replace_at(AT_FDCWD, "/dev/null/x", "", 0, 0600, false, NULL),
			 -ENOTDIR);
	strbuf_adds(&deep, "/file");
	assert_int_equal(file_replace_at(AT_FDCWD, deep.text, "x", 1, 0400, false, NULL), 0);
	assert_int_equal(remove_tree_at(AT_FDCWD, tree.text, NULL), 0);
	assert_int_equal(access(tree.text, F_OK), -1);
	assert_int_equal(access(keep.text, F_OK), 0);
	assert_int_equal(remove_tree_at(AT_FDCWD, tree.text, NULL), 0);
}

static void given_times_then_they_are_written_as_go_does(void **state)
{
	static const struct {
		struct timespec ts;
		const char *text;
	} cases[] = {{{0, 0}, "1970-01-01T00:00:00Z"},
		     {{1700000000, 123456789}, "2023-11-14T22:13:20.123456789Z"},
		     {{1700000000, 120000000}, "2023-11-14T22:13:20.12Z"},
		     {{1700000000, 1}, "2023-11-14T22:13:20.000000001Z"}};
	char text[36];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		format_time_rfc3339(&cases[i].ts, text, sizeof text);
		assert_string_equal(text, cases[i].text);
	}
}

/* What one record of that format looks like. */
static char *record(enum log_format format)
{
	char *text = NULL;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	log_setup(ends[1], format, LOG_LEVEL_WARNING);
	assert_true(log_is_elsewhere() && log_fd() == ends[1]);
	log_debug("hidden %d", 1);
	log_info("hidden");
	log_warning("a \"b\"\n%d", 7);
	log_setup(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	close(ends[1]);
	assert_int_equal(fd_read_all(ends[0], 4096, "pipe", &text, NULL, NULL), 0);
	close(ends[0]);
	return text;
}

static void given_a_json_log_then_records_are_those_of_logrus(void **state)
{
	_cleanup_free_ char *line = record(LOG_FORMAT_JSON);
	static const char head[] =
		"{\"level\":\"warning\",\"msg\":\"a \\\"b\\\"\\n7\",\"time\":\"20";
	_cleanup_json_ json_t *document = NULL;

	(void)state;
	assert_int_equal(strncmp(line, head, strlen(head)), 0);
	assert_string_equal(line + strlen(line) - 4, "Z\"}\n");
	assert_int_equal(json_parse(line, strlen(line), "record", &document, NULL), 0);
}

static void given_a_text_log_then_records_are_those_of_logrus(void **state)
{
	_cleanup_free_ char *line = record(LOG_FORMAT_TEXT);

	(void)state;
	assert_int_equal(strncmp(line, "time=\"20", 8), 0);
	assert_non_null(strstr(line, "Z\" level=warning msg=\"a \\\"b\\\"\\n7\"\n"));
	assert_null(strstr(line, "hidden"));
}

static void given_a_trace_sink_then_a_step_is_one_line_of_json(void **state)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_json_ json_t *document = NULL;
	uint64_t begin;
	int ends[2];

	(void)state;
	assert_int_equal(trace_begin(), 0);
	trace_step(TRACE_MOUNTS, 0, "mount", 0, "nobody sees %s", "this");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	trace_setup(ends[1]);
	begin = trace_begin();
	errno = EXDEV;
	trace_step(TRACE_MOUNTS, begin, "mount", -EPERM, "\"%s\"", "x");
	assert_int_equal(errno, EXDEV);
	trace_setup(-1);
	close(ends[1]);
	assert_int_equal(fd_read_all(ends[0], 4096, "pipe", &line, NULL, NULL), 0);
	close(ends[0]);
	assert_non_null(strstr(
		line,
		"\"group\":\"mounts\",\"call\":\"mount\",\"args\":\"\\\"x\\\"\",\"ret\":-1,"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_int_equal(json_parse(line, strlen(line), "step", &document, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_an_errno_then_the_error_holds_its_text_and_code),
		cmocka_unit_test(given_no_place_for_an_error_then_only_the_code_is_returned),
		cmocka_unit_test(given_appends_then_a_string_buffer_grows_and_stays_terminated),
		cmocka_unit_test(given_a_size_that_overflows_then_the_buffer_remembers_its_failure),
		cmocka_unit_test(given_words_then_a_list_keeps_copies_and_ends_with_null),
		cmocka_unit_test(given_a_misspelt_word_then_the_nearest_is_found),
		cmocka_unit_test(given_numbers_then_only_whole_decimal_ones_in_range_are_taken),
		cmocka_unit_test(given_sizes_then_units_are_binary),
		cmocka_unit_test(given_durations_then_units_add_up),
		cmocka_unit_test(given_a_document_then_getters_find_values_and_leave_absent_ones),
		cmocka_unit_test(given_wrong_types_and_ranges_then_the_error_names_the_place),
		cmocka_unit_test(given_integers_beyond_63_bits_then_they_stay_exact),
		cmocka_unit_test(given_bad_json_then_it_is_refused_in_one_line),
		cmocka_unit_test(given_duplicate_keys_then_the_last_wins),
		cmocka_unit_test(given_any_bytes_then_a_quoted_string_is_valid_json),
		cmocka_unit_test_setup_teardown(
			given_a_file_when_replaced_then_its_content_and_mode_are_new, make_world,
			end_world),
		cmocka_unit_test_setup_teardown(
			given_a_file_larger_than_the_limit_then_it_is_not_read, make_world,
			end_world),
		cmocka_unit_test_setup_teardown(
			given_a_tree_when_removed_then_links_are_not_followed, make_world,
			end_world),
		cmocka_unit_test(given_times_then_they_are_written_as_go_does),
		cmocka_unit_test(given_a_json_log_then_records_are_those_of_logrus),
		cmocka_unit_test(given_a_text_log_then_records_are_those_of_logrus),
		cmocka_unit_test(given_a_trace_sink_then_a_step_is_one_line_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

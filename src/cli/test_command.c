/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the command table: parsing as Go's flag package and urfave/cli do it, and the documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/command.h"

struct globals {
	const char *root;
	bool debug;
};

struct values {
	const char *bundle, *format;
	bool detach, quiet;
	int count;
	uint64_t interval;
	struct strv env;
};

static const char *const formats[] = {"table", "json", NULL};

static const struct command_option global_options[] = {
	{.name = "root", .value = "path", .help = "where", OPTION_TO(struct globals, root)},
	{.name = "debug", .help = "more", OPTION_TO(struct globals, debug)},
	{0},
};

static const struct command_option options[] = {
	{.name = "bundle",
	 .alias = "b",
	 .value = "path",
	 .help = "the bundle's directory",
	 .completion = COMPLETE_DIRECTORY,
	 OPTION_TO(struct values, bundle)},
	{.name = "format",
	 .value = "format",
	 .help = "how",
	 .default_text = "table",
	 .choices = formats,
	 OPTION_TO(struct values, format)},
	{.name = "detach", .alias = "d", .help = "leave", OPTION_TO(struct values, detach)},
	{.name = "quiet", .help = "hush", .is_hidden = true, OPTION_TO(struct values, quiet)},
	{.name = "count",
	 .value = "N",
	 .help = "how many",
	 .default_text = "3",
	 OPTION_TO(struct values, count)},
	{.name = "interval",
	 .value = "duration",
	 .help = "how often",
	 .default_text = "5s",
	 OPTION_TO(struct values, interval)},
	{.name = "env",
	 .alias = "e",
	 .value = "name=value",
	 .help = "set",
	 OPTION_TO(struct values, env)},
	{0},
};

static const struct command run = {
	.name = "run",
	.arguments = "<container-id> [signal]",
	.summary = "run a container's \\ program",
	.description = ".starts with a dot\n\n    # an example\n",
	.options = options,
	.values_size = sizeof(struct values),
	.min_arguments = 1,
	.max_arguments = 2,
	.completion_command = "list --quiet",
};

static const struct command exec = {
	.name = "exec",
	.arguments = "<container-id> <command>",
	.summary = "another",
	.options = options,
	.values_size = sizeof(struct values),
	.min_arguments = 1,
	.max_arguments = ARGUMENTS_ANY,
	.stops_at_argument = true,
};

static const struct command list = {.name = "list", .arguments = "", .summary = "show"};

static const struct command *const commands[] = {&run,          &exec,        &list,
						 &command_help, &command_man, NULL};

static const struct command_program program = {
	.name = "a-program",
	.summary = "a summary",
	.description = "A description.\n",
	.options = global_options,
	.values_size = sizeof(struct globals),
	.commands = commands,
};

/* One parsed line; what parse() gave is freed by done(). */
static struct command_call call;
static struct error *err;

static int parse(const char *line)
{
	static struct strv words;

	strv_free(&words);
	assert_int_equal(strv_add(&words, "a-program"), 0);
	assert_int_equal(strv_split(&words, line, " "), 0);
	return command_parse(&program, words.items, &call, &err);
}

static int done(void **state)
{
	if (call.program)
		command_call_clear(&call);
	error_free(err);
	err = NULL;
	return 0;
}

static const struct values *values(void)
{
	return call.values;
}

static void no_words_name_no_command(void **state)
{
	assert_int_equal(parse(""), 0);
	assert_null(call.command);
	assert_false(call.wants_help);
}

static void global_options_come_before_the_command(void **state)
{
	const struct globals *globals;

	assert_int_equal(parse("--root /r -debug run c"), 0);
	globals = call.globals;
	assert_string_equal(globals->root, "/r");
	assert_true(globals->debug);
	assert_ptr_equal(call.command, &run);
	assert_string_equal(call.arguments[0], "c");
	assert_null(call.arguments[1]);
}

static void options_not_given_have_their_defaults(void **state)
{
	assert_int_equal(parse("run c"), 0);
	assert_null(values()->bundle);
	assert_string_equal(values()->format, "table");
	assert_int_equal(values()->count, 3);
	assert_int_equal(values()->interval, 5000);
	assert_int_equal(values()->env.count, 0);
}

static void one_dash_does_for_a_long_name(void **state)
{
	assert_int_equal(parse("run -bundle /b --detach c"), 0);
	assert_string_equal(values()->bundle, "/b");
	assert_true(values()->detach);
}

static void a_value_may_follow_an_equals_sign(void **state)
{
	assert_int_equal(parse("run -b=/b=c --count=-7 --interval=1m30s --bundle= c"), 0);
	assert_string_equal(values()->bundle, "");
	assert_int_equal(values()->count, -7);
	assert_int_equal(values()->interval, 90000);
}

static void a_value_may_look_like_an_option(void **state)
{
	assert_int_equal(parse("run --bundle --detach c"), 0);
	assert_string_equal(values()->bundle, "--detach");
	assert_false(values()->detach);
}

static void a_flag_takes_its_truth_only_behind_an_equals_sign(void **state)
{
	assert_int_equal(parse("run --detach=true -d=false --quiet false"), 0);
	assert_false(values()->detach);
	assert_true(values()->quiet);
	assert_string_equal(call.arguments[0], "false");
}

static void a_list_keeps_each_value_as_given(void **state)
{
	assert_int_equal(parse("run -e A=1,2 --env B=3 c"), 0);
	assert_int_equal(values()->env.count, 2);
	assert_string_equal(values()->env.items[0], "A=1,2");
	assert_string_equal(values()->env.items[1], "B=3");
}

static void options_are_known_behind_arguments(void **state)
{
	assert_int_equal(parse("run c --detach TERM -b /b"), 0);
	assert_true(values()->detach);
	assert_int_equal(call.argument_count, 2);
	assert_string_equal(call.arguments[1], "TERM");
	assert_string_equal(values()->bundle, "/b");
}

static void a_command_that_stops_leaves_later_words_alone(void **state)
{
	assert_int_equal(parse("exec -d c ls --detach -- -b"), 0);
	assert_true(values()->detach);
	assert_int_equal(call.argument_count, 5);
	assert_string_equal(call.arguments[2], "--detach");
	assert_string_equal(call.arguments[3], "--");
}

static void two_dashes_end_the_options(void **state)
{
	assert_int_equal(parse("run -- -d -"), 0);
	assert_false(values()->detach);
	assert_string_equal(call.arguments[0], "-d");
	assert_string_equal(call.arguments[1], "-");
}

static void help_needs_no_arguments(void **state)
{
	assert_int_equal(parse("run -h"), 0);
	assert_true(call.wants_help);
	assert_int_equal(done(NULL), 0);
	assert_int_equal(parse("run c --help=false"), 0);
	assert_false(call.wants_help);
	assert_int_equal(done(NULL), 0);
	assert_int_equal(parse("--version"), 0);
	assert_true(call.wants_version);
	assert_int_equal(done(NULL), 0);
	assert_int_equal(parse("h run"), 0);
	assert_ptr_equal(call.command, &command_help);
}

static void assert_wrong(const char *line, int code, const char *text)
{
	assert_int_equal(parse(line), -code);
	assert_string_equal(error_text(err), text);
	done(NULL);
}

static void wrong_usage_is_one_line_that_helps(void **state)
{
	assert_wrong("rn", ENOENT, "unknown command \"rn\"; did you mean \"run\"?");
	assert_wrong("xyzzy", ENOENT, "unknown command \"xyzzy\"; \"a-program help\" lists them");
	assert_wrong("run --bundel x c", EINVAL,
		     "flag provided but not defined: -bundel; did you mean --bundle?");
	assert_wrong("run c --xyzzy=1", EINVAL, "flag provided but not defined: -xyzzy");
	assert_wrong("run -db c", EINVAL, "flag provided but not defined: -db");
	assert_wrong("--detach run", EINVAL, "flag provided but not defined: -detach");
	assert_wrong("run --bundle", EINVAL, "flag needs an argument: -bundle");
	assert_wrong("run ---b c", EINVAL, "bad flag syntax: ---b");
	assert_wrong("run -=b c", EINVAL, "bad flag syntax: -=b");
	assert_wrong("run", EINVAL, "a-program: \"run\" requires a minimum of 1 argument(s)");
	assert_wrong("run a b c", EINVAL, "a-program: \"run\" requires a maximum of 2 argument(s)");
	assert_wrong("list a", EINVAL, "a-program: \"list\" requires exactly 0 argument(s)");
	assert_wrong("run --count 1x c", EINVAL,
		     "invalid value \"1x\" for flag -count: expected a number");
	assert_wrong("run --count 4294967296 c", EINVAL,
		     "invalid value \"4294967296\" for flag -count: expected a number");
	assert_wrong("run --interval 5 c", EINVAL,
		     "invalid value \"5\" for flag -interval: expected a duration such as 5s");
	assert_wrong("run --detach=maybe c", EINVAL,
		     "invalid boolean value \"maybe\" for -detach: expected true or false");
	assert_wrong("run --format xml c", EINVAL,
		     "invalid value \"xml\" for flag -format: expected one of \"table\", \"json\"");
}

static void program_values_survive_a_wrong_command(void **state)
{
	assert_int_equal(parse("--root /r nonsense"), -ENOENT);
	assert_string_equal(((const struct globals *)call.globals)->root, "/r");
}

static char *document(void (*print)(FILE *))
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	print(out);
	fclose(out);
	return text;
}

static void print_run_help(FILE *out)
{
	command_print_help(&program, &run, out);
}

static void print_man(FILE *out)
{
	command_print_man(&program, out);
}

static void print_bash(FILE *out)
{
	assert_int_equal(command_print_completion(&program, "bash", out, NULL), 0);
}

static void help_shows_what_is_not_hidden(void **state)
{
	_cleanup_free_ char *text = document(print_run_help);

	assert_non_null(strstr(text, "   --bundle path, -b path "));
	assert_non_null(strstr(text, "(default: 5s)"));
	assert_non_null(strstr(text, "   --help, -h"));
	assert_null(strstr(text, "quiet"));
}

static void the_manual_escapes_what_roff_reads(void **state)
{
	_cleanup_free_ char *text = document(print_man);

	assert_non_null(strstr(text, "\n\\&.starts with a dot\n"));
	assert_non_null(strstr(text, "run a container's \\e program"));
	assert_non_null(strstr(text, "a\\-program"));
	assert_null(strstr(text, "quiet"));
}

static void completion_knows_commands_options_and_values(void **state)
{
	_cleanup_free_ char *text = document(print_bash);

	assert_non_null(strstr(text, "_a_program() {"));
	assert_non_null(strstr(text, "'run --bundle' | 'run -b')"));
	assert_non_null(strstr(text, "compgen -W 'table json'"));
	assert_null(strstr(text, "man "));
}

static void an_unknown_shell_is_an_error(void **state)
{
	assert_int_equal(command_print_completion(&program, "tcsh", stdout, &err), -EINVAL);
	assert_non_null(strstr(error_text(err), "\"tcsh\""));
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_words_name_no_command),
		TEST(global_options_come_before_the_command),
		TEST(options_not_given_have_their_defaults),
		TEST(one_dash_does_for_a_long_name),
		TEST(a_value_may_follow_an_equals_sign),
		TEST(a_value_may_look_like_an_option),
		TEST(a_flag_takes_its_truth_only_behind_an_equals_sign),
		TEST(a_list_keeps_each_value_as_given),
		TEST(options_are_known_behind_arguments),
		TEST(a_command_that_stops_leaves_later_words_alone),
		TEST(two_dashes_end_the_options),
		TEST(help_needs_no_arguments),
		TEST(wrong_usage_is_one_line_that_helps),
		TEST(program_values_survive_a_wrong_command),
		TEST(help_shows_what_is_not_hidden),
		TEST(the_manual_escapes_what_roff_reads),
		TEST(completion_knows_commands_options_and_values),
		TEST(an_unknown_shell_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

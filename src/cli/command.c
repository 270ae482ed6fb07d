/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a command line apart by its table. See command.h.
 *
 * One loop (parse_words) serves the program's own options, which end at the first other word (the
 * command's name), and a command's, which end at "--" or, where the command says so, at its first
 * argument. Values are checked here as far as the table tells; what a value means is the command's. */
#include <string.h>

#include "cli/command.h"

static const struct command_option help_option = {
	.name = "help", .alias = "h", .help = "show help", .kind = OPTION_BOOL};
static const struct command_option version_option = {
	.name = "version", .alias = "v", .help = "print the version", .kind = OPTION_BOOL};

/* What one run of parse_words works on. */
struct words {
	const struct command_option *options;
	void *values;
	char **next;
	enum command_style style;
	bool stops_at_argument;
	bool has_version;
	bool wants_help, wants_version;
	char **arguments; /* room for all of next */
	size_t argument_count;
};

/* With pflag's rules a single letter is no name. */
static bool names_option(const struct command_option *o, const char *name, size_t length,
			 enum command_style style)
{
	return (strncmp(o->name, name, length) == 0 && !o->name[length]) ||
	       (o->alias && (style == STYLE_GO || o->alias[1]) &&
		strncmp(o->alias, name, length) == 0 && !o->alias[length]);
}

static const struct command_option *find_option(const struct words *w, const char *name,
						size_t length)
{
	for (const struct command_option *o = w->options; o && o->name; o++)
		if (names_option(o, name, length, w->style))
			return o;
	if (names_option(&help_option, name, length, w->style))
		return &help_option;
	if (w->has_version && names_option(&version_option, name, length, w->style))
		return &version_option;
	return NULL;
}

/* The name that was probably meant, or NULL. */
static int nearest_option(const struct words *w, const char *word, const char **out)
{
	_cleanup_free_ const char **names = NULL;
	size_t count = 0;

	for (const struct command_option *o = w->options; o && o->name; o++)
		count++;
	names = calloc(count + 1, sizeof *names);
	if (!names)
		return -ENOMEM;
	count = 0;
	for (const struct command_option *o = w->options; o && o->name; o++)
		if (!o->is_hidden)
			names[count++] = o->name;
	*out = str_nearest(word, names);
	return 0;
}

static int unknown_option(const struct words *w, const char *name, size_t length,
			  struct error **err)
{
	_cleanup_free_ char *word = strndup(name, length);
	const char *nearest = NULL;

	if (!word || nearest_option(w, word, &nearest))
		return error_errno(err, ENOMEM, "parse the command line");
	if (w->style == STYLE_PFLAG && nearest)
		return error_set(err, EINVAL, "unknown flag: --%s; did you mean --%s?", word,
				 nearest);
	if (w->style == STYLE_PFLAG)
		return error_set(err, EINVAL, "unknown flag: --%s", word);
	if (nearest)
		return error_set(err, EINVAL,
				 "flag provided but not defined: -%s; did you mean --%s?", word,
				 nearest);
	return error_set(err, EINVAL, "flag provided but not defined: -%s", word);
}

static int set_bool(bool *out, const char *text)
{
	static const char *const truths[] = {"1", "t", "T", "true", "TRUE", "True", NULL};
	static const char *const lies[] = {"0", "f", "F", "false", "FALSE", "False", NULL};

	for (size_t i = 0; truths[i]; i++)
		if (strcmp(text, truths[i]) == 0) {
			*out = true;
			return 0;
		}
	for (size_t i = 0; lies[i]; i++)
		if (strcmp(text, lies[i]) == 0) {
			*out = false;
			return 0;
		}
	return -EINVAL;
}

/* What stands before an option's name in a message, beside the first dash. */
static const char *second_dash(enum command_style style)
{
	return style == STYLE_PFLAG ? "-" : "";
}

static int check_choice(const struct command_option *o, enum command_style style, const char *text,
			struct error **err)
{
	_cleanup_strbuf_ struct strbuf list = {0};

	if (!o->choices)
		return 0;
	for (const char *const *choice = o->choices; *choice; choice++) {
		if (strcmp(*choice, text) == 0)
			return 0;
		strbuf_addf(&list, "%s\"%s\"", list.length ? ", " : "", *choice);
	}
	return error_set(err, EINVAL, "invalid value \"%s\" for flag -%s%s: expected one of %s",
			 text, second_dash(style), o->name, list.failed ? "the known" : list.text);
}

static int set_value(const struct command_option *o, enum command_style style, void *values,
		     const char *text, struct error **err)
{
	void *place = (char *)values + o->offset;
	int64_t number;
	int r;

	r = check_choice(o, style, text, err);
	if (r)
		return r;
	switch (o->kind) {
	case OPTION_BOOL:
		if (set_bool(place, text))
			return error_set(err, EINVAL,
					 "invalid boolean value \"%s\" for -%s%s: expected true or "
					 "false",
					 text, second_dash(style), o->name);
		return 0;
	case OPTION_STRING:
		*(const char **)place = text;
		return 0;
	case OPTION_LIST:
		if (strv_add(place, text))
			return error_errno(err, ENOMEM, "parse the command line");
		return 0;
	case OPTION_INT:
		if (parse_i64(text, INT32_MIN, INT32_MAX, &number))
			return error_set(err, EINVAL,
					 "invalid value \"%s\" for flag -%s%s: expected a number",
					 text, second_dash(style), o->name);
		*(int *)place = (int)number;
		return 0;
	case OPTION_DURATION:
		if (parse_duration_ms(text, place))
			return error_set(err, EINVAL,
					 "invalid value \"%s\" for flag -%s%s: expected a duration "
					 "such as 5s",
					 text, second_dash(style), o->name);
		return 0;
	}
	return -EINVAL;
}

static int set_defaults(const struct command_option *options, enum command_style style,
			void *values, struct error **err)
{
	for (const struct command_option *o = options; o && o->name; o++) {
		int r = o->default_text ? set_value(o, style, values, o->default_text, err) : 0;

		if (r)
			return r;
	}
	return 0;
}

/* help and version are nobody's values. */
static int set_builtin(struct words *w, const struct command_option *o, const char *text,
		       struct error **err)
{
	struct command_option plain = *o;
	bool value = false;
	int r;

	plain.offset = 0;
	r = set_value(&plain, w->style, &value, text ? text : "true", err);
	if (!r)
		*(o == &help_option ? &w->wants_help : &w->wants_version) = value;
	return r;
}

static bool is_builtin(const struct command_option *o)
{
	return o == &help_option || o == &version_option;
}

/* Takes the option at w->next, and its value where that is the next word. */
static int parse_option(struct words *w, struct error **err)
{
	const char *word = *w->next++;
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t length = strcspn(name, "=");
	const char *text = name[length] ? name + length + 1 : NULL;
	const struct command_option *o;

	if (length == 0 || *name == '-')
		return error_set(err, EINVAL, "bad flag syntax: %s", word);
	o = find_option(w, name, length);
	if (!o)
		return unknown_option(w, name, length, err);
	if (is_builtin(o))
		return set_builtin(w, o, text, err);
	if (!text && o->kind == OPTION_BOOL)
		text = "true";
	if (!text) {
		if (!*w->next)
			return error_set(err, EINVAL, "flag needs an argument: -%s%.*s",
					 second_dash(w->style), (int)length, name);
		text = *w->next++;
	}
	return set_value(o, w->style, w->values, text, err);
}

static const struct command_option *find_letter(const struct words *w, char letter)
{
	for (const struct command_option *o = w->options; o && o->name; o++)
		if (o->alias && o->alias[0] == letter && !o->alias[1])
			return o;
	if (letter == *help_option.alias)
		return &help_option;
	return w->has_version && letter == *version_option.alias ? &version_option : NULL;
}

/* The value of the letter at *at: behind it, after '=', or the next word. *at is at the last letter then. */
static int letter_value(struct words *w, const char **at, const char *word, const char **text,
			struct error **err)
{
	if ((*at)[1])
		*text = (*at)[1] == '=' ? *at + 2 : *at + 1;
	else if (*w->next)
		*text = *w->next++;
	else
		return error_set(err, EINVAL, "flag needs an argument: '%c' in %s", **at, word);
	*at += strlen(*at) - 1;
	return 0;
}

/* Takes "-aq", "-f VALUE", "-fVALUE", "-f=VALUE". */
static int parse_letters(struct words *w, struct error **err)
{
	const char *word = *w->next++;
	int r = 0;

	for (const char *at = word + 1; *at && r == 0; at++) {
		const struct command_option *o = find_letter(w, *at);
		const char *text = "true";

		if (!o)
			return error_set(err, EINVAL, "unknown shorthand flag: '%c' in %s", *at,
					 word);
		if (o->kind != OPTION_BOOL || at[1] == '=')
			r = letter_value(w, &at, word, &text, err);
		if (!r)
			r = is_builtin(o) ? set_builtin(w, o, text, err)
					  : set_value(o, w->style, w->values, text, err);
	}
	return r;
}

/* Takes words until the end, or, for a program's own options (no room for arguments), up to the first
 * that is none. */
static int parse_words(struct words *w, struct error **err)
{
	while (*w->next) {
		const char *word = *w->next;

		if (strcmp(word, "--") == 0) {
			w->next++;
			break;
		}
		if (word[0] == '-' && word[1]) {
			bool is_letters = w->style == STYLE_PFLAG && word[1] != '-';
			int r = is_letters ? parse_letters(w, err) : parse_option(w, err);

			if (r)
				return r;
			continue;
		}
		if (!w->arguments || w->stops_at_argument)
			break;
		w->arguments[w->argument_count++] = *w->next++;
	}
	while (w->arguments && *w->next)
		w->arguments[w->argument_count++] = *w->next++;
	return 0;
}

/* docker's words. */
static int refuse_count(const struct command_call *call, const char *bound, size_t wanted,
			struct error **err)
{
	_cleanup_free_ char *name = command_full_name(call);

	if (!name)
		return error_errno(err, ENOMEM, "parse the command line");
	if (call->command->max_arguments == 0)
		return error_set(err, EINVAL, "\"%s\" accepts no arguments. See '%s --help'.", name,
				 name);
	return error_set(err, EINVAL, "\"%s\" requires %s %zu argument%s. See '%s --help'.", name,
			 str_starts(bound, "a min")   ? "at least"
			 : str_starts(bound, "a max") ? "at most"
						      : bound,
			 wanted, wanted == 1 ? "" : "s", name);
}

static int check_argument_count(const struct command_call *call, struct error **err)
{
	const struct command *c = call->command;
	const char *bound = NULL;
	size_t wanted = c->min_arguments;

	if (c->min_arguments == c->max_arguments)
		bound = call->argument_count == wanted ? NULL : "exactly";
	else if (call->argument_count < c->min_arguments)
		bound = "a minimum of";
	else if (c->max_arguments != ARGUMENTS_ANY && call->argument_count > c->max_arguments) {
		bound = "a maximum of";
		wanted = c->max_arguments;
	}
	if (!bound)
		return 0;
	if (call->program->style == STYLE_PFLAG)
		return refuse_count(call, bound, wanted, err);
	return error_set(err, EINVAL, "%s: \"%s\" requires %s %zu argument(s)", call->program->name,
			 c->name, bound, wanted);
}

static const struct command *find_in(const struct command *const *commands, const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0 || str_equal((*c)->alias, name))
			return *c;
	return NULL;
}

const struct command *command_find(const struct command_program *program, const char *name)
{
	const struct command *found = find_in(program->commands, name);

	if (found)
		return found;
	if (strcmp(name, "h") == 0)
		return command_find(program, "help");
	return NULL;
}

static int nearest_command(const struct command *const *commands, const char *name,
			   const char **out)
{
	_cleanup_free_ const char **names = NULL;
	size_t count = 0;

	while (commands[count])
		count++;
	names = calloc(count + 1, sizeof *names);
	if (!names)
		return -ENOMEM;
	count = 0;
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->is_hidden)
			names[count++] = (*c)->name;
	*out = str_nearest(name, names);
	return 0;
}

/* docker's words; path is "dhow" or "dhow image". */
static int unknown_word(const struct command *const *commands, const char *path, const char *name,
			struct error **err)
{
	const char *nearest = NULL;

	if (nearest_command(commands, name, &nearest))
		return error_errno(err, ENOMEM, "parse the command line");
	if (nearest)
		return error_set(err, ENOENT,
				 "'%s' is not a %s command; did you mean '%s'? See '%s --help'",
				 name, path, nearest, path);
	return error_set(err, ENOENT, "'%s' is not a %s command. See '%s --help'", name, path,
			 path);
}

int command_unknown(const struct command_program *program, const char *name, struct error **err)
{
	const char *nearest = NULL;

	if (program->style == STYLE_PFLAG)
		return unknown_word(program->commands, program->name, name, err);
	if (nearest_command(program->commands, name, &nearest))
		return error_errno(err, ENOMEM, "parse the command line");
	if (nearest)
		return error_set(err, ENOENT, "unknown command \"%s\"; did you mean \"%s\"?", name,
				 nearest);
	return error_set(err, ENOENT, "unknown command \"%s\"; \"%s help\" lists them", name,
			 program->name);
}

static int parse_command(struct command_call *call, char **argv, struct error **err)
{
	const struct command *c = call->command;
	struct words w = {.options = c->options,
			  .next = argv,
			  .style = call->program->style,
			  .stops_at_argument = c->stops_at_argument};
	size_t count = 0;
	int r;

	while (argv[count])
		count++;
	call->arguments = calloc(count + 1, sizeof *call->arguments);
	call->values = calloc(1, c->values_size ? c->values_size : 1);
	if (!call->arguments || !call->values)
		return error_errno(err, ENOMEM, "parse the command line");
	w.arguments = call->arguments;
	w.values = call->values;
	r = set_defaults(c->options, w.style, w.values, err);
	if (!r)
		r = parse_words(&w, err);
	if (r)
		return r;
	call->argument_count = w.argument_count;
	call->wants_help = w.wants_help;
	return call->wants_help ? 0 : check_argument_count(call, err);
}

/* While the command is a group, the next word names one of its commands. A group without one stays: its help is wanted. */
static int enter_groups(struct command_call *call, char ***next, struct error **err)
{
	while (call->command->commands && **next && ***next != '-') {
		const struct command *found = find_in(call->command->commands, **next);

		if (!found || call->group_count == COMMAND_DEPTH) {
			_cleanup_free_ char *path = command_full_name(call);

			return unknown_word(call->command->commands, path ? path : "", **next, err);
		}
		call->groups[call->group_count++] = call->command;
		call->command = found;
		(*next)++;
	}
	return 0;
}

int command_parse(const struct command_program *program, char **argv, struct command_call *call,
		  struct error **err)
{
	struct words w = {.options = program->options,
			  .next = argv + 1,
			  .style = program->style,
			  .has_version = true};
	int r;

	*call = (struct command_call){.program = program};
	call->globals = calloc(1, program->values_size ? program->values_size : 1);
	if (!call->globals)
		return error_errno(err, ENOMEM, "parse the command line");
	w.values = call->globals;
	r = set_defaults(program->options, w.style, w.values, err);
	if (!r && argv[0])
		r = parse_words(&w, err);
	if (r)
		return r;
	call->wants_help = w.wants_help;
	call->wants_version = w.wants_version;
	if (w.wants_help || w.wants_version || !argv[0] || !*w.next)
		return 0;
	call->command = command_find(program, *w.next);
	if (!call->command)
		return command_unknown(program, *w.next, err);
	w.next++;
	r = enter_groups(call, &w.next, err);
	return r ? r : parse_command(call, w.next, err);
}

char *command_full_name(const struct command_call *call)
{
	struct strbuf b = {0};

	strbuf_adds(&b, call->program->name);
	for (size_t i = 0; i < call->group_count; i++)
		strbuf_addf(&b, " %s", call->groups[i]->name);
	if (call->command)
		strbuf_addf(&b, " %s", call->command->name);
	return strbuf_take(&b);
}

static void free_lists(const struct command_option *options, void *values)
{
	for (const struct command_option *o = options; values && o && o->name; o++)
		if (o->kind == OPTION_LIST)
			strv_free((void *)((char *)values + o->offset));
}

void command_call_clear(struct command_call *call)
{
	free_lists(call->program->options, call->globals);
	if (call->command)
		free_lists(call->command->options, call->values);
	free(call->globals);
	free(call->values);
	free(call->arguments);
	*call = (struct command_call){.program = call->program};
}

void command_each_option(const struct command_option *options, bool has_version,
			 command_option_fn *fn, void *data)
{
	for (const struct command_option *o = options; o && o->name; o++)
		if (!o->is_hidden)
			fn(o, data);
	fn(&help_option, data);
	if (has_version)
		fn(&version_option, data);
}

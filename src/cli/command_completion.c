/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion scripts for bash, zsh and fish, made from the table of commands. See command.h.
 *
 * Each shell gets a plain script without helpers of its own packages. Arguments are completed by asking
 * the program itself (a command's completion_command), with the global options of the line being
 * typed, so that --root is honoured. */
#include <string.h>

#include "cli/command.h"

/* Function names can't hold the hyphen of a program's name. */
static char *identifier(const char *name)
{
	char *copy = strdup(name);

	for (char *p = copy; p && *p; p++)
		if (*p == '-')
			*p = '_';
	return copy;
}

/* Text inside single quotes. Backslashes go before bytes of special, for the shells' own parsers. */
static void quoted(const char *text, const char *special, FILE *out)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", out);
		else if (strchr(special, *p))
			fprintf(out, "\\%c", *p);
		else
			fputc(*p, out);
	}
}

static void bash_words(const struct command_option *o, void *data)
{
	FILE *out = data;

	fprintf(out, " --%s", o->name);
	if (o->alias)
		fprintf(out, " -%s", o->alias);
}

/* The branch that completes the value of an option of command ("" for the program's). */
static void bash_value(const struct command_option *o, const char *command, FILE *out)
{
	fprintf(out, "\t'%s --%s'", command, o->name);
	if (o->alias)
		fprintf(out, " | '%s -%s'", command, o->alias);
	fputs(")\n", out);
	if (o->choices) {
		fputs("\t\tmapfile -t COMPREPLY < <(compgen -W '", out);
		for (const char *const *choice = o->choices; *choice; choice++)
			fprintf(out, "%s%s", choice == o->choices ? "" : " ", *choice);
		fputs("' -- \"$cur\")\n", out);
	} else if (o->completion != COMPLETE_NOTHING) {
		fprintf(out,
			"\t\tcompopt -o filenames 2>/dev/null\n"
			"\t\tmapfile -t COMPREPLY < <(compgen -%c -- \"$cur\")\n",
			o->completion == COMPLETE_DIRECTORY ? 'd' : 'f');
	}
	fputs("\t\treturn\n\t\t;;\n", out);
}

static void bash_values(const struct command_option *options, const char *command, FILE *out)
{
	for (const struct command_option *o = options; o && o->name; o++)
		if (o->value)
			bash_value(o, command, out);
}

/* Finds the command among the words, and before it the global options, which the program gets when it
 * is asked for words; bash takes --root=/x for three of them. */
static void bash_find_command(const struct command_program *program, FILE *out)
{
	const char *separator = "";

	fputs("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t",
	      out);
	for (const struct command_option *o = program->options; o && o->name; o++) {
		if (o->value)
			fprintf(out, "%s--%s | -%s", separator, o->name, o->name);
		separator = o->value ? " | " : separator;
	}
	fputs(")\n"
	      "\t\t\tglobals+=(\"${COMP_WORDS[i]}\")\n"
	      "\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	      "\t\t\t((i + 1 < COMP_CWORD)) && globals+=(\"${COMP_WORDS[++i]}\")\n"
	      "\t\t\t;;\n"
	      "\t\t-*) globals+=(\"${COMP_WORDS[i]}\") ;;\n"
	      "\t\t*)\n"
	      "\t\t\tcommand=${COMP_WORDS[i]}\n"
	      "\t\t\tbreak\n"
	      "\t\t\t;;\n"
	      "\t\tesac\n"
	      "\tdone\n",
	      out);
}

static void bash_command(const struct command_program *program, const struct command *c, FILE *out)
{
	fprintf(out, "\t%s)\n\t\twords='", c->name);
	command_each_option(c->options, false, bash_words, out);
	fputs("'\n", out);
	if (c->completion_command)
		fprintf(out,
			"\t\t[[ $cur == -* ]] || words=$(%s \"${globals[@]}\" %s 2>/dev/null)\n",
			program->name, c->completion_command);
	fputs("\t\t;;\n", out);
}

static void bash_script(const struct command_program *program, const char *function, FILE *out)
{
	fprintf(out, "# bash completion for %s\n_%s() {\n", program->name, function);
	fputs("\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal command='' words='' i\n"
	      "\tlocal -a globals=()\n"
	      "\tCOMPREPLY=()\n",
	      out);
	bash_find_command(program, out);
	fputs("\tcase \"$command $prev\" in\n", out);
	bash_values(program->options, "", out);
	for (const struct command *const *c = program->commands; *c; c++)
		bash_values((*c)->options, (*c)->name, out);
	fputs("\tesac\n\tcase $command in\n\t'')\n\t\twords='", out);
	for (const struct command *const *c = program->commands; *c; c++)
		if (!(*c)->is_hidden)
			fprintf(out, "%s ", (*c)->name);
	command_each_option(program->options, true, bash_words, out);
	fputs("'\n\t\t;;\n", out);
	for (const struct command *const *c = program->commands; *c; c++)
		if (!(*c)->is_hidden)
			bash_command(program, *c, out);
	fprintf(out,
		"\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
		"complete -F _%s %s\n",
		function, program->name);
}

/* One _arguments specification: '(-b --bundle)'{-b,--bundle}'[help]:value:action' */
static void zsh_option(const struct command_option *o, void *data)
{
	FILE *out = data;

	if (o->kind == OPTION_LIST)
		fputs(" \\\n\t\t\t'*'", out);
	else if (o->alias)
		fprintf(out, " \\\n\t\t\t'(-%s --%s)'", o->alias, o->name);
	else
		fputs(" \\\n\t\t\t", out);
	if (o->alias)
		fprintf(out, "{-%s,--%s}'[", o->alias, o->name);
	else
		fprintf(out, "'--%s[", o->name);
	quoted(o->help, "[]:\\", out);
	fputs("]", out);
	if (o->value) {
		fputs(":", out);
		quoted(o->value, "[]:\\", out);
		fputs(":", out);
		if (o->choices) {
			fputs("(", out);
			for (const char *const *choice = o->choices; *choice; choice++)
				fprintf(out, "%s%s", choice == o->choices ? "" : " ", *choice);
			fputs(")", out);
		} else if (o->completion == COMPLETE_DIRECTORY) {
			fputs("_directories", out);
		} else if (o->completion == COMPLETE_FILE) {
			fputs("_files", out);
		}
	}
	fputs("'", out);
}

static void zsh_command(const struct command_program *program, const struct command *c, FILE *out)
{
	fprintf(out, "\t\t%s)\n", c->name);
	if (c->completion_command)
		fprintf(out, "\t\t\targuments=(${(f)\"$(%s $globals %s 2>/dev/null)\"})\n",
			program->name, c->completion_command);
	fputs("\t\t\t_arguments", out);
	command_each_option(c->options, false, zsh_option, out);
	if (c->completion_command)
		fputs(" \\\n\t\t\t\"*:argument:($arguments)\"", out);
	fputs("\n\t\t\t;;\n", out);
}

/* The words before the command are the global options. */
static void zsh_script(const struct command_program *program, const char *function, FILE *out)
{
	fprintf(out,
		"#compdef %s\n_%s() {\n"
		"\tlocal curcontext=$curcontext state line\n"
		"\tlocal -a commands globals arguments\n"
		"\ttypeset -A opt_args\n"
		"\tglobals=(${words[2,-1]})\n"
		"\t_arguments -C",
		program->name, function);
	command_each_option(program->options, true, zsh_option, out);
	fputs(" \\\n\t\t\t'1:command:->command' '*::argument:->argument'\n"
	      "\tcase $state in\n"
	      "\tcommand)\n"
	      "\t\tcommands=(\n",
	      out);
	for (const struct command *const *c = program->commands; *c; c++) {
		if ((*c)->is_hidden)
			continue;
		fprintf(out, "\t\t\t'%s:", (*c)->name);
		quoted((*c)->summary, ":\\", out);
		fputs("'\n", out);
	}
	fputs("\t\t)\n"
	      "\t\t_describe command commands\n"
	      "\t\t;;\n"
	      "\targument)\n"
	      "\t\tglobals=(${globals[1,${globals[(i)$words[1]]}-1]})\n"
	      "\t\tcase $words[1] in\n",
	      out);
	for (const struct command *const *c = program->commands; *c; c++)
		if (!(*c)->is_hidden)
			zsh_command(program, *c, out);
	fprintf(out, "\t\tesac\n\t\t;;\n\tesac\n}\n_%s \"$@\"\n", function);
}

struct fish_context {
	const char *program, *command; /* command NULL: the program's own options */
	FILE *out;
};

static void fish_option(const struct command_option *o, void *data)
{
	const struct fish_context *context = data;
	FILE *out = context->out;

	fprintf(out, "complete -c %s", context->program);
	if (context->command)
		fprintf(out, " -n '__fish_seen_subcommand_from %s'", context->command);
	else
		fputs(" -n __fish_use_subcommand", out);
	fprintf(out, " -l %s", o->name);
	if (o->alias)
		fprintf(out, " -s %s", o->alias);
	if (o->choices) {
		fputs(" -x -a '", out);
		for (const char *const *choice = o->choices; *choice; choice++)
			fprintf(out, "%s%s", choice == o->choices ? "" : " ", *choice);
		fputs("'", out);
	} else if (o->value) {
		fputs(o->completion == COMPLETE_NOTHING ? " -x" : " -r -F", out);
	}
	fputs(" -d '", out);
	for (const char *p = o->help; *p; p++)
		fprintf(out, strchr("'\\", *p) ? "\\%c" : "%c", *p);
	fputs("'\n", out);
}

static void fish_script(const struct command_program *program, FILE *out)
{
	struct fish_context context = {.program = program->name, .out = out};

	fprintf(out, "# fish completion for %s\ncomplete -c %s -f\n", program->name, program->name);
	command_each_option(program->options, true, fish_option, &context);
	for (const struct command *const *c = program->commands; *c; c++) {
		if ((*c)->is_hidden)
			continue;
		fprintf(out, "complete -c %s -n __fish_use_subcommand -a %s -d '", program->name,
			(*c)->name);
		for (const char *p = (*c)->summary; *p; p++)
			fprintf(out, strchr("'\\", *p) ? "\\%c" : "%c", *p);
		fputs("'\n", out);
		context.command = (*c)->name;
		command_each_option((*c)->options, false, fish_option, &context);
		if ((*c)->completion_command)
			fprintf(out,
				"complete -c %s -n '__fish_seen_subcommand_from %s' -a '(%s %s "
				"2>/dev/null)'\n",
				program->name, (*c)->name, program->name, (*c)->completion_command);
	}
}

int command_print_completion(const struct command_program *program, const char *shell, FILE *out,
			     struct error **err)
{
	_cleanup_free_ char *function = identifier(program->name);

	if (!function)
		return error_errno(err, ENOMEM, "make the completion");
	if (strcmp(shell, "bash") == 0)
		bash_script(program, function, out);
	else if (strcmp(shell, "zsh") == 0)
		zsh_script(program, function, out);
	else if (strcmp(shell, "fish") == 0)
		fish_script(program, out);
	else
		return error_set(err, EINVAL,
				 "no completion for the shell \"%s\": expected bash, zsh or fish",
				 shell);
	return 0;
}

static int run_completion(const struct command_call *call, struct error **err)
{
	return command_print_completion(call->program, call->arguments[0], stdout, err);
}

const struct command command_completion = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.summary = "print the completion script of a shell",
	.min_arguments = 1,
	.max_arguments = 1,
	.is_hidden = true,
	.run = run_completion,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help in docker's layout, made from the table of commands, for programs that follow pflag's rules. See command.h. */
#include <string.h>

#include "cli/command.h"

struct column {
	FILE *out;
	size_t width;
};

static const char *kind_text(const struct command_option *o)
{
	switch (o->kind) {
	case OPTION_BOOL:
		return "";
	case OPTION_LIST:
		return "list";
	case OPTION_INT:
		return "int";
	case OPTION_DURATION:
		return "duration";
	case OPTION_STRING:
		break;
	}
	return "string";
}

/* "-f, --filter filter" */
static void label(const struct command_option *o, struct strbuf *out)
{
	const char *value = o->value ? o->value : kind_text(o);

	if (o->alias)
		strbuf_addf(out, "-%s, --%s", o->alias, o->name);
	else
		strbuf_addf(out, "    --%s", o->name);
	if (o->kind != OPTION_BOOL)
		strbuf_addf(out, " %s", value);
}

static void widen(const struct command_option *o, void *data)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	struct column *column = data;

	label(o, &text);
	if (text.length > column->width)
		column->width = text.length;
}

static void print_option(const struct command_option *o, void *data)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	const struct column *column = data;

	label(o, &text);
	fprintf(column->out, "  %-*s   %c%s", (int)column->width, text.text ? text.text : o->name,
		*o->help >= 'a' && *o->help <= 'z' ? *o->help - 'a' + 'A' : *o->help, o->help + 1);
	if (o->default_text)
		fprintf(column->out, " (default %s)", o->default_text);
	fputs("\n", column->out);
}

static void print_options(const char *title, const struct command_option *options, bool is_program,
			  FILE *out)
{
	struct column column = {.out = out};

	fprintf(out, "\n%s:\n", title);
	command_each_option(options, is_program, widen, &column);
	command_each_option(options, is_program, print_option, &column);
}

static void print_commands(const struct command *const *commands, FILE *out)
{
	size_t width = 0;

	fputs("\nCommands:\n", out);
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->is_hidden && strlen((*c)->name) > width)
			width = strlen((*c)->name);
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->is_hidden)
			fprintf(out, "  %-*s   %s\n", (int)width, (*c)->name, (*c)->summary);
}

static void print_program(const struct command_program *program, FILE *out)
{
	fprintf(out, "Usage:  %s [OPTIONS] COMMAND\n\n%s\n", program->name, program->summary);
	print_commands(program->commands, out);
	print_options("Global Options", program->options, true, out);
	fprintf(out, "\nRun '%s COMMAND --help' for more information on a command.\n",
		program->name);
}

void command_print_usage(const struct command_call *call, FILE *out)
{
	const struct command *c = call->command;
	_cleanup_free_ char *name = command_full_name(call);

	if (!c) {
		print_program(call->program, out);
		return;
	}
	fprintf(out, "Usage:  %s%s%s%s\n\n%s\n", name ? name : c->name,
		c->commands ? " COMMAND" : " [OPTIONS]", c->arguments && *c->arguments ? " " : "",
		c->arguments ? c->arguments : "", c->summary);
	if (c->description)
		fprintf(out, "\n%s", c->description);
	if (c->alias)
		fprintf(out, "\nAliases:\n  %s, %s\n", c->name, c->alias);
	if (c->commands)
		print_commands(c->commands, out);
	else
		print_options("Options", c->options, false, out);
	if (c->commands)
		fprintf(out, "\nRun '%s COMMAND --help' for more information on a command.\n",
			name ? name : c->name);
}

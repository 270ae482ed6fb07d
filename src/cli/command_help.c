/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help texts and the man page, made from the table of commands. See command.h.
 *
 * The layout of the help is urfave/cli's, which users of runc know. The man page is in man(7) macros;
 * every text passes through roff_text(), which escapes what troff would take for its own. */
#include <string.h>

#include "cli/command.h"
#include "dhow_config.h"

/* "--bundle value, -b value" */
static void option_label(const struct command_option *o, struct strbuf *out)
{
	const char *gap = o->value ? " " : "", *value = o->value ? o->value : "";

	strbuf_addf(out, "--%s%s%s", o->name, gap, value);
	if (o->alias)
		strbuf_addf(out, ", -%s%s%s", o->alias, gap, value);
}

struct column {
	FILE *out;
	size_t width;
};

static void widen_column(const struct command_option *o, void *data)
{
	_cleanup_strbuf_ struct strbuf label = {0};
	struct column *column = data;

	option_label(o, &label);
	if (label.length > column->width)
		column->width = label.length;
}

static void print_option(const struct command_option *o, void *data)
{
	_cleanup_strbuf_ struct strbuf label = {0};
	struct column *column = data;

	option_label(o, &label);
	fprintf(column->out, "   %-*s  %s", (int)column->width, label.text ? label.text : o->name,
		o->help);
	if (o->default_text)
		fprintf(column->out, " (default: %s)", o->default_text);
	fputs("\n", column->out);
	if (o->details)
		fprintf(column->out, "\n%s\n", o->details);
}

static void print_options(const char *title, const struct command_option *options, bool is_program,
			  FILE *out)
{
	struct column column = {.out = out};

	fprintf(out, "\n%s:\n", title);
	command_each_option(options, is_program, widen_column, &column);
	command_each_option(options, is_program, print_option, &column);
}

static void print_program_help(const struct command_program *program, FILE *out)
{
	size_t width = 0;

	fprintf(out, "NAME:\n   %s - %s\n\n%s", program->name, program->summary,
		program->description);
	fprintf(out, "\nUSAGE:\n   %s [global options] command [command options] [arguments...]\n",
		program->name);
	fputs("\nCOMMANDS:\n", out);
	for (const struct command *const *c = program->commands; *c; c++)
		if (!(*c)->is_hidden && strlen((*c)->name) > width)
			width = strlen((*c)->name);
	for (const struct command *const *c = program->commands; *c; c++)
		if (!(*c)->is_hidden)
			fprintf(out, "   %-*s  %s\n", (int)width, (*c)->name, (*c)->summary);
	print_options("GLOBAL OPTIONS", program->options, true, out);
}

void command_print_help(const struct command_program *program, const struct command *command,
			FILE *out)
{
	if (!command) {
		print_program_help(program, out);
		return;
	}
	fprintf(out, "NAME:\n   %s %s - %s\n", program->name, command->name, command->summary);
	fprintf(out, "\nUSAGE:\n   %s %s [command options]%s%s\n", program->name, command->name,
		*command->arguments ? " " : "", command->arguments);
	if (command->description)
		fprintf(out, "\nDESCRIPTION:\n%s", command->description);
	print_options("OPTIONS", command->options, false, out);
}

/* troff reads backslashes anywhere, and a dot or quote at the start of a line, as its own; a plain
 * hyphen may become a typographic one, which can't be copied back into a shell. */
static void roff_text(const char *text, FILE *out)
{
	bool at_start = true;

	for (const char *p = text; *p; p++) {
		if (at_start && (*p == '.' || *p == '\''))
			fputs("\\&", out);
		if (*p == '\\')
			fputs("\\e", out);
		else if (*p == '-')
			fputs("\\-", out);
		else
			fputc(*p, out);
		at_start = *p == '\n';
	}
}

/* Paragraphs; lines that start with a blank are kept as they are (examples). */
static void roff_paragraphs(const char *text, FILE *out)
{
	bool is_example = false;

	while (*text) {
		size_t length = strcspn(text, "\n");
		_cleanup_free_ char *line = strndup(text, length);
		bool is_indented = *text == ' ' || *text == '\t';

		if (!line)
			return;
		if (length == 0) {
			fputs(is_example ? "\n" : ".PP\n", out);
		} else {
			if (is_indented != is_example)
				fputs(is_indented ? ".PP\n.nf\n" : ".fi\n.PP\n", out);
			is_example = is_indented;
			roff_text(line, out);
			fputs("\n", out);
		}
		text += length + (text[length] == '\n');
	}
	if (is_example)
		fputs(".fi\n", out);
}

static void roff_option(const struct command_option *o, void *data)
{
	FILE *out = data;

	fputs(".TP\n\\fB\\-\\-", out);
	roff_text(o->name, out);
	fputs("\\fR", out);
	if (o->value)
		fprintf(out, " \\fI%s\\fR", o->value);
	if (o->alias)
		fprintf(out, ", \\fB\\-%s\\fR", o->alias);
	if (o->alias && o->value)
		fprintf(out, " \\fI%s\\fR", o->value);
	fputs("\n", out);
	roff_text(o->help, out);
	if (o->default_text) {
		fputs(" (default: ", out);
		roff_text(o->default_text, out);
		fputs(")", out);
	}
	fputs("\n", out);
	if (o->details) {
		fputs(".RS\n.PP\n", out);
		roff_paragraphs(o->details, out);
		fputs(".RE\n", out);
	}
}

static void roff_command(const struct command *c, FILE *out)
{
	fprintf(out, ".SS %s\n.B %s\n", c->name, c->name);
	if (c->options)
		fputs("[options]\n", out);
	roff_text(c->arguments, out);
	fputs("\n.PP\n", out);
	roff_text(c->summary, out);
	fputs(".\n", out);
	if (c->description) {
		fputs(".PP\n", out);
		roff_paragraphs(c->description, out);
	}
	for (const struct command_option *o = c->options; o && o->name; o++)
		if (!o->is_hidden)
			roff_option(o, out);
}

void command_print_man(const struct command_program *program, FILE *out)
{
	fprintf(out, ".TH %s 8 \"\" \"dhow " DHOW_VERSION "\" \"System administration\"\n",
		program->name);
	fputs(".nh\n.ad l\n.SH NAME\n", out);
	roff_text(program->name, out);
	fputs(" \\- ", out);
	roff_text(program->summary, out);
	fprintf(out,
		"\n.SH SYNOPSIS\n.B %s\n[global options] command [command options] [arguments]\n",
		program->name);
	fputs(".SH DESCRIPTION\n", out);
	roff_paragraphs(program->description, out);
	fputs(".SH GLOBAL OPTIONS\n", out);
	command_each_option(program->options, true, roff_option, out);
	fputs(".SH COMMANDS\n", out);
	for (const struct command *const *c = program->commands; *c; c++)
		if (!(*c)->is_hidden)
			roff_command(*c, out);
	if (program->man_sections)
		fputs(program->man_sections, out);
}

static int run_help(const struct command_call *call, struct error **err)
{
	const struct command *command = NULL;

	if (call->argument_count > 0) {
		command = command_find(call->program, call->arguments[0]);
		if (!command)
			return command_unknown(call->program, call->arguments[0], err);
	}
	command_print_help(call->program, command, stdout);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.arguments = "[command]",
	.summary = "show the list of commands, or the help of one",
	.max_arguments = ARGUMENTS_ANY,
	.run = run_help,
};

static int run_man(const struct command_call *call, struct error **err)
{
	command_print_man(call->program, stdout);
	return 0;
}

const struct command command_man = {
	.name = "man",
	.arguments = "",
	.summary = "print the manual page, in roff",
	.is_hidden = true,
	.run = run_man,
};

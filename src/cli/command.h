/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands as data: what a command line offers is one table, and parsing, help, man page and shell
 * completion all read that table, so they cannot disagree.
 *
 * A program (struct command_program) has options of its own and a list of commands; a command is one
 * const struct in its own file. An option's entry says where its value goes: into which member of the
 * command's values (a struct of the command's choice, zeroed, made by command_parse). The member's
 * type decides how the value is written:
 *   bool         --flag, --flag=false         (1, t, true and so on, as Go's strconv.ParseBool)
 *   const char * --flag VALUE, --flag=VALUE
 *   int          a decimal number
 *   uint64_t     a duration such as 5s, in milliseconds
 *   struct strv  as a string; may be given again, each adds one
 * A program chooses whose rules it follows (enum command_style):
 *   STYLE_GO     urfave/cli 1.22 and Go's flag package, which runc uses: one dash or two
 *   STYLE_PFLAG  spf13/pflag, which docker and podman use: two dashes for names, one for single letters, which may be
 *                put together (-aq), with their value behind (-fVALUE, -f=VALUE)
 * "--" ends the options. Options are also known behind arguments, unless the command stops at its first one
 * (exec and ps, whose later words are another program's). Commands may be groups of further commands (image ls). */
#ifndef DHOW_CLI_COMMAND_H
#define DHOW_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/base.h"

enum option_kind { OPTION_BOOL, OPTION_STRING, OPTION_INT, OPTION_DURATION, OPTION_LIST };

/* What a shell offers for the value. */
enum option_completion { COMPLETE_NOTHING, COMPLETE_FILE, COMPLETE_DIRECTORY };

struct command_option {
	const char *name;         /* "pid-file" */
	const char *alias;        /* "b", or NULL */
	const char *value;        /* what the help calls the value; NULL for bool */
	const char *help;         /* one line */
	const char *details;      /* further lines for the help of this option, or NULL */
	const char *default_text; /* the default; parsed like a given value for int and duration */
	const char *const *choices; /* the only values, NULL-terminated; checked. NULL: any */
	enum option_completion completion;
	enum option_kind kind;
	size_t offset;
	bool is_hidden; /* works, but is not advertised */
};

/* Where an option's value goes, and of what kind it is. */
#define OPTION_TO(type, member) \
	.offset = offsetof(type, member),                                                          \
	.kind = _Generic(((type *) NULL)->member,                                                  \
		bool: OPTION_BOOL,                                                                 \
		const char *: OPTION_STRING,                                                       \
		int: OPTION_INT,                                                                   \
		uint64_t: OPTION_DURATION,                                                         \
		struct strv: OPTION_LIST)

struct command_call;

#define ARGUMENTS_ANY 255

enum command_style { STYLE_GO, STYLE_PFLAG };

struct command {
	const char *name;
	const char *alias;                    /* another name ("list" of ls), or NULL */
	const char *arguments;                /* "<container-id> [signal]", "" for none */
	const char *summary;                  /* one line, no full stop */
	const char *description;              /* paragraphs, each line ended by \n; may be NULL */
	const struct command_option *options; /* ended by an empty entry; may be NULL */
	size_t values_size;
	uint8_t min_arguments, max_arguments; /* ARGUMENTS_ANY: no upper bound */
	bool stops_at_argument;               /* options end at the first argument */
	/* Arguments of this program that print the words a shell offers for arguments ("list --quiet"). */
	const char *completion_command;
	bool is_hidden;
	bool enters_containers; /* must run from an executable that containers can't write */
	uint8_t failure_status; /* the exit status of an error; 0 means 1 */
	/* A group: its commands, NULL-terminated; run is not called then. */
	const struct command *const *commands;
	/* Returns the exit status, or a negative errno with *err filled in. */
	int (*run)(const struct command_call *call, struct error **err);
};

struct command_program {
	const char *name;
	const char *summary;
	const char *description;
	const struct command_option *options;
	size_t values_size;
	enum command_style style;
	const struct command *const *commands; /* NULL-terminated, in the order of the help */
	/* Further sections of the man page, in roff; NULL for none. */
	const char *man_sections;
	/* Writes what --version prints. */
	void (*print_version)(FILE *out);
};

#define COMMAND_DEPTH 3

/* What a command line asked for. */
struct command_call {
	const struct command_program *program;
	const struct command *command;               /* NULL: none was named */
	const struct command *groups[COMMAND_DEPTH]; /* those on the way to it */
	size_t group_count;
	void *globals;    /* the program's values */
	void *values;     /* the command's values */
	char **arguments; /* NULL-terminated, borrowed from argv */
	size_t argument_count;
	bool wants_help, wants_version;
};

/* Takes argv apart. On failure what was understood so far is in *call (the program's values, so that the
 * log can be set up before the error is reported). An unknown command is -ENOENT, any other wrong
 * usage -EINVAL; *err is one line, with a suggestion where some name is near. Free with
 * command_call_clear() either way. */
int command_parse(const struct command_program *program, char **argv, struct command_call *call,
		  struct error **err);
void command_call_clear(struct command_call *call);

/* The command of that name, or NULL. */
const struct command *command_find(const struct command_program *program, const char *name);
/* Fills *err for a name that is no command, with a suggestion. Returns -ENOENT. */
int command_unknown(const struct command_program *program, const char *name, struct error **err);

/* "dhow image ls": the program's name and the words on the way to the command. Caller frees; NULL when memory runs out. */
char *command_full_name(const struct command_call *call);
/* The help of what the call names, in the layout of docker's. For programs of STYLE_PFLAG. */
void command_print_usage(const struct command_call *call, FILE *out);

/* Documents made from the table. command_print_help with command NULL is the program's. */
void command_print_help(const struct command_program *program, const struct command *command,
			FILE *out);
void command_print_man(const struct command_program *program, FILE *out);
/* shell is "bash", "zsh" or "fish". Returns 0, or -EINVAL with *err. */
int command_print_completion(const struct command_program *program, const char *shell, FILE *out,
			     struct error **err);

/* Commands that every program has in its list: help [command], and, hidden, what the build makes the
 * man page and the completion files with. */
extern const struct command command_help, command_man, command_completion;

/* Calls fn for each option that is advertised, --help among them. For the documents. */
typedef void command_option_fn(const struct command_option *option, void *data);
void command_each_option(const struct command_option *options, bool has_version,
			 command_option_fn *fn, void *data);

#endif

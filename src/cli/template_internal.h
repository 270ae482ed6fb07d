/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the template's parser, its evaluation and its functions share. */
#ifndef DHOW_CLI_TEMPLATE_INTERNAL_H
#define DHOW_CLI_TEMPLATE_INTERNAL_H

#include "cli/template.h"

#define TEMPLATE_DEPTH 64
#define ARGUMENTS_MAX  16

enum term_kind { TERM_LITERAL, TERM_FIELD, TERM_VARIABLE, TERM_FUNCTION, TERM_PIPE };

/* .A.B, $x.A, "text", 5, (pipeline).A, or the name of a function. */
struct term {
	enum term_kind kind;
	char *name; /* of a variable ("" is $) or function */
	json_t *literal;
	struct strv fields; /* to be taken from the value, in order */
	struct pipe *pipe;
};
/* A call: the first term with the others as arguments. */
struct call {
	struct term terms[ARGUMENTS_MAX];
	size_t count;
};
/* Calls, each of whose value is the last argument of the next; maybe assigned. */
struct pipe {
	char *variable; /* $variable :=, or NULL */
	char *second;   /* range $i, $x := */
	struct call *calls;
	size_t count;
};

enum node_kind { NODE_TEXT, NODE_PIPE, NODE_IF, NODE_RANGE, NODE_WITH };
struct node {
	enum node_kind kind;
	char *text;
	struct pipe *pipe;
	struct node *body, *otherwise; /* lists */
	struct node *next;
};
struct template
{
	struct node *nodes;
};

void pipe_free(struct pipe *p);
void nodes_free(struct node *n);

/* Calls the function on count values (borrowed). A new reference in *out. */
int template_call(const char *name, json_t *const *values, size_t count, json_t **out,
		  struct error **err);
bool template_has_function(const char *name);
/* Go's idea of what is true: not zero, not empty. */
bool template_truth(const json_t *value);
/* As fmt's %v prints it. */
void template_print(const json_t *value, struct strbuf *out);

#endif

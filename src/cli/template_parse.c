/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a template apart: text and actions, pipelines, terms. See template.h. */
#include <ctype.h>

#include "cli/template_internal.h"

struct parser {
	const char *at;
	unsigned int depth;
	struct error **err;
};

static int fail(struct parser *p, const char *what)
{
	return error_set(p->err, EINVAL, "template parsing error: %s near \"%.30s\"", what, p->at);
}

static int no_memory(struct parser *p)
{
	return error_errno(p->err, ENOMEM, "parse a template");
}

static void term_clear(struct term *t)
{
	free(t->name);
	json_decref(t->literal);
	strv_free(&t->fields);
	pipe_free(t->pipe);
}

void pipe_free(struct pipe *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		for (size_t j = 0; j < p->calls[i].count; j++)
			term_clear(&p->calls[i].terms[j]);
	free(p->calls);
	free(p->variable);
	free(p->second);
	free(p);
}

void nodes_free(struct node *n)
{
	while (n) {
		struct node *next = n->next;

		free(n->text);
		pipe_free(n->pipe);
		nodes_free(n->body);
		nodes_free(n->otherwise);
		free(n);
		n = next;
	}
}

void template_free(struct template *t)
{
	if (t)
		nodes_free(t->nodes);
	free(t);
}

/* --- Terms ------------------------------------------------------------------------------------------------------------------- */

static void skip_space(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static size_t word_length(const char *at)
{
	size_t length = 0;

	while (isalnum((unsigned char)at[length]) || at[length] == '_')
		length++;
	return length;
}

static int take_fields(struct parser *p, struct term *t)
{
	while (*p->at == '.' && word_length(p->at + 1)) {
		size_t length = word_length(p->at + 1);
		_cleanup_free_ char *name = strndup(p->at + 1, length);

		if (!name || strv_add(&t->fields, name))
			return no_memory(p);
		p->at += 1 + length;
	}
	return 0;
}

/* Go's interpreted strings, as far as they occur, and raw ones in backquotes. */
static int take_string(struct parser *p, struct term *t)
{
	_cleanup_strbuf_ struct strbuf b = {0};
	char quote = *p->at++;

	strbuf_adds(&b, "");
	while (*p->at && *p->at != quote) {
		char c = *p->at++;

		if (c == '\\' && quote == '"' && *p->at) {
			static const char from[] = "ntr\\\"", to[] = "\n\t\r\\\"";
			const char *found = strchr(from, *p->at);

			if (!found)
				return fail(p, "unknown escape");
			c = to[found - from];
			p->at++;
		}
		strbuf_add(&b, &c, 1);
	}
	if (*p->at != quote)
		return fail(p, "unterminated quoted string");
	p->at++;
	t->kind = TERM_LITERAL;
	t->literal = json_stringn(b.text ? b.text : "", b.length);
	return t->literal ? 0 : fail(p, "a string that is not UTF-8");
}

static int take_number(struct parser *p, struct term *t)
{
	size_t length = strspn(p->at + 1, "0123456789.") + 1;
	_cleanup_free_ char *text = strndup(p->at, length);
	char *end = NULL;

	if (!text)
		return no_memory(p);
	t->kind = TERM_LITERAL;
	t->literal = strchr(text, '.') ? json_real(strtod(text, &end))
				       : json_integer(strtoll(text, &end, 10));
	if (!end || *end)
		return fail(p, "bad number");
	p->at += length;
	return t->literal ? 0 : no_memory(p);
}

static int take_word(struct parser *p, struct term *t)
{
	size_t length = word_length(p->at);
	_cleanup_free_ char *word = strndup(p->at, length);

	if (!word)
		return no_memory(p);
	t->kind = TERM_LITERAL;
	if (strcmp(word, "true") == 0)
		t->literal = json_true();
	else if (strcmp(word, "false") == 0)
		t->literal = json_false();
	else if (strcmp(word, "nil") == 0)
		t->literal = json_null();
	else if (template_has_function(word)) {
		t->kind = TERM_FUNCTION;
		t->name = TAKE_PTR(word);
	} else {
		return error_set(p->err, EINVAL,
				 "template parsing error: function \"%s\" not defined", word);
	}
	p->at += length;
	return 0;
}

static int take_pipe(struct parser *p, bool may_assign, struct pipe **out);

static int take_group(struct parser *p, struct term *t)
{
	int r;

	p->at++;
	if (++p->depth > TEMPLATE_DEPTH)
		return fail(p, "nested too deep");
	r = take_pipe(p, false, &t->pipe);
	p->depth--;
	skip_space(p);
	if (!r && *p->at != ')')
		r = fail(p, "unclosed left paren");
	if (r)
		return r;
	p->at++;
	t->kind = TERM_PIPE;
	return take_fields(p, t);
}

static int take_term(struct parser *p, struct term *t)
{
	size_t length;

	if (*p->at == '"' || *p->at == '`')
		return take_string(p, t);
	if (*p->at == '(')
		return take_group(p, t);
	if (isdigit((unsigned char)*p->at) || (*p->at == '-' && isdigit((unsigned char)p->at[1])))
		return take_number(p, t);
	if (*p->at == '$') {
		length = word_length(++p->at);
		t->kind = TERM_VARIABLE;
		t->name = strndup(p->at, length);
		p->at += length;
		return t->name ? take_fields(p, t) : no_memory(p);
	}
	if (*p->at == '.') {
		t->kind = TERM_FIELD;
		if (!word_length(p->at + 1)) {
			p->at++;
			return 0;
		}
		return take_fields(p, t);
	}
	return word_length(p->at) ? take_word(p, t) : fail(p, "unexpected character");
}

/* --- Pipelines --------------------------------------------------------------------------------------------------------------- */

static bool at_end(const struct parser *p)
{
	return !*p->at || str_starts(p->at, "}}") || str_starts(p->at, "-}}") || *p->at == '|' ||
	       *p->at == ')';
}

static int take_call(struct parser *p, struct pipe *pipe)
{
	struct call *grown = reallocarray(pipe->calls, pipe->count + 1, sizeof *grown);
	struct call *c;

	if (!grown)
		return no_memory(p);
	pipe->calls = grown;
	c = &grown[pipe->count++];
	*c = (struct call){0};
	for (skip_space(p); !at_end(p); skip_space(p)) {
		int r;

		if (c->count == ARGUMENTS_MAX)
			return fail(p, "too many arguments");
		r = take_term(p, &c->terms[c->count++]);
		if (r)
			return r;
	}
	return c->count ? 0 : fail(p, "missing value for command");
}

/* "$x :=" or "$i, $x :=". */
static int take_assignment(struct parser *p, struct pipe *pipe)
{
	const char *at = p->at;
	const char *names[2];
	size_t lengths[2], count = 0;

	while (*at == '$' && count < 2) {
		names[count] = at + 1;
		lengths[count] = word_length(at + 1);
		at += 1 + lengths[count++];
		at += strspn(at, " ");
		if (*at != ',')
			break;
		at++;
		at += strspn(at, " ");
	}
	if (!count || (!str_starts(at, ":=") && *at != '='))
		return 0;
	pipe->variable = strndup(names[0], lengths[0]);
	pipe->second = count == 2 ? strndup(names[1], lengths[1]) : NULL;
	p->at = at + (*at == ':' ? 2 : 1);
	return pipe->variable && (pipe->second || count == 1) ? 0 : no_memory(p);
}

static int take_pipe(struct parser *p, bool may_assign, struct pipe **out)
{
	struct pipe *pipe = calloc(1, sizeof *pipe);
	int r = 0;

	if (!pipe)
		return no_memory(p);
	*out = pipe; /* the caller's to free, also on failure */
	skip_space(p);
	if (may_assign)
		r = take_assignment(p, pipe);
	if (!r)
		r = take_call(p, pipe);
	while (!r && *p->at == '|') {
		p->at++;
		r = take_call(p, pipe);
	}
	return r;
}

/* --- Nodes --------------------------------------------------------------------------------------------------------------------- */

static struct node *add_node(struct node ***tail, enum node_kind kind)
{
	struct node *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->kind = kind;
	**tail = n;
	*tail = &n->next;
	return n;
}

static int close_action(struct parser *p)
{
	skip_space(p);
	if (str_starts(p->at, "-}}")) {
		p->at += 3;
		skip_space(p);
		return 0;
	}
	if (!str_starts(p->at, "}}"))
		return fail(p, "unexpected text in an action");
	p->at += 2;
	return 0;
}

static bool take_keyword(struct parser *p, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(p->at, word, length) != 0 || word_length(p->at) != length)
		return false;
	p->at += length;
	return true;
}

static int take_text(struct parser *p, struct node ***tail)
{
	const char *end = strstr(p->at, "{{");
	size_t length = end ? (size_t)(end - p->at) : strlen(p->at);
	const char *start = p->at;
	struct node *n;

	p->at += length;
	if (end && str_starts(end, "{{- "))
		while (length && isspace((unsigned char)start[length - 1]))
			length--;
	if (!length)
		return 0;
	n = add_node(tail, NODE_TEXT);
	if (n)
		n->text = strndup(start, length);
	return n && n->text ? 0 : no_memory(p);
}

enum ending { ENDED_BY_TEXT, ENDED_BY_END, ENDED_BY_ELSE };
static int take_nodes(struct parser *p, struct node **out, enum ending *ending);

/* Behind the keyword: condition, body, maybe else. */
static int take_block(struct parser *p, struct node *n)
{
	enum ending ending;
	int r = take_pipe(p, true, &n->pipe);

	if (!r)
		r = close_action(p);
	if (!r)
		r = take_nodes(p, &n->body, &ending);
	if (r)
		return r;
	if (ending == ENDED_BY_TEXT)
		return fail(p, "unexpected end: an {{end}} is missing");
	if (ending == ENDED_BY_END)
		return close_action(p);
	skip_space(p);
	if (take_keyword(p, "if") || take_keyword(p, "with")) {
		bool is_if = p->at[-1] == 'f';

		n->otherwise = calloc(1, sizeof *n->otherwise);
		if (!n->otherwise)
			return no_memory(p);
		n->otherwise->kind = is_if ? NODE_IF : NODE_WITH;
		return take_block(p, n->otherwise);
	}
	r = close_action(p);
	if (!r)
		r = take_nodes(p, &n->otherwise, &ending);
	if (!r && ending != ENDED_BY_END)
		r = fail(p, "an {{end}} is missing");
	return r ? r : close_action(p);
}

static int take_action(struct parser *p, struct node ***tail)
{
	static const struct {
		const char *word;
		enum node_kind kind;
	} blocks[] = {{"if", NODE_IF}, {"range", NODE_RANGE}, {"with", NODE_WITH}};
	struct node *n;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (take_keyword(p, blocks[i].word)) {
			n = add_node(tail, blocks[i].kind);
			return n ? take_block(p, n) : no_memory(p);
		}
	n = add_node(tail, NODE_PIPE);
	if (!n)
		return no_memory(p);
	r = take_pipe(p, true, &n->pipe);
	return r ? r : close_action(p);
}

/* The end of "{{/" "* ... *" "/}}", or an error. */
static int skip_comment(struct parser *p)
{
	const char *end = strstr(p->at, "*/");

	if (!end)
		return fail(p, "unclosed comment");
	p->at = end + 2;
	return close_action(p);
}

static int take_nodes(struct parser *p, struct node **out, enum ending *ending)
{
	struct node **tail = out;
	int r = 0;

	if (++p->depth > TEMPLATE_DEPTH)
		return fail(p, "nested too deep");
	*ending = ENDED_BY_TEXT;
	while (r == 0 && *p->at) {
		if (!str_starts(p->at, "{{")) {
			r = take_text(p, &tail);
			continue;
		}
		p->at += str_starts(p->at, "{{- ") ? 4 : 2;
		skip_space(p);
		if (take_keyword(p, "end")) {
			*ending = ENDED_BY_END;
			break;
		}
		if (take_keyword(p, "else")) {
			*ending = ENDED_BY_ELSE;
			break;
		}
		r = str_starts(p->at, "/*") ? skip_comment(p) : take_action(p, &tail);
	}
	p->depth--;
	return r;
}

int template_parse(const char *text, struct template **out, struct error **err)
{
	_cleanup_template_ struct template *t = calloc(1, sizeof *t);
	struct parser p = {.at = text, .err = err};
	enum ending ending;
	int r;

	if (!t)
		return error_errno(err, ENOMEM, "parse a template");
	r = take_nodes(&p, &t->nodes, &ending);
	if (!r && ending != ENDED_BY_TEXT)
		r = fail(&p, "unexpected {{end}} or {{else}}");
	if (!r)
		*out = TAKE_PTR(t);
	return r;
}

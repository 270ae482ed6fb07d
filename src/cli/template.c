/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evaluating a template. See template.h. Values are JSON; a variable lives until the end of its block. */
#include "cli/template_internal.h"

#define VARIABLES_MAX 64
#define OUTPUT_MAX    (64u << 20)

struct variable {
	const char *name;
	json_t *value;
};

struct evaluation {
	const json_t *root;
	struct variable variables[VARIABLES_MAX];
	size_t count;
	unsigned int depth;
	struct strbuf *out;
	struct error **err;
};

static int evaluate(struct evaluation *e, const struct pipe *p, json_t *dot, json_t **out);

/* Members are found whatever the case of their first letter: our documents have docker's names. */
static int take_fields(struct evaluation *e, const struct strv *fields, json_t **value)
{
	for (size_t i = 0; i < fields->count; i++) {
		json_t *next = json_object_get(*value, fields->items[i]);

		if (!next && json_is_object(*value) && i + 1 == fields->count && i > 0)
			next = json_null(); /* a map that people fill, most likely */
		if (!next)
			return error_set(e->err, EINVAL,
					 "template: can't evaluate field %s: there is no such key",
					 fields->items[i]);
		json_incref(next);
		json_decref(*value);
		*value = next;
	}
	return 0;
}

static int find_variable(struct evaluation *e, const char *name, json_t **out)
{
	if (!*name) {
		*out = json_incref((json_t *)e->root);
		return 0;
	}
	for (size_t i = e->count; i > 0; i--)
		if (strcmp(e->variables[i - 1].name, name) == 0) {
			*out = json_incref(e->variables[i - 1].value);
			return 0;
		}
	return error_set(e->err, EINVAL, "template parsing error: undefined variable \"$%s\"",
			 name);
}

static int evaluate_term(struct evaluation *e, const struct term *t, json_t *dot, json_t **out)
{
	int r = 0;

	switch (t->kind) {
	case TERM_LITERAL:
		*out = json_incref(t->literal);
		break;
	case TERM_FIELD:
		*out = json_incref(dot);
		break;
	case TERM_VARIABLE:
		r = find_variable(e, t->name, out);
		break;
	case TERM_PIPE:
		r = evaluate(e, t->pipe, dot, out);
		break;
	case TERM_FUNCTION:
		r = template_call(t->name, NULL, 0, out, e->err);
		break;
	}
	if (!r)
		r = take_fields(e, &t->fields, out);
	return r;
}

/* last is the value of the call before, or NULL. */
static int evaluate_call(struct evaluation *e, const struct call *c, json_t *dot, json_t *last,
			 json_t **out)
{
	json_t *values[ARGUMENTS_MAX + 1] = {0};
	size_t count = 0;
	int r = 0;

	if (c->terms[0].kind != TERM_FUNCTION) {
		if (c->count > 1 || last)
			return error_set(e->err, EINVAL,
					 "template: can't give arguments to what is no function");
		return evaluate_term(e, &c->terms[0], dot, out);
	}
	for (size_t i = 1; i < c->count && r == 0; i++)
		r = evaluate_term(e, &c->terms[i], dot, &values[count++]);
	if (!r && last)
		values[count++] = json_incref(last);
	if (!r)
		r = template_call(c->terms[0].name, values, count, out, e->err);
	for (size_t i = 0; i < count; i++)
		json_decref(values[i]);
	return r;
}

static int evaluate(struct evaluation *e, const struct pipe *p, json_t *dot, json_t **out)
{
	json_t *last = NULL;
	int r = 0;

	for (size_t i = 0; i < p->count && r == 0; i++) {
		json_t *value = NULL;

		r = evaluate_call(e, &p->calls[i], dot, last, &value);
		json_decref(last);
		last = value;
	}
	if (r)
		json_decref(last);
	else
		*out = last;
	return r;
}

/* The variable takes over the reference. */
static int assign(struct evaluation *e, const char *name, json_t *value)
{
	if (e->count == VARIABLES_MAX) {
		json_decref(value);
		return error_set(e->err, EINVAL, "template: too many variables");
	}
	e->variables[e->count++] = (struct variable){name, value};
	return 0;
}

static void forget(struct evaluation *e, size_t count)
{
	while (e->count > count)
		json_decref(e->variables[--e->count].value);
}

static int render(struct evaluation *e, const struct node *nodes, json_t *dot);

static int render_item(struct evaluation *e, const struct node *n, json_t *key, json_t *item)
{
	size_t before = e->count;
	int r = 0;

	if (n->pipe->second) {
		r = assign(e, n->pipe->variable, key);
		if (!r)
			r = assign(e, n->pipe->second, json_incref(item));
	} else {
		json_decref(key);
		if (n->pipe->variable)
			r = assign(e, n->pipe->variable, json_incref(item));
	}
	if (!r)
		r = render(e, n->body, item);
	forget(e, before);
	return r;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Go goes through a map's keys in order. */
static int render_map(struct evaluation *e, const struct node *n, json_t *map)
{
	size_t count = json_object_size(map), i = 0;
	_cleanup_free_ const char **keys = calloc(count ? count : 1, sizeof *keys);
	const char *key;
	json_t *value;
	int r = 0;

	if (!keys)
		return error_errno(e->err, ENOMEM, "render a template");
	json_object_foreach (map, key, value)
		keys[i++] = key;
	qsort(keys, count, sizeof *keys, compare_keys);
	for (i = 0; i < count && r == 0; i++)
		r = render_item(e, n, json_string(keys[i]), json_object_get(map, keys[i]));
	return r;
}

static int render_range(struct evaluation *e, const struct node *n, json_t *dot)
{
	json_t *value = NULL;
	int r = evaluate(e, n->pipe, dot, &value);

	if (r)
		return r;
	if (json_is_array(value) && json_array_size(value)) {
		for (size_t i = 0; i < json_array_size(value) && r == 0; i++)
			r = render_item(e, n, json_integer((json_int_t)i),
					json_array_get(value, i));
	} else if (json_is_object(value) && json_object_size(value)) {
		r = render_map(e, n, value);
	} else if (json_is_array(value) || json_is_object(value) || json_is_null(value)) {
		r = render(e, n->otherwise, dot);
	} else {
		r = error_set(e->err, EINVAL, "template: range can't iterate over this");
	}
	json_decref(value);
	return r;
}

static int render_condition(struct evaluation *e, const struct node *n, json_t *dot)
{
	size_t before = e->count;
	json_t *value = NULL;
	bool is_true;
	int r = evaluate(e, n->pipe, dot, &value);

	if (r)
		return r;
	is_true = template_truth(value);
	if (n->pipe->variable)
		r = assign(e, n->pipe->variable, json_incref(value));
	if (!r && is_true)
		r = render(e, n->body, n->kind == NODE_WITH ? value : dot);
	else if (!r)
		r = render(e, n->otherwise, dot);
	forget(e, before);
	json_decref(value);
	return r;
}

static int render_pipe(struct evaluation *e, const struct node *n, json_t *dot)
{
	json_t *value = NULL;
	int r = evaluate(e, n->pipe, dot, &value);

	if (r)
		return r;
	if (n->pipe->variable)
		return assign(e, n->pipe->variable, value);
	template_print(value, e->out);
	json_decref(value);
	return 0;
}

static int render(struct evaluation *e, const struct node *nodes, json_t *dot)
{
	int r = 0;

	if (++e->depth > 2 * TEMPLATE_DEPTH)
		return error_set(e->err, ELOOP, "template: nested too deep");
	for (const struct node *n = nodes; n && r == 0; n = n->next) {
		switch (n->kind) {
		case NODE_TEXT:
			strbuf_adds(e->out, n->text);
			break;
		case NODE_PIPE:
			r = render_pipe(e, n, dot);
			break;
		case NODE_RANGE:
			r = render_range(e, n, dot);
			break;
		case NODE_IF:
		case NODE_WITH:
			r = render_condition(e, n, dot);
			break;
		}
		if (!r && e->out->length > OUTPUT_MAX)
			r = error_set(e->err, EFBIG, "template: the output is too large");
	}
	e->depth--;
	return r;
}

int template_render(const struct template *t, const json_t *value, struct strbuf *out,
		    struct error **err)
{
	struct evaluation e = {.root = value, .out = out, .err = err};
	int r = render(&e, t->nodes, (json_t *)value);

	forget(&e, 0);
	if (!r && out->failed)
		r = error_errno(err, ENOMEM, "render a template");
	return r;
}

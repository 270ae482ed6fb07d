/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration parser's tools: arena, members by table, lists, names. See spec_internal.h. */
#include <stdalign.h>

#include "runtime/spec_internal.h"

/* Enough for the arrays of a configuration with Docker's seccomp profile in one go. */
#define CHUNK_SIZE ((size_t)12 * 1024)
/* How much of a refused string is worth showing. */
#define SHOWN_LENGTH 64

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

void *spec_alloc(struct spec *spec, size_t count, size_t size)
{
	struct chunk *chunk = spec->memory_;
	size_t bytes, room;
	void *memory;

	if (__builtin_mul_overflow(count, size, &bytes) ||
	    __builtin_add_overflow(bytes, alignof(max_align_t) - 1, &bytes))
		return NULL;
	bytes &= ~(alignof(max_align_t) - 1);
	if (!chunk || chunk->size - chunk->used < bytes) {
		room = bytes > CHUNK_SIZE ? bytes : CHUNK_SIZE;
		chunk = calloc(1, sizeof *chunk + room);
		if (!chunk)
			return NULL;
		chunk->size = room;
		chunk->next = spec->memory_;
		spec->memory_ = chunk;
	}
	memory = chunk->data + chunk->used;
	chunk->used += bytes;
	return memory;
}

void spec_free(struct spec *spec)
{
	if (!spec)
		return;
	for (struct chunk *chunk = spec->memory_, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	json_decref(spec->json);
	free(spec);
}

int spec_refuse(struct spec_parser *p, const struct json_at *at, const char *text,
		const char *reason)
{
	_cleanup_strbuf_ struct strbuf quoted = {0};
	_cleanup_free_ char *shown = strndup(text, SHOWN_LENGTH);

	json_quote(&quoted, shown ? shown : "");
	return json_fail(at, p->err, "%s%s %s", quoted.text ? quoted.text : "",
			 strlen(text) > SHOWN_LENGTH ? "..." : "", reason);
}

int spec_missing(struct spec_parser *p, const struct json_at *at, const char *key)
{
	struct json_at member = json_member(at, key);

	return json_fail(&member, p->err, "missing");
}

static int read_string(struct spec_parser *p, const struct json_at *at,
		       const struct spec_member *member, const char **out)
{
	const char *text = NULL;
	int r = json_get_string(at, &text, p->err);

	if (r || !text || !*text)
		return r;
	if ((member->flags & MEMBER_ABSOLUTE) && *text != '/')
		return spec_refuse(p, at, text, "is not an absolute path");
	*out = text;
	return 0;
}

static int read_strings(struct spec_parser *p, const struct json_at *at,
			const struct spec_member *member, struct spec_strings *out)
{
	ssize_t count = json_get_array(at, p->err);

	if (count <= 0)
		return (int)count;
	out->items = spec_alloc(p->spec, (size_t)count + 1, sizeof *out->items);
	if (!out->items)
		return error_errno(p->err, ENOMEM, "parse the configuration");
	for (size_t i = 0; i < (size_t)count; i++) {
		struct json_at element = json_element(at, i);
		int r = json_get_string(&element, &out->items[i], p->err);

		if (r)
			return r;
		if (!out->items[i])
			return json_fail(&element, p->err, "expected a string, found null");
		if ((member->flags & MEMBER_ABSOLUTE) && out->items[i][0] != '/')
			return spec_refuse(p, &element, out->items[i], "is not an absolute path");
	}
	out->count = (size_t)count;
	return 0;
}

static int read_pairs(struct spec_parser *p, const struct json_at *at, struct spec_pairs *out)
{
	const char *key;
	json_t *value;
	int r = json_get_object(at, p->err);

	if (r || !at->value || json_object_size(at->value) == 0)
		return r;
	out->items = spec_alloc(p->spec, json_object_size(at->value), sizeof *out->items);
	if (!out->items)
		return error_errno(p->err, ENOMEM, "parse the configuration");
	json_object_foreach (at->value, key, value) {
		struct json_at place = {.parent = at, .key = key, .value = value};
		struct spec_pair *pair = &out->items[out->count];

		r = json_get_string(&place, &pair->value, p->err);
		if (r)
			return r;
		if (!*key)
			return json_fail(at, p->err, "a key must not be empty");
		pair->key = key;
		out->count++;
	}
	return 0;
}

struct range {
	int64_t min;
	uint64_t max;
};

static struct range range_of(const struct spec_member *member)
{
	static const struct range ranges[] = {
		[MEMBER_U16] = {0, UINT16_MAX},
		[MEMBER_U32] = {0, UINT32_MAX},
		[MEMBER_I32] = {INT32_MIN, INT32_MAX},
		[MEMBER_U64] = {0, UINT64_MAX},
		[MEMBER_I64] = {INT64_MIN, INT64_MAX},
		[MEMBER_OPTIONAL_U64] = {0, UINT64_MAX},
		[MEMBER_OPTIONAL_I64] = {INT64_MIN, INT64_MAX},
	};

	if (member->min == 0 && member->max == 0)
		return ranges[member->kind];
	return (struct range){member->min, member->max};
}

/* Numbers of all kinds; *is_set tells whether there was one. */
static int read_number(struct spec_parser *p, const struct json_at *at,
		       const struct spec_member *member, int64_t *out, bool *is_set)
{
	struct range range = range_of(member);
	int r;

	if (!at->value)
		return 0;
	if (range.max > INT64_MAX) {
		uint64_t value = 0;

		r = json_get_u64(at, range.max, &value, p->err);
		*out = (int64_t)value;
		if (r == 0 && range.min > 0 && value < (uint64_t)range.min)
			return json_fail(at, p->err, "must be at least %lld", (long long)range.min);
	} else {
		r = json_get_i64(at, range.min, (int64_t)range.max, out, p->err);
	}
	*is_set = r == 0 && !(*out == 0 && (member->flags & MEMBER_ZERO_IS_ABSENT));
	return r;
}

static void store_number(const struct spec_member *member, int64_t value, void *to)
{
	switch (member->kind) {
	case MEMBER_U16:
		*(uint16_t *)to = (uint16_t)value;
		break;
	case MEMBER_U32:
		*(uint32_t *)to = (uint32_t)value;
		break;
	case MEMBER_I32:
		*(int32_t *)to = (int32_t)value;
		break;
	case MEMBER_U64:
		*(uint64_t *)to = (uint64_t)value;
		break;
	case MEMBER_I64:
		*(int64_t *)to = value;
		break;
	case MEMBER_OPTIONAL_U64:
		*(struct spec_u64 *)to = (struct spec_u64){true, (uint64_t)value};
		break;
	case MEMBER_OPTIONAL_I64:
		*(struct spec_i64 *)to = (struct spec_i64){true, value};
		break;
	default:
		break;
	}
}

static int read_member(struct spec_parser *p, const struct json_at *at,
		       const struct spec_member *member, void *to)
{
	struct spec_bool *flag;
	bool is_set = false;
	int64_t number = 0;
	int r;

	switch (member->kind) {
	case MEMBER_STRING:
		return read_string(p, at, member, to);
	case MEMBER_STRINGS:
		return read_strings(p, at, member, to);
	case MEMBER_PAIRS:
		return read_pairs(p, at, to);
	case MEMBER_BOOL:
		return json_get_bool(at, to, p->err);
	case MEMBER_OPTIONAL_BOOL:
		flag = to;
		r = json_get_bool(at, &flag->value, p->err);
		flag->is_set = r == 0 && at->value;
		return r;
	default:
		r = read_number(p, at, member, &number, &is_set);
		if (is_set)
			store_number(member, number, to);
		return r;
	}
}

int spec_members(struct spec_parser *p, const struct json_at *at, const struct spec_member *table,
		 size_t count, void *base)
{
	int r = json_get_object(at, p->err);

	if (r || !at->value)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct json_at member = json_member(at, table[i].key);
		void *to = (char *)base + table[i].offset;

		r = read_member(p, &member, &table[i], to);
		if (r)
			return r;
		if ((table[i].flags & MEMBER_REQUIRED) &&
		    (!member.value || (table[i].kind == MEMBER_STRING && !*(const char **)to)))
			return json_fail(&member, p->err, "missing");
	}
	return 0;
}

int spec_list(struct spec_parser *p, const struct json_at *at, size_t size, spec_item_parser parse,
	      void **items, size_t *count)
{
	ssize_t length = json_get_array(at, p->err);
	char *list;

	if (length <= 0)
		return (int)length;
	list = spec_alloc(p->spec, (size_t)length, size);
	if (!list)
		return error_errno(p->err, ENOMEM, "parse the configuration");
	for (size_t i = 0; i < (size_t)length; i++) {
		struct json_at element = json_element(at, i);
		int r;

		if (!element.value)
			return json_fail(&element, p->err, "null is not allowed");
		r = parse(p, &element, list + i * size);
		if (r)
			return r;
	}
	*items = list;
	*count = (size_t)length;
	return 0;
}

int spec_enum(struct spec_parser *p, const struct json_at *at, const struct spec_name *names,
	      uint64_t *out)
{
	_cleanup_strbuf_ struct strbuf reason = {0};
	const char *text = NULL;
	int r = json_get_string(at, &text, p->err);

	if (r || !text)
		return r;
	for (const struct spec_name *n = names; n->name; n++)
		if (strcmp(n->name, text) == 0) {
			*out = n->value;
			return 0;
		}
	strbuf_adds(&reason, "is not known (");
	for (const struct spec_name *n = names; n->name; n++)
		strbuf_addf(&reason, "%s%s", n == names ? "" : ", ", n->name);
	strbuf_adds(&reason, ")");
	return spec_refuse(p, at, text, reason.failed ? "is not known" : reason.text);
}

int spec_enum_required(struct spec_parser *p, const struct json_at *at, const char *key,
		       const struct spec_name *names, uint64_t *out)
{
	struct json_at member = json_member(at, key);

	if (!member.value)
		return json_fail(&member, p->err, "missing");
	return spec_enum(p, &member, names, out);
}

int spec_flags(struct spec_parser *p, const struct json_at *at, const struct spec_name *names,
	       uint64_t *out)
{
	ssize_t count = json_get_array(at, p->err);

	for (ssize_t i = 0; i < count; i++) {
		struct json_at element = json_element(at, (size_t)i);
		uint64_t value = 0;
		int r;

		if (!element.value)
			return json_fail(&element, p->err, "expected a string, found null");
		r = spec_enum(p, &element, names, &value);
		if (r)
			return r;
		*out |= value;
	}
	return count < 0 ? (int)count : 0;
}

/* Appends one piece of a list, "7" or "0-3", to out. */
static int add_range(struct strbuf *out, const char *piece, size_t length)
{
	_cleanup_free_ char *text = strndup(piece, length);
	uint64_t first, last;
	char *dash;

	if (!text)
		return -ENOMEM;
	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	if (parse_u64(text, INT32_MAX, &first) ||
	    (dash && (parse_u64(dash + 1, INT32_MAX, &last) || last < first)))
		return -EINVAL;
	strbuf_addf(out, "%s%s%s%s", out->length ? "," : "", text, dash ? "-" : "",
		    dash ? dash + 1 : "");
	return 0;
}

int spec_number_list(struct spec_parser *p, const struct json_at *at, const char **out)
{
	_cleanup_strbuf_ struct strbuf list = {0};
	const char *text = NULL;
	char *copy;
	int r = json_get_string(at, &text, p->err);

	if (r || !text)
		return r;
	for (const char *piece = text; *piece;) {
		size_t length = strcspn(piece, ", ");

		if (length && add_range(&list, piece, length))
			return spec_refuse(p, at, text, "is not a list such as 0-3,7");
		piece += length;
		piece += strspn(piece, ", ");
	}
	if (list.length == 0)
		return 0;
	copy = list.failed ? NULL : spec_alloc(p->spec, list.length + 1, 1);
	if (!copy)
		return error_errno(p->err, ENOMEM, "parse the configuration");
	memcpy(copy, list.text, list.length);
	*out = copy;
	return 0;
}

bool spec_is_interface_name(const char *name)
{
	size_t length = strlen(name);

	/* IFNAMSIZ is 16, with the NUL. */
	return length > 0 && length < 16 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strcspn(name, "/: \t\n\v\f\r") == length;
}

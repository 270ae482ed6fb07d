/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of `images` and `image prune`: one table of keys, each a predicate. Terms of one key are alternatives, but labels,
 * which must all be there; different keys must all hold. */
#include <fnmatch.h>
#include <time.h>

#include "image/image.h"

/* What a term compares with, prepared once. */
struct term {
	const struct key *key;
	const char *value;
	int64_t when_ns;
	bool flag;
};

struct key {
	const char *name;
	bool all_must_hold;
	int (*prepare)(struct store *s, struct term *t, struct error **err); /* may be NULL */
	int (*holds)(struct store *s, const struct term *t, const struct image *i,
		     struct error **err);
};

static bool has_tag(const struct image *i)
{
	for (size_t n = 0; n < i->name_count; n++)
		if (i->names[n].tag)
			return true;
	return false;
}

static int prepare_bool(struct store *s, struct term *t, struct error **err)
{
	static const char *const truths[] = {"1", "true", "t", "True", "TRUE"};
	static const char *const lies[] = {"0", "false", "f", "False", "FALSE"};

	for (size_t i = 0; i < ARRAY_SIZE(truths); i++) {
		if (strcmp(t->value, truths[i]) == 0 || strcmp(t->value, lies[i]) == 0) {
			t->flag = strcmp(t->value, truths[i]) == 0;
			return 0;
		}
	}
	return error_set(err, EINVAL, "invalid filter '%s=%s'", t->key->name, t->value);
}

static int holds_dangling(struct store *s, const struct term *t, const struct image *i,
			  struct error **err)
{
	return t->flag != has_tag(i);
}

static int holds_intermediate(struct store *s, const struct term *t, const struct image *i,
			      struct error **err)
{
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	int r = store_query(s, &row, err, "SELECT 1 FROM image WHERE parent = ? LIMIT 1", "s",
			    i->id);

	if (!r)
		r = store_step(s, row, err);
	return r < 0 ? r : (r == 1 && !has_tag(i)) == t->flag;
}

static int holds_readonly(struct store *s, const struct term *t, const struct image *i,
			  struct error **err)
{
	return !t->flag; /* dhow has no read-only stores beside its own */
}

static int holds_id(struct store *s, const struct term *t, const struct image *i,
		    struct error **err)
{
	return str_starts(i->id, t->value) || str_starts(i->id + strlen("sha256:"), t->value);
}

static int holds_digest(struct store *s, const struct term *t, const struct image *i,
			struct error **err)
{
	if (str_starts(i->manifest, t->value))
		return 1;
	for (size_t n = 0; n < i->name_count; n++)
		if (i->names[n].digest && str_starts(i->names[n].digest, t->value))
			return 1;
	return 0;
}

/* --- Labels ------------------------------------------------------------------------------------------------------------ */

static int holds_label(struct store *s, const struct term *t, const struct image *i,
		       struct error **err)
{
	_cleanup_image_config_ struct image_config config = {0};
	const char *equals = strchr(t->value, '=');
	_cleanup_free_ char *key =
		strndup(t->value, equals ? (size_t)(equals - t->value) : strlen(t->value));
	const char *found;
	int r;

	if (!key)
		return error_errno(err, ENOMEM, "filter images");
	r = image_read_config(s, i, &config, err);
	if (r)
		return r;
	found = json_string_value(json_object_get(
		json_object_get(json_object_get(config.document, "config"), "Labels"), key));
	return found && (!equals || strcmp(found, equals + 1) == 0);
}

static int holds_no_label(struct store *s, const struct term *t, const struct image *i,
			  struct error **err)
{
	int r = holds_label(s, t, i, err);

	return r < 0 ? r : !r;
}

/* --- Times ------------------------------------------------------------------------------------------------------------- */

static int prepare_image(struct store *s, struct term *t, struct error **err)
{
	_cleanup_image_ struct image *i = NULL;
	int r = image_find(s, t->value, &i, NULL, err);

	if (!r)
		t->when_ns = i->created_ns;
	return r;
}

static int holds_before(struct store *s, const struct term *t, const struct image *i,
			struct error **err)
{
	return i->created_ns < t->when_ns;
}

static int holds_since(struct store *s, const struct term *t, const struct image *i,
		       struct error **err)
{
	return i->created_ns > t->when_ns;
}

static int parse_date(const char *text, int64_t *ns)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end && *end == 'T')
		end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!end || *end)
		return -EINVAL;
	tm.tm_isdst = -1;
	*ns = (int64_t)mktime(&tm) * 1000000000;
	return 0;
}

/* docker's until: a Go duration back from now, a time, or seconds since 1970. */
static int prepare_until(struct store *s, struct term *t, struct error **err)
{
	uint64_t number;

	if (parse_duration_ms(t->value, &number) == 0) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		t->when_ns =
			(int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)number * 1000000;
		return 0;
	}
	if (parse_u64(t->value, INT64_MAX / 1000000000, &number) == 0) {
		t->when_ns = (int64_t)number * 1000000000;
		return 0;
	}
	if (time_parse_rfc3339(t->value, &t->when_ns) == 0 ||
	    parse_date(t->value, &t->when_ns) == 0)
		return 0;
	return error_set(err, EINVAL, "invalid filter 'until=%s': expected a duration or a time",
			 t->value);
}

/* --- References ------------------------------------------------------------------------------------------------------ */

static bool name_matches(const char *pattern, const struct image_name *n)
{
	_cleanup_free_ char *familiar = repository_familiar(n->repository);
	_cleanup_free_ char *tagged = reference_familiar(n->repository, n->tag, n->digest);
	_cleanup_free_ char *full = NULL;
	const char *last;

	if (!familiar || !tagged ||
	    asprintf(&full, "%s:%s", n->repository, n->tag ? n->tag : "") < 0) {
		full = NULL;
		return false;
	}
	last = strrchr(familiar, '/');
	return fnmatch(pattern, familiar, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, tagged, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, n->repository, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, full, FNM_PATHNAME) == 0 ||
	       (last && !strchr(pattern, '/') && fnmatch(pattern, last + 1, 0) == 0);
}

static int holds_reference(struct store *s, const struct term *t, const struct image *i,
			   struct error **err)
{
	for (size_t n = 0; n < i->name_count; n++)
		if (name_matches(t->value, &i->names[n]))
			return 1;
	return 0;
}

static const struct key keys[] = {
	{"dangling", false, prepare_bool, holds_dangling},
	{"label", true, NULL, holds_label},
	{"label!", true, NULL, holds_no_label},
	{"before", false, prepare_image, holds_before},
	{"since", false, prepare_image, holds_since},
	{"after", false, prepare_image, holds_since},
	{"until", false, prepare_until, holds_before},
	{"reference", false, NULL, holds_reference},
	{"id", false, NULL, holds_id},
	{"digest", false, NULL, holds_digest},
	{"intermediate", false, prepare_bool, holds_intermediate},
	{"readonly", false, prepare_bool, holds_readonly},
};

static int take_term(struct store *s, const char *text, struct term *out, struct error **err)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : 0;

	if (!equals)
		return error_set(err, EINVAL, "invalid filter '%s': expected key=value", text);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strlen(keys[i].name) != length || strncmp(keys[i].name, text, length) != 0)
			continue;
		*out = (struct term){.key = &keys[i], .value = equals + 1};
		return keys[i].prepare ? keys[i].prepare(s, out, err) : 0;
	}
	return error_set(err, EINVAL, "invalid filter '%.*s'", (int)length, text);
}

/* 1 when every key's terms hold. */
static int image_holds(struct store *s, const struct term *terms, size_t count,
		       const struct image *i, struct error **err)
{
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		size_t asked = 0, held = 0;

		for (size_t n = 0; n < count; n++) {
			int r;

			if (terms[n].key != &keys[k])
				continue;
			asked++;
			r = keys[k].holds(s, &terms[n], i, err);
			if (r < 0)
				return r;
			held += r == 1;
		}
		if (asked && (keys[k].all_must_hold ? held < asked : !held))
			return 0;
	}
	return 1;
}

int image_filter(struct store *s, struct image_list *list, const struct strv *terms,
		 struct error **err)
{
	_cleanup_free_ struct term *prepared = calloc(terms->count + 1, sizeof *prepared);
	size_t kept = 0;
	int r = 0;

	if (!prepared)
		return error_errno(err, ENOMEM, "filter images");
	for (size_t i = 0; i < terms->count && r == 0; i++)
		r = take_term(s, terms->items[i], &prepared[i], err);
	if (r)
		return r;
	for (size_t i = 0; i < list->count; i++) {
		int holds = r < 0 ? 1 : image_holds(s, prepared, terms->count, list->items[i], err);

		if (holds < 0)
			r = holds;
		if (holds == 0)
			image_free(list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
	return r;
}

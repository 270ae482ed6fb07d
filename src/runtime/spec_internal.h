/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the configuration parser share: memory, members by table, lists, enumerations.
 *
 * Each section of config.json has a table of its plain members; spec_members() walks it. What a table
 * can't say (enumerations, nested lists, rules between members) is code behind the call. A function that
 * parses a section gets the place of its object, whose value may be absent. */
#ifndef DHOW_RUNTIME_SPEC_INTERNAL_H
#define DHOW_RUNTIME_SPEC_INTERNAL_H

#include <stddef.h>

#include "runtime/spec.h"

struct spec_parser {
	struct spec *spec;
	struct error **err;
};

/* Zeroed memory that lives as long as the spec; NULL when it runs out. */
void *spec_alloc(struct spec *spec, size_t count, size_t size);

enum spec_member_kind {
	MEMBER_STRING,  /* const char *; "" counts as absent, as in Go */
	MEMBER_STRINGS, /* struct spec_strings */
	MEMBER_PAIRS,   /* struct spec_pairs */
	MEMBER_BOOL,    /* bool */
	MEMBER_U16,
	MEMBER_U32,
	MEMBER_I32,
	MEMBER_U64,
	MEMBER_I64,
	MEMBER_OPTIONAL_BOOL, /* struct spec_bool */
	MEMBER_OPTIONAL_U64,  /* struct spec_u64 */
	MEMBER_OPTIONAL_I64,  /* struct spec_i64 */
};

enum {
	MEMBER_REQUIRED = 1,
	MEMBER_ABSOLUTE = 2,       /* a string: a path from /; strings: each of them */
	MEMBER_ZERO_IS_ABSENT = 4, /* engines in Go write 0 for "not given", and runc reads it so */
};

struct spec_member {
	const char *key;
	enum spec_member_kind kind;
	size_t offset;
	unsigned flags;
	int64_t min; /* min and max both 0: all of the type */
	uint64_t max;
};

/* Reads the members that the table lists from object at into base. at may be absent: then nothing
 * happens. */
int spec_members(struct spec_parser *p, const struct json_at *at, const struct spec_member *table,
		 size_t count, void *base);
#define spec_members_of(p, at, table, base) \
	spec_members(p, at, table, sizeof(table) / sizeof((table)[0]), base)

/* Reads array at into new zeroed items of size bytes, each with parse(). */
typedef int (*spec_item_parser)(struct spec_parser *p, const struct json_at *at, void *item);
int spec_list(struct spec_parser *p, const struct json_at *at, size_t size, spec_item_parser parse,
	      void **items, size_t *count);
/* The same for a list that is member key of object at. */
#define spec_list_member(p, at, key, parse, items, count)                               \
	({                                                                              \
		struct json_at list_ = json_member(at, key);                            \
		spec_list(p, &list_, sizeof **(items), parse, (void **)(items), count); \
	})

/* A name from the configuration and what it stands for. Tables end with a NULL name. */
struct spec_name {
	const char *name;
	uint64_t value;
};

/* Looks up the string at. Absent is 0 and leaves *out; a name not in the table is an error that lists
 * the names. */
int spec_enum(struct spec_parser *p, const struct json_at *at, const struct spec_name *names,
	      uint64_t *out);
/* The member key of at, which must be there. */
int spec_enum_required(struct spec_parser *p, const struct json_at *at, const char *key,
		       const struct spec_name *names, uint64_t *out);
/* ORs the values of a list of names. */
int spec_flags(struct spec_parser *p, const struct json_at *at, const struct spec_name *names,
	       uint64_t *out);

/* Fails with "PLACE: "TEXT" REASON", where text is quoted and cut, so that the message stays a line. */
int spec_refuse(struct spec_parser *p, const struct json_at *at, const char *text,
		const char *reason);
int spec_missing(struct spec_parser *p, const struct json_at *at, const char *key);

/* "0-3,7" with spaces and empty pieces as runc takes them; *out is without those, NULL where empty. */
int spec_number_list(struct spec_parser *p, const struct json_at *at, const char **out);
/* A name that the kernel takes for a network interface (dev_valid_name()), without ':'. */
bool spec_is_interface_name(const char *name);

/* The sections. */
int spec_parse_process_at(struct spec_parser *p, const struct json_at *at);
int spec_parse_id_maps(struct spec_parser *p, const struct json_at *at, struct spec_id_maps *maps);
int spec_parse_mounts(struct spec_parser *p, const struct json_at *top);
int spec_parse_hooks(struct spec_parser *p, const struct json_at *at);
int spec_parse_linux(struct spec_parser *p, const struct json_at *at);
int spec_parse_resources_at(struct spec_parser *p, const struct json_at *at);
int spec_parse_seccomp(struct spec_parser *p, const struct json_at *at);

/* The rules between sections, once all are read. */
int spec_validate(struct spec_parser *p);
int spec_check_mounts(struct spec_parser *p, const struct json_at *top);

/* Tables that spec_names.c tells others of. */
extern const struct spec_name *const spec_seccomp_actions,
	*const spec_seccomp_architectures, *const spec_seccomp_flags,
						   *const spec_seccomp_operators,
							   *const spec_memory_modes,
								   *const spec_memory_flags;

#endif

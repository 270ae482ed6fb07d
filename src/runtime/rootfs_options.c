/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mount options, from their words to flags. Specification: "Mounts", "Linux mount options"; mount(8).
 *
 * An option is one row of a table: the word, what it acts on, and whether it sets or clears. A later option
 * wins over an earlier one. What no row knows belongs to the file system, which says whether it knows
 * it. */
#include "runtime/rootfs_internal.h"

enum option_scope {
	OPTION_NONE,        /* says what is so anyway */
	OPTION_ATTRIBUTE,   /* MOUNT_ATTR_* of this mount */
	OPTION_RECURSIVE,   /* MOUNT_ATTR_* of this mount and all below */
	OPTION_SUPERBLOCK,  /* a flag that every file system takes, by its name here */
	OPTION_PROPAGATION, /* MS_* */
	OPTION_RECURSIVE_PROPAGATION,
	OPTION_BIND,
	OPTION_RECURSIVE_BIND,
	OPTION_REMOUNT,
	OPTION_ID_MAP,
	OPTION_RECURSIVE_ID_MAP,
	OPTION_COPY_UP,
	OPTION_COPY_SYMLINK,
	OPTION_SOURCE_NOFOLLOW,
	OPTION_DESTINATION_NOFOLLOW,
};

struct option {
	const char *name;
	enum option_scope scope;
	bool clears;
	uint64_t flag;
	const char *undoes; /* OPTION_SUPERBLOCK: the word that this one takes back */
};

/* Access time is a number inside the attributes, relatime is 0: a mode is set by clearing all of it. */
#define ATIME MOUNT_ATTR__ATIME

static const struct option options[] = {
	/* mount(2) has a flag for it that file systems set for themselves. */
	{"acl", OPTION_NONE},
	{"async", OPTION_SUPERBLOCK, true, 0, "sync"},
	{"atime", OPTION_ATTRIBUTE, true, ATIME},
	{"bind", OPTION_BIND},
	{"copy-symlink", OPTION_COPY_SYMLINK},
	{"defaults", OPTION_NONE},
	{"dest-nofollow", OPTION_DESTINATION_NOFOLLOW},
	{"dev", OPTION_ATTRIBUTE, true, MOUNT_ATTR_NODEV},
	{"diratime", OPTION_ATTRIBUTE, true, MOUNT_ATTR_NODIRATIME},
	{"dirsync", OPTION_SUPERBLOCK},
	{"exec", OPTION_ATTRIBUTE, true, MOUNT_ATTR_NOEXEC},
	{"idmap", OPTION_ID_MAP},
	{"iversion", OPTION_SUPERBLOCK},
	{"lazytime", OPTION_SUPERBLOCK},
	/* Tells whether mount(2) writes to the kernel's log; fsopen(2) never does. */
	{"loud", OPTION_NONE},
	{"mand", OPTION_SUPERBLOCK},
	{"noacl", OPTION_NONE},
	{"noatime", OPTION_ATTRIBUTE, false, MOUNT_ATTR_NOATIME},
	{"nodev", OPTION_ATTRIBUTE, false, MOUNT_ATTR_NODEV},
	{"nodiratime", OPTION_ATTRIBUTE, false, MOUNT_ATTR_NODIRATIME},
	{"noexec", OPTION_ATTRIBUTE, false, MOUNT_ATTR_NOEXEC},
	{"noiversion", OPTION_SUPERBLOCK, true, 0, "iversion"},
	{"nolazytime", OPTION_SUPERBLOCK, true, 0, "lazytime"},
	{"nomand", OPTION_SUPERBLOCK, true, 0, "mand"},
	{"norelatime", OPTION_ATTRIBUTE, true, ATIME},
	{"nostrictatime", OPTION_ATTRIBUTE, true, ATIME},
	{"nosuid", OPTION_ATTRIBUTE, false, MOUNT_ATTR_NOSUID},
	{"nosymfollow", OPTION_ATTRIBUTE, false, MOUNT_ATTR_NOSYMFOLLOW},
	{"private", OPTION_PROPAGATION, false, MS_PRIVATE},
	{"ratime", OPTION_RECURSIVE, true, ATIME},
	{"rbind", OPTION_RECURSIVE_BIND},
	{"rdev", OPTION_RECURSIVE, true, MOUNT_ATTR_NODEV},
	{"rdiratime", OPTION_RECURSIVE, true, MOUNT_ATTR_NODIRATIME},
	{"relatime", OPTION_ATTRIBUTE, true, ATIME},
	{"remount", OPTION_REMOUNT},
	{"rexec", OPTION_RECURSIVE, true, MOUNT_ATTR_NOEXEC},
	{"ridmap", OPTION_RECURSIVE_ID_MAP},
	{"rnoatime", OPTION_RECURSIVE, false, MOUNT_ATTR_NOATIME},
	{"rnodev", OPTION_RECURSIVE, false, MOUNT_ATTR_NODEV},
	{"rnodiratime", OPTION_RECURSIVE, false, MOUNT_ATTR_NODIRATIME},
	{"rnoexec", OPTION_RECURSIVE, false, MOUNT_ATTR_NOEXEC},
	{"rnorelatime", OPTION_RECURSIVE, true, ATIME},
	{"rnostrictatime", OPTION_RECURSIVE, true, ATIME},
	{"rnosuid", OPTION_RECURSIVE, false, MOUNT_ATTR_NOSUID},
	{"rnosymfollow", OPTION_RECURSIVE, false, MOUNT_ATTR_NOSYMFOLLOW},
	{"ro", OPTION_ATTRIBUTE, false, MOUNT_ATTR_RDONLY},
	{"rprivate", OPTION_RECURSIVE_PROPAGATION, false, MS_PRIVATE},
	{"rrelatime", OPTION_RECURSIVE, true, ATIME},
	{"rro", OPTION_RECURSIVE, false, MOUNT_ATTR_RDONLY},
	{"rrw", OPTION_RECURSIVE, true, MOUNT_ATTR_RDONLY},
	{"rshared", OPTION_RECURSIVE_PROPAGATION, false, MS_SHARED},
	{"rslave", OPTION_RECURSIVE_PROPAGATION, false, MS_SLAVE},
	{"rstrictatime", OPTION_RECURSIVE, false, MOUNT_ATTR_STRICTATIME},
	{"rsuid", OPTION_RECURSIVE, true, MOUNT_ATTR_NOSUID},
	{"rsymfollow", OPTION_RECURSIVE, true, MOUNT_ATTR_NOSYMFOLLOW},
	{"runbindable", OPTION_RECURSIVE_PROPAGATION, false, MS_UNBINDABLE},
	{"rw", OPTION_ATTRIBUTE, true, MOUNT_ATTR_RDONLY},
	{"shared", OPTION_PROPAGATION, false, MS_SHARED},
	{"silent", OPTION_NONE},
	{"slave", OPTION_PROPAGATION, false, MS_SLAVE},
	{"src-nofollow", OPTION_SOURCE_NOFOLLOW},
	{"strictatime", OPTION_ATTRIBUTE, false, MOUNT_ATTR_STRICTATIME},
	{"suid", OPTION_ATTRIBUTE, true, MOUNT_ATTR_NOSUID},
	{"symfollow", OPTION_ATTRIBUTE, true, MOUNT_ATTR_NOSYMFOLLOW},
	{"sync", OPTION_SUPERBLOCK},
	{"tmpcopyup", OPTION_COPY_UP},
	{"unbindable", OPTION_PROPAGATION, false, MS_UNBINDABLE},
};

const char *const *rootfs_mount_option_names(void)
{
	static const char *names[ARRAY_SIZE(options) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		names[i] = options[i].name;
	return names;
}

int rootfs_parse_propagation(const char *name, unsigned long *type, bool *is_recursive)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].scope != OPTION_PROPAGATION &&
		    options[i].scope != OPTION_RECURSIVE_PROPAGATION)
			continue;
		if (!str_equal(options[i].name, name))
			continue;
		*type = options[i].flag;
		*is_recursive = options[i].scope == OPTION_RECURSIVE_PROPAGATION;
		return 0;
	}
	return -EINVAL;
}

static void set_attribute(const struct option *o, uint64_t *set, uint64_t *clear)
{
	uint64_t mask = o->flag & ATIME ? ATIME : o->flag;

	*set &= ~mask;
	*clear &= ~mask;
	if (!o->clears)
		*set |= o->flag;
	if (o->clears || o->flag & ATIME)
		*clear |= mask;
}

static void drop_parameter(struct mount_plan *m, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->parameter_count; i++)
		if (!str_equal(m->parameters[i].key, key))
			m->parameters[kept++] = m->parameters[i];
	m->parameter_count = kept;
}

/* text is the option's word, which lives as long as the plan. */
static int apply(struct mount_plan *m, const struct option *o, const char *text, struct error **err)
{
	switch (o->scope) {
	case OPTION_NONE:
		break;
	case OPTION_ATTRIBUTE:
		m->has_attributes = true;
		set_attribute(o, &m->set, &m->clear);
		break;
	case OPTION_RECURSIVE:
		set_attribute(o, &m->recursive_set, &m->recursive_clear);
		break;
	case OPTION_SUPERBLOCK:
		if (o->undoes)
			drop_parameter(m, o->undoes);
		if (!o->clears)
			m->parameters[m->parameter_count++] = (struct mount_parameter){text, NULL};
		break;
	case OPTION_PROPAGATION:
	case OPTION_RECURSIVE_PROPAGATION:
		if (m->propagation_count == PROPAGATIONS_MAX)
			return error_set(err, EINVAL, "too many propagation options");
		m->propagation[m->propagation_count].type = o->flag;
		m->propagation[m->propagation_count++].is_recursive =
			o->scope == OPTION_RECURSIVE_PROPAGATION;
		break;
	case OPTION_BIND:
	case OPTION_RECURSIVE_BIND:
		m->is_bind = true;
		m->is_recursive |= o->scope == OPTION_RECURSIVE_BIND;
		break;
	case OPTION_REMOUNT:
		m->is_remount = true;
		break;
	case OPTION_ID_MAP:
	case OPTION_RECURSIVE_ID_MAP:
		m->has_id_map = true;
		m->is_id_map_recursive = o->scope == OPTION_RECURSIVE_ID_MAP;
		break;
	case OPTION_COPY_UP:
		m->copies_up = true;
		break;
	case OPTION_COPY_SYMLINK:
		m->copies_symlink = true;
		break;
	case OPTION_SOURCE_NOFOLLOW:
		m->source_nofollow = true;
		break;
	case OPTION_DESTINATION_NOFOLLOW:
		m->destination_nofollow = true;
		break;
	}
	return 0;
}

static int apply_word(struct mount_plan *m, char *word, struct error **err)
{
	char *value;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (str_equal(options[i].name, word))
			return apply(m, &options[i], word, err);
	value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	m->parameters[m->parameter_count++] = (struct mount_parameter){word, value};
	return 0;
}

/* Cuts the next word from *rest at a comma, as mount(2)'s data would be cut: not inside double quotes, nor
 * behind a backslash (overlay's file names). */
static char *next_word(char **rest)
{
	char *word = *rest, *p;
	bool is_quoted = false;

	if (!word)
		return NULL;
	for (p = word; *p && (is_quoted || *p != ','); p++) {
		if (*p == '"')
			is_quoted = !is_quoted;
		if (*p == '\\' && p[1])
			p++;
	}
	*rest = *p ? p + 1 : NULL;
	*p = '\0';
	return word;
}

static int parse_options(struct mount_plan *m, struct error **err)
{
	const struct spec_strings *list = &m->spec->options;
	_cleanup_strbuf_ struct strbuf joined = {0};
	size_t words = 1;
	char *rest, *word;

	for (size_t i = 0; i < list->count; i++)
		strbuf_addf(&joined, "%s%s", i ? "," : "", list->items[i]);
	m->parameter_text = strbuf_take(&joined);
	if (!m->parameter_text)
		return error_errno(err, ENOMEM, "read mount options");
	for (const char *p = m->parameter_text; *p; p++)
		words += *p == ',';
	/* One for each word, and some that the kinds add. */
	m->parameters = calloc(words + 4, sizeof *m->parameters);
	if (!m->parameters)
		return error_errno(err, ENOMEM, "read mount options");
	rest = m->parameter_text;
	while ((word = next_word(&rest))) {
		int r = *word ? apply_word(m, word, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int check(struct mount_plan *m, struct error **err)
{
	const struct spec_mount *s = m->spec;

	if (s->uid_maps.count || s->gid_maps.count)
		m->has_id_map = true;
	if (m->is_bind && !m->source && !m->is_remount)
		return error_set(err, EINVAL, "a bind mount needs a source");
	if (m->has_id_map && !m->is_bind)
		return error_set(err, EINVAL, "idmap is for bind mounts only");
	if (m->has_id_map && m->is_remount)
		return error_set(err, EINVAL, "idmap can't be changed by remount");
	if (!s->uid_maps.count != !s->gid_maps.count)
		return error_set(err, EINVAL, "uidMappings and gidMappings come together");
	if (m->copies_up && !str_equal(m->type, "tmpfs"))
		return error_set(err, EINVAL, "tmpcopyup is for tmpfs only");
	if ((m->copies_symlink || m->source_nofollow) && !m->is_bind)
		return error_set(err, EINVAL,
				 "copy-symlink and src-nofollow are for bind mounts only");
	if (m->is_bind && m->parameter_count)
		log_warning("mount %s: a bind mount keeps its file system's own \"%s\"",
			    m->destination, m->parameters[0].key);
	if (!m->is_bind && !m->is_remount && (!m->type || !*m->type || str_equal(m->type, "none")))
		return error_set(err, EINVAL, "the mount has no type");
	return 0;
}

int mount_plan_parse(const struct spec_mount *mount, struct mount_plan *out, struct error **err)
{
	struct mount_plan *m = out;
	size_t i = 0;
	int r;

	*m = (struct mount_plan){
		.spec = mount,
		.type = mount->type,
		.source = mount->source,
		.destination = path_clean(mount->destination),
		.is_bind = str_equal(mount->type, "bind"),
		.source_fd = -1,
		.late_fd = -1,
	};
	if (!m->destination)
		return error_errno(err, ENOMEM, "mount %s", mount->destination);
	r = parse_options(m, err);
	if (r == 0)
		r = check(m, err);
	if (r < 0)
		return error_prefix(err, "mount %s", m->destination);
	m->kind = &mount_kind_bind;
	if (!m->is_bind) {
		while (mount_kinds[i]->type && !str_equal(mount_kinds[i]->type, m->type))
			i++;
		m->kind = mount_kinds[i];
	}
	return 0;
}

const char *mount_plan_parameter(const struct mount_plan *m, const char *key)
{
	for (size_t i = m->parameter_count; i > 0; i--)
		if (str_equal(m->parameters[i - 1].key, key))
			return m->parameters[i - 1].value;
	return NULL;
}

void mount_plan_clear(struct mount_plan *m)
{
	free(m->destination);
	free(m->parameters);
	free(m->parameter_text);
	close_fd(&m->source_fd);
	close_fd(&m->late_fd);
}

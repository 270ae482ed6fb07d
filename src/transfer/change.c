/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --change of import and commit: Dockerfile instructions that change only an image's configuration. See archive.h.
 * Dockerfile reference; OCI image spec, config.md; HEALTHCHECK and ONBUILD are docker's additions to it.
 *
 * docker's spelling is "CMD sleep 1", podman's also "CMD=sleep 1". */
#include <ctype.h>
#include <string.h>

#include "base/number.h"
#include "kernel/path.h"
#include "kernel/process.h"
#include "transfer/archive.h"
#include "transfer/change_words.h"

struct change {
	json_t *config;   /* the member "config" */
	const char *name; /* of the instruction, as it was written */
	const char *text; /* behind it */
	struct strv environment;
	struct strv words; /* of text, with quotes and variables */
};

static int no_memory(struct error **err)
{
	return error_errno(err, ENOMEM, "change a configuration");
}

/* Sets a member; takes value over, which may be NULL when memory ran out. */
static int put(struct change *c, const char *key, json_t *value, struct error **err)
{
	return !value || json_object_set_new(c->config, key, value) < 0 ? no_memory(err) : 0;
}

static int need_text(const struct change *c, struct error **err)
{
	return *c->text ? 0 : error_set(err, EINVAL, "%s needs an argument", c->name);
}

/* ["a", "b"], or NULL when text is no such thing: then it is a line for the shell. */
static json_t *parse_array(const char *text)
{
	_cleanup_json_ json_t *array = NULL;
	json_t *item;
	size_t i;

	if (*text != '[' || json_parse(text, strlen(text), "array", &array, NULL) < 0 ||
	    !json_is_array(array))
		return NULL;
	json_array_foreach (array, i, item)
		if (!json_is_string(item))
			return NULL;
	return TAKE_PTR(array);
}

/* The line with the shell in front, which SHELL may have set. */
static json_t *shell_line(struct change *c, const char *text)
{
	json_t *shell = json_object_get(c->config, "Shell");
	json_t *argv = json_is_array(shell) && json_array_size(shell)
			       ? json_copy(shell)
			       : json_pack("[ss]", "/bin/sh", "-c");

	if (argv && json_array_append_new(argv, json_string(text)) < 0) {
		json_decref(argv);
		argv = NULL;
	}
	return argv;
}

static int put_command(struct change *c, const char *key, struct error **err)
{
	json_t *argv = parse_array(c->text);

	if (!argv && *c->text)
		argv = shell_line(c, c->text);
	if (argv && json_array_size(argv))
		return put(c, key, argv, err);
	json_decref(argv);
	return put(c, key, json_null(), err);
}

static int change_cmd(struct change *c, struct error **err)
{
	return put_command(c, "Cmd", err);
}

static int change_entrypoint(struct change *c, struct error **err)
{
	return put_command(c, "Entrypoint", err);
}

static int expand_word(struct change *c, const char *text, char **out, struct error **err)
{
	return change_expand(text, &c->environment, out, err);
}

/* The first word, or the whole line, as one value. */
static int put_line(struct change *c, const char *key, struct error **err)
{
	_cleanup_free_ char *value = NULL;
	int r = need_text(c, err);

	if (r == 0)
		r = expand_word(c, c->text, &value, err);
	return r < 0 ? r : put(c, key, json_string(value), err);
}

static int change_user(struct change *c, struct error **err)
{
	return put_line(c, "User", err);
}

static int change_workdir(struct change *c, struct error **err)
{
	const char *now = json_string_value(json_object_get(c->config, "WorkingDir"));
	_cleanup_free_ char *value = NULL, *joined = NULL, *clean = NULL;
	int r = need_text(c, err);

	if (r == 0)
		r = expand_word(c, c->text, &value, err);
	if (r < 0)
		return r;
	if (!*value)
		return error_set(err, EINVAL, "WORKDIR is empty");
	if (asprintf(&joined, "%s/%s", *value == '/' || !now ? "" : now, value) < 0)
		return no_memory(err);
	clean = path_clean(joined);
	return clean ? put(c, "WorkingDir", json_string(clean), err) : no_memory(err);
}

static int change_stopsignal(struct change *c, struct error **err)
{
	_cleanup_free_ char *value = NULL;
	int r = need_text(c, err);

	if (r == 0)
		r = expand_word(c, c->text, &value, err);
	if (r == 0 && signal_parse(value) < 0)
		r = error_set(err, EINVAL, "invalid signal: %s", value);
	return r < 0 ? r : put(c, "StopSignal", json_string(value), err);
}

/* Calls add for each KEY=VALUE; "KEY VALUE WITH BLANKS" is the old spelling of one. */
static int each_pair(struct change *c,
		     int (*add)(struct change *c, const char *key, const char *value,
				struct error **err),
		     struct error **err)
{
	int r = need_text(c, err);

	if (r == 0)
		r = change_split(c->text, &c->words, err);
	if (r == 0 && !strchr(c->words.items[0], '=')) {
		const char *rest = c->text + strlen(c->words.items[0]);
		_cleanup_free_ char *value = NULL;

		rest += strspn(rest, " \t");
		if (c->words.count < 2)
			return error_set(err, EINVAL, "%s must have two arguments", c->name);
		r = expand_word(c, rest, &value, err);
		return r < 0 ? r : add(c, c->words.items[0], value, err);
	}
	for (size_t i = 0; i < c->words.count && r == 0; i++) {
		_cleanup_free_ char *pair = NULL;
		char *value;

		r = expand_word(c, c->words.items[i], &pair, err);
		if (r < 0)
			return r;
		value = strchr(pair, '=');
		if (!value || value == pair)
			return error_set(err, EINVAL, "%s: \"%s\" must be KEY=VALUE", c->name,
					 c->words.items[i]);
		*value++ = '\0';
		r = add(c, pair, value, err);
	}
	return r;
}

static json_t *member(struct change *c, const char *key, json_t *(*make)(void))
{
	json_t *value = json_object_get(c->config, key);

	if (value && !json_is_null(value))
		return value;
	value = make();
	return value && json_object_set_new(c->config, key, value) == 0 ? value : NULL;
}

/* An environment has each name once, where it was first. */
static int add_environment(struct change *c, const char *key, const char *value, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	json_t *list = member(c, "Env", json_array), *item;
	size_t i;

	if (!json_is_array(list) || asprintf(&text, "%s=%s", key, value) < 0)
		return no_memory(err);
	json_array_foreach (list, i, item) {
		const char *have = json_string_value(item);
		size_t length = strlen(key);

		if (have && strncmp(have, key, length) == 0 && have[length] == '=')
			return json_array_set_new(list, i, json_string(text)) < 0 ? no_memory(err)
										  : 0;
	}
	return json_array_append_new(list, json_string(text)) < 0 ? no_memory(err) : 0;
}

static int change_env(struct change *c, struct error **err)
{
	return each_pair(c, add_environment, err);
}

static int add_key(struct change *c, const char *key, const char *name, json_t *value,
		   struct error **err)
{
	json_t *object = member(c, key, json_object);

	return !json_is_object(object) || json_object_set_new(object, name, value) < 0
		       ? no_memory(err)
		       : 0;
}

static int add_label(struct change *c, const char *key, const char *value, struct error **err)
{
	return add_key(c, "Labels", key, json_string(value), err);
}

static int change_label(struct change *c, struct error **err)
{
	return each_pair(c, add_label, err);
}

/* "80", "8000-8010" into first and last. */
static int parse_ports(const char *numbers, uint64_t *first, uint64_t *last)
{
	const char *dash = strchr(numbers, '-');
	_cleanup_free_ char *from =
		strndup(numbers, dash ? (size_t)(dash - numbers) : strlen(numbers));

	if (!from)
		return -ENOMEM;
	if (parse_u64(from, 65535, first) < 0 || *first == 0)
		return -EINVAL;
	*last = *first;
	if (dash && (parse_u64(dash + 1, 65535, last) < 0 || *last < *first))
		return -EINVAL;
	return 0;
}

static bool is_protocol(const char *text)
{
	return strcasecmp(text, "tcp") == 0 || strcasecmp(text, "udp") == 0 ||
	       strcasecmp(text, "sctp") == 0;
}

/* "80", "80/udp", "8000-8010/tcp"; a range becomes its ports. */
static int add_ports(struct change *c, const char *text, struct error **err)
{
	const char *slash = strchr(text, '/'), *protocol = slash ? slash + 1 : "tcp";
	_cleanup_free_ char *numbers = strndup(text, slash ? (size_t)(slash - text) : strlen(text));
	uint64_t first = 0, last = 0;
	int r = numbers ? parse_ports(numbers, &first, &last) : -ENOMEM;

	if (r == -ENOMEM)
		return no_memory(err);
	if (r)
		return error_set(err, EINVAL, "invalid containerPort: %s", text);
	if (!is_protocol(protocol))
		return error_set(err, EINVAL, "invalid proto: %s", protocol);
	for (uint64_t port = first; port <= last && r == 0; port++) {
		char name[32];

		snprintf(name, sizeof name, "%u/%s", (unsigned int)port, protocol);
		for (char *p = name; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		r = add_key(c, "ExposedPorts", name, json_object(), err);
	}
	return r;
}

static int each_word(struct change *c,
		     int (*add)(struct change *c, const char *word, struct error **err),
		     struct error **err)
{
	int r = need_text(c, err);

	if (r == 0)
		r = change_split(c->text, &c->words, err);
	for (size_t i = 0; i < c->words.count && r == 0; i++) {
		_cleanup_free_ char *word = NULL;

		r = expand_word(c, c->words.items[i], &word, err);
		if (r == 0)
			r = add(c, word, err);
	}
	return r;
}

static int change_expose(struct change *c, struct error **err)
{
	return each_word(c, add_ports, err);
}

static int add_volume(struct change *c, const char *path, struct error **err)
{
	if (!*path)
		return error_set(err, EINVAL, "VOLUME specified can not be an empty string");
	return add_key(c, "Volumes", path, json_object(), err);
}

static int change_volume(struct change *c, struct error **err)
{
	_cleanup_json_ json_t *array = parse_array(c->text);
	json_t *item;
	size_t i;
	int r = 0;

	if (!array)
		return each_word(c, add_volume, err);
	json_array_foreach (array, i, item) {
		r = add_volume(c, json_string_value(item), err);
		if (r < 0)
			return r;
	}
	return r;
}

static int change_onbuild(struct change *c, struct error **err)
{
	static const char *const refused[] = {"ONBUILD", "FROM", "MAINTAINER", NULL};
	json_t *list;
	int r = need_text(c, err);

	if (r < 0)
		return r;
	for (size_t i = 0; refused[i]; i++)
		if (strncasecmp(c->text, refused[i], strlen(refused[i])) == 0 &&
		    !isalnum((unsigned char)c->text[strlen(refused[i])]))
			return error_set(err, EINVAL, "%s isn't allowed as an ONBUILD trigger",
					 refused[i]);
	list = member(c, "OnBuild", json_array);
	return !json_is_array(list) || json_array_append_new(list, json_string(c->text)) < 0
		       ? no_memory(err)
		       : 0;
}

/* The options in front of HEALTHCHECK's CMD, and where they are kept. */
static const struct {
	const char *option, *key;
	bool is_count;
} health_options[] = {
	{"--interval=", "Interval", false},        {"--timeout=", "Timeout", false},
	{"--start-period=", "StartPeriod", false}, {"--start-interval=", "StartInterval", false},
	{"--retries=", "Retries", true},
};

static int add_health_option(json_t *check, const char *word, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(health_options); i++) {
		const char *value = word + strlen(health_options[i].option);
		uint64_t number;
		int r;

		if (!str_starts(word, health_options[i].option))
			continue;
		r = health_options[i].is_count ? parse_u64(value, INT32_MAX, &number)
					       : parse_duration_ms(value, &number);
		if (r < 0 || number > INT64_MAX / 1000000)
			return error_set(err, EINVAL, "HEALTHCHECK: invalid value in %s", word);
		if (!health_options[i].is_count)
			number *= 1000000;
		return json_object_set_new(check, health_options[i].key,
					   json_integer((json_int_t)number)) < 0
			       ? no_memory(err)
			       : 0;
	}
	return error_set(err, EINVAL, "HEALTHCHECK: unknown flag: %s", word);
}

/* ["CMD", ...] or ["CMD-SHELL", "line"]. */
static json_t *health_test(const char *text)
{
	json_t *argv = parse_array(text);

	if (!argv)
		return json_pack("[ss]", "CMD-SHELL", text);
	if (json_array_insert_new(argv, 0, json_string("CMD")) < 0) {
		json_decref(argv);
		return NULL;
	}
	return argv;
}

static int change_healthcheck(struct change *c, struct error **err)
{
	_cleanup_json_ json_t *check = json_object();
	const char *p = c->text;
	json_t *test;

	if (!check)
		return no_memory(err);
	while (str_starts(p, "--")) {
		size_t length = strcspn(p, " \t");
		_cleanup_free_ char *word = strndup(p, length);
		int r = word ? add_health_option(check, word, err) : no_memory(err);

		if (r < 0)
			return r;
		p += length;
		p += strspn(p, " \t");
	}
	if (strcasecmp(p, "NONE") == 0)
		test = json_pack("[s]", "NONE");
	else if (strncasecmp(p, "CMD", 3) == 0 && isspace((unsigned char)p[3]) &&
		 p[3 + strspn(p + 3, " \t")])
		test = health_test(p + 3 + strspn(p + 3, " \t"));
	else
		return error_set(err, EINVAL, "HEALTHCHECK needs CMD and a command, or NONE");
	if (!test || json_object_set_new(check, "Test", test) < 0)
		return no_memory(err);
	return put(c, "Healthcheck", TAKE_PTR(check), err);
}

static const struct {
	const char *name;
	int (*apply)(struct change *c, struct error **err);
} instructions[] = {
	{"CMD", change_cmd},         {"ENTRYPOINT", change_entrypoint},   {"ENV", change_env},
	{"EXPOSE", change_expose},   {"HEALTHCHECK", change_healthcheck}, {"LABEL", change_label},
	{"ONBUILD", change_onbuild}, {"STOPSIGNAL", change_stopsignal},   {"USER", change_user},
	{"VOLUME", change_volume},   {"WORKDIR", change_workdir},
};

static size_t find_instruction(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(instructions) && strcasecmp(name, instructions[i].name) != 0)
		i++;
	return i;
}

static int read_environment(struct change *c)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(c->config, "Env"), i, item)
		if (json_is_string(item) && strv_add(&c->environment, json_string_value(item)) < 0)
			return -ENOMEM;
	return 0;
}

/* Splits "NAME text" or "NAME=text"; *name is the caller's to free. */
static int split_instruction(const char *text, char **name, const char **rest, struct error **err)
{
	size_t length = 0;

	text += strspn(text, " \t");
	while (isalpha((unsigned char)text[length]))
		length++;
	*name = strndup(text, length);
	if (!*name)
		return no_memory(err);
	if (length == 0 || (text[length] && !strchr("= \t", text[length])))
		return error_set(err, EINVAL,
				 "invalid change \"%s\": must be an instruction and its arguments",
				 text);
	text += length;
	if (*text == '=')
		text++;
	*rest = text + strspn(text, " \t");
	return 0;
}

int config_change(json_t *config, const char *instruction, struct error **err)
{
	_cleanup_free_ char *name = NULL, *text = NULL;
	struct change c = {0};
	const char *rest = NULL;
	size_t which;
	int r = split_instruction(instruction, &name, &rest, err);

	if (r < 0)
		return r;
	c.config = json_object_get(config, "config");
	if (!json_is_object(c.config)) {
		if (json_object_set_new(config, "config", json_object()) < 0)
			return no_memory(err);
		c.config = json_object_get(config, "config");
	}
	text = strdup(rest);
	if (!text || read_environment(&c) < 0) {
		strv_free(&c.environment);
		return no_memory(err);
	}
	for (size_t n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]); n--)
		text[n - 1] = '\0';
	c.name = name;
	c.text = text;
	which = find_instruction(name);
	r = which < ARRAY_SIZE(instructions)
		    ? instructions[which].apply(&c, err)
		    : error_set(err, EINVAL, "%s is not a valid change command", name);
	strv_free(&c.environment);
	strv_free(&c.words);
	return r;
}

static bool is_instruction(const char *change, const char *name)
{
	change += strspn(change, " \t");
	return strncasecmp(change, name, strlen(name)) == 0 &&
	       !isalpha((unsigned char)change[strlen(name)]);
}

int config_changes(json_t *config, const struct strv *changes, struct error **err)
{
	bool has_cmd = false;

	for (size_t i = 0; changes && i < changes->count; i++) {
		const char *change = changes->items[i];
		int r = config_change(config, change, err);

		if (r < 0)
			return r;
		has_cmd |= is_instruction(change, "CMD");
		/* The arguments of another program. */
		if (is_instruction(change, "ENTRYPOINT") && !has_cmd)
			json_object_del(json_object_get(config, "config"), "Cmd");
	}
	return 0;
}

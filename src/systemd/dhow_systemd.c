/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow-systemd: asks systemd for a container's scope over D-Bus. README.md tells the arguments.
 *
 * A start or stop is a job: the call returns at once, and the signal JobRemoved says how it ended. We
 * listen for it before we call. A unit of that name that failed earlier is reset, and the start tried once
 * more. org.freedesktop.systemd1(5), sd-bus(3). */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#define SERVICE  "org.freedesktop.systemd1"
#define OBJECT   "/org/freedesktop/systemd1"
#define MANAGER  "org.freedesktop.systemd1.Manager"
#define JOB_WAIT 30000000 /* microseconds */

static _Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void check(int r, const char *what)
{
	if (r < 0)
		fail("%s: %s", what, strerror(-r));
}

/* systemd's private socket spares root a way through the bus daemon, which a small host may not run. */
static int open_private(sd_bus **bus, const char *path)
{
	char address[512];
	int r = sd_bus_new(bus);

	if (r < 0)
		return r;
	snprintf(address, sizeof address, "unix:path=%s", path);
	r = sd_bus_set_address(*bus, address);
	if (r >= 0)
		r = sd_bus_start(*bus);
	if (r < 0)
		*bus = sd_bus_unref(*bus);
	return r;
}

static sd_bus *open_bus(bool is_user)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	sd_bus *bus = NULL;
	char path[400];
	int r;

	if (!is_user) {
		r = geteuid() == 0 ? open_private(&bus, "/run/systemd/private") : -EPERM;
		if (r < 0)
			r = sd_bus_open_system(&bus);
	} else {
		r = sd_bus_open_user(&bus);
		if (r < 0 && runtime) {
			snprintf(path, sizeof path, "%s/systemd/private", runtime);
			r = open_private(&bus, path);
		}
	}
	if (r < 0)
		fail("connect to systemd%s: %s (is it running?)", is_user ? "'s user manager" : "",
		     strerror(-r));
	return bus;
}

static uint64_t number(const char *name, const char *text)
{
	char *end;
	uint64_t value;

	if (strcmp(text, "infinity") == 0)
		return UINT64_MAX;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || !*text || *end)
		fail("%s: %s is no number", name, text);
	return value;
}

static void append_bytes(sd_bus_message *m, const char *name, const char *hex)
{
	size_t length = strlen(hex) / 2;
	uint8_t *bytes = calloc(length + 1, 1);

	if (!bytes)
		fail("%s: out of memory", name);
	for (size_t i = 0; i < length; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &bytes[i]) != 1)
			fail("%s: %s is not hexadecimal", name, hex);
	check(sd_bus_message_append_array(m, 'y', bytes, length), name);
	free(bytes);
}

static void append_lines(sd_bus_message *m, const char *name, const char *type, char *text)
{
	char *line;

	check(sd_bus_message_open_container(m, 'a', type + 1), name);
	while ((line = strsep(&text, "\n"))) {
		char *tab = strchr(line, '\t');

		if (!*line)
			continue;
		if (strcmp(type, "as") == 0) {
			check(sd_bus_message_append(m, "s", line), name);
		} else if (strcmp(type, "au") == 0) {
			check(sd_bus_message_append(m, "u", (uint32_t)number(name, line)), name);
		} else {
			if (!tab)
				fail("%s: no tab in %s", name, line);
			*tab = '\0';
			check(sd_bus_message_append(m, "(ss)", line, tab + 1), name);
		}
	}
	check(sd_bus_message_close_container(m), name);
}

static void append_value(sd_bus_message *m, const char *name, const char *type, char *value)
{
	check(sd_bus_message_open_container(m, 'v', type), name);
	if (strcmp(type, "s") == 0)
		check(sd_bus_message_append(m, "s", value), name);
	else if (strcmp(type, "b") == 0)
		check(sd_bus_message_append(m, "b", strcmp(value, "true") == 0), name);
	else if (strcmp(type, "t") == 0)
		check(sd_bus_message_append(m, "t", number(name, value)), name);
	else if (strcmp(type, "u") == 0)
		check(sd_bus_message_append(m, "u", (uint32_t)number(name, value)), name);
	else if (strcmp(type, "i") == 0)
		check(sd_bus_message_append(m, "i", (int32_t)strtol(value, NULL, 10)), name);
	else if (strcmp(type, "x") == 0)
		check(sd_bus_message_append(m, "x", (int64_t)strtoll(value, NULL, 10)), name);
	else if (strcmp(type, "d") == 0)
		check(sd_bus_message_append(m, "d", strtod(value, NULL)), name);
	else if (strcmp(type, "ay") == 0)
		append_bytes(m, name, value);
	else if (strcmp(type, "as") == 0 || strcmp(type, "au") == 0 || strcmp(type, "a(ss)") == 0)
		append_lines(m, name, type, value);
	else
		fail("%s: no type %s", name, type);
	check(sd_bus_message_close_container(m), name);
}

/* "252.39-1~deb12u2" is 252. */
static unsigned long version_of(sd_bus *bus)
{
	static unsigned long version;
	char *text = NULL;

	if (version == 0) {
		check(sd_bus_get_property_string(bus, SERVICE, OBJECT, MANAGER, "Version", NULL,
						 &text),
		      "ask for systemd's version");
		/* Git describes some as v252-7-gabc. */
		version = strtoul(text + strcspn(text, "0123456789"), NULL, 10);
		free(text);
	}
	return version;
}

static void append_properties(sd_bus *bus, sd_bus_message *m, char *const *properties)
{
	check(sd_bus_message_open_container(m, 'a', "(sv)"), "properties");
	for (; *properties; properties++) {
		/* Taken apart in a copy: a retry reads the arguments again. */
		char *copy = strdup(*properties), *name = copy, *type, *value;

		if (name && *name >= '0' && *name <= '9') {
			unsigned long since = strtoul(name, &name, 10);

			if (*name++ != ':')
				fail("%s is not [VERSION:]NAME=TYPE:VALUE", *properties);
			if (version_of(bus) < since) {
				free(copy);
				continue;
			}
		}
		type = name ? strchr(name, '=') : NULL;
		value = type ? strchr(type, ':') : NULL;
		if (!value)
			fail("%s is not [VERSION:]NAME=TYPE:VALUE", *properties);
		*type++ = '\0';
		*value++ = '\0';
		check(sd_bus_message_open_container(m, 'r', "sv"), name);
		check(sd_bus_message_append(m, "s", name), name);
		append_value(m, name, type, value);
		check(sd_bus_message_close_container(m), name);
		free(copy);
	}
	check(sd_bus_message_close_container(m), "properties");
}

/* How the job that we wait for ended. */
struct job {
	const char *unit;
	char path[128];  /* "" until systemd answered: signals are looked at after that only */
	char result[32]; /* "" until it ended */
};

static int on_job_removed(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct job *job = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (strcmp(path, job->path) == 0)
		snprintf(job->result, sizeof job->result, "%s", result);
	return 0;
}

static void listen_for_jobs(sd_bus *bus, struct job *job)
{
	check(sd_bus_match_signal(bus, NULL, NULL, OBJECT, MANAGER, "JobRemoved", on_job_removed,
				  job),
	      "listen for jobs");
	/* Not needed, and refused, on the private socket. */
	sd_bus_call_method(bus, SERVICE, OBJECT, MANAGER, "Subscribe", NULL, NULL, NULL);
}

static void await_job(sd_bus *bus, const struct job *job, const char *what)
{
	while (!job->result[0]) {
		int r = sd_bus_process(bus, NULL);

		check(r, what);
		if (r > 0)
			continue;
		r = sd_bus_wait(bus, JOB_WAIT);
		check(r, what);
		if (r == 0)
			fail("%s %s: systemd does not finish the job within 30 s", what, job->unit);
	}
	if (strcmp(job->result, "done") != 0)
		fail("%s %s: systemd's job ended with \"%s\"", what, job->unit, job->result);
}

static void keep_path(sd_bus_message *reply, struct job *job)
{
	const char *path;

	check(sd_bus_message_read(reply, "o", &path), "read systemd's answer");
	snprintf(job->path, sizeof job->path, "%s", path);
	sd_bus_message_unref(reply);
}

static int call_start(sd_bus *bus, struct job *job, char *const *properties, sd_bus_error *error)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int r;

	check(sd_bus_message_new_method_call(bus, &m, SERVICE, OBJECT, MANAGER,
					     "StartTransientUnit"),
	      "start");
	check(sd_bus_message_append(m, "ss", job->unit, "replace"), "start");
	append_properties(bus, m, properties);
	check(sd_bus_message_append(m, "a(sa(sv))", 0), "start");
	r = sd_bus_call(bus, m, 0, error, &reply);
	sd_bus_message_unref(m);
	if (r >= 0)
		keep_path(reply, job);
	return r;
}

static void start(sd_bus *bus, const char *unit, char *const *properties)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct job job = {.unit = unit};
	int r;

	listen_for_jobs(bus, &job);
	r = call_start(bus, &job, properties, &error);
	if (r < 0 && sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitExists")) {
		sd_bus_error_free(&error);
		sd_bus_call_method(bus, SERVICE, OBJECT, MANAGER, "ResetFailedUnit", NULL, NULL,
				   "s", unit);
		r = call_start(bus, &job, properties, &error);
	}
	if (r < 0)
		fail("start %s: %s", unit, error.message ? error.message : strerror(-r));
	await_job(bus, &job, "start");
}

static void set(sd_bus *bus, const char *unit, char *const *properties)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r;

	check(sd_bus_message_new_method_call(bus, &m, SERVICE, OBJECT, MANAGER,
					     "SetUnitProperties"),
	      "set");
	check(sd_bus_message_append(m, "sb", unit, true), "set");
	append_properties(bus, m, properties);
	r = sd_bus_call(bus, m, 0, &error, NULL);
	if (r < 0)
		fail("set properties of %s: %s", unit,
		     error.message ? error.message : strerror(-r));
	sd_bus_message_unref(m);
}

static void stop(sd_bus *bus, const char *unit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct job job = {.unit = unit};
	sd_bus_message *reply = NULL;
	int r;

	listen_for_jobs(bus, &job);
	r = sd_bus_call_method(bus, SERVICE, OBJECT, MANAGER, "StopUnit", &error, &reply, "ss",
			       unit, "replace");
	if (r < 0 && sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
		return;
	if (r < 0)
		fail("stop %s: %s", unit, error.message ? error.message : strerror(-r));
	keep_path(reply, &job);
	await_job(bus, &job, "stop");
	/* What was killed may be "failed", and would be in the way of a namesake. */
	sd_bus_call_method(bus, SERVICE, OBJECT, MANAGER, "ResetFailedUnit", NULL, NULL, "s", unit);
}

static void print_cgroup(sd_bus *bus, const char *unit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *path = NULL, *group = NULL;
	const char *interface = strstr(unit, ".slice")   ? "org.freedesktop.systemd1.Slice"
				: strstr(unit, ".scope") ? "org.freedesktop.systemd1.Scope"
							 : "org.freedesktop.systemd1.Service";
	int r;

	check(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path), unit);
	r = sd_bus_get_property_string(bus, SERVICE, path, interface, "ControlGroup", &error,
				       &group);
	if (r < 0)
		fail("ask for the control group of %s: %s", unit,
		     error.message ? error.message : strerror(-r));
	puts(group);
	free(group);
	free(path);
}

static void print_version(sd_bus *bus)
{
	char *version = NULL;

	check(sd_bus_get_property_string(bus, SERVICE, OBJECT, MANAGER, "Version", NULL, &version),
	      "ask for systemd's version");
	puts(version);
	free(version);
}

int main(int argc, char **argv)
{
	bool is_user = argc > 1 && strcmp(argv[1], "--user") == 0;
	char **args = argv + 1 + is_user;
	const char *action = args[0], *unit = action && args[1] ? args[1] : "";
	sd_bus *bus;

	if (!action || (!*unit && strcmp(action, "version") != 0))
		fail("usage: dhow-systemd [--user] start|set|stop|cgroup|version [UNIT] [PROPERTY]...");
	bus = open_bus(is_user);
	if (strcmp(action, "start") == 0)
		start(bus, unit, args + 2);
	else if (strcmp(action, "set") == 0)
		set(bus, unit, args + 2);
	else if (strcmp(action, "stop") == 0)
		stop(bus, unit);
	else if (strcmp(action, "cgroup") == 0)
		print_cgroup(bus, unit);
	else if (strcmp(action, "version") == 0)
		print_version(bus);
	else
		fail("no action %s", action);
	sd_bus_flush_close_unref(bus);
	return 0;
}

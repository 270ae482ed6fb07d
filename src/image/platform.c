/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Platforms: names as Go has them, and which of an index's entries serves one. containerd's platforms package. */
#include <ctype.h>
#include <sys/utsname.h>

#include "image/manifest.h"

static const struct {
	const char *name, *architecture, *variant;
} aliases[] = {
	{"x86_64", "amd64", NULL},    {"x86-64", "amd64", NULL},
	{"i386", "386", NULL},        {"i486", "386", NULL},
	{"i586", "386", NULL},        {"i686", "386", NULL},
	{"aarch64", "arm64", NULL},   {"armhf", "arm", "v7"},
	{"armel", "arm", "v6"},       {"armv8l", "arm", "v8"},
	{"armv7l", "arm", "v7"},      {"armv6l", "arm", "v6"},
	{"ppc64el", "ppc64le", NULL}, {"loongarch64", "loong64", NULL},
};

static const char *const systems[] = {"linux",   "windows", "freebsd", "darwin",  "netbsd",
				      "openbsd", "solaris", "illumos", "android", "plan9",
				      "js",      "wasip1",  NULL};

static bool is_system(const char *word)
{
	for (size_t i = 0; systems[i]; i++)
		if (strcmp(systems[i], word) == 0)
			return true;
	return false;
}

static int set(struct platform *p, const char *os, const char *architecture, const char *variant,
	       struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcmp(aliases[i].name, architecture) == 0) {
			architecture = aliases[i].architecture;
			if (!variant || !*variant)
				variant = aliases[i].variant;
			break;
		}
	if (strcmp(architecture, "arm64") == 0 && variant &&
	    (strcmp(variant, "v8") == 0 || strcmp(variant, "8") == 0))
		variant = NULL;
	if (strcmp(architecture, "amd64") == 0 && variant && strcmp(variant, "v1") == 0)
		variant = NULL;
	if (strcmp(architecture, "arm") == 0 && (!variant || !*variant))
		variant = "v7";
	*p = (struct platform){
		.os = strdup(os),
		.architecture = strdup(architecture),
		.variant = variant && *variant ? strdup(variant) : NULL,
	};
	if (p->os && p->architecture && (p->variant || !variant || !*variant))
		return 0;
	platform_clear(p);
	return error_errno(err, ENOMEM, "read a platform");
}

int platform_host(struct platform *out, struct error **err)
{
	struct utsname names;

	if (uname(&names) < 0)
		return error_errno(err, errno, "uname");
	return set(out, "linux", names.machine, NULL, err);
}

static bool is_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			return false;
	return *text != '\0';
}

/* The words between the slashes, in lower case. */
static int split_words(const char *text, struct strv *words, struct error **err)
{
	_cleanup_free_ char *lower = strdup(text);
	bool ok;

	for (char *c = lower; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!lower || strv_split(words, lower, "/"))
		return error_errno(err, ENOMEM, "read a platform");
	ok = words->count >= 1 && words->count <= 3;
	for (size_t i = 0; ok && i < words->count; i++)
		ok = is_word(words->items[i]);
	return ok ? 0
		  : error_set(err, EINVAL, "\"%s\" is no platform; expected os[/arch[/variant]]",
			      text);
}

int platform_parse(const char *text, struct platform *out, struct error **err)
{
	_cleanup_strv_ struct strv words = {0};
	struct utsname names;
	int r = split_words(text, &words, err);

	if (r)
		return r;
	if (words.count > 1)
		return set(out, words.items[0], words.items[1],
			   words.count > 2 ? words.items[2] : NULL, err);
	if (!is_system(words.items[0]))
		return set(out, "linux", words.items[0], NULL, err);
	if (uname(&names) < 0)
		return error_errno(err, errno, "uname");
	return set(out, words.items[0], names.machine, NULL, err);
}

void platform_clear(struct platform *p)
{
	free(p->os);
	free(p->architecture);
	free(p->variant);
	*p = (struct platform){0};
}

char *platform_text(const struct platform *p)
{
	char *out = NULL;

	if (asprintf(&out, "%s/%s%s%s", p->os ? p->os : "", p->architecture ? p->architecture : "",
		     p->variant && *p->variant ? "/" : "", p->variant ? p->variant : "") < 0)
		return NULL;
	return out;
}

/* --- Choosing -------------------------------------------------------------------------------------------------------- */

static int number_of(const char *variant)
{
	return variant && variant[0] == 'v' && isdigit((unsigned char)variant[1]) ? variant[1] - '0'
										  : -1;
}

/* How well an entry's variant serves the wanted one: higher is better, -1 is not at all. */
static int rank(const struct platform *entry, const struct platform *wanted)
{
	const char *have = entry->variant ? entry->variant : "";
	const char *want = wanted->variant ? wanted->variant : "";
	int have_number = number_of(have), want_number = number_of(want);

	if (strcmp(entry->architecture, "arm64") == 0 && strcmp(have, "v8") == 0)
		have = "";
	if (strcmp(entry->architecture, "amd64") == 0 && strcmp(have, "v1") == 0)
		have = "";
	if (strcmp(have, want) == 0)
		return 100;
	/* A processor runs what was built for its lesser kin. */
	if (strcmp(entry->architecture, "arm") == 0 && !*have)
		have_number = 7;
	if (have_number >= 0 && want_number >= 0 && have_number <= want_number)
		return have_number;
	return !*have ? 0 : -1;
}

const struct descriptor *manifest_select(const struct manifest *index,
					 const struct platform *platform)
{
	const struct descriptor *best = NULL;
	int best_rank = -1;

	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *d = &index->items[i];
		int r;

		if (!d->platform.os || !d->platform.architecture ||
		    strcmp(d->platform.os, platform->os) != 0 ||
		    strcmp(d->platform.architecture, platform->architecture) != 0)
			continue;
		r = rank(&d->platform, platform);
		if (r > best_rank) {
			best = d;
			best_rank = r;
		}
	}
	/* An index of one image that names no platform leaves no choice. */
	if (!best && index->count == 1 && !index->items[0].platform.os)
		best = &index->items[0];
	return best;
}

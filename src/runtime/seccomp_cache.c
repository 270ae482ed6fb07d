/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled filters kept in a directory of ours.
 *
 * An entry is one file: header, key, instructions. The key is the part of the profile that decides about the
 * instructions, in full: the file's name is a hash of it, but an entry counts only when the whole key is
 * equal. The header says by what the filter was made (libseccomp, kernel, architecture, this file's format)
 * and carries a sum over the rest, since the directory may be on a disk that lost power.
 *
 * A filter from here is what keeps a container in, so nothing is believed that somebody else could have
 * written: directory and file must be the caller's own and writable by no one else, and the file a regular
 * one with one name. Files are written under another name and renamed, so that readers see whole ones.
 * The names are few (SLOTS), so that the directory can't grow without end; profiles that share one
 * take turns. */
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "runtime/seccomp_internal.h"

/* To be raised with every change of the translation or of this layout. */
#define FORMAT      1
#define SLOTS       4096
#define KEY_MAX     (32U << 10)
#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

struct cache_header {
	char magic[8];
	uint32_t format, native;
	uint32_t library[3];
	uint32_t key_size, program_size, reserved;
	uint64_t sum;
	char release[72]; /* struct utsname has 65 */
};

/* Not for secrets: tells profiles apart and finds torn files. Eight bytes at a time. */
static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const char *p = data;
	uint64_t word;

	for (; size >= sizeof word; p += sizeof word, size -= sizeof word) {
		memcpy(&word, p, sizeof word);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	word = 0;
	memcpy(&word, p, size);
	hash = (hash ^ word ^ ((uint64_t)size << 56)) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static void add_u32(struct strbuf *key, uint32_t value)
{
	strbuf_add(key, &value, sizeof value);
}

int seccomp_cache_key(const struct spec_seccomp *seccomp, struct strbuf *key)
{
	add_u32(key, seccomp->default_action);
	add_u32(key, (uint32_t)seccomp->architecture_count);
	for (size_t i = 0; i < seccomp->architecture_count; i++)
		add_u32(key, seccomp->architectures[i]);
	add_u32(key, (uint32_t)seccomp->rule_count);
	for (size_t i = 0; i < seccomp->rule_count; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->rules[i];

		add_u32(key, rule->action);
		add_u32(key, (uint32_t)rule->arg_count);
		for (size_t j = 0; j < rule->arg_count; j++) {
			const struct spec_seccomp_arg *arg = &rule->args[j];
			uint64_t values[2] = {arg->value, arg->value_two};

			add_u32(key, arg->index);
			add_u32(key, (uint32_t)arg->op);
			strbuf_add(key, values, sizeof values);
		}
		add_u32(key, (uint32_t)rule->names.count);
		/* With their NULs, so that no two lists look the same. */
		for (size_t j = 0; j < rule->names.count; j++)
			strbuf_add(key, rule->names.items[j], strlen(rule->names.items[j]) + 1);
	}
	return key->failed ? -ENOMEM : 0;
}

static void slot_name(const struct strbuf *key, char *buf, size_t size)
{
	snprintf(buf, size, "%03x", (unsigned)(mix(0, key->text, key->length) % SLOTS));
}

static struct cache_header make_header(const struct strbuf *key)
{
	const struct scmp_version *library = seccomp_version();
	struct cache_header header = {
		.magic = "dhowBPF",
		.format = FORMAT,
		.native = seccomp_arch_native(),
		.key_size = (uint32_t)key->length,
	};
	struct utsname host;

	if (library) {
		header.library[0] = library->major;
		header.library[1] = library->minor;
		header.library[2] = library->micro;
	}
	if (uname(&host) == 0)
		memcpy(header.release, host.release, strnlen(host.release, sizeof host.release));
	return header;
}

static uint64_t sum_of(const void *key, size_t key_size, const void *program, size_t program_size)
{
	return mix(mix(program_size, key, key_size), program, program_size);
}

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static bool is_directory_ours(int cache_fd)
{
	struct stat st;

	return fstat(cache_fd, &st) == 0 && S_ISDIR(st.st_mode) && is_ours(&st);
}

/* The bytes of the file when it is one to be trusted, for the caller to free; else NULL. */
static char *read_entry(int cache_fd, const char *name, size_t key_size, size_t *size)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *data = NULL;
	size_t smallest = sizeof(struct cache_header) + key_size + sizeof(struct sock_filter);
	struct stat st;

	fd = openat(cache_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || !is_ours(&st) || st.st_nlink != 1) {
		log_warning("the seccomp cache entry %s is not ours alone, and is not used", name);
		return NULL;
	}
	if (st.st_size < (off_t)smallest ||
	    st.st_size > (off_t)(sizeof(struct cache_header) + key_size + PROGRAM_MAX))
		return NULL;
	data = malloc((size_t)st.st_size);
	if (!data || read(fd, data, (size_t)st.st_size) != st.st_size)
		return NULL;
	*size = (size_t)st.st_size;
	return TAKE_PTR(data);
}

bool seccomp_cache_load(int cache_fd, const struct strbuf *key, struct seccomp_program *out)
{
	_cleanup_free_ char *data = NULL;
	struct cache_header found, wanted;
	const char *found_key, *program;
	char name[16];
	size_t size;

	if (key->length > KEY_MAX || !is_directory_ours(cache_fd))
		return false;
	slot_name(key, name, sizeof name);
	data = read_entry(cache_fd, name, key->length, &size);
	if (!data)
		return false;
	memcpy(&found, data, sizeof found);
	wanted = make_header(key);
	wanted.program_size = found.program_size;
	wanted.sum = found.sum;
	found_key = data + sizeof found;
	program = found_key + key->length;
	if (memcmp(&found, &wanted, sizeof found) != 0 ||
	    size != sizeof found + key->length + found.program_size ||
	    found.program_size % sizeof(struct sock_filter) ||
	    memcmp(found_key, key->text, key->length) != 0 ||
	    found.sum != sum_of(found_key, key->length, program, found.program_size))
		return false;
	out->size = found.program_size;
	memmove(data, program, out->size);
	out->instructions = TAKE_PTR(data);
	return true;
}

void seccomp_cache_store(int cache_fd, const struct strbuf *key,
			 const struct seccomp_program *program)
{
	struct cache_header header = make_header(key);
	_cleanup_strbuf_ struct strbuf data = {0};
	_cleanup_error_ struct error *err = NULL;
	char name[16];

	if (key->length > KEY_MAX || !is_directory_ours(cache_fd))
		return;
	header.program_size = (uint32_t)program->size;
	header.sum = sum_of(key->text, key->length, program->instructions, program->size);
	strbuf_add(&data, &header, sizeof header);
	strbuf_add(&data, key->text, key->length);
	strbuf_add(&data, program->instructions, program->size);
	slot_name(key, name, sizeof name);
	if (!data.failed &&
	    file_replace_at(cache_fd, name, data.text, data.length, 0600, false, &err) < 0)
		log_debug("the seccomp filter is not kept: %s", error_text(err));
}

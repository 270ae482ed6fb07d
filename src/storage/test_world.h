/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver's own small store in a temporary directory, without what storage.c does around it. For the drivers' own tests. */
#ifndef DHOW_STORAGE_TEST_WORLD_H
#define DHOW_STORAGE_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "storage/driver.h"

#define LOWER "sha256:aaaa"
#define UPPER "sha256:bbbb"

static const char *const both[] = {UPPER, LOWER};

struct world {
	char path[128];
	struct storage s;
};

static struct error *problem; /* of the last call, for the message */

#define OK(call) check((call), #call)
static inline int check(int r, const char *call)
{
	if (r < 0)
		fail_msg("%s: %s", call, error_text(problem));
	return r;
}

static inline void open_store(struct world *w)
{
	OK(w->s.driver->probe(&w->s, &problem));
	if (w->s.driver->open)
		OK(w->s.driver->open(&w->s, &problem));
}

static inline struct world *world_new(const struct storage_driver *driver, const char *parent)
{
	static const char *const folders[] = {"layers", "staging", "containers", "trash"};
	struct world *w = calloc(1, sizeof *w);

	snprintf(w->path, sizeof w->path, "%s/dhow-test-%s.XXXXXX", parent, driver->name);
	assert_non_null(mkdtemp(w->path));
	w->s.path = w->path;
	w->s.driver = driver;
	w->s.root = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		assert_int_equal(mkdirat(w->s.root, folders[i], 0700), 0);
	return w;
}

/* After the driver was closed. */
static inline void world_free(struct world *w)
{
	close(w->s.root);
	strv_free(&w->s.options);
	remove_tree_at(AT_FDCWD, w->path, NULL);
	free(w);
	error_freep(&problem);
}

static inline void put(int dir, const char *name, const char *text)
{
	OK(file_replace_at(dir, name, text, strlen(text), 0644, false, &problem));
}

static inline void expect(int dir, const char *name, const char *text)
{
	_cleanup_free_ char *found = NULL;

	OK(file_read_at(dir, name, 4096, &found, NULL, &problem));
	assert_string_equal(found, text);
}

static inline void add_layer(struct world *w, const char *id, const char *parent)
{
	struct storage_staging staging = {.id = (char *)id,
					  .parent = (char *)parent,
					  .root = -1,
					  .lock = -1,
					  .whiteouts = w->s.driver->whiteouts(&w->s)};

	OK(w->s.driver->layer_begin(&w->s, &staging, &problem));
	put(staging.root, id, parent ? parent : "lowest");
	if (w->s.driver->layer_flush)
		OK(w->s.driver->layer_flush(&w->s, &staging, &problem));
	OK(w->s.driver->layer_commit(&w->s, &staging, &problem));
	close_fd(&staging.root);
}

static inline int mount_it(struct world *w, const char *container)
{
	const struct storage_mount_opts opts = {
		.layers = both, .layer_count = 2, .container = container};

	return OK(w->s.driver->mount(&w->s, &opts, &problem));
}

static inline int try_container(struct world *w, const char *id, uint64_t size)
{
	return w->s.driver->container_create(
		&w->s,
		&(struct storage_container_opts){
			.id = id, .layers = both, .layer_count = 2, .size_limit = size},
		&problem);
}

/* Two layers, a container, and all of it removed. */
static inline void use_store(struct world *w)
{
	_cleanup_fd_ int layer = -1, container = -1;

	add_layer(w, LOWER, NULL);
	add_layer(w, UPPER, LOWER);
	OK(try_container(w, "c", 0));
	container = mount_it(w, "c");
	expect(container, LOWER, "lowest");
	expect(container, UPPER, LOWER);
	put(container, "own", "1");
	layer = mount_it(w, NULL);
	assert_int_equal(faccessat(layer, "own", F_OK, 0), -1);
	assert_int_equal(faccessat(layer, "lost+found", F_OK, 0), -1);
	assert_int_equal(openat(layer, "new", O_WRONLY | O_CREAT, 0600), -1);
	assert_int_equal(errno, EROFS);
	close_fd(&layer);
	close_fd(&container);
	container = mount_it(w, "c");
	expect(container, "own", "1");
	close_fd(&container);
	OK(w->s.driver->container_remove(&w->s, "c", &problem));
	OK(w->s.driver->layer_remove(&w->s, UPPER, &problem));
	OK(w->s.driver->layer_remove(&w->s, LOWER, &problem));
}

#endif

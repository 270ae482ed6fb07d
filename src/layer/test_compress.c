/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compression: what comes back is what went in, and nothing but that decides the bytes between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base.h"
#include "layer/layer.h"

#define LENGTH (3 * 1024 * 1024 + 12345)

static int keep(void *data, const void *buf, size_t size, struct error **err)
{
	strbuf_add(data, buf, size);
	return 0;
}

struct memory {
	const char *text;
	size_t length;
};
static ssize_t read_memory(void *data, void *buf, size_t size, struct error **err)
{
	struct memory *m = data;

	if (size > m->length)
		size = m->length;
	if (size == 0)
		return 0;
	memcpy(buf, m->text, size);
	m->text += size;
	m->length -= size;
	return (ssize_t)size;
}

/* Text, noise and zeros by turns. */
static char *make_data(size_t length)
{
	char *data = malloc(length + 1);
	uint32_t seed = 1;

	for (size_t i = 0; i < length; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (char)(i / 100000 % 3 == 0   ? "layers and layers of it "[i % 24]
				 : i / 100000 % 3 == 1 ? (int)(seed >> 24)
						       : 0);
	}
	return data;
}

static void compress_to(enum layer_compression kind, int level, int threads, const char *data,
			size_t length, size_t step, struct strbuf *out)
{
	struct compressor *c;
	struct sink sink;

	assert_int_equal(compressor_new(kind, level, threads,
					(struct sink){.write = keep, .data = out}, &c, NULL),
			 0);
	sink = compressor_sink(c);
	for (size_t i = 0; i < length; i += step)
		assert_int_equal(sink.write(sink.data, data + i,
					    length - i < step ? length - i : step, NULL),
				 0);
	assert_int_equal(compressor_finish(c, NULL), 0);
	compressor_free(c);
}

static void assert_restores(enum layer_compression kind, const struct strbuf *packed,
			    const char *data, size_t length)
{
	struct memory memory = {.text = packed->text, .length = packed->length};
	_cleanup_strbuf_ struct strbuf got = {0};
	_cleanup_free_ char *buf = malloc(65536);
	struct decompressor *d;
	struct source from;
	ssize_t n;

	assert_int_equal(decompressor_new(kind,
					  (struct source){.read = read_memory, .data = &memory}, &d,
					  NULL),
			 0);
	from = decompressor_source(d);
	while ((n = from.read(from.data, buf, 65536, NULL)) > 0)
		strbuf_add(&got, buf, (size_t)n);
	assert_int_equal(n, 0);
	decompressor_free(d);
	assert_int_equal(got.length, length);
	if (length)
		assert_memory_equal(got.text, data, length);
}

static void what_goes_in_comes_back(void **state)
{
	static const enum layer_compression kinds[] = {LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD};
	static const size_t lengths[] = {0, 1, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, LENGTH};
	_cleanup_free_ char *data = make_data(LENGTH);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t j = 0; j < ARRAY_SIZE(lengths); j++)
			for (int threads = 1; threads < 4; threads++) {
				_cleanup_strbuf_ struct strbuf out = {0};

				compress_to(kinds[i], 0, threads, data, lengths[j], 65536, &out);
				assert_int_equal(
					compression_detect(out.text ? out.text : "", out.length),
					kinds[i]);
				assert_restores(kinds[i], &out, data, lengths[j]);
			}
}

static void neither_threads_nor_the_size_of_writes_decide_the_bytes(void **state)
{
	static const enum layer_compression kinds[] = {LAYER_GZIP, LAYER_ZSTD};
	_cleanup_free_ char *data = make_data(LENGTH);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_strbuf_ struct strbuf one = {0}, two = {0};

		compress_to(kinds[i], 0, 1, data, LENGTH, LENGTH, &one);
		compress_to(kinds[i], 0, 3, data, LENGTH, 777, &two);
		assert_int_equal(one.length, two.length);
		assert_memory_equal(one.text, two.text, one.length);
	}
}

static int refuse(void *data, const void *buf, size_t size, struct error **err)
{
	return error_errno(err, ENOSPC, "write");
}

static void a_sink_that_fails_ends_it_without_hanging(void **state)
{
	_cleanup_free_ char *data = make_data(LENGTH);

	for (int threads = 1; threads < 4; threads++) {
		_cleanup_error_ struct error *err = NULL;
		struct compressor *c;
		struct sink sink;
		int r = 0;

		assert_int_equal(compressor_new(LAYER_GZIP, 0, threads,
						(struct sink){.write = refuse}, &c, &err),
				 0);
		sink = compressor_sink(c);
		for (size_t i = 0; i + 4096 < LENGTH && r == 0; i += 4096)
			r = sink.write(sink.data, data + i, 4096, &err);
		assert_int_equal(r, -ENOSPC);
		compressor_free(c);
	}
}

static void levels_and_kinds_that_do_not_exist_are_refused(void **state)
{
	struct sink out = {.write = keep};
	_cleanup_error_ struct error *err = NULL;
	struct compressor *c;

	assert_int_equal(compressor_new(LAYER_GZIP, 10, 1, out, &c, &err), -EINVAL);
	assert_int_equal(compressor_new(LAYER_ZSTD, 99, 1, out, &c, &err), -EINVAL);
	assert_int_equal(compressor_new(LAYER_XZ, 0, 1, out, &c, &err), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_back),
		cmocka_unit_test(neither_threads_nor_the_size_of_writes_decide_the_bytes),
		cmocka_unit_test(a_sink_that_fails_ends_it_without_hanging),
		cmocka_unit_test(levels_and_kinds_that_do_not_exist_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

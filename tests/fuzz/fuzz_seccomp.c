/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the way from linux.seccomp to a BPF program. The input is the seccomp object alone. */
#include <assert.h>

#include "fuzz.h"
#include "runtime/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
				   "\"linux\":{\"seccomp\":";
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_error_ struct error *err = NULL;
	_cleanup_spec_ struct spec *spec = NULL;
	struct seccomp_program program = {0};

	strbuf_adds(&text, head);
	strbuf_add(&text, data, size);
	strbuf_adds(&text, "}}");
	if (spec_parse(text.text, text.length, &spec, &err) || !spec->linux.seccomp.is_set)
		return 0;
	if (seccomp_compile(&spec->linux.seccomp, -1, &program, &err)) {
		assert(err && !strchr(error_text(err), '\n'));
		return 0;
	}
	assert(program.instructions && program.size > 0 && program.size % 8 == 0);
	seccomp_program_clear(&program);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the configuration parser by all its doors. A refusal must be one line of text; what is
 * accepted is used a little. */
#include <assert.h>

#include "fuzz.h"
#include "runtime/spec.h"

typedef int (*parser)(const char *text, size_t length, struct spec **out, struct error **err);

static void try_parser(parser parse, const char *text, size_t length)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_spec_ struct spec *spec = NULL;
	int r = parse(text, length, &spec, &err);

	if (r) {
		assert(r < 0 && !spec && err && !strchr(error_text(err), '\n'));
		return;
	}
	spec_has_resources(&spec->linux.resources);
	spec_annotation(spec, "run.oci.handler");
	for (size_t i = 0; i < spec->process.args.count; i++)
		assert(spec->process.args.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_quiet;

	if (!is_quiet)
		log_setup(2, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	is_quiet = true;
	try_parser(spec_parse, (const char *)data, size);
	try_parser(spec_parse_process, (const char *)data, size);
	try_parser(spec_parse_resources, (const char *)data, size);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of spec.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "runtime/spec.h"

static void given_nothing_then_the_default_spec_is_json(void **state)
{
	_cleanup_free_ char *text = spec_default(false, 0, 0);
	_cleanup_json_ json_t *json = NULL;

	(void) state;
	assert_non_null(text);
	assert_int_equal(json_parse(text, strlen(text), "default", &json, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_nothing_then_the_default_spec_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

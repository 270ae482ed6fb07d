/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the base room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static void given_an_errno_then_the_error_holds_its_text(void **state)
{
	_cleanup_error_ struct error *err = NULL;

	(void) state;
	assert_int_equal(error_errno(&err, ENOENT, "open %s", "x"), -ENOENT);
	assert_string_equal(error_text(err), "open x: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_an_errno_then_the_error_holds_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

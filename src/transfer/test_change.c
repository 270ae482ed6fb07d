/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --change: Dockerfile instructions in docker's and podman's spelling, and what they make of a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "transfer/archive.h"

#define BASE                                                                                    \
	"{\"config\":{\"Env\":[\"PATH=/bin\",\"A=1\"],\"Cmd\":[\"old\"],\"WorkingDir\":\"/w\"," \
	"\"Labels\":{\"k\":\"v\"}}}"

/* Applies changes, separated by newlines, and gives the config member as text; the caller frees. */
static char *change(const char *document, const char *changes)
{
	_cleanup_json_ json_t *config = json_loads(document, 0, NULL);
	_cleanup_strv_ struct strv list = {0};
	_cleanup_error_ struct error *err = NULL;

	assert_int_equal(strv_split(&list, changes, "\n"), 0);
	if (config_changes(config, &list, &err) < 0)
		return strdup(error_text(err));
	return json_dumps(json_object_get(config, "config"), JSON_COMPACT | JSON_SORT_KEYS);
}

static void each_instruction_changes_its_member(void **state)
{
	static const struct {
		const char *change, *expected;
	} cases[] = {
		{"CMD [\"a\", \"b c\"]", "{\"Cmd\":[\"a\",\"b c\"]}"},
		{"CMD echo $HOME 'x'", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo $HOME 'x'\"]}"},
		{"CMD=/bin/sh", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"/bin/sh\"]}"},
		{"cmd [\"a\", 1]", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"[\\\"a\\\", 1]\"]}"},
		{"ENTRYPOINT [\"/init\"]", "{\"Entrypoint\":[\"/init\"]}"},
		{"ENV A=1 B=\"two words\" C=x\\ y D='$A'",
		 "{\"Env\":[\"A=1\",\"B=two words\",\"C=x y\",\"D=$A\"]}"},
		{"ENV KEY many words  here", "{\"Env\":[\"KEY=many words  here\"]}"},
		{"ENV=A=1", "{\"Env\":[\"A=1\"]}"},
		{"EXPOSE 80 53/udp 8000-8001/TCP",
		 "{\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{},\"8000/tcp\":{},\"8001/tcp\":{}}}"},
		{"LABEL a=b \"c d\"=\"e f\" g=",
		 "{\"Labels\":{\"a\":\"b\",\"c d\":\"e f\",\"g\":\"\"}}"},
		{"ONBUILD RUN make", "{\"OnBuild\":[\"RUN make\"]}"},
		{"STOPSIGNAL SIGKILL", "{\"StopSignal\":\"SIGKILL\"}"},
		{"STOPSIGNAL 9", "{\"StopSignal\":\"9\"}"},
		{"USER 1000:1000", "{\"User\":\"1000:1000\"}"},
		{"VOLUME /a /b", "{\"Volumes\":{\"/a\":{},\"/b\":{}}}"},
		{"VOLUME [\"/a b\"]", "{\"Volumes\":{\"/a b\":{}}}"},
		{"WORKDIR a/../b", "{\"WorkingDir\":\"/b\"}"},
		{"HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}"},
		{"HEALTHCHECK --interval=5s --timeout=1m30s --retries=3 CMD curl -f http://localhost",
		 "{\"Healthcheck\":{\"Interval\":5000000000,\"Retries\":3,\"Test\":[\"CMD-SHELL\",\"curl -f http://localhost\"],"
		 "\"Timeout\":90000000000}}"},
		{"HEALTHCHECK CMD [\"a\"]", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\"]}}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *found = change("{}", cases[i].change);

		assert_string_equal(found, cases[i].expected);
	}
}

static void what_was_there_stays_or_is_replaced(void **state)
{
	_cleanup_free_ char *found = change(
		BASE,
		"ENV A=2\nENV PATH=$PATH:/opt/${A}${X:-none}${A:+!}\nLABEL k=w j=v\nWORKDIR sub");

	assert_string_equal(found,
			    "{\"Cmd\":[\"old\"],\"Env\":[\"PATH=/bin:/opt/2none!\",\"A=2\"],"
			    "\"Labels\":{\"j\":\"v\",\"k\":\"w\"},\"WorkingDir\":\"/w/sub\"}");
}

static void an_entrypoint_takes_away_the_command_of_another_program(void **state)
{
	_cleanup_free_ char *without =
		change("{\"config\":{\"Cmd\":[\"old\"]}}", "ENTRYPOINT [\"e\"]");
	_cleanup_free_ char *with =
		change("{\"config\":{\"Cmd\":[\"old\"]}}", "CMD [\"new\"]\nENTRYPOINT [\"e\"]");

	assert_string_equal(without, "{\"Entrypoint\":[\"e\"]}");
	assert_string_equal(with, "{\"Cmd\":[\"new\"],\"Entrypoint\":[\"e\"]}");
}

static void wrong_instructions_are_errors_that_name_them(void **state)
{
	static const struct {
		const char *change, *expected;
	} cases[] = {
		{"RUN make", "RUN is not a valid change command"},
		{"FROM x", "FROM is not a valid change command"},
		{"ENV", "ENV needs an argument"},
		{"ENV A", "ENV must have two arguments"},
		{"ENV A=1 B", "\"B\" must be KEY=VALUE"},
		{"ENV A=\"open", "a quote isn't closed"},
		{"ENV A=${B", "syntax error"},
		{"ENV A=${B%x}", "unsupported modifier"},
		{"EXPOSE 0", "invalid containerPort: 0"},
		{"EXPOSE 99999", "invalid containerPort: 99999"},
		{"EXPOSE 9-8", "invalid containerPort: 9-8"},
		{"EXPOSE 80/icmp", "invalid proto: icmp"},
		{"STOPSIGNAL NOPE", "invalid signal: NOPE"},
		{"ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"},
		{"HEALTHCHECK --nope=1 CMD x", "unknown flag: --nope=1"},
		{"HEALTHCHECK --interval=soon CMD x", "invalid value in --interval=soon"},
		{"HEALTHCHECK", "needs CMD"},
		{"WORKDIR ", "WORKDIR needs an argument"},
		{"-x", "invalid change \"-x\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *found = change("{}", cases[i].change);

		if (!strstr(found, cases[i].expected))
			assert_string_equal(found, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction_changes_its_member),
		cmocka_unit_test(what_was_there_stays_or_is_replaced),
		cmocka_unit_test(an_entrypoint_takes_away_the_command_of_another_program),
		cmocka_unit_test(wrong_instructions_are_errors_that_name_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

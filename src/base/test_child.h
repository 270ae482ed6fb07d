/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For unit tests that must change what can't be changed back (namespaces, ids, the root): they do it in a
 * child. cmocka's assertions don't work there; CHECK does. Include cmocka.h first. */
#ifndef DHOW_BASE_TEST_CHILD_H
#define DHOW_BASE_TEST_CHILD_H

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends the child with status 1 and a line of TAP when the claim isn't so. */
#define CHECK(claim)                                                                            \
	do {                                                                                    \
		if (!(claim)) {                                                                 \
			fprintf(stderr, "# %s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, \
				#claim, errno);                                                 \
			_exit(1);                                                               \
		}                                                                               \
	} while (0)

/* What test returns when the host lacks something. */
#define SKIPPED 77

/* Runs test in a child. It must return 0, or SKIPPED. */
static inline void expect_child(int (*test)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(test());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions of threads that share a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "store/store.h"

#define THREADS 4
#define ROUNDS  40

static char directory[] = "/tmp/dhow-store.XXXXXX";
static struct store *store;

static int open_it(void **state)
{
	_cleanup_error_ struct error *err = NULL;
	char root[64], run[64];
	struct store_opts opts = {.root = root, .runroot = run};

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(root, sizeof root, "%s/root", directory);
	snprintf(run, sizeof run, "%s/run", directory);
	if (!store_open(&opts, &store, &err))
		return 0;
	print_error("%s\n", error_text(err));
	return -1;
}

static int close_it(void **state)
{
	(void)state;
	store_close(store);
	return remove_tree_at(AT_FDCWD, directory, NULL);
}

/* As all users of transactions do it: the cleanup comes after the commit. */
static int add_row(const char *prefix, int n, struct error **err)
{
	struct store *transaction _cleanup_transaction_ = NULL;
	char key[32];
	int r = store_begin(store, err);

	if (r)
		return r;
	transaction = store;
	snprintf(key, sizeof key, "%s%d", prefix, n);
	r = store_execute(store, err, "INSERT INTO setting (key, value) VALUES (?, '')", "s", key);
	if (n % 4 == 3)
		return r; /* rolled back */
	return r ? r : store_commit(transaction, err);
}

static void *add_rows(void *data)
{
	intptr_t failed = 0;

	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_error_ struct error *err = NULL;

		if (add_row(data, i, &err)) {
			print_error("%s\n", error_text(err));
			failed++;
		}
	}
	return (void *)failed;
}

static void transactions_of_threads_end_only_by_their_own_hand(void **state)
{
	static const char *const names[THREADS] = {"a", "b", "c", "d"};
	sqlite3_stmt *row _cleanup_statement_ = NULL;
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_rows, (void *)names[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(store_query(store, &row, NULL, "SELECT count(*) FROM setting", ""), 0);
	assert_int_equal(store_step(store, row, NULL), 1);
	assert_int_equal(sqlite3_column_int64(row, 0), THREADS * ROUNDS * 3 / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions_of_threads_end_only_by_their_own_hand),
	};

	return cmocka_run_group_tests(tests, open_it, close_it);
}

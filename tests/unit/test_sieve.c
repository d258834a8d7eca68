/* SPDX-License-Identifier: MIT */
/*
 * test_sieve.c - bits that say who was asked for, set from all sides.
 */
#include "cache/sieve.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define N	1000
#define THREADS	4

static void
a_visit_is_seen_once(void **state)
{
	struct sieve *sieve = sieve_new();

	(void)state;
	assert_false(sieve_pass(sieve, 7));
	sieve_visit(sieve, 7);
	sieve_visit(sieve, 7);
	assert_false(sieve_pass(sieve, 6));
	assert_false(sieve_pass(sieve, 8));
	assert_true(sieve_pass(sieve, 7));
	assert_false(sieve_pass(sieve, 7));
	sieve_free(sieve);
}

static void
numbers_may_be_of_any_size(void **state)
{
	struct sieve *sieve = sieve_new();

	(void)state;
	sieve_visit(sieve, UINT64_MAX);
	assert_true(sieve_pass(sieve, UINT64_MAX));
	sieve_visit(sieve, 5 * SIEVE_BITS + 3);
	assert_true(sieve_pass(sieve, 3));	/* they share a bit, as the header says */
	sieve_free(sieve);
}

static void *
visit_all(void *arg)
{
	for (uint64_t seq = 0; seq < N; seq++)
		sieve_visit(arg, seq);
	return NULL;
}

static void
threads_lose_no_visit(void **state)
{
	struct sieve *sieve = sieve_new();
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, visit_all, sieve), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uint64_t seq = 0; seq < N; seq++)
		assert_true(sieve_pass(sieve, seq));
	sieve_free(sieve);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_visit_is_seen_once),
		cmocka_unit_test(numbers_may_be_of_any_size),
		cmocka_unit_test(threads_lose_no_visit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

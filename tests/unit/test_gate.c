/* SPDX-License-Identifier: MIT */
/*
 * test_gate.c - who is let in, who waits, and in which order; and threads that meet.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "cache/gate.h"

#define N_THREADS	8
#define N_ROUNDS	2000
#define MAX_AT_ONCE	3

static void
note(void *arg)
{
	++*(int *)arg;
}

static void
check_count(struct gate *gate, unsigned inside, unsigned waiting)
{
	unsigned n_inside, n_waiting;

	gate_count(gate, &n_inside, &n_waiting);
	assert_int_equal(n_inside, inside);
	assert_int_equal(n_waiting, waiting);
}

static void
those_who_wait_are_let_in_in_turn(void **state)
{
	const struct gate_limits limits = { .max = 2, .queue = 2 };
	struct gate *gate = gate_new();
	struct gate_pass passes[5];
	int woken[5] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		passes[i] = (struct gate_pass){ .wake = note, .arg = &woken[i] };
	assert_int_equal(gate_enter(gate, &limits, &passes[0]), 0);
	assert_int_equal(gate_enter(gate, &limits, &passes[1]), 0);
	assert_int_equal(gate_enter(gate, &limits, &passes[2]), GATE_E_WAIT);
	assert_int_equal(gate_enter(gate, &limits, &passes[3]), GATE_E_WAIT);
	assert_int_equal(gate_enter(gate, &limits, &passes[4]), GATE_E_FULL);
	check_count(gate, 2, 2);
	assert_false(gate_is_inside(&passes[2]));
	gate_leave(&passes[1]);
	assert_true(gate_is_inside(&passes[2]));
	assert_int_equal(woken[2], 1);
	assert_int_equal(woken[3], 0);
	check_count(gate, 2, 1);
	/* One that leaves the line lets nobody in. */
	gate_leave(&passes[3]);
	assert_int_equal(gate_enter(gate, &limits, &passes[4]), GATE_E_WAIT);
	check_count(gate, 2, 1);
	gate_leave(&passes[0]);
	gate_leave(&passes[2]);
	assert_true(gate_is_inside(&passes[4]));
	check_count(gate, 1, 0);
	gate_leave(&passes[4]);
	gate_leave(&passes[4]);
	assert_int_equal(woken[0] + woken[1] + woken[3], 0);
	gate_free(gate);
}

static void
a_wider_gate_lets_in_who_waits(void **state)
{
	struct gate_limits limits = { .max = 1, .queue = 9 };
	struct gate *gate = gate_new();
	struct gate_pass passes[4];
	int woken = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		passes[i] = (struct gate_pass){ .wake = note, .arg = &woken };
	assert_int_equal(gate_enter(gate, &limits, &passes[0]), 0);
	assert_int_equal(gate_enter(gate, &limits, &passes[1]), GATE_E_WAIT);
	assert_int_equal(gate_enter(gate, &limits, &passes[2]), GATE_E_WAIT);
	limits.max = 0;
	assert_int_equal(gate_enter(gate, &limits, &passes[3]), 0);
	assert_int_equal(woken, 2);
	check_count(gate, 4, 0);
	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		gate_leave(&passes[i]);
	gate_free(gate);
}

struct crowd {
	struct gate	*gate;
	_Atomic int	 n_inside;
	_Atomic int	 most;
};

static void
do_nothing(void *arg)
{
	(void)arg;
}

static void *
come_and_go(void *arg)
{
	const struct gate_limits limits = { .max = MAX_AT_ONCE, .queue = N_THREADS };
	struct crowd *crowd = arg;

	for (int i = 0; i < N_ROUNDS; i++) {
		struct gate_pass pass = { .wake = do_nothing };
		int n, r = gate_enter(crowd->gate, &limits, &pass);

		while (r == GATE_E_WAIT && !gate_is_inside(&pass))
			sched_yield();
		n = ++crowd->n_inside;
		if (n > crowd->most)
			crowd->most = n;
		crowd->n_inside--;
		gate_leave(&pass);
	}
	return NULL;
}

static void
never_more_than_allowed_are_inside(void **state)
{
	struct crowd crowd = { .gate = gate_new() };
	pthread_t threads[N_THREADS];

	(void)state;
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowd), 0);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_in_range(crowd.most, 1, MAX_AT_ONCE);
	check_count(crowd.gate, 0, 0);
	gate_free(crowd.gate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_wait_are_let_in_in_turn),
		cmocka_unit_test(a_wider_gate_lets_in_who_waits),
		cmocka_unit_test(never_more_than_allowed_are_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_flight.c - seats in one thread, then many in several.
 */
#include "cache/flight.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>


#define QUESTION	BYTES_LIT("why?")
#define READERS		4
#define PIECES		3000
#define ROUNDS		20

struct waiter {
	struct flight_seat	seat;
	_Atomic unsigned	n_wakes;
};

static void
count_wake(void *arg)
{
	struct waiter *waiter = arg;

	waiter->n_wakes++;
}

static void
waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){ .seat = { .wake = count_wake, .arg = waiter } };
}

static struct key
key_of(unsigned char n)
{
	return (struct key){ { n, 0, 0, 0, 1 } };
}

/* Who has the flight; NULL: the waiter has a seat. */
static struct flight *
join(struct flights *flights, unsigned char n, struct bytes question, struct waiter *waiter)
{
	struct key key = key_of(n);
	struct flight *flight;

	waiter_init(waiter);
	flight_join(flights, &key, question, &waiter->seat, &flight);
	return flight;
}

static void
assert_bytes(struct bytes seen, const char *want)
{
	assert_int_equal(seen.len, strlen(want));
	assert_memory_equal(seen.ptr, want, seen.len);
}

static void
one_leads_and_the_others_hear_of_it(void **state)
{
	struct flights *flights = flights_new();
	struct waiter leader, a, b;
	struct flight *flight = join(flights, 1, QUESTION, &leader);
	const struct flight_head head = { .status = 200, .fields = BYTES_LIT("a: b\r\n"),
	    .compute = BYTES_LIT("gpu"), .compute_time = BYTES_LIT("0.5") };

	(void)state;
	assert_non_null(flight);
	assert_false(flight_is_awaited(flight));
	assert_null(join(flights, 1, QUESTION, &a));
	assert_true(flight_is_awaited(flight));
	assert_int_equal(flight_count(flights).flights, 1);
	assert_int_equal(flight_count(flights).seats, 1);
	assert_int_equal(flight_state(&a.seat), FLIGHT_WAITING);
	flight_set_head(flight, &head);
	assert_int_equal(a.n_wakes, 1);
	assert_int_equal(flight_state(&a.seat), FLIGHT_HEAD);
	assert_int_equal(flight_head(&a.seat)->status, 200);
	assert_bytes(flight_head(&a.seat)->fields, "a: b\r\n");
	assert_bytes(flight_head(&a.seat)->compute, "gpu");
	assert_bytes(flight_head(&a.seat)->compute_time, "0.5");
	flight_add(flight, BYTES_LIT("one "));

	assert_null(join(flights, 1, QUESTION, &b));
	assert_bytes(flight_read(&b.seat), "one ");
	flight_advance(&b.seat, 2);
	flight_add(flight, BYTES_LIT("two"));
	assert_bytes(flight_read(&b.seat), "e two");
	flight_advance(&b.seat, 5);
	assert_int_equal(flight_read(&b.seat).len, 0);
	assert_bytes(flight_read(&a.seat), "one two");
	flight_land(flight);
	assert_int_equal(flight_state(&a.seat), FLIGHT_LANDED);
	assert_int_equal(flight_len(&a.seat), 7);
	assert_int_equal(leader.n_wakes, 2);
	flight_leave(&a.seat);
	assert_bytes(flight_read(&b.seat), "");
	flight_leave(&b.seat);
	flight_leave(&b.seat);
	assert_int_equal(flight_count(flights).flights + flight_count(flights).seats, 0);
	flights_free(flights);
}

static void
the_leader_hears_who_comes_and_when_the_last_has_left(void **state)
{
	struct flights *flights = flights_new();
	struct waiter leader, a, b;
	struct flight *flight = join(flights, 1, QUESTION, &leader);

	(void)state;
	join(flights, 1, QUESTION, &a);
	join(flights, 1, QUESTION, &b);
	assert_int_equal(leader.n_wakes, 2);
	flight_leave(&a.seat);
	assert_int_equal(leader.n_wakes, 2);
	flight_leave(&b.seat);
	assert_int_equal(leader.n_wakes, 3);
	assert_null(join(flights, 1, QUESTION, &a));
	flight_fail(flight, 7);
	assert_int_equal(flight_state(&a.seat), FLIGHT_FAILED);
	assert_int_equal(flight_failure(&a.seat), 7);
	flight_leave(&a.seat);
	assert_int_equal(leader.n_wakes, 4);
	flights_free(flights);
}

static void
none_joins_what_is_another_closed_or_over(void **state)
{
	struct flights *flights = flights_new();
	struct waiter a, b, c, d, e;
	struct flight *first = join(flights, 1, QUESTION, &a), *other, *collided, *next;

	(void)state;
	other = join(flights, 2, QUESTION, &b);
	collided = join(flights, 1, BYTES_LIT("why not?"), &c);
	assert_non_null(other);
	assert_non_null(collided);
	flight_fail(collided, 1);
	assert_null(join(flights, 1, QUESTION, &c));
	flight_close(first);
	next = join(flights, 1, QUESTION, &d);
	assert_non_null(next);
	flight_land(first);
	assert_int_equal(flight_state(&c.seat), FLIGHT_LANDED);
	assert_null(join(flights, 1, QUESTION, &e));
	flight_fail(next, 1);
	flight_leave(&e.seat);
	flight_leave(&c.seat);
	flight_fail(other, 1);
	flights_free(flights);
}

/* Bytes as a function of where they stand, in pieces of all lengths. */
static char
byte_at(size_t at)
{
	return (char)(at * 7 + at / 251);
}

static void
add_piece(struct flight *flight, size_t *at, size_t len)
{
	char piece[1024];

	for (size_t i = 0; i < len; i++)
		piece[i] = byte_at(*at + i);
	flight_add(flight, (struct bytes){ piece, len });
	*at += len;
}

/* Reads what there is; on to the first byte that is wrong. */
static bool
read_some(struct flight_seat *seat, size_t *at)
{
	for (struct bytes b = flight_read(seat); b.len > 0; b = flight_read(seat)) {
		for (size_t i = 0; i < b.len; i++, (*at)++)
			if (b.ptr[i] != byte_at(*at))
				return false;
		flight_advance(seat, b.len);
	}
	return true;
}

/* Until the flight is over; how many bytes were right. */
static size_t
read_all(struct flight_seat *seat)
{
	bool is_over, is_right;
	size_t at = 0;

	do {
		is_over = flight_state(seat) == FLIGHT_LANDED;
		is_right = read_some(seat, &at);
	} while (is_right && !is_over);
	return at;
}

struct reader {
	struct flights		*flights;
	pthread_t		 thread;
	pthread_barrier_t	*start;
	struct waiter		 waiter;
	size_t			 seen;
	bool			 leaves_early;
};

static void *
read_in_a_thread(void *arg)
{
	struct reader *reader = arg;

	pthread_barrier_wait(reader->start);
	if (!reader->leaves_early)
		reader->seen = read_all(&reader->waiter.seat);
	flight_leave(&reader->waiter.seat);
	return NULL;
}

static void
threads_read_while_it_comes(void **state)
{
	struct flights *flights = flights_new();
	struct reader readers[READERS];
	pthread_barrier_t start;

	(void)state;
	pthread_barrier_init(&start, NULL, READERS + 1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct waiter leader;
		struct flight *flight = join(flights, 1, QUESTION, &leader);
		size_t at = 0;

		for (unsigned i = 0; i < READERS; i++) {
			readers[i] = (struct reader){ .flights = flights, .start = &start,
			    .leaves_early = i == 0 };
			assert_null(join(flights, 1, QUESTION, &readers[i].waiter));
			assert_int_equal(pthread_create(&readers[i].thread, NULL,
			    read_in_a_thread, &readers[i]), 0);
		}
		pthread_barrier_wait(&start);
		flight_set_head(flight, &(struct flight_head){ .status = 200 });
		for (unsigned i = 0; i < PIECES; i++)
			add_piece(flight, &at, (i * 37) % 1024);
		flight_land(flight);
		for (unsigned i = 0; i < READERS; i++) {
			pthread_join(readers[i].thread, NULL);
			if (i > 0)
				assert_int_equal(readers[i].seen, at);
		}
	}
	pthread_barrier_destroy(&start);
	flights_free(flights);
}

static void *
lead_or_follow(void *arg)
{
	struct reader *reader = arg;
	struct flight *flight;
	size_t at;

	pthread_barrier_wait(reader->start);
	for (unsigned i = 0; i < PIECES; i++) {
		flight = join(reader->flights, (unsigned char)(i % 3), QUESTION, &reader->waiter);
		at = 0;
		if (flight == NULL) {
			while (flight_state(&reader->waiter.seat) != FLIGHT_LANDED)
				;
			reader->seen += read_all(&reader->waiter.seat) == 10;
			flight_leave(&reader->waiter.seat);
		} else {
			add_piece(flight, &at, 10);
			flight_land(flight);
			reader->seen++;
		}
	}
	return NULL;
}

static void
threads_lead_and_follow_one_another(void **state)
{
	struct flights *flights = flights_new();
	struct reader readers[READERS];
	pthread_barrier_t start;

	(void)state;
	pthread_barrier_init(&start, NULL, READERS);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .flights = flights, .start = &start };
		assert_int_equal(pthread_create(&readers[i].thread, NULL, lead_or_follow,
		    &readers[i]), 0);
	}
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].seen, PIECES);
	}
	pthread_barrier_destroy(&start);
	flights_free(flights);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_leads_and_the_others_hear_of_it),
		cmocka_unit_test(the_leader_hears_who_comes_and_when_the_last_has_left),
		cmocka_unit_test(none_joins_what_is_another_closed_or_over),
		cmocka_unit_test(threads_read_while_it_comes),
		cmocka_unit_test(threads_lead_and_follow_one_another),
	};

	return cmocka_run_group_tests_name("flight", tests, NULL, NULL);
}

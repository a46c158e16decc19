/*
 * Tests of pool/breaker: when it opens, whom it lets in, and that threads which compete for the one
 * probe get it one at a time. The clock is a number here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "pool/breaker.h"

enum {
	FAILURES = 3,
	OPEN_MS = 1000,
	NOW_MS = 5000,
	MIDDLE = 100, /* dice of a fifth of OPEN_MS: neither more nor less */
};

static struct breaker breaker;

static int setup(void **state)
{
	static const struct breaker_settings settings = {.failures = FAILURES, .open_ms = OPEN_MS};

	(void)state;
	breaker_init(&breaker, &settings);
	return 0;
}

static struct breaker_pass enter(uint64_t now_ms)
{
	struct breaker_pass pass = {.valid = false};
	uint64_t wait_ms;

	assert_true(breaker_enter(&breaker, now_ms, &pass, &wait_ms));
	assert_int_equal(wait_ms, 0);
	return pass;
}

/* Nobody is let in, for so long. */
static void stays_out(uint64_t now_ms, uint64_t expected_ms)
{
	struct breaker_pass pass = {.valid = false};
	uint64_t wait_ms;

	assert_false(breaker_enter(&breaker, now_ms, &pass, &wait_ms));
	assert_false(pass.valid);
	assert_int_equal(wait_ms, expected_ms);
}

static void stands(uint64_t now_ms, enum breaker_state expected, uint64_t expected_ms)
{
	uint64_t wait_ms;

	assert_int_equal(breaker_look(&breaker, now_ms, &wait_ms), expected);
	assert_int_equal(wait_ms, expected_ms);
}

static enum breaker_change fail_once(uint64_t now_ms)
{
	struct breaker_pass pass = enter(now_ms);

	return breaker_failed(&breaker, &pass, now_ms, MIDDLE);
}

static void open_it(uint64_t now_ms)
{
	for (unsigned i = 1; i < FAILURES; i++) {
		assert_int_equal(fail_once(now_ms), BREAKER_STAYS);
	}
	assert_int_equal(fail_once(now_ms), BREAKER_OPENS);
}

static void it_opens_after_so_many_failures_in_a_row(void **state)
{
	(void)state;
	stands(NOW_MS, BREAKER_CLOSED, 0);
	open_it(NOW_MS);
	stands(NOW_MS, BREAKER_OPEN, OPEN_MS);
	stays_out(NOW_MS, OPEN_MS);
	stays_out(NOW_MS + OPEN_MS - 1, 1);
}

static void a_success_in_between_begins_the_row_anew(void **state)
{
	struct breaker_pass pass;

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 1; i < FAILURES; i++) {
			assert_int_equal(fail_once(NOW_MS), BREAKER_STAYS);
		}
		pass = enter(NOW_MS);
		assert_int_equal(breaker_worked(&breaker, &pass), BREAKER_STAYS);
	}
	stands(NOW_MS, BREAKER_CLOSED, 0);
	open_it(NOW_MS);
}

static void one_that_ends_without_a_word_counts_for_nothing(void **state)
{
	struct breaker_pass pass;

	(void)state;
	for (unsigned i = 1; i < FAILURES; i++) {
		assert_int_equal(fail_once(NOW_MS), BREAKER_STAYS);
	}
	pass = enter(NOW_MS);
	breaker_leave(&breaker, &pass);
	stands(NOW_MS, BREAKER_CLOSED, 0);
	assert_int_equal(fail_once(NOW_MS), BREAKER_OPENS); /* nor did it end the row */
}

static void without_failures_to_count_it_never_opens(void **state)
{
	static const struct breaker_settings off = {.failures = 0};

	(void)state;
	breaker_init(&breaker, &off);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(fail_once(NOW_MS), BREAKER_STAYS);
	}
	stands(NOW_MS, BREAKER_CLOSED, 0);
}

static void after_its_time_exactly_one_tries(void **state)
{
	struct breaker_pass probe;

	(void)state;
	open_it(NOW_MS);
	stands(NOW_MS + OPEN_MS, BREAKER_HALF_OPEN, 0);
	probe = enter(NOW_MS + OPEN_MS);
	assert_true(probe.probe);
	for (unsigned i = 0; i < 10; i++) {
		stays_out(NOW_MS + OPEN_MS + i, 0);
	}
	stands(NOW_MS + OPEN_MS, BREAKER_HALF_OPEN, 0);
	assert_int_equal(breaker_worked(&breaker, &probe), BREAKER_CLOSES);
	stands(NOW_MS + OPEN_MS, BREAKER_CLOSED, 0);
	probe = enter(NOW_MS + OPEN_MS);
	assert_false(probe.probe);
	open_it(NOW_MS + OPEN_MS); /* by a whole row again */
}

static void a_probe_that_fails_opens_it_again(void **state)
{
	struct breaker_pass probe;

	(void)state;
	open_it(NOW_MS);
	probe = enter(NOW_MS + OPEN_MS);
	assert_int_equal(
		breaker_failed(&breaker, &probe, NOW_MS + OPEN_MS, MIDDLE), BREAKER_OPENS_AGAIN);
	stays_out(NOW_MS + OPEN_MS, OPEN_MS);
	probe = enter(NOW_MS + 2 * OPEN_MS);
	assert_int_equal(breaker_worked(&breaker, &probe), BREAKER_CLOSES);
}

static void it_opens_again_for_a_tenth_less_or_more(void **state)
{
	static const struct {
		uint64_t dice;
		uint64_t expected_ms;
	} cases[] = {{0, 900}, {50, 950}, {100, 1000}, {200, 1100}, {201, 900},
		{UINT64_MAX, 900 + UINT64_MAX % 201}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct breaker_pass probe;

		(void)setup(state);
		open_it(NOW_MS);
		probe = enter(NOW_MS + OPEN_MS);
		(void)breaker_failed(&breaker, &probe, NOW_MS, cases[i].dice);
		stays_out(NOW_MS, cases[i].expected_ms);
	}
}

static void a_probe_that_is_given_up_is_the_next_ones(void **state)
{
	struct breaker_pass probe;

	(void)state;
	open_it(NOW_MS);
	for (unsigned i = 0; i < 10; i++) {
		probe = enter(NOW_MS + OPEN_MS);
		assert_true(probe.probe);
		breaker_leave(&breaker, &probe);
	}
	probe = enter(NOW_MS + OPEN_MS);
	assert_int_equal(breaker_worked(&breaker, &probe), BREAKER_CLOSES);
}

static void what_began_before_it_opened_says_nothing_afterwards(void **state)
{
	struct breaker_pass old[FAILURES + 2];
	struct breaker_pass probe;

	(void)state;
	for (size_t i = 0; i < FAILURES + 2; i++) {
		old[i] = enter(NOW_MS);
	}
	open_it(NOW_MS);
	assert_int_equal(breaker_worked(&breaker, &old[0]), BREAKER_STAYS);
	stays_out(NOW_MS, OPEN_MS);
	probe = enter(NOW_MS + OPEN_MS);
	assert_int_equal(
		breaker_failed(&breaker, &old[1], NOW_MS + OPEN_MS, MIDDLE), BREAKER_STAYS);
	stays_out(NOW_MS + OPEN_MS, 0); /* the probe runs still */
	assert_int_equal(breaker_worked(&breaker, &probe), BREAKER_CLOSES);
	for (size_t i = 2; i < FAILURES + 2; i++) {
		assert_int_equal(
			breaker_failed(&breaker, &old[i], NOW_MS + OPEN_MS, MIDDLE), BREAKER_STAYS);
	}
	open_it(NOW_MS + OPEN_MS); /* none of them was counted */
}

static void a_pass_is_used_up_by_what_is_said_first(void **state)
{
	struct breaker_pass pass = enter(NOW_MS);

	(void)state;
	assert_int_equal(breaker_worked(&breaker, &pass), BREAKER_STAYS);
	for (unsigned i = 0; i < FAILURES; i++) {
		assert_int_equal(breaker_failed(&breaker, &pass, NOW_MS, MIDDLE), BREAKER_STAYS);
		breaker_leave(&breaker, &pass);
	}
	stands(NOW_MS, BREAKER_CLOSED, 0);
}

/* --- threads */

enum {
	ROUNDS = 20000,
};

static _Atomic unsigned inside; /* probes that run */
static _Atomic unsigned probes;
static _Atomic bool collided;
static _Atomic uint64_t clock_ms;

/* Fails, probes, gives up and works by turns, and looks that no other probe runs meanwhile. */
static void *compete(void *argument)
{
	unsigned step = (unsigned)(uintptr_t)argument;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t now_ms = atomic_fetch_add(&clock_ms, 1);
		struct breaker_pass pass;
		uint64_t wait_ms;

		if (!breaker_enter(&breaker, now_ms, &pass, &wait_ms)) {
			continue;
		}
		if (pass.probe) {
			if (atomic_fetch_add(&inside, 1) != 0) {
				atomic_store(&collided, true);
			}
			atomic_fetch_add(&probes, 1);
			atomic_fetch_sub(&inside, 1);
		}
		switch (step++ % 5) {
		case 0:
			(void)breaker_worked(&breaker, &pass);
			break;
		case 1:
			breaker_leave(&breaker, &pass);
			break;
		default:
			(void)breaker_failed(&breaker, &pass, now_ms, step);
			break;
		}
	}
	return NULL;
}

static void threads_get_the_probe_one_at_a_time(void **state)
{
	static const struct breaker_settings settings = {.failures = 2, .open_ms = 5};
	pthread_t threads[4];

	(void)state;
	breaker_init(&breaker, &settings);
	for (uintptr_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, compete, (void *)i), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	assert_false(atomic_load(&collided));
	assert_true(atomic_load(&probes) > 0);
}

struct contender {
	pthread_t thread;
	pthread_barrier_t *barrier;
	struct breaker_pass pass;
	bool entered;
};

static void *ask_once(void *argument)
{
	struct contender *self = argument;
	uint64_t wait_ms;

	(void)pthread_barrier_wait(self->barrier);
	self->entered = breaker_enter(&breaker, NOW_MS + OPEN_MS, &self->pass, &wait_ms);
	return NULL;
}

static void of_two_that_ask_at_once_one_is_let_in(void **state)
{
	for (unsigned round = 0; round < 200; round++) {
		struct contender two[2];
		pthread_barrier_t barrier;

		(void)setup(state);
		open_it(NOW_MS);
		assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
		for (size_t i = 0; i < 2; i++) {
			two[i] = (struct contender){.barrier = &barrier};
			assert_int_equal(
				pthread_create(&two[i].thread, NULL, ask_once, &two[i]), 0);
		}
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(pthread_join(two[i].thread, NULL), 0);
		}
		assert_int_equal(two[0].entered + two[1].entered, 1);
		(void)pthread_barrier_destroy(&barrier);
	}
}

static void *fail_one(void *argument)
{
	struct contender *self = argument;

	self->pass = enter(NOW_MS);
	(void)pthread_barrier_wait(self->barrier);
	self->entered = breaker_failed(&breaker, &self->pass, NOW_MS, MIDDLE) == BREAKER_OPENS;
	return NULL;
}

static void failures_of_two_threads_make_one_row(void **state)
{
	static const struct breaker_settings settings = {.failures = 2, .open_ms = OPEN_MS};

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct contender two[2];
		pthread_barrier_t barrier;

		breaker_init(&breaker, &settings);
		assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
		for (size_t i = 0; i < 2; i++) {
			two[i] = (struct contender){.barrier = &barrier};
			assert_int_equal(
				pthread_create(&two[i].thread, NULL, fail_one, &two[i]), 0);
		}
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(pthread_join(two[i].thread, NULL), 0);
		}
		assert_int_equal(two[0].entered + two[1].entered, 1);
		stands(NOW_MS, BREAKER_OPEN, OPEN_MS);
		(void)pthread_barrier_destroy(&barrier);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_opens_after_so_many_failures_in_a_row, setup),
		cmocka_unit_test_setup(a_success_in_between_begins_the_row_anew, setup),
		cmocka_unit_test_setup(one_that_ends_without_a_word_counts_for_nothing, setup),
		cmocka_unit_test_setup(without_failures_to_count_it_never_opens, setup),
		cmocka_unit_test_setup(after_its_time_exactly_one_tries, setup),
		cmocka_unit_test_setup(a_probe_that_fails_opens_it_again, setup),
		cmocka_unit_test_setup(it_opens_again_for_a_tenth_less_or_more, setup),
		cmocka_unit_test_setup(a_probe_that_is_given_up_is_the_next_ones, setup),
		cmocka_unit_test_setup(what_began_before_it_opened_says_nothing_afterwards, setup),
		cmocka_unit_test_setup(a_pass_is_used_up_by_what_is_said_first, setup),
		cmocka_unit_test_setup(threads_get_the_probe_one_at_a_time, setup),
		cmocka_unit_test_setup(of_two_that_ask_at_once_one_is_let_in, setup),
		cmocka_unit_test_setup(failures_of_two_threads_make_one_row, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The timing wheel, on a clock that only the test moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "base/timer.h"

enum {
	TIMERS = 200,
};

struct alarm_clock { /* a timer, and what the naive model knows of it */
	struct timer timer;
	uint64_t due_ms;
	bool active;
	unsigned fired;
	struct fixture *fixture;
};

struct fixture {
	struct timer_wheel wheel;
	struct alarm_clock clocks[TIMERS];
	uint64_t now_ms;
	uint64_t last_tick;
	uint64_t seed;
	unsigned restarts;    /* how often a callback starts its timer again */
	struct timer *victim; /* stopped by a callback */
};

static uint64_t next_random(struct fixture *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return f->seed;
}

static void start(struct alarm_clock *clock, uint64_t delay_ms)
{
	struct fixture *f = clock->fixture;

	timer_start(&f->wheel, &clock->timer, f->now_ms, delay_ms);
	clock->due_ms = f->now_ms + delay_ms;
	clock->active = true;
	assert_true(timer_active(&clock->timer));
}

static void ring(struct timer *timer)
{
	struct alarm_clock *clock = container_of(timer, struct alarm_clock, timer);
	struct fixture *f = clock->fixture;

	assert_false(timer_active(timer));
	assert_true(clock->active);
	assert_true(f->now_ms >= clock->due_ms);
	assert_true(timer->due_tick >= f->last_tick);
	f->last_tick = timer->due_tick;
	clock->active = false;
	clock->fired++;
	if (f->victim != NULL) {
		timer_stop(&f->wheel, f->victim);
	}
	if (f->restarts > 0) {
		f->restarts--;
		start(clock, 0);
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now_ms = 1234567;
	f->seed = 88172645463325252u;
	timer_wheel_init(&f->wheel, f->now_ms);
	for (unsigned i = 0; i < TIMERS; i++) {
		timer_init(&f->clocks[i].timer, ring);
		f->clocks[i].fixture = f;
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void advance(struct fixture *f, uint64_t ms)
{
	f->now_ms += ms;
	f->last_tick = 0;
	timer_wheel_advance(&f->wheel, f->now_ms);
}

static void a_timer_never_fires_early_and_at_most_a_tick_late(void **state)
{
	struct fixture *f = *state;

	for (uint64_t delay = 0; delay < 200; delay++) {
		struct alarm_clock *clock = &f->clocks[0];

		clock->fired = 0;
		start(clock, delay);
		for (uint64_t ms = 0; ms < delay; ms++) {
			timer_wheel_advance(&f->wheel, f->now_ms + ms);
			assert_int_equal(clock->fired, 0);
		}
		advance(f, delay + TIMER_TICK_MS);
		assert_int_equal(clock->fired, 1);
		advance(f, next_random(f) % 20);
	}
}

static void a_wheel_agrees_with_a_naive_model(void **state)
{
	static const uint64_t spans[] = {1, 30, 600, 5000, 70000, 3000000, 200000000, 8000000000};
	struct fixture *f = *state;

	for (unsigned step = 0; step < 60000; step++) {
		struct alarm_clock *clock = &f->clocks[next_random(f) % TIMERS];
		uint64_t span = spans[next_random(f) % 8];
		bool far;

		switch (next_random(f) % 4) {
		case 0:
		case 1:
			start(clock, next_random(f) % span);
			break;
		case 2:
			timer_stop(&f->wheel, &clock->timer);
			clock->active = false;
			assert_false(timer_active(&clock->timer));
			break;
		default:
			/* seldom far: a far jump fires everything and leaves little to compare */
			far = next_random(f) % 50 == 0;
			advance(f, next_random(f) % (far ? span : 40));
			break;
		}
		for (unsigned i = 0; i < TIMERS; i++) {
			struct alarm_clock *each = &f->clocks[i];

			assert_int_equal(timer_active(&each->timer), each->active);
			if (each->active) {
				/* what is overdue by a tick has fired at the last advance */
				assert_true(each->due_ms + TIMER_TICK_MS >
					    f->wheel.tick * TIMER_TICK_MS);
			}
		}
	}
}

static void hops_by_next_ms_meet_every_deadline(void **state)
{
	struct fixture *f = *state;
	unsigned hops = 0;
	uint64_t wait;

	assert_true(timer_wheel_next_ms(&f->wheel, f->now_ms) == UINT64_MAX);
	for (unsigned i = 0; i < TIMERS; i++) {
		start(&f->clocks[i], next_random(f) % (UINT64_C(1) << (i % 33)));
	}
	while ((wait = timer_wheel_next_ms(&f->wheel, f->now_ms)) != UINT64_MAX) {
		uint64_t earliest = UINT64_MAX;

		for (unsigned i = 0; i < TIMERS; i++) {
			if (f->clocks[i].active && f->clocks[i].due_ms < earliest) {
				earliest = f->clocks[i].due_ms;
			}
		}
		assert_true(f->now_ms + wait < earliest + TIMER_TICK_MS);
		advance(f, wait);
		assert_true(++hops < TIMERS * TIMER_LEVELS);
	}
	for (unsigned i = 0; i < TIMERS; i++) {
		assert_int_equal(f->clocks[i].fired, 1);
	}
}

static void a_callback_may_stop_another_timer_of_the_same_tick(void **state)
{
	struct fixture *f = *state;

	start(&f->clocks[0], 100);
	start(&f->clocks[1], 100);
	start(&f->clocks[2], 100);
	f->victim = &f->clocks[1].timer;
	advance(f, 200);
	assert_int_equal(f->clocks[0].fired, 1);
	assert_int_equal(f->clocks[1].fired, 0);
	assert_int_equal(f->clocks[2].fired, 1);
	assert_true(timer_wheel_next_ms(&f->wheel, f->now_ms) == UINT64_MAX);
}

static void a_callback_may_start_its_timer_again_without_a_loop(void **state)
{
	struct fixture *f = *state;

	f->restarts = 3;
	start(&f->clocks[0], 10);
	for (unsigned i = 0; i < 10; i++) {
		advance(f, 1000);
	}
	assert_int_equal(f->clocks[0].fired, 4);
}

static void starting_again_moves_the_deadline(void **state)
{
	struct fixture *f = *state;

	start(&f->clocks[0], 100);
	start(&f->clocks[0], 10000);
	advance(f, 5000);
	assert_int_equal(f->clocks[0].fired, 0);
	start(&f->clocks[0], 10);
	advance(f, 18);
	assert_int_equal(f->clocks[0].fired, 1);
	advance(f, 20000);
	assert_int_equal(f->clocks[0].fired, 1);
}

static void a_wait_beyond_the_wheel_is_cut_to_its_span(void **state)
{
	struct fixture *f = *state;

	timer_start(&f->wheel, &f->clocks[0].timer, f->now_ms, UINT64_MAX);
	f->clocks[0].active = true;
	advance(f, UINT64_C(98) * 86400 * 1000);
	assert_int_equal(f->clocks[0].fired, 0);
	advance(f, UINT64_C(2) * 86400 * 1000);
	assert_int_equal(f->clocks[0].fired, 1);
}

static void a_wheel_that_stood_still_for_long_starts_where_the_clock_is(void **state)
{
	struct fixture *f = *state;

	f->now_ms += UINT64_C(40) * 86400 * 1000;
	start(&f->clocks[0], 50);
	assert_in_range(timer_wheel_next_ms(&f->wheel, f->now_ms), 50, 50 + TIMER_TICK_MS);
	advance(f, 49);
	assert_int_equal(f->clocks[0].fired, 0);
	advance(f, 9);
	assert_int_equal(f->clocks[0].fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_timer_never_fires_early_and_at_most_a_tick_late, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wheel_agrees_with_a_naive_model, setup, teardown),
		cmocka_unit_test_setup_teardown(
			hops_by_next_ms_meet_every_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_callback_may_stop_another_timer_of_the_same_tick, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_callback_may_start_its_timer_again_without_a_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(starting_again_moves_the_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wait_beyond_the_wheel_is_cut_to_its_span, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wheel_that_stood_still_for_long_starts_where_the_clock_is, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

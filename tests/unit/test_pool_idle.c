/*
 * Tests of pool/idle: which idle connection is lent, and until when one stays. The clock is a
 * number here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/idle.h"

enum {
	HOUR_MS = 3600 * 1000,
};

struct fixture {
	struct idle_list idle;
	struct idle_entry older;
	struct idle_entry newer;
};

/* `older` is idle since 1000, `newer` since 2000; both until 10000. */
static struct fixture *two_idle(struct fixture *f)
{
	*f = (struct fixture){.idle.count = 0};
	idle_init(&f->idle);
	idle_park(&f->idle, &f->older, 1000, 10000);
	idle_park(&f->idle, &f->newer, 2000, 10000);
	return f;
}

static void the_one_that_became_idle_last_goes_first(void **state)
{
	struct fixture f;

	(void)state;
	two_idle(&f);
	assert_ptr_equal(idle_take(&f.idle, 3000, 0, 0), &f.newer);
	assert_ptr_equal(idle_take(&f.idle, 3000, 0, 0), &f.older);
	assert_null(idle_take(&f.idle, 3000, 0, 0));
	assert_int_equal(f.idle.count, 0);
}

static void one_that_passed_its_time_is_not_lent(void **state)
{
	struct fixture f;

	(void)state;
	two_idle(&f);
	f.newer.until_ms = 3000;
	assert_ptr_equal(idle_take(&f.idle, 3000, 0, 0), &f.older);
	assert_null(idle_take(&f.idle, 3000, 0, 0));
	assert_ptr_equal(idle_pop_expired(&f.idle, 3000), &f.newer);
}

static void one_is_lent_until_the_millisecond_before_its_time(void **state)
{
	struct fixture f;

	(void)state;
	two_idle(&f);
	assert_ptr_equal(idle_take(&f.idle, 9999, 0, 0), &f.newer);
	assert_null(idle_take(&f.idle, 10000, 0, 0));
}

static void one_that_was_not_used_of_late_is_not_lent_where_that_matters(void **state)
{
	struct fixture f;

	(void)state;
	two_idle(&f);
	assert_null(idle_take(&f.idle, 4001, 2000, 0));
	assert_ptr_equal(idle_take(&f.idle, 4000, 2000, 0), &f.newer);
	assert_null(idle_take(&f.idle, 4000, 2000, 0));
}

static void the_oldest_is_the_one_to_give_up(void **state)
{
	struct fixture f;

	(void)state;
	two_idle(&f);
	assert_ptr_equal(idle_oldest(&f.idle), &f.older);
	idle_remove(&f.idle, &f.older);
	assert_ptr_equal(idle_oldest(&f.idle), &f.newer);
	idle_remove(&f.idle, &f.newer);
	assert_null(idle_oldest(&f.idle));
}

static void those_are_counted_that_have_been_idle_for_long_enough(void **state)
{
	struct fixture f;

	(void)state;
	two_idle(&f);
	assert_int_equal(idle_count_since(&f.idle, 2000, 1001), 0);
	assert_int_equal(idle_count_since(&f.idle, 2000, 1000), 1);
	assert_int_equal(idle_count_since(&f.idle, 3000, 1000), 2);
}

static void what_passed_its_time_is_found_wherever_it_stands(void **state)
{
	struct fixture f;
	struct idle_entry newest;

	(void)state;
	two_idle(&f);
	idle_park(&f.idle, &newest, 3000, 20000);
	f.newer.until_ms = 5000;
	assert_int_equal(idle_next_ms(&f.idle), 5000);
	assert_null(idle_pop_expired(&f.idle, 4999));
	assert_ptr_equal(idle_pop_expired(&f.idle, 5000), &f.newer);
	assert_int_equal(idle_next_ms(&f.idle), 10000);
	assert_ptr_equal(idle_pop_expired(&f.idle, 15000), &f.older);
	assert_null(idle_pop_expired(&f.idle, 15000));
	assert_int_equal(f.idle.count, 1);
}

static void an_empty_list_never_expires(void **state)
{
	struct idle_list idle;

	(void)state;
	idle_init(&idle);
	assert_true(idle_next_ms(&idle) == IDLE_FOREVER);
}

static void the_idle_time_is_the_pools_own_or_a_second_less_than_the_upstream_said(void **state)
{
	(void)state;
	assert_int_equal(idle_limit_ms(60000, 0), 60000);
	assert_int_equal(idle_limit_ms(60000, 5000), 4000);
	assert_int_equal(idle_limit_ms(60000, 75000), 60000);
	assert_int_equal(idle_limit_ms(0, 5000), 4000);
	assert_true(idle_limit_ms(0, 0) == IDLE_FOREVER);
}

static void a_keep_alive_of_a_second_is_not_worth_keeping(void **state)
{
	(void)state;
	assert_int_equal(idle_limit_ms(60000, 1000), 0);
	assert_int_equal(idle_limit_ms(60000, 1), 0);
	assert_int_equal(idle_limit_ms(60000, 1001), 1);
}

static void ages_lie_within_a_tenth_and_are_spread(void **state)
{
	unsigned early = 0;

	(void)state;
	for (uint64_t number = 1; number <= 100; number++) {
		uint64_t at = idle_retire_ms(HOUR_MS, 300000, number);

		assert_in_range(at, HOUR_MS + 270000, HOUR_MS + 330000);
		assert_int_equal(at, idle_retire_ms(HOUR_MS, 300000, number));
		early += at < HOUR_MS + 300000;
	}
	assert_in_range(early, 40, 60);
	assert_int_not_equal(idle_retire_ms(0, 300000, 1), idle_retire_ms(0, 300000, 2));
}

static void without_a_greatest_age_there_is_none(void **state)
{
	(void)state;
	assert_true(idle_retire_ms(HOUR_MS, 0, 7) == IDLE_FOREVER);
	assert_true(idle_retire_ms(HOUR_MS, UINT64_MAX, 7) > UINT64_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_that_became_idle_last_goes_first),
		cmocka_unit_test(one_that_passed_its_time_is_not_lent),
		cmocka_unit_test(one_is_lent_until_the_millisecond_before_its_time),
		cmocka_unit_test(one_that_was_not_used_of_late_is_not_lent_where_that_matters),
		cmocka_unit_test(the_oldest_is_the_one_to_give_up),
		cmocka_unit_test(those_are_counted_that_have_been_idle_for_long_enough),
		cmocka_unit_test(what_passed_its_time_is_found_wherever_it_stands),
		cmocka_unit_test(an_empty_list_never_expires),
		cmocka_unit_test(
			the_idle_time_is_the_pools_own_or_a_second_less_than_the_upstream_said),
		cmocka_unit_test(a_keep_alive_of_a_second_is_not_worth_keeping),
		cmocka_unit_test(ages_lie_within_a_tenth_and_are_spread),
		cmocka_unit_test(without_a_greatest_age_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What happened in the last minute, by a clock that only the test moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/minute.h"

static void what_happened_counts_for_sixty_seconds(void **state)
{
	struct minute minute = {0};

	(void)state;
	assert_int_equal(minute_sum(&minute, 1000), 0);
	minute_add(&minute, 1000);
	minute_add(&minute, 1000);
	minute_add(&minute, 1030);
	assert_int_equal(minute_sum(&minute, 1000), 2); /* the reader's clock is behind */
	assert_int_equal(minute_sum(&minute, 1030), 3);
	assert_int_equal(minute_sum(&minute, 1059), 3);
	assert_int_equal(minute_sum(&minute, 1060), 1);
	assert_int_equal(minute_sum(&minute, 1089), 1);
	assert_int_equal(minute_sum(&minute, 1090), 0);
}

static void a_second_takes_the_place_of_the_one_a_minute_before(void **state)
{
	struct minute minute = {0};

	(void)state;
	for (uint64_t second = 0; second < 1000; second++) {
		minute_add(&minute, second);
		minute_add(&minute, second);
	}
	assert_int_equal(minute_sum(&minute, 999), 2 * MINUTE_SECONDS);
	minute_add(&minute, 5000);
	assert_int_equal(minute_sum(&minute, 5000), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_happened_counts_for_sixty_seconds),
		cmocka_unit_test(a_second_takes_the_place_of_the_one_a_minute_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * How near to a duration its bucket is, and what quantiles come out of many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/memory.h"
#include "inspector/distribution.h"

static uint64_t error_per_mille(uint64_t duration_us)
{
	uint64_t value = distribution_value(distribution_bucket(duration_us));
	uint64_t away = value > duration_us ? value - duration_us : duration_us - value;

	return (1000 * away + duration_us - 1) / duration_us;
}

static void every_duration_of_twelve_decades_is_known_within_two_percent(void **state)
{
	uint64_t duration_us = 1;

	(void)state;
	for (; duration_us < UINT64_C(1000000000000); duration_us += duration_us / 500 + 1) {
		assert_true(error_per_mille(duration_us) <= 16);
	}
	for (unsigned bit = 1; bit < 40; bit++) { /* where a page ends and the next begins */
		assert_true(error_per_mille((UINT64_C(1) << bit) - 1) <= 16);
		assert_true(error_per_mille(UINT64_C(1) << bit) <= 16);
	}
	assert_int_equal(distribution_value(distribution_bucket(0)), 0);
	assert_int_equal(distribution_value(distribution_bucket(31)), 31);
}

static void buckets_rise_with_the_durations_up_to_the_last(void **state)
{
	(void)state;
	for (unsigned bucket = 0; bucket < DISTRIBUTION_BUCKETS; bucket++) {
		assert_int_equal(distribution_bucket(distribution_value(bucket)), bucket);
		assert_true(
			bucket == 0 || distribution_value(bucket) > distribution_value(bucket - 1));
	}
	assert_int_equal(distribution_bucket(UINT64_C(1) << 40), DISTRIBUTION_BUCKETS - 1);
	assert_int_equal(distribution_bucket(UINT64_MAX), DISTRIBUTION_BUCKETS - 1);
}

static int by_size(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

enum {
	VALUES = 5000,
};

/* The same on every run, over all sizes. */
static uint64_t next_value(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return 1 + (*random >> 24) % (UINT64_C(1) << (1 + (*random >> 12) % 38));
}

static void quantiles_of_two_writers_are_those_of_all_values_within_two_percent(void **state)
{
	static const unsigned per_milles[] = {1, 250, 500, 900, 950, 990, 999, 1000};
	uint64_t *values = mem_alloc_array(VALUES, sizeof(*values));
	struct distribution written[2] = {{{NULL}}};
	struct distribution_sum *sum = mem_zalloc(sizeof(*sum));
	uint64_t random = 1;

	(void)state;
	for (unsigned i = 0; i < VALUES; i++) {
		values[i] = next_value(&random);
		distribution_note(&written[i % 2], distribution_bucket(values[i]));
	}
	qsort(values, VALUES, sizeof(*values), by_size);
	distribution_add_to(&written[0], sum);
	distribution_add_to(&written[1], sum);
	assert_int_equal(sum->total, VALUES);
	for (size_t i = 0; i < sizeof(per_milles) / sizeof(per_milles[0]); i++) {
		uint64_t exact = values[(VALUES * per_milles[i] + 999) / 1000 - 1];
		uint64_t found = distribution_quantile(sum, per_milles[i]);

		assert_true(50 * found <= 51 * exact && 50 * found >= 49 * exact);
	}
	distribution_fini(&written[0]);
	distribution_fini(&written[1]);
	mem_free(sum);
	mem_free(values);
}

static void of_nothing_there_is_no_quantile_and_of_one_value_there_is_one(void **state)
{
	struct distribution_sum *sum = mem_zalloc(sizeof(*sum));

	(void)state;
	assert_int_equal(distribution_quantile(sum, 500), 0);
	distribution_sum_add(sum, distribution_bucket(20), 1);
	assert_int_equal(distribution_quantile(sum, 0), 20);
	assert_int_equal(distribution_quantile(sum, 500), 20);
	assert_int_equal(distribution_quantile(sum, 1000), 20);
	mem_free(sum);
}

static void a_bucket_that_is_full_stays_full(void **state)
{
	struct distribution_sum *sum = mem_zalloc(sizeof(*sum));

	(void)state;
	distribution_sum_add(sum, 7, UINT32_MAX);
	distribution_sum_add(sum, 7, 2);
	assert_int_equal(sum->counts[7], UINT32_MAX);
	assert_int_equal(distribution_quantile(sum, 990), 7);
	mem_free(sum);
}

static void a_coarse_bucket_lies_within_the_same_doubling(void **state)
{
	(void)state;
	for (unsigned bucket = 0; bucket < DISTRIBUTION_BUCKETS; bucket++) {
		unsigned coarse = distribution_coarse(bucket);

		assert_int_equal(coarse / DISTRIBUTION_STEPS, bucket / DISTRIBUTION_STEPS);
		assert_int_equal(distribution_coarse(coarse), coarse);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_duration_of_twelve_decades_is_known_within_two_percent),
		cmocka_unit_test(buckets_rise_with_the_durations_up_to_the_last),
		cmocka_unit_test(
			quantiles_of_two_writers_are_those_of_all_values_within_two_percent),
		cmocka_unit_test(of_nothing_there_is_no_quantile_and_of_one_value_there_is_one),
		cmocka_unit_test(a_bucket_that_is_full_stays_full),
		cmocka_unit_test(a_coarse_bucket_lies_within_the_same_doubling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

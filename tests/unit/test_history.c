/*
 * What is kept of the last minutes: exactly while there is room, less exactly beyond, for as long
 * as is promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/memory.h"
#include "inspector/distribution.h"
#include "inspector/history.h"
#include "inspector/path_table.h"

#define STEP_US (HISTORY_STEP_S * UINT64_C(1000000))

enum {
	BEGIN = 1000, /* the step in which the tests begin */
};

static int setup(void **state)
{
	struct history *history = mem_zalloc(sizeof(*history));

	history_init(history);
	*state = history;
	return 0;
}

static int teardown(void **state)
{
	history_fini(*state);
	mem_free(*state);
	return 0;
}

struct summed {
	uint64_t entries;
	uint64_t count;
	uint64_t failed;
	uint64_t other;
};

static struct summed sum_of(const struct history *history, uint64_t step)
{
	struct summed sum = {.count = 0};
	struct history_entry entries[7];
	size_t count;

	while ((count = history_copy(history, step, sum.entries, entries, 7)) > 0) {
		for (size_t i = 0; i < count; i++) {
			sum.count += entries[i].count;
			sum.failed += entries[i].failed ? entries[i].count : 0;
			sum.other += entries[i].path == PATH_OTHER ? entries[i].count : 0;
		}
		sum.entries += count;
	}
	return sum;
}

static void what_is_alike_shares_an_entry_of_its_step(void **state)
{
	struct history *history = *state;
	struct history_entry entries[8];

	for (unsigned i = 0; i < 3; i++) {
		history_note(history, BEGIN * STEP_US + i, 5, false, 77);
	}
	history_note(history, BEGIN * STEP_US + 4, 5, true, 77);
	history_note(history, (BEGIN + 1) * STEP_US - 1, 6, false, 1151);
	history_note(history, (BEGIN + 1) * STEP_US, 5, false, 77);
	assert_int_equal(history_copy(history, BEGIN, 0, entries, 8), 3);
	assert_int_equal(entries[0].path, 5);
	assert_int_equal(entries[0].bucket, 77);
	assert_int_equal(entries[0].count, 3);
	assert_false(entries[0].failed);
	assert_true(entries[1].failed);
	assert_int_equal(entries[1].count, 1);
	assert_int_equal(entries[2].path, 6);
	assert_int_equal(entries[2].bucket, 1151);
	assert_int_equal(sum_of(history, BEGIN + 1).count, 1);
	assert_int_equal(history_copy(history, BEGIN + 2, 0, entries, 8), 0);
	assert_int_equal(history_copy(history, BEGIN - 1, 0, entries, 8), 0);
}

static void a_full_step_counts_all_and_forgets_first_the_duration_then_the_kind(void **state)
{
	struct history *history = *state;
	struct summed sum;

	for (unsigned path = 1; path <= 200; path++) {
		for (unsigned bucket = 320; bucket < 340; bucket++) {
			history_note(history, BEGIN * STEP_US, path, bucket % 2 == 0, bucket);
		}
	}
	sum = sum_of(history, BEGIN);
	assert_int_equal(sum.count, 4000);
	assert_int_equal(sum.failed, 2000);
	assert_true(sum.entries <= HISTORY_STEP_ENTRIES);
	assert_true(sum.other > 0 && sum.other < 2000);
	assert_int_equal(history->steps[BEGIN % HISTORY_STEPS].count, sum.entries);
}

static void nothing_that_can_be_counted_passes_the_bound_of_a_step(void **state)
{
	struct history *history = *state;

	for (unsigned path = 0; path < PATHS; path++) {
		for (unsigned bucket = 0; bucket < DISTRIBUTION_BUCKETS; bucket += 8) {
			history_note(history, BEGIN * STEP_US, path, false, bucket);
			history_note(history, BEGIN * STEP_US, path, true, bucket);
		}
	}
	assert_int_equal(sum_of(history, BEGIN).count, PATHS * DISTRIBUTION_BUCKETS / 8 * 2);
	assert_true(sum_of(history, BEGIN).entries <= HISTORY_STEP_ENTRIES);
}

static void fill(struct history *history, uint64_t step)
{
	for (unsigned path = 1; path <= 300; path++) {
		for (unsigned bucket = 320; bucket < 325; bucket++) {
			history_note(history, step * STEP_US, path, false, bucket);
		}
	}
}

static void five_minutes_are_there_though_every_step_is_full(void **state)
{
	struct history *history = *state;
	uint64_t step = BEGIN;

	for (; step < BEGIN + 500; step++) {
		fill(history, step);
	}
	step--;
	assert_true(history_oldest(history) + HISTORY_WINDOW_S / HISTORY_STEP_S <= step);
	assert_true(history_oldest(history) > BEGIN);
	for (uint64_t at = history_oldest(history); at <= step; at++) {
		assert_int_equal(sum_of(history, at).count, 1500);
	}
	assert_int_equal(sum_of(history, step - HISTORY_STEPS).count, 0);
}

static void where_little_happens_as_much_as_may_be_asked_for_is_there(void **state)
{
	struct history *history = *state;
	const unsigned steps = HISTORY_WINDOW_MAX_S / HISTORY_STEP_S + 1;

	for (unsigned i = 0; i < 3 * steps; i++) {
		history_note(history, (BEGIN + i) * STEP_US, 1, false, 3);
	}
	assert_true(history_oldest(history) <= BEGIN + 2 * steps);
	for (unsigned i = 2 * steps; i < 3 * steps; i++) {
		assert_int_equal(sum_of(history, BEGIN + i).count, 1);
	}
}

static void *write_all(void *context)
{
	for (uint64_t step = BEGIN; step < BEGIN + 100; step++) {
		fill(context, step);
	}
	return NULL;
}

static void it_is_read_while_it_is_written(void **state)
{
	pthread_t writer;

	assert_int_equal(pthread_create(&writer, NULL, write_all, *state), 0);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t step = BEGIN + i / 2;

		(void)history_oldest(*state);
		assert_true(sum_of(*state, step).entries <= HISTORY_STEP_ENTRIES);
	}
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_int_equal(sum_of(*state, BEGIN + 99).count, 1500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_alike_shares_an_entry_of_its_step),
		TEST(a_full_step_counts_all_and_forgets_first_the_duration_then_the_kind),
		TEST(nothing_that_can_be_counted_passes_the_bound_of_a_step),
		TEST(five_minutes_are_there_though_every_step_is_full),
		TEST(where_little_happens_as_much_as_may_be_asked_for_is_there),
		TEST(it_is_read_while_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

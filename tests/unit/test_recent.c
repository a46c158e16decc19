/*
 * What is added up of the last minutes: the window, its parts, paths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "inspector/recent.h"
#include "passing.h"

#define SECOND_US UINT64_C(1000000)

static int setup(void **state)
{
	struct passing *f = mem_zalloc(sizeof(*f));

	passing_init(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	passing_fini(*state);
	mem_free(*state);
	return 0;
}

/* The caller ends it. */
static struct recent_sum *sum_up(struct passing *f, struct recent_query query)
{
	struct recent_sum *sum;

	query.now_us = f->now_us;
	query.window_s = query.window_s == 0 ? HISTORY_WINDOW_S : query.window_s;
	query.parts = query.parts == 0 ? 1 : query.parts;
	sum = recent_begin(f->statistics, &query);
	for (unsigned steps = 0; recent_go_on(sum); steps++) {
		assert_true(steps < 1000);
	}
	return sum;
}

static void expect_path(const struct passing *f, const struct recent_path *path, const char *text,
	uint64_t count, uint64_t failed)
{
	assert_true(slice_equal(
		path_name_path(path_statistics_name(f->statistics, path->path)), slice_str(text)));
	assert_int_equal(path->count, count);
	assert_int_equal(path->failed, failed);
	assert_int_equal(path->durations.total, count);
}

static void workers_routes_and_methods_are_put_together_by_path(void **state)
{
	struct passing *f = *state;
	const struct recent_path *paths;
	struct recent_sum *sum;
	size_t count;

	pass(f, (struct pass){.worker = 0, .path = "/api/jobs/1", .duration_us = 10});
	pass(f, (struct pass){.worker = 1, .path = "/api/jobs/2", .duration_us = 20});
	pass(f, (struct pass){.worker = 1,
			.path = "/api/jobs/2",
			.method = METHOD_PUT,
			.status = 503,
			.duration_us = 30});
	pass(f, (struct pass){.worker = 1, .path = "/", .status = 404, .duration_us = 5});
	sum = sum_up(f, (struct recent_query){.parts = 1});
	paths = recent_paths(sum, &count);
	assert_int_equal(count, 2);
	expect_path(f, &paths[0], "/api/jobs/{id}", 3, 1);
	expect_path(f, &paths[1], "/", 1, 0);
	assert_int_equal(distribution_quantile(&paths[0].durations, 500), 20);
	assert_int_equal(recent_totals(sum)->count, 4);
	assert_int_equal(recent_totals(sum)->failed, 1);
	assert_int_equal(recent_totals(sum)->path_count, 2);
	assert_int_equal(distribution_quantile(&recent_totals(sum)->durations, 990), 30);
	recent_end(sum);
}

static uint64_t count_within(struct passing *f, uint64_t window_s)
{
	struct recent_sum *sum = sum_up(f, (struct recent_query){.window_s = window_s});
	uint64_t count = recent_totals(sum)->count;

	assert_int_equal(recent_totals(sum)->covered_s, window_s);
	recent_end(sum);
	return count;
}

static void what_is_older_than_the_window_is_left_out(void **state)
{
	struct passing *f = *state;

	for (unsigned i = 0; i < 12; i++) { /* one in each step */
		pass(f, (struct pass){.path = "/x"});
		f->now_us += HISTORY_STEP_S * SECOND_US;
	}
	f->now_us -= HISTORY_STEP_S * SECOND_US;
	assert_int_equal(count_within(f, 5), 1);
	assert_int_equal(count_within(f, 10), 2);
	assert_int_equal(count_within(f, 55), 11);
	assert_int_equal(count_within(f, 60), 12);
	assert_int_equal(count_within(f, HISTORY_WINDOW_MAX_S), 12);
	f->now_us += 50 * SECOND_US;
	assert_int_equal(count_within(f, 60), 2);
	f->now_us += 3600 * SECOND_US;
	assert_int_equal(count_within(f, HISTORY_WINDOW_MAX_S), 0);
}

static void parts_are_of_whole_steps_and_hold_all(void **state)
{
	struct passing *f = *state;

	for (unsigned i = 0; i < 12; i++) {
		f->now_us += HISTORY_STEP_S * SECOND_US;
		for (unsigned j = 0; j <= i; j++) {
			pass(f, (struct pass){.path = "/x"});
		}
	}
	for (unsigned parts = 1; parts <= 12; parts++) {
		struct recent_sum *sum =
			sum_up(f, (struct recent_query){.window_s = 60, .parts = parts});
		const struct recent_totals *totals = recent_totals(sum);
		uint64_t length_s = 0;
		uint64_t count = 0;

		for (unsigned i = 0; i < parts; i++) {
			uint64_t steps = totals->parts_s[i] / HISTORY_STEP_S;
			uint64_t before = length_s / HISTORY_STEP_S;

			assert_true(steps == 12 / parts || steps == 12 / parts + 1);
			/* Its steps are the numbers behind those before it. */
			assert_int_equal(
				totals->parts[i], steps * before + steps * (steps + 1) / 2);
			length_s += totals->parts_s[i];
			count += totals->parts[i];
		}
		assert_int_equal(length_s, 60);
		assert_int_equal(count, totals->count);
		recent_end(sum);
	}
}

static void a_prefix_covers_whole_segments_of_folded_paths(void **state)
{
	struct passing *f = *state;
	const struct {
		const char *prefix;
		bool is_open;
		uint64_t count;
	} samples[] = {{"", false, 4}, {"/api", false, 3}, {"/api/jobs", false, 2},
		{"/api/jobs/{id}", false, 1}, {"/api/jo", false, 0}, {"/api/jo", true, 3}};

	pass(f, (struct pass){.path = "/api/jobs"});
	pass(f, (struct pass){.path = "/api/jobs/17"});
	pass(f, (struct pass){.path = "/api/jobless"});
	pass(f, (struct pass){.path = "/x"});
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct recent_sum *sum =
			sum_up(f, (struct recent_query){.prefix = slice_str(samples[i].prefix),
					  .prefix_is_open = samples[i].is_open});

		assert_int_equal(recent_totals(sum)->count, samples[i].count);
		recent_end(sum);
	}
}

static void the_most_frequent_paths_are_told_and_the_sums_hold_the_rest(void **state)
{
	struct passing *f = *state;
	const struct recent_path *paths;
	struct recent_sum *sum;
	char path[32];
	size_t count;

	for (unsigned i = 0; i < 150; i++) {
		(void)snprintf(path, sizeof(path), "/api/%c-%c", 'a' + i / 26, 'a' + i % 26);
		for (unsigned j = 0; j <= i; j++) {
			pass(f, (struct pass){.worker = j % 2, .path = path, .duration_us = 7});
		}
	}
	sum = sum_up(f, (struct recent_query){.parts = 1});
	paths = recent_paths(sum, &count);
	assert_int_equal(count, RECENT_PATHS_MAX);
	assert_int_equal(recent_totals(sum)->path_count, 150);
	assert_int_equal(recent_totals(sum)->count, 150 * 151 / 2);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(paths[i].count, 150 - i);
		assert_int_equal(paths[i].durations.total, 150 - i);
	}
	recent_end(sum);
}

static void a_window_that_is_not_all_there_says_how_much_is(void **state)
{
	struct passing *f = *state;
	struct recent_sum *sum;

	for (unsigned step = 0; step < 200; step++) { /* each as full as it may be */
		for (unsigned i = 0; i < 2000; i++) {
			pass(f, (struct pass){.path = i % 2 == 0 ? "/x" : "/y",
					.duration_us = (32 + UINT64_C(1) * i / 2 % 32) << i / 64});
		}
		f->now_us += HISTORY_STEP_S * SECOND_US;
	}
	f->now_us -= HISTORY_STEP_S * SECOND_US;
	sum = sum_up(f, (struct recent_query){.window_s = HISTORY_WINDOW_MAX_S});
	assert_true(recent_totals(sum)->covered_s >= HISTORY_WINDOW_S);
	assert_true(recent_totals(sum)->covered_s < HISTORY_WINDOW_MAX_S);
	assert_int_equal(
		recent_totals(sum)->count, recent_totals(sum)->covered_s / HISTORY_STEP_S * 2000);
	recent_end(sum);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(workers_routes_and_methods_are_put_together_by_path),
		TEST(what_is_older_than_the_window_is_left_out),
		TEST(parts_are_of_whole_steps_and_hold_all),
		TEST(a_prefix_covers_whole_segments_of_folded_paths),
		TEST(the_most_frequent_paths_are_told_and_the_sums_hold_the_rest),
		TEST(a_window_that_is_not_all_there_says_how_much_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

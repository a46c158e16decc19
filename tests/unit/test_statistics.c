/*
 * What is counted of exchanges that nobody forwards: two workers, three routes, two upstreams.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/memory.h"
#include "inspector/statistics.h"
#include "proxy/exchange.h"

enum {
	WORKERS = 2,
};

struct fixture {
	struct route_settings routes[2];
	struct proxy_settings settings;
	struct statistics *statistics;
};

static int setup(void **state)
{
	static char first[] = "/api";
	static char second[] = "/aaa";
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->routes[0].text = first;
	f->routes[1].text = second;
	f->settings = (struct proxy_settings){
		.workers = WORKERS, .routes = f->routes, .route_count = 2, .upstream_count = 2};
	f->statistics = statistics_create(&f->settings, WORKERS, false);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	statistics_destroy(f->statistics);
	mem_free(f);
	return 0;
}

/* One exchange; `upstream` is NULL where none was asked. */
struct passed {
	unsigned worker;
	const struct route *route;
	enum method method;
	unsigned status;
	uint64_t duration_us;
	const char *upstream;
};

static void pass(struct fixture *f, struct passed passed)
{
	struct observer *observer = statistics_observer(f->statistics, passed.worker);
	struct exchange exchange = {.route = passed.route, .upstream = passed.upstream};

	exchange.request.method = (uint8_t)passed.method;
	exchange.clock.begin_us = 5000;
	assert_int_equal(observer->ops->begin(observer, &exchange, 0), OBSERVE_END);
	exchange.status = passed.status;
	exchange.clock.connected_us = passed.upstream == NULL ? 0 : 5000 + passed.duration_us / 2;
	exchange.clock.end_us = 5000 + passed.duration_us;
	observer->ops->end(observer, &exchange, 0);
}

static uint64_t count_of(const struct histogram_sum *sum)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += sum->counts[i];
	}
	return count;
}

static const struct route api = {.text = "/api", .index = 0};
static const struct route aaa = {.text = "/aaa", .index = 1, .upstream = 1};
static const struct route rest = {.text = "/", .index = 2};

static void expect_series(const struct statistics_series *series, const char *route,
	const char *method, unsigned status, uint64_t count)
{
	assert_string_equal(series->route, route);
	assert_string_equal(series->method, method);
	assert_int_equal(series->status, status);
	assert_int_equal(count_of(&series->durations), count);
}

static void series_are_told_apart_summed_over_workers_and_sorted(void **state)
{
	struct fixture *f = *state;
	struct statistics_series *series;
	size_t count;

	pass(f, (struct passed){.worker = 0, .method = METHOD_OTHER, .status = 400});
	pass(f, (struct passed){0, &rest, METHOD_OTHER, 200, 100, NULL});
	pass(f, (struct passed){1, &aaa, METHOD_GET, 200, 100, NULL});
	pass(f, (struct passed){0, &api, METHOD_POST, 200, 100, NULL});
	pass(f, (struct passed){0, &api, METHOD_GET, 502, 100, NULL});
	pass(f, (struct passed){0, &api, METHOD_GET, 200, 100, NULL});
	pass(f, (struct passed){1, &api, METHOD_GET, 200, 100, NULL});
	pass(f, (struct passed){1, &api, METHOD_GET, 0, 100, NULL});
	pass(f, (struct passed){1, &api, METHOD_GET, 999, 100, NULL});
	series = statistics_read(f->statistics, &count);
	assert_int_equal(count, 8);
	expect_series(&series[0], "", "_OTHER", 400, 1);
	expect_series(&series[1], "/api", "GET", 0, 1);
	expect_series(&series[2], "/api", "GET", 200, 2);
	expect_series(&series[3], "/api", "GET", 502, 1);
	expect_series(&series[4], "/api", "GET", 999, 1);
	expect_series(&series[5], "/api", "POST", 200, 1);
	expect_series(&series[6], "/aaa", "GET", 200, 1);
	expect_series(&series[7], "/", "_OTHER", 200, 1);
	mem_free(series);
}

static void a_duration_is_in_the_first_bucket_whose_bound_it_does_not_pass(void **state)
{
	struct fixture *f = *state;
	struct statistics_series *series;
	size_t count;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		uint64_t bound_us = histogram_bounds_us[i];

		assert_true(i == 0 || bound_us > histogram_bounds_us[i - 1]);
		pass(f, (struct passed){0, &api, METHOD_GET, 200, bound_us, NULL});
		pass(f, (struct passed){1, &api, METHOD_GET, 200, bound_us + 1, NULL});
	}
	series = statistics_read(f->statistics, &count);
	assert_int_equal(count, 1);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		bool at_an_end = i == 0 || i == HISTOGRAM_BUCKETS - 1;

		assert_int_equal(series->durations.counts[i], at_an_end ? 1 : 2);
	}
	mem_free(series);
}

static void an_upstream_is_counted_from_when_there_was_a_connection(void **state)
{
	struct fixture *f = *state;
	struct histogram_sum sum;

	pass(f, (struct passed){0, &api, METHOD_GET, 200, 2000, "first"});
	pass(f, (struct passed){1, &api, METHOD_GET, 200, 4000, "first"});
	pass(f, (struct passed){1, &api, METHOD_GET, 503, 4000, NULL}); /* its queue was full */
	pass(f, (struct passed){1, &aaa, METHOD_GET, 200, 8000, "second"});
	statistics_read_upstream(f->statistics, 0, &sum);
	assert_int_equal(count_of(&sum), 2);
	assert_int_equal(sum.sum_us, 3000);
	statistics_read_upstream(f->statistics, 1, &sum);
	assert_int_equal(count_of(&sum), 1);
	assert_int_equal(sum.sum_us, 4000);
}

static void what_runs_is_a_level_and_the_inspectors_own_is_not_counted(void **state)
{
	struct fixture *f = *state;
	struct exchange running[3] = {{.route = &api}, {.route = &api}, {.internal = true}};
	struct observer *observers[] = {
		statistics_observer(f->statistics, 0), statistics_observer(f->statistics, 1)};
	size_t count;

	assert_int_equal(statistics_active(f->statistics), 0);
	(void)observers[0]->ops->begin(observers[0], &running[0], 0);
	(void)observers[1]->ops->begin(observers[1], &running[1], 0);
	assert_int_equal(observers[1]->ops->begin(observers[1], &running[2], 0), OBSERVE_NOTHING);
	assert_int_equal(statistics_active(f->statistics), 2);
	observers[0]->ops->end(observers[0], &running[0], 0);
	assert_int_equal(statistics_active(f->statistics), 1);
	mem_free(statistics_read(f->statistics, &count));
	assert_int_equal(count, 1);
	observers[1]->ops->end(observers[1], &running[1], 0);
	assert_int_equal(statistics_active(f->statistics), 0);
}

static void what_is_one_series_too_many_is_counted_as_other(void **state)
{
	struct fixture *f = *state;
	struct statistics_series *series;
	uint64_t total = 0;
	size_t count;

	for (unsigned method = METHOD_GET; method <= METHOD_POST; method++) {
		for (unsigned status = 100; status < 600; status++) {
			pass(f, (struct passed){status % WORKERS, &api, (enum method)method, status,
					100, NULL});
		}
	}
	series = statistics_read(f->statistics, &count);
	assert_int_equal(count, STATISTICS_SERIES_MAX + 1);
	expect_series(&series[count - 1], "other", "_OTHER", 0, 1500 - STATISTICS_SERIES_MAX);
	for (size_t i = 0; i < count; i++) {
		total += count_of(&series[i].durations);
	}
	assert_int_equal(total, 1500);
	mem_free(series);
}

/* --- both at once */

enum {
	ROUNDS = 50,
	STATUSES = 300,
};

struct writer {
	struct fixture *f;
	unsigned worker;
};

static void *write_all(void *context)
{
	const struct writer *writer = context;

	for (unsigned i = 0; i < ROUNDS * STATUSES; i++) {
		pass(writer->f, (struct passed){writer->worker, &api, METHOD_GET,
					200 + i % STATUSES, 100, "first"});
	}
	return NULL;
}

static void workers_that_find_the_same_series_at_once_agree(void **state)
{
	struct fixture *f = *state;
	struct writer writers[WORKERS];
	pthread_t threads[WORKERS];
	struct statistics_series *series;
	size_t count;

	for (unsigned i = 0; i < WORKERS; i++) {
		writers[i] = (struct writer){.f = f, .worker = i};
		assert_int_equal(pthread_create(&threads[i], NULL, write_all, &writers[i]), 0);
	}
	for (unsigned i = 0; i < 20; i++) { /* and somebody reads meanwhile */
		mem_free(statistics_read(f->statistics, &count));
		assert_true(count <= STATUSES);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	series = statistics_read(f->statistics, &count);
	assert_int_equal(count, STATUSES);
	for (size_t i = 0; i < count; i++) {
		expect_series(&series[i], "/api", "GET", 200 + (unsigned)i, WORKERS * ROUNDS);
	}
	mem_free(series);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(series_are_told_apart_summed_over_workers_and_sorted),
		TEST(a_duration_is_in_the_first_bucket_whose_bound_it_does_not_pass),
		TEST(an_upstream_is_counted_from_when_there_was_a_connection),
		TEST(what_runs_is_a_level_and_the_inspectors_own_is_not_counted),
		TEST(what_is_one_series_too_many_is_counted_as_other),
		TEST(workers_that_find_the_same_series_at_once_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

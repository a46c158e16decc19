/*
 * What is counted by route, method and folded path, of exchanges that nobody forwards: two workers,
 * a clock that only the test moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "inspector/statistics.h"
#include "proxy/exchange.h"

enum {
	WORKERS = 2,
	SECOND_US = 1000000,
};

struct fixture {
	struct route_settings routes[2];
	struct proxy_settings settings;
	struct statistics *statistics;
	const struct path_statistics *paths;
	uint64_t now_us;
};

static const struct route api = {.text = "/api", .index = 0, .capture = CAPTURE_FULL};
static const struct route polls = {.text = "/polls", .index = 1, .capture = CAPTURE_ROW};
static const struct route rest = {.text = "/", .index = 2, .capture = CAPTURE_FULL};

static int setup(void **state)
{
	static char first[] = "/api";
	static char second[] = "/polls";
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->routes[0] = (struct route_settings){.text = first};
	f->routes[1] = (struct route_settings){.text = second, .capture = CAPTURE_ROW};
	f->settings = (struct proxy_settings){
		.workers = WORKERS, .routes = f->routes, .route_count = 2, .upstream_count = 1};
	f->statistics = statistics_create(&f->settings, WORKERS, true);
	f->paths = statistics_paths(f->statistics);
	f->now_us = 1000 * (uint64_t)SECOND_US;
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

/* One exchange: GET to 200 unless it says otherwise. */
struct passed {
	unsigned worker;
	const struct route *route;
	const char *path;
	const char *query;
	enum method method;
	unsigned status;
	uint64_t duration_us;
	const char *body;
	unsigned attempts;
	enum exchange_state state;
};

static void begin(struct fixture *f, struct exchange *exchange, const struct passed *passed)
{
	struct observer *observer = statistics_observer(f->statistics, passed->worker);

	*exchange = (struct exchange){.route = passed->route, .host = SLICE_INIT("a")};
	exchange->capture = passed->route == NULL ? CAPTURE_FULL : passed->route->capture;
	exchange->request.method =
		(uint8_t)(passed->method == METHOD_OTHER ? METHOD_GET : passed->method);
	exchange->target.normal = slice_str(passed->path);
	exchange->target.path = slice_str(passed->path);
	exchange->target.query = slice_str(passed->query);
	exchange->clock.begin_us = f->now_us;
	exchange->interest[0] = (uint8_t)observer->ops->begin(observer, exchange, 0);
}

static void end(struct fixture *f, struct exchange *exchange, const struct passed *passed)
{
	struct observer *observer = statistics_observer(f->statistics, passed->worker);
	struct head head = {.status = (uint16_t)(passed->status == 0 ? 200 : passed->status)};
	struct slice body = slice_str(passed->body);

	if ((exchange->interest[0] & OBSERVE_BODIES) != 0) {
		observer->ops->response_head(observer, exchange, 0, &head);
		observer->ops->response_data(observer, exchange, 0, body);
		observer->ops->response_end(observer, exchange, 0, NULL);
	}
	exchange->status = head.status;
	exchange->response_ended = true;
	exchange->response_bytes = body.len;
	exchange->request_bytes = 3;
	exchange->attempts = passed->attempts;
	exchange->state = passed->state == EXCHANGE_ACTIVE ? EXCHANGE_COMPLETE : passed->state;
	exchange->clock.connected_us =
		passed->attempts == 0 ? 0 : exchange->clock.begin_us + passed->duration_us / 2;
	exchange->clock.end_us = exchange->clock.begin_us + passed->duration_us;
	observer->ops->end(observer, exchange, 0);
}

static void pass(struct fixture *f, struct passed passed)
{
	struct exchange exchange;

	begin(f, &exchange, &passed);
	end(f, &exchange, &passed);
}

/* The number of that kind. */
static unsigned number_of(
	struct fixture *f, const char *route, const char *method, const char *path)
{
	for (unsigned i = 1; i < PATHS && path_statistics_name(f->paths, i) != NULL; i++) {
		struct slice text = path_name_path(path_statistics_name(f->paths, i));

		if (strcmp(path_statistics_route(f->paths, i), route) == 0 &&
			strcmp(path_statistics_method(f->paths, i), method) == 0 &&
			slice_equal(text, slice_str(path))) {
			return i;
		}
	}
	fail_msg("%s %s of route %s is not counted", method, path, route);
	return 0;
}

static struct path_totals totals_of(
	struct fixture *f, const char *route, const char *method, const char *path)
{
	struct path_totals totals;

	path_statistics_read(f->paths, number_of(f, route, method, path), &totals);
	return totals;
}

static void exchanges_are_counted_by_kind_over_all_workers(void **state)
{
	struct fixture *f = *state;
	struct path_totals totals;

	pass(f, (struct passed){.worker = 0,
			.route = &api,
			.path = "/api/jobs/1",
			.duration_us = 1000,
			.body = "12345",
			.attempts = 1});
	pass(f, (struct passed){
			1, &api, "/api/jobs/2", .duration_us = 3000, .body = "123", .attempts = 2});
	pass(f, (struct passed){.worker = 1,
			.route = &api,
			.path = "/api/jobs/3",
			.status = 404,
			.duration_us = 2000});
	pass(f, (struct passed){.worker = 1,
			.route = &api,
			.path = "/api/jobs/3",
			.status = 503,
			.duration_us = 2000});
	pass(f, (struct passed){
			.worker = 0, .route = &api, .path = "/api/jobs/3", .method = METHOD_POST});
	pass(f, (struct passed){.worker = 0, .route = &rest, .path = "/api2"});
	pass(f, (struct passed){.worker = 0, .route = NULL, .path = ""});
	totals = totals_of(f, "/api", "GET", "/api/jobs/{id}");
	assert_int_equal(totals.counts.count, 4);
	assert_int_equal(totals.counts.upstream_calls, 3);
	assert_int_equal(totals.counts.duration_us, 8000);
	assert_int_equal(totals.classes[2], 2);
	assert_int_equal(totals.classes[4], 1);
	assert_int_equal(totals.classes[5], 1);
	assert_int_equal(totals.failed, 1);
	assert_int_equal(totals.request_bytes, 12);
	assert_int_equal(totals.response_bytes, 8);
	assert_int_equal(totals.upstream_us, 500 + 1500);
	assert_int_equal(totals.active, 0);
	assert_int_equal(totals.durations.total, 4);
	assert_int_equal(totals_of(f, "/api", "POST", "/api/jobs/{id}").counts.count, 1);
	assert_int_equal(totals_of(f, "/", "GET", "/api2").counts.count, 1);
	assert_int_equal(totals_of(f, "", "GET", "").counts.count, 1);
	assert_string_equal(
		path_statistics_capture(f->paths, number_of(f, "/", "GET", "/api2")), "full");
}

static void who_leaves_has_not_failed_and_what_breaks_off_has(void **state)
{
	struct fixture *f = *state;

	pass(f, (struct passed){.worker = 0,
			.route = &api,
			.path = "/api/a",
			.state = EXCHANGE_CLIENT_ABORTED});
	pass(f, (struct passed){.worker = 0,
			.route = &api,
			.path = "/api/a",
			.state = EXCHANGE_UPSTREAM_FAILED});
	pass(f, (struct passed){
			.worker = 0, .route = &api, .path = "/api/a", .state = EXCHANGE_TIMED_OUT});
	pass(f, (struct passed){.worker = 0, .route = &api, .path = "/api/a", .status = 499});
	pass(f, (struct passed){.worker = 0, .route = &api, .path = "/api/a", .status = 500});
	assert_int_equal(totals_of(f, "/api", "GET", "/api/a").failed, 3);
}

static void what_runs_is_counted_by_kind(void **state)
{
	struct fixture *f = *state;
	const struct passed passed = {.worker = 1, .route = &api, .path = "/api/stream"};
	struct exchange exchange;

	begin(f, &exchange, &passed);
	assert_int_equal(totals_of(f, "/api", "GET", "/api/stream").active, 1);
	assert_int_equal(totals_of(f, "/api", "GET", "/api/stream").counts.count, 0);
	end(f, &exchange, &passed);
	assert_int_equal(totals_of(f, "/api", "GET", "/api/stream").active, 0);
}

static void an_answer_is_compared_with_the_one_before_for_its_url(void **state)
{
	struct fixture *f = *state;
	struct path_totals totals;

	pass(f, (struct passed){.worker = 0, .route = &api, .path = "/api/jobs/1", .body = "same"});
	pass(f, (struct passed){.worker = 1,
			.route = &api,
			.path = "/api/jobs/1",
			.body = "same"}); /* another worker */
	pass(f, (struct passed){
			.worker = 0, .route = &api, .path = "/api/jobs/2", .body = "other"});
	pass(f, (struct passed){.worker = 0,
			.route = &api,
			.path = "/api/jobs/2",
			.query = "x",
			.body = "new"});
	pass(f, (struct passed){
			.worker = 0, .route = &api, .path = "/api/jobs/1", .body = "changed"});
	pass(f, (struct passed){
			.worker = 0, .route = &api, .path = "/api/jobs/2", .body = "other"});
	totals = totals_of(f, "/api", "GET", "/api/jobs/{id}");
	assert_int_equal(totals.compared, 3);
	assert_int_equal(totals.unchanged, 2);
}

static void only_whole_answers_of_200_are_compared(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 2; i++) {
		pass(f, (struct passed){.worker = 0,
				.route = &api,
				.path = "/api/a",
				.status = 500,
				.body = "x"});
		pass(f, (struct passed){
				0, &api, "/api/b", .body = "x", .state = EXCHANGE_UPSTREAM_FAILED});
		pass(f, (struct passed){.worker = 0,
				.route = &api,
				.path = "/api/c",
				.method = METHOD_POST,
				.body = "x"});
	}
	assert_int_equal(totals_of(f, "/api", "GET", "/api/a").compared, 0);
	assert_int_equal(totals_of(f, "/api", "GET", "/api/b").compared, 0);
	assert_int_equal(totals_of(f, "/api", "POST", "/api/c").compared, 0);
}

static void of_polls_one_a_second_is_looked_at_and_of_the_rest_sixteen(void **state)
{
	struct fixture *f = *state;
	struct path_totals totals;

	for (unsigned second = 0; second < 10; second++) {
		for (unsigned i = 0; i < 50; i++) {
			pass(f, (struct passed){.worker = i % 2,
					.route = &polls,
					.path = "/polls/a",
					.body = "x"});
			pass(f, (struct passed){.worker = i % 2,
					.route = &api,
					.path = "/api/a",
					.body = "x"});
			f->now_us += SECOND_US / 50;
		}
	}
	totals = totals_of(f, "/polls", "GET", "/polls/a");
	assert_int_equal(totals.counts.count, 500);
	assert_int_equal(totals.compared, 9); /* the first had none before it */
	assert_int_equal(totals.unchanged, 9);
	totals = totals_of(f, "/api", "GET", "/api/a");
	assert_true(totals.compared >= 159 && totals.compared <= 176);
}

static void the_interval_is_the_median_spacing_over_all_workers(void **state)
{
	struct fixture *f = *state;
	struct path_totals totals;

	pass(f, (struct passed){.worker = 0, .route = &polls, .path = "/polls/a"});
	assert_true(totals_of(f, "/polls", "GET", "/polls/a").interval_us == UINT64_MAX);
	for (unsigned i = 0; i < 100; i++) { /* the worker changes now and then */
		f->now_us += 5 * (uint64_t)SECOND_US + i % 3;
		pass(f, (struct passed){.worker = i / 3 % 2,
				.route = &polls,
				.path = "/polls/a",
				.duration_us = SECOND_US});
	}
	f->now_us += 3600 * (uint64_t)SECOND_US; /* the tab slept */
	pass(f, (struct passed){.worker = 0, .route = &polls, .path = "/polls/a"});
	totals = totals_of(f, "/polls", "GET", "/polls/a");
	assert_true(totals.interval_us >= 5 * SECOND_US && totals.interval_us <= 5 * SECOND_US + 2);
	assert_int_equal(totals.overlapped, 0);
	assert_true(totals.recent >= PATH_RECENT);
}

static void a_worker_that_forgot_more_bounds_how_far_back_is_looked(void **state)
{
	struct fixture *f = *state;
	struct path_totals totals;

	for (unsigned i = 0; i < 10; i++) { /* slow, and then fast on the other worker */
		pass(f, (struct passed){.worker = 0, .route = &polls, .path = "/polls/a"});
		f->now_us += 60 * (uint64_t)SECOND_US;
	}
	for (unsigned i = 0; i < 200; i++) {
		pass(f, (struct passed){.worker = 1, .route = &polls, .path = "/polls/a"});
		f->now_us += SECOND_US;
	}
	totals = totals_of(f, "/polls", "GET", "/polls/a");
	assert_int_equal(totals.recent, PATH_RECENT);
	assert_int_equal(totals.interval_us, SECOND_US);
}

static void requests_that_begin_while_one_runs_are_told(void **state)
{
	struct fixture *f = *state;
	struct path_totals totals;

	for (unsigned i = 0; i < 10; i++) {
		pass(f, (struct passed){.worker = i % 2,
				.route = &polls,
				.path = "/polls/a",
				.duration_us = i < 4 ? 3 * SECOND_US / 2 : SECOND_US / 2});
		f->now_us += SECOND_US;
	}
	totals = totals_of(f, "/polls", "GET", "/polls/a");
	assert_int_equal(totals.recent, 10);
	assert_int_equal(totals.overlapped, 4);
}

static void what_ended_is_in_the_history_with_its_kind_and_outcome(void **state)
{
	struct fixture *f = *state;
	struct history_entry entries[4];
	uint64_t step = history_step_of(f->now_us);

	pass(f, (struct passed){.worker = 1,
			.route = &api,
			.path = "/api/a",
			.status = 502,
			.duration_us = 20});
	pass(f, (struct passed){.worker = 1,
			.route = &api,
			.path = "/api/a",
			.status = 502,
			.duration_us = 20});
	assert_int_equal(
		history_copy(path_statistics_history(f->paths, 0), step, 0, entries, 4), 0);
	assert_int_equal(
		history_copy(path_statistics_history(f->paths, 1), step, 0, entries, 4), 1);
	assert_int_equal(entries[0].path, number_of(f, "/api", "GET", "/api/a"));
	assert_int_equal(entries[0].bucket, 20);
	assert_int_equal(entries[0].count, 2);
	assert_true(entries[0].failed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exchanges_are_counted_by_kind_over_all_workers),
		TEST(who_leaves_has_not_failed_and_what_breaks_off_has),
		TEST(what_runs_is_counted_by_kind),
		TEST(an_answer_is_compared_with_the_one_before_for_its_url),
		TEST(only_whole_answers_of_200_are_compared),
		TEST(of_polls_one_a_second_is_looked_at_and_of_the_rest_sixteen),
		TEST(the_interval_is_the_median_spacing_over_all_workers),
		TEST(a_worker_that_forgot_more_bounds_how_far_back_is_looked),
		TEST(requests_that_begin_while_one_runs_are_told),
		TEST(what_ended_is_in_the_history_with_its_kind_and_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

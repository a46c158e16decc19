/*
 * Tests of pool/outcome and pool/failure: what is counted and remembered of exchanges that failed,
 * and what the breaker of an upstream does about them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pool/failure.h"
#include "pool/outcome.h"
#include "tests/unit/pool_fixture.h"

enum {
	OPEN_MS = 60 * 1000,
};

/* --- the log */

static void the_last_failures_come_newest_first(void **state)
{
	struct failure_entry entries[FAILURE_LOG_SIZE];
	struct failure_log log;

	(void)state;
	failure_log_init(&log);
	assert_int_equal(failure_log_read(&log, entries), 0);
	failure_log_add(&log, FAILURE_RESET, 1);
	failure_log_add(&log, FAILURE_REFUSED, 2);
	assert_int_equal(failure_log_read(&log, entries), 2);
	assert_int_equal(entries[0].wall_us, 2);
	assert_int_equal(entries[0].why, FAILURE_REFUSED);
	assert_int_equal(entries[1].why, FAILURE_RESET);
	failure_log_fini(&log);
}

static void older_ones_make_room(void **state)
{
	struct failure_entry entries[FAILURE_LOG_SIZE];
	struct failure_log log;

	(void)state;
	failure_log_init(&log);
	for (uint64_t i = 1; i <= FAILURE_LOG_SIZE + 5; i++) {
		failure_log_add(&log, FAILURE_RESET, i);
	}
	assert_int_equal(failure_log_read(&log, entries), FAILURE_LOG_SIZE);
	assert_int_equal(entries[0].wall_us, FAILURE_LOG_SIZE + 5);
	assert_int_equal(entries[FAILURE_LOG_SIZE - 1].wall_us, 6);
	failure_log_fini(&log);
}

static void every_reason_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum failure why = FAILURE_NONE; why < FAILURES; why++) {
		for (enum failure other = FAILURE_NONE; other < why; other++) {
			assert_string_not_equal(failure_name(why), failure_name(other));
		}
	}
}

/* --- counters */

static const struct err lost = {
	.code = ERR_UPSTREAM_RESET, .text = "upstream api closed the connection"};

static void failures_are_counted_by_reason_and_remembered_with_their_time(void **state)
{
	struct pool_fixture *f = *state;
	struct failure_entry entries[FAILURE_LOG_SIZE];
	struct breaker_pass pass = {.valid = false};
	uint64_t before_us = clock_wall_us();
	uint64_t wait_ms;

	pool_fixture_start(f);
	outcome_failed(f->pool, &pass, NULL, FAILURE_RESET, &lost);
	outcome_failed(f->pool, &pass, NULL, FAILURE_TOTAL_TIMEOUT, &lost);
	outcome_failed(f->pool, &pass, NULL, FAILURE_RESET, &lost);
	assert_true(outcome_enter(f->pool, &pass, &wait_ms));
	assert_true(outcome_may_retry(f->pool));
	outcome_over(f->pool, true);
	outcome_leave(f->pool, &pass);
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_RESET], 2);
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_TOTAL_TIMEOUT], 1);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 0);
	assert_int_equal(pool_fixture_counts(f).retried, 1);
	assert_int_equal(upstream_last_failures(f->upstream, entries), 3);
	assert_int_equal(entries[0].why, FAILURE_RESET);
	assert_int_equal(entries[1].why, FAILURE_TOTAL_TIMEOUT);
	assert_in_range(entries[0].wall_us, before_us, clock_wall_us());
}

static void fails(struct asker *asker, struct pool_fixture *f, enum err_code code)
{
	asker_acquire(asker, 0, false);
	RUN_UNTIL(f, asker->turn != 0);
	assert_int_equal(asker->err.code, code);
}

static void what_the_pool_refuses_is_counted_too(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker refused;
	struct asker waits;

	f->settings.max_connections = 1;
	f->settings.queue = 1;
	f->settings.queue_timeout_ms = 20;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	asker_init(&waits, f);
	asker_acquire(&waits, 0, false);
	asker_init(&refused, f);
	fails(&refused, f, ERR_QUEUE_FULL);
	RUN_UNTIL(f, waits.turn != 0);
	assert_int_equal(waits.err.code, ERR_QUEUE_TIMEOUT);
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_QUEUE_FULL], 1);
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_QUEUE_TIMEOUT], 1);
	asker_discard(&has);
}

/* --- the breaker */

static void start_refusing(struct pool_fixture *f, uint32_t failures)
{
	f->settings.breaker = (struct breaker_settings){.failures = failures, .open_ms = OPEN_MS};
	pool_fixture_start(f);
	fake_origin_refuse(&f->origin);
}

/* Enters and tries to connect. */
static void try_once(struct asker *asker, struct pool_fixture *f, struct breaker_pass *pass)
{
	uint64_t wait_ms;

	assert_true(outcome_enter(f->pool, pass, &wait_ms));
	asker_init(asker, f);
	asker->waiter.pass = pass;
	fails(asker, f, ERR_CONNECT);
	assert_false(pass->valid);
}

static void refusals_in_a_row_open_the_breaker_and_who_asks_then_is_told_why(void **state)
{
	struct pool_fixture *f = *state;
	struct failure_entry entries[FAILURE_LOG_SIZE];
	struct breaker_pass pass;
	struct asker asker;
	char expected[sizeof(asker.err.text)];
	uint64_t wait_ms;

	start_refusing(f, 2);
	try_once(&asker, f, &pass);
	assert_int_equal(upstream_breaker(f->upstream, &wait_ms), BREAKER_CLOSED);
	try_once(&asker, f, &pass);
	assert_int_equal(upstream_breaker(f->upstream, &wait_ms), BREAKER_OPEN);
	assert_false(upstream_reachable(f->upstream));
	assert_false(outcome_enter(f->pool, &pass, &wait_ms));
	assert_in_range(wait_ms, 1, OPEN_MS);

	asker_init(&asker, f);
	pool_refuse(f->pool, &asker.waiter, wait_ms);
	assert_int_equal(asker.turn, 0);
	pool_fixture_settle(f);
	(void)snprintf(expected, sizeof(expected),
		"upstream api: is left alone for %u ms after 2 failures in a row, the last: "
		"connect to 127.0.0.1:%u: connection refused",
		(unsigned)wait_ms, f->origin.port);
	assert_string_equal(asker.err.text, expected);
	assert_int_equal(asker.err.code, ERR_BREAKER_OPEN);
	assert_int_equal(asker.waiter.retry_ms, wait_ms);
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_REFUSED], 2);
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_BREAKER_OPEN], 1);
	assert_int_equal(upstream_last_failures(f->upstream, entries), 2); /* only what opened it */
}

static void who_asks_while_a_probe_runs_is_told_so(void **state)
{
	struct pool_fixture *f = *state;
	struct breaker_pass pass;
	struct breaker_pass probe;
	struct asker asker;
	uint64_t wait_ms;

	start_refusing(f, 1);
	try_once(&asker, f, &pass);
	pool_fixture_later(f, OPEN_MS + 1000);
	assert_true(outcome_enter(f->pool, &probe, &wait_ms));
	assert_true(probe.probe);
	assert_false(outcome_enter(f->pool, &pass, &wait_ms));
	assert_int_equal(wait_ms, 0);
	asker_init(&asker, f);
	pool_refuse(f->pool, &asker.waiter, wait_ms);
	pool_fixture_settle(f);
	assert_non_null(strstr(asker.err.text,
		"upstream api: is tried by one request alone after a failure: connect to"));
	outcome_leave(f->pool, &probe);
}

static void one_who_is_refused_may_leave_before_it_is_told(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	asker_init(&asker, f);
	pool_refuse(f->pool, &asker.waiter, 10);
	pool_cancel(&asker.waiter);
	pool_fixture_settle(f);
	assert_int_equal(asker.turn, 0);
}

/* Opens the breaker by this failure, or does not. */
static bool opens(struct pool_fixture *f, enum failure why)
{
	struct breaker_pass pass;
	uint64_t wait_ms;

	assert_true(outcome_enter(f->pool, &pass, &wait_ms));
	outcome_failed(f->pool, &pass, NULL, why, &lost);
	assert_false(pass.valid);
	return upstream_breaker(f->upstream, &wait_ms) == BREAKER_OPEN;
}

static void answers_that_are_bad_or_cut_open_nothing(void **state)
{
	struct pool_fixture *f = *state;

	f->settings.breaker = (struct breaker_settings){.failures = 1, .open_ms = OPEN_MS};
	pool_fixture_start(f);
	assert_false(opens(f, FAILURE_BAD_ANSWER));
	assert_false(opens(f, FAILURE_RESET_WITHIN));
	assert_false(opens(f, FAILURE_IDLE_TIMEOUT));
	assert_false(opens(f, FAILURE_TOTAL_TIMEOUT));
	assert_true(opens(f, FAILURE_FIRST_BYTE_TIMEOUT));
}

static void an_upstream_that_is_left_alone_is_not_reachable_until_its_time_is_over(void **state)
{
	struct pool_fixture *f = *state;

	f->settings.breaker = (struct breaker_settings){.failures = 1, .open_ms = 20};
	pool_fixture_start(f);
	assert_true(upstream_reachable(f->upstream));
	assert_true(opens(f, FAILURE_FIRST_BYTE_TIMEOUT));
	assert_false(upstream_reachable(f->upstream));
	pool_fixture_pass(f, 30);
	assert_true(upstream_reachable(f->upstream)); /* connecting to it never failed */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_failures_come_newest_first),
		cmocka_unit_test(older_ones_make_room),
		cmocka_unit_test(every_reason_has_a_name_of_its_own),
		TEST(failures_are_counted_by_reason_and_remembered_with_their_time),
		TEST(what_the_pool_refuses_is_counted_too),
		TEST(refusals_in_a_row_open_the_breaker_and_who_asks_then_is_told_why),
		TEST(who_asks_while_a_probe_runs_is_told_so),
		TEST(one_who_is_refused_may_leave_before_it_is_told),
		TEST(answers_that_are_bad_or_cut_open_nothing),
		TEST(an_upstream_that_is_left_alone_is_not_reachable_until_its_time_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

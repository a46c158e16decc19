/*
 * What a pool counts of its connections and of those that wait for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool_fixture.h"

/* Waits that are counted, and in `*bucket` the place of the longest. */
static uint64_t waits(const struct pool_fixture *f, unsigned *bucket)
{
	struct upstream_counts counts = pool_fixture_counts(f);
	uint64_t sum = 0;

	*bucket = 0;
	for (unsigned i = 0; i < UPSTREAM_QUEUE_BUCKETS; i++) {
		sum += counts.queued[i];
		*bucket = counts.queued[i] > 0 ? i : *bucket;
	}
	return sum;
}

static void what_is_lent_is_a_level(void **state)
{
	struct pool_fixture *f = *state;
	struct asker first;
	struct asker second;

	f->worker_count = 2;
	pool_fixture_start(f);
	assert_int_equal(pool_fixture_counts(f).lent, 0);
	asker_init(&first, f);
	asker_init(&second, f);
	asker_get(&first, 0);
	asker_get(&second, 1);
	assert_int_equal(pool_fixture_counts(f).lent, 2);
	asker_return(&first);
	assert_int_equal(pool_fixture_counts(f).lent, 1);
	assert_int_equal(pool_fixture_counts(f).idle, 1);
	assert_true(asker_take(&first, 0));
	assert_int_equal(pool_fixture_counts(f).lent, 2);
	asker_discard(&first);
	asker_discard(&second);
	assert_int_equal(pool_fixture_counts(f).lent, 0);
}

static void one_that_leaves_before_it_is_told_has_nothing(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker leaves;

	f->settings.max_connections = 1;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	asker_init(&leaves, f);
	asker_acquire(&leaves, 0, false);
	pool_return(has.connection, 0); /* it is lent to the one that waits, who is told later */
	assert_int_equal(pool_fixture_counts(f).lent, 1);
	pool_cancel(&leaves.waiter);
	assert_int_equal(pool_fixture_counts(f).lent, 0);
	pool_fixture_settle(f);
}

static void connections_of_the_last_minute_are_counted_beside_all(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->worker_count = 2;
	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	asker_discard(&asker);
	asker_get(&asker, 1);
	asker_discard(&asker);
	assert_int_equal(pool_fixture_counts(f).opened, 2);
	assert_int_equal(pool_fixture_counts(f).opened_last_minute, 2);
	assert_int_equal(pool_fixture_counts(f).handshakes, 0);
	assert_null(upstream_tls_version(f->upstream));
}

static void who_finds_a_place_has_not_waited(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	unsigned bucket;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	asker_return(&asker);
	assert_int_equal(waits(f, &bucket), 0);
}

static void a_wait_ends_with_a_connection_a_timeout_or_a_farewell(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker served;
	struct asker late;
	struct asker leaves;
	unsigned bucket;

	f->settings.max_connections = 1;
	f->settings.queue_timeout_ms = 30;
	f->worker_count = 2;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	asker_init(&served, f);
	asker_acquire(&served, 0, false);
	asker_return(&has);
	RUN_UNTIL(f, served.turn != 0);
	assert_int_equal(waits(f, &bucket), 1);
	asker_init(&leaves, f);
	asker_acquire(&leaves, 0, false);
	pool_cancel(&leaves.waiter);
	pool_fixture_settle(f);
	assert_int_equal(waits(f, &bucket), 2);
	asker_init(&late, f);
	asker_acquire(&late, 1, false); /* on the other worker: its place would be this one's */
	RUN_UNTIL(f, late.turn != 0);
	assert_int_equal(late.err.code, ERR_QUEUE_TIMEOUT);
	assert_int_equal(waits(f, &bucket), 3);
	assert_true(upstream_queue_bounds[bucket] >= 30000);
	assert_in_range(pool_fixture_counts(f).queued_us, 30000, 10000000);
	asker_discard(&served);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_lent_is_a_level),
		TEST(one_that_leaves_before_it_is_told_has_nothing),
		TEST(connections_of_the_last_minute_are_counted_beside_all),
		TEST(who_finds_a_place_has_not_waited),
		TEST(a_wait_ends_with_a_connection_a_timeout_or_a_farewell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Tests of pool/pool on one event loop: lending and giving back, waiting in turn, idle connections
 * and their end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "pool/connection.h"
#include "pool/shelf.h"
#include "tests/unit/pool_fixture.h"

enum {
	SETTLED_MS = 3 * SHELF_GRACE_MS, /* by then it is clear who may stay idle */
};

/* Askers get connections of their own, and give them back, the first one first. */
static void park(struct pool_fixture *f, struct asker *askers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 0);
	}
	for (size_t i = 0; i < count; i++) {
		asker_return(&askers[i]);
	}
}

static void waits(struct asker *asker, struct pool_fixture *f, bool fresh)
{
	asker_init(asker, f);
	asker_acquire(asker, 0, fresh);
	assert_int_equal(asker->turn, 0);
}

/* --- lending and giving back */

static void a_connection_costs_little(void **state)
{
	(void)state;
	assert_in_range(sizeof(struct connection), 1, 768);
}

static void an_empty_pool_has_nothing_to_lend(void **state)
{
	struct pool_fixture *f = *state;

	pool_fixture_start(f);
	assert_null(pool_take(f->pool, NULL, 0));
}

static void what_is_acquired_is_new_and_connected(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	assert_false(connection_reused(asker.connection));
	assert_int_equal(connection_idle_ms(asker.connection), 0);
	assert_true(asker.waiter.queued_us > 0);
	assert_true(asker.waiter.connecting_us >= asker.waiter.queued_us);
	assert_int_equal(pool_fixture_counts(f).opened, 1);
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	stream_write(connection_stream(asker.connection), SLICE("ping"));
	pool_fixture_settle(f);
	RUN_UNTIL(f, f->origin.accepted == 1 && f->origin.peers[0].received == 4);
	fake_peer_send(&f->origin.peers[0], "pong!");
	RUN_UNTIL(f, asker.bytes == 5);
	asker_return(&asker);
}

static void a_unix_socket_works_the_same(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start_unix(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	RUN_UNTIL(f, f->origin.accepted == 1);
	fake_peer_send(&f->origin.peers[0], "hello");
	RUN_UNTIL(f, asker.bytes == 5);
	asker_return(&asker);
	assert_true(asker_take(&asker, 0));
	assert_true(connection_reused(asker.connection));
	asker_discard(&asker);
}

static void a_name_is_looked_up_by_the_system(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	char url[64];

	fake_origin_listen(&f->origin, &f->loop->uv);
	(void)snprintf(url, sizeof(url), "http://localhost:%u", f->origin.port);
	pool_fixture_start_at(f, url);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	asker_return(&asker);
}

static void a_connection_given_back_is_lent_again(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct connection *first;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	first = asker.connection;
	asker_return(&asker);
	assert_int_equal(pool_fixture_counts(f).idle, 1);
	pool_fixture_later(f, 1500);
	assert_true(asker_take(&asker, 0));
	assert_ptr_equal(asker.connection, first);
	assert_true(connection_reused(asker.connection));
	assert_in_range(connection_idle_ms(asker.connection), 1500, 60000);
	assert_int_equal(connection_connect_us(asker.connection), 0);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	assert_int_equal(pool_fixture_counts(f).reused, 1);
	asker_return(&asker);
}

static void ten_thousand_exchanges_in_a_row_open_one_connection(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	for (unsigned i = 0; i < 10000; i++) {
		asker_return(&asker);
		assert_true(asker_take(&asker, 0));
	}
	asker_return(&asker);
	assert_int_equal(pool_fixture_counts(f).opened, 1);
	assert_int_equal(pool_fixture_counts(f).reused, 10000);
}

static void the_connection_idle_for_less_time_goes_first(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[3];
	struct connection *last;

	pool_fixture_start(f);
	for (size_t i = 0; i < 3; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 0);
	}
	last = askers[1].connection;
	asker_return(&askers[0]);
	asker_return(&askers[2]);
	asker_return(&askers[1]);
	assert_true(asker_take(&askers[0], 0));
	assert_ptr_equal(askers[0].connection, last);
	asker_return(&askers[0]);
}

static void one_that_was_idle_for_long_is_kept_from_who_cannot_retry(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	park(f, &asker, 1);
	pool_fixture_later(f, 2001);
	assert_false(asker_take(&asker, 2000));
	assert_true(asker_take(&asker, 0));
	asker_return(&asker);
	pool_fixture_later(f, 4001);
	assert_true(asker_take(&asker, 2000));
	asker_discard(&asker);
}

static void a_discarded_connection_is_closed(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	asker_discard(&asker);
	RUN_UNTIL(f, f->origin.accepted == 1 && fake_origin_open(&f->origin) == 0);
	assert_null(pool_take(f->pool, NULL, 0));
	assert_int_equal(pool_fixture_counts(f).connections, 0);
}

static void a_connection_that_ended_is_not_kept(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	RUN_UNTIL(f, f->origin.accepted == 1);
	fake_peer_close(&f->origin.peers[0]);
	RUN_UNTIL(f, asker.eof);
	asker_return(&asker);
	assert_null(pool_take(f->pool, NULL, 0));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void a_connection_with_unsent_bytes_is_not_kept(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	stream_write(connection_stream(asker.connection), SLICE("half a request"));
	asker_return(&asker);
	assert_null(pool_take(f->pool, NULL, 0));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void a_paused_connection_reads_again_once_it_is_given_back(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	RUN_UNTIL(f, f->origin.accepted == 1);
	stream_pause(connection_stream(asker.connection));
	asker_return(&asker);
	fake_peer_close(&f->origin.peers[0]);
	RUN_UNTIL(f, pool_fixture_counts(f).idle == 0);
}

/* --- the end of idle connections */

static void one_that_the_upstream_closes_while_idle_leaves_at_once(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	park(f, &asker, 1);
	RUN_UNTIL(f, f->origin.accepted == 1);
	fake_peer_close(&f->origin.peers[0]);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	assert_null(pool_take(f->pool, NULL, 0));
	assert_int_equal(pool_fixture_counts(f).expired, 1);
}

static void one_that_sends_a_byte_unasked_is_condemned(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	park(f, &asker, 1);
	RUN_UNTIL(f, f->origin.accepted == 1);
	fake_peer_send(&f->origin.peers[0], "!");
	RUN_UNTIL(f, fake_origin_open(&f->origin) == 0);
	assert_null(pool_take(f->pool, NULL, 0));
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	assert_int_equal(pool_fixture_counts(f).expired, 1);
}

static void an_idle_connection_leaves_at_its_timeout(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[2];

	f->settings.idle_timeout_ms = 20;
	pool_fixture_start(f);
	park(f, askers, 2);
	RUN_UNTIL(f, f->origin.accepted == 2 && fake_origin_open(&f->origin) == 0);
	assert_int_equal(pool_fixture_counts(f).expired, 2);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
}

static void each_idle_connection_has_its_own_time(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[3];
	const uint64_t keep_alive_ms[] = {1040, 1010, 1025}; /* a second more than it may be idle */

	f->settings.idle_timeout_ms = 60000;
	pool_fixture_start(f);
	for (size_t i = 0; i < 3; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 0);
	}
	for (size_t i = 0; i < 3; i++) {
		pool_return(askers[i].connection, keep_alive_ms[i]);
	}
	pool_fixture_settle(f);
	for (uint64_t left = 3; left-- > 0;) {
		RUN_UNTIL(f, pool_fixture_counts(f).idle <= left);
	}
	assert_int_equal(pool_fixture_counts(f).expired, 3);
}

static void one_past_its_timeout_is_not_lent_even_before_it_is_closed(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->settings.idle_timeout_ms = 60000;
	pool_fixture_start(f);
	park(f, &asker, 1);
	pool_fixture_later(f, 60001);
	assert_false(asker_take(&asker, 0));
}

static void what_the_upstream_says_of_its_keep_alive_shortens_the_timeout(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct connection *connection;

	f->settings.idle_timeout_ms = 60000;
	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	connection = asker.connection;
	pool_return(connection, 5000);
	pool_fixture_settle(f);
	pool_fixture_later(f, 4500);
	assert_false(asker_take(&asker, 0));
	pool_fixture_later(f, 3500);
	assert_true(asker_take(&asker, 0));
	asker_return(&asker); /* nothing said: the pool's own again */
	pool_fixture_later(f, 30000);
	assert_true(asker_take(&asker, 0));
	pool_return(asker.connection, 1000); /* not worth keeping */
	pool_fixture_settle(f);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void one_that_is_too_old_is_not_lent_again(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->settings.max_age_ms = 10000;
	pool_fixture_start(f);
	park(f, &asker, 1);
	pool_fixture_later(f, 8000);
	assert_true(asker_take(&asker, 0));
	asker_return(&asker);
	pool_fixture_later(f, 12000);
	assert_false(asker_take(&asker, 0));
}

static void one_that_is_too_old_when_it_comes_back_is_closed(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->settings.max_age_ms = 10000;
	pool_fixture_start(f);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	pool_fixture_later(f, 12000);
	asker_return(&asker);
	RUN_UNTIL(f, f->origin.accepted == 1 && fake_origin_open(&f->origin) == 0);
	assert_int_equal(pool_fixture_counts(f).expired, 1);
}

/* Opens `count` connections and gives them back, the first one first. Returns the last one. */
static struct connection *park_many(struct pool_fixture *f, size_t count)
{
	struct asker askers[8];
	struct connection *last = NULL;

	assert_in_range(count, 1, 8);
	for (size_t i = 0; i < count; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 0);
		last = askers[i].connection;
	}
	for (size_t i = 0; i < count; i++) {
		asker_return(&askers[i]);
	}
	return last;
}

static void no_more_stay_idle_than_may_be_and_those_are_the_newest(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker = {.fixture = f};
	struct connection *newest;

	f->settings.max_idle = 2;
	pool_fixture_start(f);
	newest = park_many(f, 4);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 2);
	assert_int_equal(pool_fixture_counts(f).idle, 2);
	assert_int_equal(pool_fixture_counts(f).expired, 0);
	pool_fixture_pass(f, SETTLED_MS);
	assert_int_equal(pool_fixture_counts(f).idle, 2); /* and these stay */
	assert_true(asker_take(&asker, 0));
	assert_ptr_equal(asker.connection, newest);
	asker_return(&asker);
}

static void one_that_became_idle_later_leaves_later(void **state)
{
	struct pool_fixture *f = *state;

	f->settings.max_idle = 1;
	pool_fixture_start(f);
	(void)park_many(f, 1);
	pool_fixture_pass(f, SHELF_GRACE_MS / 2);
	(void)park_many(f, 1);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 1);
	assert_int_equal(pool_fixture_counts(f).idle, 1);
}

static void a_burst_that_comes_at_once_again_finds_all_its_connections(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[4];

	f->settings.max_idle = 1;
	pool_fixture_start(f);
	(void)park_many(f, 4);
	for (size_t round = 0; round < 100; round++) {
		for (size_t i = 0; i < 4; i++) {
			asker_init(&askers[i], f);
			assert_true(asker_take(&askers[i], 0));
		}
		for (size_t i = 0; i < 4; i++) {
			asker_return(&askers[i]);
		}
	}
	assert_int_equal(pool_fixture_counts(f).opened, 4);
}

static void a_pool_may_be_told_to_keep_none(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->settings.max_idle = 0;
	pool_fixture_start(f);
	park(f, &asker, 1);
	assert_null(pool_take(f->pool, NULL, 0)); /* not even for a moment */
	RUN_UNTIL(f, f->origin.accepted == 1 && fake_origin_open(&f->origin) == 0);
}

/* --- waiting */

static void who_finds_no_place_gets_the_next_connection_that_comes_back_in_turn(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker first;
	struct asker second;
	struct connection *connection;

	f->settings.max_connections = 1;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	connection = has.connection;
	waits(&first, f, false);
	waits(&second, f, false);
	assert_int_equal(pool_fixture_counts(f).waiting, 2);
	asker_return(&has);
	assert_ptr_equal(first.connection, connection);
	assert_true(connection_reused(connection));
	assert_int_equal(first.waiter.connecting_us, 0);
	assert_int_equal(second.turn, 0);
	asker_return(&first);
	assert_ptr_equal(second.connection, connection);
	assert_int_equal(pool_fixture_counts(f).opened, 1);
	assert_int_equal(pool_fixture_counts(f).waiting, 0);
	asker_return(&second);
	assert_int_equal(pool_fixture_counts(f).idle, 1);
}

static void the_place_of_a_connection_that_is_discarded_goes_to_who_waits(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker waiting;

	f->settings.max_connections = 1;
	f->settings.queue_timeout_ms = 60000;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(&waiting, f, false);
	assert_true(timer_active(&waiting.waiter.timer));
	asker_discard(&has);
	RUN_UNTIL(f, waiting.waiter.connecting_us != 0);
	assert_false(timer_active(&waiting.waiter.timer)); /* it waits in no queue any more */
	RUN_UNTIL(f, waiting.turn != 0);
	assert_false(connection_reused(waiting.connection));
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	asker_return(&waiting);
}

static void a_retry_gets_a_new_connection_even_at_the_cap(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[2];
	struct asker retry;
	struct asker later;

	f->settings.max_connections = 2;
	pool_fixture_start(f);
	park(f, askers, 2); /* both places are those of idle connections */
	waits(&retry, f, true);
	RUN_UNTIL(f, retry.turn != 0);
	assert_false(connection_reused(retry.connection));
	assert_int_equal(pool_fixture_counts(f).idle, 1);

	/* One that comes back passes by who wants a new one, and serves who comes after. */
	assert_true(asker_take(&askers[0], 0));
	waits(&askers[1], f, true);
	waits(&later, f, false);
	asker_return(&askers[0]);
	assert_int_equal(later.turn, f->told);
	assert_int_equal(askers[1].turn, 0);
	asker_return(&later);
	RUN_UNTIL(f, askers[1].turn != 0);
	assert_false(connection_reused(askers[1].connection));
	asker_return(&askers[1]);
	asker_return(&retry);
}

static void a_connection_given_back_serves_who_waits_for_a_new_one(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker waiting;
	struct connection *connection;

	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	connection = has.connection;
	waits(&waiting, f, false);
	asker_return(&has);
	assert_ptr_equal(waiting.connection, connection);
	assert_true(waiting.waiter.connecting_us > 0);

	/* The one that was begun becomes idle. */
	RUN_UNTIL(f, pool_fixture_counts(f).idle == 1);
	assert_int_equal(pool_fixture_counts(f).opened, 2);
	assert_true(asker_take(&has, 0));
	assert_ptr_not_equal(has.connection, connection);
	assert_true(connection_reused(has.connection));
	asker_return(&has);
	asker_return(&waiting);
}

static void a_connection_opened_for_one_who_was_served_otherwise_serves_the_next(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker first;
	struct asker next;

	f->settings.max_connections = 2;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(&first, f, false); /* a connection is begun for it */
	waits(&next, f, false);  /* there is no further place */
	asker_return(&has);
	assert_int_not_equal(first.turn, 0);
	assert_int_equal(next.turn, 0);
	RUN_UNTIL(f, next.turn != 0);
	assert_false(connection_reused(next.connection));
	assert_int_equal(pool_fixture_counts(f).connections, 2);
	asker_return(&first);
	asker_return(&next);
}

static void the_queue_has_its_limit(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker waiting;
	struct asker refused;

	f->settings.max_connections = 1;
	f->settings.queue = 1;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(&waiting, f, false);
	asker_init(&refused, f);
	asker_acquire(&refused, 0, false);
	assert_int_equal(refused.err.code, ERR_QUEUE_FULL);
	assert_string_equal(
		refused.err.text, "upstream api: 1 exchanges wait for a connection already");
	pool_cancel(&waiting.waiter);
	asker_return(&has);
}

static void who_waits_too_long_is_told(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker waiting;

	f->settings.max_connections = 1;
	f->settings.queue_timeout_ms = 20;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(&waiting, f, false);
	RUN_UNTIL(f, waiting.turn != 0);
	assert_int_equal(waiting.err.code, ERR_QUEUE_TIMEOUT);
	assert_string_equal(waiting.err.text, "upstream api: no connection came free within 20 ms");
	assert_int_equal(pool_fixture_counts(f).waiting, 0);
	asker_return(&has);
	assert_int_equal(pool_fixture_counts(f).idle, 1);
}

static void who_cancels_its_turn_hears_nothing_and_holds_up_nobody(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker leaves;
	struct asker stays;

	f->settings.max_connections = 1;
	pool_fixture_start(f);
	asker_init(&has, f);
	pool_cancel(&has.waiter); /* does not wait */
	asker_get(&has, 0);
	waits(&leaves, f, false);
	waits(&stays, f, false);
	pool_cancel(&leaves.waiter);
	asker_return(&has);
	assert_int_equal(leaves.turn, 0);
	assert_int_not_equal(stays.turn, 0);
	asker_return(&stays);
}

static void a_connection_begun_for_one_who_cancelled_becomes_idle(void **state)
{
	struct pool_fixture *f = *state;
	struct asker leaves;

	pool_fixture_start(f);
	waits(&leaves, f, false);
	pool_cancel(&leaves.waiter);
	RUN_UNTIL(f, pool_fixture_counts(f).idle == 1);
	assert_int_equal(leaves.turn, 0);
}

static void a_connection_whose_receiver_cancelled_goes_to_the_next(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker leaves;
	struct asker next;
	struct connection *connection;

	f->settings.max_connections = 1;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(&leaves, f, false);
	waits(&next, f, false);
	connection = has.connection;
	pool_return(connection, 0); /* `leaves` is to get it at the end of the turn */
	pool_cancel(&leaves.waiter);
	pool_fixture_settle(f);
	assert_int_equal(leaves.turn, 0);
	assert_ptr_equal(next.connection, connection);
	asker_return(&next);
}

static void one_may_wait_again_from_within_its_own_callback_or_be_freed(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker *freed = mem_alloc(sizeof(*freed));

	f->settings.max_connections = 1;
	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(freed, f, false);
	pool_cancel(&freed->waiter);
	mem_free(freed); /* the sanitizer sees whether it is touched again */
	asker_return(&has);
	asker_get(&has, 0);
	asker_return(&has);
}

/* --- the end of the pool */

static void on_closed(void *context)
{
	bool *closed = context;

	*closed = true;
}

static void closing_waits_for_what_is_lent_and_fails_who_waits(void **state)
{
	struct pool_fixture *f = *state;
	struct asker lent;
	struct asker idle;
	struct asker queued;
	struct asker dialing;
	struct asker late;
	struct pool *pool;
	bool closed = false;

	f->settings.max_connections = 3;
	pool_fixture_start(f);
	pool = f->pool;
	asker_init(&lent, f);
	asker_get(&lent, 0);
	park(f, &idle, 1);
	assert_true(asker_take(&idle, 0));
	waits(&dialing, f, false);
	waits(&queued, f, true);
	asker_return(&idle);    /* serves `dialing`; the connection begun for it goes on */
	asker_return(&dialing); /* idle: `queued` wants a new one */
	dialing.turn = 0;

	f->workers[0].pool = NULL; /* closed here, not by the teardown */
	pool_close(pool, on_closed, &closed);
	asker_init(&late, f);
	pool_acquire(pool, &late.waiter, false);
	assert_int_equal(queued.turn, 0); /* not from inside */
	pool_fixture_settle(f);
	assert_int_equal(queued.err.code, ERR_DRAINING);
	assert_int_equal(late.err.code, ERR_DRAINING);
	assert_false(closed);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 1);
	assert_false(closed);
	asker_return(&lent);
	RUN_UNTIL(f, closed);
	assert_int_equal(pool_fixture_counts(f).connections, 0);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	assert_true(pool_fixture_counts(f).opened > 0); /* what a pool counted outlives it */
}

static void closing_ends_what_is_being_opened(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct pool *pool;
	bool closed = false;

	pool_fixture_start(f);
	pool = f->pool;
	waits(&asker, f, false);
	f->workers[0].pool = NULL;
	pool_close(pool, on_closed, &closed);
	assert_false(closed);
	pool_fixture_settle(f);
	assert_int_equal(asker.err.code, ERR_DRAINING);
	RUN_UNTIL(f, closed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_costs_little),
		TEST(an_empty_pool_has_nothing_to_lend),
		TEST(what_is_acquired_is_new_and_connected),
		TEST(a_unix_socket_works_the_same),
		TEST(a_name_is_looked_up_by_the_system),
		TEST(a_connection_given_back_is_lent_again),
		TEST(ten_thousand_exchanges_in_a_row_open_one_connection),
		TEST(the_connection_idle_for_less_time_goes_first),
		TEST(one_that_was_idle_for_long_is_kept_from_who_cannot_retry),
		TEST(a_discarded_connection_is_closed),
		TEST(a_connection_that_ended_is_not_kept),
		TEST(a_connection_with_unsent_bytes_is_not_kept),
		TEST(a_paused_connection_reads_again_once_it_is_given_back),
		TEST(one_that_the_upstream_closes_while_idle_leaves_at_once),
		TEST(one_that_sends_a_byte_unasked_is_condemned),
		TEST(an_idle_connection_leaves_at_its_timeout),
		TEST(each_idle_connection_has_its_own_time),
		TEST(one_past_its_timeout_is_not_lent_even_before_it_is_closed),
		TEST(what_the_upstream_says_of_its_keep_alive_shortens_the_timeout),
		TEST(one_that_is_too_old_is_not_lent_again),
		TEST(one_that_is_too_old_when_it_comes_back_is_closed),
		TEST(no_more_stay_idle_than_may_be_and_those_are_the_newest),
		TEST(one_that_became_idle_later_leaves_later),
		TEST(a_burst_that_comes_at_once_again_finds_all_its_connections),
		TEST(a_pool_may_be_told_to_keep_none),
		TEST(who_finds_no_place_gets_the_next_connection_that_comes_back_in_turn),
		TEST(the_place_of_a_connection_that_is_discarded_goes_to_who_waits),
		TEST(a_retry_gets_a_new_connection_even_at_the_cap),
		TEST(a_connection_given_back_serves_who_waits_for_a_new_one),
		TEST(a_connection_opened_for_one_who_was_served_otherwise_serves_the_next),
		TEST(the_queue_has_its_limit),
		TEST(who_waits_too_long_is_told),
		TEST(who_cancels_its_turn_hears_nothing_and_holds_up_nobody),
		TEST(a_connection_begun_for_one_who_cancelled_becomes_idle),
		TEST(a_connection_whose_receiver_cancelled_goes_to_the_next),
		TEST(one_may_wait_again_from_within_its_own_callback_or_be_freed),
		TEST(closing_waits_for_what_is_lent_and_fails_who_waits),
		TEST(closing_ends_what_is_being_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

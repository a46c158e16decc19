/*
 * Tests of how connections are opened: names and their addresses, and what cannot be reached. No
 * name server is asked: the test answers when it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool/connection.h"
#include "tests/unit/fake_names.h"
#include "tests/unit/pool_fixture.h"

enum {
	TTL_MS = 60 * 1000, /* of what fake_names answers */
};

/* --- the fixture: an origin on 127.0.0.1, known as api.test */

static int setup(void **state)
{
	fake_names_forget();
	return pool_fixture_setup(state);
}

static void start(struct pool_fixture *f)
{
	char url[64];

	fake_origin_listen(&f->origin, &f->loop->uv);
	(void)snprintf(url, sizeof(url), "http://api.test:%u", f->origin.port);
	pool_fixture_start_at(f, url);
}

static void waits(struct asker *asker, struct pool_fixture *f)
{
	asker_init(asker, f);
	asker_acquire(asker, 0, false);
	assert_int_equal(asker->turn, 0);
}

static void is_connected_to(const struct asker *asker, const char *expected)
{
	struct sockaddr_storage address;
	char text[64];

	assert_int_equal(stream_peer(connection_stream(asker->connection), &address), 0);
	assert_int_equal(address.ss_family, AF_INET);
	(void)uv_ip4_name((const struct sockaddr_in *)&address, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* Connects by this answer and gives the connection back for good. */
static void connect_once(struct pool_fixture *f)
{
	struct asker asker;

	asker_init(&asker, f);
	asker_get(&asker, 0);
	asker_discard(&asker);
}

/* It is told this, where each PORT in `expected` stands for the number. */
static void fails_with(struct asker *asker, enum err_code code, const char *expected, uint16_t port)
{
	char text[sizeof(asker->err.text)] = "";
	const char *rest = expected;
	const char *mark;

	while ((mark = strstr(rest, "PORT")) != NULL) {
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s%u",
			(int)(mark - rest), rest, port);
		rest = mark + strlen("PORT");
	}
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", rest);
	RUN_UNTIL(asker->fixture, asker->turn != 0);
	assert_null(asker->connection);
	assert_string_equal(asker->err.text, text);
	assert_int_equal(asker->err.code, code);
}

/* --- names */

static void an_address_in_numbers_needs_no_lookup(void **state)
{
	struct pool_fixture *f = *state;

	pool_fixture_start(f);
	connect_once(f);
	assert_int_equal(fake_names.asked, 0);
}

static void a_name_is_looked_up_once_and_its_answer_kept(void **state)
{
	struct pool_fixture *f = *state;
	struct asker first;
	struct asker second;

	start(f);
	waits(&first, f);
	waits(&second, f);
	assert_string_equal(fake_names.host, "api.test");
	FAKE_NAMES_ANSWER("127.0.0.1");
	RUN_UNTIL(f, first.turn != 0 && second.turn != 0);
	asker_discard(&first);
	asker_discard(&second);
	connect_once(f);
	assert_int_equal(fake_names.asked, 1);
}

static void addresses_are_tried_in_order(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.2", "127.0.0.3", "127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	assert_true(connection_connect_us(asker.connection) > 0);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 0);
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	assert_true(upstream_reachable(f->upstream));
	asker_discard(&asker);
}

static void one_that_cannot_even_be_tried_is_passed_over(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER(
		"255.255.255.255", "127.0.0.1"); /* no route: the system says so at once */
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	asker_discard(&asker);
}

static void the_address_that_failed_is_tried_last(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.2", "127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	asker_discard(&asker);

	/* Where the other works no more, it follows all the same. */
	fake_origin_refuse(&f->origin);
	waits(&asker, f);
	RUN_UNTIL(f, fake_names.pending != NULL);
	FAKE_NAMES_ANSWER("127.0.0.2", "127.0.0.1");
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.2:PORT, the last of 2 addresses): "
		"connection refused",
		f->origin.port);
}

static void a_name_that_moved_is_followed_without_an_error(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0); /* nobody is there, and the answer was a new one */
	assert_int_equal(asker.err.code, ERR_CONNECT);
	assert_int_equal(fake_names.asked, 1);

	waits(&asker, f);
	RUN_UNTIL(f, fake_names.pending != NULL); /* the kept answer did not work */
	FAKE_NAMES_ANSWER("127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	asker_discard(&asker);
	assert_int_equal(fake_names.asked, 2);
}

static void the_same_addresses_in_another_order_are_no_news(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	fake_origin_refuse(&f->origin);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.2", "127.0.0.3");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f);
	RUN_UNTIL(f, fake_names.pending != NULL);
	FAKE_NAMES_ANSWER("127.0.0.3", "127.0.0.2");
	pool_fixture_settle(f);
	assert_int_equal(asker.err.code, ERR_CONNECT); /* at once: nothing was tried again */
}

static void a_lookup_that_fails_the_second_time_leaves_the_first_answer(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f);
	RUN_UNTIL(f, fake_names.pending != NULL);
	fake_names_fail(NAMES_NO_SERVER);
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.2:PORT): connection refused",
		f->origin.port);
}

static void a_name_server_that_is_silent_does_not_hold_back_a_refusal_for_long(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->settings.connect_timeout_ms = 30000;
	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f);
	RUN_UNTIL(f, fake_names.pending != NULL);
	RUN_UNTIL(f, asker.turn != 0); /* after a second, not thirty */
	assert_int_equal(asker.err.code, ERR_CONNECT);
	FAKE_NAMES_ANSWER("127.0.0.1"); /* late, but for who comes next */
	connect_once(f);
	assert_int_equal(fake_names.asked, 2);
}

static void a_name_that_is_not_known_is_said(void **state)
{
	struct pool_fixture *f = *state;
	struct asker first;
	struct asker second;

	start(f);
	waits(&first, f);
	waits(&second, f);
	fake_names_fail(NAMES_UNKNOWN);
	fails_with(&first, ERR_RESOLVE, "upstream api: look up api.test: there is no such name", 0);
	assert_int_equal(second.err.code, ERR_RESOLVE);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 2);
	assert_false(upstream_reachable(f->upstream));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);

	asker_init(&first, f);
	pool_fixture_later(f, RESOLVER_HOLD_MS + 100);
	asker_acquire(&first, 0, false); /* and asked for again, a while later */
	FAKE_NAMES_ANSWER("127.0.0.1");
	RUN_UNTIL(f, first.turn != 0);
	assert_true(upstream_reachable(f->upstream));
	asker_discard(&first);
}

static void those_who_come_right_after_are_told_the_same_without_a_lookup(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	fake_names_fail(NAMES_UNKNOWN);
	for (int i = 0; i < 3; i++) {
		RUN_UNTIL(f, asker.turn != 0);
		asker_init(&asker, f);
		asker_acquire(&asker, 0, false);
		fails_with(&asker, ERR_RESOLVE,
			"upstream api: look up api.test: there is no such name", 0);
	}
	assert_int_equal(fake_names.asked, 1);
}

static void name_servers_that_are_silent_are_a_connect_timeout(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	fake_names_fail(NAMES_SILENT);
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: look up api.test: no name server answered", 0);
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_CONNECT_TIMEOUT], 1);
}

static void an_answer_without_an_address_is_an_error(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	fake_names_fail(NAMES_NO_ADDRESS);
	fails_with(
		&asker, ERR_RESOLVE, "upstream api: look up api.test: the name has no address", 0);
}

static void as_many_addresses_as_are_kept_are_all_tried(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6",
		"127.0.0.7", "127.0.0.8", "127.0.0.9");
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.9:PORT, the last of 8 addresses): "
		"connection refused",
		f->origin.port);
}

static void a_lookup_that_takes_too_long_is_a_connect_timeout(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	f->settings.connect_timeout_ms = 20;
	start(f);
	waits(&asker, f);
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: look up api.test: no answer within 20 ms", 0);
	FAKE_NAMES_ANSWER("127.0.0.1");
	connect_once(f);
	assert_int_equal(fake_names.asked, 1);
}

static void on_closed(void *context)
{
	bool *closed = context;

	*closed = true;
}

static void closing_gives_up_a_lookup_that_runs(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct pool *pool;
	bool closed = false;

	start(f);
	pool = f->pool;
	waits(&asker, f);
	f->workers[0].pool = NULL;
	pool_close(pool, on_closed, &closed);
	assert_null(fake_names.pending);
	pool_fixture_settle(f);
	assert_true(closed);
	assert_int_equal(asker.err.code, ERR_DRAINING);
	assert_int_equal(pool_fixture_counts(f).connections, 0);
}

static void an_answer_that_is_old_is_used_and_asked_for_again(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	asker_discard(&asker);

	pool_fixture_later(f, TTL_MS + 100);
	connect_once(f); /* though nothing was answered */
	assert_int_equal(fake_names.asked, 2);
	FAKE_NAMES_ANSWER("127.0.0.2");
	asker_init(&asker, f);
	asker_acquire(&asker, 0, false); /* who comes next uses the new one */
	RUN_UNTIL(f, fake_names.pending != NULL);
	FAKE_NAMES_ANSWER("127.0.0.2");
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.2:PORT): connection refused",
		f->origin.port);
}

static void a_name_that_nobody_uses_is_not_asked_for(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	asker_return(&asker);
	assert_int_equal(fake_names.asked, 1);
	pool_fixture_later(f, TTL_MS + 100);
	assert_true(asker_take(&asker, 0)); /* what is open needs no address */
	assert_int_equal(fake_names.asked, 1);
	asker_discard(&asker);
}

static void closing_between_two_addresses_waits_for_the_first(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct pool *pool;
	bool closed = false;

	start(f);
	pool = f->pool;
	waits(&asker, f);
	FAKE_NAMES_ANSWER("255.255.255.255", "127.0.0.1");
	assert_int_equal(asker.waiter.connection->dial.phase, DIAL_BETWEEN);
	f->workers[0].pool = NULL;
	pool_close(pool, on_closed, &closed);
	pool_fixture_settle(f);
	RUN_UNTIL(f, closed);
	assert_int_equal(asker.err.code, ERR_DRAINING);
	assert_int_equal(pool_fixture_counts(f).opened, 0);
}

static void closing_overtakes_a_failure_that_is_still_to_be_told(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct pool *pool;
	bool closed = false;

	f->settings.connect_timeout_ms = 20;
	pool_fixture_start_at(f, "http://255.255.255.255:80");
	pool = f->pool;
	asker_init(&asker, f);
	pool_acquire(pool, &asker.waiter, false);
	f->workers[0].pool = NULL;
	pool_close(pool, on_closed, &closed);
	pool_fixture_settle(f);
	RUN_UNTIL(f, closed);
	assert_int_equal(asker.err.code, ERR_DRAINING);
	assert_int_equal(f->told, 1);
}

static void a_timeout_ends_with_what_it_was_for(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct asker opening;
	struct pool *pool;
	bool closed = false;

	f->settings.connect_timeout_ms = 20;
	start(f);
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	pool_fixture_pass(f, 30); /* connected: it has no timeout any more */
	assert_non_null(asker.connection);
	asker_discard(&asker);
	waits(&opening, f);
	pool = f->pool;
	f->workers[0].pool = NULL;
	pool_close(pool, on_closed, &closed);
	pool_fixture_settle(f);
	RUN_UNTIL(f, closed);
	pool_fixture_pass(f, 30); /* closed: there is nothing to time out */
	assert_int_equal(opening.err.code, ERR_DRAINING);
}

/* --- what cannot be reached */

static void a_refusal_says_by_whom_and_where(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start(f);
	fake_origin_refuse(&f->origin);
	waits(&asker, f);
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to 127.0.0.1:PORT: connection refused", f->origin.port);
	assert_true(asker.waiter.connecting_us > 0);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 1);
	assert_int_equal(pool_fixture_counts(f).opened, 0);
	assert_false(upstream_reachable(f->upstream));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void a_socket_that_is_not_there_says_so(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	pool_fixture_start_at(f, "unix:/nonexistent/api.sock");
	waits(&asker, f);
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to unix:/nonexistent/api.sock: no such file or directory",
		0);
}

static void a_failure_is_that_of_the_one_it_was_begun_for(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker served;
	struct asker other;

	pool_fixture_start(f);
	asker_init(&has, f);
	asker_get(&has, 0);
	fake_origin_refuse(&f->origin);
	waits(&served, f);
	waits(&other, f);
	asker_return(&has); /* serves the first, whose own connection then fails nobody */
	assert_non_null(served.connection);
	RUN_UNTIL(f, pool_fixture_counts(f).connect_failures == 2);
	assert_int_equal(other.err.code, ERR_CONNECT);
	assert_int_equal(f->told, 3);
	asker_return(&served);
}

static void each_that_waits_has_one_attempt_and_no_more(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[3];

	f->settings.max_connections = 1;
	pool_fixture_start(f);
	fake_origin_refuse(&f->origin);
	for (size_t i = 0; i < 3; i++) {
		waits(&askers[i], f);
	}
	for (size_t i = 0; i < 3; i++) {
		RUN_UNTIL(f, askers[i].turn != 0);
		assert_int_equal(askers[i].turn, i + 1);
		assert_int_equal(askers[i].err.code, ERR_CONNECT);
	}
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_in_numbers_needs_no_lookup),
		TEST(a_name_is_looked_up_once_and_its_answer_kept),
		TEST(addresses_are_tried_in_order),
		TEST(one_that_cannot_even_be_tried_is_passed_over),
		TEST(the_address_that_failed_is_tried_last),
		TEST(a_name_that_moved_is_followed_without_an_error),
		TEST(the_same_addresses_in_another_order_are_no_news),
		TEST(a_lookup_that_fails_the_second_time_leaves_the_first_answer),
		TEST(a_name_server_that_is_silent_does_not_hold_back_a_refusal_for_long),
		TEST(a_name_that_is_not_known_is_said),
		TEST(those_who_come_right_after_are_told_the_same_without_a_lookup),
		TEST(name_servers_that_are_silent_are_a_connect_timeout),
		TEST(an_answer_without_an_address_is_an_error),
		TEST(as_many_addresses_as_are_kept_are_all_tried),
		TEST(a_lookup_that_takes_too_long_is_a_connect_timeout),
		TEST(closing_gives_up_a_lookup_that_runs),
		TEST(an_answer_that_is_old_is_used_and_asked_for_again),
		TEST(a_name_that_nobody_uses_is_not_asked_for),
		TEST(closing_between_two_addresses_waits_for_the_first),
		TEST(closing_overtakes_a_failure_that_is_still_to_be_told),
		TEST(a_timeout_ends_with_what_it_was_for),
		TEST(a_refusal_says_by_whom_and_where),
		TEST(a_socket_that_is_not_there_says_so),
		TEST(a_failure_is_that_of_the_one_it_was_begun_for),
		TEST(each_that_waits_has_one_attempt_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

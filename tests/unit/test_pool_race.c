/*
 * Tests of dials that take long: addresses that are silent, those that are tried beside them, and
 * the end of the time. The sockets are real ones of this machine; the system's name service is
 * replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool/outcome.h"
#include "pool/pool_state.h"
#include "tests/unit/fake_names.h"
#include "tests/unit/pool_fixture.h"

enum {
	FILLERS = 4,
	SOCKETS_MAX = 24,
	TRIES = 20, /* until a port is found that is free on every address */
};

/* --- the fixture: what listens, and what does so in silence, all on one port */

static struct {
	int sockets[SOCKETS_MAX];
	size_t count;
	uint16_t port;
} net;

static int keep(int fd)
{
	assert_true(fd >= 0);
	assert_true(net.count < SOCKETS_MAX);
	net.sockets[net.count++] = fd;
	return fd;
}

static struct sockaddr_in6 address_of(const char *host, socklen_t *len)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4;

	if (uv_ip4_addr(host, net.port, &v4) == 0) {
		memcpy(&v6, &v4, sizeof(v4));
		*len = sizeof(v4);
	} else {
		assert_int_equal(uv_ip6_addr(host, net.port, &v6), 0);
		*len = sizeof(v6);
	}
	return v6;
}

/* The listening socket, or -1 where the port is not free there. */
static int listen_on(const char *host, int backlog)
{
	socklen_t len;
	struct sockaddr_in6 address = address_of(host, &len);
	int fd = socket(address.sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, backlog) != 0) {
		(void)close(fd);
		return -1;
	}
	if (net.port == 0) {
		assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
		net.port = ntohs(address.sin6_port); /* where an IPv4 address has it, too */
	}
	return keep(fd);
}

/* Fills its queue of one: from then on the system drops what comes. */
static void fill(const char *host)
{
	socklen_t len;
	struct sockaddr_in6 address = address_of(host, &len);

	for (size_t i = 0; i < FILLERS; i++) {
		int fd = keep(
			socket(address.sin6_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

		(void)connect(fd, (struct sockaddr *)&address, len);
	}
}

static void close_sockets(void)
{
	while (net.count > 0) {
		(void)close(net.sockets[--net.count]);
	}
	net.port = 0;
}

/* Every address of `silent` answers no more, every one of `open` connects; the others of this
 * machine refuse. Both end with NULL. */
static void prepare(const char *const *silent, const char *const *open)
{
	for (size_t try = 0; try < TRIES; try++) {
		bool all = true;

		for (size_t i = 0; silent[i] != NULL; i++) {
			all = all && listen_on(silent[i], 0) >= 0;
		}
		for (size_t i = 0; open[i] != NULL; i++) {
			all = all && listen_on(open[i], 16) >= 0;
		}
		if (all) {
			for (size_t i = 0; silent[i] != NULL; i++) {
				fill(silent[i]);
			}
			return;
		}
		close_sockets();
	}
	fail_msg("no port is free on all addresses");
}

#define HOSTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_HOST ((const char *const[]){NULL})

static int setup(void **state)
{
	fake_names_forget();
	return pool_fixture_setup(state);
}

static int teardown(void **state)
{
	int rc = pool_fixture_teardown(state);

	close_sockets();
	return rc;
}

static void start_at(struct pool_fixture *f, const char *host)
{
	char url[64];

	(void)snprintf(url, sizeof(url), "http://%s:%u", host, net.port);
	pool_fixture_start_at(f, url);
}

static void waits(struct asker *asker, struct pool_fixture *f)
{
	asker_init(asker, f);
	asker_acquire(asker, 0, false);
	assert_int_equal(asker->turn, 0);
}

static struct dial *dial_of(const struct asker *asker)
{
	return &asker->waiter.connection->dial;
}

static void is_connected_to(const struct asker *asker, const char *expected)
{
	union names_address address;
	struct sockaddr_storage peer;
	char text[RESOLVER_ADDRESS_TEXT_SIZE];
	char wanted[RESOLVER_ADDRESS_TEXT_SIZE];

	assert_non_null(asker->connection);
	assert_int_equal(stream_peer(connection_stream(asker->connection), &peer), 0);
	memcpy(&address, &peer, sizeof(address));
	resolver_address_text(&address, text);
	(void)snprintf(wanted, sizeof(wanted), "%s:%u", expected, net.port);
	assert_string_equal(text, wanted);
}

/* The address that the next dial begins with. */
static void begins_with(struct pool_fixture *f, const char *expected)
{
	struct resolver *resolver = &f->pool->connector.resolver;
	char text[RESOLVER_ADDRESS_TEXT_SIZE];
	char wanted[RESOLVER_ADDRESS_TEXT_SIZE];
	uint8_t order[RESOLVER_ADDRESSES_MAX];

	assert_true(resolver_order(resolver, order) > 0);
	resolver_address_text(&resolver->addresses[order[0]], text);
	(void)snprintf(wanted, sizeof(wanted), "%s:%u", expected, net.port);
	assert_string_equal(text, wanted);
}

/* It is told this, where PORT in `expected` stands for the number. */
static void fails_with(struct asker *asker, enum err_code code, const char *expected)
{
	char text[sizeof(asker->err.text)] = "";
	const char *rest = expected;
	const char *mark;

	while ((mark = strstr(rest, "PORT")) != NULL) {
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s%u",
			(int)(mark - rest), rest, net.port);
		rest = mark + strlen("PORT");
	}
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", rest);
	RUN_UNTIL(asker->fixture, asker->turn != 0);
	assert_null(asker->connection);
	assert_string_equal(asker->err.text, text);
	assert_int_equal(asker->err.code, code);
}

/* --- one address */

static void a_connection_that_takes_too_long_is_a_connect_timeout(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1"), NO_HOST);
	f->settings.connect_timeout_ms = 30;
	start_at(f, "127.0.0.1");
	waits(&asker, f);
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: connect to 127.0.0.1:PORT: no answer within 30 ms");
	assert_int_equal(pool_fixture_counts(f).failures[FAILURE_CONNECT_TIMEOUT], 1);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void one_may_say_a_shorter_time(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1"), NO_HOST);
	f->settings.connect_timeout_ms = 300000;
	start_at(f, "127.0.0.1");
	asker_init(&asker, f);
	asker.waiter.connect_timeout_ms = 20;
	asker_acquire(&asker, 0, false);
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: connect to 127.0.0.1:PORT: no answer within 20 ms");
}

static void one_address_needs_no_timer_of_its_own_and_no_other_stream(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(NO_HOST, HOSTS("127.0.0.1"));
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1");
	assert_false(timer_active(&dial_of(&asker)->timer));
	RUN_UNTIL(f, asker.turn != 0);
	assert_ptr_equal(asker.connection->dial.winner, &asker.connection->dial.own);
	asker_discard(&asker);
}

static void kept_addresses_that_are_silent_are_asked_for_again(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1"), NO_HOST);
	f->settings.connect_timeout_ms = 30;
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f); /* with what is kept */
	RUN_UNTIL(f, asker.turn != 0);
	assert_int_equal(asker.err.code, ERR_CONNECT_TIMEOUT);
	assert_int_equal(fake_names.asked, 2); /* for who comes next */
	FAKE_NAMES_ANSWER("127.0.0.2");
	waits(&asker, f);
	RUN_UNTIL(f, fake_names.pending != NULL || asker.turn != 0);
	FAKE_NAMES_ANSWER("127.0.0.2");
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.2:PORT): connection refused");
}

static void one_who_leaves_while_its_connection_is_opened_gives_the_place_back_in_the_end(
	void **state)
{
	struct pool_fixture *f = *state;
	struct asker leaves;
	struct asker next;

	prepare(HOSTS("127.0.0.1"), NO_HOST);
	f->settings.max_connections = 1;
	f->settings.connect_timeout_ms = 30;
	start_at(f, "127.0.0.1");
	waits(&leaves, f);
	waits(&next, f);
	pool_cancel(&leaves.waiter);
	RUN_UNTIL(f, next.waiter.connecting_us != 0);
	RUN_UNTIL(f, next.turn != 0);
	assert_int_equal(leaves.turn, 0);
	assert_int_equal(next.err.code, ERR_CONNECT_TIMEOUT);
}

/* --- several */

static void the_next_is_tried_beside_one_that_is_silent(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1"), HOSTS("127.0.0.2"));
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2");
	assert_int_equal(dial_of(&asker)->parallel, 1);
	assert_true(timer_active(&dial_of(&asker)->timer));
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.2");
	assert_in_range(connection_connect_us(asker.connection), DIAL_DELAY_MS * 1000,
		(uint64_t)60 * 1000 * 1000);
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 0);
	RUN_UNTIL(f, asker.connection->dial.handles == 1); /* the other is closed */

	/* The next one does not wait for the silent one again. */
	begins_with(f, "127.0.0.2");
	asker_discard(&asker);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
}

static void a_connection_that_another_stream_won_serves_as_any_other(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1"), HOSTS("127.0.0.2"));
	f->settings.connect_timeout_ms = 1000; /* of which each address has its part */
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.2");
	asker_return(&asker);
	assert_true(asker_take(&asker, 0));
	is_connected_to(&asker, "127.0.0.2");
	asker_return(&asker);
	close_sockets(); /* its peer is gone: that is noticed as always */
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	assert_int_equal(pool_fixture_counts(f).expired, 1);
}

static void one_that_fails_lets_the_next_begin_at_once(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1"), HOSTS("127.0.0.4"));
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4");
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.4");
	/* one silence, and two refusals */
	assert_in_range(connection_connect_us(asker.connection), DIAL_DELAY_MS * 1000,
		3 * DIAL_DELAY_MS * 1000 - 1);
	asker_discard(&asker);
}

static void the_first_one_may_win_after_all(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	struct dial *dial;

	prepare(HOSTS("127.0.0.1", "127.0.0.2"), NO_HOST);
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2");
	dial = dial_of(&asker);
	RUN_UNTIL(f, dial->parallel == 2);
	/* Room in its queue: the system asks for the connection again within a second. */
	for (size_t i = 0; i < 2; i++) {
		(void)keep(accept(net.sockets[0], NULL, NULL));
	}
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	assert_ptr_equal(dial->winner, &dial->own);
	RUN_UNTIL(f, dial->handles == 1);
	asker_discard(&asker);
}

static void all_of_them_are_tried_side_by_side_where_all_are_silent(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1", "127.0.0.2", "127.0.0.3"), NO_HOST);
	f->settings.connect_timeout_ms = 1000;
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2", "127.0.0.3");
	RUN_UNTIL(f, dial_of(&asker)->parallel == 3);
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: connect to api.test:PORT (127.0.0.3:PORT, the last of 3 addresses): "
		"no answer within 1000 ms");
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	begins_with(f, "127.0.0.1"); /* all are marked, so none is */
}

static void a_silent_one_is_waited_for_when_the_others_have_refused(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(HOSTS("127.0.0.1"), NO_HOST);
	f->settings.connect_timeout_ms = 100;
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2");
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: connect to api.test:PORT (127.0.0.1:PORT, the last of 2 addresses): "
		"no answer within 100 ms");
}

static void an_attempt_goes_on_with_what_another_has_learnt(void **state)
{
	struct pool_fixture *f = *state;
	struct asker slow;
	struct asker quick;

	prepare(HOSTS("127.0.0.1"), HOSTS("127.0.0.3"));
	start_at(f, "api.test");
	waits(&slow, f);
	asker_init(&quick, f);
	quick.waiter.connect_timeout_ms = 16;
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2"); /* the first is silent, the second refuses */
	asker_acquire(&quick, 0, false);
	RUN_UNTIL(f, quick.turn != 0);
	assert_int_equal(dial_of(&slow)->parallel, 1);
	FAKE_NAMES_ANSWER("127.0.0.3");
	RUN_UNTIL(f, slow.turn != 0);
	is_connected_to(&slow, "127.0.0.3");
	asker_discard(&slow);
}

static void on_closed(void *context)
{
	bool *closed = context;

	*closed = true;
}

static void closing_waits_for_all_that_is_tried(void **state)
{
	struct pool_fixture *f = *state;
	struct pool *pool;
	struct asker asker;
	bool closed = false;

	prepare(HOSTS("127.0.0.1", "127.0.0.2"), NO_HOST);
	f->settings.connect_timeout_ms = 1000;
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2");
	RUN_UNTIL(f, dial_of(&asker)->parallel == 2);
	pool = f->pool;
	f->workers[0].pool = NULL;
	pool_close(pool, on_closed, &closed);
	pool_fixture_settle(f);
	assert_int_equal(asker.err.code, ERR_DRAINING);
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	assert_false(closed);
	RUN_UNTIL(f, closed);
}

static void one_that_does_not_answer_is_tried_last(void **state)
{
	static const struct err lost = {
		.code = ERR_UPSTREAM_RESET, .text = "upstream api closed the connection"};
	struct pool_fixture *f = *state;
	struct breaker_pass pass = {.valid = false};
	struct asker asker;

	prepare(NO_HOST, HOSTS("127.0.0.1", "127.0.0.2"));
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	outcome_failed(f->pool, &pass, asker.connection, FAILURE_RESET_WITHIN, &lost);
	begins_with(f, "127.0.0.1"); /* it did answer */
	outcome_failed(f->pool, &pass, asker.connection, FAILURE_RESET, &lost);
	asker_discard(&asker);
	asker_init(&asker, f);
	asker_get(&asker, 0);
	is_connected_to(&asker, "127.0.0.2");
	asker_discard(&asker);
}

static void that_we_have_no_descriptor_is_not_held_against_an_address(void **state)
{
	struct pool_fixture *f = *state;
	struct rlimit before;
	struct rlimit none;
	struct asker asker;

	prepare(NO_HOST, HOSTS("127.0.0.1", "127.0.0.2"));
	start_at(f, "api.test");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	waits(&asker, f);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(asker.err.text, "too many open files"));
	begins_with(f, "127.0.0.1");
	assert_int_equal(f->pool->connector.resolver.marks[0].length_ms, 0);
	assert_int_equal(f->pool->connector.resolver.marks[1].length_ms, 0);
}

static void where_ipv6_refuses_ipv4_follows_on_the_same_stream(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	prepare(NO_HOST, HOSTS("127.0.0.1"));
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("::1", "127.0.0.1"); /* refused, or, without IPv6, not to be had */
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	assert_ptr_equal(asker.connection->dial.winner, &asker.connection->dial.own);
	asker_discard(&asker);
}

static bool has_ipv6(void)
{
	int fd = listen_on("::1", 1);

	close_sockets();
	return fd >= 0;
}

static void where_ipv4_is_silent_ipv6_is_tried_before_more_of_it(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	if (!has_ipv6()) {
		skip();
	}
	prepare(HOSTS("127.0.0.1"), HOSTS("::1", "127.0.0.2"));
	f->settings.connect_timeout_ms = 1000;
	start_at(f, "api.test");
	waits(&asker, f);
	FAKE_NAMES_ANSWER("127.0.0.1", "127.0.0.2", "::1");
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "[::1]");
	asker_discard(&asker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_that_takes_too_long_is_a_connect_timeout),
		TEST(one_may_say_a_shorter_time),
		TEST(one_address_needs_no_timer_of_its_own_and_no_other_stream),
		TEST(kept_addresses_that_are_silent_are_asked_for_again),
		TEST(one_who_leaves_while_its_connection_is_opened_gives_the_place_back_in_the_end),
		TEST(the_next_is_tried_beside_one_that_is_silent),
		TEST(a_connection_that_another_stream_won_serves_as_any_other),
		TEST(one_that_fails_lets_the_next_begin_at_once),
		TEST(the_first_one_may_win_after_all),
		TEST(all_of_them_are_tried_side_by_side_where_all_are_silent),
		TEST(a_silent_one_is_waited_for_when_the_others_have_refused),
		TEST(an_attempt_goes_on_with_what_another_has_learnt),
		TEST(closing_waits_for_all_that_is_tried),
		TEST(one_that_does_not_answer_is_tried_last),
		TEST(that_we_have_no_descriptor_is_not_held_against_an_address),
		TEST(where_ipv6_refuses_ipv4_follows_on_the_same_stream),
		TEST(where_ipv4_is_silent_ipv6_is_tried_before_more_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

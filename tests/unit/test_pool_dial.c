/*
 * Tests of how connections are opened: names and their addresses, what cannot be reached, and what
 * takes too long. The system's name service is replaced: libuv's functions for it are defined here,
 * and the test answers when it likes.
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

#include "base/memory.h"
#include "pool/connection.h"
#include "tests/unit/pool_fixture.h"

enum {
	ANSWERS_MAX = 10, /* more than a resolver takes */
};

/* --- the name service */

static struct {
	unsigned asked;
	int refusal; /* what uv_getaddrinfo returns */
	bool cancelled;
	uv_getaddrinfo_t *request;
	uv_getaddrinfo_cb answered;
	char node[256];
} service;

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb answered,
	const char *node, const char *name, const struct addrinfo *hints)
{
	(void)loop;
	assert_null(name);
	assert_int_equal(hints->ai_socktype, SOCK_STREAM);
	assert_null(service.request); /* one at a time */
	if (service.refusal != 0) {
		return service.refusal;
	}
	service.asked++;
	service.request = request;
	service.answered = answered;
	(void)snprintf(service.node, sizeof(service.node), "%s", node);
	return 0;
}

void uv_freeaddrinfo(struct addrinfo *answer)
{
	mem_free(answer); /* all in one piece */
}

int uv_cancel(uv_req_t *request)
{
	assert_ptr_equal(request, service.request);
	service.cancelled = true;
	return 0;
}

/* Answers with these addresses, or with the status where there are none. Like a callback from
 * libuv. */
static void answer(int status, const char *const *addresses)
{
	struct {
		struct addrinfo info[ANSWERS_MAX];
		struct sockaddr_in6 v6[ANSWERS_MAX];
		struct sockaddr_in v4[ANSWERS_MAX];
	} *all = mem_zalloc(sizeof(*all));
	uv_getaddrinfo_t *request = service.request;
	size_t count = 0;

	assert_non_null(request);
	for (; addresses != NULL && addresses[count] != NULL; count++) {
		struct addrinfo *info = &all->info[count];

		if (uv_ip4_addr(addresses[count], 0, &all->v4[count]) == 0) {
			info->ai_addr = (struct sockaddr *)&all->v4[count];
		} else {
			assert_int_equal(uv_ip6_addr(addresses[count], 0, &all->v6[count]), 0);
			info->ai_addr = (struct sockaddr *)&all->v6[count];
		}
		if (count > 0) {
			all->info[count - 1].ai_next = info;
		}
	}
	service.request = NULL;
	if (count == 0) {
		mem_free(all);
		service.answered(request, status, NULL);
	} else {
		service.answered(request, status, all->info);
	}
}

#define ANSWER(...) answer(0, (const char *const[]){__VA_ARGS__, NULL})

/* --- the fixture: an origin on 127.0.0.1, known as api.test */

static int setup(void **state)
{
	memset(&service, 0, sizeof(service));
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
	assert_int_equal(service.asked, 0);
}

static void a_name_is_looked_up_once_and_its_answer_kept(void **state)
{
	struct pool_fixture *f = *state;
	struct asker first;
	struct asker second;

	start(f);
	waits(&first, f);
	waits(&second, f);
	assert_string_equal(service.node, "api.test");
	ANSWER("127.0.0.1");
	RUN_UNTIL(f, first.turn != 0 && second.turn != 0);
	asker_discard(&first);
	asker_discard(&second);
	connect_once(f);
	assert_int_equal(service.asked, 1);
}

static void addresses_are_tried_in_order(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	ANSWER("127.0.0.2", "127.0.0.3", "127.0.0.1");
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
	ANSWER("255.255.255.255", "127.0.0.1"); /* no route: the system says so at once */
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	asker_discard(&asker);
}

static void the_address_that_worked_is_tried_first(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	ANSWER("127.0.0.2", "127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	asker_discard(&asker);

	/* Where it works no more, the others follow: the one before it, too. */
	fake_origin_refuse(&f->origin);
	waits(&asker, f);
	RUN_UNTIL(f, service.request != NULL);
	ANSWER("127.0.0.2", "127.0.0.1");
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
	ANSWER("127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0); /* nobody is there, and the answer was a new one */
	assert_int_equal(asker.err.code, ERR_CONNECT);
	assert_int_equal(service.asked, 1);

	waits(&asker, f);
	RUN_UNTIL(f, service.request != NULL); /* the kept answer did not work */
	ANSWER("127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	is_connected_to(&asker, "127.0.0.1");
	asker_discard(&asker);
	assert_int_equal(service.asked, 2);
}

static void the_same_addresses_in_another_order_are_no_news(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	fake_origin_refuse(&f->origin);
	waits(&asker, f);
	ANSWER("127.0.0.2", "127.0.0.3");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f);
	RUN_UNTIL(f, service.request != NULL);
	ANSWER("127.0.0.3", "127.0.0.2");
	pool_fixture_settle(f);
	assert_int_equal(asker.err.code, ERR_CONNECT); /* at once: nothing was tried again */
}

static void a_lookup_that_fails_the_second_time_leaves_the_first_answer(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	ANSWER("127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f);
	RUN_UNTIL(f, service.request != NULL);
	answer(UV_EAI_AGAIN, NULL);
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
	ANSWER("127.0.0.2");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f);
	RUN_UNTIL(f, service.request != NULL);
	RUN_UNTIL(f, asker.turn != 0); /* after a second, not thirty */
	assert_int_equal(asker.err.code, ERR_CONNECT);
	ANSWER("127.0.0.1"); /* late, but for who comes next */
	connect_once(f);
	assert_int_equal(service.asked, 2);
}

static void a_name_that_is_not_known_is_said(void **state)
{
	struct pool_fixture *f = *state;
	struct asker first;
	struct asker second;

	start(f);
	waits(&first, f);
	waits(&second, f);
	answer(UV_EAI_NONAME, NULL);
	fails_with(
		&first, ERR_RESOLVE, "upstream api: look up api.test: unknown node or service", 0);
	assert_int_equal(second.err.code, ERR_RESOLVE);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 2);
	assert_false(upstream_reachable(f->upstream));
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);

	waits(&first, f); /* and asked for again the next time */
	ANSWER("127.0.0.1");
	RUN_UNTIL(f, first.turn != 0);
	assert_true(upstream_reachable(f->upstream));
	asker_discard(&first);
}

static void a_lookup_that_cannot_begin_is_an_error_but_not_at_once(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	service.refusal = UV_ENOMEM;
	asker_init(&asker, f);
	asker_acquire(&asker, 0, false); /* sees to it that nothing comes from inside */
	fails_with(&asker, ERR_RESOLVE, "upstream api: look up api.test: not enough memory", 0);
}

static void an_answer_without_an_address_is_an_error(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	answer(0, NULL);
	fails_with(&asker, ERR_RESOLVE, "upstream api: look up api.test: no address", 0);
}

static void more_addresses_than_we_keep_are_passed_over(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;

	start(f);
	waits(&asker, f);
	ANSWER("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7",
		"127.0.0.8", "127.0.0.9", "127.0.0.1");
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
	ANSWER("127.0.0.1");
	connect_once(f);
	assert_int_equal(service.asked, 1);
}

static void on_closed(void *context)
{
	bool *closed = context;

	*closed = true;
}

static void closing_waits_for_a_lookup_that_runs(void **state)
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
	pool_fixture_settle(f);
	assert_int_equal(asker.err.code, ERR_DRAINING);
	assert_int_equal(pool_fixture_counts(f).connections, 0);
	assert_true(service.cancelled);
	assert_false(closed);
	answer(UV_ECANCELED, NULL);
	assert_true(closed);
}

static void an_index_of_old_addresses_says_nothing_of_new_ones(void **state)
{
	struct pool_fixture *f = *state;
	struct resolver resolver;
	uint32_t old;

	resolver_init(&resolver, f->loop, "api.test", 80);
	assert_int_equal(resolver.count, 0);
	resolver_refresh(&resolver);
	ANSWER("127.0.0.1", "127.0.0.2");
	old = resolver.generation;
	resolver_prefer(&resolver, old, 1);
	assert_int_equal(resolver.preferred, 1);
	resolver_refresh(&resolver);
	ANSWER("127.0.0.3");
	assert_int_not_equal(resolver.generation, old);
	resolver_prefer(&resolver, old, 1);
	assert_int_equal(resolver.preferred, 0);
	assert_true(resolver_stop(&resolver, NULL));
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
	ANSWER("255.255.255.255", "127.0.0.1");
	assert_int_equal(asker.waiter.connection->state, CONNECTION_BETWEEN);
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
	ANSWER("127.0.0.1");
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

/* --- what takes too long */

/* A port that answers no more: its queue of one is full, and the system drops what comes. Returns
 * the listening socket. */
static int silent_port(uint16_t *port, int fillers[static 4])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	for (size_t i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, len);
	}
	*port = ntohs(address.sin_port);
	return listener;
}

static void close_silent_port(int listener, const int fillers[static 4])
{
	for (size_t i = 0; i < 4; i++) {
		(void)close(fillers[i]);
	}
	(void)close(listener);
}

static void a_connection_that_takes_too_long_is_a_connect_timeout(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	char url[64];
	uint16_t port;
	int fillers[4];
	int listener = silent_port(&port, fillers);

	f->settings.connect_timeout_ms = 30;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	pool_fixture_start_at(f, url);
	waits(&asker, f);
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: connect to 127.0.0.1:PORT: no answer within 30 ms", port);
	assert_int_equal(pool_fixture_counts(f).connect_failures, 1);
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 0);
	close_silent_port(listener, fillers);
}

static void one_may_say_a_shorter_time(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	char url[64];
	uint16_t port;
	int fillers[4];
	int listener = silent_port(&port, fillers);

	f->settings.connect_timeout_ms = 300000;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	pool_fixture_start_at(f, url);
	asker_init(&asker, f);
	asker.waiter.connect_timeout_ms = 20;
	asker_acquire(&asker, 0, false);
	fails_with(&asker, ERR_CONNECT_TIMEOUT,
		"upstream api: connect to 127.0.0.1:PORT: no answer within 20 ms", port);
	close_silent_port(listener, fillers);
}

static void one_silent_address_leaves_time_for_the_next(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	char url[64];
	uint16_t port;
	int fillers[4];
	int listener = silent_port(&port, fillers);

	/* The silent port is that of 127.0.0.1 alone: the other address refuses at once. */
	f->settings.connect_timeout_ms = 200;
	(void)snprintf(url, sizeof(url), "http://api.test:%u", port);
	pool_fixture_start_at(f, url);
	waits(&asker, f);
	ANSWER("127.0.0.1", "127.0.0.2");
	assert_true(asker.waiter.connection->timer.due_tick * TIMER_TICK_MS <
		    asker.waiter.connection->deadline_ms - 200 / 3);
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.2:PORT, the last of 2 addresses): "
		"connection refused",
		port);
	close_silent_port(listener, fillers);
}

static void an_attempt_goes_on_with_what_another_has_learnt(void **state)
{
	struct pool_fixture *f = *state;
	struct asker slow;
	struct asker quick;
	char url[64];
	uint16_t port;
	int fillers[4];
	int listener = silent_port(&port, fillers);

	(void)snprintf(url, sizeof(url), "http://api.test:%u", port);
	pool_fixture_start_at(f, url);
	waits(&quick, f);
	ANSWER("127.0.0.2", "127.0.0.4"); /* both refuse */
	RUN_UNTIL(f, quick.turn != 0);
	asker_init(&slow, f);
	slow.waiter.connect_timeout_ms = 1000;
	waits(&quick, f); /* asks, as the kept ones do not work */
	RUN_UNTIL(f, service.request != NULL);
	ANSWER("127.0.0.1", "127.0.0.2"); /* the first is silent */
	pool_cancel(&quick.waiter);
	asker_acquire(&slow, 0, false);
	asker_init(&quick, f);
	quick.waiter.connect_timeout_ms = 16;
	asker_acquire(&quick, 0, false);
	RUN_UNTIL(f, service.request != NULL); /* the quick one has tried both */
	ANSWER("127.0.0.3");
	RUN_UNTIL(f, quick.turn != 0);
	RUN_UNTIL(f, service.request != NULL); /* the slow one, having tried the new address */
	assert_int_equal(ntohl(slow.waiter.connection->address.v4.sin_addr.s_addr), 0x7f000003);
	ANSWER("127.0.0.3");
	fails_with(&slow, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.3:PORT): connection refused",
		port);
	close_silent_port(listener, fillers);
}

static void kept_addresses_that_are_silent_are_asked_for_again(void **state)
{
	struct pool_fixture *f = *state;
	struct asker asker;
	char url[64];
	uint16_t port;
	int fillers[4];
	int listener = silent_port(&port, fillers);

	f->settings.connect_timeout_ms = 30;
	(void)snprintf(url, sizeof(url), "http://api.test:%u", port);
	pool_fixture_start_at(f, url);
	waits(&asker, f);
	ANSWER("127.0.0.1");
	RUN_UNTIL(f, asker.turn != 0);
	waits(&asker, f); /* with what is kept */
	RUN_UNTIL(f, asker.turn != 0);
	assert_int_equal(asker.err.code, ERR_CONNECT_TIMEOUT);
	assert_int_equal(service.asked, 2); /* for who comes next */
	ANSWER("127.0.0.2");
	waits(&asker, f);
	RUN_UNTIL(f, service.request != NULL || asker.turn != 0);
	ANSWER("127.0.0.2");
	fails_with(&asker, ERR_CONNECT,
		"upstream api: connect to api.test:PORT (127.0.0.2:PORT): connection refused",
		port);
	close_silent_port(listener, fillers);
}

static void one_who_leaves_while_its_connection_is_opened_gives_the_place_back_in_the_end(
	void **state)
{
	struct pool_fixture *f = *state;
	struct asker leaves;
	struct asker next;
	char url[64];
	uint16_t port;
	int fillers[4];
	int listener = silent_port(&port, fillers);

	f->settings.max_connections = 1;
	f->settings.connect_timeout_ms = 30;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	pool_fixture_start_at(f, url);
	waits(&leaves, f);
	waits(&next, f);
	pool_cancel(&leaves.waiter);
	RUN_UNTIL(f, next.waiter.connecting_us != 0);
	RUN_UNTIL(f, next.turn != 0);
	assert_int_equal(leaves.turn, 0);
	assert_int_equal(next.err.code, ERR_CONNECT_TIMEOUT);
	close_silent_port(listener, fillers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_in_numbers_needs_no_lookup),
		TEST(a_name_is_looked_up_once_and_its_answer_kept),
		TEST(addresses_are_tried_in_order),
		TEST(one_that_cannot_even_be_tried_is_passed_over),
		TEST(the_address_that_worked_is_tried_first),
		TEST(a_name_that_moved_is_followed_without_an_error),
		TEST(the_same_addresses_in_another_order_are_no_news),
		TEST(a_lookup_that_fails_the_second_time_leaves_the_first_answer),
		TEST(a_name_server_that_is_silent_does_not_hold_back_a_refusal_for_long),
		TEST(a_name_that_is_not_known_is_said),
		TEST(a_lookup_that_cannot_begin_is_an_error_but_not_at_once),
		TEST(an_answer_without_an_address_is_an_error),
		TEST(more_addresses_than_we_keep_are_passed_over),
		TEST(a_lookup_that_takes_too_long_is_a_connect_timeout),
		TEST(closing_waits_for_a_lookup_that_runs),
		TEST(an_index_of_old_addresses_says_nothing_of_new_ones),
		TEST(closing_between_two_addresses_waits_for_the_first),
		TEST(closing_overtakes_a_failure_that_is_still_to_be_told),
		TEST(a_timeout_ends_with_what_it_was_for),
		TEST(a_refusal_says_by_whom_and_where),
		TEST(a_socket_that_is_not_there_says_so),
		TEST(a_failure_is_that_of_the_one_it_was_begun_for),
		TEST(each_that_waits_has_one_attempt_and_no_more),
		TEST(a_connection_that_takes_too_long_is_a_connect_timeout),
		TEST(one_may_say_a_shorter_time),
		TEST(one_silent_address_leaves_time_for_the_next),
		TEST(an_attempt_goes_on_with_what_another_has_learnt),
		TEST(kept_addresses_that_are_silent_are_asked_for_again),
		TEST(one_who_leaves_while_its_connection_is_opened_gives_the_place_back_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

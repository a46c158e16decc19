/*
 * Tests of pools that share an upstream: the cap and the seats over all workers, and places that go
 * from one to another. First with two loops that the test's own thread runs in turn, so that each
 * step is certain; then with real threads, for the thread sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "pool/places.h"
#include "pool/shelf.h"
#include "tests/unit/pool_fixture.h"

enum {
	SETTLED_MS = 3 * SHELF_GRACE_MS, /* by then it is clear who may stay idle */
};

static void start(struct pool_fixture *f, uint32_t max_connections, uint32_t max_idle)
{
	f->worker_count = 2;
	f->settings.max_connections = max_connections;
	f->settings.max_idle = max_idle;
	pool_fixture_start(f);
}

static void park(struct pool_fixture *f, struct asker *asker, unsigned worker)
{
	asker_init(asker, f);
	asker_get(asker, worker);
	asker_return(asker);
}

static void waits(struct pool_fixture *f, struct asker *asker, unsigned worker)
{
	asker_init(asker, f);
	asker_acquire(asker, worker, false);
	assert_int_equal(asker->turn, 0);
}

/* What is called on this worker until its next turn happens at this time. */
static void at(struct pool_fixture *f, unsigned worker, uint64_t now_us)
{
	f->workers[worker].loop.turn_us = now_us;
}

/* --- step by step */

static void who_waits_gets_the_place_of_another_workers_idle_connection(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[2];

	start(f, 1, 1);
	park(f, &askers[0], 0);
	for (unsigned i = 0; i < 6; i++) { /* to and fro */
		unsigned worker = 1 - i % 2;

		asker_init(&askers[worker], f);
		asker_acquire(&askers[worker], worker, false);
		RUN_UNTIL(f, askers[worker].turn != 0);
		assert_non_null(askers[worker].connection);
		assert_int_equal(pool_fixture_counts(f).connections, 1);
		asker_return(&askers[worker]);
		assert_int_equal(pool_fixture_counts(f).idle, 1);
	}
	assert_int_equal(pool_fixture_counts(f).opened, 7);
}

static void of_idle_connections_the_oldest_is_given_up(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[2];
	struct asker other;
	struct connection *newest;

	start(f, 2, 2);
	for (size_t i = 0; i < 2; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 0);
	}
	newest = askers[1].connection;
	asker_return(&askers[0]);
	asker_return(&askers[1]);
	asker_init(&other, f);
	asker_get(&other, 1);
	assert_int_equal(pool_fixture_counts(f).idle, 1);
	assert_true(asker_take(&askers[0], 0));
	assert_ptr_equal(askers[0].connection, newest);
	asker_return(&askers[0]);
	asker_return(&other);
}

static void each_who_waits_gets_one_place_and_the_other_idle_connections_stay(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[4];
	struct asker others[2];

	start(f, 4, 4);
	for (size_t i = 0; i < 4; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 0);
	}
	for (size_t i = 0; i < 4; i++) {
		asker_return(&askers[i]);
	}
	waits(f, &others[0], 1);
	waits(f, &others[1], 1);
	RUN_UNTIL(f, others[0].turn != 0 && others[1].turn != 0);
	assert_int_equal(pool_fixture_counts(f).idle, 2);
	assert_int_equal(pool_fixture_counts(f).connections, 4);
	asker_return(&others[0]);
	asker_return(&others[1]);
}

static void a_connection_that_comes_back_gives_its_place_to_who_waits_elsewhere(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker waiting;

	start(f, 1, 1);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(f, &waiting, 1);
	pool_fixture_run_once(f); /* worker 0 hears of it */
	asker_return(&has);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	RUN_UNTIL(f, waiting.turn != 0);
	assert_false(connection_reused(waiting.connection));
	assert_int_equal(pool_fixture_counts(f).connections, 1);
	asker_return(&waiting);
}

static void one_that_comes_back_before_its_worker_heard_is_given_up_when_it_hears(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker waiting;

	start(f, 1, 1);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(f, &waiting, 1);
	asker_return(&has); /* worker 0 did not run yet */
	assert_int_equal(pool_fixture_counts(f).idle, 1);
	RUN_UNTIL(f, waiting.turn != 0);
	assert_int_equal(pool_fixture_counts(f).idle, 0);
	asker_return(&waiting);
}

static void a_connection_stays_with_its_workers_own_waiter_among_equals(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker own;
	struct asker other;
	uint64_t now_us = clock_now_us();

	start(f, 1, 1);
	asker_init(&has, f);
	asker_get(&has, 0);
	at(f, 1, now_us);
	waits(f, &other, 1);
	at(f, 0, now_us + PLACES_SLACK_US);
	waits(f, &own, 0);
	asker_return(&has);
	assert_non_null(own.connection);
	assert_int_equal(pool_fixture_counts(f).opened, 1);
	asker_return(&own);
	RUN_UNTIL(f, other.turn != 0);
	asker_return(&other);
}

static void a_place_goes_to_who_waits_noticeably_longer_elsewhere(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker own;
	struct asker other;
	uint64_t now_us = clock_now_us();

	start(f, 1, 1);
	asker_init(&has, f);
	asker_get(&has, 0);
	at(f, 1, now_us);
	waits(f, &other, 1);
	at(f, 0, now_us + PLACES_SLACK_US + 1);
	waits(f, &own, 0);
	asker_return(&has);
	assert_null(own.connection);
	RUN_UNTIL(f, other.turn != 0);
	assert_int_equal(own.turn, 0);
	asker_return(&other);
	RUN_UNTIL(f, own.turn != 0);
	asker_return(&own);
}

static void a_connection_opened_for_nobody_gives_its_place_to_who_waits_elsewhere(void **state)
{
	struct pool_fixture *f = *state;
	struct asker leaves;
	struct asker waiting;

	start(f, 1, 1);
	waits(f, &leaves, 0);
	waits(f, &waiting, 1);
	pool_cancel(&leaves.waiter);
	RUN_UNTIL(f, waiting.turn != 0);
	assert_non_null(waiting.connection);
	asker_return(&waiting);
}

static void on_closed(void *context)
{
	bool *closed = context;

	*closed = true;
}

static void a_worker_that_ends_leaves_its_places_to_the_others(void **state)
{
	struct pool_fixture *f = *state;
	struct asker idle;
	struct asker opening;
	struct asker others[2];
	struct pool *pool;
	bool closed = false;

	start(f, 2, 2);
	park(f, &idle, 0);
	waits(f, &opening, 0);
	waits(f, &others[0], 1);
	waits(f, &others[1], 1);
	pool = f->workers[0].pool;
	f->workers[0].pool = NULL;
	pool_close(pool, on_closed, &closed);
	loop_settle(&f->workers[0].loop);
	RUN_UNTIL(f, closed && others[0].turn != 0 && others[1].turn != 0);
	assert_int_equal(opening.err.code, ERR_DRAINING);
	asker_return(&others[0]);
	asker_return(&others[1]);
	assert_int_equal(pool_fixture_counts(f).idle, 2);
}

static void a_pool_that_closes_waits_for_a_message_that_is_under_way(void **state)
{
	struct pool_fixture *f = *state;
	struct asker has;
	struct asker waiting;
	struct pool *pool;
	bool closed = false;

	start(f, 1, 1);
	asker_init(&has, f);
	asker_get(&has, 0);
	waits(f, &waiting, 0); /* worker 1 is told, but does not run */
	pool = f->workers[1].pool;
	f->workers[1].pool = NULL;
	pool_close(pool, on_closed, &closed);
	loop_settle(&f->workers[1].loop);
	assert_false(closed);
	pool_fixture_let_end(f);
	loop_run(&f->workers[1].loop); /* there is nothing else to run for */
	assert_true(closed);
	asker_return(&has);
	asker_return(&waiting);
}

static void no_more_stay_idle_in_all_than_may_be(void **state)
{
	struct pool_fixture *f = *state;
	struct asker askers[8];

	start(f, 50, 3);
	for (unsigned i = 0; i < 8; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], i % 2);
	}
	for (unsigned i = 0; i < 8; i++) {
		asker_return(&askers[i]);
	}
	RUN_UNTIL(f, pool_fixture_counts(f).connections == 3);
	pool_fixture_pass(f, SETTLED_MS);
	assert_int_equal(pool_fixture_counts(f).idle, 3);
}

static void a_seat_that_one_worker_does_not_use_is_there_for_another(void **state)
{
	struct pool_fixture *f = *state;
	struct asker lent[2];
	struct asker askers[2];

	start(f, 50, 2);
	park(f, &lent[0], 0);
	asker_init(&lent[1], f);
	asker_get(&lent[1], 0);
	asker_return(&lent[1]);
	pool_fixture_pass(f, SETTLED_MS); /* both seats are worker 0's */
	for (unsigned i = 0; i < 2; i++) {
		assert_true(asker_take(&lent[i], 0)); /* for longer than a moment */
	}
	pool_fixture_pass(f, SETTLED_MS);
	for (unsigned i = 0; i < 2; i++) {
		asker_init(&askers[i], f);
		asker_get(&askers[i], 1);
	}
	asker_return(&askers[0]);
	asker_return(&askers[1]);
	pool_fixture_pass(f, SETTLED_MS);
	assert_int_equal(pool_fixture_counts(f).idle, 2);
	for (unsigned i = 0; i < 2; i++) {
		asker_return(&lent[i]);
	}
}

/* --- with threads */

enum {
	STRESS_WORKERS = 2,
	STRESS_CLIENTS = 4, /* of each worker */
	STRESS_ROUNDS = 400,
	STRESS_CAP = 3,
	STRESS_SERVER_FDS = 64,
};

/* Echoes on a unix socket, in a thread of its own, and counts how many connections are open at
 * once. */
struct echo {
	pthread_t thread;
	char directory[64];
	char path[96];
	int stop[2];
	int listener;
	struct pollfd fds[STRESS_SERVER_FDS]; /* [0] the pipe to stop it, [1] the listener */
	nfds_t count;
	unsigned most_open;
};

/* Looked at when one more was accepted: whatever was closed before that one was opened has hung up
 * by now. */
static void count_open(struct echo *echo)
{
	unsigned open = 0;

	for (nfds_t i = 2; i < echo->count; i++) {
		struct pollfd probe = {.fd = echo->fds[i].fd, .events = POLLRDHUP};

		(void)poll(&probe, 1, 0);
		open += (probe.revents & (POLLHUP | POLLRDHUP)) == 0;
	}
	if (open > echo->most_open) {
		echo->most_open = open;
	}
}

static void *echo_main(void *argument)
{
	struct echo *echo = argument;

	while ((echo->fds[0].revents & POLLHUP) == 0) {
		(void)poll(echo->fds, echo->count, -1);
		for (nfds_t i = echo->count; i-- > 2;) {
			char bytes[16];
			ssize_t got = 0;

			if (echo->fds[i].revents == 0) {
				continue;
			}
			got = recv(echo->fds[i].fd, bytes, sizeof(bytes), 0);
			if (got > 0) {
				(void)send(echo->fds[i].fd, bytes, (size_t)got, MSG_NOSIGNAL);
			} else {
				(void)close(echo->fds[i].fd);
				echo->fds[i] = echo->fds[--echo->count];
			}
		}
		if ((echo->fds[1].revents & POLLIN) != 0) {
			int fd = accept(echo->listener, NULL, NULL);

			echo->fds[echo->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
			count_open(echo);
		}
	}
	return NULL;
}

static void echo_start(struct echo *echo)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*echo = (struct echo){.count = 2};
	(void)snprintf(echo->directory, sizeof(echo->directory), "/tmp/echo-XXXXXX");
	assert_non_null(mkdtemp(echo->directory));
	(void)snprintf(echo->path, sizeof(echo->path), "%s/socket", echo->directory);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", echo->path);
	echo->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(echo->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(echo->listener, 128), 0);
	assert_int_equal(pipe(echo->stop), 0);
	echo->fds[0] = (struct pollfd){.fd = echo->stop[0]};
	echo->fds[1] = (struct pollfd){.fd = echo->listener, .events = POLLIN};
	assert_int_equal(pthread_create(&echo->thread, NULL, echo_main, echo), 0);
}

static void echo_stop(struct echo *echo)
{
	(void)close(echo->stop[1]);
	(void)pthread_join(echo->thread, NULL);
	(void)close(echo->stop[0]);
	for (nfds_t i = 1; i < echo->count; i++) {
		(void)close(echo->fds[i].fd);
	}
	(void)unlink(echo->path);
	(void)rmdir(echo->directory);
}

struct stress_worker;

/* Sends a byte, waits for its echo, and begins anew. */
struct stress_client {
	struct stress_worker *worker;
	struct pool_waiter waiter;
	struct task again;
	unsigned round;
	unsigned failures;
	struct connection *connection;
};

struct stress_worker {
	pthread_t thread;
	struct loop loop;
	struct pool *pool;
	struct task begin;
	uv_prepare_t keeper;
	unsigned running; /* clients */
	unsigned exchanges;
	struct stress_client clients[STRESS_CLIENTS];
};

static void stress_over(struct stress_client *client)
{
	client->round++;
	client->connection = NULL;
	loop_ready(&client->worker->loop, &client->again);
}

static void stress_bytes(struct connection *connection, struct slice bytes)
{
	struct stress_client *client = connection_borrower(connection);

	if (bytes.len != 1) {
		client->failures++; /* only the test's own thread may assert */
	}
	client->worker->exchanges++;
	if (client->round % 7 == 0) {
		pool_discard(connection);
	} else {
		pool_return(connection, 0);
	}
	stress_over(client);
}

static void stress_eof(struct connection *connection)
{
	struct stress_client *client = connection_borrower(connection);

	client->failures++;
	pool_discard(connection);
	stress_over(client);
}

static void stress_failed(struct connection *connection, int status)
{
	(void)status;
	stress_eof(connection);
}

static void stress_flow(struct connection *connection)
{
	(void)connection;
}

static const struct connection_ops stress_ops = {
	.bytes = stress_bytes,
	.eof = stress_eof,
	.failed = stress_failed,
	.blocked = stress_flow,
	.drained = stress_flow,
};

static void stress_use(struct stress_client *client, struct connection *connection)
{
	client->connection = connection;
	connection_attach(connection, &stress_ops, client);
	stream_write(connection_stream(connection), SLICE("x"));
}

static void stress_ready(struct pool_waiter *waiter, struct connection *connection)
{
	stress_use(container_of(waiter, struct stress_client, waiter), connection);
}

static void stress_refused(struct pool_waiter *waiter, const struct err *err)
{
	struct stress_client *client = container_of(waiter, struct stress_client, waiter);

	(void)err;
	client->failures++;
	stress_over(client);
}

static void stress_closed(void *context)
{
	struct stress_worker *worker = context;

	worker->pool = NULL;
}

static void stress_again(struct task *task)
{
	struct stress_client *client = container_of(task, struct stress_client, again);
	struct stress_worker *worker = client->worker;
	struct connection *connection;
	bool fresh = client->round % 11 == 0;

	if (client->round == STRESS_ROUNDS) {
		if (--worker->running == 0) {
			pool_close(worker->pool, stress_closed, worker);
			uv_close((uv_handle_t *)&worker->keeper, NULL);
		}
		return;
	}
	connection = fresh ? NULL : pool_take(worker->pool, NULL, 0);
	if (connection != NULL) {
		stress_use(client, connection);
		return;
	}
	pool_acquire(worker->pool, &client->waiter, fresh);
	if (client->round % 13 == 0) { /* changes its mind, twice */
		pool_cancel(&client->waiter);
		pool_acquire(worker->pool, &client->waiter, fresh);
	}
}

static void stress_begin(struct task *task)
{
	struct stress_worker *worker = container_of(task, struct stress_worker, begin);

	for (unsigned i = 0; i < STRESS_CLIENTS; i++) {
		stress_again(&worker->clients[i].again);
	}
}

static void stress_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
}

static void *stress_main(void *argument)
{
	struct stress_worker *worker = argument;

	loop_ready(&worker->loop, &worker->begin);
	loop_run(&worker->loop);
	return NULL;
}

static void stress_init(struct stress_worker *worker, struct upstream *upstream)
{
	assert_int_equal(loop_init(&worker->loop), 0);
	assert_int_equal(uv_prepare_init(&worker->loop.uv, &worker->keeper), 0);
	assert_int_equal(uv_prepare_start(&worker->keeper, stress_prepare), 0);
	worker->pool = pool_create(&worker->loop, upstream);
	worker->running = STRESS_CLIENTS;
	worker->exchanges = 0;
	task_init(&worker->begin, stress_begin);
	for (unsigned i = 0; i < STRESS_CLIENTS; i++) {
		struct stress_client *client = &worker->clients[i];

		*client = (struct stress_client){.worker = worker, .round = i};
		client->waiter.ready = stress_ready;
		client->waiter.failed = stress_refused;
		pool_waiter_init(&client->waiter);
		task_init(&client->again, stress_again);
	}
}

static void stress(uint32_t max_connections, uint32_t max_idle)
{
	struct pool_settings settings = {
		.max_connections = max_connections,
		.max_idle = max_idle,
		.queue = 1000,
		.connect_timeout_ms = 30000,
		.queue_timeout_ms = 30000,
	};
	struct stress_worker *workers = mem_zalloc(STRESS_WORKERS * sizeof(*workers));
	struct upstream_address address;
	struct upstream_counts counts;
	struct upstream *upstream;
	struct echo echo;
	char url[128];

	alarm(100); /* a deadlock ends the test */
	echo_start(&echo);
	(void)snprintf(url, sizeof(url), "unix:%s", echo.path);
	assert_int_equal(upstream_address_parse(slice_str(url), &address, NULL), ERR_NONE);
	upstream = upstream_create("api", &address, &settings);
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		stress_init(&workers[i], upstream);
	}
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, stress_main, &workers[i]), 0);
	}
	do { /* the inspector looks on from another thread */
		upstream_counts(upstream, &counts);
		assert_in_range(counts.connections, 0, max_connections);
	} while (counts.opened == 0);
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		assert_null(workers[i].pool);
		assert_int_equal(workers[i].running, 0);
		for (unsigned k = 0; k < STRESS_CLIENTS; k++) {
			assert_int_equal(workers[i].clients[k].failures, 0);
		}
		assert_int_equal(workers[i].exchanges,
			STRESS_CLIENTS * STRESS_ROUNDS - STRESS_CLIENTS * (STRESS_CLIENTS - 1) / 2);
		loop_fini(&workers[i].loop);
	}
	upstream_counts(upstream, &counts);
	assert_int_equal(counts.connections, 0);
	assert_int_equal(counts.idle, 0);
	assert_int_equal(counts.waiting, 0);
	assert_int_equal(counts.connect_failures, 0);
	upstream_destroy(upstream);
	echo_stop(&echo);
	assert_in_range(echo.most_open, 1, max_connections);
	mem_free(workers);
	alarm(0);
}

static void the_cap_holds_and_all_are_served_where_threads_compete(void **state)
{
	(void)state;
	stress(STRESS_CAP, STRESS_CAP);
}

static void one_place_is_enough_for_all(void **state)
{
	(void)state;
	stress(1, 1);
}

static void with_no_idle_connection_every_place_is_handed_on(void **state)
{
	(void)state;
	stress(STRESS_CAP, 0);
}

static void with_places_enough_nobody_waits(void **state)
{
	(void)state;
	stress(2 * STRESS_WORKERS * STRESS_CLIENTS, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_fixture_setup, pool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_waits_gets_the_place_of_another_workers_idle_connection),
		TEST(of_idle_connections_the_oldest_is_given_up),
		TEST(each_who_waits_gets_one_place_and_the_other_idle_connections_stay),
		TEST(a_connection_that_comes_back_gives_its_place_to_who_waits_elsewhere),
		TEST(one_that_comes_back_before_its_worker_heard_is_given_up_when_it_hears),
		TEST(a_connection_stays_with_its_workers_own_waiter_among_equals),
		TEST(a_place_goes_to_who_waits_noticeably_longer_elsewhere),
		TEST(a_connection_opened_for_nobody_gives_its_place_to_who_waits_elsewhere),
		TEST(a_worker_that_ends_leaves_its_places_to_the_others),
		TEST(a_pool_that_closes_waits_for_a_message_that_is_under_way),
		TEST(no_more_stay_idle_in_all_than_may_be),
		TEST(a_seat_that_one_worker_does_not_use_is_there_for_another),
		cmocka_unit_test(the_cap_holds_and_all_are_served_where_threads_compete),
		cmocka_unit_test(one_place_is_enough_for_all),
		cmocka_unit_test(with_no_idle_connection_every_place_is_handed_on),
		cmocka_unit_test(with_places_enough_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

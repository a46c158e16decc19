/*
 * For the unit tests of the pool. One job: see pool_fixture.h.
 */
#include "tests/unit/pool_fixture.h"

#include <assert.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
	TEST_SECONDS = 60, /* whoever waits longer waits in vain */
	GIVE_UP_US = 2 * 1000 * 1000,
};

static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
}

int pool_fixture_setup(void **state)
{
	struct pool_fixture *f = mem_zalloc(sizeof(*f));

	alarm(TEST_SECONDS);
	f->settings = (struct pool_settings){.max_connections = 50, .max_idle = 20, .queue = 1000};
	f->worker_count = 1;
	for (unsigned i = 0; i < POOL_FIXTURE_WORKERS; i++) {
		struct pool_fixture_worker *worker = &f->workers[i];
		int rc = loop_init(&worker->loop);

		assert(rc == 0);
		rc = uv_prepare_init(&worker->loop.uv, &worker->keeper);
		assert(rc == 0);
		rc = uv_prepare_start(&worker->keeper, on_prepare);
		assert(rc == 0);
	}
	f->loop = &f->workers[0].loop;
	*state = f;
	return 0;
}

static void on_pool_closed(void *context)
{
	struct pool_fixture_worker *worker = context;

	worker->pool = NULL;
}

static bool pools_closed(const struct pool_fixture *f)
{
	for (unsigned i = 0; i < POOL_FIXTURE_WORKERS; i++) {
		if (f->workers[i].pool != NULL) {
			return false;
		}
	}
	return true;
}

static void close_pools(struct pool_fixture *f)
{
	uint64_t give_up_us = clock_now_us() + GIVE_UP_US;

	for (unsigned i = 0; i < POOL_FIXTURE_WORKERS; i++) {
		struct pool_fixture_worker *worker = &f->workers[i];

		if (worker->pool != NULL) {
			pool_close(worker->pool, on_pool_closed, worker);
			loop_settle(&worker->loop);
		}
	}
	while (!pools_closed(f) && clock_now_us() < give_up_us) {
		for (unsigned i = 0; i < f->worker_count; i++) {
			(void)uv_run(&f->workers[i].loop.uv, UV_RUN_NOWAIT);
		}
	}
}

int pool_fixture_teardown(void **state)
{
	struct pool_fixture *f = *state;

	close_pools(f);
	alarm(0);
	if (!pools_closed(f)) {
		return -1; /* the test failed half-way, and something is still lent: it stays as it
			      is */
	}
	upstream_destroy(f->upstream);
	if (f->origin.uv.handle.loop != NULL) {
		fake_origin_close(&f->origin);
	}
	pool_fixture_let_end(f);
	for (unsigned i = 0; i < POOL_FIXTURE_WORKERS; i++) {
		loop_run(&f->workers[i].loop);
		loop_fini(&f->workers[i].loop);
	}
	mem_free(f);
	return 0;
}

void pool_fixture_let_end(struct pool_fixture *f)
{
	for (unsigned i = 0; i < POOL_FIXTURE_WORKERS; i++) {
		uv_handle_t *keeper = (uv_handle_t *)&f->workers[i].keeper;

		if (!uv_is_closing(keeper)) {
			uv_close(keeper, NULL);
		}
	}
}

void pool_fixture_start_at(struct pool_fixture *f, const char *url)
{
	struct upstream_address address;
	enum err_code code = upstream_address_parse(slice_str(url), &address, NULL);

	assert(code == ERR_NONE);
	f->upstream = upstream_create("api", &address, &f->settings);
	if (f->source != NULL) {
		upstream_set_credential(f->upstream, f->source);
	}
	if (f->tls != NULL) {
		upstream_set_tls(f->upstream, f->tls, NULL);
	}
	for (unsigned i = 0; i < f->worker_count; i++) {
		f->workers[i].pool = pool_create(&f->workers[i].loop, f->upstream);
	}
	f->pool = f->workers[0].pool;
}

void pool_fixture_start(struct pool_fixture *f)
{
	fake_origin_listen(&f->origin, &f->loop->uv);
	if (f->origin_tls != NULL) {
		fake_origin_secure(&f->origin, f->origin_tls);
	}
	pool_fixture_start_at(f, f->origin.url);
}

void pool_fixture_start_unix(struct pool_fixture *f)
{
	fake_origin_listen_unix(&f->origin, &f->loop->uv);
	pool_fixture_start_at(f, f->origin.url);
}

void pool_fixture_run_once(struct pool_fixture *f)
{
	for (unsigned i = 0; i < f->worker_count; i++) {
		/* With one worker there is one loop, which can sleep until something happens. */
		(void)uv_run(
			&f->workers[i].loop.uv, f->worker_count == 1 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	}
}

void pool_fixture_settle(struct pool_fixture *f)
{
	loop_settle(f->loop);
}

struct pause {
	struct timer timer;
	bool over;
};

static void on_pause_over(struct timer *timer)
{
	container_of(timer, struct pause, timer)->over = true;
}

void pool_fixture_pass(struct pool_fixture *f, uint64_t ms)
{
	struct pause pause = {.over = false};

	timer_init(&pause.timer, on_pause_over);
	loop_timer_start(f->loop, &pause.timer, ms);
	loop_settle(f->loop); /* what follows is another turn, at another time */
	RUN_UNTIL(f, pause.over);
}

void pool_fixture_later(struct pool_fixture *f, uint64_t ms)
{
	f->loop->turn_us = clock_now_us() + ms * 1000;
}

struct upstream_counts pool_fixture_counts(const struct pool_fixture *f)
{
	struct upstream_counts counts;

	upstream_counts(f->upstream, &counts);
	return counts;
}

static void on_bytes(struct connection *connection, struct slice bytes)
{
	struct asker *asker = connection_borrower(connection);

	asker->bytes += bytes.len;
}

static void on_eof(struct connection *connection)
{
	struct asker *asker = connection_borrower(connection);

	asker->eof = true;
}

static void on_stream_failed(struct connection *connection, int status)
{
	(void)status;
	on_eof(connection);
}

static void on_flow(struct connection *connection)
{
	(void)connection;
}

static const struct connection_ops ops = {
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_stream_failed,
	.blocked = on_flow,
	.drained = on_flow,
};

static void got(struct asker *asker, struct connection *connection)
{
	asker->connection = connection;
	connection_attach(connection, &ops, asker);
}

static void on_ready(struct pool_waiter *waiter, struct connection *connection)
{
	struct asker *asker = container_of(waiter, struct asker, waiter);

	asker->turn = ++asker->fixture->told;
	got(asker, connection);
}

static void on_failed(struct pool_waiter *waiter, const struct err *err)
{
	struct asker *asker = container_of(waiter, struct asker, waiter);

	asker->turn = ++asker->fixture->told;
	asker->err = *err;
}

void asker_init(struct asker *asker, struct pool_fixture *f)
{
	*asker = (struct asker){.fixture = f};
	asker->waiter.ready = on_ready;
	asker->waiter.failed = on_failed;
	pool_waiter_init(&asker->waiter);
}

void asker_acquire(struct asker *asker, unsigned worker, bool fresh)
{
	asker->turn = 0;
	pool_acquire(asker->fixture->workers[worker].pool, &asker->waiter, fresh);
	assert(asker->turn == 0); /* never from inside */
	loop_settle(&asker->fixture->workers[worker].loop);
}

bool asker_take(struct asker *asker, uint64_t used_within_ms)
{
	struct connection *connection =
		pool_take(asker->fixture->pool, asker->waiter.credential, used_within_ms);

	if (connection != NULL) {
		got(asker, connection);
	}
	return connection != NULL;
}

void asker_get(struct asker *asker, unsigned worker)
{
	asker_acquire(asker, worker, false);
	RUN_UNTIL(asker->fixture, asker->turn != 0);
	assert(asker->connection != NULL);
}

void asker_return(struct asker *asker)
{
	struct connection *connection = asker->connection;
	struct loop *loop = connection_stream(connection)->loop;

	asker->connection = NULL;
	pool_return(connection, 0);
	loop_settle(loop);
}

void asker_discard(struct asker *asker)
{
	struct connection *connection = asker->connection;
	struct loop *loop = connection_stream(connection)->loop;

	asker->connection = NULL;
	pool_discard(connection);
	loop_settle(loop);
}

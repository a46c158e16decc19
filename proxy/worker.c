/*
 * Layer: proxy. One job: what one thread has, and how it ends; see worker.h.
 */
#include "proxy/worker.h"

#include <assert.h>

#include "base/log.h"
#include "base/memory.h"
#include "proxy/client.h"
#include "proxy/client_state.h"
#include "proxy/exchange.h"
#include "proxy/listener.h"
#include "proxy/server.h"

enum {
	WALL_CLOCK_EVERY_US = 100 * 1000,
	TARGET_MAX = 16 * 1024, /* a request target; above it 414. Browsers stop far below */
};

/* --- the end */

static void on_pool_closed(void *context)
{
	struct worker *worker = context;

	worker->open_pools--; /* at 0 the loop has nothing left to run for */
}

static void end_if_drained(struct worker *worker)
{
	if (!worker->draining || worker->ending || !list_empty(&worker->clients)) {
		return;
	}
	worker->ending = true;
	loop_timer_stop(&worker->loop, &worker->drain_timer);
	worker->open_pools = worker->settings->upstream_count;
	for (unsigned i = 0; i < worker->settings->upstream_count; i++) {
		pool_close(worker->pools[i], on_pool_closed, worker);
	}
}

static void on_drain_timeout(struct timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, drain_timer);

	list_each (node, after, &worker->clients) {
		client_abort(container_of(node, struct client, node));
	}
}

static void drain(struct worker *worker)
{
	uint64_t drain_ms = worker->settings->timeouts.drain_ms;

	worker->draining = true;
	list_each (listener, after_listener, &worker->listeners) {
		listener_close(container_of(listener, struct listener, node));
	}
	list_each (client, after_client, &worker->clients) {
		client_drain(container_of(client, struct client, node));
	}
	if (drain_ms > 0) {
		loop_timer_start(&worker->loop, &worker->drain_timer, drain_ms);
	}
	end_if_drained(worker);
}

static void on_drain(struct message *message)
{
	drain(container_of(message, struct worker, drain_message));
}

void worker_drain(struct worker *worker)
{
	loop_post(&worker->loop, &worker->drain_message);
}

void worker_discard(struct worker *worker)
{
	drain(worker);
	loop_run(&worker->loop);
}

void worker_client_gone(struct worker *worker, enum listener_role role, bool over_limit)
{
	server_connection_closed(worker->server, role, over_limit);
	end_if_drained(worker);
}

/* --- the rest */

uint64_t worker_wall_us(struct worker *worker)
{
	uint64_t now_us = loop_now_us(&worker->loop);

	if (worker->wall_read_us == 0 || now_us - worker->wall_read_us >= WALL_CLOCK_EVERY_US) {
		worker->wall_read_us = now_us;
		worker->wall_offset_us = clock_wall_us() - now_us;
	}
	return now_us + worker->wall_offset_us;
}

struct slice worker_date(struct worker *worker)
{
	uint64_t now_us = loop_now_us(&worker->loop);

	if (worker->date_us == 0 || now_us - worker->date_us >= 1000 * 1000) {
		uint64_t wall_us = worker_wall_us(worker);

		clock_format_imf(wall_us, worker->date);
		/* Kept for what is left of this second of the wall clock. */
		worker->date_us = now_us - wall_us % (1000 * 1000);
	}
	return slice_of(worker->date, CLOCK_IMF_SIZE - 1);
}

int worker_init(struct worker *worker, struct server *server, unsigned index,
	const struct proxy_settings *settings, const struct route_table *routes,
	struct upstream **upstreams)
{
	size_t for_heads = 4 * (size_t)settings->limits.header_bytes;
	int rc;

	*worker = (struct worker){
		.server = server,
		.settings = settings,
		.routes = routes,
		.index = index,
		.request_limits = {.bytes = settings->limits.header_bytes,
			.fields = settings->limits.headers,
			.target = TARGET_MAX},
		.exchange_memory =
			for_heads > EXCHANGE_MEMORY_MAX ? for_heads : EXCHANGE_MEMORY_MAX,
	};
	worker->response_limits = worker->request_limits;
	list_init(&worker->running);
	list_init(&worker->spare);
	list_init(&worker->clients);
	list_init(&worker->listeners);
	list_init(&worker->drain_message.node);
	worker->drain_message.run = on_drain;
	timer_init(&worker->drain_timer, on_drain_timeout);
	rc = loop_init(&worker->loop);
	if (rc < 0) {
		return rc;
	}
	worker->pools = mem_alloc_array(settings->upstream_count, sizeof(struct pool *));
	for (unsigned i = 0; i < settings->upstream_count; i++) {
		worker->pools[i] = pool_create(&worker->loop, upstreams[i]);
	}
	return 0;
}

void worker_fini(struct worker *worker)
{
	struct list *node;

	assert(worker->open_pools == 0);
	while ((node = list_pop_front(&worker->spare)) != NULL) {
		mem_free(container_of(node, struct exchange, node));
	}
	mem_free(worker->pools);
	loop_fini(&worker->loop);
}

void worker_observe(struct worker *worker, struct observer *observer)
{
	assert(worker->observer_count < OBSERVERS_MAX);
	worker->observers[worker->observer_count++] = observer;
}

void worker_run(struct worker *worker)
{
	loop_run(&worker->loop);
}

/*
 * Layer: config. One job: add up the bounds.
 *
 *   total = program + workers × worker + connections × (connection + exchange)
 *         + upstream connections × upstream connection + capture + routes + statistics
 *
 * Each figure is an upper bound of its own: a process that is not attacked on all sides at once
 * stays far below the sum. The kernel's socket buffers are not in it: they are not the process's.
 */
#include "config/memory_bound.h"

#include <assert.h>

#include "base/loop.h"
#include "base/tls.h"
#include "inspector/marks.h"
#include "inspector/statistics.h"
#include "inspector/store.h"
#include "proxy/exchange.h"
#include "proxy/server.h"

enum {
	KIB = 1024,
	CONNECTION = 1 * KIB, /* struct client and its stream; an idle one holds no buffer */
	READ = LOOP_READ_BUFFER_SIZE,
	READ_TLS = READ + TLS_RECORD_MAX, /* with what came of a record before */
	PIPELINED = 16 * KIB, /* and one read, of the requests behind the running one, before
				 reading stops */
	UPSTREAM_CONNECTION = 6 * KIB, /* struct connection, and, while it is dialed, an attempt for
					  each further address of the upstream's name */
	WORKER = READ + 1024 * KIB,    /* the read buffer; stack, loop, timers, a turn's scratch
					  memory, spare blocks */
	ROUTE = 256,                   /* its texts, its row in the table */
	LOG_QUEUES = 4 * 1024 *
		     KIB, /* two streams, each with 1 MiB that waits and 1 MiB on its way out */
	CODE = 16 * 1024 * KIB, /* the program, its libraries, the embedded pages */
};

/* Until its handshake has ended, a connection has no exchange: what the one takes at most stands
 * for both. */
static_assert(TLS_HANDSHAKE_MAX <= EXCHANGE_MEMORY_MAX + 2 * (READ + PIPELINED + READ),
	"what a handshake holds at most is below an exchange");

static bool clients_speak_tls(const struct proxy_settings *proxy)
{
	return proxy->tls.certificate != NULL;
}

static bool upstreams_speak_tls(const struct proxy_settings *proxy)
{
	for (uint32_t i = 0; i < proxy->upstream_count; i++) {
		if (proxy->upstreams[i].address.is_https) {
			return true;
		}
	}
	return false;
}

static bool speaks_tls(const struct proxy_settings *proxy)
{
	return clients_speak_tls(proxy) || upstreams_speak_tls(proxy);
}

/* What a turn produces for one stream at most: what was read, and a head before it. */
static uint64_t production_bytes(const struct proxy_settings *proxy)
{
	return (speaks_tls(proxy) ? READ_TLS : READ) + (uint64_t)proxy->limits.header_bytes;
}

/* What one exchange can hold: its arena; on each side what a socket did not take, which is at most
 * what one turn produces; and what the client sent too early. A buffer that grows may be twice what
 * it holds. */
static uint64_t exchange_bytes(const struct proxy_settings *proxy)
{
	uint64_t heads = 4 * (uint64_t)proxy->limits.header_bytes;
	uint64_t arena = heads > EXCHANGE_MEMORY_MAX ? heads : EXCHANGE_MEMORY_MAX;
	uint64_t pipelined = PIPELINED + (speaks_tls(proxy) ? READ_TLS : READ);

	return arena + 2 * production_bytes(proxy) + 2 * pipelined;
}

static uint64_t connection_bytes(const struct proxy_settings *proxy)
{
	return CONNECTION + (clients_speak_tls(proxy) ? TLS_CONNECTION_MAX : 0);
}

/* With TLS also the text of a read, and the records that a turn sends, in a buffer that grows. */
static uint64_t worker_bytes(const struct proxy_settings *proxy)
{
	return WORKER + (speaks_tls(proxy) ? READ_TLS + 2 * production_bytes(proxy) : 0);
}

static uint64_t statistics_bytes(const struct settings *settings)
{
	if (settings->inspector.enabled) {
		return statistics_memory_max(&settings->proxy, true) + marks_memory_max();
	}
	return settings->proxy.admin_listen_count > 0
		       ? statistics_memory_max(&settings->proxy, false)
		       : 0;
}

struct memory_bound memory_bound_of(const struct settings *settings)
{
	const struct proxy_settings *proxy = &settings->proxy;
	struct memory_bound bound = {
		.connections = proxy->limits.connections != 0 ? proxy->limits.connections
							      : server_connections_auto(proxy),
		.connection = connection_bytes(proxy),
		.exchange = exchange_bytes(proxy),
		.upstream_connection =
			UPSTREAM_CONNECTION + (upstreams_speak_tls(proxy) ? TLS_CONNECTION_MAX : 0),
		.workers = proxy->workers,
		.worker = worker_bytes(proxy),
		.capture = settings->inspector.enabled
				   ? capture_store_memory_max(&settings->inspector)
				   : 0,
		.routes = (uint64_t)(proxy->route_count + 1) * ROUTE,
		.statistics = statistics_bytes(settings),
		.program = CODE + LOG_QUEUES,
	};

	for (uint32_t i = 0; i < proxy->upstream_count; i++) {
		bound.upstream_connections += proxy->upstreams[i].pool.max_connections;
	}
	bound.total = bound.program + bound.workers * bound.worker +
		      bound.connections * (bound.connection + bound.exchange) +
		      bound.upstream_connections * bound.upstream_connection + bound.capture +
		      bound.routes + bound.statistics;
	return bound;
}

static void write_line(struct buffer *out, const char *what, uint64_t count, uint64_t each)
{
	double mib = (double)(count * each) / (1024.0 * KIB);

	if (count == 1) {
		buffer_printf(out, "#   %-24s %10.1f MiB\n", what, mib);
	} else {
		buffer_printf(out, "#   %-24s %10.1f MiB = %llu x %.1f KiB\n", what, mib,
			(unsigned long long)count, (double)each / KIB);
	}
}

void memory_bound_write(const struct memory_bound *bound, struct buffer *out)
{
	buffer_printf(out,
		"# The most memory that the process can take with these settings: %.1f MiB\n",
		(double)bound->total / (1024.0 * KIB));
	write_line(out, "program and logs", 1, bound->program);
	write_line(out, "workers", bound->workers, bound->worker);
	write_line(out, "client connections", bound->connections, bound->connection);
	write_line(out, "their exchanges", bound->connections, bound->exchange);
	write_line(out, "upstream connections", bound->upstream_connections,
		bound->upstream_connection);
	write_line(out, "capture", 1, bound->capture);
	write_line(out, "routes", 1, bound->routes);
	write_line(out, "statistics", 1, bound->statistics);
}

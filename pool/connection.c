/*
 * Layer: pool. One job: see connection.h.
 */
#include "pool/connection.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/tls.h"
#include "pool/credential_rules.h"
#include "pool/upstream_shared.h"

static struct connection *of_dial(struct dial *dial)
{
	return container_of(dial, struct connection, dial);
}

static struct connection *of_stream(struct stream *stream)
{
	return of_dial(dial_of_stream(stream));
}

static const struct connection_events *events_of(const struct connection *connection)
{
	return connection->dial.connector->events;
}

/* --- the handshake */

/* Nothing is missing any more: requests can go. */
static void open_up(struct connection *connection)
{
	struct dial *dial = &connection->dial;

	connection->connect_us = loop_now_us(dial->connector->loop) - dial->begun_us;
	connection->idle.key = connection_key(connection->identity, connection->serial);
	connection->state = CONNECTION_HELD;
	events_of(connection)->opened(connection);
}

static void handshake_failed(
	struct connection *connection, enum failure why, enum err_code code, const char *text)
{
	const struct connector *connector = connection->dial.connector;
	const struct upstream_address *address = upstream_address(connector->upstream);
	struct err err;

	err_set(&err, code, "upstream %s: TLS with %.100s: %s", upstream_name(connector->upstream),
		address->authority, text);
	loop_timer_stop(connector->loop, &connection->timer);
	dial_blame(&connection->dial);
	events_of(connection)->failed(connection, why, &err);
}

static void handshake_broke(struct connection *connection, int status)
{
	const struct err *tls = stream_failure(dial_stream(&connection->dial));
	bool closed = status == UV_EOF;
	char text[96];

	(void)snprintf(text, sizeof(text), "it %s the connection within the handshake%s%s",
		closed ? "closed" : "broke", closed ? "" : ": ", closed ? "" : uv_strerror(status));
	handshake_failed(connection, FAILURE_TLS, ERR_TLS, tls != NULL ? tls->text : text);
}

static void on_timer(struct timer *timer)
{
	struct connection *connection = container_of(timer, struct connection, timer);
	char text[96];

	(void)snprintf(text, sizeof(text),
		"no end of the handshake within %" PRIu64 " ms (timeouts.connect)",
		connection->dial.budget_ms);
	handshake_failed(connection, FAILURE_CONNECT_TIMEOUT, ERR_CONNECT_TIMEOUT, text);
}

/* --- events of the stream */

static void on_bytes(struct stream *stream, struct slice bytes)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ops->bytes(connection, bytes);
	} else {
		events_of(connection)->spoiled(connection);
	}
}

static void on_eof(struct stream *stream)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ended = true;
		connection->ops->eof(connection);
	} else if (connection->state == CONNECTION_CONNECTED) {
		handshake_broke(connection, UV_EOF);
	} else {
		events_of(connection)->spoiled(connection);
	}
}

static void on_failed(struct stream *stream, int status)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ended = true;
		connection->ops->failed(connection, status);
	} else if (connection->state == CONNECTION_CONNECTED) {
		handshake_broke(connection, status);
	} else {
		events_of(connection)->spoiled(connection);
	}
}

static void on_blocked(struct stream *stream)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ops->blocked(connection);
	}
}

static void on_drained(struct stream *stream)
{
	struct connection *connection = of_stream(stream);

	if (connection->state == CONNECTION_LENT) {
		connection->ops->drained(connection);
	}
}

static void on_secured(struct stream *stream)
{
	struct connection *connection = of_stream(stream);
	struct loop *loop = stream->loop;

	loop_timer_stop(loop, &connection->timer);
	connection->tls_us = loop_now_us(loop) - connection->tls_us;
	open_up(connection);
}

static const struct stream_ops stream_ops = {
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
	.secured = on_secured,
};

/* --- events of the dial */

/* The certificate that is shown: which one it is, and that the connection ends with it. */
static void note_certificate(struct connection *connection, const struct tls_context *context)
{
	const struct connector *connector = connection->dial.connector;
	int64_t not_after_s = tls_context_not_after(context);
	uint64_t until_ms;

	connection->serial = tls_context_serial(context);
	if (not_after_s > 0) {
		until_ms = credential_usable_until((uint64_t)not_after_s,
			upstream_pool_settings(connector->upstream)->safety_margin_ms,
			clock_wall_us(), loop_now_ms(connector->loop));
		if (until_ms < connection->retire_ms) {
			connection->retire_ms = until_ms;
		}
	}
}

static void shake_hands(struct connection *connection)
{
	struct connector *connector = connection->dial.connector;
	struct upstream *upstream = connector->upstream;
	struct tls_context *context = tls_source_hold(upstream_tls_source(upstream));
	uint64_t left_ms = dial_remaining_ms(&connection->dial);
	struct err err;
	struct tls *tls = tls_open_client(
		context, upstream_tls_name(upstream), connector->sessions, clock_wall_us(), &err);

	note_certificate(connection, context);
	tls_context_release(context);
	connection->tls_us = loop_now_us(connector->loop);
	if (tls == NULL || stream_secure(dial_stream(&connection->dial), tls, &err) != ERR_NONE) {
		handshake_failed(connection, FAILURE_TLS, ERR_TLS, err.text);
	} else if (left_ms != UINT64_MAX) {
		loop_timer_start(connector->loop, &connection->timer, left_ms);
	}
}

static void on_connected(struct dial *dial)
{
	struct connection *connection = of_dial(dial);

	dial_stream(dial)->ops = &stream_ops;
	connection->state = CONNECTION_CONNECTED;
	if (upstream_tls_source(dial->connector->upstream) == NULL) {
		open_up(connection);
	} else {
		shake_hands(connection);
	}
}

static void on_dial_failed(struct dial *dial, enum failure why, const struct err *err)
{
	struct connection *connection = of_dial(dial);

	events_of(connection)->failed(connection, why, err);
}

static void on_dial_closed(struct dial *dial)
{
	struct connection *connection = of_dial(dial);

	events_of(connection)->closed(connection);
}

static const struct dial_events dial_events = {
	.connected = on_connected,
	.failed = on_dial_failed,
	.closed = on_dial_closed,
};

/* --- for the pool */

void connection_dial(
	struct connection *connection, struct connector *connector, uint64_t timeout_ms)
{
	*connection = (struct connection){
		.idle_limit_ms = idle_limit_ms(
			upstream_pool_settings(connector->upstream)->idle_timeout_ms, 0),
	};
	list_init(&connection->idle.node);
	timer_init(&connection->timer, on_timer);
	dial_begin(&connection->dial, connector, &dial_events, timeout_ms);
}

void connection_lend(struct connection *connection, bool reused, uint64_t idle_ms)
{
	assert(connection->state == CONNECTION_HELD);
	connection->state = CONNECTION_LENT;
	connection->reused = reused;
	connection->idle_ms = idle_ms;
	if (reused) {
		connection->connect_us = 0;
		connection->tls_us = 0;
	}
}

bool connection_reclaim(struct connection *connection)
{
	struct stream *stream = dial_stream(&connection->dial);

	assert(connection->state == CONNECTION_LENT);
	connection->ops = NULL;
	connection->borrower = NULL;
	if (connection->ended || stream->broken || stream->write_error != 0 || stream->shutting ||
		stream_blocked(stream) ||
		stream->gathered != NULL) { /* what was written did not all leave: not clean */
		return false;
	}
	stream_resume(stream);
	connection->state = CONNECTION_HELD;
	return true;
}

void connection_blame(struct connection *connection)
{
	dial_blame(&connection->dial);
}

void connection_close(struct connection *connection)
{
	assert(connection->state != CONNECTION_CLOSING);
	connection->state = CONNECTION_CLOSING;
	loop_timer_stop(connection->dial.connector->loop, &connection->timer);
	dial_close(&connection->dial);
}

/* --- for borrowers: see pool.h */

void connection_attach(
	struct connection *connection, const struct connection_ops *ops, void *borrower)
{
	assert(connection->state == CONNECTION_LENT);
	connection->ops = ops;
	connection->borrower = borrower;
}

void *connection_borrower(const struct connection *connection)
{
	return connection->borrower;
}

struct stream *connection_stream(struct connection *connection)
{
	return dial_stream(&connection->dial);
}

bool connection_reused(const struct connection *connection)
{
	return connection->reused;
}

uint64_t connection_idle_ms(const struct connection *connection)
{
	return connection->idle_ms;
}

uint64_t connection_connect_us(const struct connection *connection)
{
	return connection->connect_us;
}

uint64_t connection_tls_us(const struct connection *connection)
{
	return connection->tls_us;
}

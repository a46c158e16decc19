/*
 * Layer: proxy/responders. One job: after the upstream's 101, carry bytes both ways with
 * back-pressure until both sides have ended. No timeout watches a tunnel that is open in both
 * directions: a WebSocket may be silent for hours, and a peer that has vanished is noticed by the
 * system (stream_probe()). One whose peer has ended is given TUNNEL_LINGER_MS for the other half;
 * an upstream that takes nothing of what there is for it, timeouts.idle.
 */
#include <uv.h>

#include "proxy/responders/origin_state.h"
#include "proxy/worker.h"

enum {
	TUNNEL_LINGER_MS = 30 * 1000,
};

static struct origin *of_responder(struct responder *responder)
{
	return container_of(responder, struct origin, responder);
}

/* Whether the upstream has to take something, and in time. */
static bool upstream_is_due(const struct origin *self)
{
	return self->upstream_blocked && self->timeouts->idle_ms > 0;
}

static void watch(struct origin *self)
{
	struct loop *loop = self->exchange->loop;

	if (upstream_is_due(self)) {
		loop_timer_start(loop, &self->timer, self->timeouts->idle_ms);
	} else if (self->request_ended) {
		loop_timer_start(loop, &self->timer, TUNNEL_LINGER_MS);
	} else {
		loop_timer_stop(loop, &self->timer);
	}
}

static void end(struct origin *self)
{
	origin_release(self, false, 0);
	self->responder.up->ops->end(self->responder.up);
}

/* --- from the upstream */

static void on_bytes(struct connection *connection, struct slice bytes)
{
	struct origin *self = connection_borrower(connection);

	self->responder.up->ops->data(self->responder.up, bytes);
}

static void on_eof(struct connection *connection)
{
	struct origin *self = connection_borrower(connection);

	/* A half-closed WebSocket is of no use to anyone: what was read is delivered, then the
	 * client's side ends too. */
	end(self);
}

static void on_failed(struct connection *connection, int status)
{
	struct origin *self = connection_borrower(connection);

	origin_fail(self, ERR_UPSTREAM_RESET, "broke the tunnel: %s", uv_strerror(status));
}

static void on_blocked(struct connection *connection)
{
	struct origin *self = connection_borrower(connection);

	origin_blocked(self);
	self->responder.up->ops->pause(self->responder.up);
	watch(self);
}

static void on_drained(struct connection *connection)
{
	struct origin *self = connection_borrower(connection);

	self->upstream_blocked = false;
	self->responder.up->ops->resume(self->responder.up);
	watch(self);
}

static const struct connection_ops connection_ops = {
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
};

/* --- from the client */

static void tunnel_data(struct responder *responder, struct slice bytes)
{
	struct origin *self = of_responder(responder);

	if (self->connection != NULL) {
		stream_write(connection_stream(self->connection), bytes);
	}
}

static void tunnel_trailers(struct responder *responder, const struct head *trailers)
{
	(void)responder; /* a tunnel has none */
	(void)trailers;
}

static void tunnel_end(struct responder *responder)
{
	struct origin *self = of_responder(responder);

	self->request_ended = true;
	if (self->connection != NULL) {
		stream_shutdown(connection_stream(self->connection));
		watch(self);
	}
}

static void tunnel_pause(struct responder *responder)
{
	struct origin *self = of_responder(responder);

	if (self->connection != NULL) {
		stream_pause(connection_stream(self->connection));
	}
}

static void tunnel_resume(struct responder *responder)
{
	struct origin *self = of_responder(responder);

	if (self->connection != NULL) {
		stream_resume(connection_stream(self->connection));
	}
}

static void tunnel_cancel(struct responder *responder)
{
	origin_release(of_responder(responder), false, 0);
}

static const struct responder_ops tunnel_ops = {
	.name = "tunnel",
	.data = tunnel_data,
	.trailers = tunnel_trailers,
	.end = tunnel_end,
	.pause = tunnel_pause,
	.resume = tunnel_resume,
	.cancel = tunnel_cancel,
};

static void on_timer(struct timer *timer)
{
	struct origin *self = container_of(timer, struct origin, timer);

	if (!upstream_is_due(self)) { /* it has lingered long enough */
		end(self);
	} else if (origin_takes_something(self)) {
		watch(self);
	} else {
		origin_fail(self, ERR_IDLE_TIMEOUT, "took nothing for %llu ms (timeouts.idle)",
			(unsigned long long)self->timeouts->idle_ms);
	}
}

void origin_tunnel_begin(struct origin *self, struct slice bytes)
{
	struct loop *loop = self->exchange->loop;

	loop_timer_stop(loop, &self->timer);
	loop_timer_stop(loop, &self->total_timer); /* `total` is for answers; a tunnel is none */
	timer_init(&self->timer, on_timer);
	self->phase = ORIGIN_TUNNEL;
	self->request_ended = false; /* the request's end was its head's; the tunnel's is to come */
	self->responder.ops = &tunnel_ops;
	connection_attach(self->connection, &connection_ops, self);
	stream_probe(connection_stream(self->connection));
	self->responder.up->ops->head(self->responder.up, &self->response);
	if (self->upstream_blocked) { /* by the request's head still */
		self->responder.up->ops->pause(self->responder.up);
		watch(self);
	}
	if (bytes.len > 0) {
		self->responder.up->ops->data(self->responder.up, bytes);
	}
}

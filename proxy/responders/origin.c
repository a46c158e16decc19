/*
 * Layer: proxy/responders. One job: a request's way to its upstream: connection, head, body, retry,
 * timeouts; see origin.h. The answer's way back is in origin_answer.c.
 *
 * How it can fail, and what is done:
 *
 * - The upstream is left alone for now (pool/breaker.h): abort, before anything is tried. One
 *   question covers pooled and new connections, and the retry.
 * - It is to have the upstream's credential, and there is none that is still good: abort; it does
 * not go out without.
 * - No connection (refused, unresolved, queue full, timeouts): abort, with the pool's error.
 * - A reused connection dies before an answer's first byte: once more on a fresh one, where the
 *   request can be sent again; else abort.
 * - Any other death, silence or broken answer: abort. Before the answer's head it becomes a 502 or
 *   504, after it the client's connection breaks off.
 */
#include "proxy/responders/origin.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include <uv.h>

#include "base/tls.h"
#include "http/head_writer.h"
#include "proxy/forwarding.h"
#include "proxy/responders/origin_state.h"
#include "proxy/worker.h"

enum {
	REPLAY_MAX = 16 * 1024,        /* a body up to this size can be sent again */
	UNSAFE_REUSE_WITHIN_MS = 2000, /* INTERFACE section 2, Retry */
};

static struct origin *of_responder(struct responder *responder)
{
	return container_of(responder, struct origin, responder);
}

static const char *name_of(const struct origin *self)
{
	return upstream_name(pool_upstream(self->pool));
}

static void stop_timers(struct origin *self)
{
	loop_timer_stop(self->exchange->loop, &self->timer);
	loop_timer_stop(self->exchange->loop, &self->total_timer);
}

void origin_release(struct origin *self, bool clean, uint64_t keep_alive_ms)
{
	struct connection *connection = self->connection;

	stop_timers(self);
	self->phase = ORIGIN_OVER;
	outcome_leave(self->pool, &self->pass);
	if (self->entered) {
		self->entered = false;
		outcome_over(self->pool, self->retried);
	}
	if (connection == NULL) {
		return;
	}
	self->connection = NULL;
	if (clean) {
		pool_return(connection, keep_alive_ms);
	} else {
		pool_discard(connection);
	}
}

static enum failure failure_of(const struct origin *self, enum err_code code)
{
	switch (code) {
	case ERR_UPSTREAM_RESET:
		return self->phase == ORIGIN_HEAD ? FAILURE_RESET : FAILURE_RESET_WITHIN;
	case ERR_TLS:
		return FAILURE_TLS;
	case ERR_FIRST_BYTE_TIMEOUT:
		return FAILURE_FIRST_BYTE_TIMEOUT;
	case ERR_IDLE_TIMEOUT:
		return FAILURE_IDLE_TIMEOUT;
	case ERR_TOTAL_TIMEOUT:
		return FAILURE_TOTAL_TIMEOUT;
	default:
		return FAILURE_BAD_ANSWER;
	}
}

void origin_fail(struct origin *self, enum err_code code, const char *format, ...)
{
	struct err err;
	char what[sizeof(err.text)];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	err_set(&err, code, "upstream %s %s", name_of(self), what);
	outcome_failed(self->pool, &self->pass, self->connection, failure_of(self, code), &err);
	origin_release(self, false, 0);
	self->responder.up->ops->abort(self->responder.up, &err);
}

/* --- timeouts */

void origin_blocked(struct origin *self)
{
	self->upstream_blocked = true;
	self->untaken = stream_untaken(connection_stream(self->connection));
}

bool origin_takes_something(struct origin *self)
{
	size_t before = self->untaken;

	self->untaken = stream_untaken(connection_stream(self->connection));
	return self->untaken < before;
}

static void on_timeout(struct timer *timer)
{
	struct origin *self = container_of(timer, struct origin, timer);

	if (self->upstream_blocked && origin_takes_something(self)) {
		origin_watch(self); /* it is slow, not silent */
	} else if (self->phase == ORIGIN_HEAD && self->request_ended && !self->upstream_blocked) {
		origin_fail(self, ERR_FIRST_BYTE_TIMEOUT,
			"sent no answer within %llu ms (timeouts.first_byte)",
			(unsigned long long)self->timeouts->first_byte_ms);
	} else {
		origin_fail(self, ERR_IDLE_TIMEOUT, "was silent for %llu ms (timeouts.idle)",
			(unsigned long long)self->timeouts->idle_ms);
	}
}

static void on_total_timeout(struct timer *timer)
{
	struct origin *self = container_of(timer, struct origin, total_timer);

	pool_cancel(&self->waiter);
	origin_fail(self, ERR_TOTAL_TIMEOUT, "was not done within %llu ms (timeouts.total)",
		(unsigned long long)self->timeouts->total_ms);
}

void origin_watch(struct origin *self)
{
	struct loop *loop = self->exchange->loop;
	uint64_t wait_ms = self->timeouts->idle_ms;
	bool upstream_is_due = self->upstream_blocked;

	if (self->phase == ORIGIN_HEAD && self->request_ended) {
		upstream_is_due = true;
		if (!self->upstream_blocked) {
			wait_ms = self->timeouts->first_byte_ms;
		}
	} else if (self->phase == ORIGIN_BODY) {
		upstream_is_due = upstream_is_due || !self->client_paused;
	}
	if (upstream_is_due && wait_ms > 0) {
		loop_timer_start(loop, &self->timer, wait_ms);
	} else {
		loop_timer_stop(loop, &self->timer);
	}
}

/* --- the request goes out */

static void write_request_head(struct origin *self, const struct credential *credential)
{
	struct stream *stream = connection_stream(self->connection);
	struct slice head = forwarding_request(
		self->exchange, upstream_address(pool_upstream(self->pool)), credential);

	stream_write(stream, head);
}

static void write_body(struct origin *self, struct slice bytes)
{
	struct stream *stream = connection_stream(self->connection);
	struct loop *loop = self->exchange->loop;

	if (self->exchange->request_framing.kind == FRAMING_CHUNKED) {
		char *line = loop_scratch(loop, CHUNK_LINE_MAX);

		stream_write(stream, slice_of(line, chunk_line_write(line, bytes.len)));
		stream_write(stream, bytes);
		stream_write(stream, SLICE("\r\n"));
	} else {
		stream_write(stream, bytes);
	}
}

static void write_end(struct origin *self)
{
	struct exchange *exchange = self->exchange;
	struct stream *stream = connection_stream(self->connection);
	struct head *trailers = &exchange->request_trailers;
	struct head_writer writer;
	size_t room;

	if (exchange->request_framing.kind != FRAMING_CHUNKED) {
		return;
	}
	stream_write(stream, SLICE("0\r\n"));
	if (trailers->count > 0 && forwarding_trailers(trailers)) {
		room = head_writer_bound(trailers);
		head_writer_init(&writer, loop_scratch(exchange->loop, room), room);
		head_writer_fields(&writer, trailers);
		stream_write(stream, head_writer_slice(&writer));
	}
	stream_write(stream, SLICE("\r\n"));
}

static void pause_request(struct origin *self)
{
	if (!self->request_paused && !self->request_ended) {
		self->request_paused = true;
		self->responder.up->ops->pause(self->responder.up);
	}
}

static void resume_request(struct origin *self)
{
	if (self->request_paused) {
		self->request_paused = false;
		self->responder.up->ops->resume(self->responder.up);
	}
}

/* Keeps the body for a retry while it is small; a retry is out once this returns with replay ==
 * NULL and bytes sent. */
static void keep_for_replay(struct origin *self, struct slice bytes)
{
	if (self->replay == NULL) {
		return;
	}
	if (self->replay_len + bytes.len > REPLAY_MAX) {
		self->replay = NULL; /* the arena takes the memory back at the end */
		return;
	}
	memcpy(self->replay + self->replay_len, bytes.ptr, bytes.len);
	self->replay_len += bytes.len;
}

/* --- the connection */

static void begin_waiting(struct origin *self)
{
	self->phase = ORIGIN_WAITING;
	if (self->exchange->request_framing.kind != FRAMING_NONE) {
		pause_request(
			self); /* nothing of the body is held while there is nowhere to send it */
	}
}

static void acquire(struct origin *self, struct credential *credential, bool fresh)
{
	begin_waiting(self);
	self->credential = credential_ref(credential);
	self->waiter.credential = credential;
	self->exchange->clock.queued_us = loop_now_us(self->exchange->loop);
	pool_acquire(self->pool, &self->waiter, fresh);
}

static void refuse_for_credential(struct origin *self)
{
	begin_waiting(self);
	pool_refuse_credential(self->pool, &self->waiter);
}

/* On a new connection, with the credential as it stands now. */
static void acquire_fresh(struct origin *self)
{
	struct credential *credential;

	origin_forget_credential(self);
	if (origin_choose_credential(self, &credential)) {
		acquire(self, credential, true);
	} else {
		refuse_for_credential(self);
	}
}

/* True where this request may go out a second time: nothing can have happened twice, and all of it
 * is still at hand. */
static bool can_retry(const struct origin *self)
{
	return !self->retried && !self->answer_begun && connection_reused(self->connection) &&
	       method_is_idempotent(self->exchange->request.method) &&
	       (self->exchange->request_bytes == 0 || self->replay != NULL);
}

/* An end of the socket that may have cut something off. */
static bool lacks_farewell(const struct stream *stream)
{
	const struct tls *tls = stream_tls(stream);

	return tls != NULL && !tls_closed(tls);
}

static void fail_lost(struct origin *self, int status)
{
	const struct stream *stream = connection_stream(self->connection);
	const struct err *tls = stream_failure(stream);
	bool reset = status != UV_EOF;
	const char *when = self->phase == ORIGIN_HEAD ? "before it answered" : "within its answer";

	if (tls != NULL) {
		origin_fail(self, ERR_TLS, "ended TLS %s: %s", when, tls->text);
	} else {
		origin_fail(self, ERR_UPSTREAM_RESET, "%s the connection %s%s%s",
			reset ? "broke" : "closed", when, reset ? ": " : "",
			reset                    ? uv_strerror(status)
			: lacks_farewell(stream) ? ", without the farewell of TLS (close_notify)"
						 : "");
	}
}

static void connection_lost(struct origin *self, int status)
{

	if (self->phase == ORIGIN_HEAD && can_retry(self) && outcome_may_retry(self->pool)) {
		self->retried = true;
		pool_discard(self->connection);
		self->connection = NULL;
		self->upstream_blocked = false;
		loop_timer_stop(self->exchange->loop, &self->timer);
		acquire_fresh(self);
		return;
	}
	fail_lost(self, status);
}

static void on_bytes(struct connection *connection, struct slice bytes)
{
	origin_answer_bytes(connection_borrower(connection), bytes);
}

static void on_eof(struct connection *connection)
{
	struct origin *self = connection_borrower(connection);

	if (self->phase == ORIGIN_BODY && self->response.framing.kind == FRAMING_CLOSE) {
		origin_answer_eof(self);
	} else {
		connection_lost(self, UV_EOF);
	}
}

static void on_failed(struct connection *connection, int status)
{
	connection_lost(connection_borrower(connection), status);
}

static void on_blocked(struct connection *connection)
{
	struct origin *self = connection_borrower(connection);

	origin_blocked(self);
	pause_request(self);
	origin_watch(self);
}

static void on_drained(struct connection *connection)
{
	struct origin *self = connection_borrower(connection);

	self->upstream_blocked = false;
	resume_request(self);
	origin_watch(self);
}

static const struct connection_ops connection_ops = {
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
};

/* A connection is there: the head goes out, and what of the body is at hand. */
static void use_connection(
	struct origin *self, struct connection *connection, const struct credential *credential)
{
	struct exchange *exchange = self->exchange;

	self->connection = connection;
	self->phase = ORIGIN_HEAD;
	connection_attach(connection, &connection_ops, self);
	stream_hear_out(connection_stream(connection));
	exchange->attempts++;
	exchange->reused = connection_reused(connection);
	exchange->idle_ms = connection_idle_ms(connection);
	exchange->clock.connected_us = loop_now_us(exchange->loop);
	exchange->clock.securing_us =
		connection_tls_us(connection) == 0
			? 0
			: exchange->clock.connected_us - connection_tls_us(connection);
	self->answer_begun = false;
	origin_answer_begin(self);
	write_request_head(self, credential);
	if (self->replay_len > 0) {
		write_body(self, slice_of(self->replay, self->replay_len));
	}
	if (self->request_ended) {
		write_end(self);
		exchange->clock.sent_us = loop_now_us(exchange->loop);
	}
	if (self->client_paused) {
		stream_pause(connection_stream(connection));
	}
	origin_watch(self);
	resume_request(self);
}

static void on_ready(struct pool_waiter *waiter, struct connection *connection)
{
	struct origin *self = container_of(waiter, struct origin, waiter);

	self->exchange->clock.connecting_us = waiter->connecting_us;
	if (self->credential != NULL && origin_credential_ended(self, self->credential)) {
		pool_discard(connection); /* it waited for too long; there may be a newer one */
		acquire_fresh(self);
		return;
	}
	use_connection(self, connection, self->credential);
	origin_forget_credential(self);
}

static void on_acquire_failed(struct pool_waiter *waiter, const struct err *err)
{
	struct origin *self = container_of(waiter, struct origin, waiter);

	self->exchange->clock.connecting_us = waiter->connecting_us;
	self->exchange->retry_after_ms = waiter->retry_ms;
	origin_release(self, false, 0);
	self->responder.up->ops->abort(self->responder.up, err);
}

/* A connection from the pool where one is idle, else a new one; or neither, while the upstream is
 * left alone. */
static void get_connection(struct origin *self, bool idempotent)
{
	struct connection *connection;
	struct credential *credential;
	uint64_t wait_ms;

	if (!origin_choose_credential(self, &credential)) {
		refuse_for_credential(self);
		return;
	}
	if (!outcome_enter(self->pool, &self->pass, &wait_ms)) {
		begin_waiting(self);
		pool_refuse(self->pool, &self->waiter, wait_ms);
		return;
	}
	self->entered = true;
	connection = pool_take(self->pool, credential, idempotent ? 0 : UNSAFE_REUSE_WITHIN_MS);
	if (connection != NULL) {
		use_connection(self, connection, credential);
	} else {
		acquire(self, credential, false);
	}
}

/* --- calls down */

static void origin_data(struct responder *responder, struct slice bytes)
{
	struct origin *self = of_responder(responder);

	/* While it waits for a connection the client is told to wait too; once it is over, what
	 * still comes is of no use. */
	assert(self->phase != ORIGIN_WAITING);
	if (self->connection != NULL) {
		keep_for_replay(self, bytes);
		write_body(self, bytes);
		origin_watch(self);
	}
}

static void origin_trailers(struct responder *responder, const struct head *trailers)
{
	(void)responder; /* exchange->request_trailers; they leave with the end */
	(void)trailers;
}

static void origin_end(struct responder *responder)
{
	struct origin *self = of_responder(responder);

	self->request_ended = true;
	if (self->connection != NULL) {
		write_end(self);
		self->exchange->clock.sent_us = loop_now_us(self->exchange->loop);
		origin_watch(self);
	}
}

static void origin_pause(struct responder *responder)
{
	struct origin *self = of_responder(responder);

	self->client_paused = true;
	if (self->connection != NULL) {
		stream_pause(connection_stream(self->connection));
		origin_watch(self);
	}
}

static void origin_resume(struct responder *responder)
{
	struct origin *self = of_responder(responder);

	self->client_paused = false;
	if (self->connection != NULL) {
		stream_resume(connection_stream(self->connection));
		origin_watch(self);
	}
}

static void origin_cancel(struct responder *responder)
{
	struct origin *self = of_responder(responder);

	pool_cancel(&self->waiter);
	origin_forget_credential(self);
	origin_release(self, false, 0);
}

static const struct responder_ops origin_ops = {
	.name = "origin",
	.data = origin_data,
	.trailers = origin_trailers,
	.end = origin_end,
	.pause = origin_pause,
	.resume = origin_resume,
	.cancel = origin_cancel,
};

static struct responder *origin_start(
	void *context, struct exchange *exchange, struct requester *up)
{
	struct origin *self = arena_alloc(&exchange->arena, sizeof(*self));
	bool idempotent = method_is_idempotent(exchange->request.method);

	(void)context;
	assert(self != NULL); /* the arena's bound leaves room for it: see EXCHANGE_MEMORY_MAX */
	memset(self, 0, offsetof(struct origin, response));
	self->responder.ops = &origin_ops;
	self->responder.up = up;
	self->exchange = exchange;
	self->pool = exchange->worker->pools[exchange->route->upstream];
	self->timeouts = &exchange->route->timeouts;
	pool_waiter_init(&self->waiter);
	self->waiter.ready = on_ready;
	self->waiter.failed = on_acquire_failed;
	self->waiter.connect_timeout_ms = self->timeouts->connect_ms;
	self->waiter.pass = &self->pass;
	timer_init(&self->timer, on_timeout);
	timer_init(&self->total_timer, on_total_timeout);
	exchange->upstream = name_of(self);
	if (self->timeouts->total_ms > 0) {
		loop_timer_start(exchange->loop, &self->total_timer, self->timeouts->total_ms);
	}
	if (idempotent && exchange->request_framing.kind != FRAMING_NONE) {
		self->replay =
			arena_alloc(&exchange->arena, REPLAY_MAX); /* NULL: no retry with a body */
	}
	get_connection(self, idempotent);
	return &self->responder;
}

const struct responder_kind origin = {
	.name = "origin",
	.start = origin_start,
};

/*
 * Layer: proxy. One job: a client's HTTP/1 connection; see client.h. The answer's way out is in
 * client_answer.c.
 *
 * What may happen, and what is done:
 *   a head that breaks the rules            an answer (400, 431, …), then the connection lingers
 * and closes; what follows is not read as HTTP a body that breaks the rules            the
 * upstream's connection breaks off; an answer where none has begun; closes the client leaves its
 * exchange is cancelled the upstream fails within its answer    the connection is reset: a cut-off
 * answer never looks whole the client takes nothing                reset after timeouts.send
 */
#include "proxy/client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "proxy/client_state.h"
#include "proxy/network.h"
#include "proxy/server.h"
#include "proxy/worker.h"

enum {
	LINGER_MS = 2000, /* how long what a refused client still sends is taken and dropped */
	LINGER_BYTES = 1024 * 1024, /* and how much */
	PIPELINED_MAX =
		16 * 1024, /* bytes of further requests that are taken while one is answered */
};

/* --- the end of a connection */

static void on_closed(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);
	struct worker *worker = self->worker;

	list_remove(&self->node);
	mem_free(self->carried.ptr);
	mem_free(self);
	worker_client_gone(worker);
}

static void finish_exchange(struct client *self, const struct err *why)
{
	struct exchange *exchange = self->exchange;

	self->exchange = NULL;
	self->reading = NULL;
	if (exchange != NULL) {
		exchange_finish(exchange, why);
	}
}

static void stop_everything(struct client *self, const struct err *why)
{
	loop_timer_stop(&self->worker->loop, &self->timer);
	loop_timer_stop(&self->worker->loop, &self->send_timer);
	task_cancel(&self->done);
	task_cancel(&self->go_on);
	self->phase = CLIENT_CLOSED;
	finish_exchange(self, why);
}

static void close_now(struct client *self, const struct err *why)
{
	if (self->phase != CLIENT_CLOSED) {
		stop_everything(self, why);
		stream_close(&self->stream, on_closed);
	}
}

static void reset_now(struct client *self, const struct err *why)
{
	if (self->phase != CLIENT_CLOSED) {
		stop_everything(self, why);
		stream_reset(&self->stream, on_closed);
	}
}

/* Ends our side and drops what still comes, so that the client reads our answer and not a reset
 * (RFC 9112 section 9.6). */
static void linger(struct client *self)
{
	finish_exchange(self, NULL);
	self->phase = CLIENT_LINGERING;
	self->lingered = 0;
	mem_free(self->carried.ptr);
	self->carried = BUFFER_INIT;
	stream_shutdown(&self->stream);
	stream_resume(&self->stream);
	loop_timer_start(&self->worker->loop, &self->timer, LINGER_MS);
}

/* --- waiting for a request, or for its next part */

static void watch_request(struct client *self)
{
	const struct timeout_settings *timeouts = &self->worker->settings->timeouts;
	struct loop *loop = &self->worker->loop;
	uint64_t wait_ms = 0;

	switch (self->phase) {
	case CLIENT_IDLE:
		wait_ms = timeouts->keep_alive_ms;
		break;
	case CLIENT_BODY:
		wait_ms = self->exchange->request_paused ? 0 : timeouts->body_ms;
		break;
	default:
		break;
	}
	if (wait_ms > 0) {
		loop_timer_start(loop, &self->timer, wait_ms);
	} else {
		loop_timer_stop(loop, &self->timer);
	}
}

static void refuse(struct client *self, const struct err *why)
{
	self->phase = CLIENT_ANSWERING;
	self->close_after = true;
	loop_timer_stop(&self->worker->loop, &self->timer);
	exchange_request_head(self->exchange, why);
}

static void body_failed(struct client *self, const struct err *why)
{
	self->phase = CLIENT_ANSWERING;
	self->close_after = true;
	loop_timer_stop(&self->worker->loop, &self->timer);
	exchange_request_failed(self->exchange, why);
}

static void on_timer(struct timer *timer)
{
	struct client *self = container_of(timer, struct client, timer);
	const struct timeout_settings *timeouts = &self->worker->settings->timeouts;
	struct err err;

	switch (self->phase) {
	case CLIENT_HEAD:
		err_set(&err, ERR_HEADER_TIMEOUT,
			"the request's head was not whole within %llu ms (timeouts.header)",
			(unsigned long long)timeouts->header_ms);
		refuse(self, &err);
		break;
	case CLIENT_BODY:
		err_set(&err, ERR_BODY_TIMEOUT,
			"nothing came of the request's body for %llu ms (timeouts.body)",
			(unsigned long long)timeouts->body_ms);
		body_failed(self, &err);
		break;
	default: /* idle, or lingering long enough */
		close_now(self, NULL);
		break;
	}
}

/* --- reading requests */

static void begin_exchange(struct client *self)
{
	struct exchange *exchange = exchange_create(self->worker, &self->requester);

	self->exchange = exchange;
	self->phase = CLIENT_HEAD;
	self->close_after = false;
	self->aborted = false;
	self->continued = false;
	self->trailers_sent = false;
	exchange->peer_ip = self->ip;
	exchange->peer_trusted = self->trusted;
	exchange->over_loopback = self->over_loopback;
	exchange->inspector_listener = self->inspector_listener;
	self->reading = arena_alloc(&exchange->arena, sizeof(*self->reading));
	assert(self->reading != NULL); /* the first allocation of its arena */
	head_reader_init(&self->reading->head, HEAD_REQUEST, &exchange->request, &exchange->arena,
		&self->worker->request_limits);
}

/* The head is whole: decides its framing and target, and lets the exchange begin. */
static void take_head(struct client *self)
{
	struct exchange *exchange = self->exchange;
	const struct limit_settings *limits = &self->worker->settings->limits;
	struct framing *framing = &exchange->request_framing;
	struct err err;

	if (framing_of_request(&exchange->request, framing, &err) != ERR_NONE ||
		target_of_request(&exchange->request, &exchange->arena, &exchange->target, &err) !=
			ERR_NONE) {
		refuse(self, &err);
		return;
	}
	if (limits->body_bytes > 0 && framing->kind == FRAMING_LENGTH &&
		framing->length > limits->body_bytes) {
		err_set(&err, ERR_BODY_LIMIT, "the request's body is over limits.body_bytes");
		refuse(self, &err);
		return;
	}
	body_reader_init(&self->reading->body, framing, &exchange->request_trailers,
		&exchange->arena, &self->worker->request_limits);
	self->close_after = !framing->keep_alive;
	self->phase = framing->kind == FRAMING_NONE ? CLIENT_ANSWERING : CLIENT_BODY;
	exchange_request_head(exchange, NULL);
	if (framing->kind == FRAMING_NONE) {
		loop_timer_stop(&self->worker->loop, &self->timer);
		exchange_request_end(exchange);
	}
}

/* Takes from the front of `in`. False where no more can be taken for now. */
static bool read_head(struct client *self, struct slice *in)
{
	size_t taken;
	struct err err;

	switch (head_reader_feed(&self->reading->head, *in, &taken, &err)) {
	case HEAD_MORE:
		in->len = 0;
		if (!timer_active(&self->timer) && self->worker->settings->timeouts.header_ms > 0) {
			loop_timer_start(&self->worker->loop, &self->timer,
				self->worker->settings->timeouts.header_ms);
		}
		return false;
	case HEAD_DONE:
		*in = slice_of(in->ptr + taken, in->len - taken);
		take_head(self);
		return true;
	case HEAD_FAILED:
		in->len = 0;
		refuse(self, &err);
		return false;
	}
	return false;
}

static bool over_limit(const struct client *self, size_t more)
{
	uint64_t limit = self->worker->settings->limits.body_bytes;

	return limit > 0 && self->exchange->request_bytes + more > limit;
}

static bool read_body(struct client *self, struct slice *in)
{
	struct exchange *exchange = self->exchange;
	struct slice data;
	struct err err;

	if (exchange->request_paused) {
		return false;
	}
	switch (body_reader_next(&self->reading->body, in, &data, &err)) {
	case BODY_DATA:
		if (over_limit(self, data.len)) {
			err_set(&err, ERR_BODY_LIMIT,
				"the request's body is over limits.body_bytes");
			in->len = 0;
			body_failed(self, &err);
			return false;
		}
		exchange_request_data(exchange, data);
		return true;
	case BODY_MORE:
		return false;
	case BODY_END:
		self->phase = CLIENT_ANSWERING;
		loop_timer_stop(&self->worker->loop, &self->timer);
		exchange_request_end(exchange);
		return true;
	case BODY_FAILED:
		in->len = 0;
		body_failed(self, &err);
		return false;
	}
	return false;
}

/* The answer is out, the request's body is not: the rest is taken and dropped, so that the next
 * request can be read. */
static bool drop_body(struct client *self, struct slice *in)
{
	size_t before = in->len;
	struct slice data;
	struct err err;
	enum body_progress progress = body_reader_next(&self->reading->body, in, &data, &err);

	self->lingered += before - in->len;
	if (progress == BODY_FAILED || self->lingered > LINGER_BYTES) {
		linger(self);
		return false;
	}
	if (progress == BODY_END) {
		client_exchange_over(self);
	}
	return progress != BODY_MORE;
}

/* Keeps what cannot be taken now, and reads no more until it can. */
static void carry(struct client *self, struct slice rest)
{
	if (rest.len == 0) {
		return;
	}
	buffer_append_slice(&self->carried, rest);
	if (self->phase != CLIENT_ANSWERING || self->carried.len >= PIPELINED_MAX) {
		stream_pause(&self->stream);
	}
}

static void take_bytes(struct client *self, struct slice in)
{
	bool more = true;

	while (more) {
		switch ((enum client_phase)self->phase) {
		case CLIENT_IDLE:
			more = in.len > 0;
			if (more) {
				loop_timer_stop(&self->worker->loop, &self->timer);
				begin_exchange(self);
			}
			break;
		case CLIENT_HEAD:
			more = in.len > 0 && read_head(self, &in);
			break;
		case CLIENT_BODY:
			more = read_body(self, &in);
			break;
		case CLIENT_DROPPING:
			more = drop_body(self, &in);
			break;
		case CLIENT_TUNNEL:
			more = false;
			if (in.len > 0 && !self->exchange->request_paused) {
				exchange_request_data(self->exchange, in);
				in.len = 0;
			}
			break;
		case CLIENT_ANSWERING:
			more = false; /* pipelined: its turn comes */
			if (self->close_after) {
				in.len = 0; /* nothing more of this connection is read as HTTP */
			}
			break;
		case CLIENT_LINGERING:
			more = false;
			self->lingered += in.len;
			in.len = 0;
			if (self->lingered > LINGER_BYTES) {
				close_now(self, NULL);
			}
			break;
		case CLIENT_CLOSED:
			return;
		}
	}
	carry(self, in);
	if (self->phase == CLIENT_BODY) {
		watch_request(self);
	}
}

/* What was carried is taken up again, in a turn of its own making. */
static void on_go_on(struct task *task)
{
	struct client *self = container_of(task, struct client, go_on);
	struct buffer carried = self->carried;

	self->carried = BUFFER_INIT;
	stream_resume(&self->stream);
	take_bytes(self, buffer_slice(&carried));
	/* What was taken may be borrowed by this turn's writes: the memory goes when they are out.
	 */
	loop_free_settled(&self->worker->loop, carried.ptr);
}

void client_go_on(struct client *self)
{
	loop_ready(&self->worker->loop, &self->go_on);
}

/* --- an exchange is over */

void client_exchange_over(struct client *self)
{
	finish_exchange(self, NULL);
	self->phase = CLIENT_IDLE;
	if (self->worker->draining && self->carried.len == 0) {
		close_now(self, NULL);
		return;
	}
	watch_request(self);
	client_go_on(self);
}

/* What `end` or `abort` brought about, once this turn's writes have left. */
static void on_done(struct task *task)
{
	struct client *self = container_of(task, struct client, done);

	if (self->aborted) {
		reset_now(self, NULL);
		return;
	}
	if (stream_blocked(&self->stream)) {
		return; /* `drained` comes back here: a further answer behind a backlog would make
			   it grow */
	}
	if (self->phase == CLIENT_TUNNEL) {
		close_now(self, NULL);
		return;
	}
	if (!self->exchange->request_ended) {
		if (self->close_after || self->phase != CLIENT_BODY) {
			linger(self);
			return;
		}
		self->phase = CLIENT_DROPPING;
		self->lingered = 0;
		loop_timer_start(&self->worker->loop, &self->timer, LINGER_MS);
		client_go_on(self);
		return;
	}
	if (self->close_after) {
		close_now(self, NULL);
		return;
	}
	client_exchange_over(self);
}

/* --- events of the stream */

static void on_bytes(struct stream *stream, struct slice bytes)
{
	struct client *self = container_of(stream, struct client, stream);

	if (self->carried.len > 0) {
		carry(self, bytes); /* in order behind what waits already */
	} else {
		take_bytes(self, bytes);
	}
}

static void on_eof(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);
	struct err err;

	switch (self->phase) {
	case CLIENT_TUNNEL:
		exchange_request_end(self->exchange);
		break;
	case CLIENT_IDLE:
	case CLIENT_LINGERING:
	case CLIENT_CLOSED:
		close_now(self, NULL);
		break;
	default:
		/* As nginx and HAProxy do, the end of its side is taken for leaving: nobody can
		 * tell the two apart. */
		err_set(&err, ERR_CLIENT_GONE, "the client closed the connection %s",
			self->phase == CLIENT_ANSWERING ? "before it had its answer"
							: "within its request");
		close_now(self, &err);
		break;
	}
}

static void on_failed(struct stream *stream, int status)
{
	struct client *self = container_of(stream, struct client, stream);
	struct err err;

	err_set(&err, ERR_CLIENT_GONE, "the client broke the connection: %s", uv_strerror(status));
	close_now(self, &err);
}

static void on_send_timer(struct timer *timer)
{
	struct client *self = container_of(timer, struct client, send_timer);
	size_t backlog = stream_backlog_size(&self->stream);
	uint64_t send_ms = self->worker->settings->timeouts.send_ms;
	struct err err;

	if (backlog < self->send_backlog) { /* slow, but it takes something */
		self->send_backlog = backlog;
		loop_timer_start(&self->worker->loop, &self->send_timer, send_ms);
		return;
	}
	err_set(&err, ERR_SEND_TIMEOUT,
		"the client took nothing of its answer for %llu ms (timeouts.send)",
		(unsigned long long)send_ms);
	reset_now(self, &err);
}

static void on_blocked(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);
	uint64_t send_ms = self->worker->settings->timeouts.send_ms;

	if (send_ms > 0) {
		self->send_backlog = stream_backlog_size(stream);
		loop_timer_start(&self->worker->loop, &self->send_timer, send_ms);
	}
	if (self->exchange != NULL) {
		exchange_pause(self->exchange);
	}
}

static void on_drained(struct stream *stream)
{
	struct client *self = container_of(stream, struct client, stream);

	loop_timer_stop(&self->worker->loop, &self->send_timer);
	if (self->exchange == NULL) {
		return;
	}
	exchange_resume(self->exchange);
	if (self->exchange->response_ended) {
		loop_settled(&self->worker->loop, &self->done);
	}
}

static const struct stream_ops stream_ops = {
	.bytes = on_bytes,
	.eof = on_eof,
	.failed = on_failed,
	.blocked = on_blocked,
	.drained = on_drained,
};

/* --- beginning and end */

static void find_peer(struct client *self)
{
	const struct proxy_settings *settings = self->worker->settings;
	struct sockaddr_storage peer;

	(void)snprintf(self->ip, sizeof(self->ip), "unix");
	if (stream_peer(&self->stream, &peer) < 0) {
		return;
	}
	if (peer.ss_family == AF_UNIX) {
		self->trusted = settings->trust_unix;
		return;
	}
	(void)uv_ip_name((const struct sockaddr *)&peer, self->ip, sizeof(self->ip));
	self->trusted = network_list_has(settings->trusted_proxies, settings->trusted_proxy_count,
		(const struct sockaddr *)&peer);
}

void client_accept(struct worker *worker, uv_stream_t *listener, bool is_unix, bool over_loopback,
	bool inspector_listener, bool refuse_it)
{
	struct client *self = mem_zalloc(sizeof(*self));
	struct err err;

	self->worker = worker;
	self->requester.ops = &client_answer_ops;
	self->over_loopback = over_loopback;
	self->inspector_listener = inspector_listener;
	timer_init(&self->timer, on_timer);
	timer_init(&self->send_timer, on_send_timer);
	task_init(&self->done, on_done);
	task_init(&self->go_on, on_go_on);
	list_push_back(&worker->clients, &self->node);
	if (stream_accept(&self->stream, &worker->loop, &stream_ops, listener, is_unix) < 0) {
		close_now(self, NULL);
		return;
	}
	find_peer(self);
	if (refuse_it) {
		err_set(&err, ERR_CONNECTIONS,
			"as many client connections are open as limits.connections allows");
		begin_exchange(self);
		refuse(self, &err);
		return;
	}
	self->phase = CLIENT_IDLE;
	watch_request(self);
}

void client_drain(struct client *self)
{
	if (self->phase == CLIENT_IDLE && self->carried.len == 0) {
		close_now(self, NULL);
	}
}

void client_abort(struct client *self)
{
	struct err err;

	err_set(&err, ERR_DRAINING,
		"the proxy stopped before the exchange had ended (timeouts.drain)");
	reset_now(self, &err);
}

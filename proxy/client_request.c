/*
 * Layer: proxy. One job: read requests off a client's connection, one after the other: head, body,
 * and what comes before its time. See client_state.h.
 */
#include <assert.h>

#include "base/memory.h"
#include "proxy/client.h"
#include "proxy/client_state.h"
#include "proxy/worker.h"

enum {
	LINGER_BYTES =
		1024 * 1024, /* how much is taken and dropped of what nobody wants any more */
	PIPELINED_MAX =
		16 * 1024, /* bytes of further requests that are taken while one is answered */
};

void client_watch_request(struct client *self)
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

void client_refuse(struct client *self, const struct err *why)
{
	self->phase = CLIENT_ANSWERING;
	self->close_after = true;
	loop_timer_stop(&self->worker->loop, &self->timer);
	exchange_request_head(self->exchange, why);
}

void client_body_failed(struct client *self, const struct err *why)
{
	self->phase = CLIENT_ANSWERING;
	self->close_after = true;
	loop_timer_stop(&self->worker->loop, &self->timer);
	exchange_request_failed(self->exchange, why);
}

void client_begin_exchange(struct client *self)
{
	struct exchange *exchange = exchange_create(self->worker, &self->requester);

	self->exchange = exchange;
	self->phase = CLIENT_HEAD;
	self->close_after = false;
	self->aborted = false;
	self->continued = false;
	self->trailers_sent = false;
	self->lingered = 0;
	exchange->scheme = stream_tls(&self->stream) == NULL ? "http" : "https";
	exchange->peer_ip = self->ip;
	exchange->peer_trusted = self->trusted;
	exchange->over_loopback = self->over_loopback;
	exchange->listener = (enum listener_role)self->listener;
	self->reading = arena_alloc(&exchange->arena, sizeof(*self->reading));
	assert(self->reading != NULL); /* the first allocation of its arena */
	head_reader_init(&self->reading->head, HEAD_REQUEST, &exchange->request, &exchange->arena,
		&self->worker->request_limits);
}

/* The head is whole: decides its framing and target, and lets the exchange begin. */
static void take_head(struct client *self)
{
	struct exchange *exchange = self->exchange;
	struct framing *framing = &exchange->request_framing;
	struct err err;

	if (exchange_read_head(exchange, &err) != ERR_NONE) {
		client_refuse(self, &err);
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
		client_refuse(self, &err);
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
			client_body_failed(self, &err);
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
		client_body_failed(self, &err);
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
		client_linger(self);
		return false;
	}
	if (progress == BODY_END) {
		client_exchange_over(self);
	}
	return progress != BODY_MORE;
}

/* Reads no more while what is carried is enough. */
static void hold_back(struct client *self)
{
	size_t waiting = self->carried.len - self->carried_at;

	if (waiting > 0 && (self->phase != CLIENT_ANSWERING || waiting >= PIPELINED_MAX)) {
		stream_pause(&self->stream);
	}
}

void client_carry(struct client *self, struct slice rest)
{
	buffer_append_slice(&self->carried, rest);
	hold_back(self);
}

struct slice client_take(struct client *self, struct slice in)
{
	bool more = true;

	while (more) {
		switch ((enum client_phase)self->phase) {
		case CLIENT_IDLE:
			more = in.len > 0;
			if (more) {
				loop_timer_stop(&self->worker->loop, &self->timer);
				client_begin_exchange(self);
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
			more = false;            /* pipelined: its turn comes */
			if (self->close_after) { /* nothing more is read as HTTP */
				self->lingered += in.len;
				in.len = 0;
			}
			break;
		case CLIENT_LINGERING: /* however much it is: its time is short */
			more = false;
			in.len = 0;
			break;
		case CLIENT_SECURING: /* no byte of a request comes before it has ended */
		case CLIENT_CLOSED:
			return slice_of(NULL, 0);
		}
	}
	if (self->phase == CLIENT_BODY) {
		client_watch_request(self);
	}
	return self->phase == CLIENT_CLOSED ? slice_of(NULL, 0) : in;
}

/*
 * What was carried is taken up again. It is taken where it lies: this turn's writes may borrow from
 * it, so it goes when they are out.
 */
void client_on_go_on(struct task *task)
{
	struct client *self = container_of(task, struct client, go_on);
	struct slice rest =
		slice_of(self->carried.ptr == NULL ? NULL : self->carried.ptr + self->carried_at,
			self->carried.len - self->carried_at);
	struct slice left;

	stream_resume(&self->stream);
	left = client_take(self, rest);
	if (self->phase == CLIENT_CLOSED || self->phase == CLIENT_LINGERING) {
		return;
	}
	if (left.len > 0) {
		self->carried_at = self->carried.len - left.len;
		hold_back(self);
		return;
	}
	loop_free_settled(&self->worker->loop, self->carried.ptr);
	self->carried = BUFFER_INIT;
	self->carried_at = 0;
	if (self->worker->draining) {
		client_drain(self); /* it may have become idle by this */
	}
}

void client_go_on(struct client *self)
{
	loop_ready(&self->worker->loop, &self->go_on);
}

void client_next_request(struct client *self)
{
	if (self->carried.len > 0) { /* others come between the requests of one that pipelines */
		loop_later(&self->worker->loop, &self->go_on);
	}
}

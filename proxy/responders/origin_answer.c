/*
 * Layer: proxy/responders. One job: an answer's way from its upstream to the exchange: interim
 * answers, head, body, trailers, end, and what becomes of the connection.
 */
#include "proxy/forwarding.h"
#include "proxy/responders/origin_state.h"
#include "proxy/worker.h"

enum {
	KEEP_ALIVE_MAX_S = 86400, /* more than that says nothing */
};

void origin_answer_begin(struct origin *self)
{
	head_reader_init(&self->head_reader, HEAD_RESPONSE, &self->head, &self->exchange->arena,
		&self->exchange->worker->response_limits);
}

/* Keep-Alive: timeout=5, max=100. Milliseconds; 0 where it says nothing. */
static uint64_t keep_alive_ms(const struct head *head)
{
	struct slice rest = head_get(head, FIELD_KEEP_ALIVE);
	struct slice token;

	while (slice_next_token(&rest, &token)) {
		const struct slice name = SLICE("timeout=");
		uint64_t seconds;

		if (token.len > name.len &&
			slice_equal_nocase(slice_of(token.ptr, name.len), name) &&
			slice_to_u64(slice_of(token.ptr + name.len, token.len - name.len),
				KEEP_ALIVE_MAX_S, &seconds)) {
			return seconds * 1000;
		}
	}
	return 0;
}

/* The answer is whole. `rest` is what came behind it: nobody asked for that, so the connection is
 * not to be trusted. */
static void finish(struct origin *self, struct slice rest)
{
	bool clean = rest.len == 0 && self->request_ended && self->response.framing.keep_alive &&
		     !self->upstream_blocked;

	origin_release(self, clean, keep_alive_ms(&self->head));
	self->responder.up->ops->end(self->responder.up);
}

static void read_body(struct origin *self, struct slice bytes)
{
	while (self->phase == ORIGIN_BODY) {
		struct slice data;
		struct err err;

		switch (body_reader_next(&self->body_reader, &bytes, &data, &err)) {
		case BODY_DATA:
			self->responder.up->ops->data(self->responder.up, data);
			break;
		case BODY_MORE:
			origin_watch(self);
			return;
		case BODY_END:
			if (self->trailers.count > 0) {
				(void)forwarding_trailers(&self->trailers);
				self->responder.up->ops->trailers(
					self->responder.up, &self->trailers);
			}
			finish(self, bytes);
			return;
		case BODY_FAILED:
			origin_fail(self, ERR_UPSTREAM_SYNTAX, "sent a broken body: %s", err.text);
			return;
		}
	}
}

/* The final head is there: it goes up, and what follows is read by its framing. */
static void begin_body(struct origin *self, struct slice rest)
{
	struct exchange *exchange = self->exchange;

	outcome_answered(self->pool, &self->pass);
	self->phase = ORIGIN_BODY;
	self->response.head = &self->head;
	body_reader_init(&self->body_reader, &self->response.framing, &self->trailers,
		&exchange->arena, &exchange->worker->response_limits);
	if (self->response.framing.kind == FRAMING_TUNNEL) {
		origin_tunnel_begin(self, rest);
		return;
	}
	self->responder.up->ops->head(self->responder.up, &self->response);
	read_body(self, rest);
}

/* A head is there, interim or final; `rest` came behind it. */
static void take_head(struct origin *self, struct slice rest)
{
	struct exchange *exchange = self->exchange;
	struct err err;

	if (framing_of_response(&self->head, exchange->request.method,
		    exchange->request_framing.upgrade, &self->response.framing, &err) != ERR_NONE) {
		origin_fail(self, ERR_UPSTREAM_SYNTAX, "sent a bad answer: %s", err.text);
	} else if (self->head.status < 200 && self->response.framing.kind != FRAMING_TUNNEL) {
		self->responder.up->ops->informational(self->responder.up, &self->head);
		origin_answer_begin(self);
		origin_watch(self);
	} else {
		begin_body(self, rest);
	}
}

void origin_answer_bytes(struct origin *self, struct slice bytes)
{
	size_t taken;
	struct err err;

	self->answer_begun = true;
	if (self->phase == ORIGIN_BODY) {
		read_body(self, bytes);
		return;
	}
	while (self->phase == ORIGIN_HEAD && bytes.len > 0) { /* any number of interim ones */
		switch (head_reader_feed(&self->head_reader, bytes, &taken, &err)) {
		case HEAD_MORE:
			return;
		case HEAD_DONE:
			bytes = slice_of(bytes.ptr + taken, bytes.len - taken);
			take_head(self, bytes);
			break;
		case HEAD_FAILED:
			origin_fail(self, ERR_UPSTREAM_SYNTAX, "sent a bad answer: %s", err.text);
			return;
		}
	}
}

void origin_answer_eof(struct origin *self)
{
	self->response.framing.keep_alive = false;
	finish(self, slice_of(NULL, 0));
}

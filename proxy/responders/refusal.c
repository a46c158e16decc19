/*
 * Layer: proxy/responders. One job: the answers that the proxy makes itself for what went wrong;
 * see refusal.h.
 */
#include "proxy/responders/refusal.h"

#include <assert.h>

#include "base/json.h"
#include "base/loop.h"
#include "http/head_builder.h"
#include "proxy/exchange.h"

enum {
	RETRY_AFTER_S = 1, /* what a client may wait that met a full queue or a drain: places come
			      free in moments; and the least for the others */
	FIELDS_MAX = 8,
};

struct refusal { /* in the exchange's arena */
	struct responder responder;
	struct exchange *exchange;
	struct task deliver;
	struct head head;
	struct response response;
	struct slice body;
};

unsigned refusal_status(enum err_code code)
{
	switch (code) {
	case ERR_SYNTAX:
		return 400;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_METHOD:
		return 405;
	case ERR_HEADER_TIMEOUT:
	case ERR_BODY_TIMEOUT:
		return 408;
	case ERR_BODY_LIMIT:
		return 413;
	case ERR_TARGET_TOO_LONG:
		return 414;
	case ERR_MISDIRECTED:
		return 421;
	case ERR_HEADER_LIMIT:
		return 431;
	case ERR_CODING:
		return 501;
	case ERR_RESOLVE:
	case ERR_CONNECT:
	case ERR_TLS:
	case ERR_UPSTREAM_RESET:
	case ERR_UPSTREAM_SYNTAX:
	case ERR_CREDENTIAL:
	case ERR_NO_UPSTREAM:
		return 502;
	case ERR_LIMIT:
	case ERR_QUEUE_FULL:
	case ERR_QUEUE_TIMEOUT:
	case ERR_BREAKER_OPEN:
	case ERR_CONNECTIONS:
	case ERR_DRAINING:
		return 503;
	case ERR_CONNECT_TIMEOUT:
	case ERR_FIRST_BYTE_TIMEOUT:
	case ERR_IDLE_TIMEOUT:
	case ERR_TOTAL_TIMEOUT:
		return 504;
	case ERR_VERSION:
		return 505;
	default:
		return 500;
	}
}

static void write_body(struct buffer *out, const struct exchange *exchange, unsigned status)
{
	struct json json;

	json_init(&json, out);
	json_begin_object(&json);
	json_key(&json, "type");
	json_cstring(&json, "about:blank");
	json_key(&json, "title");
	json_cstring(&json, status_reason(status));
	json_key(&json, "status");
	json_u64(&json, status);
	json_key(&json, "detail");
	json_cstring(&json, exchange->error.text);
	json_key(&json, "request_id");
	json_text(&json, exchange->request_id);
	json_end_object(&json);
}

/* Rounded up: who comes back after that finds what it waited for. */
static uint64_t retry_after_s(const struct exchange *exchange)
{
	uint64_t seconds = exchange->retry_after_ms / 1000 + (exchange->retry_after_ms % 1000 != 0);

	return seconds > RETRY_AFTER_S ? seconds : RETRY_AFTER_S;
}

static void write_head(struct refusal *self, unsigned status)
{
	struct head_builder builder;
	enum err_code rc;

	head_builder_init(&builder, &self->exchange->arena, FIELDS_MAX, 512);
	head_builder_status(&builder, status);
	head_builder_field(&builder, SLICE("Content-Type"), SLICE("application/problem+json"));
	head_builder_field_u64(&builder, SLICE("Content-Length"), self->body.len);
	head_builder_field(&builder, SLICE("Cache-Control"), SLICE("no-store"));
	if (status == 503) {
		head_builder_field_u64(
			&builder, SLICE("Retry-After"), retry_after_s(self->exchange));
	}
	if (status == 405) {
		head_builder_field(&builder, SLICE("Allow"),
			SLICE("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"));
	}
	rc = head_builder_finish(&builder, &self->head);
	assert(rc == ERR_NONE); /* the capacities above are of our own making */
	(void)rc;
}

static void deliver(struct task *task)
{
	struct refusal *self = container_of(task, struct refusal, deliver);
	struct requester *up = self->responder.up;

	up->ops->head(up, &self->response);
	if (self->response.framing.kind == FRAMING_LENGTH) {
		up->ops->data(up, self->body);
	}
	up->ops->end(up);
}

static void ignore_data(struct responder *responder, struct slice bytes)
{
	(void)responder;
	(void)bytes;
}

static void ignore_trailers(struct responder *responder, const struct head *trailers)
{
	(void)responder;
	(void)trailers;
}

static void ignore(struct responder *responder)
{
	(void)responder;
}

static void cancel(struct responder *responder)
{
	task_cancel(&container_of(responder, struct refusal, responder)->deliver);
}

static const struct responder_ops refusal_ops = {
	.name = "refusal",
	.data = ignore_data,
	.trailers = ignore_trailers,
	.end = ignore,
	.pause = ignore, /* the whole answer is smaller than a pause is worth */
	.resume = ignore,
	.cancel = cancel,
};

struct responder *refusal_start(struct exchange *exchange, struct requester *up)
{
	struct refusal *self = arena_alloc(&exchange->arena, sizeof(*self));
	unsigned status = refusal_status(exchange->error.code);
	struct buffer body = BUFFER_INIT;
	char *kept;

	assert(self != NULL); /* exchange.c keeps REFUSAL_MEMORY back for this */
	memset(self, 0, sizeof(*self));
	self->responder.ops = &refusal_ops;
	self->responder.up = up;
	self->exchange = exchange;
	write_body(&body, exchange, status);
	kept = arena_alloc(&exchange->arena, body.len);
	assert(kept != NULL);
	memcpy(kept, body.ptr, body.len);
	self->body = slice_of(kept, body.len);
	buffer_fini(&body);
	write_head(self, status);
	self->response.head = &self->head;
	self->response.framing.kind =
		exchange->request.method == METHOD_HEAD ? FRAMING_NONE : FRAMING_LENGTH;
	self->response.framing.length = self->body.len;
	self->response.framing.keep_alive = true;
	task_init(&self->deliver, deliver);
	loop_ready(exchange->loop, &self->deliver);
	return &self->responder;
}

/*
 * Layer: proxy/responders. One job: OPTIONS and TRACE that end here; see final_recipient.h.
 */
#include "proxy/responders/final_recipient.h"

#include <assert.h>

#include "http/head_builder.h"
#include "http/head_writer.h"

struct final { /* in the exchange's arena */
	struct responder responder;
	struct exchange *exchange;
	struct task deliver;
	struct head head;
	struct response response;
	struct slice body;
};

bool final_recipient_is_us(struct exchange *exchange)
{
	enum method method = exchange->request.method;
	const struct field *field = head_find(&exchange->request, FIELD_MAX_FORWARDS);
	uint64_t forwards;

	if (field == NULL || (method != METHOD_OPTIONS && method != METHOD_TRACE) ||
		!slice_to_u64(head_value(&exchange->request, field), UINT64_MAX, &forwards)) {
		return false;
	}
	if (forwards == 0) {
		return true;
	}
	exchange->max_forwards_lowered = true;
	exchange->max_forwards = forwards - 1;
	return false;
}

/* RFC 9110 section 9.3.8: the request as it was received, without what a page must not learn by
 * asking for it. */
static struct slice echo(struct exchange *exchange)
{
	static const enum field_id secret[] = {
		FIELD_AUTHORIZATION, FIELD_COOKIE, FIELD_PROXY_AUTHORIZATION, FIELD_X_API_KEY};
	struct head *head = &exchange->request;
	size_t room = head_writer_bound(head);
	struct head_writer writer;
	char *memory = arena_alloc(&exchange->arena, room);

	if (memory == NULL) {
		return slice_of(NULL, 0);
	}
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
		for (struct field *field = head_find(head, secret[i]); field != NULL;
			field = head_find_next(head, field)) {
			field->dropped = 1;
		}
	}
	head_writer_init(&writer, memory, room);
	head_writer_request_line(&writer, head->method_name, slice_of(NULL, 0), head->target);
	head_writer_fields(&writer, head);
	head_writer_end(&writer);
	return head_writer_slice(&writer);
}

static void deliver(struct task *task)
{
	struct final *self = container_of(task, struct final, deliver);
	struct requester *up = self->responder.up;

	up->ops->head(up, &self->response);
	if (self->body.len > 0) {
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
	task_cancel(&container_of(responder, struct final, responder)->deliver);
}

static const struct responder_ops final_ops = {
	.name = "final recipient",
	.data = ignore_data,
	.trailers = ignore_trailers,
	.end = ignore,
	.pause = ignore,
	.resume = ignore,
	.cancel = cancel,
};

static struct responder *start(void *context, struct exchange *exchange, struct requester *up)
{
	struct final *self = arena_alloc(&exchange->arena, sizeof(*self));
	struct head_builder builder;
	enum err_code rc;

	(void)context;
	assert(self != NULL); /* see EXCHANGE_MEMORY_MAX */
	memset(self, 0, sizeof(*self));
	self->responder.ops = &final_ops;
	self->responder.up = up;
	self->exchange = exchange;
	head_builder_init(&builder, &exchange->arena, 4, 256);
	head_builder_status(&builder, 200);
	if (exchange->request.method == METHOD_TRACE) {
		self->body = echo(exchange);
		head_builder_field(&builder, SLICE("Content-Type"), SLICE("message/http"));
	} else {
		head_builder_field(&builder, SLICE("Allow"),
			SLICE("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"));
	}
	head_builder_field_u64(&builder, SLICE("Content-Length"), self->body.len);
	rc = head_builder_finish(&builder, &self->head);
	assert(rc == ERR_NONE);
	(void)rc;
	self->response.head = &self->head;
	self->response.framing.kind = self->body.len > 0 ? FRAMING_LENGTH : FRAMING_NONE;
	self->response.framing.length = self->body.len;
	self->response.framing.keep_alive = true;
	task_init(&self->deliver, deliver);
	loop_ready(exchange->loop, &self->deliver);
	return &self->responder;
}

const struct responder_kind final_recipient = {
	.name = "final recipient",
	.start = start,
};

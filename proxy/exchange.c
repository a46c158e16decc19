/*
 * Layer: proxy. One job: the exchange; see exchange.h.
 */
#include "proxy/exchange.h"

#include <assert.h>

#include "base/memory.h"
#include "proxy/forwarding.h"
#include "proxy/responders/final_recipient.h"
#include "proxy/responders/origin.h"
#include "proxy/responders/refusal.h"
#include "proxy/worker.h"

enum {
	REFUSAL_MEMORY = 8 * 1024,
	SPARE_EXCHANGES = 256, /* a worker's free list: what a burst leaves behind at most */
};

const char *exchange_state_name(enum exchange_state state)
{
	static const char *const names[] = {
		[EXCHANGE_ACTIVE] = "active",
		[EXCHANGE_COMPLETE] = "complete",
		[EXCHANGE_CLIENT_ABORTED] = "client_aborted",
		[EXCHANGE_UPSTREAM_FAILED] = "upstream_failed",
		[EXCHANGE_TIMED_OUT] = "timed_out",
		[EXCHANGE_TUNNEL] = "tunnel",
	};

	return names[state];
}

/* --- observers */

/* Calls `method` of every observer that is interested; the slot is the observer's index. */
#define tell(exchange, bit, method, argument)                                                      \
	do {                                                                                       \
		for (unsigned slot = 0; ((exchange)->interests & (bit)) != 0 &&                    \
					slot < (exchange)->worker->observer_count;                 \
			slot++) {                                                                  \
			struct observer *watch = (exchange)->worker->observers[slot];              \
			if (((exchange)->interest[slot] & (bit)) != 0) {                           \
				watch->ops->method(watch, (exchange), slot, (argument));           \
			}                                                                          \
		}                                                                                  \
	} while (0)

static void tell_begin(struct exchange *exchange)
{
	for (unsigned slot = 0; slot < exchange->worker->observer_count; slot++) {
		struct observer *watch = exchange->worker->observers[slot];
		unsigned interest = watch->ops->begin(watch, exchange, slot);

		exchange->interest[slot] = (uint8_t)interest;
		exchange->interests |= (uint8_t)interest;
	}
}

static void tell_end(struct exchange *exchange)
{
	for (unsigned slot = 0; slot < exchange->worker->observer_count; slot++) {
		struct observer *watch = exchange->worker->observers[slot];

		if (exchange->interest[slot] != OBSERVE_NOTHING) {
			watch->ops->end(watch, exchange, slot);
		}
	}
}

/* --- the answer: events of the responder */

static struct exchange *of_responder(struct requester *requester)
{
	return container_of(requester, struct exchange, from_responder);
}

static void on_informational(struct requester *self, const struct head *head)
{
	struct exchange *exchange = of_responder(self);

	if (exchange->request.version_minor > 0) { /* RFC 9110 section 15.2: not to HTTP/1.0 */
		exchange->client->ops->informational(exchange->client, head);
	}
}

static void on_head(struct requester *self, const struct response *response)
{
	struct exchange *exchange = of_responder(self);

	assert(!exchange->responded);
	exchange->responded = true;
	exchange->status = response->head->status;
	exchange->clock.first_byte_us = loop_now_us(exchange->loop);
	if (response->framing.kind == FRAMING_TUNNEL) {
		exchange->state = EXCHANGE_TUNNEL;
		exchange->interests &= (uint8_t)~OBSERVE_BODIES; /* what passes now is no body */
		exchange->data_interest = OBSERVE_TUNNEL;
		exchange->request_ended =
			false; /* the head's request was whole: now its tunnel begins */
	}
	tell(exchange, OBSERVE_HEADS, response_head, response->head);
	exchange->client->ops->head(exchange->client, response);
}

static void on_data(struct requester *self, struct slice bytes)
{
	struct exchange *exchange = of_responder(self);

	exchange->response_bytes += bytes.len;
	tell(exchange, exchange->data_interest, response_data, bytes);
	exchange->client->ops->data(exchange->client, bytes);
}

static void on_trailers(struct requester *self, const struct head *trailers)
{
	struct exchange *exchange = of_responder(self);

	exchange->response_trailers = trailers;
	exchange->client->ops->trailers(exchange->client, trailers);
}

static void on_end(struct requester *self)
{
	struct exchange *exchange = of_responder(self);

	exchange->response_ended = true;
	exchange->clock.end_us = loop_now_us(exchange->loop);
	tell(exchange, OBSERVE_BODIES, response_end, exchange->response_trailers);
	exchange->client->ops->end(exchange->client);
}

/* Puts an answer of our own in the place of the responder's; the old one is cancelled with the
 * rest, at the end. */
static void answer_with_refusal(struct exchange *exchange)
{
	exchange->own_answer = true;
	exchange->arena.bound +=
		REFUSAL_MEMORY; /* however full it is: that may be the very reason */
	exchange->failed_responder = exchange->responder;
	exchange->responder = refusal_start(exchange, &exchange->from_responder);
}

static void fail(struct exchange *exchange, const struct err *why)
{
	if (exchange->error.code == ERR_NONE) {
		exchange->error = *why;
	}
	if (!exchange->responded && !exchange->own_answer) {
		answer_with_refusal(exchange);
		return;
	}
	exchange->response_ended = true;
	exchange->clock.end_us = loop_now_us(exchange->loop);
	exchange->client->ops->abort(exchange->client, &exchange->error);
}

static void on_abort(struct requester *self, const struct err *why)
{
	fail(of_responder(self), why);
}

static void on_pause(struct requester *self)
{
	struct exchange *exchange = of_responder(self);

	if (!exchange->request_paused) {
		exchange->request_paused = true;
		exchange->client->ops->pause(exchange->client);
	}
}

static void on_resume(struct requester *self)
{
	struct exchange *exchange = of_responder(self);

	if (exchange->request_paused) {
		exchange->request_paused = false;
		exchange->client->ops->resume(exchange->client);
	}
}

static const struct requester_ops from_responder_ops = {
	.informational = on_informational,
	.head = on_head,
	.data = on_data,
	.trailers = on_trailers,
	.end = on_end,
	.abort = on_abort,
	.pause = on_pause,
	.resume = on_resume,
};

/* --- the request: calls of the client */

struct exchange *exchange_create(struct worker *worker, struct requester *client)
{
	struct list *node = list_pop_front(&worker->spare);
	struct exchange *exchange;

	if (node != NULL) {
		exchange = container_of(node, struct exchange, node);
		worker->spare_count--;
	} else {
		exchange = mem_alloc(sizeof(*exchange));
	}
	memset(exchange, 0, sizeof(*exchange));
	exchange->worker = worker;
	exchange->loop = &worker->loop;
	exchange->client = client;
	exchange->from_responder.ops = &from_responder_ops;
	exchange->scheme = "http";
	exchange->peer_ip = "unknown";
	exchange->capture = CAPTURE_FULL;
	exchange->data_interest = OBSERVE_BODIES;
	arena_init(&exchange->arena, &worker->loop.arenas, worker->exchange_memory);
	exchange->clock.begin_us = loop_now_us(&worker->loop);
	exchange->clock.wall_us = worker_wall_us(worker);
	list_push_back(&worker->running, &exchange->node);
	return exchange;
}

enum err_code exchange_read_head(struct exchange *exchange, struct err *err)
{
	uint64_t limit = exchange->worker->settings->limits.body_bytes;
	struct framing *framing = &exchange->request_framing;

	if (framing_of_request(&exchange->request, framing, err) != ERR_NONE ||
		target_of_request(&exchange->request, &exchange->arena, &exchange->target, err) !=
			ERR_NONE) {
		return err->code;
	}
	if (limit > 0 && framing->kind == FRAMING_LENGTH && framing->length > limit) {
		return err_set(err, ERR_BODY_LIMIT, "the request's body is over limits.body_bytes");
	}
	return ERR_NONE;
}

static bool claimed(struct exchange *exchange)
{
	const struct claim *claim = exchange->worker->claim;

	return claim != NULL && exchange->target.path.len > 0 &&
	       claim->claims(claim->context, exchange);
}

/* Who answers this request; `exchange->route` is set where an upstream is asked. */
static const struct responder_kind *choose_responder(struct exchange *exchange, void **context)
{
	struct worker *worker = exchange->worker;

	*context = NULL;
	if (exchange->internal) {
		*context = worker->claim->context;
		return worker->claim->kind;
	}
	if (final_recipient_is_us(exchange)) {
		return &final_recipient;
	}
	return &origin;
}

static void route(struct exchange *exchange, struct err *err)
{
	if (claimed(exchange)) {
		if (exchange->subrequest) {
			err_set(err, ERR_NOT_FOUND, "the inspector does not ask itself");
			return;
		}
		exchange->internal = true;
		exchange->capture = CAPTURE_NONE;
		return;
	}
	if (exchange->listener != LISTENER_TRAFFIC) {
		err_set(err, ERR_NOT_FOUND, "this listener answers for %s alone",
			exchange->listener == LISTENER_ADMIN ? "metrics and health"
							     : "the inspector");
		return;
	}
	exchange->route = route_find(
		exchange->worker->routes, exchange->target.normal, exchange->request.method);
	exchange->capture = exchange->subrequest ? CAPTURE_FULL : exchange->route->capture;
}

void exchange_request_head(struct exchange *exchange, const struct err *refused)
{
	const struct responder_kind *kind;
	void *context;
	struct err err = ERR_INIT;

	exchange->clock.request_head_us = loop_now_us(exchange->loop);
	if (exchange->request.bytes ==
		NULL) { /* refused within its head: what was read of it points nowhere */
		memset(&exchange->request, 0, sizeof(exchange->request));
	}
	forwarding_identify(exchange);
	if (refused == NULL) {
		route(exchange, &err);
		refused = err.code == ERR_NONE ? NULL : &err;
	}
	if (refused != NULL) {
		exchange->error = *refused;
		tell_begin(exchange);
		answer_with_refusal(exchange);
		return;
	}
	tell_begin(exchange);
	kind = choose_responder(exchange, &context);
	exchange->responder = kind->start(context, exchange, &exchange->from_responder);
}

void exchange_request_data(struct exchange *exchange, struct slice bytes)
{
	exchange->request_bytes += bytes.len;
	tell(exchange, exchange->data_interest, request_data, bytes);
	exchange->responder->ops->data(exchange->responder, bytes);
}

void exchange_request_end(struct exchange *exchange)
{
	const struct head *trailers =
		exchange->request_trailers.count > 0 ? &exchange->request_trailers : NULL;

	exchange->request_ended = true;
	tell(exchange, OBSERVE_BODIES, request_end, trailers);
	if (trailers != NULL) {
		exchange->responder->ops->trailers(exchange->responder, trailers);
	}
	exchange->responder->ops->end(exchange->responder);
}

void exchange_request_failed(struct exchange *exchange, const struct err *why)
{
	if (!exchange->response_ended && !exchange->own_answer) {
		/* What went upstream is cut off there too, at once: a cut request must never look
		 * whole. */
		exchange->responder->ops->cancel(exchange->responder);
		exchange->responder = NULL;
		fail(exchange, why);
	}
}

void exchange_pause(struct exchange *exchange)
{
	if (!exchange->client_paused && !exchange->response_ended) {
		exchange->client_paused = true;
		exchange->responder->ops->pause(exchange->responder);
	}
}

void exchange_resume(struct exchange *exchange)
{
	if (exchange->client_paused && !exchange->response_ended) {
		exchange->client_paused = false;
		exchange->responder->ops->resume(exchange->responder);
	}
}

/* --- the end */

static enum exchange_state final_state(const struct exchange *exchange)
{
	if (exchange->state == EXCHANGE_TUNNEL) {
		return EXCHANGE_TUNNEL; /* however it ended */
	}
	switch (exchange->error.code) {
	case ERR_CLIENT_GONE:
	case ERR_SEND_TIMEOUT:
		return EXCHANGE_CLIENT_ABORTED;
	case ERR_RESOLVE:
	case ERR_CONNECT:
	case ERR_TLS:
	case ERR_UPSTREAM_RESET:
	case ERR_UPSTREAM_SYNTAX:
	case ERR_QUEUE_FULL:
	case ERR_BREAKER_OPEN:
	case ERR_CREDENTIAL:
	case ERR_NO_UPSTREAM:
		return EXCHANGE_UPSTREAM_FAILED;
	case ERR_CONNECT_TIMEOUT:
	case ERR_FIRST_BYTE_TIMEOUT:
	case ERR_IDLE_TIMEOUT:
	case ERR_TOTAL_TIMEOUT:
	case ERR_QUEUE_TIMEOUT:
	case ERR_HEADER_TIMEOUT:
	case ERR_BODY_TIMEOUT:
	case ERR_DRAINING:
		return EXCHANGE_TIMED_OUT;
	case ERR_SYNTAX:
	case ERR_HEADER_LIMIT:
	case ERR_BODY_LIMIT:
		/* Its request broke off within somebody else's answer: that was cut, by its own
		 * fault. */
		return exchange->own_answer ? EXCHANGE_COMPLETE : EXCHANGE_CLIENT_ABORTED;
	default:
		return EXCHANGE_COMPLETE;
	}
}

void exchange_finish(struct exchange *exchange, const struct err *why)
{
	struct worker *worker = exchange->worker;

	if (why != NULL && exchange->error.code == ERR_NONE) {
		exchange->error = *why;
	}
	if (exchange->failed_responder != NULL) {
		exchange->failed_responder->ops->cancel(exchange->failed_responder);
	}
	if (exchange->responder != NULL) {
		exchange->responder->ops->cancel(exchange->responder);
	}
	exchange->clock.end_us = loop_now_us(exchange->loop);
	exchange->state = final_state(exchange);
	tell_end(exchange);
	arena_reset(&exchange->arena);
	list_remove(&exchange->node);
	if (worker->spare_count < SPARE_EXCHANGES) {
		list_push_front(&worker->spare, &exchange->node);
		worker->spare_count++;
	} else {
		mem_free(exchange);
	}
}

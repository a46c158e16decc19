#include "fake_exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/head_reader.h"

static void read_head(
	struct fake_exchange *fake, enum head_kind kind, const char *text, struct head *head)
{
	static const struct head_limits limits = {
		.bytes = 64 * 1024, .fields = 200, .target = 8192};
	struct head_reader reader;
	struct err err = ERR_INIT;
	size_t taken;
	enum head_progress progress;

	head_reader_init(&reader, kind, head, &fake->arena, &limits);
	progress = head_reader_feed(&reader, slice_str(text), &taken, &err);
	if (progress != HEAD_DONE) {
		fprintf(stderr, "not a head: %s: %s\n", err.text, text);
		abort();
	}
}

void fake_prepare(struct fake_exchange *fake, struct observer *observer, const char *request,
	const char *id, enum capture_level level)
{
	struct exchange *exchange = &fake->exchange;
	struct err err = ERR_INIT;

	*fake = (struct fake_exchange){.observer = observer};
	arena_pool_init(&fake->pool, 4);
	arena_init(&fake->arena, &fake->pool, EXCHANGE_MEMORY_MAX);
	arena_init(&exchange->arena, &fake->pool, EXCHANGE_MEMORY_MAX); /* what observers take */
	read_head(fake, HEAD_REQUEST, request, &exchange->request);
	if (target_of_request(&exchange->request, &fake->arena, &exchange->target, &err) != 0 ||
		framing_of_request(&exchange->request, &exchange->request_framing, &err) != 0) {
		fprintf(stderr, "refused: %s\n", err.text);
		abort();
	}
	fake->route = (struct route){.text = "/api", .capture = level};
	exchange->route = &fake->route;
	exchange->capture = level;
	exchange->scheme = "http";
	exchange->host = head_get(&exchange->request, FIELD_HOST);
	exchange->request_id = slice_str(id);
	snprintf(exchange->trace_id, sizeof(exchange->trace_id), "%s",
		"0af7651916cd43dd8448eb211c80319c");
	snprintf(exchange->client_ip, sizeof(exchange->client_ip), "%s", "192.0.2.7");
	exchange->clock.wall_us = 1700000000000000;
	exchange->clock.begin_us = 1000000;
	exchange->clock.request_head_us = 1000100;
}

void fake_tell_begin(struct fake_exchange *fake)
{
	fake->interest = fake->observer->ops->begin(fake->observer, &fake->exchange, 0);
}

void fake_begin(struct fake_exchange *fake, struct observer *observer, const char *request,
	const char *id, enum capture_level level)
{
	fake_prepare(fake, observer, request, id, level);
	fake_tell_begin(fake);
}

static bool is_tunnel(const struct fake_exchange *fake)
{
	return fake->exchange.state == EXCHANGE_TUNNEL;
}

static unsigned data_interest(const struct fake_exchange *fake)
{
	return is_tunnel(fake) ? OBSERVE_TUNNEL : OBSERVE_BODIES;
}

void fake_request_data(struct fake_exchange *fake, struct slice bytes)
{
	fake->exchange.request_bytes += bytes.len;
	if ((fake->interest & data_interest(fake)) != 0) {
		fake->observer->ops->request_data(fake->observer, &fake->exchange, 0, bytes);
	}
}

void fake_request_end(struct fake_exchange *fake, const char *trailers)
{
	if (trailers != NULL) {
		read_head(fake, HEAD_TRAILERS, trailers, &fake->exchange.request_trailers);
	}
	if ((fake->interest & OBSERVE_BODIES) != 0 && !is_tunnel(fake)) {
		fake->observer->ops->request_end(fake->observer, &fake->exchange, 0,
			trailers == NULL ? NULL : &fake->exchange.request_trailers);
	}
}

void fake_response(struct fake_exchange *fake, const char *head)
{
	read_head(fake, HEAD_RESPONSE, head, &fake->response);
	fake->exchange.responded = true;
	fake->exchange.status = fake->response.status;
	fake->exchange.upstream = "api";
	fake->exchange.attempts = 1;
	fake->exchange.clock.queued_us = 1000200;
	fake->exchange.clock.connecting_us = 1000250;
	fake->exchange.clock.connected_us = 1000300;
	fake->exchange.clock.sent_us = 1000400;
	fake->exchange.clock.first_byte_us = 1000500;
	if (fake->response.status == 101) {
		fake->exchange.state = EXCHANGE_TUNNEL;
	}
	if ((fake->interest & OBSERVE_HEADS) != 0) {
		fake->observer->ops->response_head(
			fake->observer, &fake->exchange, 0, &fake->response);
	}
}

void fake_response_data(struct fake_exchange *fake, struct slice bytes)
{
	fake->exchange.response_bytes += bytes.len;
	if ((fake->interest & data_interest(fake)) != 0) {
		fake->observer->ops->response_data(fake->observer, &fake->exchange, 0, bytes);
	}
}

void fake_response_end(struct fake_exchange *fake, const char *trailers)
{
	if (trailers != NULL) {
		read_head(fake, HEAD_TRAILERS, trailers, &fake->response_trailers);
	}
	if ((fake->interest & OBSERVE_BODIES) != 0 && !is_tunnel(fake)) {
		fake->observer->ops->response_end(fake->observer, &fake->exchange, 0,
			trailers == NULL ? NULL : &fake->response_trailers);
	}
}

void fake_finish(struct fake_exchange *fake, enum exchange_state state, enum err_code error)
{
	fake->exchange.state = state;
	fake->exchange.clock.end_us = 1003000;
	if (error != ERR_NONE && fake->exchange.error.code == ERR_NONE) {
		err_set(&fake->exchange.error, error, "what went wrong (%d)", (int)error);
	}
	if (fake->interest != OBSERVE_NOTHING) {
		fake->observer->ops->end(fake->observer, &fake->exchange, 0);
	}
	arena_reset(&fake->exchange.arena);
	arena_reset(&fake->arena);
	arena_pool_fini(&fake->pool);
}

void fake_run(struct observer *observer, const char *method, const char *id, unsigned status,
	struct slice request_body, struct slice response_body)
{
	struct fake_exchange fake;
	char head[512];

	if (request_body.len > 0) {
		snprintf(head, sizeof(head),
			"%s /api/things?page=2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: "
			"%zu\r\n\r\n",
			method, request_body.len);
	} else {
		snprintf(head, sizeof(head),
			"%s /api/things?page=2 HTTP/1.1\r\nHost: a.test\r\n\r\n", method);
	}
	fake_begin(&fake, observer, head, id, CAPTURE_FULL);
	if (request_body.len > 0) {
		fake_request_data(&fake, request_body);
	}
	fake_request_end(&fake, NULL);
	snprintf(head, sizeof(head),
		"HTTP/1.1 %u Whatever\r\nContent-Length: %zu\r\nServer: fake\r\n\r\n", status,
		response_body.len);
	fake_response(&fake, head);
	if (response_body.len > 0) {
		fake_response_data(&fake, response_body);
	}
	fake_response_end(&fake, NULL);
	fake_finish(&fake, EXCHANGE_COMPLETE, ERR_NONE);
}

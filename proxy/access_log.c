/*
 * Layer: proxy. One job: a line for each exchange on stdout; see access_log.h.
 */
#include "proxy/access_log.h"

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "proxy/worker.h"

enum {
	HAND_ON_AT = 32 * 1024,
};

struct access_log {
	struct observer observer;
	struct worker *worker;
	bool json;
	struct task hand_on;
	struct buffer lines;
	unsigned count;
};

const char *access_log_flags(const struct exchange *exchange)
{
	switch (exchange->error.code) {
	case ERR_RESOLVE:
	case ERR_CONNECT:
	case ERR_TLS:
	case ERR_CONNECT_TIMEOUT:
	case ERR_CREDENTIAL:
		return "UF";
	case ERR_UPSTREAM_RESET:
		return "UC";
	case ERR_FIRST_BYTE_TIMEOUT:
	case ERR_IDLE_TIMEOUT:
	case ERR_TOTAL_TIMEOUT:
		return "UT";
	case ERR_QUEUE_FULL:
	case ERR_QUEUE_TIMEOUT:
	case ERR_BREAKER_OPEN:
	case ERR_CONNECTIONS:
		return "UO";
	case ERR_UPSTREAM_SYNTAX:
		return "UPE";
	case ERR_CLIENT_GONE:
	case ERR_SEND_TIMEOUT:
		return "DC";
	case ERR_SYNTAX:
	case ERR_CODING:
	case ERR_HEADER_LIMIT:
	case ERR_TARGET_TOO_LONG:
	case ERR_HEADER_TIMEOUT:
	case ERR_BODY_TIMEOUT:
	case ERR_BODY_LIMIT:
	case ERR_METHOD:
	case ERR_MISDIRECTED:
	case ERR_VERSION:
		return "DPE";
	case ERR_NO_UPSTREAM:
		return "NR";
	default:
		return "-";
	}
}

static void hand_on(struct access_log *self)
{
	if (self->count > 0) {
		log_access(buffer_slice(&self->lines), self->count);
		buffer_clear(&self->lines);
		self->count = 0;
	}
}

static void on_hand_on(struct task *task)
{
	hand_on(container_of(task, struct access_log, hand_on));
}

/* Between two moments of the exchange's clock; 0 where either did not happen. */
static uint64_t between(uint64_t from_us, uint64_t to_us)
{
	return from_us == 0 || to_us < from_us ? 0 : to_us - from_us;
}

static uint64_t queue_us(const struct exchange_clock *clock)
{
	return between(clock->queued_us,
		clock->connecting_us != 0 ? clock->connecting_us : clock->connected_us);
}

static const char *capture_name(enum capture_level level)
{
	static const char *const names[] = {"full", "headers", "row", "none"};

	return names[level];
}

static void write_json(struct access_log *self, const struct exchange *exchange)
{
	const struct exchange_clock *clock = &exchange->clock;
	char time[CLOCK_RFC3339_SIZE];
	struct json json;

	(void)clock_format_rfc3339(clock->wall_us, time);
	json_init(&json, &self->lines);
	json_begin_object(&json);
	json_key(&json, "time");
	json_cstring(&json, time);
	json_key(&json, "level");
	json_cstring(&json, "info");
	json_key(&json, "msg");
	json_cstring(&json, "access");
	json_key(&json, "request_id");
	json_text(&json, exchange->request_id);
	json_key(&json, "trace_id");
	json_cstring(&json, exchange->trace_id);
	json_key(&json, "client_ip");
	json_cstring(&json, exchange->client_ip);
	json_key(&json, "method");
	json_text(&json, exchange->request.method_name);
	json_key(&json, "host");
	json_text(&json, exchange->host);
	json_key(&json, "path"); /* without the query, where secrets are */
	json_text(&json, exchange->target.path);
	json_key(&json, "status");
	json_u64(&json, exchange->status);
	json_key(&json, "route");
	json_cstring(&json, exchange->route == NULL ? NULL : exchange->route->text);
	json_key(&json, "upstream");
	json_cstring(&json, exchange->upstream);
	json_key(&json, "request_bytes");
	json_u64(&json, exchange->request_bytes);
	json_key(&json, "response_bytes");
	json_u64(&json, exchange->response_bytes);
	json_key(&json, "duration_ms");
	json_milliseconds(&json, between(clock->begin_us, clock->end_us));
	json_key(&json, "ttfb_ms");
	json_milliseconds(&json, between(clock->begin_us, clock->first_byte_us));
	json_key(&json, "queue_ms");
	json_milliseconds(&json, queue_us(clock));
	json_key(&json, "connect_ms");
	json_milliseconds(&json, between(clock->connecting_us, clock->connected_us));
	json_key(&json, "reused");
	json_bool(&json, exchange->reused);
	json_key(&json, "attempts");
	json_u64(&json, exchange->attempts);
	json_key(&json, "capture");
	json_cstring(&json, capture_name(exchange->capture));
	json_key(&json, "state");
	json_cstring(&json, exchange_state_name(exchange->state));
	json_key(&json, "flags");
	json_cstring(&json, access_log_flags(exchange));
	json_key(&json, "error");
	json_cstring(&json, exchange->error.code == ERR_NONE ? NULL : exchange->error.text);
	json_end_object(&json);
	buffer_append_char(&self->lines, '\n');
}

/* For a person at a terminal: time, status, method, path, duration, size, request ID, and what went
 * wrong. */
static void write_text(struct access_log *self, const struct exchange *exchange)
{
	uint64_t duration_us = between(exchange->clock.begin_us, exchange->clock.end_us);
	char time[CLOCK_RFC3339_SIZE];
	struct slice path = exchange->target.path;

	(void)clock_format_rfc3339(exchange->clock.wall_us, time);
	buffer_printf(&self->lines, "%s %3u %-6.*s %.*s %llu.%03llums %lluB id=%.*s", time,
		exchange->status, SLICE_ARGS(exchange->request.method_name), SLICE_ARGS(path),
		(unsigned long long)duration_us / 1000, (unsigned long long)duration_us % 1000,
		(unsigned long long)exchange->response_bytes, SLICE_ARGS(exchange->request_id));
	if (exchange->error.code != ERR_NONE) {
		buffer_printf(&self->lines, " %s %s: %s", access_log_flags(exchange),
			exchange_state_name(exchange->state), exchange->error.text);
	}
	buffer_append_char(&self->lines, '\n');
}

static unsigned on_begin(struct observer *observer, struct exchange *exchange, unsigned slot)
{
	(void)observer;
	(void)slot;
	return exchange->internal ? OBSERVE_NOTHING : OBSERVE_END;
}

static void on_end(struct observer *observer, struct exchange *exchange, unsigned slot)
{
	struct access_log *self = container_of(observer, struct access_log, observer);

	(void)slot;
	if (self->json) {
		write_json(self, exchange);
	} else {
		write_text(self, exchange);
	}
	self->count++;
	if (self->lines.len >= HAND_ON_AT) {
		hand_on(self);
	} else {
		loop_later(&self->worker->loop, &self->hand_on);
	}
}

/* It asks for the end alone; the others are never called. */
static const struct observer_ops access_log_ops = {
	.name = "access log",
	.begin = on_begin,
	.end = on_end,
};

struct observer *access_log_create(struct worker *worker, bool json)
{
	struct access_log *self = mem_zalloc(sizeof(*self));

	self->observer.ops = &access_log_ops;
	self->worker = worker;
	self->json = json;
	task_init(&self->hand_on, on_hand_on);
	return &self->observer;
}

void access_log_destroy(struct observer *observer)
{
	struct access_log *self;

	if (observer != NULL) {
		self = container_of(observer, struct access_log, observer);
		hand_on(self);
		task_cancel(&self->hand_on);
		buffer_fini(&self->lines);
		mem_free(self);
	}
}

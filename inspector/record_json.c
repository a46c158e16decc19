/*
 * Layer: inspector (sees base, http, proxy). One job: a record as JSON; see record_json.h. Nothing
 * of a record is written here but through inspector/redact.h, bodies excepted.
 */
#include "inspector/record_json.h"

#include <stdio.h>

#include "base/clock.h"
#include "inspector/caller.h"
#include "inspector/messages_json.h"

/* --- members */

/* An empty text is one that is not known. */
static void write_text(struct json *json, const char *key, struct slice text)
{
	json_key(json, key);
	if (text.len == 0) {
		json_none(json);
	} else {
		json_text(json, text);
	}
}

static void write_redacted_text(
	struct json *json, const char *key, struct slice text, const struct record_format *format)
{
	buffer_clear(format->scratch);
	(void)redact_text(format->redactor, text, format->scratch);
	write_text(json, key, buffer_slice(format->scratch));
}

static void write_time(struct json *json, uint64_t wall_us)
{
	char text[CLOCK_RFC3339_SIZE];

	json_key(json, "ts");
	json_seconds(json, wall_us);
	json_key(json, "time");
	json_text(json, slice_of(text, clock_format_rfc3339(wall_us, text)));
}

/* The milliseconds between two moments; null where one of them did not happen, or not yet. */
static void write_span(struct json *json, const char *key, uint64_t from_us, uint64_t to_us)
{
	json_key(json, key);
	if (from_us == 0 || to_us == 0) {
		json_none(json);
	} else {
		json_milliseconds(json, to_us > from_us ? to_us - from_us : 0);
	}
}

static void write_version(struct json *json, const char *key, uint8_t minor, bool known)
{
	json_key(json, key);
	json_cstring(json, !known ? NULL : minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
}

uint64_t record_duration_us(const struct record_view *view, uint64_t now_us)
{
	uint64_t end_us = view->clock.end_us != 0 ? view->clock.end_us : now_us;

	return end_us > view->clock.begin_us ? end_us - view->clock.begin_us : 0;
}

/*
 * Each phase goes from its own moment to the next that happened: a connection that failed, or an
 * answer that never came, has its time in the phase where it ended.
 */
static void write_timing(struct json *json, const struct exchange_clock *clock)
{
	static const char *const keys[] = {
		"queue_ms", "connect_ms", "tls_ms", "send_ms", "wait_ms", "receive_ms"};
	uint64_t moments[] = {clock->queued_us, clock->connecting_us, clock->securing_us,
		clock->connected_us, clock->sent_us, clock->first_byte_us, clock->end_us};
	const size_t count = sizeof(keys) / sizeof(keys[0]);

	if (moments[5] != 0 && moments[4] > moments[5]) {
		moments[4] = moments[5]; /* it answered before it had read everything */
	}
	/* A pooled connection was neither waited for nor made: no time, which is known. */
	for (size_t i = 2; i-- > 0;) {
		if (moments[i] == 0 && clock->connected_us != 0) {
			moments[i] = i == 1 ? clock->connected_us : moments[i + 1];
		}
	}
	json_key(json, "timing");
	json_begin_object(json);
	for (size_t i = 0; i < count; i++) {
		size_t next = i + 1;

		while (next < count && moments[next] == 0) {
			next++;
		}
		write_span(json, keys[i], moments[i], moments[next]);
	}
	json_end_object(json);
}

static void write_caller(
	struct json *json, const struct record_view *view, const struct record_format *format)
{
	struct slice authorization = record_head_get(&view->request, FIELD_AUTHORIZATION);
	struct buffer *scratch = format->scratch;

	buffer_clear(scratch);
	if (caller_of(authorization, scratch)) {
		char name[CALLER_MAX];
		size_t len = scratch->len; /* unescaped: never longer than CALLER_MAX */

		memcpy(name, scratch->ptr, len);
		write_redacted_text(json, "caller", slice_of(name, len), format);
		return;
	}
	write_text(json, "caller", slice_of(NULL, 0));
}

static void write_query(
	struct json *json, const struct record_view *view, const struct record_format *format)
{
	buffer_clear(format->scratch);
	if (view->query.len > 0) {
		(void)redact_query(format->redactor, view->query, format->scratch);
	}
	json_key(json, "query");
	json_text(json, buffer_slice(format->scratch));
}

static void write_facts(
	struct json *json, const struct record_view *view, const struct record_format *format)
{
	json_key(json, "seq");
	json_u64(json, view->seq);
	write_text(json, "request_id", view->request_id);
	write_text(json, "trace_id", view->trace_id);
	write_time(json, view->clock.wall_us);
	json_key(json, "state");
	json_cstring(json, exchange_state_name(view->state));
	write_text(json, "method", view->method_name);
	json_key(json, "scheme");
	json_cstring(json, view->scheme);
	write_redacted_text(json, "host", view->host, format);
	write_redacted_text(json, "path", view->path, format);
	write_query(json, view, format);
	json_key(json, "status");
	json_u64(json, view->status);
	json_key(json, "duration_ms");
	json_milliseconds(json, record_duration_us(view, format->now_us));
	write_span(json, "ttfb_ms", view->clock.begin_us, view->clock.first_byte_us);
	write_caller(json, view, format);
	write_text(json, "client_ip", view->client_ip);
	write_text(json, "route", view->route);
	write_text(json, "upstream", view->upstream);
	write_redacted_text(json, "error", view->error, format);
	json_key(json, "attempts");
	json_u64(json, view->attempts);
	json_key(json, "reused");
	json_bool(json, view->reused);
	json_key(json, "idle_ms");
	json_u64(json, view->idle_ms);
	json_key(json, "replay");
	json_bool(json, view->replay);
	write_timing(json, &view->clock);
}

/* --- messages */

struct side { /* of a record: what the two messages have alike */
	const char *version;
	const char *headers;
	const char *trailers;
	const char *body;
	const char *encoding;
	const char *truncated;
	const char *redacted;
	const char *size;
	const char *hash;
};

static const struct side request_side = {"request_version", "request_headers", "request_trailers",
	"request_body", "request_body_encoding", "request_body_truncated", "request_body_redacted",
	"request_size_bytes", "request_hash"};
static const struct side response_side = {"response_version", "response_headers",
	"response_trailers", "response_body", "response_body_encoding", "response_body_truncated",
	"response_body_redacted", "response_size_bytes", "response_hash"};

/*
 * What is known of a body beside its bytes. Bodies are shown as they were: nothing in them is
 * hidden.
 */
static void write_body_facts(
	struct json *json, const struct side *side, const struct record_body *body, bool truncated)
{
	uint8_t hash[RECORD_HASH_SIZE];
	char text[RECORD_HASH_TEXT_SIZE];

	json_key(json, side->truncated);
	json_bool(json, truncated);
	json_key(json, side->redacted);
	json_bool(json, false);
	json_key(json, side->size);
	json_u64(json, body->size);
	json_key(json, side->hash);
	if (record_body_hash(body, hash)) {
		record_hash_format(hash, text);
		json_cstring(json, text);
	} else {
		json_none(json);
	}
}

static void write_fields(
	struct json *json, const struct record_head *head, const struct record_format *format)
{
	struct record_fields walk = record_fields(head);
	struct slice name;
	struct slice value;

	json_begin_array(json);
	while (record_fields_next(&walk, &name, &value)) {
		buffer_clear(format->scratch);
		(void)redact_header(format->redactor, name, value, format->scratch);
		json_begin_object(json);
		json_key(json, "name");
		json_text(json, name);
		json_key(json, "value");
		json_text(json, buffer_slice(format->scratch));
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_head(struct json *json, const struct side *side, const struct record_head *head,
	uint8_t version_minor, const struct record_head *trailers, const struct record_body *body,
	const struct record_format *format)
{
	write_version(json, side->version, version_minor, head->bytes.len > 0);
	json_key(json, side->headers);
	if (head->bytes.len > 0) {
		write_fields(json, head, format);
	} else {
		json_none(json);
	}
	json_key(json, side->trailers);
	if (trailers->count > 0 || body->ended) {
		write_fields(json, trailers, format);
	} else {
		json_none(json);
	}
}

/* --- the three forms */

void record_json_members(
	struct json *json, const struct record_view *view, const struct record_format *format)
{
	write_facts(json, view, format);
	write_version(json, request_side.version, view->request_version_minor,
		view->request.bytes.len > 0);
	write_body_facts(json, &request_side, &view->request_body, view->request_body.truncated);
	write_version(json, response_side.version, view->response_version_minor,
		view->response.bytes.len > 0);
	write_body_facts(json, &response_side, &view->response_body, view->response_body.truncated);
}

void record_json_summary(
	struct json *json, const struct record_view *view, const struct record_format *format)
{
	json_begin_object(json);
	record_json_members(json, view, format);
	json_end_object(json);
}

/* A row keeps no sentence: the kind of the error has to do. */
static const char *row_error(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return NULL;
	case ERR_CLIENT_GONE:
		return "the client left before its answer was whole";
	case ERR_SEND_TIMEOUT:
		return "the client took nothing of its answer";
	case ERR_HEADER_TIMEOUT:
	case ERR_BODY_TIMEOUT:
		return "the client stalled within its request";
	case ERR_RESOLVE:
		return "the upstream's name has no address";
	case ERR_CONNECT:
	case ERR_TLS:
		return "the upstream could not be connected to";
	case ERR_UPSTREAM_RESET:
		return "the upstream closed its connection";
	case ERR_UPSTREAM_SYNTAX:
		return "the upstream's answer breaks the rules";
	case ERR_CONNECT_TIMEOUT:
		return "connect timeout";
	case ERR_FIRST_BYTE_TIMEOUT:
		return "first-byte timeout";
	case ERR_IDLE_TIMEOUT:
		return "idle timeout";
	case ERR_TOTAL_TIMEOUT:
		return "total timeout";
	case ERR_QUEUE_FULL:
		return "the pool's queue was full";
	case ERR_QUEUE_TIMEOUT:
		return "queue timeout";
	case ERR_BREAKER_OPEN:
		return "the upstream was left alone";
	case ERR_CREDENTIAL:
		return "there was no credential that is still good";
	default:
		return "the request was refused";
	}
}

void record_json_row(
	struct json *json, const struct poll_row *row, const struct record_format *format)
{
	json_begin_object(json);
	json_key(json, "poll");
	json_bool(json, true);
	json_key(json, "seq");
	json_u64(json, row->seq);
	write_time(json, row->wall_us);
	write_text(json, "request_id", poll_row_request_id(row));
	write_text(json, "method", poll_row_method(row));
	write_redacted_text(json, "path", poll_row_path(row), format);
	json_key(json, "status");
	json_u64(json, row->status);
	json_key(json, "duration_ms");
	json_milliseconds(json, row->duration_us);
	json_key(json, "request_size_bytes");
	json_u64(json, row->request_bytes);
	json_key(json, "response_size_bytes");
	json_u64(json, row->response_bytes);
	json_key(json, "state");
	json_cstring(json, exchange_state_name((enum exchange_state)row->state));
	json_key(json, "error");
	json_cstring(json, row_error((enum err_code)row->error));
	json_end_object(json);
}

void record_json_begin(struct record_json *whole, const struct record_view *view)
{
	*whole = (struct record_json){.view = view};
}

static const struct record_body *body_of(const struct record_json *whole)
{
	return whole->phase < RECORD_JSON_RESPONSE_HEAD ? &whole->view->request_body
							: &whole->view->response_body;
}

static const struct side *side_of(const struct record_json *whole)
{
	return whole->phase < RECORD_JSON_RESPONSE_HEAD ? &request_side : &response_side;
}

static void begin_body(struct record_json *whole, struct json *json,
	const struct record_format *format, size_t *spent)
{
	const struct record_body *body = body_of(whole);
	const struct record_view *view = whole->view;
	size_t before = json->out->len;

	if (whole->phase == RECORD_JSON_REQUEST_HEAD) {
		json_begin_object(json);
		write_facts(json, view, format);
		write_head(json, &request_side, &view->request, view->request_version_minor,
			&view->request_trailers, body, format);
	} else {
		write_head(json, &response_side, &view->response, view->response_version_minor,
			&view->response_trailers, body, format);
	}
	*spent += json->out->len - before;
	body_windows_begin(&whole->body, body, format->body_limit);
	whole->phase++;
}

static void end_body(struct record_json *whole, struct json *json)
{
	const struct record_body *body = body_of(whole);
	bool captured = whole->view->level == CAPTURE_FULL;

	json_key(json, side_of(whole)->encoding);
	json_cstring(json, !captured ? NULL : whole->body.is_text ? "utf-8" : "base64");
	write_body_facts(
		json, side_of(whole), body, body->truncated || whole->body.shown < body->kept);
	whole->phase++;
}

static void write_messages(struct record_json *whole, struct json *json,
	const struct record_format *format, size_t *spent)
{
	size_t before = json->out->len;

	if (whole->view->messages != NULL) {
		messages_json(json, whole->view->messages, format);
	}
	*spent += json->out->len - before;
	json_end_object(json);
	whole->phase++;
}

static void write_body(struct record_json *whole, struct json *json,
	const struct record_format *format, size_t *spent)
{
	struct slice window;

	if (whole->body.offset == 0) {
		json_key(json, side_of(whole)->body);
		if (whole->view->level != CAPTURE_FULL) {
			json_none(json);
			end_body(whole, json);
			return;
		}
		json_string_begin(json);
	}
	window = body_windows_next(&whole->body, format->scratch, spent);
	if (whole->body.is_text) {
		json_string_add(json, window);
	} else {
		json_string_add_base64(json, window);
	}
	if (body_windows_at_end(&whole->body)) {
		json_string_end(json);
		end_body(whole, json);
	}
}

bool record_json_step(struct record_json *whole, struct json *json,
	const struct record_format *format, size_t *spent)
{
	switch (whole->phase) {
	case RECORD_JSON_REQUEST_HEAD:
	case RECORD_JSON_RESPONSE_HEAD:
		begin_body(whole, json, format, spent);
		break;
	case RECORD_JSON_REQUEST_CHECK:
	case RECORD_JSON_RESPONSE_CHECK:
		if (!body_windows_check(&whole->body, format->scratch, spent)) {
			whole->phase++;
		}
		break;
	case RECORD_JSON_REQUEST_BODY:
	case RECORD_JSON_RESPONSE_BODY:
		write_body(whole, json, format, spent);
		break;
	case RECORD_JSON_MESSAGES:
		write_messages(whole, json, format, spent);
		break;
	case RECORD_JSON_DONE:
		break;
	}
	return whole->phase != RECORD_JSON_DONE;
}

/*
 * Layer: inspector (sees base, http, proxy). One job: a record as JSON; see record_json.h. Nothing
 * of a record is written here but through inspector/redact.h and inspector/shown_body.h.
 */
#include "inspector/record_json.h"

#include <stdio.h>

#include "base/clock.h"
#include "inspector/caller.h"
#include "inspector/media_type.h"
#include "inspector/record_json_parts.h"

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

void record_json_facts(
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
	json_key(json, "stream");
	json_bool(json, media_type_is(record_head_get(&view->response, FIELD_CONTENT_TYPE),
				SLICE("text/event-stream")));
	write_timing(json, &view->clock);
}

/* --- messages */

const struct record_json_side record_json_request = {"request_version", "request_headers",
	"request_trailers", "request_body", "request_body_encoding", "request_body_truncated",
	"request_body_redacted", "request_size_bytes", "request_hash", "request_body_decoded",
	"request_body_note"};
const struct record_json_side record_json_response = {"response_version", "response_headers",
	"response_trailers", "response_body", "response_body_encoding", "response_body_truncated",
	"response_body_redacted", "response_size_bytes", "response_hash", "response_body_decoded",
	"response_body_note"};

/* What is hidden in a body is not to be found out from its hash. */
static void write_hash(struct json *json, const struct record_body *body)
{
	uint8_t hash[RECORD_HASH_SIZE];
	char text[RECORD_HASH_TEXT_SIZE];

	if ((body->look == RECORD_CLEAN || body->look == RECORD_OPAQUE || body->kept == 0) &&
		record_body_hash(body, hash)) {
		record_hash_format(hash, text);
		json_cstring(json, text);
	} else {
		json_none(json);
	}
}

/* What is known of a body beside its bytes. */
void record_json_body_facts(struct json *json, const struct record_json_side *side,
	const struct record_body *body, bool truncated)
{
	json_key(json, side->truncated);
	json_bool(json, truncated);
	json_key(json, side->redacted);
	if (body->look == RECORD_UNSEEN) {
		json_none(json);
	} else {
		json_bool(json, body->look == RECORD_HIDES || body->look == RECORD_GARBLED);
	}
	json_key(json, side->size);
	json_u64(json, body->size);
	json_key(json, side->hash);
	write_hash(json, body);
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

void record_json_head(struct json *json, const struct record_json_side *side,
	const struct record_head *head, uint8_t version_minor, const struct record_head *trailers,
	const struct record_body *body, const struct record_format *format)
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

/* --- the forms that are written at once */

void record_json_members(
	struct json *json, const struct record_view *view, const struct record_format *format)
{
	record_json_facts(json, view, format);
	write_version(json, record_json_request.version, view->request_version_minor,
		view->request.bytes.len > 0);
	record_json_body_facts(
		json, &record_json_request, &view->request_body, view->request_body.truncated);
	write_version(json, record_json_response.version, view->response_version_minor,
		view->response.bytes.len > 0);
	record_json_body_facts(
		json, &record_json_response, &view->response_body, view->response_body.truncated);
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

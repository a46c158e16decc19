/*
 * Layer: inspector (sees base, http, proxy). One job: parts of a HAR entry; see har_parts.h.
 * Nothing of a record is written here but through inspector/redact.h.
 */
#include "inspector/har_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "http/target.h"
#include "inspector/shown_target.h"

/* --- members */

void har_u64(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

void har_cstring(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	json_cstring(json, value);
}

void har_text(struct json *json, const char *key, struct slice value)
{
	json_key(json, key);
	json_text(json, value);
}

static void write_known_text(struct json *json, const char *key, struct slice value)
{
	if (value.len > 0) {
		har_text(json, key, value);
	}
}

void har_version(struct json *json, const struct record_head *head, uint8_t minor)
{
	har_cstring(json, "httpVersion",
		head->bytes.len == 0 ? HAR_UNKNOWN_VERSION
		: minor == 0         ? "HTTP/1.0"
				     : "HTTP/1.1");
}

void har_own_facts(struct json *json, uint64_t seq, struct slice request_id, struct slice trace_id,
	enum exchange_state state)
{
	har_u64(json, "_seq", seq);
	write_known_text(json, "_request_id", request_id);
	write_known_text(json, "_trace_id", trace_id);
	har_cstring(json, "_state", exchange_state_name(state));
}

void har_comment(struct json *json, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	har_cstring(json, "comment", text);
}

void har_started(struct json *json, uint64_t wall_us)
{
	char text[CLOCK_RFC3339_SIZE];

	json_key(json, "startedDateTime");
	json_text(json, slice_of(text, clock_format_rfc3339(wall_us, text)));
}

/* --- the target */

/* What cannot stand in a URL, or would begin a fragment; a request that was refused may have it. */
static void append_encoded(struct buffer *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c <= ' ' || c > '~' || c == '#') {
			buffer_printf(out, "%%%02X", c);
		} else {
			buffer_append_char(out, (char)c);
		}
	}
}

void har_url(struct json *json, const char *scheme, struct slice host, struct slice target)
{
	struct buffer url = BUFFER_INIT;

	buffer_append_str(&url, scheme);
	buffer_append_str(&url, "://");
	buffer_append_slice(&url, host_valid(host) ? host : SLICE(HAR_UNKNOWN_HOST));
	if (!slice_equal(target, SLICE("*"))) { /* which asks for the server itself */
		if (target.len == 0 || target.ptr[0] != '/') {
			buffer_append_char(&url, '/');
		}
		append_encoded(&url, target);
	}
	json_key(json, "url");
	json_text(json, buffer_slice(&url));
	buffer_fini(&url);
}

static void write_pair(struct json *json, struct slice name, struct slice value)
{
	json_begin_object(json);
	json_key(json, "name");
	json_text(json, name);
	json_key(json, "value");
	json_text(json, value);
	json_end_object(json);
}

/* Takes the next "name=value" off `*query`. False at the end. */
static bool next_parameter(struct slice *query, struct slice *name, struct slice *value)
{
	while (query->len > 0) {
		const char *end = memchr(query->ptr, '&', query->len);
		size_t len = end == NULL ? query->len : (size_t)(end - query->ptr);
		struct slice pair = slice_of(query->ptr, len);
		const char *equals = len == 0 ? NULL : memchr(pair.ptr, '=', len);
		size_t taken = end == NULL ? len : len + 1;

		*query = slice_of(query->ptr + taken, query->len - taken);
		if (len > 0) {
			*name = slice_of(
				pair.ptr, equals == NULL ? len : (size_t)(equals - pair.ptr));
			*value = equals == NULL ? SLICE("")
						: slice_of(equals + 1, len - name->len - 1);
			return true;
		}
	}
	return false;
}

void har_target(
	struct json *json, const struct record_view *view, const struct record_format *format)
{
	struct buffer *scratch = format->scratch;
	struct slice query;
	struct slice name;
	struct slice value;
	size_t host_len;

	buffer_clear(scratch);
	(void)redact_text(format->redactor, view->host, scratch);
	host_len = scratch->len;
	(void)shown_target(scratch, view, format->redactor);
	har_url(json, view->scheme, slice_of(scratch->ptr, host_len),
		slice_of(scratch->ptr + host_len, scratch->len - host_len));
	buffer_clear(scratch);
	(void)redact_query(format->redactor, view->query, scratch);
	query = buffer_slice(scratch);
	json_key(json, "queryString");
	json_begin_array(json);
	while (next_parameter(&query, &name, &value)) {
		write_pair(json, name, value);
	}
	json_end_array(json);
}

/* --- heads */

static struct slice shown_value(
	struct slice name, struct slice value, const struct record_format *format)
{
	buffer_clear(format->scratch);
	(void)redact_header(format->redactor, name, value, format->scratch);
	return buffer_slice(format->scratch);
}

static void write_cookies(struct json *json, const struct record_head *head, enum field_id id,
	const struct record_format *format)
{
	struct record_fields walk = record_fields(head);
	struct slice name;
	struct slice value;

	json_key(json, "cookies");
	json_begin_array(json);
	while (record_fields_next(&walk, &name, &value)) {
		if (field_identify(name) == id) {
			write_pair(json, SLICE("[redacted]"), shown_value(name, value, format));
		}
	}
	json_end_array(json);
}

void har_head(struct json *json, const struct record_head *head, enum field_id cookies,
	const struct record_format *format)
{
	struct record_fields walk = record_fields(head);
	struct slice name;
	struct slice value;

	write_cookies(json, head, cookies, format);
	json_key(json, "headers");
	json_begin_array(json);
	while (record_fields_next(&walk, &name, &value)) {
		write_pair(json, name, shown_value(name, value, format));
	}
	json_end_array(json);
	json_key(json, "headersSize");
	json_i64(json, head->bytes.len > 0 ? (int64_t)head->bytes.len : -1);
}

void har_field(struct json *json, const char *key, const struct record_head *head, enum field_id id,
	struct slice otherwise, const struct record_format *format)
{
	struct slice value = record_head_get(head, id);

	json_key(json, key);
	json_text(json, value.len > 0 ? shown_value(field_name(id), value, format) : otherwise);
}

/* --- times */

enum moment {
	MOMENT_CONNECTING,
	MOMENT_CONNECTED,
	MOMENT_SENT,
	MOMENT_FIRST_BYTE,
	MOMENT_END,
	MOMENTS,
};

/* The first moment from `from` on that happened. The end did. */
static uint64_t next_moment(const uint64_t *moments, enum moment from)
{
	while (moments[from] == 0) {
		from++;
	}
	return moments[from];
}

static int64_t span(uint64_t from_us, uint64_t to_us)
{
	return to_us > from_us ? (int64_t)(to_us - from_us) : 0;
}

/* From one moment to the next that happened; `otherwise` where it did not happen itself. */
static int64_t phase_of(const uint64_t *moments, enum moment from, int64_t otherwise)
{
	return moments[from] == 0 ? otherwise : span(moments[from], next_moment(moments, from + 1));
}

/*
 * Each phase goes from its own moment to the next that happened, and the first from the exchange's
 * beginning: so their sum is its duration. What came before its time (an answer before the whole
 * request was sent) shortens the phases before it.
 */
struct har_timings har_timings_of(const struct exchange_clock *clock, uint64_t now_us)
{
	uint64_t moments[MOMENTS] = {
		[MOMENT_CONNECTING] = clock->connecting_us,
		[MOMENT_CONNECTED] = clock->connected_us,
		[MOMENT_SENT] = clock->sent_us,
		[MOMENT_FIRST_BYTE] = clock->first_byte_us,
		[MOMENT_END] = clock->end_us != 0 ? clock->end_us : now_us,
	};
	struct har_timings timings;

	for (enum moment i = MOMENT_END; i-- > 0;) {
		uint64_t limit = next_moment(moments, i + 1);

		moments[i] = moments[i] < limit ? moments[i] : limit;
	}
	timings = (struct har_timings){
		.blocked = -1,
		.connect = phase_of(moments, MOMENT_CONNECTING, -1),
		.ssl = clock->securing_us == 0
			       ? -1
			       : span(clock->securing_us, next_moment(moments, MOMENT_CONNECTED)),
		.send = phase_of(moments, MOMENT_CONNECTED, 0),
		.wait = phase_of(moments, MOMENT_SENT, 0),
		.receive = phase_of(moments, MOMENT_FIRST_BYTE, 0),
	};
	if (clock->queued_us != 0 || clock->connecting_us != 0 || clock->connected_us != 0) {
		timings.blocked = span(clock->begin_us, next_moment(moments, 0));
	} else { /* no upstream was asked, or it is not known yet */
		timings.wait = span(clock->begin_us, next_moment(moments, 0));
	}
	return timings;
}

static void write_span(struct json *json, const char *key, int64_t us)
{
	json_key(json, key);
	if (us < 0) {
		json_i64(json, -1);
	} else {
		json_milliseconds(json, (uint64_t)us);
	}
}

void har_timings(struct json *json, const struct har_timings *timings)
{
	write_span(json, "time",
		(timings->blocked > 0 ? timings->blocked : 0) +
			(timings->connect > 0 ? timings->connect : 0) + timings->send +
			timings->wait + timings->receive);
	json_key(json, "timings");
	json_begin_object(json);
	write_span(json, "blocked", timings->blocked);
	write_span(json, "dns", -1); /* a part of `connect`, or of another exchange's */
	write_span(json, "connect", timings->connect);
	write_span(json, "ssl", timings->ssl);
	write_span(json, "send", timings->send);
	write_span(json, "wait", timings->wait);
	write_span(json, "receive", timings->receive);
	json_end_object(json);
	json_key(json, "cache");
	json_begin_object(json);
	json_end_object(json);
}

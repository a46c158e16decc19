/*
 * Layer: inspector (sees base, http, proxy). One job: the frame of a HAR, and its entries of the
 * poll log; see har.h.
 */
#include "inspector/har.h"

#include "inspector/har_parts.h"

/* --- the archive */

void har_begin(struct json *json)
{
	json_begin_object(json);
	json_key(json, "log");
	json_begin_object(json);
	json_key(json, "version");
	json_cstring(json, "1.2");
	json_key(json, "creator");
	json_begin_object(json);
	json_key(json, "name");
	json_cstring(json, "Sightglass");
	json_key(json, "version");
	json_cstring(json, SIGHTGLASS_VERSION);
	json_end_object(json);
	json_key(json, "entries");
	json_begin_array(json);
}

void har_end(struct json *json, uint64_t next)
{
	json_end_array(json);
	if (next != 0) {
		har_comment(json, "the limit left some out: \"before=%llu\" goes on",
			(unsigned long long)next);
	}
	json_end_object(json);
	json_end_object(json);
}

/* --- a row */

static void write_no_head(struct json *json)
{
	static const char *const keys[] = {"cookies", "headers"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_key(json, keys[i]);
		json_begin_array(json);
		json_end_array(json);
	}
	json_key(json, "headersSize");
	json_i64(json, -1);
}

static void write_row_request(
	struct json *json, const struct poll_row *row, const struct record_format *format)
{
	json_key(json, "request");
	json_begin_object(json);
	har_text(json, "method", poll_row_method(row));
	buffer_clear(format->scratch);
	(void)redact_text(format->redactor, poll_row_path(row), format->scratch);
	har_url(json, "http", SLICE(""), buffer_slice(format->scratch));
	har_cstring(json, "httpVersion", HAR_UNKNOWN_VERSION);
	json_key(json, "queryString");
	json_begin_array(json);
	json_end_array(json);
	write_no_head(json);
	har_u64(json, "bodySize", row->request_bytes);
	json_end_object(json);
}

static void write_row_response(struct json *json, const struct poll_row *row)
{
	json_key(json, "response");
	json_begin_object(json);
	har_u64(json, "status", row->status);
	har_cstring(json, "statusText", "");
	har_cstring(json, "httpVersion", HAR_UNKNOWN_VERSION);
	write_no_head(json);
	har_cstring(json, "redirectURL", "");
	har_u64(json, "bodySize", row->response_bytes);
	json_key(json, "content");
	json_begin_object(json);
	har_u64(json, "size", row->response_bytes);
	har_cstring(json, "mimeType", HAR_UNKNOWN_TYPE);
	json_end_object(json);
	json_end_object(json);
}

void har_row(struct json *json, const struct poll_row *row, const struct record_format *format)
{
	const struct har_timings timings = {
		.blocked = -1, .connect = -1, .ssl = -1, .wait = (int64_t)row->duration_us};

	json_begin_object(json);
	har_started(json, row->wall_us);
	har_timings(json, &timings);
	write_row_request(json, row, format);
	write_row_response(json, row);
	har_own_facts(json, row->seq, poll_row_request_id(row), slice_of(NULL, 0),
		(enum exchange_state)row->state);
	har_cstring(json, "comment",
		"a row of the poll log: host, query, headers and bodies were not kept");
	json_end_object(json);
}

/*
 * Layer: inspector (sees base, http, proxy). One job: a record as an entry of a HAR, in
 * steps; see har_entry.h.
 */
#include "inspector/har_entry.h"

#include "inspector/har_parts.h"

/* --- bodies */

static void write_text_part(struct har_entry *self, struct json *json, size_t *spent)
{
	struct slice window = body_windows_next(&self->body, spent);

	if (!self->in_text) {
		self->in_text = true;
		json_key(json, "text");
		json_string_begin(json);
	}
	if (self->body.is_text) {
		json_string_add(json, window);
	} else {
		json_string_add_base64(json, window);
	}
	if (body_windows_at_end(&self->body)) {
		self->in_text = false;
		json_string_end(json);
		self->phase++;
	}
}

static void begin_remark(struct buffer *text)
{
	if (text->len > 0) {
		buffer_append_str(text, "; ");
	}
}

static void remark(struct buffer *text, const char *words)
{
	begin_remark(text);
	buffer_append_str(text, words);
}

/* What the text is not all of, or in another way than it came, if so. */
static void write_body_comment(
	const struct har_entry *self, struct json *json, const struct record_format *format)
{
	const struct body_windows *shown = &self->body;
	const struct record_body *body = body_windows_body(shown);
	struct buffer *text = format->scratch;

	buffer_clear(text);
	if (self->view->level != CAPTURE_FULL) {
		remark(text, "the route keeps no bodies");
	} else if (body->kept < body->size) {
		begin_remark(text);
		buffer_printf(text, "cut: %llu of %llu bytes were kept",
			(unsigned long long)body->kept, (unsigned long long)body->size);
	} else if (self->view->state == EXCHANGE_ACTIVE && !body->ended) {
		remark(text, "still on its way: more may follow");
	}
	if (body->look == RECORD_HIDES && shown->length > 0) {
		remark(text, "redacted");
	}
	if (shown->coding_len > 0) {
		remark(text, "decoded: ");
		buffer_append_slice(text, body_windows_coding(shown));
	}
	if (shown->note != NULL) {
		remark(text, shown->note);
	}
	if (text->len > 0) {
		har_text(json, "comment", buffer_slice(text));
	}
}

/* --- forms: name=value&name=value, as it came */

static bool is_form(const struct record_head *head)
{
	struct slice type = record_head_get(head, FIELD_CONTENT_TYPE);
	const char *end = type.len == 0 ? NULL : memchr(type.ptr, ';', type.len);

	if (end != NULL) {
		type.len = (size_t)(end - type.ptr);
	}
	return slice_equal_nocase(slice_trim(type), SLICE("application/x-www-form-urlencoded"));
}

static void begin_value(struct har_entry *self, struct json *json)
{
	json_string_end(json);
	json_key(json, "value");
	json_string_begin(json);
	self->in_value = true;
}

static void end_pair(struct har_entry *self, struct json *json)
{
	if (self->in_pair) {
		if (!self->in_value) {
			begin_value(self, json);
		}
		json_string_end(json);
		json_end_object(json);
		self->in_pair = false;
	}
}

static void begin_pair(struct har_entry *self, struct json *json)
{
	if (!self->in_pair) {
		json_begin_object(json);
		json_key(json, "name");
		json_string_begin(json);
		self->in_pair = true;
		self->in_value = false;
	}
}

/* A pair may reach from one window into the next: what it has come to is in `self`. */
static void write_pairs(struct har_entry *self, struct json *json, struct slice text)
{
	size_t start = 0;

	for (size_t i = 0; i < text.len; i++) {
		bool ends_name = text.ptr[i] == '=' && !(self->in_pair && self->in_value);

		if (text.ptr[i] == '&' || ends_name) {
			if (i > start || ends_name) {
				begin_pair(self, json);
				json_string_add(json, slice_of(text.ptr + start, i - start));
			}
			if (ends_name) {
				begin_value(self, json);
			} else {
				end_pair(self, json);
			}
			start = i + 1;
		} else {
			begin_pair(self, json);
		}
	}
	if (start < text.len) {
		json_string_add(json, slice_of(text.ptr + start, text.len - start));
	}
}

static void write_params(struct har_entry *self, struct json *json, size_t *spent)
{
	if (!self->in_form) {
		self->in_form = true;
		json_key(json, "params");
		json_begin_array(json);
	}
	write_pairs(self, json, body_windows_next(&self->body, spent));
	if (body_windows_at_end(&self->body)) {
		end_pair(self, json);
		json_end_array(json);
		self->in_form = false;
		self->phase++;
	}
}

/* --- the request */

static bool has_post_data(const struct har_entry *self)
{
	return self->view->request_body.size > 0 && self->view->state != EXCHANGE_TUNNEL;
}

static void end_request(
	struct har_entry *self, struct json *json, const struct record_format *format)
{
	if (has_post_data(self)) {
		if (!self->body.is_text) {
			har_cstring(json, "_encoding", "base64");
		}
		write_body_comment(self, json, format);
		json_end_object(json); /* postData */
	}
	json_end_object(json);
	self->phase = HAR_RESPONSE_HEAD;
}

static void begin_request(
	struct har_entry *self, struct json *json, const struct record_format *format)
{
	const struct record_view *view = self->view;
	const struct har_timings timings = har_timings_of(&view->clock, format->now_us);

	json_begin_object(json);
	har_started(json, view->clock.wall_us);
	har_timings(json, &timings);
	json_key(json, "request");
	json_begin_object(json);
	har_text(json, "method", view->method_name);
	har_target(json, view, format);
	har_version(json, &view->request, view->request_version_minor);
	har_head(json, &view->request, FIELD_COOKIE, format);
	har_u64(json, "bodySize", has_post_data(self) ? view->request_body.size : 0);
	body_windows_begin(
		&self->body, format->redactor, self->view, RECORD_REQUEST, format->body_limit);
	self->phase = HAR_REQUEST_CHECK;
	if (!has_post_data(self)) {
		end_request(self, json, format);
		return;
	}
	json_key(json, "postData");
	json_begin_object(json);
	har_field(json, "mimeType", &view->request, FIELD_CONTENT_TYPE, SLICE(""), format);
}

static void end_request_text(
	struct har_entry *self, struct json *json, const struct record_format *format)
{
	body_windows_rewind(&self->body);
	if (!self->body.is_text || !is_form(&self->view->request)) {
		end_request(self, json, format);
	}
}

/* --- the response */

/* The reason phrase as it came: what follows "HTTP/1.1 200 ". */
static void write_status_text(
	struct json *json, const struct record_head *head, const struct record_format *format)
{
	const char *end =
		head->bytes.len == 0 ? NULL : memchr(head->bytes.ptr, '\r', head->bytes.len);
	size_t len = end == NULL ? 0 : (size_t)(end - head->bytes.ptr);
	size_t skip = sizeof("HTTP/1.1 200 ") - 1;

	buffer_clear(format->scratch);
	if (len > skip) {
		(void)redact_text(format->redactor, slice_of(head->bytes.ptr + skip, len - skip),
			format->scratch);
	}
	har_text(json, "statusText", buffer_slice(format->scratch));
}

static void write_end(struct har_entry *self, struct json *json, const struct record_format *format)
{
	const struct record_view *view = self->view;

	if (view->error.len > 0) {
		buffer_clear(format->scratch);
		(void)redact_text(format->redactor, view->error, format->scratch);
		har_text(json, "_error", buffer_slice(format->scratch));
	}
	har_own_facts(json, view->seq, view->request_id, view->trace_id, view->state);
	if (view->state == EXCHANGE_TUNNEL) {
		har_comment(json, "a tunnel: %llu bytes in, %llu bytes out",
			(unsigned long long)view->request_body.size,
			(unsigned long long)view->response_body.size);
	}
	json_end_object(json);
}

static void end_response(
	struct har_entry *self, struct json *json, const struct record_format *format)
{
	const struct record_body *body = &self->view->response_body;
	bool tunnel = self->view->state == EXCHANGE_TUNNEL;

	if (!self->body.is_text) {
		har_cstring(json, "encoding", "base64");
	}
	if (self->body.coding_len > 0) {
		har_u64(json, "size", self->body.length);
		json_key(json, "compression"); /* of little, a coding may make more */
		json_i64(json, (int64_t)self->body.length - (int64_t)body->size);
	} else {
		har_u64(json, "size", tunnel ? 0 : body->size);
	}
	if (!tunnel) {
		write_body_comment(self, json, format);
	}
	json_end_object(json);
	json_end_object(json);
	write_end(self, json, format);
	self->phase = HAR_DONE;
}

static void begin_response(
	struct har_entry *self, struct json *json, const struct record_format *format)
{
	const struct record_view *view = self->view;
	const struct record_head *head = &view->response;

	json_key(json, "response");
	json_begin_object(json);
	har_u64(json, "status", view->status);
	write_status_text(json, head, format);
	har_version(json, head, view->response_version_minor);
	har_head(json, head, FIELD_SET_COOKIE, format);
	har_field(json, "redirectURL", head, FIELD_LOCATION, SLICE(""), format);
	json_key(json, "bodySize");
	json_i64(json, view->status == 0                ? -1
		       : view->state == EXCHANGE_TUNNEL ? 0
							: (int64_t)view->response_body.size);
	json_key(json, "content");
	json_begin_object(json);
	har_field(json, "mimeType", head, FIELD_CONTENT_TYPE, SLICE(HAR_UNKNOWN_TYPE), format);
	body_windows_begin(
		&self->body, format->redactor, self->view, RECORD_RESPONSE, format->body_limit);
	self->phase++;
	if (view->level != CAPTURE_FULL) {
		end_response(self, json, format);
	}
}

/* --- the steps */

void har_entry_begin(struct har_entry *entry, struct record_view *view)
{
	*entry = (struct har_entry){.view = view};
}

void har_entry_fini(struct har_entry *entry)
{
	body_windows_fini(&entry->body);
}

static void begin_message(struct har_entry *self, struct json *json,
	const struct record_format *format, size_t *spent)
{
	size_t before = json->out->len;

	if (self->phase == HAR_REQUEST_HEAD) {
		begin_request(self, json, format);
	} else {
		begin_response(self, json, format);
	}
	*spent += json->out->len - before;
}

bool har_entry_step(struct har_entry *self, struct json *json, const struct record_format *format,
	size_t *spent)
{
	switch (self->phase) {
	case HAR_REQUEST_HEAD:
	case HAR_RESPONSE_HEAD:
		begin_message(self, json, format, spent);
		break;
	case HAR_REQUEST_CHECK:
	case HAR_RESPONSE_CHECK:
		if (!body_windows_check(&self->body, spent)) {
			self->phase++;
		}
		break;
	case HAR_REQUEST_TEXT:
		write_text_part(self, json, spent);
		if (self->phase == HAR_REQUEST_PARAMS) {
			end_request_text(self, json, format);
		}
		break;
	case HAR_REQUEST_PARAMS:
		write_params(self, json, spent);
		if (self->phase == HAR_RESPONSE_HEAD) {
			end_request(self, json, format);
		}
		break;
	case HAR_RESPONSE_TEXT:
		write_text_part(self, json, spent);
		if (self->phase == HAR_DONE) {
			end_response(self, json, format);
		}
		break;
	case HAR_DONE:
		break;
	}
	return self->phase != HAR_DONE;
}

/*
 * Layer: inspector (sees base, http, proxy). One job: a whole record as JSON, in steps; see
 * record_json.h.
 */
#include "inspector/messages_json.h"
#include "inspector/record_json.h"

#include "inspector/record_json_parts.h"

void record_json_begin(struct record_json *whole, struct record_view *view)
{
	*whole = (struct record_json){.view = view};
}

void record_json_fini(struct record_json *whole)
{
	body_windows_fini(&whole->body);
}

static enum record_side which_of(const struct record_json *whole)
{
	return whole->phase < RECORD_JSON_RESPONSE_HEAD ? RECORD_REQUEST : RECORD_RESPONSE;
}

static struct record_body *body_of(const struct record_json *whole)
{
	return record_body_of(whole->view, which_of(whole));
}

static const struct record_json_side *side_of(const struct record_json *whole)
{
	return which_of(whole) == RECORD_REQUEST ? &record_json_request : &record_json_response;
}

static void begin_body(struct record_json *whole, struct json *json,
	const struct record_format *format, size_t *spent)
{
	const struct record_body *body = body_of(whole);
	const struct record_view *view = whole->view;
	enum record_side side = which_of(whole);
	size_t before = json->out->len;

	if (whole->phase == RECORD_JSON_REQUEST_HEAD) {
		json_begin_object(json);
		record_json_facts(json, view, format);
		record_json_head(json, &record_json_request, &view->request,
			view->request_version_minor, &view->request_trailers, body, format);
	} else {
		record_json_head(json, &record_json_response, &view->response,
			view->response_version_minor, &view->response_trailers, body, format);
	}
	*spent += json->out->len - before;
	whole->phase++;
	body_windows_begin(&whole->body, format->redactor, whole->view, side, format->body_limit);
}

/* Of most bodies there is nothing to say. */
static void write_words(
	struct json *json, const struct record_json_side *side, const struct body_windows *body)
{
	if (body->coding_len > 0) {
		json_key(json, side->decoded);
		json_text(json, body_windows_coding(body));
	}
	if (body->note != NULL) {
		json_key(json, side->note);
		json_cstring(json, body->note);
	}
}

static void end_body(struct record_json *whole, struct json *json)
{
	const struct body_windows *body = &whole->body;
	bool captured = whole->view->level == CAPTURE_FULL;

	json_key(json, side_of(whole)->encoding);
	json_cstring(json, !captured ? NULL : body->is_text ? "utf-8" : "base64");
	record_json_body_facts(json, side_of(whole), body_of(whole), body->cut);
	write_words(json, side_of(whole), body);
	whole->phase++;
}

static void write_body(struct record_json *whole, struct json *json, size_t *spent)
{
	struct slice window;

	if (whole->view->level != CAPTURE_FULL) {
		json_key(json, side_of(whole)->body);
		json_none(json);
		end_body(whole, json);
		return;
	}
	if (!whole->begun) {
		whole->begun = true;
		json_key(json, side_of(whole)->body);
		json_string_begin(json);
	}
	window = body_windows_next(&whole->body, spent);
	if (whole->body.is_text) {
		json_string_add(json, window);
	} else {
		json_string_add_base64(json, window);
	}
	if (body_windows_at_end(&whole->body)) {
		whole->begun = false;
		json_string_end(json);
		end_body(whole, json);
	}
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
	body_windows_fini(&whole->body);
	whole->phase++;
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
		if (!body_windows_check(&whole->body, spent)) {
			whole->phase++;
		}
		break;
	case RECORD_JSON_REQUEST_BODY:
	case RECORD_JSON_RESPONSE_BODY:
		write_body(whole, json, spent);
		break;
	case RECORD_JSON_MESSAGES:
		write_messages(whole, json, format, spent);
		break;
	case RECORD_JSON_DONE:
		break;
	}
	return whole->phase != RECORD_JSON_DONE;
}

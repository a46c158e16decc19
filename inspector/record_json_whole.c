/*
 * Layer: inspector (sees base, http, proxy). One job: a whole record as JSON, in steps; see
 * record_json.h. A body is gone through twice: what kind of string it becomes has to be known
 * before its first byte is written.
 */
#include "inspector/record_json.h"

#include "inspector/record_json_parts.h"

void record_json_begin(struct record_json *whole, struct record_view *view)
{
	*whole = (struct record_json){.view = view};
}

void record_json_fini(struct record_json *whole)
{
	shown_body_destroy(whole->shown);
	whole->shown = NULL;
	buffer_fini(&whole->window);
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

static void begin_shown(struct record_json *whole, const struct record_format *format)
{
	shown_body_destroy(whole->shown);
	whole->shown = shown_body_create(format->redactor, whole->view, which_of(whole));
	buffer_clear(&whole->window);
	whole->done = 0;
}

static void begin_body(struct record_json *whole, struct json *json,
	const struct record_format *format, size_t *spent)
{
	const struct record_body *body = body_of(whole);
	const struct record_view *view = whole->view;
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
	whole->length = 0;
	whole->is_text = true;
	whole->is_limited = false;
	whole->words = (struct record_body_words){.cut = body->truncated};
	if (view->level != CAPTURE_FULL) {
		whole->phase++; /* there is none to check */
	} else {
		begin_shown(whole, format);
	}
}

/* Takes bytes off the window's front. */
static void drop(struct buffer *window, size_t len)
{
	if (len > 0) {
		memmove(window->ptr, window->ptr + len, window->len - len);
		window->len -= len;
	}
}

/* Counts what came, and drops what is beyond the limit. */
static void count_window(struct record_json *whole, uint64_t limit, size_t before)
{
	uint64_t came = whole->window.len - before;
	uint64_t room = limit - whole->length;

	if (came > room) {
		whole->is_limited = true;
		whole->window.len = before + (size_t)room;
		came = room;
	}
	whole->length += came;
}

static void end_check(struct record_json *whole)
{
	struct record_body_words *words = &whole->words;
	struct shown_facts facts;

	shown_body_facts(whole->shown, &facts);
	if (body_of(whole)->look == RECORD_UNSEEN) {
		body_of(whole)->look = facts.look;
	}
	words->cut = facts.cut || whole->is_limited;
	words->note = facts.note;
	words->coding_len = facts.coding.len;
	if (facts.coding.len > 0) {
		memcpy(words->coding, facts.coding.ptr, facts.coding.len);
	}
	/* What is left is a character that is cut: by the limit, or where the body is. */
	if (whole->is_text && whole->window.len > 0) {
		whole->is_text = words->cut || !body_of(whole)->ended;
		whole->length -= whole->is_text ? whole->window.len : 0;
	}
	whole->phase++;
}

/*
 * A body is text where all that is shown of it is UTF-8; only where more follows, or may follow,
 * can a character be cut at the end. What is hidden beyond the limit has to be known as well.
 */
static void check_body(struct record_json *whole, const struct record_format *format, size_t *spent)
{
	struct buffer *window = &whole->window;
	size_t before = window->len;
	bool more = shown_body_next(whole->shown, window, spent);
	size_t checked;

	count_window(whole, format->body_limit, before);
	checked = whole->is_text ? utf8_whole(buffer_slice(window)) : window->len;
	whole->is_text = whole->is_text && utf8_valid(slice_of(window->ptr, checked));
	drop(window, checked);
	if (!more || (whole->is_limited && body_of(whole)->look != RECORD_UNSEEN)) {
		end_check(whole);
		begin_shown(whole, format);
	}
}

/* Of most bodies there is nothing to say. */
static void write_words(struct json *json, const struct record_json_side *side,
	const struct record_body_words *words)
{
	if (words->coding_len > 0) {
		json_key(json, side->decoded);
		json_text(json, slice_of(words->coding, words->coding_len));
	}
	if (words->note != NULL) {
		json_key(json, side->note);
		json_cstring(json, words->note);
	}
}

static void end_body(struct record_json *whole, struct json *json)
{
	const struct record_body_words *words = &whole->words;
	bool captured = whole->view->level == CAPTURE_FULL;

	json_key(json, side_of(whole)->encoding);
	json_cstring(json, !captured ? NULL : whole->is_text ? "utf-8" : "base64");
	record_json_body_facts(json, side_of(whole), body_of(whole), words->cut);
	write_words(json, side_of(whole), words);
	shown_body_destroy(whole->shown);
	whole->shown = NULL;
	whole->phase++;
	if (whole->phase == RECORD_JSON_DONE) {
		json_end_object(json);
		buffer_fini(&whole->window);
	}
}

/* Writes what of the window can be: whole characters, or groups of three bytes. */
static void write_window(struct record_json *whole, struct json *json)
{
	struct buffer *window = &whole->window;
	uint64_t left = whole->length - whole->done;
	bool last = window->len >= left;
	size_t len = last ? (size_t)left : window->len;

	if (whole->is_text) {
		len = last ? len : utf8_whole(slice_of(window->ptr, len));
		json_string_add(json, slice_of(window->ptr, len));
	} else {
		len = last ? len : len - len % 3;
		json_string_add_base64(json, slice_of(window->ptr, len));
	}
	whole->done += len;
	drop(window, len);
}

static void write_body(struct record_json *whole, struct json *json, size_t *spent)
{
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
	if (whole->done < whole->length) {
		(void)shown_body_next(whole->shown, &whole->window, spent);
		write_window(whole, json);
	}
	if (whole->done == whole->length) {
		whole->begun = false;
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
		check_body(whole, format, spent);
		break;
	case RECORD_JSON_REQUEST_BODY:
	case RECORD_JSON_RESPONSE_BODY:
		write_body(whole, json, spent);
		break;
	case RECORD_JSON_DONE:
		break;
	}
	return whole->phase != RECORD_JSON_DONE;
}

/*
 * Layer: inspector (sees base, http, proxy). One job: look for text in a record; see search.h.
 */
#include "inspector/search.h"

#include <assert.h>

#include "inspector/decode.h"

enum {
	WINDOW = 64 * 1024, /* of a body, a step */
};

static void make_lower(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		text[i] = ascii_lower(text[i]);
	}
}

static bool scratch_holds(struct buffer *scratch, struct slice text)
{
	make_lower(scratch->ptr, scratch->len);
	return slice_find(buffer_slice(scratch), text) != NULL;
}

/* Each field by itself: text that is looked for does not reach from one into the next. */
static bool fields_hold(const struct search *search, const struct redactor *redactor,
	const struct record_head *head, struct buffer *scratch, size_t *spent)
{
	struct record_fields walk = record_fields(head);
	struct slice name;
	struct slice value;

	*spent += head->bytes.len;
	while (record_fields_next(&walk, &name, &value)) {
		buffer_clear(scratch);
		buffer_append_slice(scratch, name);
		buffer_append_str(scratch, ": ");
		(void)redact_header(redactor, name, value, scratch);
		if (scratch_holds(scratch, search->text)) {
			return true;
		}
	}
	return false;
}

static bool facts_hold(const struct search *search, const struct redactor *redactor,
	struct buffer *scratch, size_t *spent)
{
	const struct record_view *view = search->view;

	buffer_clear(scratch);
	(void)redact_text(redactor, view->path, scratch);
	if (view->query.len > 0) {
		buffer_append_char(scratch, '?');
		(void)redact_query(redactor, view->query, scratch);
	}
	if (scratch_holds(scratch, search->text)) {
		return true;
	}
	buffer_clear(scratch);
	buffer_append_slice(scratch, view->request_id);
	return scratch_holds(scratch, search->text) ||
	       fields_hold(search, redactor, &view->request, scratch, spent) ||
	       fields_hold(search, redactor, &view->request_trailers, scratch, spent) ||
	       fields_hold(search, redactor, &view->response, scratch, spent) ||
	       fields_hold(search, redactor, &view->response_trailers, scratch, spent);
}

/* --- bodies */

void search_begin(struct search *search, struct slice text, struct record_view *view)
{
	assert(text.len > 0 && text.len < WINDOW);
	*search = (struct search){.text = text, .view = view};
}

void search_fini(struct search *search)
{
	shown_body_destroy(search->shown);
	search->shown = NULL;
	buffer_fini(&search->window);
}

/* Whether the captured bytes are what is shown. */
static bool is_shown_as_it_is(const struct search *search)
{
	char codings[SHOWN_CODING_MAX];
	const struct record_head *head =
		search->side == RECORD_REQUEST ? &search->view->request : &search->view->response;

	return search->body->look == RECORD_CLEAN &&
	       !decode_is_coded(shown_body_codings(head, codings));
}

/* Takes the next body; the last one's end is the search's. */
static enum search_result next_body(struct search *search, const struct redactor *redactor)
{
	shown_body_destroy(search->shown);
	search->shown = NULL;
	buffer_clear(&search->window);
	if (search->view->level != CAPTURE_FULL || search->body == &search->view->response_body) {
		return SEARCH_NOTHING;
	}
	search->side = search->body == NULL ? RECORD_REQUEST : RECORD_RESPONSE;
	search->body = record_body_of(search->view, search->side);
	search->offset = 0;
	if (!is_shown_as_it_is(search)) {
		search->shown = shown_body_create(redactor, search->view, search->side);
	}
	return SEARCH_MORE;
}

/* The captured bytes. */
static enum search_result look_at_bytes(struct search *search, const struct redactor *redactor,
	struct buffer *scratch, size_t *spent)
{
	buffer_clear(scratch);
	scratch->len = record_body_copy(
		search->body, search->offset, buffer_reserve(scratch, WINDOW), WINDOW);
	*spent += scratch->len;
	if (scratch_holds(scratch, search->text)) {
		return SEARCH_FOUND;
	}
	if (search->offset + scratch->len >= search->body->kept) {
		return next_body(search, redactor);
	}
	/* What the window's end cuts is whole in the next one. */
	search->offset += scratch->len - (search->text.len - 1);
	return SEARCH_MORE;
}

/* What is shown: its last bytes are kept, since the text may begin there. */
static enum search_result look_at_shown(
	struct search *search, const struct redactor *redactor, size_t *spent)
{
	struct buffer *window = &search->window;
	size_t kept = window->len < search->text.len - 1 ? window->len : search->text.len - 1;
	struct shown_facts facts;
	bool more;

	if (kept > 0) {
		memmove(window->ptr, window->ptr + window->len - kept, kept);
	}
	window->len = kept;
	more = shown_body_next(search->shown, window, spent);
	make_lower(window->ptr + kept, window->len - kept);
	if (slice_find(buffer_slice(window), search->text) != NULL) {
		return SEARCH_FOUND;
	}
	if (more) {
		return SEARCH_MORE;
	}
	shown_body_facts(search->shown, &facts);
	record_body_of(search->view, search->side)->look = facts.look;
	return next_body(search, redactor);
}

enum search_result search_step(struct search *search, const struct redactor *redactor,
	struct buffer *scratch, size_t *spent)
{
	if (search->body == NULL) {
		return facts_hold(search, redactor, scratch, spent) ? SEARCH_FOUND
								    : next_body(search, redactor);
	}
	return search->shown != NULL ? look_at_shown(search, redactor, spent)
				     : look_at_bytes(search, redactor, scratch, spent);
}

/* --- rows */

static bool holds(struct slice haystack, struct slice text)
{
	char lower[POLL_ROW_TEXT * 2];
	struct slice copy =
		slice_of(lower, haystack.len < sizeof(lower) ? haystack.len : sizeof(lower));

	if (copy.len == 0) {
		return false;
	}
	memcpy(lower, haystack.ptr, copy.len);
	make_lower(lower, copy.len);
	return slice_find(copy, text) != NULL;
}

bool search_row(struct slice text, const struct poll_row *row, struct slice path)
{
	return holds(path, text) || holds(poll_row_request_id(row), text);
}

/*
 * Layer: inspector (sees base, http, proxy). One job: look for text in a record; see search.h.
 */
#include "inspector/search.h"

#include <assert.h>

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

static bool window_holds(struct search *search, struct buffer *scratch, size_t *spent)
{
	buffer_clear(scratch);
	scratch->len = record_body_copy(
		search->body, search->offset, buffer_reserve(scratch, WINDOW), WINDOW);
	*spent += scratch->len;
	return scratch_holds(scratch, search->text);
}

void search_begin(struct search *search, struct slice text, const struct record_view *view)
{
	assert(text.len > 0 && text.len < WINDOW);
	*search = (struct search){.text = text, .view = view};
}

/* Takes the next body; the last one's end is the search's. */
static enum search_result next_body(struct search *search)
{
	if (search->body == &search->view->response_body) {
		return SEARCH_NOTHING;
	}
	search->body =
		search->body == NULL ? &search->view->request_body : &search->view->response_body;
	search->offset = 0;
	return SEARCH_MORE;
}

enum search_result search_step(struct search *search, const struct redactor *redactor,
	struct buffer *scratch, size_t *spent)
{
	if (search->body == NULL) {
		return facts_hold(search, redactor, scratch, spent) ? SEARCH_FOUND
								    : next_body(search);
	}
	if (window_holds(search, scratch, spent)) {
		return SEARCH_FOUND;
	}
	if (search->offset + scratch->len >= search->body->kept) {
		return next_body(search);
	}
	/* What the window's end cuts is whole in the next one. */
	search->offset += scratch->len - (search->text.len - 1);
	return SEARCH_MORE;
}

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

/*
 * Layer: inspector. One job: see resend.h.
 */
#include "inspector/resend.h"

#include <string.h>

/* --- which fields are taken over */

/* The sender makes these anew. */
static bool is_made_anew(enum field_id id)
{
	switch (id) {
	case FIELD_CONTENT_LENGTH:
	case FIELD_EXPECT:
	case FIELD_FORWARDED:
	case FIELD_HOST:
	case FIELD_TRACEPARENT:
	case FIELD_TRACESTATE:
	case FIELD_TRAILER:
	case FIELD_VIA:
	case FIELD_X_FORWARDED_FOR:
	case FIELD_X_FORWARDED_HOST:
	case FIELD_X_FORWARDED_PROTO:
	case FIELD_X_REAL_IP:
		return true;
	default:
		return false;
	}
}

static bool is_left_to_sender(
	const struct resend *resend, const struct record_view *view, struct slice name)
{
	enum field_id underscored = field_identify_underscored(name);

	return record_is_hop_by_hop(&view->request, name) || is_made_anew(field_identify(name)) ||
	       field_is_hop_by_hop(underscored) || is_made_anew(underscored) ||
	       slice_equal_nocase(name, resend->request_id_name);
}

/* What the panel's editor shows in the place of a secret, and sends back untouched. */
static bool stands_for_secret(struct slice value)
{
	return slice_find(value, SLICE("[redacted]")) != NULL ||
	       slice_find(value, SLICE("[redacted:")) != NULL;
}

/* --- writing */

/* RFC 9110 section 5.5: what else may stand in a value would end the line, or be read in two ways.
 */
static bool value_valid(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if ((c < ' ' && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

static void put_field(struct buffer *head, struct slice name, struct slice value)
{
	buffer_append_slice(head, name);
	buffer_append_str(head, ": ");
	buffer_append_slice(head, value);
	buffer_append_str(head, "\r\n");
}

/* The caller's own fields of that name, but for what opens the inspector. False where it has none.
 */
static bool put_callers(const struct resend *resend, struct slice name, struct buffer *head)
{
	const struct head *caller = resend->caller;
	bool any = false;

	for (size_t i = 0; i < caller->count; i++) {
		const struct field *field = &caller->fields[i];
		struct buffer value = BUFFER_INIT;

		if (slice_equal_nocase(head_name(caller, field), name)) {
			access_strip(resend->access, (enum field_id)field->id,
				head_value(caller, field), &value);
			if (value.len > 0) {
				put_field(head, name, buffer_slice(&value));
				any = true;
			}
		}
		buffer_fini(&value);
	}
	return any;
}

static bool was_named(const struct buffer *names, struct slice name)
{
	struct slice rest = buffer_slice(names);
	struct slice each;

	while (slice_next_token(&rest, &each)) {
		if (slice_equal_nocase(each, name)) {
			return true;
		}
	}
	return false;
}

/* The caller's own in the place of a secret: once for all fields of the name. */
static void replace_secret(const struct resend *resend, struct slice name, struct buffer *head,
	struct buffer *replaced, struct buffer *left_out)
{
	struct buffer *names;

	if (was_named(replaced, name) || was_named(left_out, name)) {
		return;
	}
	names = put_callers(resend, name, head) ? replaced : left_out;
	if (names->len > 0) {
		buffer_append_str(names, ", ");
	}
	buffer_append_slice(names, name);
}

static bool hides_something(const struct resend *resend, struct slice name, struct slice value)
{
	struct buffer shown = BUFFER_INIT;
	bool hidden = redact_hides_header(resend->redactor, name) ||
		      redact_header(resend->redactor, name, value, &shown);

	buffer_fini(&shown);
	return hidden;
}

static void put_recorded(const struct resend *resend, const struct record_view *view,
	const struct resend_changes *changes, struct buffer *head, struct buffer *replaced,
	struct buffer *left_out)
{
	struct record_fields walk = record_fields(&view->request);
	struct slice name;
	struct slice value;

	while (record_fields_next(&walk, &name, &value)) {
		if (is_left_to_sender(resend, view, name) ||
			(changes->has_body && field_identify(name) == FIELD_CONTENT_ENCODING)) {
			continue; /* a body that is given is not encoded */
		}
		if (hides_something(resend, name, value)) {
			replace_secret(resend, name, head, replaced, left_out);
		} else {
			put_field(head, name, value);
		}
	}
}

/* What the caller writes itself is no secret of somebody else's. */
static enum resend_verdict put_given(const struct resend *resend, const struct record_view *view,
	const struct resend_changes *changes, struct buffer *head, struct buffer *replaced,
	struct buffer *left_out, struct err *err)
{
	for (size_t i = 0; i < changes->field_count; i++) {
		struct slice name = changes->fields[i].name;
		struct slice value = slice_trim(changes->fields[i].value);

		if (!token_valid(name)) {
			err_set(err, ERR_SYNTAX, "headers: name %zu is none that a field can have",
				i + 1);
			return RESEND_BAD;
		}
		if (!value_valid(value)) {
			err_set(err, ERR_SYNTAX,
				"headers: the value of %.60s has a control character in it",
				name.ptr);
			return RESEND_BAD;
		}
		if (is_left_to_sender(resend, view, name)) {
			continue;
		}
		if (stands_for_secret(value)) {
			replace_secret(resend, name, head, replaced, left_out);
		} else {
			put_field(head, name, value);
		}
	}
	return RESEND_READY;
}

/* --- the start line */

static bool target_valid(struct slice path)
{
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];

		if (c <= ' ' || c == 0x7f || c == '#') {
			return false;
		}
	}
	return path.len > 0 && (path.ptr[0] == '/' || slice_equal(path, SLICE("*")));
}

static enum resend_verdict put_recorded_target(const struct resend *resend,
	const struct record_view *view, struct buffer *head, struct err *err)
{
	struct buffer shown = BUFFER_INIT;
	bool hidden = redact_query(resend->redactor, view->query, &shown);

	buffer_clear(&shown);
	hidden = redact_text(resend->redactor, view->path, &shown) || hidden;
	buffer_fini(&shown);
	if (hidden) {
		err_set(err, ERR_SYNTAX,
			"its URL has a redacted value, which is never sent again: give a \"path\"");
		return RESEND_REFUSED;
	}
	buffer_append_slice(head, view->path);
	if (view->has_query) {
		buffer_append_char(head, '?');
		buffer_append_slice(head, view->query);
	}
	return RESEND_READY;
}

static enum resend_verdict put_start_line(const struct resend *resend,
	const struct record_view *view, const struct resend_changes *changes, struct buffer *head,
	struct err *err)
{
	struct slice method = changes->method.ptr == NULL ? view->method_name : changes->method;

	if (!token_valid(method)) {
		err_set(err, ERR_SYNTAX, "method: it is no name of a method");
		return RESEND_BAD;
	}
	buffer_append_slice(head, method);
	buffer_append_char(head, ' ');
	if (changes->path.ptr == NULL) {
		enum resend_verdict verdict = put_recorded_target(resend, view, head, err);

		if (verdict != RESEND_READY) {
			return verdict;
		}
	} else if (!target_valid(changes->path)) {
		err_set(err, ERR_SYNTAX,
			"path: it begins with '/' and has neither spaces nor control characters "
			"nor '#' in it: write them percent-encoded");
		return RESEND_BAD;
	} else if (stands_for_secret(changes->path)) {
		err_set(err, ERR_SYNTAX, "path: put a value in the place of [redacted]");
		return RESEND_BAD;
	} else {
		buffer_append_slice(head, changes->path);
	}
	buffer_append_str(head, " HTTP/1.1\r\n");
	put_field(head, SLICE("Host"), view->host);
	return RESEND_READY;
}

/* --- the whole */

/* RFC 9110 section 8.6: a method that expects a body says how long it is, also where it is empty.
 */
static bool states_length(const struct resend *resend, const struct record_view *view,
	const struct resend_changes *changes)
{
	struct slice method = changes->method.ptr == NULL ? view->method_name : changes->method;

	return resend->body_len > 0 || slice_equal(method, SLICE("POST")) ||
	       slice_equal(method, SLICE("PUT")) || slice_equal(method, SLICE("PATCH"));
}

enum resend_verdict resend_head(const struct resend *resend, const struct record_view *view,
	const struct resend_changes *changes, struct buffer *head, struct buffer *left_out,
	struct err *err)
{
	struct buffer replaced = BUFFER_INIT;
	enum resend_verdict verdict;

	if (view->method_name.len == 0 || view->host.len == 0 || view->path.len == 0) {
		err_set(err, ERR_SYNTAX,
			"it was refused before it could be read: there is nothing "
			"to send again");
		return RESEND_REFUSED;
	}
	if (record_head_get(&view->request, FIELD_UPGRADE).len > 0) {
		err_set(err, ERR_SYNTAX,
			"it asks for another protocol, whose messages cannot be sent again");
		return RESEND_REFUSED;
	}
	verdict = put_start_line(resend, view, changes, head, err);
	if (verdict == RESEND_READY && changes->has_fields) {
		verdict = put_given(resend, view, changes, head, &replaced, left_out, err);
	} else if (verdict == RESEND_READY) {
		put_recorded(resend, view, changes, head, &replaced, left_out);
	}
	if (states_length(resend, view, changes)) {
		buffer_append_str(head, "Content-Length: ");
		buffer_append_u64(head, resend->body_len);
		buffer_append_str(head, "\r\n");
	}
	buffer_append_str(head, "\r\n");
	buffer_fini(&replaced);
	return verdict;
}

enum resend_verdict resend_body(const struct record_view *view, struct err *err)
{
	const struct record_body *body = &view->request_body;

	if (!body->ended && view->state == EXCHANGE_ACTIVE) {
		err_set(err, ERR_SYNTAX, "its body is still on its way: wait, or give a \"body\"");
		return RESEND_REFUSED;
	}
	if (body->kept < body->size) {
		err_set(err, ERR_SYNTAX,
			"its body was not kept whole (%llu of %llu bytes): give a \"body\", or "
			"raise capture.body",
			(unsigned long long)body->kept, (unsigned long long)body->size);
		return RESEND_REFUSED;
	}
	if (body->look == RECORD_HIDES) {
		err_set(err, ERR_SYNTAX,
			"its body has a redacted value, which is never sent again: give a "
			"\"body\"");
		return RESEND_REFUSED;
	}
	if (body->size > 0 && body->look != RECORD_CLEAN) {
		err_set(err, ERR_SYNTAX,
			"its body could not be decoded to its end, so what it holds is not known: "
			"give a \"body\"");
		return RESEND_REFUSED;
	}
	return RESEND_READY;
}

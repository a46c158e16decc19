/*
 * Layer: inspector. One job: redact a form; see redact_form.h.
 */
#include "inspector/redact_form.h"

#include "base/memory.h"
#include "inspector/redact_scan.h"

enum {
	NAME_MAX_LEN = 512, /* encoded; a longer one may be a secret's */
};

enum form_phase {
	FORM_NAME,
	FORM_VALUE,
	FORM_SECRET,
};

struct redact_form {
	const struct redactor *redactor;
	enum form_phase phase;
	struct redact_scan *scan; /* of what is shown of a name, or of a value */
	struct redact_mark mark;
	uint64_t hidden; /* bytes of a secret's value */
	bool hid;
	size_t name_len; /* beyond NAME_MAX_LEN it only counts */
	char name[NAME_MAX_LEN];
};

struct redact_form *redact_form_create(const struct redactor *redactor)
{
	struct redact_form *form = mem_alloc(sizeof(*form));

	form->redactor = redactor;
	form->phase = FORM_NAME;
	form->scan = redact_scan_create(redactor, BODY_TEXT);
	form->hid = false;
	form->name_len = 0;
	return form;
}

void redact_form_destroy(struct redact_form *form)
{
	if (form != NULL) {
		if (form->phase == FORM_SECRET) {
			redact_mark_drop(&form->mark);
		}
		redact_scan_destroy(form->scan);
		mem_free(form);
	}
}

bool redact_form_hid(const struct redact_form *form)
{
	return form->hid || redact_scan_hid(form->scan);
}

static bool is_secret_name(const struct redact_form *form)
{
	struct slice written = slice_of(form->name, form->name_len);
	char decoded[NAME_MAX_LEN];
	size_t len = 0;

	if (form->name_len > NAME_MAX_LEN || redact_hides_parameter(form->redactor, written)) {
		return true;
	}
	for (size_t at = 0; at < written.len;) {
		decoded[len++] = percent_next(written, &at);
	}
	return secret_member(redactor_names(form->redactor), slice_of(decoded, len));
}

static bool end_scan(struct redact_form *form, bool cut, struct buffer *out)
{
	bool open = redact_scan_end(form->scan, cut, out);

	form->hid |= redact_scan_hid(form->scan);
	redact_scan_reset(form->scan, BODY_TEXT);
	return open;
}

/* At the end of what stands in this phase. True where that was being hidden, and may go on. */
static bool end_phase(struct redact_form *form, bool cut, struct buffer *out)
{
	if (form->phase != FORM_SECRET) {
		return end_scan(form, cut, out);
	}
	if (form->hidden > 0) {
		redact_mark_end(&form->mark, out);
		form->hid = true;
	} else {
		redact_mark_drop(&form->mark);
	}
	return false;
}

/* Behind a name's '='. Where the name is being hidden it is no name, and the text goes on. */
static void begin_value(struct redact_form *form, bool open)
{
	form->phase = FORM_VALUE;
	if (open || is_secret_name(form)) {
		form->phase = FORM_SECRET;
		form->hidden = 0;
		redact_mark_begin(&form->mark, form->redactor);
	}
}

static void pass(struct redact_form *form, struct slice bytes, struct buffer *out)
{
	if (bytes.len == 0) {
		return;
	}
	if (form->phase == FORM_SECRET) {
		redact_mark_add(&form->mark, bytes);
		form->hidden += bytes.len;
		return;
	}
	if (form->phase == FORM_NAME) {
		size_t room = form->name_len < NAME_MAX_LEN ? NAME_MAX_LEN - form->name_len : 0;

		memcpy(form->name + (NAME_MAX_LEN - room), bytes.ptr,
			bytes.len < room ? bytes.len : room);
		form->name_len += bytes.len;
	}
	redact_scan_add_coded(form->scan, SCAN_PERCENT, bytes, out);
}

/* Where the name or value at the beginning of `bytes` ends, at most with them. */
static size_t find_end(const struct redact_form *form, struct slice bytes)
{
	size_t at = 0;

	if (form->phase != FORM_NAME) {
		const char *end = memchr(bytes.ptr, '&', bytes.len);

		return end == NULL ? bytes.len : (size_t)(end - bytes.ptr);
	}
	while (at < bytes.len && bytes.ptr[at] != '&' && bytes.ptr[at] != '=') {
		at++;
	}
	return at;
}

void redact_form_add(struct redact_form *form, struct slice bytes, struct buffer *out)
{
	while (bytes.len > 0) {
		size_t end = find_end(form, bytes);
		bool open;

		pass(form, slice_of(bytes.ptr, end), out);
		if (end == bytes.len) {
			return;
		}
		open = end_phase(form, false, out);
		buffer_append_char(out, bytes.ptr[end]);
		if (bytes.ptr[end] == '=') {
			begin_value(form, open);
		} else {
			form->phase = FORM_NAME;
			form->name_len = 0;
		}
		bytes = slice_of(bytes.ptr + end + 1, bytes.len - end - 1);
	}
}

void redact_form_end(struct redact_form *form, bool cut, struct buffer *out)
{
	(void)end_phase(form, cut, out);
	form->phase = FORM_NAME;
}

/*
 * Layer: inspector. One job: redact a body; see redact_body.h. Here is decided what kind of body it
 * is, once as much has come as that takes.
 */
#include "inspector/redact_body.h"

#include "base/memory.h"
#include "inspector/body_kind.h"
#include "inspector/redact_body_layout.h"
#include "inspector/redact_form.h"
#include "inspector/redact_multipart.h"
#include "inspector/redact_scan.h"

struct redact_body {
	const struct redactor *redactor;
	struct redact_scan *scan; /* one of these, once its kind is known */
	struct redact_form *form;
	struct redact_multipart *multipart;
	bool is_binary;
	bool is_markup;
	unsigned depth;
	size_t held;
	char beginning[BODY_KIND_LOOK];
	size_t type_len;
	char type[]; /* Content-Type */
};

struct redact_body *redact_body_create_within(
	const struct redactor *redactor, struct slice type, unsigned depth)
{
	struct redact_body *body = mem_alloc(sizeof(*body) + type.len);

	body->redactor = redactor;
	body->scan = NULL;
	body->form = NULL;
	body->multipart = NULL;
	body->depth = depth;
	body->held = 0;
	body->type_len = type.len;
	if (type.len > 0) {
		memcpy(body->type, type.ptr, type.len);
	}
	return body;
}

struct redact_body *redact_body_create(const struct redactor *redactor, struct slice type)
{
	return redact_body_create_within(redactor, type, 0);
}

void redact_body_destroy(struct redact_body *body)
{
	if (body != NULL) {
		redact_scan_destroy(body->scan);
		redact_form_destroy(body->form);
		redact_multipart_destroy(body->multipart);
		mem_free(body);
	}
}

static bool has_begun(const struct redact_body *body)
{
	return body->scan != NULL || body->form != NULL || body->multipart != NULL;
}

static void pass_on(struct redact_body *body, struct slice bytes, struct buffer *out)
{
	if (body->multipart != NULL) {
		redact_multipart_add(body->multipart, bytes, out);
	} else if (body->form != NULL) {
		redact_form_add(body->form, bytes, out);
	} else if (body->is_markup) {
		redact_scan_add_coded(body->scan, SCAN_ENTITIES, bytes, out);
	} else {
		redact_scan_add(body->scan, bytes, out);
	}
}

static void begin(struct redact_body *body, struct buffer *out)
{
	struct slice type = slice_of(body->type, body->type_len);
	struct slice beginning = slice_of(body->beginning, body->held);
	enum body_kind kind = body_kind_of(type, beginning);

	body->is_binary = kind == BODY_BINARY;
	body->is_markup = kind == BODY_MARKUP;

	if (kind == BODY_MULTIPART && body->depth < REDACT_DEPTH_MAX) {
		body->multipart =
			redact_multipart_create(body->redactor, type, beginning, body->depth);
	} else if (kind == BODY_FORM) {
		body->form = redact_form_create(body->redactor);
	} else {
		body->scan = redact_scan_create(
			body->redactor, kind == BODY_MULTIPART ? BODY_TEXT : kind);
	}
	pass_on(body, beginning, out);
}

void redact_body_add(struct redact_body *body, struct slice bytes, struct buffer *out)
{
	if (!has_begun(body)) {
		size_t room = sizeof(body->beginning) - body->held;
		size_t taken = bytes.len < room ? bytes.len : room;

		if (taken > 0) {
			memcpy(body->beginning + body->held, bytes.ptr, taken);
		}
		body->held += taken;
		if (body->held < sizeof(body->beginning)) {
			return;
		}
		begin(body, out);
		bytes = slice_of(bytes.ptr + taken, bytes.len - taken);
	}
	if (bytes.len > 0) {
		pass_on(body, bytes, out);
	}
}

void redact_body_end(struct redact_body *body, bool cut, struct buffer *out)
{
	if (!has_begun(body)) {
		begin(body, out);
	}
	if (body->multipart != NULL) {
		redact_multipart_end(body->multipart, cut, out);
	} else if (body->form != NULL) {
		redact_form_end(body->form, cut, out);
	} else {
		/* What ends within something like a token was cut, whoever did it. */
		(void)redact_scan_end(body->scan, cut || !body->is_binary, out);
	}
}

bool redact_body_hid(const struct redact_body *body)
{
	if (body->multipart != NULL) {
		return redact_multipart_hid(body->multipart);
	}
	return body->form != NULL ? redact_form_hid(body->form)
				  : body->scan != NULL && redact_scan_hid(body->scan);
}

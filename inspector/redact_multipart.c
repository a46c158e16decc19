/*
 * Layer: inspector. One job: redact a multipart body; see redact_multipart.h.
 */
#include "inspector/redact_multipart.h"

#include "base/memory.h"
#include "inspector/body_kind.h"
#include "inspector/redact_body_layout.h"
#include "inspector/redact_scan.h"

enum {
	DELIMITER_MAX = 200, /* RFC 2046 allows 72; a longer one is none */
	HEAD_MAX = 8 * 1024, /* of a part; one with a longer one is hidden */
};

enum multipart_phase {
	MULTIPART_OUTSIDE, /* before the first part, or behind the last */
	MULTIPART_LINE,    /* the rest of a delimiter's line */
	MULTIPART_HEAD,
	MULTIPART_BODY,
};

struct redact_multipart {
	const struct redactor *redactor;
	unsigned depth;
	enum multipart_phase phase;
	struct redact_scan *text; /* what stands outside of bodies */
	struct redact_body *part; /* what is shown of a body; NULL: it is hidden */
	struct redact_mark mark;
	uint64_t hidden;
	bool hid;

	char delimiter[DELIMITER_MAX];
	size_t delimiter_len; /* 0: there is none */
	bool line_begins;     /* right before what is held */
	struct buffer held;   /* what is not decided yet, below HEAD_MAX and one slice */
	size_t passed;        /* of it */
};

/* --- delimiters */

/* The line that a body begins with, where it looks like a delimiter. */
static struct slice first_line(struct slice beginning)
{
	size_t len = 0;

	if (!slice_starts_with(beginning, SLICE("--"))) {
		return slice_of(NULL, 0);
	}
	while (len < beginning.len && beginning.ptr[len] != '\r' && beginning.ptr[len] != '\n') {
		len++;
	}
	return len > 2 && len < beginning.len ? slice_of(beginning.ptr, len) : slice_of(NULL, 0);
}

static void set_delimiter(struct redact_multipart *self, struct slice type, struct slice beginning)
{
	struct slice boundary = body_kind_parameter(type, SLICE("boundary"));
	struct slice line = first_line(beginning);
	char declared[DELIMITER_MAX];
	size_t len = 0;

	if (boundary.len > 0 && boundary.len <= sizeof(declared) - 2) {
		memcpy(declared, "--", 2);
		memcpy(declared + 2, boundary.ptr, boundary.len);
		len = boundary.len + 2;
	}
	if (line.len > 0 && line.len <= sizeof(declared) &&
		(len == 0 || slice_find(beginning, slice_of(declared, len)) == NULL)) {
		memcpy(declared, line.ptr, line.len);
		len = line.len;
	}
	memcpy(self->delimiter, declared, len);
	self->delimiter_len = len;
}

struct redact_multipart *redact_multipart_create(
	const struct redactor *redactor, struct slice type, struct slice beginning, unsigned depth)
{
	struct redact_multipart *self = mem_zalloc(sizeof(*self));

	self->redactor = redactor;
	self->depth = depth;
	self->line_begins = true;
	self->text = redact_scan_create(redactor, BODY_TEXT);
	set_delimiter(self, type, beginning);
	return self;
}

void redact_multipart_destroy(struct redact_multipart *self)
{
	if (self == NULL) {
		return;
	}
	redact_scan_destroy(self->text);
	redact_body_destroy(self->part);
	redact_mark_drop(&self->mark);
	buffer_fini(&self->held);
	mem_free(self);
}

bool redact_multipart_hid(const struct redact_multipart *self)
{
	return self->hid || redact_scan_hid(self->text) ||
	       (self->part != NULL && redact_body_hid(self->part));
}

/* --- what is held */

static struct slice rest_of(const struct redact_multipart *self)
{
	return self->held.len == 0
		       ? SLICE("")
		       : slice_of(self->held.ptr + self->passed, self->held.len - self->passed);
}

/* Text outside of bodies ends: what is secret in it does not reach beyond. */
static void end_text(struct redact_multipart *self, bool cut, struct buffer *out)
{
	(void)redact_scan_end(self->text, cut, out);
	self->hid |= redact_scan_hid(self->text);
	redact_scan_reset(self->text, BODY_TEXT);
}

static void show_text(struct redact_multipart *self, size_t len, struct buffer *out)
{
	redact_scan_add(self->text, slice_of(rest_of(self).ptr, len), out);
	self->passed += len;
}

/* How much of `rest` before `begin` is before the line end that stands there. */
static size_t before_line_end(struct slice rest, size_t begin)
{
	size_t len = begin;

	len -= len > 0 && rest.ptr[len - 1] == '\n';
	len -= len > 0 && len < begin && rest.ptr[len - 1] == '\r';
	return len;
}

/* Whether what follows a delimiter lets it be one; two bytes tell. */
static bool may_follow(struct slice behind)
{
	return behind.len == 0 || strchr("\r\n \t", behind.ptr[0]) != NULL ||
	       slice_starts_with(SLICE("--"), behind) || slice_starts_with(behind, SLICE("--"));
}

/* The next delimiter at a line's beginning, or NULL; `*safe` is how much before it, or before what
 * may be one, belongs to something else: without the line end before it. */
static const char *find_delimiter(const struct redact_multipart *self, bool last, size_t *safe)
{
	struct slice rest = rest_of(self);
	struct slice delimiter = slice_of(self->delimiter, self->delimiter_len);
	size_t at = 0;

	if (delimiter.len == 0) {
		*safe = rest.len;
		return NULL;
	}
	for (;;) {
		const char *place = slice_find(slice_of(rest.ptr + at, rest.len - at), delimiter);
		struct slice behind;

		if (place == NULL) {
			break;
		}
		at = (size_t)(place - rest.ptr);
		behind = slice_of(place + delimiter.len, rest.len - at - delimiter.len);
		if ((at == 0 ? self->line_begins : place[-1] == '\n') && may_follow(behind)) {
			*safe = before_line_end(rest, at);
			return behind.len >= 2 || last ? place : NULL;
		}
		at++;
	}
	*safe = rest.len > delimiter.len + 2 ? rest.len - delimiter.len - 2 : 0;
	return NULL;
}

/* --- bodies of parts */

static void begin_body(struct redact_multipart *self, struct slice type, bool secret)
{
	self->phase = MULTIPART_BODY;
	self->line_begins = true;
	self->hidden = 0;
	if (secret) {
		redact_mark_begin(&self->mark, self->redactor);
	} else {
		self->part = redact_body_create_within(self->redactor, type, self->depth + 1);
	}
}

static void pass_body(struct redact_multipart *self, size_t len, struct buffer *out)
{
	struct slice bytes = slice_of(rest_of(self).ptr, len);

	if (len == 0) {
		return;
	}
	if (self->part != NULL) {
		redact_body_add(self->part, bytes, out);
	} else {
		redact_mark_add(&self->mark, bytes);
		self->hidden += len;
	}
	self->line_begins = false; /* or the delimiter would have been found */
	self->passed += len;
}

static void end_body(struct redact_multipart *self, bool cut, struct buffer *out)
{
	if (self->part != NULL) {
		redact_body_end(self->part, cut, out);
		self->hid |= redact_body_hid(self->part);
		redact_body_destroy(self->part);
		self->part = NULL;
	} else if (self->hidden > 0) {
		redact_mark_end(&self->mark, out);
		self->hid = true;
	} else {
		redact_mark_drop(&self->mark);
	}
}

/* --- heads of parts */

/* The value of a field of a part's head, with its continuations; empty where there is none. */
static struct slice field_of(struct slice head, struct slice name)
{
	for (size_t at = 0; at + name.len < head.len; at++) {
		size_t end = at + name.len;

		if ((at > 0 && head.ptr[at - 1] != '\n') || head.ptr[end] != ':' ||
			!slice_equal_nocase(slice_of(head.ptr + at, name.len), name)) {
			continue;
		}
		at = end + 1;
		for (end = at; end < head.len; end++) {
			if (head.ptr[end] == '\n' &&
				(end + 1 == head.len ||
					(head.ptr[end + 1] != ' ' && head.ptr[end + 1] != '\t'))) {
				break;
			}
		}
		while (end > at && (head.ptr[end - 1] == '\r' || head.ptr[end - 1] == ' ')) {
			end--;
		}
		return slice_trim(slice_of(head.ptr + at, end - at));
	}
	return slice_of(NULL, 0);
}

static bool is_secret_name(const struct redact_multipart *self, struct slice name)
{
	return redact_hides_parameter(self->redactor, name) ||
	       secret_member(redactor_names(self->redactor), name);
}

/* "password" of "UTF-8''password". */
static struct slice behind_charset(struct slice value)
{
	size_t at = value.len;

	while (at > 0 && value.ptr[at - 1] != '\'') {
		at--;
	}
	return at == 0 ? value : slice_of(value.ptr + at, value.len - at);
}

/* Of a coded part nothing can be told: it is hidden. */
static bool is_secret_part(const struct redact_multipart *self, struct slice head)
{
	struct slice disposition = field_of(head, SLICE("content-disposition"));
	struct slice coding = field_of(head, SLICE("content-transfer-encoding"));

	return is_secret_name(self, body_kind_parameter(disposition, SLICE("name"))) ||
	       is_secret_name(
		       self, behind_charset(body_kind_parameter(disposition, SLICE("name*")))) ||
	       slice_equal_nocase(coding, SLICE("base64")) ||
	       slice_equal_nocase(coding, SLICE("quoted-printable")) ||
	       field_of(head, SLICE("content-encoding")).len > 0;
}

/* The length of a head with the empty line behind it; 0 where that is not there yet. */
static size_t head_len(struct slice text)
{
	for (size_t at = 0; at < text.len; at++) {
		const char *end = memchr(text.ptr + at, '\n', text.len - at);
		size_t line = at;

		if (end == NULL) {
			break;
		}
		at = (size_t)(end - text.ptr);
		if (at == line || (at == line + 1 && text.ptr[line] == '\r')) {
			return at + 1;
		}
	}
	return 0;
}

static bool read_head(struct redact_multipart *self, bool last, struct buffer *out)
{
	struct slice rest = rest_of(self);
	size_t len = head_len(rest);
	bool whole = len > 0 && len <= HEAD_MAX;
	char type[DELIMITER_MAX];
	struct slice written;
	bool secret;

	if (!whole && rest.len <= HEAD_MAX && !last) {
		return false;
	}
	if (!whole) {
		len = rest.len < HEAD_MAX ? rest.len : HEAD_MAX;
	}
	rest.len = len;
	secret = !whole || is_secret_part(self, rest);
	written = field_of(rest, SLICE("content-type"));
	if (written.len > sizeof(type)) {
		written.len = sizeof(type);
	}
	if (written.len > 0) {
		memcpy(type, written.ptr, written.len);
	}
	show_text(self, len, out);
	end_text(self, last && !whole, out);
	begin_body(self, slice_of(type, written.len), secret);
	return true;
}

/* --- phases: each returns false where it needs more bytes */

static bool pass_outside(struct redact_multipart *self, bool last, struct buffer *out)
{
	size_t safe;
	const char *place = find_delimiter(self, last, &safe);

	if (place == NULL) {
		size_t len = last ? rest_of(self).len : safe;

		if (len > 0) {
			show_text(self, len, out);
			self->line_begins = false;
		}
		return false;
	}
	show_text(self, (size_t)(place - rest_of(self).ptr), out);
	end_text(self, false, out);
	self->phase = MULTIPART_LINE;
	return true;
}

/* The delimiter, and what follows it in its line: "--" behind the last part. */
static bool pass_line(struct redact_multipart *self, bool last, struct buffer *out)
{
	struct slice rest = rest_of(self);
	const char *end = rest.len == 0 ? NULL : memchr(rest.ptr, '\n', rest.len);
	struct slice behind = slice_of(NULL, 0);

	if (end == NULL && rest.len <= self->delimiter_len + DELIMITER_MAX && !last) {
		return false;
	}
	if (rest.len > self->delimiter_len) {
		behind = slice_of(rest.ptr + self->delimiter_len, rest.len - self->delimiter_len);
	}
	self->phase = slice_starts_with(behind, SLICE("--")) || end == NULL ? MULTIPART_OUTSIDE
									    : MULTIPART_HEAD;
	show_text(self,
		end == NULL ? self->delimiter_len < rest.len ? self->delimiter_len : rest.len
			    : (size_t)(end + 1 - rest.ptr),
		out);
	end_text(self, false, out);
	self->line_begins = end != NULL;
	return true;
}

static bool pass_part(struct redact_multipart *self, bool last, bool cut, struct buffer *out)
{
	size_t safe;
	const char *place = find_delimiter(self, last, &safe);

	if (place == NULL) {
		pass_body(self, last ? rest_of(self).len : safe, out);
		if (last) {
			end_body(self, cut, out);
			self->phase = MULTIPART_OUTSIDE;
		}
		return false;
	}
	pass_body(self, safe, out);
	end_body(self, false, out);
	show_text(self, (size_t)(place - rest_of(self).ptr), out);
	self->phase = MULTIPART_LINE;
	return true;
}

static bool pass(struct redact_multipart *self, bool last, bool cut, struct buffer *out)
{
	switch (self->phase) {
	case MULTIPART_OUTSIDE:
		return pass_outside(self, last, out);
	case MULTIPART_LINE:
		return pass_line(self, last, out);
	case MULTIPART_HEAD:
		return read_head(self, last, out);
	case MULTIPART_BODY:
		break;
	}
	return pass_part(self, last, cut, out);
}

static void run(struct redact_multipart *self, bool last, bool cut, struct buffer *out)
{
	while (self->passed < self->held.len || last) {
		if (!pass(self, last, cut, out)) {
			break;
		}
	}
	if (self->passed > 0) {
		struct slice rest = rest_of(self);

		if (rest.len > 0) {
			memmove(self->held.ptr, rest.ptr, rest.len);
		}
		self->held.len = rest.len;
		self->passed = 0;
	}
}

void redact_multipart_add(struct redact_multipart *self, struct slice bytes, struct buffer *out)
{
	while (bytes.len > 0) {
		size_t len = bytes.len < HEAD_MAX ? bytes.len : HEAD_MAX;

		buffer_append(&self->held, bytes.ptr, len);
		bytes = slice_of(bytes.ptr + len, bytes.len - len);
		run(self, false, false, out);
	}
}

void redact_multipart_end(struct redact_multipart *self, bool cut, struct buffer *out)
{
	run(self, true, cut, out);
	end_text(self, cut, out);
}

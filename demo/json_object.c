/*
 * Layer: demo. One job: see json_object.h. A descent by recursion, bounded in depth.
 */
#include "demo/json_object.h"

#include "base/buffer.h"
#include "base/json.h"

enum {
	DEPTH_MAX = 32,
};

struct reader {
	const char *start;
	const char *at;
	const char *end;
	const char *fault; /* what is wrong at `at`; the first one stays */
	struct buffer key;
	struct buffer text;
	demo_json_member_fn member;
	void *context;
};

static bool fail(struct reader *self, const char *fault)
{
	if (self->fault == NULL) {
		self->fault = fault;
	}
	return false;
}

static void skip_space(struct reader *self)
{
	while (self->at < self->end &&
		(*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r')) {
		self->at++;
	}
}

/* Takes `c`, with white space before it. */
static bool take(struct reader *self, char c)
{
	skip_space(self);
	if (self->at < self->end && *self->at == c) {
		self->at++;
		return true;
	}
	return false;
}

/* --- strings */

static void append_utf8(struct buffer *out, uint32_t code)
{
	if (code < 0x80) {
		buffer_append_char(out, (char)code);
	} else if (code < 0x800) {
		buffer_append_char(out, (char)(0xc0 | code >> 6));
		buffer_append_char(out, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		buffer_append_char(out, (char)(0xe0 | code >> 12));
		buffer_append_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (code & 0x3f)));
	} else {
		buffer_append_char(out, (char)(0xf0 | code >> 18));
		buffer_append_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (code & 0x3f)));
	}
}

/* The four digits behind "\u". */
static bool read_unit(struct reader *self, uint32_t *unit)
{
	*unit = 0;
	if (self->end - self->at < 4) {
		return fail(self, "an escape that is cut off");
	}
	for (unsigned i = 0; i < 4; i++) {
		char c = ascii_lower(*self->at);
		bool digit = c >= '0' && c <= '9';

		if (!digit && (c < 'a' || c > 'f')) {
			return fail(self, "an escape that is not four hexadecimal digits");
		}
		*unit = *unit << 4 | (uint32_t)(digit ? c - '0' : c - 'a' + 10);
		self->at++;
	}
	return true;
}

static bool read_code(struct reader *self, struct buffer *out)
{
	uint32_t high, low;

	if (!read_unit(self, &high)) {
		return false;
	}
	if (high >= 0xdc00 && high <= 0xdfff) {
		return fail(self, "half a surrogate pair");
	}
	if (high >= 0xd800 && high <= 0xdbff) {
		if (self->end - self->at < 2 || self->at[0] != '\\' || self->at[1] != 'u') {
			return fail(self, "half a surrogate pair");
		}
		self->at += 2;
		if (!read_unit(self, &low)) {
			return false;
		}
		if (low < 0xdc00 || low > 0xdfff) {
			return fail(self, "half a surrogate pair");
		}
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	append_utf8(out, high);
	return true;
}

static bool read_escape(struct reader *self, struct buffer *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char c;

	if (self->at == self->end) {
		return fail(self, "a string without an end");
	}
	c = *self->at;
	if (c == 'u') {
		self->at++;
		return read_code(self, out);
	}
	found = memchr(from, c, sizeof(from) - 1);
	if (found == NULL) {
		return fail(self, "an escape that JSON does not know");
	}
	self->at++;
	buffer_append_char(out, to[found - from]);
	return true;
}

/* Behind the opening quote. */
static bool read_string(struct reader *self, struct buffer *out)
{
	buffer_clear(out);
	while (self->at < self->end) {
		char c = *self->at;

		if ((unsigned char)c < 0x20) {
			return fail(self, "a control byte in a string");
		}
		self->at++;
		if (c == '"') {
			return true;
		}
		if (c != '\\') {
			buffer_append_char(out, c);
		} else if (!read_escape(self, out)) {
			return false;
		}
	}
	return fail(self, "a string without an end");
}

/* --- other values */

static bool read_word(struct reader *self, struct slice word)
{
	if (!slice_starts_with(slice_of(self->at, (size_t)(self->end - self->at)), word)) {
		return fail(self, "not a value");
	}
	self->at += word.len;
	return true;
}

static bool is_digit(const struct reader *self)
{
	return self->at < self->end && *self->at >= '0' && *self->at <= '9';
}

static bool read_digits(struct reader *self)
{
	if (!is_digit(self)) {
		return fail(self, "a number without digits");
	}
	while (is_digit(self)) {
		self->at++;
	}
	return true;
}

static bool read_number(struct reader *self)
{
	if (self->at < self->end && *self->at == '-') {
		self->at++;
	}
	if (self->at < self->end && *self->at == '0') { /* nothing may follow a leading zero */
		self->at++;
	} else if (!read_digits(self)) {
		return false;
	}
	if (self->at < self->end && *self->at == '.') {
		self->at++;
		if (!read_digits(self)) {
			return false;
		}
	}
	if (self->at < self->end && (*self->at == 'e' || *self->at == 'E')) {
		self->at++;
		if (self->at < self->end && (*self->at == '+' || *self->at == '-')) {
			self->at++;
		}
		return read_digits(self);
	}
	return true;
}

static bool read_value(struct reader *self, unsigned depth);

static bool read_array(struct reader *self, unsigned depth)
{
	if (take(self, ']')) {
		return true;
	}
	do {
		if (!read_value(self, depth + 1)) {
			return false;
		}
	} while (take(self, ','));
	return take(self, ']') || fail(self, "an array without its ']'");
}

/* Tells the members of the outermost object, which is at depth 0. */
static bool read_member(struct reader *self, unsigned depth)
{
	bool is_string;
	struct slice text;

	if (!take(self, '"')) {
		return fail(self, "not a member's name");
	}
	if (!read_string(self, depth == 0 ? &self->key : &self->text)) {
		return false;
	}
	if (!take(self, ':')) {
		return fail(self, "a name without its ':'");
	}
	skip_space(self);
	is_string = self->at < self->end && *self->at == '"';
	if (!read_value(self, depth + 1)) {
		return false;
	}
	if (depth == 0) {
		text = buffer_slice(&self->text);
		self->member(self->context, buffer_slice(&self->key), is_string ? &text : NULL);
	}
	return true;
}

static bool read_object(struct reader *self, unsigned depth)
{
	if (take(self, '}')) {
		return true;
	}
	do {
		if (!read_member(self, depth)) {
			return false;
		}
	} while (take(self, ','));
	return take(self, '}') || fail(self, "an object without its '}'");
}

static bool read_value(struct reader *self, unsigned depth)
{
	if (depth >= DEPTH_MAX) {
		return fail(self, "too deep");
	}
	skip_space(self);
	if (self->at == self->end) {
		return fail(self, "a value is missing");
	}
	switch (*self->at) {
	case '{':
		self->at++;
		return read_object(self, depth);
	case '[':
		self->at++;
		return read_array(self, depth);
	case '"':
		self->at++;
		return read_string(self, &self->text);
	case 't':
		return read_word(self, SLICE("true"));
	case 'f':
		return read_word(self, SLICE("false"));
	case 'n':
		return read_word(self, SLICE("null"));
	default:
		return read_number(self);
	}
}

static bool read_document(struct reader *self)
{
	if (!take(self, '{')) {
		return fail(self, "not an object");
	}
	if (!read_object(self, 0)) {
		return false;
	}
	skip_space(self);
	return self->at == self->end || fail(self, "something behind the object");
}

enum err_code demo_json_read_object(
	struct slice document, demo_json_member_fn member, void *context, struct err *err)
{
	struct reader self = {
		.start = document.ptr,
		.at = document.ptr,
		.end = document.ptr + document.len,
		.member = member,
		.context = context,
	};
	enum err_code rc = ERR_NONE;

	if (document.len == 0) {
		return err_set(err, ERR_SYNTAX, "not JSON: nothing at all");
	}
	if (!utf8_valid(document)) {
		return err_set(err, ERR_SYNTAX, "not JSON: not UTF-8");
	}
	if (!read_document(&self)) {
		rc = err_set(err, ERR_SYNTAX, "not JSON: at byte %zu: %s",
			(size_t)(self.at - self.start), self.fault);
	}
	buffer_fini(&self.key);
	buffer_fini(&self.text);
	return rc;
}

/*
 * Layer: inspector (sees base). One job: the claims of a JWT (RFC 7519) that name somebody; see
 * caller.h. What is read here came from a peer: every byte is in doubt.
 */
#include "inspector/caller.h"

#include <stdint.h>
#include <string.h>

enum {
	PAYLOAD_MAX = 8192, /* encoded; larger tokens are not looked into */
	DEPTH_MAX = 32,
};

static const char *const claims[] = {"upn", "preferred_username", "email", "sub"};

enum {
	CLAIMS = sizeof(claims) / sizeof(claims[0]),
};

/* --- base64url (RFC 4648 section 5), without padding, as JWTs have it */

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Returns the length, or 0 where it is no base64url. `out` has room for text.len bytes. */
static size_t decode_base64url(struct slice text, char *out)
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = digit_value(text.ptr[i]);

		if (value < 0) {
			return 0;
		}
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			out[len++] = (char)(bits >> count & 0xff);
		}
	}
	return len;
}

/* --- as much JSON as it takes to find a member of the outermost object */

struct reader {
	const char *at;
	const char *end;
};

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4) != NULL) {
		reader->at++;
	}
}

static bool take(struct reader *reader, char c)
{
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != c) {
		return false;
	}
	reader->at++;
	return true;
}

/* A string's inside, escapes as they stand. */
static bool take_string(struct reader *reader, struct slice *inside)
{
	const char *start;

	if (!take(reader, '"')) {
		return false;
	}
	start = reader->at;
	for (; reader->at < reader->end; reader->at++) {
		if (*reader->at == '"') {
			*inside = slice_of(start, (size_t)(reader->at - start));
			reader->at++;
			return true;
		}
		if (*reader->at == '\\') {
			reader->at++;
			if (reader->at == reader->end) {
				return false;
			}
		}
	}
	return false;
}

/* Passes over any value: whether its brackets are of the right kind does not matter here. */
static bool skip_value(struct reader *reader)
{
	unsigned depth = 0;

	do {
		struct slice ignored;

		skip_space(reader);
		if (reader->at == reader->end) {
			return false;
		}
		switch (*reader->at) {
		case '"':
			if (!take_string(reader, &ignored)) {
				return false;
			}
			break;
		case '{':
		case '[':
			if (++depth > DEPTH_MAX) {
				return false;
			}
			reader->at++;
			break;
		case '}':
		case ']':
			if (depth == 0) {
				return false;
			}
			depth--;
			reader->at++;
			break;
		case ',':
		case ':':
			if (depth == 0) {
				return false;
			}
			reader->at++;
			break;
		default: /* a number, true, false, null: up to what ends it */
			while (reader->at < reader->end &&
				memchr(" \t\r\n,:]}\"", *reader->at, 9) == NULL) {
				reader->at++;
			}
		}
	} while (depth > 0);
	return true;
}

/* Fills `found` with the claims that are texts; false where the payload is no object. */
static bool find_claims(struct slice payload, struct slice found[static CLAIMS])
{
	struct reader reader = {.at = payload.ptr, .end = payload.ptr + payload.len};
	struct slice key;
	struct slice ignored;

	if (!take(&reader, '{')) {
		return false;
	}
	do {
		size_t i = 0;

		if (!take_string(&reader, &key) || !take(&reader, ':')) {
			return false;
		}
		skip_space(&reader);
		while (i < CLAIMS && !slice_equal(key, slice_str(claims[i]))) {
			i++;
		}
		if (i < CLAIMS && reader.at < reader.end && *reader.at == '"') {
			if (!take_string(&reader, found[i].len == 0 ? &found[i] : &ignored)) {
				return false;
			}
		} else if (!skip_value(&reader)) {
			return false;
		}
	} while (take(&reader, ','));
	return take(&reader, '}');
}

/* --- a JSON string's inside as text */

static bool read_hex4(struct slice text, size_t at, uint32_t *code)
{
	*code = 0;
	for (size_t i = at; i < at + 4; i++) {
		char c = i < text.len ? ascii_lower(text.ptr[i]) : '\0';

		if (c >= '0' && c <= '9') {
			*code = *code << 4 | (uint32_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			*code = *code << 4 | (uint32_t)(c - 'a' + 10);
		} else {
			return false;
		}
	}
	return true;
}

static void append_code(struct buffer *out, uint32_t code)
{
	if (code < 0x80) {
		buffer_append_char(out, (char)code);
	} else if (code < 0x800) {
		buffer_append_char(out, (char)(0xC0 | code >> 6));
		buffer_append_char(out, (char)(0x80 | (code & 63)));
	} else {
		if (code < 0x10000) {
			buffer_append_char(out, (char)(0xE0 | code >> 12));
		} else {
			buffer_append_char(out, (char)(0xF0 | code >> 18));
			buffer_append_char(out, (char)(0x80 | (code >> 12 & 63)));
		}
		buffer_append_char(out, (char)(0x80 | (code >> 6 & 63)));
		buffer_append_char(out, (char)(0x80 | (code & 63)));
	}
}

/*
 * "\uD83D\uDE00" is one character; half a pair becomes U+FFFD. Returns how many bytes behind the
 * backslash were used, 0 where the escape is broken.
 */
static size_t append_unicode(struct buffer *out, struct slice inside, size_t at)
{
	uint32_t code;
	uint32_t low;

	if (!read_hex4(inside, at + 1, &code)) {
		return 0;
	}
	if (code < 0xD800 || code > 0xDFFF) {
		append_code(out, code);
		return 5;
	}
	if (code < 0xDC00 && at + 6 < inside.len && inside.ptr[at + 5] == '\\' &&
		inside.ptr[at + 6] == 'u' && read_hex4(inside, at + 7, &low) && low >= 0xDC00 &&
		low <= 0xDFFF) {
		append_code(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
		return 11;
	}
	append_code(out, 0xFFFD);
	return 5;
}

static bool append_unescaped(struct buffer *out, struct slice inside)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";

	for (size_t at = 0; at < inside.len;) {
		const char *letter;
		size_t used;

		if (inside.ptr[at] != '\\') {
			buffer_append_char(out, inside.ptr[at++]);
			continue;
		}
		at++; /* take_string() saw to it that something follows */
		if (inside.ptr[at] == 'u') {
			used = append_unicode(out, inside, at);
			if (used == 0) {
				return false;
			}
			at += used;
			continue;
		}
		letter = memchr(letters, inside.ptr[at], sizeof(letters) - 1);
		if (letter == NULL) {
			return false;
		}
		buffer_append_char(out, meanings[letter - letters]);
		at++;
	}
	return true;
}

/* --- the token */

/* The second of the three parts of "Bearer HEADER.PAYLOAD.SIGNATURE". */
static bool payload_of(struct slice authorization, struct slice *payload)
{
	static const size_t scheme_len = sizeof("Bearer ") - 1;
	const char *end = authorization.ptr + authorization.len;
	const char *first;
	const char *second;

	if (authorization.len <= scheme_len ||
		!slice_equal_nocase(slice_of(authorization.ptr, scheme_len), SLICE("Bearer "))) {
		return false;
	}
	first = memchr(authorization.ptr + scheme_len, '.', authorization.len - scheme_len);
	second = first == NULL ? NULL : memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second == NULL || second - first - 1 > PAYLOAD_MAX) {
		return false;
	}
	*payload = slice_of(first + 1, (size_t)(second - first - 1));
	return true;
}

bool caller_of(struct slice authorization, struct buffer *out)
{
	struct slice found[CLAIMS] = {{.ptr = NULL, .len = 0}};
	char decoded[PAYLOAD_MAX];
	struct slice payload;
	size_t before = out->len;

	if (!payload_of(authorization, &payload)) {
		return false;
	}
	payload = slice_of(decoded, decode_base64url(payload, decoded));
	if (!find_claims(payload, found)) {
		return false;
	}
	for (size_t i = 0; i < CLAIMS; i++) {
		if (found[i].len > 0 && found[i].len <= CALLER_MAX) {
			if (append_unescaped(out, found[i])) {
				return true;
			}
			out->len = before;
		}
	}
	return false;
}

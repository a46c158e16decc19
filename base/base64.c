/*
 * Layer: base. One job: see base64.h.
 */
#include "base/base64.h"

enum {
	NO_DIGIT = 64,
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static unsigned value_of(char c, bool url)
{
	if (c >= 'A' && c <= 'Z') {
		return (unsigned)(c - 'A');
	}
	if (c >= 'a' && c <= 'z') {
		return (unsigned)(c - 'a') + 26;
	}
	if (c >= '0' && c <= '9') {
		return (unsigned)(c - '0') + 52;
	}
	if (c == (url ? '-' : '+')) {
		return 62;
	}
	return c == (url ? '_' : '/') ? 63 : NO_DIGIT;
}

static bool is_line_break(char c)
{
	return c == '\n' || c == '\r';
}

/* Of what follows the digits: nothing but padding, as much as is due. */
static bool is_padding(struct slice rest, size_t digit_count)
{
	size_t due = (4 - digit_count % 4) % 4;
	size_t found = 0;

	for (size_t i = 0; i < rest.len; i++) {
		if (rest.ptr[i] == '=') {
			found++;
		} else if (!is_line_break(rest.ptr[i])) {
			return false;
		}
	}
	return found == due;
}

static bool decode(struct slice text, bool url, struct secret *out)
{
	char *bytes = secret_reserve(out, text.len / 4 * 3 + 3);
	uint32_t group = 0; /* the bits of the last digits */
	size_t count = 0;
	size_t len = 0;
	struct slice rest = SLICE("");

	for (size_t at = 0; at < text.len; at++) {
		unsigned value = value_of(text.ptr[at], url);

		if (value == NO_DIGIT && !url && is_line_break(text.ptr[at])) {
			continue;
		}
		if (value == NO_DIGIT) {
			rest = slice_of(text.ptr + at, text.len - at);
			break;
		}
		group = group << 6 | value;
		if (count++ % 4 != 0) { /* its first bits complete a byte */
			bytes[len++] = (char)(unsigned char)(group >> (6 - 2 * ((count - 1) % 4)));
		}
	}
	if (count % 4 == 1 || (url ? rest.len > 0 : !is_padding(rest, count))) {
		secret_fini(out);
		return false;
	}
	out->len = len;
	bytes[len] = '\0';
	return true;
}

bool base64_decode(struct slice text, struct secret *out)
{
	return decode(text, false, out);
}

bool base64url_decode(struct slice text, struct secret *out)
{
	return decode(text, true, out);
}

void base64_encode(struct slice bytes, struct secret *out)
{
	char *at = secret_reserve(out, (bytes.len + 2) / 3 * 4);

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t group = (uint32_t)(unsigned char)bytes.ptr[i] << 16;

		group |= left > 1 ? (uint32_t)(unsigned char)bytes.ptr[i + 1] << 8 : 0;
		group |= left > 2 ? (uint32_t)(unsigned char)bytes.ptr[i + 2] : 0;
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*at++ = left > 2 ? digits[group & 63] : '=';
	}
}

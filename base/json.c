/*
 * Layer: base. One job: JSON text: separators by a bit per level, escapes, UTF-8 made valid,
 * base64.
 */
#include "base/json.h"

#include <assert.h>

/* Writes what belongs before a value or a key. */
static void begin_value(struct json *json)
{
	uint64_t bit = UINT64_C(1) << json->depth;

	if (json->after_key) {
		json->after_key = false;
		return;
	}
	if ((json->has_members & bit) != 0) {
		buffer_append_char(json->out, ',');
	}
	json->has_members |= bit;
}

static void begin_level(struct json *json, char bracket)
{
	begin_value(json);
	buffer_append_char(json->out, bracket);
	json->depth++;
	assert(json->depth < JSON_DEPTH_MAX);
	json->has_members &= ~(UINT64_C(1) << json->depth);
}

static void end_level(struct json *json, char bracket)
{
	assert(json->depth > 0 && !json->after_key);
	json->depth--;
	buffer_append_char(json->out, bracket);
}

/*
 * The length of the valid UTF-8 sequence at `at`, or 0. Where it is 0, `*bad` is the length of the
 * longest valid beginning, at least 1: what one U+FFFD stands for (the Unicode Standard,
 * section 3.9, "maximal subpart").
 */
static size_t sequence_length(const unsigned char *at, size_t left, size_t *bad)
{
	unsigned char lowest = 0x80;  /* of the second byte: the rest of the range is overlong */
	unsigned char highest = 0xBF; /* above it are surrogates, or no characters at all */
	size_t len;

	*bad = 1;
	if (at[0] < 0x80) {
		return 1;
	}
	if (at[0] < 0xC2 || at[0] > 0xF4) {
		return 0;
	}
	len = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
	if (at[0] == 0xE0) {
		lowest = 0xA0;
	} else if (at[0] == 0xED) {
		highest = 0x9F;
	} else if (at[0] == 0xF0) {
		lowest = 0x90;
	} else if (at[0] == 0xF4) {
		highest = 0x8F;
	}
	for (size_t i = 1; i < len; i++) {
		if (i >= left || at[i] < lowest || at[i] > highest) {
			*bad = i;
			return 0;
		}
		lowest = 0x80;
		highest = 0xBF;
	}
	return len;
}

/* True for bytes that stand in a JSON string as they are, without a look at their neighbours. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void append_escape(struct buffer *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	switch (c) {
	case '"':
	case '\\':
		text[1] = (char)c;
		break;
	case '\b':
		text[1] = 'b';
		break;
	case '\f':
		text[1] = 'f';
		break;
	case '\n':
		text[1] = 'n';
		break;
	case '\r':
		text[1] = 'r';
		break;
	case '\t':
		text[1] = 't';
		break;
	default:
		buffer_append(out, text, 6);
		return;
	}
	buffer_append(out, text, 2);
}

static void append_escaped(struct buffer *out, struct slice text)
{
	const unsigned char *bytes = (const unsigned char *)text.ptr;
	size_t at = 0;

	while (at < text.len) {
		size_t start = at;
		size_t len;
		size_t bad;

		while (at < text.len && is_plain(bytes[at])) {
			at++;
		}
		buffer_append(out, bytes + start, at - start);
		if (at == text.len) {
			break;
		}
		len = sequence_length(bytes + at, text.len - at, &bad);
		if (len == 0) {
			buffer_append(out, "\xEF\xBF\xBD", 3);
			at += bad;
		} else if (len == 1) {
			append_escape(out, bytes[at]);
			at++;
		} else {
			buffer_append(out, bytes + at, len);
			at += len;
		}
	}
}

static void append_string(struct buffer *out, struct slice text)
{
	buffer_append_char(out, '"');
	append_escaped(out, text);
	buffer_append_char(out, '"');
}

static void append_base64(struct buffer *buffer, struct slice bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)bytes.ptr;
	char *out = buffer_reserve(buffer, bytes.len / 3 * 4 + 4);

	for (size_t at = 0; at < bytes.len; at += 3) {
		size_t left = bytes.len - at;
		unsigned triple = (unsigned)in[at] << 16 |
				  (left > 1 ? (unsigned)in[at + 1] << 8 : 0u) |
				  (left > 2 ? (unsigned)in[at + 2] : 0u);

		*out++ = digits[triple >> 18];
		*out++ = digits[triple >> 12 & 63];
		*out++ = left > 1 ? digits[triple >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[triple & 63] : '=';
	}
	buffer->len = (size_t)(out - buffer->ptr);
}

/* `value` / `unit` with as many decimals as `unit` has zeros. */
static void append_fraction(struct buffer *out, uint64_t value, uint64_t unit)
{
	buffer_append_u64(out, value / unit);
	buffer_append_char(out, '.');
	for (uint64_t rest = value % unit, digit = unit / 10; digit > 0; digit /= 10) {
		buffer_append_char(out, (char)('0' + rest / digit));
		rest %= digit;
	}
}

void json_init(struct json *json, struct buffer *out)
{
	*json = (struct json){.out = out};
}

void json_begin_object(struct json *json)
{
	begin_level(json, '{');
}

void json_end_object(struct json *json)
{
	end_level(json, '}');
}

void json_begin_array(struct json *json)
{
	begin_level(json, '[');
}

void json_end_array(struct json *json)
{
	end_level(json, ']');
}

void json_key(struct json *json, const char *key)
{
	json_key_slice(json, slice_str(key));
}

void json_key_slice(struct json *json, struct slice key)
{
	assert(json->depth > 0 && !json->after_key);
	begin_value(json);
	append_string(json->out, key);
	buffer_append_char(json->out, ':');
	json->after_key = true;
}

void json_text(struct json *json, struct slice text)
{
	begin_value(json);
	append_string(json->out, text);
}

void json_cstring(struct json *json, const char *text)
{
	if (text == NULL) {
		json_none(json);
	} else {
		json_text(json, slice_str(text));
	}
}

void json_u64(struct json *json, uint64_t value)
{
	begin_value(json);
	buffer_append_u64(json->out, value);
}

void json_i64(struct json *json, int64_t value)
{
	begin_value(json);
	if (value < 0) {
		buffer_append_char(json->out, '-');
		buffer_append_u64(json->out, -(uint64_t)value); /* also right for INT64_MIN */
	} else {
		buffer_append_u64(json->out, (uint64_t)value);
	}
}

void json_bool(struct json *json, bool value)
{
	begin_value(json);
	buffer_append_str(json->out, value ? "true" : "false");
}

void json_none(struct json *json)
{
	begin_value(json);
	buffer_append_str(json->out, "null");
}

void json_seconds(struct json *json, uint64_t us)
{
	begin_value(json);
	append_fraction(json->out, us, 1000000);
}

void json_milliseconds(struct json *json, uint64_t us)
{
	begin_value(json);
	append_fraction(json->out, us, 1000);
}

void json_base64(struct json *json, struct slice bytes)
{
	json_string_begin(json);
	json_string_add_base64(json, bytes);
	json_string_end(json);
}

void json_string_begin(struct json *json)
{
	begin_value(json);
	buffer_append_char(json->out, '"');
}

void json_string_add(struct json *json, struct slice text)
{
	append_escaped(json->out, text);
}

void json_string_add_base64(struct json *json, struct slice bytes)
{
	append_base64(json->out, bytes);
}

void json_string_end(struct json *json)
{
	buffer_append_char(json->out, '"');
}

bool utf8_valid(struct slice bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.ptr;
	size_t left = bytes.len;

	while (left > 0) {
		size_t bad;
		size_t len = sequence_length(at, left, &bad);

		if (len == 0) {
			return false;
		}
		at += len;
		left -= len;
	}
	return true;
}

size_t utf8_whole(struct slice bytes)
{
	size_t back = 0;

	/* A cut character is a lead byte and fewer bytes behind it than it asks for. */
	while (back < 3 && back < bytes.len) {
		unsigned char c = (unsigned char)bytes.ptr[bytes.len - 1 - back];

		back++;
		if (c >= 0xC0) {
			size_t wanted = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

			return back < wanted ? bytes.len - back : bytes.len;
		}
		if (c < 0x80) {
			break;
		}
	}
	return bytes.len;
}

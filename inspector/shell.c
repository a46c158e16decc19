/*
 * Layer: inspector (sees base). One job: text for a shell; see shell.h.
 */
#include "inspector/shell.h"

#include "base/json.h"

/* A control character of Unicode: C0 and DEL, or (in UTF-8, C2 80 to C2 9F) C1. */
static bool is_control(struct slice text, size_t at)
{
	unsigned char c = (unsigned char)text.ptr[at];

	if (c == 0xC2 && at + 1 < text.len) {
		return (unsigned char)text.ptr[at + 1] < 0xA0;
	}
	return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
}

bool shell_is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_control(text, i)) {
			return false;
		}
	}
	return utf8_valid(text);
}

void shell_quoted(struct buffer *out, struct slice text)
{
	size_t start = 0;

	if (text.len == 0) {
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'') {
			buffer_append_slice(out, slice_of(text.ptr + start, i - start));
			buffer_append_str(out, "'\\''");
			start = i + 1;
		}
	}
	buffer_append_slice(out, slice_of(text.ptr + start, text.len - start));
}

/* Stands for itself in a printf format between single quotes. */
static bool is_literal(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '\'' && c != '\\' && c != '%';
}

/* All three digits each time: what follows may be a digit, too. */
static void append_octal(struct buffer *out, unsigned char c)
{
	char escape[4] = {
		'\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7))};

	buffer_append(out, escape, sizeof(escape));
}

void shell_printf_format(struct buffer *out, struct slice bytes, bool first)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];

		/* A '-' at the beginning would be read as an option. */
		if (is_literal(c) && !(first && i == 0 && c == '-')) {
			buffer_append_char(out, (char)c);
		} else {
			append_octal(out, c);
		}
	}
}

void shell_word(struct buffer *out, struct slice text)
{
	if (shell_is_plain(text)) {
		buffer_append_char(out, '\'');
		shell_quoted(out, text);
		buffer_append_char(out, '\'');
	} else {
		buffer_append_str(out, "\"$(printf '");
		shell_printf_format(out, text, true);
		buffer_append_str(out, "')\"");
	}
}

static bool is_harmless(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(" .,:_-", c) != NULL);
}

void shell_comment(struct buffer *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		buffer_append_char(out, is_harmless(text.ptr[i]) ? text.ptr[i] : '_');
	}
}

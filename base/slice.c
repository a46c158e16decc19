/*
 * Layer: base. One job: the questions about a run of bytes that are too long to be inline.
 */
#include "base/slice.h"

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len) {
		return false;
	}
	for (size_t i = 0; i < a.len; i++) {
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) {
			return false;
		}
	}
	return true;
}

bool slice_starts_with(struct slice text, struct slice prefix)
{
	return text.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

bool slice_ends_with(struct slice text, struct slice suffix)
{
	return text.len >= suffix.len &&
	       (suffix.len == 0 ||
		       memcmp(text.ptr + text.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

const char *slice_find(struct slice text, struct slice needle)
{
	if (needle.len == 0) {
		return text.ptr;
	}
	if (text.len < needle.len) {
		return NULL;
	}
	return memmem(text.ptr, text.len, needle.ptr, needle.len);
}

struct slice slice_trim(struct slice text)
{
	while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
		text.ptr++;
		text.len--;
	}
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t')) {
		text.len--;
	}
	return text;
}

bool slice_next_token(struct slice *rest, struct slice *token)
{
	while (rest->len > 0) {
		const char *comma = memchr(rest->ptr, ',', rest->len);
		size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->ptr);
		size_t skip = comma == NULL ? len : len + 1;

		*token = slice_trim(slice_of(rest->ptr, len));
		rest->ptr += skip;
		rest->len -= skip;
		if (token->len > 0) {
			return true;
		}
	}
	return false;
}

bool slice_to_u64(struct slice text, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;

	if (text.len == 0) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';

		if (digit > 9 || digit > max || sum > (max - digit) / 10) {
			return false;
		}
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

/*
 * Layer: proxy. One job: the identifiers of a request; see request_id.h.
 */
#include "proxy/request_id.h"

#include <string.h>

#include "base/random.h"

enum {
	ID_MAX = 128,
};

bool request_id_valid(struct slice text)
{
	if (text.len == 0 || text.len > ID_MAX) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool letter_or_digit =
			(ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9');

		if (!letter_or_digit && (c == '\0' || strchr("-_.:+/=@", c) == NULL)) {
			return false;
		}
	}
	return true;
}

static char *write_hex(char *at, const uint8_t *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	return at;
}

void uuid_v7_write(uint64_t wall_us, char out[static UUID_LEN])
{
	static const size_t groups[] = {4, 2, 2, 2, 6};
	uint64_t wall_ms = wall_us / 1000;
	uint8_t bytes[16];
	const uint8_t *next = bytes;
	char *at = out;

	random_unique(bytes + 6, sizeof(bytes) - 6);
	for (size_t i = 0; i < 6; i++) {
		bytes[i] = (uint8_t)(wall_ms >> (40 - 8 * i));
	}
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x70); /* version 7 */
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant 10 */
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (i > 0) {
			*at++ = '-';
		}
		at = write_hex(at, next, groups[i]);
		next += groups[i];
	}
}

/* Lower-case hexadecimal digits only, and not all zero where `not_zero`. */
static bool is_hex(const char *text, size_t len, bool not_zero)
{
	bool zero = true;

	for (size_t i = 0; i < len; i++) {
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f'))) {
			return false;
		}
		zero = zero && text[i] == '0';
	}
	return !(zero && not_zero);
}

struct slice traceparent_trace_id(struct slice t)
{
	const struct slice none = {.ptr = NULL, .len = 0};

	/* version "-" trace-id "-" parent-id "-" flags; a later version may have more behind
	 * another '-' */
	if (t.len < TRACEPARENT_LEN || !is_hex(t.ptr, 2, false) || memcmp(t.ptr, "ff", 2) == 0) {
		return none;
	}
	if (t.len > TRACEPARENT_LEN &&
		(memcmp(t.ptr, "00", 2) == 0 || t.ptr[TRACEPARENT_LEN] != '-')) {
		return none;
	}
	if (t.ptr[2] != '-' || t.ptr[35] != '-' || t.ptr[52] != '-' ||
		!is_hex(t.ptr + 3, 32, true) || !is_hex(t.ptr + 36, 16, true) ||
		!is_hex(t.ptr + 53, 2, false)) {
		return none;
	}
	return slice_of(t.ptr + 3, 32);
}

void traceparent_write(char out[static TRACEPARENT_LEN])
{
	uint8_t bytes[24];
	char *at = out;

	random_unique(bytes, sizeof(bytes));
	bytes[15] |= 1; /* neither ID may be all zero */
	bytes[23] |= 1;
	memcpy(at, "00-", 3);
	at = write_hex(at + 3, bytes, 16);
	*at++ = '-';
	at = write_hex(at, bytes + 16, 8);
	memcpy(at, "-00", 3);
}

/*
 * Layer: inspector. One job: see path_fold.h. One pass over the bytes of each segment.
 */
#include "inspector/path_fold.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	WORD_MAX = 64, /* what is longer identifies something */
	HEX_LEAST = 8,
	HEX_LETTERS_LEAST = 16, /* without a digit: "effaced" is a word */
	TOKEN_LEAST = 16, /* with capitals, small letters and digits, also across '-' and '_' */
	ULID_LEN = 26,
	UUID_LEN = 36,
};

enum kind {
	KIND_OTHER,
	KIND_DIGIT,
	KIND_SMALL,
	KIND_CAPITAL,
};

static enum kind kind_of(char c)
{
	if (c >= '0' && c <= '9') {
		return KIND_DIGIT;
	}
	if (c >= 'a' && c <= 'z') {
		return KIND_SMALL;
	}
	return c >= 'A' && c <= 'Z' ? KIND_CAPITAL : KIND_OTHER;
}

static bool is_hex(char c)
{
	char lower = ascii_lower(c);

	return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
}

/* Letters and digits in a row; or all of a segment's. */
struct run {
	unsigned len;
	unsigned digits;
	unsigned small;
	unsigned capital;
	unsigned hex;
	unsigned turns; /* from letters to digits or back */
	bool last_was_digit;
};

static void run_add(struct run *run, char c, enum kind kind)
{
	bool digit = kind == KIND_DIGIT;

	run->turns += run->len > 0 && digit != run->last_was_digit ? 1 : 0;
	run->last_was_digit = digit;
	run->len++;
	run->digits += digit ? 1 : 0;
	run->small += kind == KIND_SMALL ? 1 : 0;
	run->capital += kind == KIND_CAPITAL ? 1 : 0;
	run->hex += is_hex(c) ? 1 : 0;
}

/* Thresholds that "base64encode", "oauth2callback", "getOAuth2TokenForUser" and "v1beta1" pass, and
 * Kubernetes' "5f6c7wq8z2" does not. */
static bool is_no_word(const struct run *run)
{
	if (run->len >= HEX_LEAST && run->hex == run->len) {
		return run->digits > 0 || run->len >= HEX_LETTERS_LEAST;
	}
	return (run->len >= 8 && run->turns >= 5) || (run->len >= 12 && run->turns >= 4) ||
	       (run->len >= 20 && run->turns >= 3) || (run->len >= 32 && run->digits > 0) ||
	       (run->len >= 24 && 3 * run->capital > run->len && 3 * run->small > run->len);
}

static bool is_uuid(struct slice segment)
{
	if (segment.len != UUID_LEN) {
		return false;
	}
	for (size_t i = 0; i < segment.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? segment.ptr[i] != '-' : !is_hex(segment.ptr[i])) {
			return false;
		}
	}
	return true;
}

/* Crockford's base32, without I, L, O and U; 128 bits, so the first digit is 7 at most. */
static bool is_ulid(struct slice segment)
{
	if (segment.len != ULID_LEN || segment.ptr[0] < '0' || segment.ptr[0] > '7') {
		return false;
	}
	for (size_t i = 0; i < segment.len; i++) {
		char c = ascii_lower(segment.ptr[i]);

		if (kind_of(c) == KIND_OTHER || c == 'i' || c == 'l' || c == 'o' || c == 'u') {
			return false;
		}
	}
	return true;
}

static bool is_identifier(struct slice segment)
{
	struct run all = {.len = 0};
	struct run run = {.len = 0};
	unsigned turns = 0; /* within runs */

	if (segment.len > WORD_MAX || is_uuid(segment) || is_ulid(segment)) {
		return true;
	}
	for (size_t i = 0; i < segment.len; i++) {
		char c = segment.ptr[i];
		enum kind kind = kind_of(c);

		if (kind != KIND_OTHER) {
			run_add(&run, c, kind);
			run_add(&all, c, kind);
			continue;
		}
		if (is_no_word(&run)) {
			return true;
		}
		turns += run.turns;
		run = (struct run){.len = 0};
	}
	turns += run.turns;
	return is_no_word(&run) || (all.len > 0 && all.digits == all.len) ||
	       (all.len >= TOKEN_LEAST && all.small > 0 && all.capital > 0 && turns >= 4);
}

static size_t put(char *out, size_t used, struct slice text)
{
	if (text.len > 0) {
		memcpy(out + used, text.ptr, text.len);
	}
	return used + text.len;
}

size_t path_fold(struct slice path, char out[static PATH_FOLD_MAX])
{
	static const struct slice rest = SLICE_INIT(PATH_FOLD_REST);
	size_t used = 0;
	size_t at = 0;

	while (at < path.len) {
		bool has_slash = path.ptr[at] == '/';
		size_t begin = has_slash ? at + 1 : at;
		const char *end =
			begin == path.len ? NULL : memchr(path.ptr + begin, '/', path.len - begin);
		struct slice segment = slice_of(path.ptr + begin,
			end == NULL ? path.len - begin : (size_t)(end - path.ptr) - begin);

		at = begin + segment.len;
		if (is_identifier(segment)) {
			segment = SLICE(PATH_FOLD_ID);
		}
		if (used + 1 + segment.len + rest.len > PATH_FOLD_MAX) {
			return put(out, used, rest);
		}
		if (has_slash) {
			out[used++] = '/';
		}
		used = put(out, used, segment);
	}
	return used;
}

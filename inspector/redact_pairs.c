/*
 * Layer: inspector. One job: the pairs that are worth a look; see redact_pairs.h.
 */
#include "inspector/redact_pairs.h"

#include "inspector/token_shapes.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What can stand between a name and its value, or begin a tag; see show() in redact_scan.c. */
static bool may_separate(char first, char second)
{
	switch (first) {
	case ':':
	case '=':
		return true;
	case '%':
		return second == '3' || second == '2';
	case '\\':
		return second == 'u';
	case '&':
		return second == '#' || second == 'l';
	case '<':
		return is_letter(second) || second == '_';
	case '"':
	case '\'':
		return is_space(second);
	default:
		return false;
	}
}

static void put(uint64_t *set, unsigned pair, bool wanted)
{
	if (wanted) {
		set[pair / 64] |= UINT64_C(1) << (pair % 64);
	}
}

void redact_pairs_init(struct redact_pairs *pairs)
{
	*pairs = (struct redact_pairs){.text = {0}};
	for (unsigned pair = 0; pair < 65536; pair++) {
		char first = (char)(pair & 0xff);
		char second = (char)(pair >> 8);
		bool token = token_shape_may_begin(first, second);

		put(pairs->text, pair, token || may_separate(first, second));
		put(pairs->binary, pair, token || first == ':');
	}
}

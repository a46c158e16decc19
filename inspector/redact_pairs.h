/*
 * Layer: inspector. One job: which two bytes, one behind the other, are worth a look when secrets
 * are looked for. All that is between two such places is passed over at a few cycles a byte.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_PAIRS_H
#define SIGHTGLASS_INSPECTOR_REDACT_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	REDACT_PAIRS_WORDS = 65536 / 64,
};

struct redact_pairs { /* a bit for each pair: first | second << 8 */
	uint64_t text[REDACT_PAIRS_WORDS];
	uint64_t binary[REDACT_PAIRS_WORDS];
};

void redact_pairs_init(struct redact_pairs *pairs);

static inline uint64_t redact_pairs_has(const uint64_t *set, const char *at)
{
	unsigned pair = (unsigned)(unsigned char)at[0] | (unsigned)(unsigned char)at[1] << 8;

	return set[pair / 64] >> (pair % 64) & 1;
}

/* The first place in [at, end) where such a pair begins, or `end`; `end[0]` can be read. */
static inline const char *redact_pairs_next(const uint64_t *set, const char *at, const char *end)
{
	while (end - at >= 4) { /* a branch for four bytes */
		if ((redact_pairs_has(set, at) | redact_pairs_has(set, at + 1) |
			    redact_pairs_has(set, at + 2) | redact_pairs_has(set, at + 3)) != 0) {
			break;
		}
		at += 4;
	}
	while (at < end && redact_pairs_has(set, at) == 0) {
		at++;
	}
	return at;
}

#endif

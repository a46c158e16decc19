/*
 * Layer: http (sees base). One job: the three scans, in the compiler's portable vectors (SSE2,
 * NEON, or words where there is neither). A comparison of vectors gives all ones in the lanes where
 * it holds.
 */
#include "http/scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "http/field.h"

enum {
	LANES = 16,
};

typedef uint8_t lanes __attribute__((vector_size(LANES)));

static inline lanes load(const char *bytes)
{
	lanes out;

	memcpy(&out, bytes, sizeof(out));
	return out;
}

/* Which of the lanes is the first that is set; LANES where none is. */
static inline unsigned first_lane(lanes set)
{
	uint64_t halves[2];

	memcpy(halves, &set, sizeof(halves));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	halves[0] = __builtin_bswap64(halves[0]);
	halves[1] = __builtin_bswap64(halves[1]);
#endif
	if (halves[0] != 0) {
		return (unsigned)__builtin_ctzll(halves[0]) / 8;
	}
	return halves[1] != 0 ? 8 + (unsigned)__builtin_ctzll(halves[1]) / 8 : LANES;
}

/* Letters, digits and '-': nearly all that names hold; other tchars are for the slow way. */
static inline lanes not_in_usual_names(lanes c)
{
	lanes letter = (lanes)((c | 0x20) - 'a' < 26);
	lanes digit = (lanes)(c - '0' < 10);

	return ~(letter | digit | (lanes)(c == '-'));
}

size_t scan_token(const char *bytes, size_t at, size_t len)
{
	while (len - at >= LANES) {
		unsigned lane = first_lane(not_in_usual_names(load(bytes + at)));

		at += lane;
		if (lane < LANES) {
			if (!tchar_valid(bytes[at])) {
				return at;
			}
			at++;
		}
	}
	while (at < len && tchar_valid(bytes[at])) {
		at++;
	}
	return at;
}

static inline bool value_valid(char c)
{
	return ((unsigned char)c >= 0x20 && c != 0x7F) || c == '\t';
}

size_t scan_value(const char *bytes, size_t at, size_t len)
{
	for (; len - at >= LANES; at += LANES) {
		lanes c = load(bytes + at);
		unsigned lane =
			first_lane(((lanes)(c < 0x20) & (lanes)(c != '\t')) | (lanes)(c == 0x7F));

		if (lane < LANES) {
			return at + lane;
		}
	}
	while (at < len && value_valid(bytes[at])) {
		at++;
	}
	return at;
}

static inline bool target_valid(char c)
{
	return (unsigned char)c > ' ' && (unsigned char)c < 0x7F;
}

size_t scan_target(const char *bytes, size_t at, size_t len)
{
	for (; len - at >= LANES; at += LANES) {
		lanes c = load(bytes + at);
		unsigned lane = first_lane((lanes)(c - 0x21 > 0x7E - 0x21));

		if (lane < LANES) {
			return at + lane;
		}
	}
	while (at < len && target_valid(bytes[at])) {
		at++;
	}
	return at;
}

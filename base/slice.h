/*
 * Layer: base. One job: a borrowed run of bytes, and the few questions everybody asks of one.
 * A slice owns nothing; whoever hands one out says how long its bytes live.
 */
#ifndef SIGHTGLASS_BASE_SLICE_H
#define SIGHTGLASS_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *ptr; /* may be NULL where len is 0 */
	size_t len;
};

/* For printf's "%.*s". */
#define SLICE_ARGS(s) (int)((s).len > 4096 ? 4096 : (s).len), ((s).len > 0 ? (s).ptr : "")

/*
 * A slice of a string literal, without its NUL: as a value, and as the initializer of a static
 * object.
 */
#define SLICE(literal) ((struct slice)SLICE_INIT(literal))
#define SLICE_INIT(literal)                                                                        \
	{                                                                                          \
		.ptr = (literal), .len = sizeof(literal) - 1                                       \
	}

static inline struct slice slice_of(const char *ptr, size_t len)
{
	return (struct slice){.ptr = ptr, .len = len};
}

static inline struct slice slice_str(const char *text)
{
	return (struct slice){.ptr = text, .len = text == NULL ? 0 : strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline char ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

/* ASCII letters compare without regard to case; no locale takes part. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts_with(struct slice text, struct slice prefix);
bool slice_ends_with(struct slice text, struct slice suffix);
/* The first place of `needle` in `text`, or NULL. An empty needle is found at the start. */
const char *slice_find(struct slice text, struct slice needle);
/* `text` without spaces and tabs at both ends (RFC 9110's OWS). */
struct slice slice_trim(struct slice text);

/*
 * Takes the next element of a comma-separated list (RFC 9110 section 5.6.1) off `*rest`, trimmed,
 * empty elements passed over. False at the end. Quoted strings are not honoured: for token lists
 * only.
 */
bool slice_next_token(struct slice *rest, struct slice *token);

/*
 * Reads `text` as an unsigned decimal: digits and nothing else. False where it is empty, holds
 * another byte, or is above `max`; `*value` is then left alone.
 */
bool slice_to_u64(struct slice text, uint64_t max, uint64_t *value);

#endif

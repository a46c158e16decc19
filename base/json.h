/*
 * Layer: base. One job: write JSON (RFC 8259) into a buffer, commas and escapes included. The
 * caller's nesting must be right (asserted); strings may hold any bytes: what is not UTF-8 is
 * written as U+FFFD, so that the output always is. No name here is one of jansson's, which reads
 * JSON in the same program (base/json_read.h): json_string() and json_null() are its own.
 */
#ifndef SIGHTGLASS_BASE_JSON_H
#define SIGHTGLASS_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum {
	JSON_DEPTH_MAX = 64,
};

struct json {
	struct buffer *out;
	uint64_t has_members; /* a bit per level: a comma is due before the next one */
	unsigned depth;
	bool after_key;
};

void json_init(struct json *json, struct buffer *out);
void json_begin_object(struct json *json);
void json_end_object(struct json *json);
void json_begin_array(struct json *json);
void json_end_array(struct json *json);
void json_key(struct json *json, const char *key);
void json_key_slice(struct json *json, struct slice key);
void json_text(struct json *json, struct slice text);
void json_cstring(struct json *json, const char *text); /* NULL writes null */
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
void json_none(struct json *json);
/* Microseconds as a number of seconds, with six decimals. */
void json_seconds(struct json *json, uint64_t us);
/* Microseconds as a number of milliseconds, with three decimals. */
void json_milliseconds(struct json *json, uint64_t us);
/* Base64 of `bytes`, as a string. */
void json_base64(struct json *json, struct slice bytes);

/*
 * A string that is too long to be written at once: begin, any number of adds of one kind, end. Text
 * is cut between characters (utf8_whole()), and bytes that become base64 where a multiple of three
 * came before, but for the last.
 */
void json_string_begin(struct json *json);
void json_string_add(struct json *json, struct slice text);
void json_string_add_base64(struct json *json, struct slice bytes);
void json_string_end(struct json *json);

/* True where `bytes` is valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_valid(struct slice bytes);
/* The length of `bytes` without a character at its end that is cut off. */
size_t utf8_whole(struct slice bytes);

#endif

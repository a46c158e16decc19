/*
 * Layer: base. One job: bytes that grow at their end, for text that the program itself writes
 * (JSON, log lines, heads). What it holds is bounded by its callers: nothing that a peer controls
 * is appended without a bound.
 */
#ifndef SIGHTGLASS_BASE_BUFFER_H
#define SIGHTGLASS_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"

struct buffer { /* all zero is an empty buffer */
	char *ptr;
	size_t len;
	size_t capacity;
};

#define BUFFER_INIT ((struct buffer){.ptr = NULL})

void buffer_fini(struct buffer *buffer);
static inline void buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
}
/* Room for `more` bytes behind `len`; the caller writes there and raises `len` itself. */
char *buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_slice(struct buffer *buffer, struct slice bytes);
void buffer_append_str(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static inline struct slice buffer_slice(const struct buffer *buffer)
{
	return slice_of(buffer->ptr, buffer->len);
}

#endif

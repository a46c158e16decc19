/*
 * Layer: base. One job: the growing of buffers: by doubling, so that n appended bytes cost O(n).
 */
#include "base/buffer.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "base/memory.h"

enum {
	CAPACITY_MIN = 256,
};

void buffer_fini(struct buffer *buffer)
{
	mem_free(buffer->ptr);
	*buffer = BUFFER_INIT;
}

char *buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t wanted = buffer->len + more;
	size_t capacity = buffer->capacity * 2;

	assert(more <= SIZE_MAX / 2 - buffer->len);
	if (wanted > buffer->capacity || buffer->ptr == NULL) {
		if (capacity < CAPACITY_MIN) {
			capacity = CAPACITY_MIN;
		}
		if (capacity < wanted) {
			capacity = wanted;
		}
		buffer->ptr = mem_realloc(buffer->ptr, capacity);
		buffer->capacity = capacity;
	}
	return buffer->ptr + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
	if (len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(buffer_reserve(buffer, len), bytes, len);
		buffer->len += len;
	}
}

void buffer_append_slice(struct buffer *buffer, struct slice bytes)
{
	buffer_append(buffer, bytes.ptr, bytes.len);
}

void buffer_append_str(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
	*buffer_reserve(buffer, 1) = c;
	buffer->len++;
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buffer_append(buffer, digits + at, sizeof(digits) - at);
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	assert(len >= 0); /* it fails for broken formats only */
	vsnprintf(buffer_reserve(buffer, (size_t)len + 1), (size_t)len + 1, format, again);
	va_end(again);
	buffer->len += (size_t)len;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buffer_vprintf(buffer, format, args);
	va_end(args);
}

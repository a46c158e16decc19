/*
 * Layer: http (sees base). One job: make the head of an answer of our own; see head_builder.h.
 */
#include "http/head_builder.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	START_LINE_MAX = 64, /* "HTTP/1.1 999 " and the longest reason phrase of status_reason() */
	END_LEN = 2,
};

static void put(struct head_builder *builder, struct slice bytes)
{
	if (builder->failed || bytes.len > builder->capacity - builder->len) {
		builder->failed = true;
		return;
	}
	if (bytes.len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(builder->bytes + builder->len, bytes.ptr, bytes.len);
		builder->len += (uint32_t)bytes.len;
	}
}

/* RFC 9110 section 5.5: a value that cannot be read as two, or as another one. */
static bool value_is_clean(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return slice_trim(value).len == value.len;
}

void head_builder_init(struct head_builder *builder, struct arena *arena, uint16_t capacity_fields,
	uint32_t capacity_bytes)
{
	assert(capacity_bytes <= UINT32_MAX - START_LINE_MAX - END_LEN);
	*builder = (struct head_builder){
		.capacity = capacity_bytes + START_LINE_MAX + END_LEN,
		.field_capacity = capacity_fields,
	};
	builder->bytes = arena_alloc(arena, builder->capacity);
	builder->fields = arena_alloc(arena, capacity_fields * sizeof(*builder->fields));
	builder->failed = builder->bytes == NULL || builder->fields == NULL;
}

void head_builder_status(struct head_builder *builder, unsigned status)
{
	char line[START_LINE_MAX];
	int len;

	assert(status >= 100 && status <= 999 && builder->status == 0 && builder->count == 0);
	len = snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\n", status, status_reason(status));
	assert(len > 0 && (size_t)len < sizeof(line));
	builder->status = (uint16_t)status;
	put(builder, slice_of(line, (size_t)len));
}

void head_builder_field(struct head_builder *builder, struct slice name, struct slice value)
{
	struct field *field;

	assert(builder->status != 0 && token_valid(name) && name.len <= UINT16_MAX);
	assert(value_is_clean(value));
	if (builder->failed || builder->count == builder->field_capacity) {
		builder->failed = true;
		return;
	}
	field = &builder->fields[builder->count];
	*field = (struct field){
		.name_at = builder->len,
		.name_len = (uint16_t)name.len,
		.value_at = builder->len + (uint32_t)name.len + 2,
		.id = (uint8_t)field_identify(name),
	};
	put(builder, name);
	put(builder, SLICE(": "));
	put(builder, value);
	put(builder, SLICE("\r\n"));
	if (!builder->failed) {
		field->value_len = (uint32_t)value.len;
		builder->count++;
	}
}

void head_builder_field_u64(struct head_builder *builder, struct slice name, uint64_t value)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	head_builder_field(builder, name, slice_of(digits + at, sizeof(digits) - at));
}

/* "HTTP/1.1 200 OK\r\n": where its reason stands. */
static struct slice reason_of(const struct head_builder *builder)
{
	size_t at = sizeof("HTTP/1.1 200 ") - 1;
	const char *end = memchr(builder->bytes, '\r', builder->len);

	return slice_of(builder->bytes + at, (size_t)(end - builder->bytes) - at);
}

enum err_code head_builder_finish(struct head_builder *builder, struct head *head)
{
	assert(builder->status != 0);
	put(builder, SLICE("\r\n"));
	if (builder->failed) {
		return ERR_LIMIT;
	}
	*head = (struct head){
		.bytes = builder->bytes,
		.size = builder->len,
		.count = builder->count,
		.fields = builder->fields,
		.version_minor = 1,
		.status = builder->status,
		.reason = reason_of(builder),
	};
	for (uint16_t i = builder->count; i-- > 0;) { /* backwards: the first one stays */
		enum field_id id = (enum field_id)builder->fields[i].id;

		if (id != FIELD_OTHER) {
			head->first[id] = (uint16_t)(i + 1);
		}
	}
	return ERR_NONE;
}

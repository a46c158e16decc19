/*
 * Layer: http (sees base). One job: write heads. Most fields go on as they came, so whole runs of
 * lines are copied at once.
 */
#include "http/head_writer.h"

#include <assert.h>

void head_writer_raw(struct head_writer *writer, struct slice bytes)
{
	assert(bytes.len <= (size_t)(writer->end - writer->at));
	if (bytes.len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(writer->at, bytes.ptr, bytes.len);
		writer->at += bytes.len;
	}
}

static void put_u64(struct head_writer *writer, uint64_t value)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	head_writer_raw(writer, slice_of(digits + at, sizeof(digits) - at));
}

/*
 * Where the line of a field ends, with its CRLF, provided that no white space stands behind the
 * value.
 */
static uint32_t line_end(const struct field *field)
{
	return field->value_at + field->value_len + 2;
}

/* True where the line as it came is the line that we would write. */
static bool is_canonical(const struct head *head, const struct field *field)
{
	const char *colon = head->bytes + field->name_at + field->name_len;

	return field->value_at == field->name_at + field->name_len + 2u && colon[1] == ' ' &&
	       head->bytes[field->value_at + field->value_len] == '\r';
}

static void put_run(struct head_writer *writer, const struct head *head, uint32_t from, uint32_t to)
{
	if (to > from) {
		head_writer_raw(writer, slice_of(head->bytes + from, to - from));
	}
}

size_t head_writer_bound(const struct head *head)
{
	/* The start line may gain a version, or a status with its space, and each field a space. */
	return (size_t)head->size + head->count + sizeof("HTTP/1.1 000 \r\n\r\n");
}

void head_writer_request_line(struct head_writer *writer, struct slice method,
	struct slice target_prefix, struct slice target)
{
	head_writer_raw(writer, method);
	head_writer_raw(writer, SLICE(" "));
	head_writer_raw(writer, target_prefix);
	head_writer_raw(writer, target);
	head_writer_raw(writer, SLICE(" HTTP/1.1\r\n"));
}

void head_writer_status_line(struct head_writer *writer, unsigned status, struct slice reason)
{
	assert(status >= 100 && status <= 999);
	head_writer_raw(writer, SLICE("HTTP/1.1 "));
	put_u64(writer, status);
	head_writer_raw(writer, SLICE(" "));
	head_writer_raw(writer, reason);
	head_writer_raw(writer, SLICE("\r\n"));
}

void head_writer_fields(struct head_writer *writer, const struct head *head)
{
	uint32_t run_at = 0;
	uint32_t run_end = 0; /* equal to run_at where no run is open */

	for (size_t i = 0; i < head->count; i++) {
		const struct field *field = &head->fields[i];

		if (!field->dropped && is_canonical(head, field)) {
			if (field->name_at != run_end) {
				put_run(writer, head, run_at, run_end);
				run_at = field->name_at;
			}
			run_end = line_end(field);
			continue;
		}
		put_run(writer, head, run_at, run_end);
		run_at = 0;
		run_end = 0;
		if (!field->dropped) {
			head_writer_field(writer, head_name(head, field), head_value(head, field));
		}
	}
	put_run(writer, head, run_at, run_end);
}

void head_writer_field(struct head_writer *writer, struct slice name, struct slice value)
{
	head_writer_raw(writer, name);
	head_writer_raw(writer, SLICE(": "));
	head_writer_raw(writer, value);
	head_writer_raw(writer, SLICE("\r\n"));
}

void head_writer_field_u64(struct head_writer *writer, struct slice name, uint64_t value)
{
	head_writer_raw(writer, name);
	head_writer_raw(writer, SLICE(": "));
	put_u64(writer, value);
	head_writer_raw(writer, SLICE("\r\n"));
}

void head_writer_end(struct head_writer *writer)
{
	head_writer_raw(writer, SLICE("\r\n"));
}

size_t chunk_line_write(char out[static CHUNK_LINE_MAX], uint64_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 1;

	for (uint64_t rest = size >> 4; rest > 0; rest >>= 4) {
		len++;
	}
	for (size_t at = len; at-- > 0; size >>= 4) {
		out[at] = digits[size & 15];
	}
	out[len] = '\r';
	out[len + 1] = '\n';
	return len + 2;
}

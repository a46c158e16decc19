/*
 * Layer: http (sees base). One job: write a head from its parsed form. Neighbouring fields that go
 * on unchanged are copied in one run; the result is byte for byte what writing each would give
 * ("name: value" CRLF).
 */
#ifndef SIGHTGLASS_HTTP_HEAD_WRITER_H
#define SIGHTGLASS_HTTP_HEAD_WRITER_H

#include "base/slice.h"
#include "http/head.h"

struct head_writer {
	char *start;
	char *at;
	/* Asserted never to be passed: callers size by head_writer_bound and what they add. */
	char *end;
};

static inline void head_writer_init(struct head_writer *writer, char *room, size_t size)
{
	*writer = (struct head_writer){.start = room, .at = room, .end = room + size};
}

/*
 * Enough for the start line and the fields of `head`, however written (white space after the colon
 * is made one space).
 */
size_t head_writer_bound(const struct head *head);

void head_writer_request_line(struct head_writer *writer, struct slice method,
	struct slice target_prefix, struct slice target);
/* Always HTTP/1.1; an empty reason leaves the space that RFC 9112 section 4 asks for. */
void head_writer_status_line(struct head_writer *writer, unsigned status, struct slice reason);
/* All fields of `head` that are not `dropped`, in order. */
void head_writer_fields(struct head_writer *writer, const struct head *head);
void head_writer_field(struct head_writer *writer, struct slice name, struct slice value);
void head_writer_field_u64(struct head_writer *writer, struct slice name, uint64_t value);
/* Bytes as they are: whole lines, or the parts of one. */
void head_writer_raw(struct head_writer *writer, struct slice bytes);
/* The empty line. */
void head_writer_end(struct head_writer *writer);

static inline struct slice head_writer_slice(const struct head_writer *writer)
{
	return slice_of(writer->start, (size_t)(writer->at - writer->start));
}

enum {
	CHUNK_LINE_MAX = 16 + 2, /* 64 bits in hexadecimal, CRLF */
};
/* "1a2b" CRLF; returns its length. */
size_t chunk_line_write(char out[static CHUNK_LINE_MAX], uint64_t size);

#endif

/*
 * Layer: http (sees base). One job: the chunk parser, and the counting of lengths. Nothing is
 * copied: body bytes are handed out where they lie, and chunk lines are read by a state that
 * survives any cut.
 */
#include "http/body_reader.h"

enum state {
	STATE_SIZE, /* the digits of a chunk's size */
	STATE_EXTENSION,
	STATE_SIZE_LF,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILERS_FIRST, /* the byte behind the last chunk's line: a field, or the end */
	STATE_TRAILERS,
	STATE_END_LF,
	STATE_END,
	STATE_FAILED,
};

enum {
	SIZE_DIGITS_MAX = 16, /* leading zeros count, so that a size ends */
	DATA_PER_OVERHEAD = 64,
};

static enum body_progress fail(struct body_reader *reader, struct err *err, const char *text)
{
	reader->state = STATE_FAILED;
	err_set(err, ERR_SYNTAX, "%s", text);
	return BODY_FAILED;
}

static enum body_progress fail_overhead(struct body_reader *reader, struct err *err)
{
	reader->state = STATE_FAILED;
	err_set(err, ERR_HEADER_LIMIT, "chunk extensions and trailers of more than %u bytes",
		reader->overhead_max);
	return BODY_FAILED;
}

static void skip(struct slice *in, size_t len)
{
	in->ptr += len;
	in->len -= len;
}

/* The value of a hexadecimal digit, or 16. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return (unsigned)(c - '0');
	}
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* BODY_MORE here and below: go on. */
static enum body_progress read_size(struct body_reader *reader, struct slice *in, struct err *err)
{
	char c = in->ptr[0];
	unsigned digit = hex_value(c);

	skip(in, 1);
	if (digit < 16) {
		if (reader->size_digits == SIZE_DIGITS_MAX ||
			reader->left > ((uint64_t)INT64_MAX - digit) / 16) {
			return fail(reader, err, "a chunk's size does not fit 63 bits");
		}
		reader->size_digits++;
		reader->left = reader->left * 16 + digit;
	} else if (reader->size_digits == 0) {
		return fail(reader, err, "a chunk without a size");
	} else if (c == '\r') {
		reader->state = STATE_SIZE_LF;
	} else if (c == ';') {
		reader->state = STATE_EXTENSION;
	} else {
		return fail(reader, err, "a chunk's size is not a hexadecimal number");
	}
	return BODY_MORE;
}

static enum body_progress read_extension(
	struct body_reader *reader, struct slice *in, struct err *err)
{
	size_t at = 0;

	while (at < in->len && in->ptr[at] != '\r') {
		unsigned char c = (unsigned char)in->ptr[at];

		if (reader->overhead == reader->overhead_max) {
			return fail_overhead(reader, err);
		}
		if ((c < 0x20 && c != '\t') || c == 0x7F) {
			return fail(reader, err, "a control byte in a chunk's extension");
		}
		reader->overhead++;
		at++;
	}
	if (at < in->len) {
		reader->state = STATE_SIZE_LF;
		at++;
	}
	skip(in, at);
	return BODY_MORE;
}

/*
 * A chunk's line is whole. Its data pays for extensions, a byte for each 64: signed uploads carry
 * one of 81 bytes with each 8 KiB or more, however long they are. Without data the sum stays
 * bounded.
 */
static void begin_chunk(struct body_reader *reader)
{
	uint64_t paid = reader->left / DATA_PER_OVERHEAD;

	reader->size_digits = 0;
	if (reader->left == 0) {
		reader->state = STATE_TRAILERS_FIRST;
		return;
	}
	reader->overhead -= paid < reader->overhead ? (uint32_t)paid : reader->overhead;
	reader->state = STATE_DATA;
}

static struct slice take_data(struct body_reader *reader, struct slice *in)
{
	struct slice data = slice_of(in->ptr, in->len);

	if (data.len > reader->left) {
		data.len = (size_t)reader->left;
	}
	reader->left -= data.len;
	skip(in, data.len);
	return data;
}

/* Most bodies have no trailers: the head reader is begun only where a byte of one has come. */
static void begin_trailers(struct body_reader *reader, struct slice *in)
{
	if (in->ptr[0] == '\r') {
		skip(in, 1);
		reader->state = STATE_END_LF;
	} else {
		/* what extensions have used, trailers may not use again */
		reader->trailer_reader.limits.bytes = reader->overhead_max - reader->overhead;
		reader->state = STATE_TRAILERS;
	}
}

static enum body_progress read_trailers(
	struct body_reader *reader, struct slice *in, struct err *err)
{
	size_t taken;

	switch (head_reader_feed(&reader->trailer_reader, *in, &taken, err)) {
	case HEAD_MORE:
		break;
	case HEAD_DONE:
		reader->state = STATE_END;
		break;
	case HEAD_FAILED:
		reader->state = STATE_FAILED;
		return BODY_FAILED;
	}
	skip(in, taken);
	return BODY_MORE;
}

/* CR or LF, and nothing else. */
static enum body_progress expect(struct body_reader *reader, struct slice *in, char wanted,
	enum state next, const char *otherwise, struct err *err)
{
	if (in->ptr[0] != wanted) {
		return fail(reader, err, otherwise);
	}
	skip(in, 1);
	reader->state = (uint8_t)next;
	return BODY_MORE;
}

static enum body_progress read_chunked(
	struct body_reader *reader, struct slice *in, struct slice *data, struct err *err)
{
	enum body_progress progress = reader->state == STATE_FAILED ? BODY_FAILED : BODY_MORE;

	while (progress == BODY_MORE && reader->state != STATE_END && in->len > 0) {
		switch ((enum state)reader->state) {
		case STATE_SIZE:
			progress = read_size(reader, in, err);
			break;
		case STATE_EXTENSION:
			progress = read_extension(reader, in, err);
			break;
		case STATE_SIZE_LF:
			progress = expect(reader, in, '\n', STATE_DATA,
				"a chunk's line does not end in CRLF", err);
			if (progress == BODY_MORE) {
				begin_chunk(reader);
			}
			break;
		case STATE_DATA:
			*data = take_data(reader, in);
			reader->state = reader->left == 0 ? STATE_DATA_CR : STATE_DATA;
			return BODY_DATA;
		case STATE_DATA_CR:
			progress = expect(reader, in, '\r', STATE_DATA_LF,
				"a chunk is longer than its size", err);
			break;
		case STATE_DATA_LF:
			progress = expect(reader, in, '\n', STATE_SIZE,
				"a chunk's data does not end in CRLF", err);
			break;
		case STATE_TRAILERS_FIRST:
			begin_trailers(reader, in);
			break;
		case STATE_TRAILERS:
			progress = read_trailers(reader, in, err);
			break;
		case STATE_END_LF:
			progress = expect(reader, in, '\n', STATE_END,
				"a chunked body does not end in CRLF", err);
			break;
		case STATE_END:
		case STATE_FAILED:
			break; /* not within the loop */
		}
	}
	return progress == BODY_MORE && reader->state == STATE_END ? BODY_END : progress;
}

void body_reader_init(struct body_reader *reader, const struct framing *framing,
	struct head *trailers, struct arena *arena, const struct head_limits *limits)
{
	*reader = (struct body_reader){.kind = framing->kind, .trailers = trailers};
	*trailers = (struct head){.bytes = NULL};
	if (framing->kind == FRAMING_LENGTH) {
		reader->left = framing->length;
	} else if (framing->kind == FRAMING_CHUNKED) {
		reader->state = STATE_SIZE;
		reader->overhead_max = limits->bytes;
		head_reader_init(&reader->trailer_reader, HEAD_TRAILERS, trailers, arena, limits);
	}
}

enum body_progress body_reader_next(
	struct body_reader *reader, struct slice *in, struct slice *data, struct err *err)
{
	*data = slice_of(NULL, 0);
	switch (reader->kind) {
	case FRAMING_NONE:
		return BODY_END;
	case FRAMING_LENGTH:
		if (reader->left == 0) {
			return BODY_END;
		}
		break;
	case FRAMING_CHUNKED:
		return read_chunked(reader, in, data, err);
	case FRAMING_CLOSE:
	case FRAMING_TUNNEL:
		reader->left = UINT64_MAX;
		break;
	}
	if (in->len == 0) {
		return BODY_MORE;
	}
	*data = take_data(reader, in);
	return BODY_DATA;
}

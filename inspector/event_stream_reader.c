/*
 * Layer: inspector. One job: see event_stream_reader.h.
 */
#include "inspector/event_stream_reader.h"

enum {
	MARK_SIZE = 3,
	FIELD_TOO_LONG = EVENT_STREAM_FIELD_MAX + 1, /* a field's length: it means nothing */
};

void event_stream_reader_init(struct event_stream_reader *reader)
{
	/* `field`, `name` and `text` are left as they are: their lengths say what is theirs. */
	reader->mark = 0;
	reader->after_cr = false;
	reader->in_line = false;
	reader->in_value = false;
	reader->may_space = false;
	reader->field_len = 0;
	reader->has_data = false;
	reader->size = 0;
	reader->kept = 0;
	reader->name_len = 0;
}

/* --- the event */

static size_t append(char *to, size_t used, size_t max, struct slice bytes)
{
	size_t len = bytes.len < max - used ? bytes.len : max - used;

	if (len > 0) {
		memcpy(to + used, bytes.ptr, len);
	}
	return used + len;
}

static void append_data(struct event_stream_reader *reader, struct slice bytes)
{
	reader->kept = append(reader->text, reader->kept, EVENT_STREAM_TEXT_MAX, bytes);
	reader->size += bytes.len;
}

static void end_event(struct event_stream_reader *reader, event_stream_event_fn tell, void *context)
{
	const struct event_stream_event event = {
		.name = slice_of(reader->name, reader->name_len),
		.size = reader->size,
		.text = slice_of(reader->text, reader->kept),
	};

	if (reader->has_data) { /* else it is none, by the standard */
		tell(context, &event);
	}
	reader->has_data = false;
	reader->size = 0;
	reader->kept = 0;
	reader->name_len = 0;
}

/* --- the line */

static bool field_is(const struct event_stream_reader *reader, struct slice name)
{
	return reader->field_len == name.len &&
	       memcmp(reader->field, name.ptr, name.len) == 0; /* none is longer than `field` */
}

static void begin_value(struct event_stream_reader *reader)
{
	reader->in_value = true;
	reader->may_space = true;
	if (field_is(reader, SLICE("data"))) {
		if (reader->has_data) {
			append_data(reader, SLICE("\n"));
		}
		reader->has_data = true;
	} else if (field_is(reader, SLICE("event"))) {
		reader->name_len = 0; /* the last one counts */
	}
}

static void add_value(struct event_stream_reader *reader, struct slice bytes)
{
	if (field_is(reader, SLICE("data"))) {
		append_data(reader, bytes);
	} else if (field_is(reader, SLICE("event"))) {
		reader->name_len =
			append(reader->name, reader->name_len, EVENT_STREAM_NAME_MAX, bytes);
	}
}

static void add_field_byte(struct event_stream_reader *reader, char byte)
{
	if (byte == ':') {
		begin_value(reader);
	} else if (reader->field_len < EVENT_STREAM_FIELD_MAX) {
		reader->field[reader->field_len++] = byte;
	} else {
		reader->field_len = FIELD_TOO_LONG;
	}
}

static void end_line(struct event_stream_reader *reader, event_stream_event_fn tell, void *context)
{
	if (!reader->in_line) {
		end_event(reader, tell, context);
	} else if (!reader->in_value) {
		begin_value(reader); /* a field alone has an empty value */
	}
	reader->in_line = false;
	reader->in_value = false;
	reader->may_space = false;
	reader->field_len = 0;
}

/* How many of `bytes` come before the line's end. */
static size_t until_end(struct slice bytes)
{
	size_t len = 0;

	while (len < bytes.len && bytes.ptr[len] != '\n' && bytes.ptr[len] != '\r') {
		len++;
	}
	return len;
}

/* Takes the next bytes of a value; at least one. */
static size_t take_value(struct event_stream_reader *reader, struct slice bytes)
{
	size_t len = until_end(bytes);

	if (reader->may_space) {
		reader->may_space = false;
		if (bytes.ptr[0] == ' ') {
			return 1;
		}
	}
	add_value(reader, slice_of(bytes.ptr, len));
	return len;
}

/* A byte order mark at the very beginning is passed over. One that breaks off was the beginning of
 * a field that means nothing. False where `byte` is still to be read. */
static bool take_mark(struct event_stream_reader *reader, char byte)
{
	static const char mark[MARK_SIZE] = {'\xef', '\xbb', '\xbf'};

	if (byte == mark[reader->mark]) {
		reader->mark++;
		return true;
	}
	if (reader->mark > 0) {
		reader->in_line = true;
		reader->field_len = FIELD_TOO_LONG;
	}
	reader->mark = MARK_SIZE;
	return false;
}

/* Returns how many it took. */
static size_t take(struct event_stream_reader *reader, struct slice bytes,
	event_stream_event_fn tell, void *context)
{
	char byte = bytes.ptr[0];
	bool after_cr = reader->after_cr;

	if (reader->mark < MARK_SIZE && take_mark(reader, byte)) {
		return 1;
	}
	reader->after_cr = byte == '\r';
	if (byte == '\n' && after_cr) {
		return 1;
	}
	if (byte == '\n' || byte == '\r') {
		end_line(reader, tell, context);
		return 1;
	}
	reader->in_line = true;
	if (reader->in_value) {
		return take_value(reader, bytes);
	}
	add_field_byte(reader, byte);
	return 1;
}

void event_stream_reader_feed(struct event_stream_reader *reader, struct slice bytes,
	event_stream_event_fn tell, void *context)
{
	while (bytes.len > 0) {
		size_t taken = take(reader, bytes, tell, context);

		bytes = slice_of(bytes.ptr + taken, bytes.len - taken);
	}
}

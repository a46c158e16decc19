/*
 * Layer: inspector. One job: see websocket_reader.h.
 *
 * What stops it: a reserved bit that nobody agreed on, a reserved opcode, a control frame that is
 * fragmented or longer than 125 bytes, a length with its highest bit set, a client's frame without
 * a mask or a server's with one, a continuation of nothing, a message within a message.
 */
#include "inspector/websocket_reader.h"

enum {
	OPCODE_CONTINUATION = 0,
	OPCODE_TEXT = 1,
	OPCODE_BINARY = 2,
	OPCODE_CLOSE = 8, /* this and those above are control frames */
	OPCODE_PONG = 10,
	BIT_FINAL = 0x80,
	BIT_COMPRESSED = 0x40,
	BITS_RESERVED = 0x30,
	BITS_OPCODE = 0x0f,
	BIT_MASKED = 0x80,
	BITS_LENGTH = 0x7f,
	LENGTH_16 = 126, /* the next two bytes tell it */
	LENGTH_64 = 127, /* the next eight do */
	CONTROL_MAX = 125,
	MASK_SIZE = 4,
};

void websocket_reader_init(struct websocket_reader *reader, bool from_client, bool may_compress)
{
	/* `text` is left as it is: it is read where `kept` says so. */
	reader->from_client = from_client;
	reader->may_compress = may_compress;
	reader->stopped = false;
	reader->head_size = 0;
	reader->in_payload = false;
	reader->left = 0;
	reader->mask_at = 0;
	reader->in_message = false;
	reader->message = (struct websocket_message){.size = 0};
	reader->kept = 0;
}

static bool is_control(const struct websocket_reader *reader)
{
	return (reader->head[0] & BITS_OPCODE) >= OPCODE_CLOSE;
}

/* How long the head is that begins with these two bytes. */
static uint8_t whole_head(const uint8_t *head)
{
	uint8_t length = head[1] & BITS_LENGTH;
	uint8_t size = 2;

	if (length == LENGTH_16) {
		size += 2;
	} else if (length == LENGTH_64) {
		size += 8;
	}
	return (head[1] & BIT_MASKED) != 0 ? size + MASK_SIZE : size;
}

/* Takes the next byte of a head. True once it is whole. */
static bool take_head_byte(struct websocket_reader *reader, char byte)
{
	reader->head[reader->head_size++] = (uint8_t)byte;
	return reader->head_size >= 2 && reader->head_size == whole_head(reader->head);
}

static uint64_t payload_length(const uint8_t *head)
{
	uint8_t length = head[1] & BITS_LENGTH;
	unsigned bytes = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
	uint64_t value = 0;

	if (bytes == 0) {
		return length;
	}
	for (unsigned i = 0; i < bytes; i++) {
		value = value << 8 | head[2 + i];
	}
	return value;
}

static bool frame_is_valid(const struct websocket_reader *reader)
{
	uint8_t opcode = reader->head[0] & BITS_OPCODE;
	bool final = (reader->head[0] & BIT_FINAL) != 0;
	bool compressed = (reader->head[0] & BIT_COMPRESSED) != 0;
	bool masked = (reader->head[1] & BIT_MASKED) != 0;

	if ((reader->head[0] & BITS_RESERVED) != 0 || masked != reader->from_client ||
		reader->left > INT64_MAX) {
		return false;
	}
	if (is_control(reader)) {
		return opcode <= OPCODE_PONG && final && !compressed && reader->left <= CONTROL_MAX;
	}
	if (opcode > OPCODE_BINARY || reader->in_message != (opcode == OPCODE_CONTINUATION)) {
		return false;
	}
	return !compressed || (reader->may_compress && opcode != OPCODE_CONTINUATION);
}

static void begin_message(struct websocket_reader *reader)
{
	reader->in_message = true;
	reader->kept = 0;
	reader->message = (struct websocket_message){
		.is_text = (reader->head[0] & BITS_OPCODE) == OPCODE_TEXT,
		.compressed = (reader->head[0] & BIT_COMPRESSED) != 0,
	};
}

static void end_message(struct websocket_reader *reader, websocket_message_fn tell, void *context)
{
	reader->in_message = false;
	reader->message.text = slice_of(reader->text, reader->kept);
	tell(context, &reader->message);
}

static void end_frame(struct websocket_reader *reader, websocket_message_fn tell, void *context)
{
	bool final = (reader->head[0] & BIT_FINAL) != 0;

	reader->in_payload = false;
	reader->head_size = 0;
	if (!is_control(reader) && final) {
		end_message(reader, tell, context);
	}
}

static void begin_frame(struct websocket_reader *reader, websocket_message_fn tell, void *context)
{
	reader->left = payload_length(reader->head);
	reader->mask_at = 0;
	if (!frame_is_valid(reader)) {
		reader->stopped = true;
		return;
	}
	reader->in_payload = true;
	if (!is_control(reader) && !reader->in_message) {
		begin_message(reader);
	}
	if (reader->left == 0) {
		end_frame(reader, tell, context);
	}
}

static void keep(struct websocket_reader *reader, struct slice bytes)
{
	const uint8_t *mask = reader->head + reader->head_size - MASK_SIZE;
	size_t room = WEBSOCKET_TEXT_MAX - reader->kept;
	size_t len = bytes.len < room ? bytes.len : room;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)bytes.ptr[i];

		if (reader->from_client) {
			byte ^= mask[(reader->mask_at + i) % MASK_SIZE];
		}
		reader->text[reader->kept + i] = (char)byte;
	}
	reader->kept += len;
}

/* Returns how many of `bytes` belonged to this frame. */
static size_t take_payload(struct websocket_reader *reader, struct slice bytes)
{
	size_t len = bytes.len < reader->left ? bytes.len : (size_t)reader->left;

	if (!is_control(reader)) {
		if (reader->message.is_text && !reader->message.compressed) {
			keep(reader, slice_of(bytes.ptr, len));
		}
		reader->message.size += len;
	}
	reader->mask_at = (uint8_t)((reader->mask_at + len) % MASK_SIZE);
	reader->left -= len;
	return len;
}

void websocket_reader_feed(struct websocket_reader *reader, struct slice bytes,
	websocket_message_fn tell, void *context)
{
	while (bytes.len > 0 && !reader->stopped) {
		size_t taken = 1;

		if (reader->in_payload) {
			taken = take_payload(reader, bytes);
			if (reader->left == 0) {
				end_frame(reader, tell, context);
			}
		} else if (take_head_byte(reader, bytes.ptr[0])) {
			begin_frame(reader, tell, context);
		}
		bytes = slice_of(bytes.ptr + taken, bytes.len - taken);
	}
}

/*
 * Layer: demo. One job: see websocket.h.
 */
#include "demo/websocket.h"

#include <assert.h>

#include <openssl/evp.h>

#include "base/json.h"

enum { /* RFC 6455 section 7.4.1 */
	CLOSE_PROTOCOL_ERROR = 1002,
	CLOSE_INVALID_PAYLOAD = 1007,
	CLOSE_TOO_BIG = 1009,
};

enum {
	KEY_LEN = 24,         /* base64 of 16 bytes */
	HASH_SIZE = 20,       /* SHA-1 */
	ACCEPT_SIZE = 28 + 1, /* base64 of that, NUL */
	MESSAGE_KEPT = 4096,  /* a larger buffer does not outlive its message */
};

/* --- the handshake */

bool demo_websocket_key_valid(struct slice key)
{
	unsigned char decoded[KEY_LEN];

	if (key.len != KEY_LEN || !slice_ends_with(key, SLICE("=="))) {
		return false;
	}
	for (size_t i = 0; i < KEY_LEN - 2; i++) { /* OpenSSL would let white space pass */
		if (key.ptr[i] == '=' || key.ptr[i] <= ' ') {
			return false;
		}
	}
	return EVP_DecodeBlock(decoded, (const unsigned char *)(const void *)key.ptr, KEY_LEN) >= 0;
}

void demo_websocket_append_accept(struct buffer *out, struct slice key)
{
	static const struct slice guid = SLICE_INIT("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	struct buffer text = BUFFER_INIT;
	unsigned char hash[HASH_SIZE];
	unsigned char accept[ACCEPT_SIZE];
	int rc;

	buffer_append_slice(&text, key);
	buffer_append_slice(&text, guid);
	rc = EVP_Digest(text.ptr, text.len, hash, NULL, EVP_sha1(), NULL);
	assert(rc == 1);
	(void)rc;
	buffer_append(out, accept, (size_t)EVP_EncodeBlock(accept, hash, HASH_SIZE));
	buffer_fini(&text);
}

/* --- frames in */

void demo_websocket_reader_init(struct demo_websocket_reader *self)
{
	*self = (struct demo_websocket_reader){.message = BUFFER_INIT};
}

void demo_websocket_reader_fini(struct demo_websocket_reader *self)
{
	buffer_fini(&self->message);
}

static enum demo_websocket_opcode opcode_of(const struct demo_websocket_reader *self)
{
	return (enum demo_websocket_opcode)(self->head[0] & 0x0f);
}

static bool is_control(const struct demo_websocket_reader *self)
{
	return (self->head[0] & 0x08) != 0;
}

static bool is_final(const struct demo_websocket_reader *self)
{
	return (self->head[0] & 0x80) != 0;
}

/* Bytes of the length behind the first two bytes. */
static size_t length_size(const struct demo_websocket_reader *self)
{
	unsigned len = self->head[1] & 0x7fU;

	return len == 127 ? 8 : len == 126 ? 2 : 0;
}

/* The first two bytes are there. 0, or the code to close with. */
static unsigned check_start(const struct demo_websocket_reader *self)
{
	bool masked = (self->head[1] & 0x80) != 0;

	if ((self->head[0] & 0x70) != 0 || !masked) {
		return CLOSE_PROTOCOL_ERROR; /* an extension's bit, or a client that does not mask
					      */
	}
	switch (opcode_of(self)) {
	case DEMO_WEBSOCKET_CONTINUATION:
		return self->message_opcode == 0 ? CLOSE_PROTOCOL_ERROR : 0;
	case DEMO_WEBSOCKET_TEXT:
	case DEMO_WEBSOCKET_BINARY:
		return self->message_opcode != 0 ? CLOSE_PROTOCOL_ERROR : 0;
	case DEMO_WEBSOCKET_CLOSE:
	case DEMO_WEBSOCKET_PING:
	case DEMO_WEBSOCKET_PONG:
		return !is_final(self) || length_size(self) > 0 ? CLOSE_PROTOCOL_ERROR : 0;
	default:
		return CLOSE_PROTOCOL_ERROR;
	}
}

/* The whole head is there: how long is the payload, and is that allowed? As check_start(). */
static unsigned begin_payload(struct demo_websocket_reader *self)
{
	size_t size = length_size(self);

	self->left = size == 0 ? self->head[1] & 0x7fU : 0;
	for (size_t i = 0; i < size; i++) {
		self->left = self->left << 8 | self->head[2 + i];
	}
	self->in_payload = true;
	self->mask_at = 0;
	if (is_control(self)) {
		self->control_len = 0;
		return 0;
	}
	if (self->left > DEMO_WEBSOCKET_MESSAGE_MAX - self->message.len) {
		return CLOSE_TOO_BIG;
	}
	if (self->message_opcode == 0) {
		self->message_opcode = (uint8_t)opcode_of(self);
	}
	return 0;
}

/* Takes a frame's head off `*in`; 0, or the code to close with. self->in_payload tells whether it
 * is whole. */
static unsigned read_head(struct demo_websocket_reader *self, struct slice *in)
{
	while (in->len > 0 && !self->in_payload) {
		unsigned failure = 0;

		self->head[self->head_len++] = (uint8_t)*in->ptr;
		*in = slice_of(in->ptr + 1, in->len - 1);
		if (self->head_len == 2) {
			failure = check_start(self);
		} else if (self->head_len == 2 + length_size(self) + 4) {
			failure = begin_payload(self);
		}
		if (failure != 0) {
			return failure;
		}
	}
	return 0;
}

static void unmask(struct demo_websocket_reader *self, char *out, struct slice bytes)
{
	const uint8_t *mask = &self->head[2 + length_size(self)];

	for (size_t i = 0; i < bytes.len; i++) {
		out[i] = (char)((uint8_t)bytes.ptr[i] ^ mask[(self->mask_at + i) % 4]);
	}
	self->mask_at += bytes.len;
	self->left -= bytes.len;
}

static void read_payload(struct demo_websocket_reader *self, struct slice *in)
{
	struct slice part = slice_of(in->ptr, in->len < self->left ? in->len : (size_t)self->left);

	*in = slice_of(in->ptr + part.len, in->len - part.len);
	if (is_control(self)) {
		unmask(self, self->control + self->control_len, part);
		self->control_len = (uint8_t)(self->control_len + part.len);
	} else {
		unmask(self, buffer_reserve(&self->message, part.len), part);
		self->message.len += part.len;
	}
}

/* RFC 6455 section 7.4.2: what may stand in a close frame. */
static bool close_code_valid(unsigned code)
{
	return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
	       (code >= 3000 && code <= 4999);
}

static enum demo_websocket_progress fail(struct demo_websocket_message *message, unsigned code)
{
	message->close_code = code;
	return DEMO_WEBSOCKET_FAILED;
}

static enum demo_websocket_progress deliver_control(
	struct demo_websocket_reader *self, struct demo_websocket_message *message)
{
	struct slice payload = slice_of(self->control, self->control_len);
	struct slice reason;

	message->opcode = opcode_of(self);
	message->payload = payload;
	if (message->opcode == DEMO_WEBSOCKET_CLOSE && payload.len > 0) {
		if (payload.len < 2) {
			return fail(message, CLOSE_PROTOCOL_ERROR);
		}
		message->close_code = (uint8_t)payload.ptr[0] * 256U + (uint8_t)payload.ptr[1];
		reason = slice_of(payload.ptr + 2, payload.len - 2);
		if (!close_code_valid(message->close_code)) {
			return fail(message, CLOSE_PROTOCOL_ERROR);
		}
		if (!utf8_valid(reason)) {
			return fail(message, CLOSE_INVALID_PAYLOAD);
		}
	}
	return DEMO_WEBSOCKET_MESSAGE;
}

static enum demo_websocket_progress deliver_message(
	struct demo_websocket_reader *self, struct demo_websocket_message *message)
{
	message->opcode = (enum demo_websocket_opcode)self->message_opcode;
	message->payload = buffer_slice(&self->message);
	self->message_opcode = 0;
	self->delivered = true;
	if (message->opcode == DEMO_WEBSOCKET_TEXT && !utf8_valid(message->payload)) {
		return fail(message, CLOSE_INVALID_PAYLOAD);
	}
	return DEMO_WEBSOCKET_MESSAGE;
}

/* Forgets the message that was handed out by the call before. */
static void drop_delivered(struct demo_websocket_reader *self)
{
	if (self->delivered) {
		self->delivered = false;
		buffer_clear(&self->message);
		if (self->message.capacity > MESSAGE_KEPT) {
			buffer_fini(&self->message);
		}
	}
}

enum demo_websocket_progress demo_websocket_next(struct demo_websocket_reader *self,
	struct slice *in, struct demo_websocket_message *message)
{
	*message = (struct demo_websocket_message){.close_code = 0};
	drop_delivered(self);
	for (;;) {
		unsigned failure = read_head(self, in);

		if (failure != 0) {
			return fail(message, failure);
		}
		if (!self->in_payload) {
			return DEMO_WEBSOCKET_MORE;
		}
		read_payload(self, in);
		if (self->left > 0) {
			return DEMO_WEBSOCKET_MORE;
		}
		self->in_payload = false;
		self->head_len = 0;
		if (is_control(self)) {
			return deliver_control(self, message);
		}
		if (is_final(self)) {
			return deliver_message(self, message);
		}
	}
}

/* --- frames out */

size_t demo_websocket_write_head(char out[static DEMO_WEBSOCKET_HEAD_MAX],
	enum demo_websocket_opcode opcode, uint64_t payload_len)
{
	size_t size = payload_len < 126 ? 0 : payload_len <= UINT16_MAX ? 2 : 8;

	out[0] = (char)(0x80U | (unsigned)opcode);
	out[1] = (char)(size == 0 ? payload_len : size == 2 ? 126 : 127);
	for (size_t i = 0; i < size; i++) {
		out[2 + i] = (char)(payload_len >> (8 * (size - 1 - i)) & 0xff);
	}
	return 2 + size;
}

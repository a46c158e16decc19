/*
 * Layer: demo. One job: the server's side of WebSocket messages (RFC 6455): the accept key, frames
 * in, frame heads out. Without I/O. Messages are bounded; extensions are not spoken.
 */
#ifndef SIGHTGLASS_DEMO_WEBSOCKET_H
#define SIGHTGLASS_DEMO_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum {
	DEMO_WEBSOCKET_MESSAGE_MAX = 64 * 1024, /* all fragments together */
	DEMO_WEBSOCKET_CONTROL_MAX = 125,
	DEMO_WEBSOCKET_HEAD_MAX = 10, /* of the frames that we send */
};

enum demo_websocket_opcode {
	DEMO_WEBSOCKET_CONTINUATION = 0,
	DEMO_WEBSOCKET_TEXT = 1,
	DEMO_WEBSOCKET_BINARY = 2,
	DEMO_WEBSOCKET_CLOSE = 8,
	DEMO_WEBSOCKET_PING = 9,
	DEMO_WEBSOCKET_PONG = 10,
};

enum demo_websocket_progress {
	DEMO_WEBSOCKET_MORE,    /* all bytes are taken; more must come */
	DEMO_WEBSOCKET_MESSAGE, /* `*message` holds one; call again, also with an empty rest */
	DEMO_WEBSOCKET_FAILED,  /* message->close_code says why; feed nothing more */
};

struct demo_websocket_message {
	enum demo_websocket_opcode opcode; /* never a continuation */
	struct slice payload;              /* valid until the next call */
	unsigned close_code;               /* of a CLOSE: 0 where it names none; of a failure */
};

struct demo_websocket_reader {
	uint8_t head[14]; /* of the frame that is being read */
	uint8_t head_len;
	bool in_payload;
	bool delivered;         /* `message` was handed out, and goes at the next call */
	uint8_t message_opcode; /* of the fragments so far; 0 = none */
	uint8_t control_len;
	uint64_t left;    /* of the frame's payload */
	uint64_t mask_at; /* bytes of it that were unmasked */
	struct buffer message;
	char control[DEMO_WEBSOCKET_CONTROL_MAX];
};

void demo_websocket_reader_init(struct demo_websocket_reader *reader);
void demo_websocket_reader_fini(struct demo_websocket_reader *reader);
/* Takes bytes off the front of `*in`. */
enum demo_websocket_progress demo_websocket_next(struct demo_websocket_reader *reader,
	struct slice *in, struct demo_websocket_message *message);

/* A whole, final frame's head; returns its length. */
size_t demo_websocket_write_head(char out[static DEMO_WEBSOCKET_HEAD_MAX],
	enum demo_websocket_opcode opcode, uint64_t payload_len);

/* Sec-WebSocket-Key: base64 of 16 bytes. */
bool demo_websocket_key_valid(struct slice key);
/* Appends Sec-WebSocket-Accept to that key. */
void demo_websocket_append_accept(struct buffer *out, struct slice key);

#endif

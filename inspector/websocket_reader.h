/*
 * Layer: inspector (sees base). One job: read one direction of a WebSocket (RFC 6455) as it passes,
 * and tell its messages: unmasked, put together from their fragments, their first bytes kept.
 * Nothing waits for it: bytes may be cut anywhere, and what breaks the rules stops the reader and
 * nothing else.
 */
#ifndef SIGHTGLASS_INSPECTOR_WEBSOCKET_READER_H
#define SIGHTGLASS_INSPECTOR_WEBSOCKET_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	WEBSOCKET_TEXT_MAX = 2048, /* bytes of a message that are kept */
	WEBSOCKET_HEAD_MAX = 14,
};

struct websocket_message {
	bool is_text;      /* else binary */
	bool compressed;   /* by permessage-deflate (RFC 7692): its bytes say nothing */
	uint64_t size;     /* of its payload, as it passed */
	struct slice text; /* its first bytes; empty where it is binary or compressed. Valid
			      during the call */
};
typedef void (*websocket_message_fn)(void *context, const struct websocket_message *message);

struct websocket_reader {
	bool from_client;  /* whose frames are masked; a server's are not */
	bool may_compress; /* the handshake agreed on it */
	bool stopped;

	uint8_t head[WEBSOCKET_HEAD_MAX];
	uint8_t head_size; /* how much of it there is; 0 between two frames */
	bool in_payload;
	uint64_t left; /* of this frame's payload */
	uint8_t mask_at;

	bool in_message; /* a first fragment was read, the last was not */
	struct websocket_message message;
	size_t kept;
	char text[WEBSOCKET_TEXT_MAX];
};

void websocket_reader_init(struct websocket_reader *reader, bool from_client, bool may_compress);
/* Calls `tell` for each message that ends within `bytes`. */
void websocket_reader_feed(struct websocket_reader *reader, struct slice bytes,
	websocket_message_fn tell, void *context);

#endif

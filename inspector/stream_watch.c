/*
 * Layer: inspector. One job: see stream_watch.h.
 */
#include "inspector/stream_watch.h"

#include <assert.h>

#include "base/clock.h"
#include "inspector/event_stream_reader.h"
#include "inspector/media_type.h"
#include "inspector/websocket_reader.h"

static_assert((int)WEBSOCKET_TEXT_MAX <= (int)MESSAGE_TEXT_MAX &&
		      (int)EVENT_STREAM_TEXT_MAX <= (int)MESSAGE_TEXT_MAX &&
		      (int)EVENT_STREAM_NAME_MAX <= (int)MESSAGE_NAME_MAX,
	"what a reader keeps fits into a message");

struct stream_watch {
	struct capture_store *store;
	struct record *record;
	struct messages *messages;
	uint64_t wall_offset_us; /* of the wall clock, ahead of the monotonic one */
	bool incoming;           /* whose bytes are being read */
	bool is_websocket;
	union {
		struct {
			struct websocket_reader in;
			struct websocket_reader out;
		} websocket;
		struct event_stream_reader events;
	};
};

/* A body that is encoded is none that can be read here. */
static bool is_event_stream(const struct exchange *exchange, const struct head *head)
{
	struct slice encoding = head_get(head, FIELD_CONTENT_ENCODING);

	return exchange->request.method != METHOD_HEAD && head->status == 200 &&
	       media_type_is(head_get(head, FIELD_CONTENT_TYPE), SLICE("text/event-stream")) &&
	       (encoding.len == 0 || slice_equal_nocase(encoding, SLICE("identity")));
}

bool stream_watch_is_due(const struct exchange *exchange, const struct head *head)
{
	return exchange->state == EXCHANGE_TUNNEL || is_event_stream(exchange, head);
}

static bool compression_is_agreed(const struct head *head)
{
	const struct field *field = head_find_name(head, SLICE("Sec-WebSocket-Extensions"));

	return field != NULL &&
	       slice_find(head_value(head, field), SLICE("permessage-deflate")) != NULL;
}

struct stream_watch *stream_watch_begin(struct exchange *exchange, const struct head *head,
	struct capture_store *store, struct record *record, struct messages *messages)
{
	struct stream_watch *watch = arena_alloc(&exchange->arena, sizeof(*watch));
	bool may_compress = compression_is_agreed(head);

	if (watch == NULL) {
		return NULL;
	}
	watch->store = store;
	watch->record = record;
	watch->messages = messages;
	watch->wall_offset_us = exchange->clock.wall_us - exchange->clock.begin_us;
	watch->is_websocket = exchange->state == EXCHANGE_TUNNEL;
	if (watch->is_websocket) {
		websocket_reader_init(&watch->websocket.in, true, may_compress);
		websocket_reader_init(&watch->websocket.out, false, may_compress);
	} else {
		event_stream_reader_init(&watch->events);
	}
	return watch;
}

static void add(struct stream_watch *watch, struct stream_message *message)
{
	message->wall_us = watch->wall_offset_us + clock_now_us();
	message->incoming = watch->incoming;
	messages_add(watch->messages, watch->store, watch->record, message);
}

static void on_message(void *context, const struct websocket_message *message)
{
	add(context, &(struct stream_message){
			     .type = message->is_text ? MESSAGE_TEXT : MESSAGE_BINARY,
			     .compressed = message->compressed,
			     .size = message->size,
			     .text = message->text,
		     });
}

static void on_event(void *context, const struct event_stream_event *event)
{
	add(context, &(struct stream_message){
			     .type = MESSAGE_EVENT,
			     .size = event->size,
			     .name = event->name,
			     .text = event->text,
		     });
}

void stream_watch_request(struct stream_watch *watch, struct slice bytes)
{
	if (watch != NULL && watch->is_websocket) {
		watch->incoming = true;
		websocket_reader_feed(&watch->websocket.in, bytes, on_message, watch);
	}
}

void stream_watch_response(struct stream_watch *watch, struct slice bytes)
{
	if (watch == NULL) {
		return;
	}
	watch->incoming = false;
	if (watch->is_websocket) {
		websocket_reader_feed(&watch->websocket.out, bytes, on_message, watch);
	} else {
		event_stream_reader_feed(&watch->events, bytes, on_event, watch);
	}
}

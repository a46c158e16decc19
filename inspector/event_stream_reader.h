/*
 * Layer: inspector (sees base). One job: read a stream of Server-Sent Events (HTML standard,
 * section 9.2.6) as it passes, and tell its events, their first bytes kept. Bytes may be cut
 * anywhere; any bytes are a stream.
 */
#ifndef SIGHTGLASS_INSPECTOR_EVENT_STREAM_READER_H
#define SIGHTGLASS_INSPECTOR_EVENT_STREAM_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	EVENT_STREAM_TEXT_MAX = 2048, /* bytes of an event's data that are kept */
	EVENT_STREAM_NAME_MAX = 64,   /* the same of its name */
	EVENT_STREAM_FIELD_MAX = 5,   /* the longest field that means something: "event" */
};

struct event_stream_event {
	struct slice name; /* empty where it has none; both are valid during the call */
	uint64_t size;     /* of its data: its lines, with LF between them */
	struct slice text; /* the first bytes of that */
};
typedef void (*event_stream_event_fn)(void *context, const struct event_stream_event *event);

struct event_stream_reader {
	uint8_t mark;  /* bytes of a byte order mark at the beginning; 3: it is behind us */
	bool after_cr; /* an LF now belongs to it */

	/* the line */
	bool in_line;
	bool in_value;  /* behind the colon */
	bool may_space; /* right behind it: one space is no part of the value */
	uint8_t field_len;
	char field[EVENT_STREAM_FIELD_MAX];

	/* the event */
	bool has_data;
	uint64_t size;
	size_t kept;
	size_t name_len;
	char name[EVENT_STREAM_NAME_MAX];
	char text[EVENT_STREAM_TEXT_MAX];
};

void event_stream_reader_init(struct event_stream_reader *reader);
/* Calls `tell` for each event that ends within `bytes`. */
void event_stream_reader_feed(struct event_stream_reader *reader, struct slice bytes,
	event_stream_event_fn tell, void *context);

#endif

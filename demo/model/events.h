/*
 * Layer: demo. One job: the sample API's event log: the last events, as the text of Server-Sent
 * Events, and the readers that are to hear of new ones. A reader keeps its place and takes what is
 * behind it when it can: so a slow one costs no memory, it misses events. Without I/O.
 */
#ifndef SIGHTGLASS_DEMO_MODEL_EVENTS_H
#define SIGHTGLASS_DEMO_MODEL_EVENTS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/list.h"
#include "base/slice.h"

enum {
	DEMO_EVENTS_KEPT = 64,
	DEMO_EVENTS_AT_FIRST = 8, /* how many a new reader gets to see of the past */
};

struct demo_events {
	struct buffer kept[DEMO_EVENTS_KEPT]; /* event `id` is at id % DEMO_EVENTS_KEPT */
	uint64_t last_id;                     /* 0: none so far */
	struct list readers;
};

struct demo_events_reader {
	struct list node;
	uint64_t next_id;
	/* Something new is there. Must neither close nor publish. */
	void (*wake)(struct demo_events_reader *reader);
};

void demo_events_init(struct demo_events *events);
void demo_events_fini(struct demo_events *events);

/* `data` is one line. Wakes every reader. */
void demo_events_publish(struct demo_events *events, const char *type, struct slice data);

/*
 * Begins behind event `after`, or, where that is 0 or not yet there, DEMO_EVENTS_AT_FIRST events
 * ago. The reader is in its owner, who has set `wake`, and stays until demo_events_leave().
 */
void demo_events_join(
	struct demo_events *events, struct demo_events_reader *reader, uint64_t after);
/* Harmless on a reader that was initialised by demo_events_reader_init() and never joined. */
void demo_events_leave(struct demo_events_reader *reader);
void demo_events_reader_init(
	struct demo_events_reader *reader, void (*wake)(struct demo_events_reader *reader));

/*
 * Appends what is new for the reader, and moves it on. Where events are gone before it could read
 * them, an event `gap` says how many.
 */
void demo_events_take(
	const struct demo_events *events, struct demo_events_reader *reader, struct buffer *out);

#endif

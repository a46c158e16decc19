/*
 * Layer: inspector. One job: the last messages of a record whose exchange is a WebSocket or a
 * stream of events, within a bound of their own. They lie in pages of the record's memory, which
 * come as messages do and count against capture.memory; when the last page is full the oldest is
 * used again.
 *
 * The exchange's worker adds them while others read: a lock, one of a few that the store has, is
 * held while one message is copied in, or all of them out.
 */
#ifndef SIGHTGLASS_INSPECTOR_MESSAGES_H
#define SIGHTGLASS_INSPECTOR_MESSAGES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum {
	MESSAGES_PAGES = 4,
	MESSAGES_PAGE_SIZE = 4096 - 64, /* with its header; a chunk's fits before it */
	MESSAGE_TEXT_MAX = 2048,        /* of one message; what is longer is cut */
	MESSAGE_NAME_MAX = 64,
};

struct capture_store;
struct record;

enum message_type {
	MESSAGE_TEXT,
	MESSAGE_BINARY,
	MESSAGE_EVENT,
};

struct stream_message {
	uint64_t wall_us;
	uint64_t size; /* as it passed */
	enum message_type type;
	bool incoming;     /* from the client; else to it */
	bool compressed;   /* its bytes say nothing, and are not kept */
	struct slice name; /* an event's, or empty */
	struct slice text; /* its first bytes: raw. Empty where it is binary or compressed */
};

struct messages_page {
	uint32_t used; /* of `bytes` */
	uint32_t unused;
	char bytes[MESSAGES_PAGE_SIZE - 8];
};

struct messages { /* lies in the record; all but `lock` is guarded by it */
	pthread_mutex_t *lock;
	uint64_t total; /* messages that have passed, kept or not */
	uint32_t first; /* which page is the oldest */
	uint32_t count; /* of pages */
	struct messages_page *pages[MESSAGES_PAGES];
};

/* `lock` lives as long as the record's store. */
void messages_init(struct messages *messages, pthread_mutex_t *lock);
/* By the exchange's worker. Without memory the oldest ones give way, or it is left out. */
void messages_add(struct messages *messages, struct capture_store *store, struct record *record,
	const struct stream_message *message);

/* A copy of them all, in `out`, to walk through, and how many there ever were. Any thread that
 * holds the record. */
struct slice messages_copy(const struct messages *messages, struct buffer *out, uint64_t *total);
/* Takes the next one off a copy, the oldest first; its slices are the copy's. False at the end. */
bool messages_next(struct slice *rest, struct stream_message *message);

#endif

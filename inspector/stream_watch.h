/*
 * Layer: inspector (sees base, http, proxy). One job: see whether an answer begins a WebSocket or a
 * stream of events, and follow it: its messages go into the record. Belongs to the exchange's
 * worker.
 */
#ifndef SIGHTGLASS_INSPECTOR_STREAM_WATCH_H
#define SIGHTGLASS_INSPECTOR_STREAM_WATCH_H

#include "inspector/messages.h"
#include "proxy/exchange.h"

struct stream_watch; /* opaque */

/* Whether messages will follow this head. */
bool stream_watch_is_due(const struct exchange *exchange, const struct head *head);
/*
 * Begins to follow. Its memory is the exchange's arena's; NULL where that is full. `messages` are
 * those of `record`, which `store` holds; all outlive it.
 */
struct stream_watch *stream_watch_begin(struct exchange *exchange, const struct head *head,
	struct capture_store *store, struct record *record, struct messages *messages);

/* What passes. NULL is harmless. */
void stream_watch_request(struct stream_watch *watch, struct slice bytes);
void stream_watch_response(struct stream_watch *watch, struct slice bytes);

#endif

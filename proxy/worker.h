/*
 * Layer: proxy. One job: what one thread has: its loop, its pools, its listeners' ends, its client connections and running exchanges, its observers. Nothing of it is shared, but for `shared`.
 */
#ifndef SIGHTGLASS_PROXY_WORKER_H
#define SIGHTGLASS_PROXY_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "http/head_reader.h"
#include "pool/pool.h"
#include "proxy/observer.h"
#include "proxy/responder.h"
#include "proxy/route.h"
#include "proxy/settings.h"

struct exchange;
struct server;

/*
 * Somebody who answers below a path before any route is looked at (the inspector). `claims` is asked for every request, so it must be quick.
 */
struct claim {
	/* True where this request is its own: by path, and by the kind of listener it came over. */
	bool (*claims)(void *context, const struct exchange *exchange, bool inspector_listener);
	const struct responder_kind *kind;
	void *context;
};

struct worker {
	struct server *server;
	const struct proxy_settings *settings;
	const struct route_table *routes;
	struct loop loop;
	unsigned index;
	struct pool **pools; /* one for each upstream of the settings */
	struct observer *observers[OBSERVERS_MAX];
	unsigned observer_count;
	const struct claim *claim; /* or NULL */
	struct head_limits request_limits;
	struct head_limits response_limits;
	struct list running;   /* exchanges */
	struct list spare;     /* ended exchanges, for the next */
	unsigned spare_count;
	struct list clients;   /* connections */
	struct list listeners; /* this thread's ends */
	bool draining;
};

#endif

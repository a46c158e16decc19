/*
 * Layer: proxy. One job: what one thread has: its loop, its pools, its listeners' ends, its client
 * connections and running exchanges, its observers. Nothing of it is shared, but for `shared`.
 */
#ifndef SIGHTGLASS_PROXY_WORKER_H
#define SIGHTGLASS_PROXY_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
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
 * Somebody who answers below a path before any route is looked at (the inspector). `claims` is
 * asked for every request, so it must be quick.
 */
struct claim {
	/* True where this request is its own: by its path. */
	bool (*claims)(void *context, const struct exchange *exchange);
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
	size_t exchange_memory; /* the bound of an exchange's arena */
	struct list running;    /* exchanges */
	struct list spare;      /* ended exchanges, for the next */
	unsigned spare_count;
	struct list clients;   /* connections */
	struct list listeners; /* this thread's ends */
	unsigned open_pools;   /* while it ends: how many are not closed yet */
	bool draining;         /* no new connections; those there are end with their exchange */
	bool ending;           /* no client is left: the pools close, then the loop ends */
	struct timer drain_timer;
	struct message drain_message;
	uint64_t wall_read_us;   /* when the wall clock was read; 0 = not yet */
	uint64_t wall_offset_us; /* what it was ahead of the monotonic one then */
	uint64_t date_us;        /* when `date` was made */
	char date[CLOCK_IMF_SIZE];
};

/*
 * Makes a worker ready, on the calling thread: loop, pools, limits. `upstreams` are the settings',
 * in their order. 0, or a negative libuv error.
 */
int worker_init(struct worker *worker, struct server *server, unsigned index,
	const struct proxy_settings *settings, const struct route_table *routes,
	struct upstream **upstreams);
void worker_fini(struct worker *worker);
/* Adds one that watches its exchanges; before it runs. At most OBSERVERS_MAX. */
void worker_observe(struct worker *worker, struct observer *observer);
/* Runs the loop until it was drained and everything is closed. */
void worker_run(struct worker *worker);
/* Any thread: stop accepting, end what is idle, let the rest finish within timeouts.drain, then
 * end. Once. */
void worker_drain(struct worker *worker);
/* Instead of worker_run(), where the start has failed: closes what it has opened. */
void worker_discard(struct worker *worker);
/* A client connection is gone for good (called by proxy/client.c). */
void worker_client_gone(struct worker *worker, enum listener_role role, bool over_limit);

/*
 * The wall clock in microseconds, read ten times a second and reckoned from the monotonic one in
 * between: two requests of a connection never stand in the wrong order but where it was set back.
 */
uint64_t worker_wall_us(struct worker *worker);
/* The value of a Date field now; formatted once a second. Lives until the next second. */
struct slice worker_date(struct worker *worker);

#endif

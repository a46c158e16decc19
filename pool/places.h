/*
 * Layer: pool (sees base). One job: the places of one upstream, shared by all workers: how many
 * connections there may be, whose turn it is when there are as many, and how many may be kept idle.
 * Without I/O: a worker is told through its `wake`.
 *
 * A place is taken before a connection is begun and given back when libuv has let go of it, so the
 * cap is exact. Places that come free go to those who queue, strictly in order over all workers.
 * Two things keep that order from costing more than it is worth:
 *
 * - A connection cannot change its loop; handing its place to another worker closes it, and a new
 *   one is opened there. So a worker that gets a connection back while one of its own waits keeps
 *   it for that one, unless somebody elsewhere has waited more than PLACES_SLACK_US longer. In a
 *   busy queue strict order would make most returns a close and a connect (measured: one request
 *   in four, and half as many requests); this way nobody waits much longer than another, and
 *   connections stay where they are.
 * - A place whose connection is being closed counts as on its way: no second connection is given
 *   up for the same ticket.
 *
 * Nobody waits while an idle connection stands about. A ticket that queues tells every worker
 * (`told`, and a wake). One that was told closes idle connections until the tickets are covered,
 * and from then on asks places_keep() before it keeps another. Only when that says yes is it told
 * again by the next ticket. So between "told" and "kept" no connection is idle, and a pool that was
 * not told touches nothing shared when it takes or parks a connection. The order is the lock's; no
 * fence is needed on the hot path.
 *
 * What stays idle needs a seat, of which there are as many as may be idle in all. Who draws them,
 * and when, says pool/shelf.h.
 */
#ifndef SIGHTGLASS_POOL_PLACES_H
#define SIGHTGLASS_POOL_PLACES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum {
	PLACES_SLACK_US = 10 * 1000,
};

struct places;

/* A worker's part. Embedded in its pool. All but `places` and `index` belongs to the lock. */
struct places_member {
	struct list node;
	struct places *places;
	/* Any thread, under the lock: makes the worker call places_collect() soon. */
	void (*wake)(struct places_member *member);
	struct list granted; /* tickets that got a place, for places_next_granted() */
	uint32_t index;      /* 1 for the first that ever joined */
	bool told;           /* that a ticket queues; see above */
	bool awake;          /* wake was called, places_collect() not yet */
};

enum place_ticket_state {
	TICKET_NONE,
	TICKET_QUEUED,
	TICKET_GRANTED, /* it has a place that its worker did not collect yet */
};

/* A turn in the queue. Embedded in who waits. All zero before its first use; belongs to the lock
 * until it has left. */
struct place_ticket {
	struct list node;
	struct places_member *member;
	uint64_t since_us;
	enum place_ticket_state state;
};

struct places {
	pthread_mutex_t lock;
	uint32_t max_connections;
	uint32_t queue_limit;
	uint32_t taken;
	uint32_t queued;
	uint32_t closing; /* of `taken`: those on their way back */
	uint32_t joined;
	struct list queue; /* the oldest first */
	struct list members;
	uint32_t max_idle;
	_Atomic uint32_t free_seats;
};

void places_init(
	struct places *places, uint32_t max_connections, uint32_t queue_limit, uint32_t max_idle);
/* Every member has left and every place is back. */
void places_fini(struct places *places);

/* `wake` is set by the caller; the rest of the member is set here. */
void places_join(struct places *places, struct places_member *member);
/* No ticket of the member waits. It is not woken any more, but one wake may still be under way: see
 * places_asleep(). */
void places_retire(struct places_member *member);
bool places_asleep(struct places_member *member);

enum places_answer {
	PLACES_TAKEN,  /* a place is the caller's */
	PLACES_QUEUED, /* the ticket waits */
	PLACES_FULL,   /* as many wait as may */
};

/* Asks for a place at time `now_us`; the ticket is used only where the answer is PLACES_QUEUED. */
enum places_answer places_ask(
	struct places_member *member, struct place_ticket *ticket, uint64_t now_us);
/* The ticket waits no longer; a place that it was granted meanwhile goes to the next. Harmless on
 * one that does not wait. */
void places_leave(struct place_ticket *ticket);

/* After a wake. Returns true where somebody waits: the caller then asks places_keep() for each idle
 * connection, the oldest first. */
bool places_collect(struct places_member *member);
/* The next ticket of the member's that has a place: the place is the caller's now, and the ticket
 * has left. NULL after the last. */
struct place_ticket *places_next_granted(struct places_member *member);

/*
 * A connection of the ticket's worker is free to serve it. True: it may, and the ticket has left.
 * False: somebody elsewhere has waited longer; the caller closes the connection, which counts as
 * closing already.
 */
bool places_claim(struct place_ticket *ticket);
/*
 * A connection is free that nobody of its worker's can use. True: it may stay idle. False: somebody
 * waits for its place; the caller closes it, which counts as closing already.
 */
bool places_keep(struct places_member *member);

/* A connection is being closed. */
void places_closing(struct places *places);
/* libuv let go of a connection that counted as closing: its place goes to the first ticket, or is
 * free. */
void places_give_back(struct places *places);

/* Any thread; no lock. Returns how many seats there were to be had, at most `wanted`. */
uint32_t places_take_seats(struct places *places, uint32_t wanted);
void places_give_seats(struct places *places, uint32_t count);

void places_count(struct places *places, uint32_t *taken, uint32_t *queued);

#endif

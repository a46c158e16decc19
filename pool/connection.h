/*
 * Layer: pool, for its own files alone (what borrowers may do stands in pool.h). One job: one
 * connection, from the search for an address to the end of its handle. Knows nothing of who waits,
 * of limits or of idle lists: it tells its owner, the pool.
 *
 *   DIALING (looking up, connecting, between two addresses) -> opened -> HELD by the pool <-> LENT
 * to a borrower -> CLOSING -> closed
 */
#ifndef SIGHTGLASS_POOL_CONNECTION_H
#define SIGHTGLASS_POOL_CONNECTION_H

#include "base/loop.h"
#include "base/stream.h"
#include "base/timer.h"
#include "pool/idle.h"
#include "pool/pool.h"
#include "pool/resolver.h"

/* Events up. None of them comes from inside a call down. */
struct connection_events {
	void (*opened)(struct connection *connection);
	/* It could not be opened; the owner closes it. */
	void (*failed)(struct connection *connection, const struct err *err);
	/* While the pool held it, the upstream closed it or sent a byte unasked; the owner closes
	 * it. */
	void (*spoiled)(struct connection *connection);
	/* libuv let go of it: the memory is the owner's again. */
	void (*closed)(struct connection *connection);
};

/* What the connections of one pool have in common. Outlives them. */
struct connector {
	struct loop *loop;
	struct upstream *upstream;
	struct resolver resolver; /* not used for a unix socket */
	const struct connection_events *events;
};

enum connection_state {
	CONNECTION_LOOKING_UP, /* no handle */
	CONNECTION_CONNECTING,
	CONNECTION_BETWEEN, /* the handle of one attempt is closing; the next follows */
	CONNECTION_HELD,
	CONNECTION_LENT,
	CONNECTION_CLOSING,
};

struct connection {
	struct stream stream;
	struct connector *connector;
	const struct connection_ops *ops; /* the borrower's; NULL until it attached itself */
	void *borrower;
	struct idle_entry
		idle; /* its node is in the pool's list of dials, idle or spare connections */
	struct pool_waiter *waiter; /* the one for whom it is being opened; NULL where that one does
				       not wait any more */
	uint64_t begun_us;
	uint64_t connect_us;    /* how long opening it took; 0 once it is reused */
	uint64_t idle_ms;       /* before it was lent this time */
	uint64_t retire_ms;     /* when it is too old */
	uint64_t idle_limit_ms; /* how long it may be idle */
	enum connection_state state;
	bool reused;
	bool ended; /* the stream told its end to the borrower */

	/* Of the dial alone. */
	struct resolver_query query;
	struct timer timer;
	struct task task;
	uint64_t budget_ms;             /* for all of the dial; 0 = no limit */
	uint64_t deadline_ms;           /* its end */
	int status;                     /* of the last attempt */
	bool timed_out;                 /* that attempt, by our timer */
	bool asked;                     /* for addresses, itself */
	uint8_t next;                   /* index of the address to try */
	uint8_t left;                   /* how many are not tried yet */
	uint8_t current;                /* index of the one being tried */
	uint32_t generation;            /* of the addresses that the indexes are of */
	union resolver_address address; /* the one being tried */
};

/* Begins to open it, within `timeout_ms` (0 = no limit). Ends with `opened` or `failed`, later.
 * Every member is set. */
void connection_dial(
	struct connection *connection, struct connector *connector, uint64_t timeout_ms);
/* Whether it is still being opened. */
bool connection_dialing(const struct connection *connection);
/* HELD becomes LENT. `reused`: it was in the pool before, `idle_ms` long. */
void connection_lend(struct connection *connection, bool reused, uint64_t idle_ms);
/* LENT becomes HELD. False where something stands in the stream that belongs to the last exchange,
 * or the stream is of no more use; it is LENT still, to be closed. */
bool connection_reclaim(struct connection *connection);
/* In any state but CLOSING. `closed` follows, later. */
void connection_close(struct connection *connection);

#endif

/*
 * Layer: pool (sees base). One job: counters that one worker writes without sharing a cache line,
 * and anybody sums.
 */
#ifndef SIGHTGLASS_POOL_TALLY_H
#define SIGHTGLASS_POOL_TALLY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"
#include "pool/failure.h"
#include "pool/minute.h"
#include "pool/upstream.h"

enum tally_what {
	TALLY_IDLE, /* a level: this one and the next also fall */
	TALLY_LENT,
	TALLY_OPENED,
	TALLY_REUSED,
	TALLY_RETRIED,
	TALLY_EXPIRED,
	TALLY_HANDSHAKES, /* of TLS, that have ended well */
	TALLY_RESUMED,    /* of them, those that resumed a session */
	TALLY_QUEUED_US,  /* waited for places, in all */
	TALLY_QUEUED,     /* the first of as many as there are buckets: see upstream_queue_bounds */
	TALLY_FAILURES = TALLY_QUEUED + UPSTREAM_QUEUE_BUCKETS, /* the first of as many as there are
								   reasons */
	TALLY_COUNT = TALLY_FAILURES + FAILURES
};

/* One worker's. Only its own thread changes the counts. */
struct tally {
	struct list node;
	_Atomic uint64_t counts[TALLY_COUNT];
	struct minute opened; /* the connections of the last minute */
};

/* All workers', and what those counted that are gone. */
struct tally_set {
	pthread_mutex_t lock;
	struct list tallies;
	uint64_t gone[TALLY_COUNT];
};

void tally_set_init(struct tally_set *set);
void tally_set_fini(struct tally_set *set);
/* The tally must be all zero. */
void tally_join(struct tally_set *set, struct tally *tally);
void tally_leave(struct tally_set *set, struct tally *tally);
/* Any thread. Each sum is exact by itself; together they are no snapshot. */
void tally_sum(struct tally_set *set, uint64_t sums[static TALLY_COUNT]);
/* Connections that were opened in the last minute, by workers that are there. Any thread. */
uint64_t tally_opened_lately(struct tally_set *set, uint64_t now_s);

/* A load and a store instead of an atomic addition: there is one writer. */
static inline void tally_set(struct tally *tally, enum tally_what what, uint64_t value)
{
	atomic_store_explicit(&tally->counts[what], value, memory_order_relaxed);
}

static inline void tally_add_many(struct tally *tally, enum tally_what what, uint64_t more)
{
	tally_set(tally, what,
		atomic_load_explicit(&tally->counts[what], memory_order_relaxed) + more);
}

static inline void tally_add(struct tally *tally, enum tally_what what)
{
	tally_add_many(tally, what, 1);
}

/* Of a level. */
static inline void tally_take(struct tally *tally, enum tally_what what)
{
	tally_set(
		tally, what, atomic_load_explicit(&tally->counts[what], memory_order_relaxed) - 1);
}

static inline void tally_failed(struct tally *tally, enum failure why)
{
	tally_add(tally, (enum tally_what)(TALLY_FAILURES + why));
}

/* One that waited that long for a place has got it, or has given up. */
void tally_queued(struct tally *tally, uint64_t waited_us);

#endif

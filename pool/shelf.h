/*
 * Layer: pool, for its own files alone. One job: the idle connections of one pool, and when they
 * leave: each at its own time, and what is more than may be idle. Which one is lent and until when
 * it may stay is decided in idle.h.
 *
 * A busy worker gets back a handful of connections in one turn and lends them again in the next.
 * Counting those would cost a shared atomic each, and closing what is above the limit would cost a
 * connection each (measured with 64 clients, two workers and the default limits: one request in
 * four opened one). So a connection counts as idle once nobody took it for SHELF_GRACE_MS: then it
 * needs one of the upstream's seats, or leaves. Seats are drawn and given back by a timer that runs
 * only while something changes; lending and parking touch nothing that is shared. The limit is
 * exact over all workers, for what has been idle longer than two such times.
 */
#ifndef SIGHTGLASS_POOL_SHELF_H
#define SIGHTGLASS_POOL_SHELF_H

#include "base/loop.h"
#include "base/timer.h"
#include "pool/idle.h"
#include "pool/places.h"
#include "pool/tally.h"

enum {
	SHELF_GRACE_MS = 50,
};

struct shelf {
	struct loop *loop;
	struct places *places;
	struct tally *tally; /* its TALLY_IDLE is kept here */
	/* An entry was taken out: it passed its time (`expired`), or there is no seat for it. From
	 * the loop's timers. */
	void (*leaves)(struct shelf *shelf, struct idle_entry *entry, bool expired);
	struct idle_list idle;
	uint32_t seats;
	struct timer seating;
	struct timer expiry; /* for the first that passes its time */
	uint64_t expiry_ms;  /* when that is; IDLE_FOREVER while the timer is stopped */
};

void shelf_init(struct shelf *shelf, struct loop *loop, struct places *places, struct tally *tally,
	void (*leaves)(struct shelf *shelf, struct idle_entry *entry, bool expired));
/* Gives all seats back; the shelf is empty. */
void shelf_fini(struct shelf *shelf);

static inline bool shelf_empty(const struct shelf *shelf)
{
	return shelf->idle.count == 0;
}
/* Keeps the entry until `until_ms`. False where that time has come already. */
bool shelf_park(struct shelf *shelf, struct idle_entry *entry, uint64_t until_ms);
/* See idle_take(). */
struct idle_entry *shelf_take(struct shelf *shelf, uint64_t within_ms, uint64_t key);
/* Takes out the one that has been idle longest; NULL where none is. */
struct idle_entry *shelf_take_oldest(struct shelf *shelf);
void shelf_remove(struct shelf *shelf, struct idle_entry *entry);

#endif

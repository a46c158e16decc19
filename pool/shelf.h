/*
 * Layer: pool, for its own files alone. One job: the idle connections of one pool: each has a seat
 * of the upstream's, and leaves when its time is over. Which one is lent and until when it may stay
 * is decided in idle.h.
 */
#ifndef SIGHTGLASS_POOL_SHELF_H
#define SIGHTGLASS_POOL_SHELF_H

#include "base/loop.h"
#include "base/timer.h"
#include "pool/idle.h"
#include "pool/places.h"
#include "pool/tally.h"

struct shelf {
	struct loop *loop;
	struct places *places;
	struct tally *tally; /* its TALLY_IDLE is kept here */
	/* An entry passed its time and was taken out. From the loop's timers. */
	void (*expired)(struct shelf *shelf, struct idle_entry *entry);
	struct idle_list idle;
	uint32_t seats;     /* never fewer than there are idle */
	struct timer timer; /* for the first that passes its time */
	uint64_t timer_ms;  /* when that is; IDLE_FOREVER while the timer is stopped */
};

void shelf_init(struct shelf *shelf, struct loop *loop, struct places *places, struct tally *tally,
	void (*expired)(struct shelf *shelf, struct idle_entry *entry));
/* Gives all seats back; the shelf is empty. */
void shelf_fini(struct shelf *shelf);

static inline bool shelf_empty(const struct shelf *shelf)
{
	return shelf->idle.count == 0;
}
/*
 * Keeps the entry until `until_ms`. False where its time is over or no seat is to be had. Where the
 * seat is that of the entry that was idle longest, that one is taken out and put into `*evicted`,
 * which else is NULL.
 */
bool shelf_park(struct shelf *shelf, struct idle_entry *entry, uint64_t until_ms,
	struct idle_entry **evicted);
/* See idle_take(). */
struct idle_entry *shelf_take(struct shelf *shelf, uint64_t within_ms);
/* Takes out the one that has been idle longest; NULL where none is. */
struct idle_entry *shelf_take_oldest(struct shelf *shelf);
void shelf_remove(struct shelf *shelf, struct idle_entry *entry);

#endif

/*
 * Layer: pool. One job: see shelf.h. Lending and parking seldom start a timer: that for expiry runs
 * for the entry that leaves first, and those that come later leave later, but where the upstream
 * asked for less or one is near its age; that for seats is started once in SHELF_GRACE_MS at most.
 */
#include "pool/shelf.h"

#include <assert.h>

static void changed(struct shelf *shelf)
{
	tally_set(shelf->tally, TALLY_IDLE, shelf->idle.count);
	if (!timer_active(&shelf->seating)) {
		loop_timer_start(shelf->loop, &shelf->seating, SHELF_GRACE_MS);
	}
}

static struct idle_entry *pop_oldest(struct shelf *shelf)
{
	struct idle_entry *entry = idle_oldest(&shelf->idle);

	if (entry != NULL) {
		idle_remove(&shelf->idle, entry);
	}
	return entry;
}

static void on_seating(struct timer *timer)
{
	struct shelf *shelf = container_of(timer, struct shelf, seating);
	uint32_t settled = idle_count_since(&shelf->idle, loop_now_ms(shelf->loop), SHELF_GRACE_MS);

	if (settled < shelf->seats) {
		places_give_seats(shelf->places, shelf->seats - settled);
		shelf->seats = settled;
	} else {
		shelf->seats += places_take_seats(shelf->places, settled - shelf->seats);
	}
	for (; settled > shelf->seats; settled--) {
		shelf->leaves(shelf, pop_oldest(shelf), false);
	}
	tally_set(shelf->tally, TALLY_IDLE, shelf->idle.count);
	if (shelf->idle.count > settled) { /* the others are young */
		loop_timer_start(shelf->loop, &shelf->seating, SHELF_GRACE_MS);
	}
}

static void start_expiry(struct shelf *shelf, uint64_t due_ms)
{
	uint64_t now_ms = loop_now_ms(shelf->loop);

	shelf->expiry_ms = due_ms;
	if (due_ms != IDLE_FOREVER) {
		loop_timer_start(
			shelf->loop, &shelf->expiry, due_ms > now_ms ? due_ms - now_ms : 0);
	}
}

static void on_expiry(struct timer *timer)
{
	struct shelf *shelf = container_of(timer, struct shelf, expiry);
	struct idle_entry *entry;

	while ((entry = idle_pop_expired(&shelf->idle, loop_now_ms(shelf->loop))) != NULL) {
		changed(shelf);
		shelf->leaves(shelf, entry, true);
	}
	start_expiry(shelf, idle_next_ms(&shelf->idle));
}

void shelf_init(struct shelf *shelf, struct loop *loop, struct places *places, struct tally *tally,
	void (*leaves)(struct shelf *shelf, struct idle_entry *entry, bool expired))
{
	*shelf = (struct shelf){
		.loop = loop,
		.places = places,
		.tally = tally,
		.leaves = leaves,
		.expiry_ms = IDLE_FOREVER,
	};
	idle_init(&shelf->idle);
	timer_init(&shelf->seating, on_seating);
	timer_init(&shelf->expiry, on_expiry);
}

void shelf_fini(struct shelf *shelf)
{
	assert(shelf_empty(shelf));
	loop_timer_stop(shelf->loop, &shelf->seating);
	loop_timer_stop(shelf->loop, &shelf->expiry);
	places_give_seats(shelf->places, shelf->seats);
	shelf->seats = 0;
}

bool shelf_park(struct shelf *shelf, struct idle_entry *entry, uint64_t until_ms)
{
	uint64_t now_ms = loop_now_ms(shelf->loop);

	if (until_ms <= now_ms) {
		return false;
	}
	idle_park(&shelf->idle, entry, now_ms, until_ms);
	changed(shelf);
	if (until_ms < shelf->expiry_ms) {
		start_expiry(shelf, until_ms);
	}
	return true;
}

struct idle_entry *shelf_take(struct shelf *shelf, uint64_t within_ms, uint64_t key)
{
	struct idle_entry *entry =
		idle_take(&shelf->idle, loop_now_ms(shelf->loop), within_ms, key);

	if (entry != NULL) {
		changed(shelf);
	}
	return entry;
}

struct idle_entry *shelf_take_oldest(struct shelf *shelf)
{
	struct idle_entry *entry = pop_oldest(shelf);

	if (entry != NULL) {
		changed(shelf);
	}
	return entry;
}

void shelf_remove(struct shelf *shelf, struct idle_entry *entry)
{
	idle_remove(&shelf->idle, entry);
	changed(shelf);
}

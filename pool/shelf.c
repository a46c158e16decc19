/*
 * Layer: pool. One job: see shelf.h. Lending and parking start no timer: the one that runs is for
 * the entry that leaves first, and those that come later leave later, but where the upstream asked
 * for less or one is near its age.
 */
#include "pool/shelf.h"

#include <assert.h>

static void count_changed(struct shelf *shelf)
{
	uint32_t surplus = shelf->seats - shelf->idle.count;
	uint32_t slack = places_seat_slack(shelf->places);

	if (surplus > slack) {
		places_give_seats(shelf->places, surplus - slack);
		shelf->seats -= surplus - slack;
	}
	tally_set(shelf->tally, TALLY_IDLE, shelf->idle.count);
}

static void start_timer(struct shelf *shelf, uint64_t due_ms)
{
	uint64_t now_ms = loop_now_ms(shelf->loop);

	shelf->timer_ms = due_ms;
	if (due_ms != IDLE_FOREVER) {
		loop_timer_start(shelf->loop, &shelf->timer, due_ms > now_ms ? due_ms - now_ms : 0);
	}
}

static void on_timer(struct timer *timer)
{
	struct shelf *shelf = container_of(timer, struct shelf, timer);
	struct idle_entry *entry;

	while ((entry = idle_pop_expired(&shelf->idle, loop_now_ms(shelf->loop))) != NULL) {
		shelf->expired(shelf, entry);
	}
	count_changed(shelf);
	start_timer(shelf, idle_next_ms(&shelf->idle));
}

void shelf_init(struct shelf *shelf, struct loop *loop, struct places *places, struct tally *tally,
	void (*expired)(struct shelf *shelf, struct idle_entry *entry))
{
	*shelf = (struct shelf){
		.loop = loop,
		.places = places,
		.tally = tally,
		.expired = expired,
		.timer_ms = IDLE_FOREVER,
	};
	idle_init(&shelf->idle);
	timer_init(&shelf->timer, on_timer);
}

void shelf_fini(struct shelf *shelf)
{
	assert(shelf_empty(shelf));
	loop_timer_stop(shelf->loop, &shelf->timer);
	places_give_seats(shelf->places, shelf->seats);
	shelf->seats = 0;
}

bool shelf_park(struct shelf *shelf, struct idle_entry *entry, uint64_t until_ms,
	struct idle_entry **evicted)
{
	uint64_t now_ms = loop_now_ms(shelf->loop);

	*evicted = NULL;
	if (until_ms <= now_ms) {
		return false;
	}
	if (shelf->idle.count == shelf->seats) {
		if (places_take_seat(shelf->places)) {
			shelf->seats++;
		} else if (shelf->seats > 0) {
			*evicted = idle_oldest(&shelf->idle);
			idle_remove(&shelf->idle, *evicted);
		} else {
			return false;
		}
	}
	idle_park(&shelf->idle, entry, now_ms, until_ms);
	count_changed(shelf);
	if (until_ms < shelf->timer_ms) {
		start_timer(shelf, until_ms);
	}
	return true;
}

struct idle_entry *shelf_take(struct shelf *shelf, uint64_t within_ms)
{
	struct idle_entry *entry = idle_take(&shelf->idle, loop_now_ms(shelf->loop), within_ms);

	if (entry != NULL) {
		count_changed(shelf);
	}
	return entry;
}

struct idle_entry *shelf_take_oldest(struct shelf *shelf)
{
	struct idle_entry *entry = idle_oldest(&shelf->idle);

	if (entry != NULL) {
		shelf_remove(shelf, entry);
	}
	return entry;
}

void shelf_remove(struct shelf *shelf, struct idle_entry *entry)
{
	idle_remove(&shelf->idle, entry);
	count_changed(shelf);
}

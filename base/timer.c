/*
 * Layer: base. One job: the timing wheel. Level L has 64 slots of 64^L ticks each; a timer lies in
 * the lowest level whose span reaches its deadline. When the wheel enters a slot of a level above
 * 0, that slot's timers move down.
 */
#include "base/timer.h"

#include <assert.h>

enum {
	SLOT_BITS = 6,
	SLOT_MASK = TIMER_SLOTS - 1,
};

_Static_assert(TIMER_SLOTS == 1 << SLOT_BITS, "a slot's number is SLOT_BITS bits of the tick");

static const uint64_t TICKS_MAX = (UINT64_C(1) << (SLOT_BITS * TIMER_LEVELS)) - 1;

/* How many slots ahead the next occupied slot of a level is: 1 to 64. The level is not empty. */
static unsigned slots_ahead(uint64_t occupied, uint64_t position)
{
	unsigned start = (unsigned)((position + 1) & SLOT_MASK);
	uint64_t rotated =
		start == 0 ? occupied : (occupied >> start) | (occupied << (TIMER_SLOTS - start));

	return (unsigned)__builtin_ctzll(rotated) + 1;
}

/* The tick at which a slot of some level must be looked at next; UINT64_MAX where all are empty. */
static uint64_t next_tick(const struct timer_wheel *wheel)
{
	uint64_t earliest = UINT64_MAX;

	for (unsigned level = 0; level < TIMER_LEVELS; level++) {
		unsigned shift = SLOT_BITS * level;
		uint64_t position = wheel->tick >> shift;
		uint64_t tick;

		if (wheel->occupied[level] == 0) {
			continue;
		}
		tick = (position + slots_ahead(wheel->occupied[level], position)) << shift;
		if (tick < earliest) {
			earliest = tick;
		}
	}
	return earliest;
}

/* Puts a timer into the slot of its due_tick, which is not before the wheel's tick. */
static void place(struct timer_wheel *wheel, struct timer *timer)
{
	uint64_t ahead = timer->due_tick - wheel->tick;
	unsigned level = 0;
	unsigned slot;

	while (ahead >> (SLOT_BITS * (level + 1)) != 0) {
		level++;
	}
	assert(level < TIMER_LEVELS);
	slot = (unsigned)(timer->due_tick >> (SLOT_BITS * level)) & SLOT_MASK;
	timer->level = (uint8_t)level;
	timer->slot = (uint8_t)slot;
	list_push_back(&wheel->slots[level][slot], &timer->node);
	wheel->occupied[level] |= UINT64_C(1) << slot;
}

static void take_slot(struct timer_wheel *wheel, unsigned level, unsigned slot, struct list *out)
{
	struct list *list = &wheel->slots[level][slot];

	list_init(out);
	if (!list_empty(list)) {
		list_insert_before(
			list, out); /* `out` joins the ring, then the old sentinel leaves it */
		list_remove(list);
	}
	wheel->occupied[level] &= ~(UINT64_C(1) << slot);
}

/* Moves down what lies in the slots that begin at the wheel's tick, the highest level first. */
static void cascade(struct timer_wheel *wheel)
{
	for (unsigned level = TIMER_LEVELS - 1; level > 0; level--) {
		unsigned shift = SLOT_BITS * level;
		struct list moved;
		struct list *node;

		if ((wheel->tick & ((UINT64_C(1) << shift) - 1)) != 0) {
			continue;
		}
		take_slot(wheel, level, (unsigned)(wheel->tick >> shift) & SLOT_MASK, &moved);
		while ((node = list_pop_front(&moved)) != NULL) {
			place(wheel, container_of(node, struct timer, node));
		}
	}
}

static void fire_slot(struct timer_wheel *wheel)
{
	struct list due;
	struct list *node;

	take_slot(wheel, 0, (unsigned)wheel->tick & SLOT_MASK, &due);
	/* One at a time: a callback may stop, move or free any other that is due now. */
	while ((node = list_pop_front(&due)) != NULL) {
		struct timer *timer = container_of(node, struct timer, node);

		wheel->count--;
		timer->fire(timer);
	}
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
	*wheel = (struct timer_wheel){.tick = now_ms / TIMER_TICK_MS};
	for (unsigned level = 0; level < TIMER_LEVELS; level++) {
		for (unsigned slot = 0; slot < TIMER_SLOTS; slot++) {
			list_init(&wheel->slots[level][slot]);
		}
	}
}

void timer_init(struct timer *timer, timer_fn fire)
{
	*timer = (struct timer){.fire = fire};
	list_init(&timer->node);
}

void timer_start(struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms, uint64_t delay_ms)
{
	uint64_t now_tick = now_ms / TIMER_TICK_MS;
	uint64_t longest_ms = TICKS_MAX * TIMER_TICK_MS;
	uint64_t due;

	timer_stop(wheel, timer);
	if (wheel->count == 0 && now_tick > wheel->tick) {
		wheel->tick = now_tick; /* it stood still while there was nothing to wait for */
	}
	if (delay_ms > longest_ms) {
		delay_ms = longest_ms;
	}
	due = (now_ms + delay_ms + TIMER_TICK_MS - 1) / TIMER_TICK_MS;
	if (due <= wheel->tick) {
		due = wheel->tick + 1;
	}
	if (due - wheel->tick > TICKS_MAX) {
		due = wheel->tick + TICKS_MAX;
	}
	timer->due_tick = due;
	place(wheel, timer);
	wheel->count++;
}

void timer_stop(struct timer_wheel *wheel, struct timer *timer)
{
	if (!timer_active(timer)) {
		return;
	}
	list_remove(&timer->node);
	wheel->count--;
	if (list_empty(&wheel->slots[timer->level][timer->slot])) {
		wheel->occupied[timer->level] &= ~(UINT64_C(1) << timer->slot);
	}
}

bool timer_active(const struct timer *timer)
{
	return !list_empty(&timer->node);
}

void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
	uint64_t now_tick = now_ms / TIMER_TICK_MS;

	while (wheel->count > 0) {
		uint64_t tick = next_tick(wheel);

		if (tick > now_tick) {
			break;
		}
		wheel->tick = tick;
		cascade(wheel);
		fire_slot(wheel);
	}
	if (now_tick > wheel->tick) {
		wheel->tick = now_tick;
	}
}

uint64_t timer_wheel_next_ms(const struct timer_wheel *wheel, uint64_t now_ms)
{
	uint64_t tick = next_tick(wheel);
	uint64_t due_ms = tick * TIMER_TICK_MS;

	if (tick == UINT64_MAX) {
		/*
		 * Asked from within a callback there may be others that are firing, in no slot any
		 * more.
		 */
		return wheel->count == 0 ? UINT64_MAX : 0;
	}
	return due_ms > now_ms ? due_ms - now_ms : 0;
}

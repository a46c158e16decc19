/*
 * Layer: base. One job: thousands of deadlines on one clock: a hierarchical timing wheel. Starting
 * and stopping is O(1) and makes no system call. Without I/O: whoever owns the wheel turns it
 * (base/loop.h does, by one uv_timer).
 */
#ifndef SIGHTGLASS_BASE_TIMER_H
#define SIGHTGLASS_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum {
	TIMER_TICK_MS = 8, /* a deadline is met up to this much late, never early */
	TIMER_SLOTS = 64,
	TIMER_LEVELS = 5, /* 8 ms * 64^5: 99 days; longer waits are cut to that */
};

struct timer;
typedef void (*timer_fn)(struct timer *timer);

struct timer {
	struct list node; /* points at itself while the timer is stopped */
	uint64_t due_tick;
	timer_fn fire;
	uint8_t level;
	uint8_t slot;
};

struct timer_wheel {
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
	uint64_t occupied[TIMER_LEVELS]; /* a bit per slot that is not empty */
	uint64_t tick;                   /* the tick up to which everything has fired */
	uint64_t count;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/*
 * Before the first start. `fire` is called with the timer stopped; it may start it again, or free
 * it.
 */
void timer_init(struct timer *timer, timer_fn fire);
/* Starts, or moves, the timer: it fires not before `now_ms` + `delay_ms`. */
void timer_start(
	struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms, uint64_t delay_ms);
/* Harmless on a timer that is stopped. */
void timer_stop(struct timer_wheel *wheel, struct timer *timer);
bool timer_active(const struct timer *timer);

/* Fires all that is due at `now_ms`, in order of tick. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);
/*
 * Milliseconds from `now_ms` to when timer_wheel_advance should be called next: at or before the
 * earliest deadline (a far deadline is met in a few hops). UINT64_MAX where no timer is active, so
 * that an idle loop sleeps.
 */
uint64_t timer_wheel_next_ms(const struct timer_wheel *wheel, uint64_t now_ms);

#endif

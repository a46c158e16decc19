/*
 * Layer: pool (sees base; seen by proxy). One job: the circuit breaker of one upstream, shared by
 * all workers: whether an exchange may try it. Functions of state and time, without I/O; any
 * thread.
 *
 *   CLOSED --`failures` in a row--> OPEN --`open_ms` later, to the first that asks--> HALF_OPEN
 *   HALF_OPEN --the probe worked--> CLOSED; --it failed--> OPEN; --it was given up--> the next
 * probe
 *
 * No timer runs: who asks after the time gets the probe. What was let in before the breaker changed
 * its state says nothing of the time after, so its outcome is ignored then.
 *
 * All of it is one word, changed by compare-and-swap. While nothing fails it is only read: to let
 * an exchange in and to note that it worked are one load each, of a line that nobody writes.
 */
#ifndef SIGHTGLASS_POOL_BREAKER_H
#define SIGHTGLASS_POOL_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct breaker_settings {
	uint32_t failures; /* in a row; 0 = off */
	uint64_t open_ms;
};

struct breaker {
	_Atomic uint64_t word; /* state, generation, and the state's number; see breaker.c */
	struct breaker_settings settings;
};

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN, /* a probe runs, or the next that asks becomes one */
};

/* What an exchange was let in with. Embedded in it; all zero: with nothing. */
struct breaker_pass {
	uint16_t generation;
	bool valid; /* nothing was said yet of its outcome */
	bool probe;
};

/* What became of the breaker. */
enum breaker_change {
	BREAKER_STAYS,
	BREAKER_OPENS, /* it was closed */
	BREAKER_OPENS_AGAIN,
	BREAKER_CLOSES,
};

void breaker_init(struct breaker *breaker, const struct breaker_settings *settings);

/* Whether an exchange may try the upstream: then `pass` is valid, and its outcome must be told by
 * one of the next three. Else `*wait_ms` is how long it stays open; 0 where a probe runs. */
bool breaker_enter(
	struct breaker *breaker, uint64_t now_ms, struct breaker_pass *pass, uint64_t *wait_ms);
/* These three use the pass up; on one that is not valid they do nothing. */
enum breaker_change breaker_worked(struct breaker *breaker, struct breaker_pass *pass);
/* `dice`: any random number. A breaker that opens again does so for a tenth less or more, so that
 * many proxies do not try one upstream at once. */
enum breaker_change breaker_failed(
	struct breaker *breaker, struct breaker_pass *pass, uint64_t now_ms, uint64_t dice);
/* It ended without a word about the upstream. A probe is the next one's then. */
void breaker_leave(struct breaker *breaker, struct breaker_pass *pass);

/* How it stands; `*wait_ms` is how long it stays open, 0 in the other states. */
enum breaker_state breaker_look(const struct breaker *breaker, uint64_t now_ms, uint64_t *wait_ms);

#endif

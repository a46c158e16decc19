/*
 * Layer: pool (sees base). One job: how often something happened in the last minute: a counter for
 * each second of it, written by one thread and read by any, without a timer. Noting costs a load
 * and a store.
 */
#ifndef SIGHTGLASS_POOL_MINUTE_H
#define SIGHTGLASS_POOL_MINUTE_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	MINUTE_SECONDS = 60,
};

struct minute { /* all zero: nothing yet */
	/* At its number modulo 60, each second: its number above, how often below. */
	_Atomic uint64_t seconds[MINUTE_SECONDS];
};

/* Once more, in that second (of the monotonic clock). The writer alone. */
void minute_add(struct minute *minute, uint64_t now_s);
/* In the 60 seconds that end with this one. Any thread. */
uint64_t minute_sum(const struct minute *minute, uint64_t now_s);

#endif

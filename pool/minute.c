/*
 * Layer: pool. One job: see minute.h.
 */
#include "pool/minute.h"

enum {
	COUNT_BITS = 32, /* what is left holds the number of a second for 136 years */
};

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

void minute_add(struct minute *minute, uint64_t now_s)
{
	_Atomic uint64_t *slot = &minute->seconds[now_s % MINUTE_SECONDS];
	uint64_t held = atomic_load_explicit(slot, memory_order_relaxed);

	if (held >> COUNT_BITS != now_s) {
		held = now_s << COUNT_BITS;
	}
	atomic_store_explicit(slot, held + 1, memory_order_relaxed);
}

uint64_t minute_sum(const struct minute *minute, uint64_t now_s)
{
	uint64_t sum = 0;

	for (int i = 0; i < MINUTE_SECONDS; i++) {
		uint64_t held = atomic_load_explicit(&minute->seconds[i], memory_order_relaxed);
		uint64_t second = held >> COUNT_BITS;

		/* The writer's clock may be a little ahead of ours. */
		if (second + MINUTE_SECONDS > now_s && second <= now_s + 1) {
			sum += held & COUNT_MASK;
		}
	}
	return sum;
}

/*
 * Layer: inspector (sees base). One job: how long things took, counted in fixed buckets: one thread
 * writes, without a lock or an atomic addition; any thread reads.
 */
#ifndef SIGHTGLASS_INSPECTOR_HISTOGRAM_H
#define SIGHTGLASS_INSPECTOR_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	HISTOGRAM_BUCKETS = 19,
};

/* Up to where each bucket goes, in microseconds, rising; the last one has no bound. */
extern const uint64_t histogram_bounds_us[HISTOGRAM_BUCKETS - 1];

struct histogram { /* all zero is an empty one */
	_Atomic uint64_t counts[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum_us;
};

/* What a reader has added up. */
struct histogram_sum {
	uint64_t counts[HISTOGRAM_BUCKETS]; /* of each bucket by itself */
	uint64_t sum_us;
};

/* The writer alone. */
void histogram_note(struct histogram *histogram, uint64_t duration_us);
/* Any thread. `histogram` may be NULL: nothing is added. */
void histogram_add_to(const struct histogram *histogram, struct histogram_sum *sum);

#endif

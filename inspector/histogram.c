/*
 * Layer: inspector. One job: see histogram.h.
 *
 * The bounds are those that OpenTelemetry advises for HTTP (5 ms to 10 s), with finer ones below
 * for an upstream on the same machine, and two above for reports and event streams.
 */
#include "inspector/histogram.h"

#include <stddef.h>

const uint64_t histogram_bounds_us[HISTOGRAM_BUCKETS - 1] = {1000, 2500, 5000, 10000, 25000, 50000,
	75000, 100000, 250000, 500000, 750000, 1000000, 2500000, 5000000, 7500000, 10000000,
	30000000, 60000000};

/* A load and a store instead of an atomic addition: there is one writer. */
static void add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
		memory_order_relaxed);
}

void histogram_note(struct histogram *histogram, uint64_t duration_us)
{
	unsigned bucket = 0;

	while (bucket < HISTOGRAM_BUCKETS - 1 && duration_us > histogram_bounds_us[bucket]) {
		bucket++;
	}
	add(&histogram->counts[bucket], 1);
	add(&histogram->sum_us, duration_us);
}

void histogram_add_to(const struct histogram *histogram, struct histogram_sum *sum)
{
	if (histogram == NULL) {
		return;
	}
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum->counts[i] += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
	}
	sum->sum_us += atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
}

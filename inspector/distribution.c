/*
 * Layer: inspector. One job: see distribution.h.
 *
 * Linear buckets within each doubling (as in HdrHistogram) in the place of buckets that each are a
 * factor wider (as in DDSketch, which needs 18 to a doubling for 2 %): the bucket is found by
 * counting leading zeros and a shift, not by a logarithm.
 */
#include "inspector/distribution.h"

#include <stddef.h>

#include "base/memory.h"

enum {
	STEP_BITS = 5,
	LARGEST_BIT = DISTRIBUTION_PAGES + STEP_BITS - 2, /* of what has a bucket of its own */
};

_Static_assert(1 << STEP_BITS == DISTRIBUTION_STEPS, "a page is a doubling");

struct distribution_page {
	_Atomic uint32_t counts[DISTRIBUTION_STEPS];
};

unsigned distribution_bucket(uint64_t duration_us)
{
	unsigned highest_bit;
	unsigned shift;

	if (duration_us < DISTRIBUTION_STEPS) {
		return (unsigned)duration_us;
	}
	highest_bit = 63 - (unsigned)__builtin_clzll(duration_us);
	if (highest_bit > LARGEST_BIT) {
		return DISTRIBUTION_BUCKETS - 1;
	}
	shift = highest_bit - STEP_BITS;
	return (shift << STEP_BITS) + (unsigned)(duration_us >> shift);
}

uint64_t distribution_value(unsigned bucket)
{
	unsigned page = bucket / DISTRIBUTION_STEPS;
	uint64_t step = bucket % DISTRIBUTION_STEPS;
	unsigned shift;

	if (page == 0) {
		return step;
	}
	shift = page - 1;
	return ((DISTRIBUTION_STEPS + step) << shift) + (UINT64_C(1) << shift) / 2;
}

unsigned distribution_coarse(unsigned bucket)
{
	return bucket / DISTRIBUTION_STEPS * DISTRIBUTION_STEPS + DISTRIBUTION_STEPS / 2;
}

void distribution_note(struct distribution *distribution, unsigned bucket)
{
	struct distribution_page *_Atomic *place =
		&distribution->pages[bucket / DISTRIBUTION_STEPS];
	struct distribution_page *page = atomic_load_explicit(place, memory_order_relaxed);
	_Atomic uint32_t *counter;
	uint32_t count;

	if (page == NULL) {
		page = mem_zalloc(sizeof(*page));
		atomic_store_explicit(place, page, memory_order_release);
	}
	counter = &page->counts[bucket % DISTRIBUTION_STEPS];
	count = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(
		counter, count == UINT32_MAX ? count : count + 1, memory_order_relaxed);
}

void distribution_fini(struct distribution *distribution)
{
	for (unsigned i = 0; i < DISTRIBUTION_PAGES; i++) {
		mem_free(distribution->pages[i]);
	}
}

uint64_t distribution_memory_max(void)
{
	return DISTRIBUTION_PAGES * sizeof(struct distribution_page);
}

void distribution_sum_add(struct distribution_sum *sum, unsigned bucket, uint32_t count)
{
	uint32_t *counter = &sum->counts[bucket];

	*counter = count > UINT32_MAX - *counter ? UINT32_MAX : *counter + count;
	sum->total += count;
}

void distribution_add_to(const struct distribution *distribution, struct distribution_sum *sum)
{
	for (unsigned i = 0; i < DISTRIBUTION_PAGES; i++) {
		const struct distribution_page *page =
			atomic_load_explicit(&distribution->pages[i], memory_order_acquire);

		for (unsigned step = 0; page != NULL && step < DISTRIBUTION_STEPS; step++) {
			distribution_sum_add(sum, i * DISTRIBUTION_STEPS + step,
				atomic_load_explicit(&page->counts[step], memory_order_relaxed));
		}
	}
}

uint64_t distribution_quantile(const struct distribution_sum *sum, unsigned per_mille)
{
	uint64_t all = 0;
	uint64_t rank;
	unsigned bucket = 0;

	for (unsigned i = 0; i < DISTRIBUTION_BUCKETS; i++) {
		all += sum->counts[i];
	}
	if (all == 0) {
		return 0;
	}
	rank = (all * per_mille + 999) / 1000;
	rank = rank == 0 ? 1 : rank;
	for (; rank > sum->counts[bucket]; bucket++) {
		rank -= sum->counts[bucket];
	}
	return distribution_value(bucket);
}

/*
 * Layer: inspector (sees base). One job: hand out runs of one fixed region of memory, exactly as
 * long as wanted, and take them back so that free neighbours become one run again.
 *
 * The unit is the granule. Free runs stand in lists by size, eight to each power of two, so that
 * taking and giving cost the same however many there are; a run is found that is at most an eighth
 * longer than need be, and what is too much stays free. (A buddy allocator was tried: what it
 * cannot use beside blocks trimmed to their size was up to half of the memory where all records are
 * alike.) Bookkeeping beside the region is one byte a granule. The region is mapped when it is
 * made, and touched from its beginning on as it is needed: `fresh` is where what was never needed,
 * or is free up to the end, begins. No locks: its owner has one.
 */
#ifndef SIGHTGLASS_INSPECTOR_REGION_H
#define SIGHTGLASS_INSPECTOR_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum {
	REGION_GRANULE = 64,
	REGION_LEVELS = 30, /* sizes below 8, then one level for each power of two */
	REGION_STEPS = 8,   /* lists of a level */
};

struct region {
	char *base;
	uint8_t *marks; /* of each granule: whether a free run begins, or ends, with it */
	uint32_t granules;
	uint32_t fresh;
	uint32_t taken;
	uint32_t levels;              /* a bit for each level with a free run */
	uint8_t steps[REGION_LEVELS]; /* the same for its lists */
	struct list free[REGION_LEVELS][REGION_STEPS];
};

/* How many granules hold `bytes`. */
static inline uint32_t region_granules(size_t bytes)
{
	return (uint32_t)((bytes + REGION_GRANULE - 1) / REGION_GRANULE);
}

/* A region of at most `bytes`, in whole granules; may be empty. Aborts where the system has no
 * address space for it. */
void region_init(struct region *region, uint64_t bytes);
void region_fini(struct region *region);
/* The most memory that such a region takes, its bookkeeping included. */
uint64_t region_memory_max(uint64_t bytes);

/*
 * A run of `wanted` granules, or where none is that long, of as many as there are, but at least
 * `least` (1 <= least <= wanted); `*got` says how many. Its content is undefined. NULL where there
 * is none (or one that is longer than `least` by less than an eighth was overlooked).
 */
void *region_take(struct region *region, uint32_t wanted, uint32_t least, uint32_t *got);
/* Gives back the end of a run, of which the first `kept` (at least 1) stay taken. */
void region_trim(struct region *region, void *run, uint32_t granules, uint32_t kept);
void region_give(struct region *region, void *run, uint32_t granules);

#endif

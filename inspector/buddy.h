/*
 * Layer: inspector. One job: hand out blocks of one fixed region of memory, and take them back so
 * that they grow together again (a binary buddy allocator).
 *
 * The unit is the granule. A block is taken as a power of two of them, and may be trimmed to the
 * part that was used: what it does not need goes back at once, so that no more than a part of one
 * granule is lost to a block. Bookkeeping lies outside the region, one byte a granule, and is given
 * by nobody's bytes. The region is mapped when it is made and touched when it is used. No locks:
 * its owner has one.
 */
#ifndef SIGHTGLASS_INSPECTOR_BUDDY_H
#define SIGHTGLASS_INSPECTOR_BUDDY_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum {
	BUDDY_GRANULE = 128,
	BUDDY_ORDERS = 32,
};

struct buddy {
	char *base;
	uint8_t *free_order; /* a granule's: the order of the free block that begins there, plus 1;
				else 0 */
	uint32_t granules;   /* the region */
	uint32_t taken;      /* of them */
	uint32_t orders;     /* a bit for each order that has a free block */
	struct list free[BUDDY_ORDERS];
};

/* How many granules hold `bytes`. */
static inline uint32_t buddy_granules(size_t bytes)
{
	return (uint32_t)((bytes + BUDDY_GRANULE - 1) / BUDDY_GRANULE);
}

/* A region of at most `bytes`, in whole granules; may be empty. Aborts where the system has no
 * address space for it. */
void buddy_init(struct buddy *buddy, uint64_t bytes);
void buddy_fini(struct buddy *buddy);
/* The most memory that such a region takes, its bookkeeping included. */
uint64_t buddy_memory_max(uint64_t bytes);

/*
 * A block of the next power of two of `wanted` granules (at least 1), aligned to BUDDY_GRANULE, its
 * content undefined; `*got` says how large it is. NULL where no free block is that large.
 */
void *buddy_take(struct buddy *buddy, uint32_t wanted, uint32_t *got);
/* The largest block that could be taken, in granules; 0 where all is taken. */
uint32_t buddy_largest(const struct buddy *buddy);
/* Keeps the first `kept` (at least 1) of a block's granules. */
void buddy_trim(struct buddy *buddy, void *block, uint32_t granules, uint32_t kept);
/* Gives back a block of which `granules` were kept. */
void buddy_give(struct buddy *buddy, void *block, uint32_t granules);

#endif

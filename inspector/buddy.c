/*
 * Layer: inspector. One job: blocks of one region; see buddy.h.
 */
#include "inspector/buddy.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Under AddressSanitizer, what is free may not be touched: a reader without a reference is found at
 * once. */
#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif
#ifdef POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

static_assert(sizeof(struct list) <= BUDDY_GRANULE, "a free block holds its own list node");

static char *address_of(const struct buddy *buddy, uint32_t at)
{
	return buddy->base + (size_t)at * BUDDY_GRANULE;
}

static uint32_t index_of(const struct buddy *buddy, const void *block)
{
	size_t offset = (size_t)((const char *)block - buddy->base);

	assert(offset % BUDDY_GRANULE == 0 && offset / BUDDY_GRANULE < buddy->granules);
	return (uint32_t)(offset / BUDDY_GRANULE);
}

static unsigned floor_log2(uint32_t value)
{
	return 31u - (unsigned)__builtin_clz(value);
}

static unsigned ceil_log2(uint32_t value)
{
	return value <= 1 ? 0 : floor_log2(value - 1) + 1;
}

static void list_free_block(struct buddy *buddy, uint32_t at, unsigned order)
{
	struct list *node = (struct list *)(void *)address_of(buddy, at);

	ASAN_POISON_MEMORY_REGION(node, (size_t)BUDDY_GRANULE << order);
	ASAN_UNPOISON_MEMORY_REGION(node, sizeof(*node));
	buddy->free_order[at] = (uint8_t)(order + 1);
	list_push_front(&buddy->free[order], node);
	buddy->orders |= 1u << order;
}

static void unlist_free_block(struct buddy *buddy, uint32_t at, unsigned order)
{
	list_remove((struct list *)(void *)address_of(buddy, at));
	buddy->free_order[at] = 0;
	if (list_empty(&buddy->free[order])) {
		buddy->orders &= ~(1u << order);
	}
}

/* Frees a block and lets it grow together with its other half as long as that is free, too. */
static void free_block(struct buddy *buddy, uint32_t at, unsigned order)
{
	while (order + 1 < BUDDY_ORDERS) {
		uint32_t other = at ^ (1u << order);

		/* Of a region that is no power of two, the last blocks have no other half. */
		if (other >= buddy->granules || buddy->free_order[other] != order + 1) {
			break;
		}
		unlist_free_block(buddy, other, order);
		at &= ~(1u << order);
		order++;
	}
	list_free_block(buddy, at, order);
}

/* Frees any run of granules, as the fewest aligned blocks. */
static void free_run(struct buddy *buddy, uint32_t at, uint32_t granules)
{
	while (granules > 0) {
		unsigned order = floor_log2(granules);

		if (at != 0 && (unsigned)__builtin_ctz(at) < order) {
			order = (unsigned)__builtin_ctz(at);
		}
		free_block(buddy, at, order);
		at += 1u << order;
		granules -= 1u << order;
	}
}

static void *map(uint64_t bytes)
{
	void *at = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	if (at == MAP_FAILED) {
		/* Not to the log: it writes later, and there is no later. */
		fprintf(stderr, "sightglass: no memory for the capture: %llu bytes: %s\n",
			(unsigned long long)bytes, strerror(errno));
		abort();
	}
	return at;
}

static uint32_t granules_of_region(uint64_t bytes)
{
	uint64_t granules = bytes / BUDDY_GRANULE;

	return granules > INT32_MAX ? (uint32_t)INT32_MAX : (uint32_t)granules;
}

void buddy_init(struct buddy *buddy, uint64_t bytes)
{
	*buddy = (struct buddy){.granules = granules_of_region(bytes)};
	for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
		list_init(&buddy->free[order]);
	}
	if (buddy->granules > 0) {
		buddy->base = map((uint64_t)buddy->granules * BUDDY_GRANULE);
		buddy->free_order = map(buddy->granules);
		free_run(buddy, 0, buddy->granules);
	}
}

void buddy_fini(struct buddy *buddy)
{
	if (buddy->granules > 0) {
		size_t size = (size_t)buddy->granules * BUDDY_GRANULE;

		ASAN_UNPOISON_MEMORY_REGION(buddy->base, size);
		munmap(buddy->base, size);
		munmap(buddy->free_order, buddy->granules);
	}
}

uint64_t buddy_memory_max(uint64_t bytes)
{
	return (uint64_t)granules_of_region(bytes) * (BUDDY_GRANULE + 1);
}

void *buddy_take(struct buddy *buddy, uint32_t wanted, uint32_t *got)
{
	unsigned order;
	unsigned from;
	uint32_t fitting;
	uint32_t at;
	char *block;

	if (wanted > buddy->granules) {
		return NULL;
	}
	order = ceil_log2(wanted);
	fitting = order < BUDDY_ORDERS ? buddy->orders >> order : 0;
	if (fitting == 0) {
		return NULL;
	}
	from = order + (unsigned)__builtin_ctz(fitting);
	at = index_of(buddy, buddy->free[from].next);
	unlist_free_block(buddy, at, from);
	while (from > order) { /* the upper halves stay */
		from--;
		list_free_block(buddy, at + (1u << from), from);
	}
	block = address_of(buddy, at);
	*got = 1u << order;
	buddy->taken += *got;
	ASAN_UNPOISON_MEMORY_REGION(block, (size_t)*got * BUDDY_GRANULE);
	return block;
}

uint32_t buddy_largest(const struct buddy *buddy)
{
	return buddy->orders == 0 ? 0 : 1u << floor_log2(buddy->orders);
}

void buddy_trim(struct buddy *buddy, void *block, uint32_t granules, uint32_t kept)
{
	assert(kept > 0 && kept <= granules);
	free_run(buddy, index_of(buddy, block) + kept, granules - kept);
	buddy->taken -= granules - kept;
}

void buddy_give(struct buddy *buddy, void *block, uint32_t granules)
{
	assert(granules > 0 && granules <= buddy->taken);
	free_run(buddy, index_of(buddy, block), granules);
	buddy->taken -= granules;
}

/*
 * Layer: base. One job: the arena and its pool of blocks. Under AddressSanitizer what is not handed
 * out is poisoned, so that a pointer that outlives its exchange, or runs past its allocation, is
 * caught as on the heap.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#endif

enum {
	ALIGNMENT = 16,
};

struct arena_block {
	_Alignas(ALIGNMENT) struct arena_block *next;
	size_t room; /* bytes behind this header */
};

enum {
	STANDARD_ROOM = ARENA_BLOCK_SIZE - sizeof(struct arena_block),
};

static char *block_start(struct arena_block *block)
{
	return (char *)(block + 1);
}

static size_t round_up(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static struct arena_block *block_create(size_t room)
{
	struct arena_block *block = mem_alloc(sizeof(*block) + room);

	block->room = room;
	ASAN_POISON_MEMORY_REGION(block_start(block), room);
	return block;
}

static void block_destroy(struct arena_block *block)
{
	ASAN_UNPOISON_MEMORY_REGION(block_start(block), block->room);
	mem_free(block);
}

static struct arena_block *pool_take(struct arena_pool *pool)
{
	struct arena_block *block = pool->spare;

	if (block == NULL) {
		return block_create(STANDARD_ROOM);
	}
	pool->spare = block->next;
	pool->count--;
	return block;
}

static void pool_give(struct arena_pool *pool, struct arena_block *block)
{
	if (block->room != STANDARD_ROOM || pool->count >= pool->keep) {
		block_destroy(block);
		return;
	}
	ASAN_POISON_MEMORY_REGION(block_start(block), block->room);
	block->next = pool->spare;
	pool->spare = block;
	pool->count++;
}

/* A block of its own, put behind the newest one, whose free part stays in use. */
static void *alloc_large(struct arena *arena, size_t size)
{
	struct arena_block *block = block_create(size);

	if (arena->blocks == NULL) {
		block->next = NULL;
		arena->blocks = block; /* `next` and `end` stay equal: it has no free part */
	} else {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	}
	return block_start(block);
}

void arena_pool_init(struct arena_pool *pool, size_t keep)
{
	*pool = (struct arena_pool){.keep = keep};
}

void arena_pool_fini(struct arena_pool *pool)
{
	while (pool->spare != NULL) {
		struct arena_block *block = pool->spare;

		pool->spare = block->next;
		block_destroy(block);
	}
	pool->count = 0;
}

void arena_init(struct arena *arena, struct arena_pool *pool, size_t bound)
{
	*arena = (struct arena){.pool = pool, .bound = bound};
}

void arena_reset(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		pool_give(arena->pool, block);
	}
	arena_init(arena, arena->pool, arena->bound);
}

void arena_wipe(struct arena *arena)
{
	for (struct arena_block *block = arena->blocks; block != NULL; block = block->next) {
		ASAN_UNPOISON_MEMORY_REGION(block_start(block), block->room);
		mem_wipe(block_start(block), block->room);
	}
	arena_reset(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t rounded;
	char *ptr;

	if (size == 0) {
		size = 1; /* so that every allocation has an address of its own */
	}
	if (size > arena->bound || round_up(size) > arena->bound - arena->used) {
		return NULL;
	}
	rounded = round_up(size);
	arena->used += rounded;
	if (rounded <= (size_t)(arena->end - arena->next)) {
		ptr = arena->next;
		arena->next += rounded;
	} else if (rounded > STANDARD_ROOM / 2) {
		/* Beginning a new block for it would leave much of the newest one unused. */
		ptr = alloc_large(arena, rounded);
	} else {
		struct arena_block *block = pool_take(arena->pool);

		block->next = arena->blocks;
		arena->blocks = block;
		ptr = block_start(block);
		arena->next = ptr + rounded;
		arena->end = ptr + STANDARD_ROOM;
	}
	ASAN_UNPOISON_MEMORY_REGION(ptr, size);
	return ptr;
}

void *arena_grow(struct arena *arena, void *ptr, size_t old_size, size_t size)
{
	size_t held = round_up(old_size);
	void *moved;

	assert(size >= old_size && (ptr != NULL || old_size == 0));
	if (old_size > 0 && (char *)ptr + held == arena->next) {
		size_t more = round_up(size) - held;

		if (size > arena->bound || more > arena->bound - arena->used) {
			return NULL;
		}
		if (more <= (size_t)(arena->end - arena->next)) {
			arena->used += more;
			arena->next += more;
			ASAN_UNPOISON_MEMORY_REGION(ptr, size);
			return ptr;
		}
	}
	moved = arena_alloc(arena, size);
	if (moved != NULL && old_size > 0) {
		memcpy(moved, ptr, old_size);
	}
	return moved;
}

bool arena_dup(struct arena *arena, struct slice src, struct slice *out)
{
	char *copy = src.len < SIZE_MAX ? arena_alloc(arena, src.len + 1) : NULL;

	if (copy == NULL) {
		return false;
	}
	if (src.len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(copy, src.ptr, src.len);
	}
	copy[src.len] = '\0';
	*out = slice_of(copy, src.len);
	return true;
}

/*
 * Layer: base. One job: the memory of one exchange: many small allocations that end together, under
 * a bound. Blocks come from a pool that one event loop owns, so that a busy loop neither calls
 * malloc nor free.
 */
#ifndef SIGHTGLASS_BASE_ARENA_H
#define SIGHTGLASS_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

enum {
	ARENA_BLOCK_SIZE = 4096, /* with its header; larger wants get a heap block of their own */
};

struct arena_block;

/* Spare blocks of one loop, at most `keep` of them; the rest goes back to the heap. */
struct arena_pool {
	struct arena_block *spare;
	size_t count;
	size_t keep;
};

struct arena {
	struct arena_pool *pool;
	struct arena_block *blocks; /* newest first */
	char *next;                 /* the free part of the newest block */
	char *end;
	size_t used;  /* bytes asked for, rounded up to alignment */
	size_t bound; /* `used` never exceeds this */
};

void arena_pool_init(struct arena_pool *pool, size_t keep);
void arena_pool_fini(struct arena_pool *pool);

/* Takes no block yet: an arena without allocations costs nothing. */
void arena_init(struct arena *arena, struct arena_pool *pool, size_t bound);
/* Gives every block back; the arena is then as after arena_init. */
void arena_reset(struct arena *arena);
/* The same, after overwriting all that was in it. */
void arena_wipe(struct arena *arena);

/*
 * Aligned to 16 bytes. NULL where the bound would be passed: an answer for the peer, not an abort.
 */
void *arena_alloc(struct arena *arena, size_t size);
/*
 * Makes an allocation larger: in place where it is the latest one and its block has room, else by a
 * copy (the old bytes then stay, and stay counted). `ptr` may be NULL where `old_size` is 0. NULL
 * where the bound would be passed; the old allocation is then as it was.
 */
void *arena_grow(struct arena *arena, void *ptr, size_t old_size, size_t size);
/*
 * As arena_alloc; a copy with a NUL behind it (not counted in `out->len`). False where the bound is
 * reached.
 */
bool arena_dup(struct arena *arena, struct slice src, struct slice *out);

#endif

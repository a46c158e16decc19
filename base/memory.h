/*
 * Layer: base. One job: the heap, with the project's one policy: the heap aborts, a bound fails.
 * Whatever a peer can make grow is counted against a bound before it comes here; see base/arena.h.
 */
#ifndef SIGHTGLASS_BASE_MEMORY_H
#define SIGHTGLASS_BASE_MEMORY_H

#include <stddef.h>

/* As malloc, calloc, realloc, but they log and abort where the heap is exhausted: never NULL. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *ptr, size_t size);
/* Aborts also where count * size overflows. */
void *mem_alloc_array(size_t count, size_t size);
char *mem_strdup(const char *text);
void mem_free(void *ptr);
/*
 * Overwrites what held a secret, though nobody reads it any more (explicit_bzero, which macOS does
 * not have). `ptr` may be NULL where `size` is 0.
 */
void mem_wipe(void *ptr, size_t size);

#endif

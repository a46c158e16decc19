/*
 * Layer: base. One job: unpredictable bytes without a system call per use: ChaCha-quality seeds
 * from getrandom(2), fetched 4 KiB at a time into a per-thread pool. Good for IDs and tokens.
 */
#ifndef SIGHTGLASS_BASE_RANDOM_H
#define SIGHTGLASS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `out` from the calling thread's pool. Aborts where the system has no randomness. */
void random_bytes(void *out, size_t size);
uint64_t random_u64(void);

#endif

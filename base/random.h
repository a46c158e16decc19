/*
 * Layer: base. One job: random bytes, of two kinds: what nobody may guess comes from the system,
 * what only has to be unique from a generator of the calling thread, without a system call.
 */
#ifndef SIGHTGLASS_BASE_RANDOM_H
#define SIGHTGLASS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* For keys and tokens: a system call each. Aborts where the system has no randomness. */
void random_bytes(void *out, size_t size);
/* The same, as a number. */
uint64_t random_u64(void);

/*
 * For identifiers, which are shown to everybody: unique, but whoever has seen some can work out the
 * next. xoshiro256++ (Blackman and Vigna, 2019), begun by each thread with 256 bits of the
 * system's. getrandom() for each would be a system call in eight requests (it gives 256 bytes at a
 * time), 0.2 us of each.
 */
void random_unique(void *out, size_t size);

#endif

/*
 * Layer: base. One job: random bytes; see random.h.
 */
#include "base/random.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

/* A thread's own: two threads never share a state, and no lock is needed. The program does not
 * fork. */
static _Thread_local struct {
	uint64_t state[4];
	bool begun;
} generator;

void random_bytes(void *out, size_t size)
{
	int rc = uv_random(NULL, NULL, out, size, 0, NULL); /* now, not later */

	if (rc != 0) {
		fprintf(stderr, "sightglass: no randomness: %s\n", uv_strerror(rc));
		abort();
	}
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
	return (value << bits) | (value >> (64 - bits));
}

static uint64_t next(uint64_t state[static 4])
{
	uint64_t value = rotate_left(state[0] + state[3], 23) + state[0];
	uint64_t shifted = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= shifted;
	state[3] = rotate_left(state[3], 45);
	return value;
}

void random_unique(void *out, size_t size)
{
	unsigned char *at = out;

	if (!generator.begun) {
		random_bytes(generator.state, sizeof(generator.state));
		generator.state[0] |= 1; /* all zero would stay so */
		generator.begun = true;
	}
	while (size > 0) {
		uint64_t value = next(generator.state);
		size_t part = size < sizeof(value) ? size : sizeof(value);

		memcpy(at, &value, part);
		at += part;
		size -= part;
	}
}

/*
 * Layer: base. One job: hand out the system's randomness from a pool of the calling thread. Bytes
 * that were handed out are wiped from the pool, so that a token cannot be read back from it.
 */
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

enum {
	POOL_SIZE = 4096,
};

/*
 * A thread's own: two threads never share bytes, and no lock is needed. The program does not fork.
 */
static _Thread_local struct {
	unsigned char bytes[POOL_SIZE];
	size_t left; /* unused ones, at the front */
} pool;

static void refill(void)
{
	int rc =
		uv_random(NULL, NULL, pool.bytes, sizeof(pool.bytes), 0, NULL); /* now, not later */

	if (rc != 0) {
		fprintf(stderr, "sightglass: no randomness: %s\n", uv_strerror(rc));
		abort();
	}
	pool.left = sizeof(pool.bytes);
}

void random_bytes(void *out, size_t size)
{
	unsigned char *at = out;

	while (size > 0) {
		size_t part;

		if (pool.left == 0) {
			refill();
		}
		part = size < pool.left ? size : pool.left;
		pool.left -= part;
		memcpy(at, pool.bytes + pool.left, part);
		memset(pool.bytes + pool.left, 0, part);
		at += part;
		size -= part;
	}
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

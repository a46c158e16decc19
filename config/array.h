/*
 * Layer: config. One job: arrays that grow by one element at a time.
 */
#ifndef SIGHTGLASS_CONFIG_ARRAY_H
#define SIGHTGLASS_CONFIG_ARRAY_H

#include <stddef.h>

#include "base/memory.h"

/*
 * Room for one more element behind `count` of them. The array has room for as many as the next
 * power of two, so that no capacity need be remembered and n elements are copied n times at most.
 * `array` may be NULL where `count` is 0; the one that is returned takes its place.
 */
static inline void *array_grow(void *array, size_t count, size_t element_size)
{
	if ((count & (count - 1)) != 0) { /* between two powers of two there is room */
		return array;
	}
	return mem_realloc(array, (count == 0 ? 1 : 2 * count) * element_size);
}

#endif

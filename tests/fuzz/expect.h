/*
 * assert() that is there in every build and says which input-independent rule broke.
 */
#ifndef SIGHTGLASS_TESTS_FUZZ_EXPECT_H
#define SIGHTGLASS_TESTS_FUZZ_EXPECT_H

#include <stdio.h>
#include <stdlib.h>

#define EXPECT(rule)                                                                               \
	do {                                                                                       \
		if (!(rule)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #rule);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif

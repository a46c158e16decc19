/*
 * For tests of parsers: bytes that end where an unreadable page begins, so that reading one too
 * many ends the test.
 */
#ifndef SIGHTGLASS_TESTS_GUARDED_H
#define SIGHTGLASS_TESTS_GUARDED_H

#include "base/slice.h"

enum {
	GUARDED_MAX = 256 * 1024,
};

/*
 * A copy of `bytes` (at most GUARDED_MAX) right before the page. Valid until the next call: there
 * is one such place.
 */
struct slice guarded_copy(struct slice bytes);

#endif

/*
 * Layer: inspector. One job: who goes when the ring is full. Pure: no state, no I/O.
 *
 * Records are of three classes. Of a bound (entries, or bytes), a quarter is kept for failed
 * exchanges, a quarter for mutations, and half is shared by all: reads have nothing of their own.
 * What a class leaves of its quarter is lent to the others, and comes back to it because whoever
 * stands above his own quarter is the one who gives way:
 *
 *   - a record may go if its class, without it, still fills its own quarter; of those that may, the
 * one that ended first goes;
 *   - where nobody may, the newcomer's own class gives its oldest: it loses nothing by that;
 *   - running exchanges never go: where only they are left, there is no place for the newcomer.
 *
 * A failed mutation counts as failed. When its turn to go has come there, it goes on as a mutation,
 * as the newest of them: so not even a flood of failing reads pushes out the failed submit.
 */
#ifndef SIGHTGLASS_INSPECTOR_RETENTION_H
#define SIGHTGLASS_INSPECTOR_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "http/head.h"

enum capture_class {
	CLASS_READ,     /* GET, HEAD, OPTIONS */
	CLASS_MUTATION, /* every other method */
	CLASS_FAILED,   /* ended with status >= 500 or an error */
	CLASSES,        /* how many there are; as an answer: none */
};

/* "read", "mutation", "failed" */
const char *capture_class_name(enum capture_class class_of);
/* While it runs, and where it does not fail. */
enum capture_class retention_class(enum method method);

/* What one class holds, measured in the unit of the bound that is full. */
struct retention_holding {
	uint64_t amount; /* running ones included */
	bool evictable; /* it has a record that has ended; the next two are about the one that ended
			   first */
	uint64_t oldest; /* when it ended, on a counter that all classes share */
	uint64_t gives;  /* the amount that goes with it */
};

/* How much of a bound is kept for a class. */
uint64_t retention_share(enum capture_class class_of, uint64_t bound);
/* The class whose oldest record goes for a newcomer's sake; CLASSES where nobody may go. */
enum capture_class retention_choose(const struct retention_holding holdings[static CLASSES],
	uint64_t bound, enum capture_class newcomer);

#endif

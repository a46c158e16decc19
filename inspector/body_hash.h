/*
 * Layer: inspector. One job: the hash of a body, XXH3 of 128 bits: while it passes, where it cannot
 * all be kept; else from what was kept, when somebody asks.
 */
#ifndef SIGHTGLASS_INSPECTOR_BODY_HASH_H
#define SIGHTGLASS_INSPECTOR_BODY_HASH_H

#include "base/slice.h"
#include "inspector/record_layout.h"

struct body_hash; /* a running one */

struct body_hash_spares { /* of one worker; all zero is an empty one */
	struct body_hash *first;
	unsigned count;
};

/* Never NULL; ended by body_hash_end(), with the same spares. */
struct body_hash *body_hash_begin(struct body_hash_spares *spares);
void body_hash_add(struct body_hash *hash, struct slice bytes);
/* Puts the hash of all that was added into the record, to be read once `ended` is set. */
void body_hash_end(
	struct body_hash *hash, struct body_hash_spares *spares, struct record_body_data *body);
void body_hash_spares_fini(struct body_hash_spares *spares);

#endif

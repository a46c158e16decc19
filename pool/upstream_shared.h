/*
 * Layer: pool, for its own files alone. One job: the parts of an upstream that its pools write to.
 */
#ifndef SIGHTGLASS_POOL_UPSTREAM_SHARED_H
#define SIGHTGLASS_POOL_UPSTREAM_SHARED_H

#include "pool/places.h"
#include "pool/tally.h"
#include "pool/upstream.h"

/* All of them live as long as the upstream, and are for any thread. */
const struct pool_settings *upstream_pool_settings(const struct upstream *upstream);
struct places *upstream_places(struct upstream *upstream);
struct tally_set *upstream_tallies(struct upstream *upstream);

/* NULL: it is plain. */
struct tls_source *upstream_tls_source(struct upstream *upstream);
/* What is asked for by SNI, and looked for in the certificate. */
const char *upstream_tls_name(const struct upstream *upstream);

/* How an attempt to connect ended: `err` is NULL where it worked. A change is logged. */
void upstream_tried(struct upstream *upstream, const struct err *err);

#endif

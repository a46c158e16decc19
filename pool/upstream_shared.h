/*
 * Layer: pool, for its own files alone. One job: the parts of an upstream that its pools write to.
 */
#ifndef SIGHTGLASS_POOL_UPSTREAM_SHARED_H
#define SIGHTGLASS_POOL_UPSTREAM_SHARED_H

#include "pool/places.h"
#include "pool/tally.h"
#include "pool/upstream.h"

/* All of them live as long as the upstream, and are for any thread. */
struct places *upstream_places(struct upstream *upstream);
struct tally_set *upstream_tallies(struct upstream *upstream);

/* What is asked for by SNI, and looked for in the certificate. */
const char *upstream_tls_name(const struct upstream *upstream);

/* How an attempt to connect ended: `err` is NULL where it worked. A change is logged. */
void upstream_tried(struct upstream *upstream, const struct err *err);

/* A handshake has ended; `version` as tls_version_text() gives it. */
void upstream_secured(struct upstream *upstream, const char *version);

/* Notes the time and reason of a failure, for upstream_last_failures(). */
void upstream_note_failure(struct upstream *upstream, enum failure why);

/* The breaker: see breaker.h. What becomes of it is logged. */
bool upstream_enter(
	struct upstream *upstream, uint64_t now_ms, struct breaker_pass *pass, uint64_t *wait_ms);
void upstream_answered(struct upstream *upstream, struct breaker_pass *pass);
/* `err` tells of the failure. One that does not mean absence only uses the pass up. */
void upstream_failed(struct upstream *upstream, struct breaker_pass *pass, enum failure why,
	const struct err *err, uint64_t now_ms);
void upstream_leave(struct upstream *upstream, struct breaker_pass *pass);
/* ERR_BREAKER_OPEN: why nobody is let in, for `wait_ms` (0: a probe runs). */
void upstream_describe_open(struct upstream *upstream, uint64_t wait_ms, struct err *err);

#endif

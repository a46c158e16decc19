/*
 * Layer: pool, for pool.c, pool_count.c, pool_guard.c and outcome.c alone. One job: what a pool
 * consists of.
 */
#ifndef SIGHTGLASS_POOL_POOL_STATE_H
#define SIGHTGLASS_POOL_POOL_STATE_H

#include "pool/connection.h"
#include "pool/credential_source.h"
#include "pool/identities.h"
#include "pool/pool.h"
#include "pool/retry_budget.h"
#include "pool/shelf.h"
#include "pool/tally.h"

struct pool {
	struct connector connector; /* with the loop, the upstream and the resolver */
	const struct pool_settings *settings;
	struct places_member member;
	struct message wakeup; /* posted by member.wake */
	struct tally tally;
	struct shelf shelf; /* what is idle */
	struct retry_budget retries;
	bool guarded; /* something is shown to the upstream: these, as they were last seen */
	struct tls_source *tls;           /* NULL: plain */
	uint32_t serial;                  /* the certificate's */
	struct credential_source *source; /* NULL: no credential */
	uint32_t generation;
	struct credential *credential;
	struct identities identities; /* of the credentials whose connections are kept */
	struct list leaving;          /* connections to be closed at the end of the turn */
	struct task leave;
	bool alert; /* somebody waits for a place: see places_keep() */
	bool closing;
	struct list dials;
	struct list waiters; /* the oldest first */
	struct list settled;
	struct task deliver;
	struct list spare;
	uint32_t spare_count;
	uint32_t connections; /* all whose place is not given back yet */
	uint64_t begun;       /* connections ever: each one's number, for its age */
	void (*closed)(void *context);
	void *closed_context;
	uv_prepare_t hold; /* keeps the loop running for a wake that is under way at the end */
	bool held;
};

/* --- pool_guard.c: what connections are opened under */

void pool_guard_init(struct pool *pool);
void pool_guard_fini(struct pool *pool);
/* What was replaced since the last look: two loads of what is hardly ever written. */
void pool_look_for_changes(struct pool *pool);
/* Until when what is opened for that credential may be kept; within the margin, or for one that the
 * upstream has no more, not beyond the request. */
uint64_t pool_admit(struct pool *pool, const struct credential *credential);
/*
 * A connection that is being opened for nobody any more, since the one that it was begun for was
 * served by another first: it is as good as one that is begun now, and sooner there. NULL where
 * there is none for that waiter, or others wait for its place.
 */
struct connection *pool_unclaimed(struct pool *pool, const struct pool_waiter *waiter);
/* Whether a connection may not be lent again. Of a pool that shows nothing: one branch. */
bool pool_is_stale(struct pool *pool, const struct connection *connection);
/* Ends a connection that is in no list. */
void pool_end(struct connection *connection);
/* Ends those that are about to leave; the turn's end does so by itself. */
void pool_close_leaving(struct pool *pool);

/* --- pool_count.c: what happened is counted */

/* One more; FAILURE_NONE is none. */
void pool_count_failure(struct pool *pool, enum failure why);
void pool_count_opened(struct pool *pool, struct connection *connection);
/* It waits for a place no longer; nothing where it never did. Before its phase changes. */
void pool_count_wait(struct pool *pool, const struct pool_waiter *waiter);

#endif

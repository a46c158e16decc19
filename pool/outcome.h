/*
 * Layer: pool (seen by proxy). One job: what the upstream made of an exchange: whether one may try
 * it at all (pool/breaker.h), and what became of it: counters by reason, the last failures, and
 * what is held against an address.
 *
 * An exchange asks once, before it takes or acquires its first connection, and says how it went by
 * one of outcome_answered(), outcome_failed() and outcome_leave(): the first of them uses its pass
 * up, further ones say nothing to the breaker.
 */
#ifndef SIGHTGLASS_POOL_OUTCOME_H
#define SIGHTGLASS_POOL_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pool/breaker.h"
#include "pool/failure.h"
#include "pool/pool.h"

/* Whether the upstream may be tried; else `*wait_ms` says for how long not, 0 where one exchange is
 * trying it at this moment. */
bool outcome_enter(struct pool *pool, struct breaker_pass *pass, uint64_t *wait_ms);
/* The head of an answer came. */
void outcome_answered(struct pool *pool, struct breaker_pass *pass);
/*
 * The exchange failed, as `err` tells; `connection` is the one it had, or NULL. Where the upstream
 * said nothing, the breaker counts it and the connection's address is tried last for a while. What
 * a waiter's `failed` was told is counted already.
 */
void outcome_failed(struct pool *pool, struct breaker_pass *pass, struct connection *connection,
	enum failure why, const struct err *err);
/* The exchange ended for a reason of its own or its client's. */
void outcome_leave(struct pool *pool, struct breaker_pass *pass);
/*
 * Whether the exchange may be sent once more, by pool/retry_budget.h; where it may, that its
 * connection died is no failure yet. Once an exchange.
 */
bool outcome_may_retry(struct pool *pool);
/* An exchange that outcome_enter() has let in is over; `retried`: it was sent once more. */
void outcome_over(struct pool *pool, bool retried);

#endif

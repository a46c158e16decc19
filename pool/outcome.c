/*
 * Layer: pool. One job: see outcome.h.
 */
#include "pool/outcome.h"

#include "pool/pool_state.h"
#include "pool/upstream_shared.h"

static struct upstream *upstream_of(struct pool *pool)
{
	return pool->connector.upstream;
}

static uint64_t now_ms(const struct pool *pool)
{
	return loop_now_ms(pool->connector.loop);
}

bool outcome_enter(struct pool *pool, struct breaker_pass *pass, uint64_t *wait_ms)
{
	bool may = upstream_enter(upstream_of(pool), now_ms(pool), pass, wait_ms);

	if (may) {
		retry_budget_begin(&pool->retries);
	}
	return may;
}

void outcome_answered(struct pool *pool, struct breaker_pass *pass)
{
	upstream_answered(upstream_of(pool), pass);
}

void outcome_failed(struct pool *pool, struct breaker_pass *pass, struct connection *connection,
	enum failure why, const struct err *err)
{
	pool_count_failure(pool, why);
	if (connection != NULL && failure_means_absence(why)) {
		connection_blame(connection);
	}
	upstream_failed(upstream_of(pool), pass, why, err, now_ms(pool));
}

void outcome_leave(struct pool *pool, struct breaker_pass *pass)
{
	upstream_leave(upstream_of(pool), pass);
}

bool outcome_may_retry(struct pool *pool)
{
	if (!retry_budget_take(&pool->retries, pool->settings->max_idle)) {
		return false;
	}
	tally_add(&pool->tally, TALLY_RETRIED);
	return true;
}

void outcome_over(struct pool *pool, bool retried)
{
	retry_budget_end(&pool->retries, retried);
}

/*
 * Layer: pool. One job: see retry_budget.h.
 */
#include "pool/retry_budget.h"

#include <assert.h>

void retry_budget_end(struct retry_budget *budget, bool retried)
{
	assert(budget->live > 0 && (!retried || budget->retries > 0));
	budget->live--;
	budget->retries -= retried ? 1 : 0;
}

bool retry_budget_take(struct retry_budget *budget, uint32_t max_idle)
{
	uint64_t most = (uint64_t)budget->live * RETRY_BUDGET_PERCENT / 100;
	uint64_t least = max_idle > RETRY_BUDGET_LEAST ? max_idle : RETRY_BUDGET_LEAST;

	assert(budget->live > budget->retries);
	if (budget->retries >= most && budget->retries >= least) {
		return false;
	}
	budget->retries++;
	return true;
}

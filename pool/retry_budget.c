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

bool retry_budget_take(struct retry_budget *budget)
{
	uint64_t most = (uint64_t)budget->live * RETRY_BUDGET_PERCENT / 100;

	assert(budget->live > budget->retries);
	if (budget->retries >= most && budget->retries >= RETRY_BUDGET_LEAST) {
		return false;
	}
	budget->retries++;
	return true;
}

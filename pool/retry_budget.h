/*
 * Layer: pool (sees base). One job: how many requests may be sent a second time at once. An
 * upstream that drops many connections would else get twice the load just then.
 *
 * Of the requests that are under way at one upstream, on one event loop, at most a fifth may be
 * retries. But as many are always allowed as connections may be idle, and three (as Envoy's budget
 * has it): an upstream that restarts closes all that are idle just when requests come in, and none
 * of these is to fail. Counted by worker, so that a request touches nothing that is shared.
 * Functions of state, without I/O.
 */
#ifndef SIGHTGLASS_POOL_RETRY_BUDGET_H
#define SIGHTGLASS_POOL_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RETRY_BUDGET_PERCENT = 20,
	RETRY_BUDGET_LEAST = 3,
};

struct retry_budget {  /* all zero: nothing is under way */
	uint32_t live; /* requests, retries among them */
	uint32_t retries;
};

static inline void retry_budget_begin(struct retry_budget *budget)
{
	budget->live++;
}

/* A request is over; `retried`: it had taken a retry. */
void retry_budget_end(struct retry_budget *budget, bool retried);
/* Takes one, for a request that is under way and had none; `max_idle` connections may be idle.
 * False where there is none left. */
bool retry_budget_take(struct retry_budget *budget, uint32_t max_idle);

#endif

/*
 * Layer: proxy. One job: a line for each exchange on stdout (INTERFACE section 5), as an observer
 * of one worker. Lines are gathered and handed to the log's thread once an iteration of the loop.
 * The inspector's own requests have none: a panel that is open would drown the traffic that it
 * shows.
 */
#ifndef SIGHTGLASS_PROXY_ACCESS_LOG_H
#define SIGHTGLASS_PROXY_ACCESS_LOG_H

#include <stdbool.h>

#include "proxy/exchange.h"
#include "proxy/observer.h"

struct observer *access_log_create(struct worker *worker, bool json);
/* NULL is harmless. What is gathered is handed on first. */
void access_log_destroy(struct observer *observer);

/* Envoy's response flags for how an exchange went wrong: UF, UC, UT, UO, UPE, DC, DPE, … or "-". */
const char *access_log_flags(const struct exchange *exchange);

#endif

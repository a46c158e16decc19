/*
 * Layer: proxy/responders. One job: the answers that the proxy makes itself for what went wrong:
 * application/problem+json (RFC 9457), by the table of INTERFACE section 2.
 */
#ifndef SIGHTGLASS_PROXY_RESPONDERS_REFUSAL_H
#define SIGHTGLASS_PROXY_RESPONDERS_REFUSAL_H

#include "proxy/responder.h"

/* Answers with the problem that exchange->error describes. */
struct responder *refusal_start(struct exchange *exchange, struct requester *up);

/* The status that an error is answered with. */
unsigned refusal_status(enum err_code code);

#endif

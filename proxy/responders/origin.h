/*
 * Layer: proxy/responders. One job: answer an exchange from its route's upstream, over a pooled
 * connection: send the request as it comes, hand on the answer as it comes, retry where that is
 * safe, keep the timeouts, give the connection back.
 */
#ifndef SIGHTGLASS_PROXY_RESPONDERS_ORIGIN_H
#define SIGHTGLASS_PROXY_RESPONDERS_ORIGIN_H

#include "proxy/responder.h"

extern const struct responder_kind origin;

#endif

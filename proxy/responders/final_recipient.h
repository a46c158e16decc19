/*
 * Layer: proxy/responders. One job: OPTIONS and TRACE whose Max-Forwards has come down to 0: the
 * proxy itself is the final recipient (RFC 9110 section 7.6.2).
 */
#ifndef SIGHTGLASS_PROXY_RESPONDERS_FINAL_RECIPIENT_H
#define SIGHTGLASS_PROXY_RESPONDERS_FINAL_RECIPIENT_H

#include "proxy/exchange.h"
#include "proxy/responder.h"

extern const struct responder_kind final_recipient;

/* True where Max-Forwards is 0; where it is more, what goes upstream is lowered by one. */
bool final_recipient_is_us(struct exchange *exchange);

#endif

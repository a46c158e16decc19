/*
 * Layer: proxy. One job: what a message's fields become on their way through: hop-by-hop fields go,
 * forwarding fields, the request ID and the trace context are set (INTERFACE section 2; RFC 9110
 * sections 7.6 and 7.7). Without I/O: heads in, heads out.
 */
#ifndef SIGHTGLASS_PROXY_FORWARDING_H
#define SIGHTGLASS_PROXY_FORWARDING_H

#include <stdbool.h>

#include "base/slice.h"
#include "http/framing.h"
#include "http/head.h"
#include "pool/credential.h"
#include "pool/upstream.h"
#include "proxy/exchange.h"

/*
 * Gives the exchange its request ID, trace context and client address, from its request head where
 * that could be read. Before any observer or responder sees the exchange.
 */
void forwarding_identify(struct exchange *exchange);

/*
 * The request's head as it goes to that upstream, in the loop's scratch memory: it lives until the
 * end of the turn. Where `credential` is not NULL, its field takes the place of the client's own.
 * May be called again for a retry.
 */
struct slice forwarding_request(struct exchange *exchange, const struct upstream_address *address,
	const struct credential *credential);

/* How the client's connection takes an answer. */
struct delivery {
	bool chunked;          /* its body goes out in chunks */
	bool close;            /* the connection ends after it */
	bool tunnel;           /* a 101 that was asked for */
	uint8_t version_minor; /* of the request */
};

/* The answer's head (also of a 1xx) as it goes to the client, in the loop's scratch memory. Sets
 * `dropped` marks in `head`. */
struct slice forwarding_response(
	struct exchange *exchange, struct head *head, const struct delivery *delivery);

/* Trailer fields that go on: framing, routing, credential and forwarding fields are marked as
 * dropped (RFC 9110 section 6.5.1). True where any is left. */
bool forwarding_trailers(struct head *trailers);

#endif

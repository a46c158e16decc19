/*
 * Layer: proxy. One job: the two interfaces that an exchange joins: a requester (a client's
 * connection; later a replay, a part of an aggregate) and a responder (an origin, the inspector, a
 * refusal; later files, a cache). Both speak the same events, in this order and nothing else:
 *
 *   request   (head, at start) → data* → trailers? → end      | cancel, at any time, once, and last
 *   response  informational* → head → data* → trailers? → end | abort, at any time, once, and last
 *   flow      pause / resume, in either direction
 *
 * Calls go down (to the responder), events come up (to the requester). No event is delivered from
 * inside a call down: what is ready at once waits in the loop's queue (loop_ready). A responder
 * that wraps another one is a requester to it.
 */
#ifndef SIGHTGLASS_PROXY_RESPONDER_H
#define SIGHTGLASS_PROXY_RESPONDER_H

#include "base/err.h"
#include "base/slice.h"
#include "http/framing.h"
#include "http/head.h"

struct exchange;
struct requester;
struct responder;

/* The head of a final answer and what follows it. */
struct response {
	struct head *head;      /* lives until the answer has ended */
	struct framing framing; /* NONE, LENGTH, CHUNKED, CLOSE or TUNNEL */
};

struct requester_ops { /* events up */
	/* A 1xx answer but 101; the head lives during the call. */
	void (*informational)(struct requester *self, const struct head *head);
	void (*head)(struct requester *self, const struct response *response);
	/* Body bytes, without any framing; they live until the end of the turn. */
	void (*data)(struct requester *self, struct slice bytes);
	void (*trailers)(struct requester *self, const struct head *trailers);
	void (*end)(struct requester *self);
	/* Instead of what was still to come. Before `head`, the exchange answers with a problem;
	 * after it, the client's connection breaks off. */
	void (*abort)(struct requester *self, const struct err *why);
	/* Asks for no more, then for more, of the request's body. */
	void (*pause)(struct requester *self);
	void (*resume)(struct requester *self);
};

struct requester {
	const struct requester_ops *ops;
};

struct responder_ops { /* calls down */
	const char *name;
	/* A part of the request's body; lives until the end of the turn. */
	void (*data)(struct responder *self, struct slice bytes);
	void (*trailers)(struct responder *self, const struct head *trailers);
	void (*end)(struct responder *self);
	/* Asks for no more, then for more, of the answer's body. What was read already may still
	 * come. */
	void (*pause)(struct responder *self);
	void (*resume)(struct responder *self);
	/* Nobody wants the answer any more. No event follows; the responder gives back what it
	 * holds. Also called after `end` and `abort` came up, as the last call. */
	void (*cancel)(struct responder *self);
};

struct responder {
	const struct responder_ops *ops;
	struct requester *up;
};

/*
 * What can answer: begins to answer `exchange` (its request head is parsed and checked) and sends
 * the events to `up`. Memory comes from the exchange's arena. Never NULL: what cannot begin aborts
 * through `up` at the end of the turn.
 */
struct responder_kind {
	const char *name;
	struct responder *(*start)(void *context, struct exchange *exchange, struct requester *up);
};

#endif

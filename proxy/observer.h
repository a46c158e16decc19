/*
 * Layer: proxy. One job: the interface of those that watch exchanges: capture, statistics, the
 * access log. An observer is told the events of an exchange as they pass; it copies what it wants
 * at once, and can never slow, change or fail the exchange. All calls come on the exchange's
 * worker.
 */
#ifndef SIGHTGLASS_PROXY_OBSERVER_H
#define SIGHTGLASS_PROXY_OBSERVER_H

#include "base/slice.h"
#include "http/head.h"

struct exchange;
struct observer;

enum {
	OBSERVERS_MAX = 4, /* of one worker */
};

enum observer_interest {         /* what `begin` returns: bits */
	OBSERVE_NOTHING = 0,     /* not even the end */
	OBSERVE_HEADS = 1 << 0,  /* response heads and the end */
	OBSERVE_BODIES = 1 << 1, /* body data, and trailers, of both sides */
	OBSERVE_END = 1 << 2,
	OBSERVE_TUNNEL = 1 << 3, /* what passes through a tunnel, as body data; its ends are not
				    told */
};

struct observer_ops {
	const char *name;
	/*
	 * The request's head is read, checked, routed, and has its request ID (or it was refused:
	 * exchange->error is set). Returns what the observer wants to hear of this exchange; for
	 * what it does not want, not even a call is made. It may keep a pointer in
	 * exchange->observed[slot].
	 */
	unsigned (*begin)(struct observer *self, struct exchange *exchange, unsigned slot);
	void (*request_data)(struct observer *self, struct exchange *exchange, unsigned slot,
		struct slice bytes);
	void (*request_end)(struct observer *self, struct exchange *exchange, unsigned slot,
		const struct head *trailers);
	/* The head as the upstream (or the proxy itself) sent it; also of the proxy's own errors.
	 * exchange->status is set. */
	void (*response_head)(struct observer *self, struct exchange *exchange, unsigned slot,
		const struct head *head);
	void (*response_data)(struct observer *self, struct exchange *exchange, unsigned slot,
		struct slice bytes);
	void (*response_end)(struct observer *self, struct exchange *exchange, unsigned slot,
		const struct head *trailers);
	/* Once, last; exchange->state says how it ended. Its memory goes after this. */
	void (*end)(struct observer *self, struct exchange *exchange, unsigned slot);
};

struct observer {
	const struct observer_ops *ops;
};

#endif

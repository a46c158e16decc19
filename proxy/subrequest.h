/*
 * Layer: proxy. One job: a request that the process makes by itself, on behalf of a client's: a
 * requester without a connection. It goes the way of every other: the same reading of its head, the
 * same rules, routes, observers and limits.
 *
 * Belongs to its worker. Nobody takes the answer but the observers: its body passes as fast as it
 * comes.
 */
#ifndef SIGHTGLASS_PROXY_SUBREQUEST_H
#define SIGHTGLASS_PROXY_SUBREQUEST_H

#include "base/err.h"
#include "base/loop.h"
#include "base/slice.h"
#include "proxy/exchange.h"
#include "proxy/responder.h"

struct worker;

/* What became of it; known once it has ended. */
struct subrequest_outcome {
	char request_id[REQUEST_ID_MAX];
	size_t request_id_len;
	unsigned status;  /* of the answer, our own included; 0 where none came */
	struct err error; /* code ERR_NONE where nothing went wrong */
};

struct subrequest;

/* What its owner is asked and told; on the worker's thread. */
struct subrequest_ops {
	/*
	 * The body's next bytes, which live until the subrequest is over and the turn is, too.
	 * Asked until as many have come as were announced; not asked where none were.
	 */
	struct slice (*body)(struct subrequest *self);
	/* Once, last: the exchange is over, and its observers have heard so. Never from inside a
	 * call down. */
	void (*ended)(struct subrequest *self);
};

/* Embedded in its owner. */
struct subrequest {
	const struct subrequest_ops *ops;
	struct requester requester;
	struct worker *worker;
	struct exchange *exchange; /* NULL while none runs */
	uint64_t body_left;        /* bytes that were not handed on */
	struct slice piece;        /* of them, what has been fetched */
	struct task go_on;
	struct task done;
	char peer_ip[CLIENT_IP_MAX];
	struct subrequest_outcome outcome;
};

/*
 * Begins. `head` is a whole request head as a client would send it, with a Content-Length that says
 * `body_len` where that is not 0; it is copied. Whose request it is, for the forwarding fields and
 * the record, is said by `on_behalf_of`, an exchange of the same worker. It is captured in full,
 * whatever its route says.
 *
 * 0; or the head is none that may be sent: `err` says why, and nothing has begun.
 */
enum err_code subrequest_start(struct subrequest *self, const struct subrequest_ops *ops,
	const struct exchange *on_behalf_of, struct slice head, uint64_t body_len, struct err *err);
/* Nobody waits any more: what runs is cancelled; `ended` is not called. Harmless after the end. */
void subrequest_cancel(struct subrequest *self);

#endif

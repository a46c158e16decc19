/*
 * Layer: proxy/responders. One job: what the rooms of the origin share: origin.c (connection,
 * request, retry), origin_credential.c (which credential it goes out with), origin_answer.c (the
 * answer), tunnel.c (after a 101). Seen by nobody else.
 */
#ifndef SIGHTGLASS_PROXY_RESPONDERS_ORIGIN_STATE_H
#define SIGHTGLASS_PROXY_RESPONDERS_ORIGIN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/timer.h"
#include "http/body_reader.h"
#include "http/framing.h"
#include "http/head.h"
#include "http/head_reader.h"
#include "pool/outcome.h"
#include "pool/pool.h"
#include "proxy/exchange.h"
#include "proxy/responder.h"

enum origin_phase {
	ORIGIN_WAITING, /* for a connection */
	ORIGIN_HEAD,    /* the request goes out; the answer's head is awaited */
	ORIGIN_BODY,    /* the answer's body comes */
	ORIGIN_TUNNEL,
	ORIGIN_OVER, /* `end` or `abort` went up, or it was cancelled; it holds nothing any more */
};

struct origin { /* in the exchange's arena */
	struct responder responder;
	struct exchange *exchange;
	struct pool *pool;
	struct pool_waiter waiter;
	struct breaker_pass pass;
	struct credential *credential; /* held while it waits for a connection; or NULL */
	struct connection *connection; /* while it is lent */
	enum origin_phase phase;
	const struct upstream_timeouts *timeouts;
	struct timer timer; /* first byte, or silence */
	struct timer total_timer;

	bool retried;
	bool entered;          /* outcome_over() is due */
	bool answer_begun;     /* a byte of an answer was read on this connection */
	bool request_ended;    /* the client's request is whole */
	bool request_paused;   /* the client was asked to wait */
	bool client_paused;    /* the client asked us to wait */
	bool upstream_blocked; /* the upstream takes nothing for now */
	size_t untaken;        /* by the upstream, when it was last looked at */

	char *replay; /* the request's body so far, for a retry; NULL where it is not, or no longer,
			 kept */
	size_t replay_len;

	struct response response;
	struct head head;
	struct head trailers;
	struct head_reader head_reader;
	struct body_reader body_reader;
};

/* The whole name of an error: "upstream NAME …", to the exchange, once, and the end of it; the
 * connection is discarded. */
void origin_fail(struct origin *self, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Lets go of the connection: back to the pool where it is clean, else closed. */
void origin_release(struct origin *self, bool clean, uint64_t keep_alive_ms);

/* Waits for the next sign of life from the upstream, by the timeout that the phase asks for; stops
 * waiting where the client holds it up. */
void origin_watch(struct origin *self);

/* The upstream takes nothing for now. */
void origin_blocked(struct origin *self);
/* Whether an upstream that is blocked has taken anything since this was last asked. */
bool origin_takes_something(struct origin *self);

/* origin_answer.c: gets ready to read an answer's head, then takes what comes. */
void origin_answer_begin(struct origin *self);
void origin_answer_bytes(struct origin *self, struct slice bytes);
/* The upstream sent its end: for an answer that goes up to the close, the end of it. */
void origin_answer_eof(struct origin *self);

/* origin_credential.c. */
/*
 * What the request goes out with, which is lent as pool_credential() says; NULL where that is
 * nothing of ours. False where it should have a credential and there is none that is still good.
 */
bool origin_choose_credential(struct origin *self, struct credential **credential);
/* Whether it may not be sent any more. */
bool origin_credential_ended(const struct origin *self, const struct credential *credential);
/* Lets go of the one that was held while it waited. */
void origin_forget_credential(struct origin *self);

/* tunnel.c: takes the connection over after a 101; `bytes` came right behind the head. */
void origin_tunnel_begin(struct origin *self, struct slice bytes);

#endif

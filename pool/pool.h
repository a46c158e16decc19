/*
 * Layer: pool (sees base; seen by proxy and inspector). One job: lend out live connections to one
 * upstream, within its limits, on one event loop. Does not speak HTTP, does not retry, does not
 * choose an upstream.
 *
 * In the ordinary case pool_take() lends an idle connection and pool_return() keeps it: neither
 * allocates, locks, or touches what another worker writes. Where none is idle, pool_acquire()
 * begins a new one, or waits for a place in the upstream's queue:
 *
 * - A new connection is begun for one waiter, but not tied to it: what is given back meanwhile
 *   serves the waiter that has waited longest, whether its connection is on its way or not. What is
 *   then opened for nobody serves the next, or becomes idle.
 * - A connection that cannot be opened fails the waiter for whom it was begun, and no other; each
 *   waiter has one attempt.
 * - A connection is lent to requests of the credential that it was opened for, and to no other;
 *   it leaves with that, or with the client certificate that was shown when it was opened. Within
 *   the upstream's safety margin before that end it serves one request and is closed.
 * - Places go by age over all workers; a connection that is given back serves this worker's own
 *   first waiter, unless somebody elsewhere has waited noticeably longer: then it is closed and its
 *   place goes there. See pool/places.h.
 */
#ifndef SIGHTGLASS_POOL_POOL_H
#define SIGHTGLASS_POOL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/timer.h"
#include "pool/credential.h"
#include "pool/places.h"
#include "pool/upstream.h"

struct pool; /* opaque */

/*
 * A connection that is lent out. The borrower uses `stream` (which reads) and hears it through the
 * ops that it sets by connection_attach.
 */
struct connection;

enum pool_waiter_phase {
	POOL_WAITER_IDLE,    /* it does not wait */
	POOL_WAITER_QUEUED,  /* for a place */
	POOL_WAITER_DIALING, /* a connection is being opened for it */
	POOL_WAITER_SETTLED, /* its callback is due */
};

/*
 * One that waits for a connection; embedded in the borrower. Exactly one of its callbacks is
 * called, never from inside pool_acquire; or none after pool_cancel. From that call on the waiter
 * may be used again, or its memory be freed. The times are for the exchange's record.
 */
struct pool_waiter {
	/* Set by the borrower. */
	void (*ready)(struct pool_waiter *waiter, struct connection *connection);
	/*
	 * ERR_RESOLVE, ERR_CONNECT, ERR_CONNECT_TIMEOUT, ERR_QUEUE_FULL, ERR_QUEUE_TIMEOUT,
	 * ERR_BREAKER_OPEN, ERR_CREDENTIAL or ERR_DRAINING, with a sentence that names the
	 * upstream.
	 */
	void (*failed)(struct pool_waiter *waiter, const struct err *err);
	uint64_t connect_timeout_ms; /* 0 = the pool's; a route may say less */
	/* What the request goes out with; NULL: nothing of ours. Looked at within pool_acquire().
	 */
	const struct credential *credential;
	/* What outcome_enter() gave, or NULL: a connection that cannot be opened for the waiter
	 * uses it up. */
	struct breaker_pass *pass;

	/* For the borrower to read. */
	uint64_t queued_us;     /* when it began to wait */
	uint64_t connecting_us; /* when its connection was begun; 0 before */
	uint64_t retry_ms;      /* of ERR_BREAKER_OPEN: see pool_refuse() */

	/* The pool's own. */
	struct list
		node; /* in the pool's list of those that wait, or of those whose callback is due */
	struct pool *pool;
	struct place_ticket ticket;
	struct timer timer;            /* the queue's timeout */
	struct connection *connection; /* the one being opened for it, or the one it gets */
	uint64_t identity;             /* of its credential; 0 = none */
	uint64_t until_ms;             /* how long what is opened for it may be kept */
	enum err_code refusal;         /* why it gets none */
	enum pool_waiter_phase phase;
	bool fresh;
	bool adopted; /* what is being opened for it was begun for another */
};

/* What the borrower hears of its connection's stream while it has it; as in base/stream.h. */
struct connection_ops {
	void (*bytes)(struct connection *connection, struct slice bytes);
	void (*eof)(struct connection *connection);
	void (*failed)(struct connection *connection, int status);
	void (*blocked)(struct connection *connection);
	void (*drained)(struct connection *connection);
};

/* One pool a worker and upstream. `upstream` outlives it. */
struct pool *pool_create(struct loop *loop, struct upstream *upstream);
/*
 * Closes what is idle, fails what waits, then takes back what is lent and closes it; `closed` is
 * called when nothing is left, and the memory is gone. A name that is being looked up is waited
 * for: libuv cannot interrupt it.
 */
void pool_close(struct pool *pool, void (*closed)(void *context), void *context);
struct upstream *pool_upstream(const struct pool *pool);

/*
 * The upstream's credential as it stands now, and whether one was ever read: without one, nobody is
 * to be asked for anything. NULL where there is none. It is good for a pool_take() or
 * pool_acquire() right behind; who needs it longer takes a reference.
 */
struct credential *pool_credential(struct pool *pool, bool *known);

/*
 * Lends the idle connection of that credential (NULL: of none) that became idle last, where there
 * is one that has not passed its
 * timeouts (and, where `used_within_ms` is not 0, that was in use within that time: for methods
 * that are not idempotent). NULL where there is none: then pool_acquire. The caller attaches itself
 * before it returns to the loop.
 */
struct connection *pool_take(
	struct pool *pool, const struct credential *credential, uint64_t used_within_ms);

/* Before the first pool_acquire. Leaves alone what the borrower sets. */
void pool_waiter_init(struct pool_waiter *waiter);
/*
 * Gets a connection in its turn: a new one where the cap allows, else a place is waited for; a
 * connection that is given back meanwhile serves the first that waits (unless `fresh`: a new
 * connection, for a retry). What was being opened for that one serves who comes next. Does not look
 * at what is idle. `ready` attaches itself to the connection before it returns.
 */
void pool_acquire(struct pool *pool, struct pool_waiter *waiter, bool fresh);
/*
 * Instead of pool_acquire(), where outcome_enter() has said no: `failed` is told ERR_BREAKER_OPEN,
 * later. `wait_ms` is what outcome_enter() said.
 */
void pool_refuse(struct pool *pool, struct pool_waiter *waiter, uint64_t wait_ms);
/* The same, where the request has to have a credential and there is none that is still good:
 * ERR_CREDENTIAL. */
void pool_refuse_credential(struct pool *pool, struct pool_waiter *waiter);
/* The waiter is forgotten; its callbacks are not called. Harmless on one that does not wait. */
void pool_cancel(struct pool_waiter *waiter);

/* The ops live as long as the connection is lent. */
void connection_attach(
	struct connection *connection, const struct connection_ops *ops, void *borrower);
void *connection_borrower(const struct connection *connection);
struct stream *connection_stream(struct connection *connection);
/*
 * True where it was in the pool before it was lent this time: its death before the first response
 * byte may be an idle close that crossed our request.
 */
bool connection_reused(const struct connection *connection);
/* How long it had been idle when it was lent; 0 for a new one. */
uint64_t connection_idle_ms(const struct connection *connection);
/* Microseconds that finding its address and connecting took; 0 where it was reused. */
uint64_t connection_connect_us(const struct connection *connection);
/* The part of it that the TLS handshake took; 0 of a plain one. */
uint64_t connection_tls_us(const struct connection *connection);

/*
 * Gives a clean connection back. `keep_alive_ms` is what the upstream's Keep-Alive: timeout said, 0
 * where it said nothing: the idle time is then a second less than that, at most the pool's own. The
 * pool keeps it, hands it to the first that waits, or closes it.
 */
void pool_return(struct connection *connection, uint64_t keep_alive_ms);
/* Closes a connection that is not clean. */
void pool_discard(struct connection *connection);

#endif

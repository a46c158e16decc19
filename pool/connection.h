/*
 * Layer: pool, for its own files alone (what borrowers may do stands in pool.h). One job: one
 * connection, from its dial (pool/dial.h) to the end of its handles. Knows nothing of who waits, of
 * limits or of idle lists: it tells its owner, the pool.
 *
 *   DIALING -> CONNECTED (shaking hands) -> opened -> HELD by the pool <-> LENT to a borrower
 *   -> CLOSING -> closed
 */
#ifndef SIGHTGLASS_POOL_CONNECTION_H
#define SIGHTGLASS_POOL_CONNECTION_H

#include "base/loop.h"
#include "base/stream.h"
#include "pool/dial.h"
#include "pool/idle.h"
#include "pool/pool.h"

/* Events up. None of them comes from inside a call down. */
struct connection_events {
	void (*opened)(struct connection *connection);
	/* It could not be opened; the owner closes it. */
	void (*failed)(struct connection *connection, enum failure why, const struct err *err);
	/* While the pool held it, the upstream closed it or sent a byte unasked; the owner closes
	 * it. */
	void (*spoiled)(struct connection *connection);
	/* libuv let go of it: the memory is the owner's again. */
	void (*closed)(struct connection *connection);
};

enum connection_state {
	CONNECTION_DIALING,
	CONNECTION_CONNECTED, /* but not opened: within the TLS handshake */
	CONNECTION_HELD,
	CONNECTION_LENT,
	CONNECTION_CLOSING,
};

struct connection {
	struct dial dial;                 /* owns the stream; knows the connector */
	const struct connection_ops *ops; /* the borrower's; NULL until it attached itself */
	void *borrower;
	struct idle_entry
		idle; /* its node is in the pool's list of dials, idle or spare connections */
	struct pool_waiter *waiter; /* the one for whom it is being opened; NULL where that one does
				       not wait any more */
	uint64_t identity;          /* of the credential that it was opened for; 0 = none */
	struct timer timer;         /* the handshake's */
	uint64_t connect_us;        /* how long opening it took; 0 once it is reused */
	uint64_t tls_us;            /* the handshake's part of it */
	uint64_t idle_ms;           /* before it was lent this time */
	uint64_t retire_ms;         /* from then on it is not lent: too old, or what it was opened
				       under ends */
	uint64_t idle_limit_ms;     /* how long it may be idle */
	enum connection_state state;
	uint32_t serial; /* of the TLS certificate that was shown; 0 = none was */
	bool reused;
	bool ended; /* the stream told its end to the borrower */
};

/* Begins to open it, within `timeout_ms` (0 = no limit). Ends with `opened` or `failed`, later.
 * Every member is set. */
void connection_dial(
	struct connection *connection, struct connector *connector, uint64_t timeout_ms);
/* What it was opened under: see struct idle_entry. Where nothing is shown to the upstream, 0. */
static inline uint64_t connection_key(uint64_t identity, uint32_t serial)
{
	/* Both are 0 of most; multiples of the golden ratio keep the serial apart from a hash. */
	return identity ^ serial * UINT64_C(0x9E3779B97F4A7C15);
}
/* HELD becomes LENT. `reused`: it was in the pool before, `idle_ms` long. */
void connection_lend(struct connection *connection, bool reused, uint64_t idle_ms);
/* LENT becomes HELD. False where something stands in the stream that belongs to the last exchange,
 * or the stream is of no more use; it is LENT still, to be closed. */
bool connection_reclaim(struct connection *connection);
/* The address that it is connected to turned out not to work: it is tried last for a while. */
void connection_blame(struct connection *connection);
/* In any state but CLOSING. `closed` follows, later. */
void connection_close(struct connection *connection);

#endif

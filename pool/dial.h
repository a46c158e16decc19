/*
 * Layer: pool, for its own files alone. One job: one dial: the attempts to connect to one upstream,
 * from the search for its addresses to one stream that is connected (RFC 8305).
 *
 * Every attempt is a stream of its own. The first one, and those that follow when nothing else is
 * under way, use the stream within the dial; only an attempt that begins beside another that is
 * still silent is allocated. Whichever connects first is the dial's stream from then on, where it
 * lies, and the others are closed: so the ordinary dial costs what one connect costs, and no
 * connected socket has to be moved from one handle to another.
 */
#ifndef SIGHTGLASS_POOL_DIAL_H
#define SIGHTGLASS_POOL_DIAL_H

#include "base/loop.h"
#include "base/stream.h"
#include "base/timer.h"
#include "pool/failure.h"
#include "pool/resolver.h"
#include "pool/upstream.h"

enum {
	DIAL_DELAY_MS = 250, /* RFC 8305 section 5: how long one address may be silent before the
				next is tried beside it */
};

struct connection_events;

/* What the connections of one pool have in common. Outlives them. */
struct connector {
	struct loop *loop;
	struct upstream *upstream;
	struct resolver resolver;      /* not used for a unix socket */
	struct tls_sessions *sessions; /* NULL: the upstream is plain */
	const struct connection_events *events;
};

struct dial;

/* Events up. None of them comes from inside a call down. */
struct dial_events {
	/* dial_stream() is connected, and reads; its ops are to be set before this returns. */
	void (*connected)(struct dial *dial);
	/* No address worked; the owner closes the dial. */
	void (*failed)(struct dial *dial, enum failure why, const struct err *err);
	/* After dial_close(): libuv let go of everything, the memory is the owner's again. */
	void (*closed)(struct dial *dial);
};

enum dial_phase {
	DIAL_LOOKING_UP, /* no attempt runs */
	DIAL_BETWEEN,    /* the dial's own stream is being closed; the next attempt follows */
	DIAL_CONNECTING, /* at least one attempt runs */
	DIAL_OVER,       /* `connected` or `failed` was told */
	DIAL_CLOSING,
};

struct dial_attempt {
	struct stream stream;
	struct dial *dial;
	struct dial_attempt *next; /* the one that began after it, of those that run */
	uint32_t generation;       /* of the addresses that the index is of */
	uint8_t index;
	bool silent;    /* for so long that another was begun beside it */
	bool stillborn; /* it failed at once, which is still to be told */
};

/* Small: a connection has it for as long as it lives. */
struct dial {
	struct dial_attempt own;
	struct connector *connector;
	const struct dial_events *events;
	struct dial_attempt *running; /* neither failed nor won yet */
	struct dial_attempt *winner;
	struct resolver_query query;
	struct timer timer; /* the lookup's; then the next attempt's, or the end of the budget */
	struct task task;
	uint64_t begun_us;
	uint64_t budget_ms;         /* for all of it; 0 = no limit */
	int status;                 /* of the last attempt that failed, or 0 */
	uint32_t generation;        /* of the addresses that `order` is of */
	uint32_t failed_generation; /* of the last attempt that failed: its address */
	uint8_t failed_index;
	uint8_t phase;    /* enum dial_phase */
	uint8_t handles;  /* streams that libuv has not let go of */
	uint8_t parallel; /* attempts that run */
	uint8_t left;     /* addresses that are not tried yet */
	uint8_t next;     /* index in `order` */
	bool own_open;
	bool asked;     /* for addresses, itself */
	bool timed_out; /* the last failure was a silence */
	uint8_t order[RESOLVER_ADDRESSES_MAX];
};

/* Begins, within `timeout_ms` (0 = no limit). Ends with `connected` or `failed`, later. Every
 * member is set. */
void dial_begin(struct dial *dial, struct connector *connector, const struct dial_events *events,
	uint64_t timeout_ms);
/* In any phase but DIAL_CLOSING: gives up what runs and closes the stream that connected. `closed`
 * follows, later. */
void dial_close(struct dial *dial);

/* From `connected` on: the stream is the dial's, and closed with it. */
struct stream *dial_stream(struct dial *dial);
/* The dial whose stream this is. */
struct dial *dial_of_stream(struct stream *stream);
/* What is left of the budget; UINT64_MAX where there is no limit. */
uint64_t dial_remaining_ms(const struct dial *dial);
/* From `connected` on: the address that the stream is connected to turned out not to work. It is
 * tried last for a while. */
void dial_blame(struct dial *dial);

#endif

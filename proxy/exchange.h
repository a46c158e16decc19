/*
 * Layer: proxy. One job: the exchange: one request and its answer, joining a requester to a
 * responder and telling observers what passes. It owns the memory of both heads, keeps the clock,
 * turns an abort before the answer's head into an answer, and decides how it ended.
 *
 * The client's side calls exchange_request_…() as the request is read; the responder's events come
 * in through exchange->from_responder and go on to exchange->client.
 */
#ifndef SIGHTGLASS_PROXY_EXCHANGE_H
#define SIGHTGLASS_PROXY_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "http/framing.h"
#include "http/head.h"
#include "http/target.h"
#include "proxy/observer.h"
#include "proxy/responder.h"
#include "proxy/route.h"

struct worker;

enum {
	EXCHANGE_MEMORY_MAX =
		256 *
		1024, /* the arena's bound, or four times limits.header_bytes where that is more */
	REQUEST_ID_MAX = 128,
	TRACE_ID_LEN = 32,
	CLIENT_IP_MAX = 64,
};

enum exchange_state {
	EXCHANGE_ACTIVE,
	EXCHANGE_COMPLETE,
	EXCHANGE_CLIENT_ABORTED,
	EXCHANGE_UPSTREAM_FAILED,
	EXCHANGE_TIMED_OUT,
	EXCHANGE_TUNNEL, /* ended, or running, as a tunnel */
};

/* "active", "complete", "client_aborted", "upstream_failed", "timed_out", "tunnel" */
const char *exchange_state_name(enum exchange_state state);

/* Monotonic microseconds; 0 = did not happen. */
struct exchange_clock {
	uint64_t wall_us;  /* wall-clock time of `begin` */
	uint64_t begin_us; /* the first byte of the request */
	uint64_t request_head_us;
	uint64_t queued_us;     /* began to wait for a connection */
	uint64_t connecting_us; /* its connection was begun */
	uint64_t securing_us;   /* its TLS handshake was begun */
	uint64_t connected_us;  /* had a connection, new or pooled */
	uint64_t sent_us;       /* the whole request had gone out */
	uint64_t first_byte_us; /* the answer's head was read */
	uint64_t end_us;
};

struct exchange {
	struct worker *worker;
	struct loop *loop;
	struct list node; /* in the worker's list of running exchanges */
	struct arena arena;

	/* the request; valid once exchange_request_head() was called. After a refusal of its head,
	 * only what had been read is set: check `request.bytes` */
	struct head request;
	struct target target;
	struct framing request_framing;
	struct head request_trailers;
	const char *scheme;      /* "http" */
	struct slice host;       /* the Host field; empty where there is none */
	struct slice request_id; /* never empty from exchange_request_head() on */
	bool request_id_is_ours; /* it was made here: the request came without a well-formed one */
	bool traceparent_is_ours;
	bool max_forwards_lowered; /* TRACE or OPTIONS: `max_forwards` goes on in the place of what
				      came */
	uint64_t max_forwards;
	char own_request_id[36];
	char own_traceparent[55];
	char trace_id[TRACE_ID_LEN + 1];
	struct slice traceparent; /* as it goes upstream */
	const char *peer_ip;      /* of the connection's other end; "unix" for a unix socket's */
	char client_ip[CLIENT_IP_MAX]; /* of the peer; behind a trusted proxy, the one it vouches
					  for; "unix" for a unix socket's */
	bool peer_trusted;             /* a trusted proxy: its X-Forwarded-* are believed */
	bool over_loopback;            /* came over a loopback or unix listener */
	enum listener_role listener;   /* what it came over */
	const struct route
		*route; /* NULL where it was refused before routing, or the inspector answers */
	enum capture_level capture;
	bool internal;   /* answered by the inspector: never captured, never upstream */
	bool subrequest; /* made by the process itself: see subrequest.h */

	/* the answer */
	unsigned status;         /* 0 until there is one */
	bool responded;          /* the final head has passed */
	bool own_answer;         /* made by the proxy: a problem */
	uint64_t retry_after_ms; /* of an own 503: when to ask again; 0 = soon */

	/* facts about the way upstream, set by the origin */
	const char *upstream; /* its name; NULL where none was asked */
	unsigned attempts;
	bool reused;
	uint64_t idle_ms;

	uint64_t request_bytes;  /* body bytes so far, without framing; of a tunnel: bytes in */
	uint64_t response_bytes; /* the same of the answer; of a tunnel: bytes out */
	struct exchange_clock clock;
	enum exchange_state state;
	struct err error; /* why it failed; code ERR_NONE where it did not */

	/* the two ends */
	struct requester *client;
	struct requester from_responder;
	struct responder *responder;
	struct responder *failed_responder;   /* whose abort became an answer of our own */
	const struct head *response_trailers; /* or NULL */
	bool request_ended;
	bool response_ended; /* `end` or `abort` has passed: nothing more comes */
	bool client_paused;  /* the client asked for no more of the answer */
	bool request_paused; /* the responder asked for no more of the request */

	void *observed[OBSERVERS_MAX];
	uint8_t interest[OBSERVERS_MAX]; /* what each observer wants */
	uint8_t interests;               /* all of them, or-ed */
	uint8_t data_interest; /* what passes now: OBSERVE_BODIES, then perhaps OBSERVE_TUNNEL */
};

/* Begins one, of the worker's free list. `client` hears the answer. The caller ends it with
 * exchange_finish(). */
struct exchange *exchange_create(struct worker *worker, struct requester *client);

/*
 * Decides how the request is framed and where it goes, by the head in exchange->request, and
 * whether the body that it announces may be as long (limits.body_bytes). 0, or why it is refused:
 * for exchange_request_head().
 */
enum err_code exchange_read_head(struct exchange *exchange, struct err *err);

/*
 * The request's head is in exchange->request and keeps its framing rules or not (`refused` says why
 * not, else NULL): gives it an ID, finds the route and starts the responder. Every answer, also a
 * refusal, comes later through `client`.
 */
void exchange_request_head(struct exchange *exchange, const struct err *refused);
void exchange_request_data(struct exchange *exchange, struct slice bytes);
/* The request is whole; trailers, if any, are in exchange->request_trailers. */
void exchange_request_end(struct exchange *exchange);
/* The request's body broke the rules, a limit or a timeout: an answer where none has begun, else
 * the client hears `abort`. */
void exchange_request_failed(struct exchange *exchange, const struct err *why);

/* The client takes no more of the answer for now, or again. */
void exchange_pause(struct exchange *exchange);
void exchange_resume(struct exchange *exchange);

/*
 * The client is done with it: after `end` or `abort` came, or because the connection is gone (`why`
 * says so then, else NULL). What still runs is cancelled; observers hear the end; the memory is
 * gone.
 */
void exchange_finish(struct exchange *exchange, const struct err *why);

#endif

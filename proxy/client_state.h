/*
 * Layer: proxy. One job: what the rooms of the client share: client.c (the connection, requests)
 * and client_answer.c (answers). Seen by nobody else.
 */
#ifndef SIGHTGLASS_PROXY_CLIENT_STATE_H
#define SIGHTGLASS_PROXY_CLIENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/timer.h"
#include "http/body_reader.h"
#include "http/head_reader.h"
#include "proxy/exchange.h"
#include "proxy/forwarding.h"
#include "proxy/responder.h"

enum client_phase {
	CLIENT_CLOSED,    /* closing; no event comes any more */
	CLIENT_SECURING,  /* within the TLS handshake */
	CLIENT_IDLE,      /* between requests */
	CLIENT_HEAD,      /* within a request's head */
	CLIENT_BODY,      /* within its body */
	CLIENT_ANSWERING, /* the request is whole, or refused; its answer is on its way */
	CLIENT_DROPPING,  /* answered before its body had come: the rest of that is dropped */
	CLIENT_TUNNEL,    /* after a 101 */
	CLIENT_LINGERING, /* our side has ended; what still comes is dropped */
};

/* What reads a request; in its exchange's arena, so that an idle connection does not pay for it. */
struct client_reading {
	struct head_reader head;
	struct body_reader body;
};

struct client {
	struct list node; /* in worker->clients */
	struct worker *worker;
	struct stream stream;
	struct requester requester; /* hears its exchange's answer */
	struct exchange *exchange;  /* NULL between requests */
	struct client_reading *reading;
	struct timer timer;      /* keep-alive, header, body, lingering: by phase */
	struct timer send_timer; /* while the client takes nothing */
	struct task done;        /* the answer has ended */
	struct task go_on;       /* what was carried can be taken */
	struct buffer carried; /* bytes that were read before their time: pipelined, or of a paused
				  body */
	size_t carried_at;     /* how much of it was taken already */
	size_t send_backlog;   /* when send_timer was started */
	size_t lingered;       /* bytes dropped behind the running request, or of its body */
	struct delivery delivery; /* how the running answer goes out */
	bool close_after;         /* the connection ends after the running answer */
	bool aborted;             /* the answer was cut off: the connection is to be reset */
	bool continued;           /* a 100 went to the client */
	bool trailers_sent;
	bool trusted;    /* a trusted proxy */
	bool over_limit; /* one too many: see enum admission */
	bool over_loopback;
	uint8_t listener; /* enum listener_role */
	uint8_t phase;    /* enum client_phase */
	char ip[46];      /* INET6_ADDRSTRLEN, or "unix" */
};

extern const struct requester_ops client_answer_ops;

/* --- client.c: the connection */

/* Ends the connection; a running exchange is cancelled, because of `why` where that is not NULL. */
void client_close(struct client *client, const struct err *why);
/*
 * Ends our side and drops what still comes, so that the client reads our answer and not a reset
 * (RFC 9112 section 9.6).
 */
void client_linger(struct client *client);
/* The exchange is over in both directions, and the connection goes on. */
void client_exchange_over(struct client *client);

/* --- client_request.c: requests */

/* Takes what was read, by the phase that the connection is in; returns what cannot be taken yet. */
struct slice client_take(struct client *client, struct slice in);
/* Keeps it, and stops reading where that is enough. */
void client_carry(struct client *client, struct slice rest);
/* Takes up what was carried, at the end of the turn. */
void client_go_on(struct client *client);
void client_on_go_on(struct task *task);
/* The same of a further request: in the loop's next iteration. */
void client_next_request(struct client *client);
/* The next request's exchange. */
void client_begin_exchange(struct client *client);
/* Starts the timeout that the phase asks for, or stops it. */
void client_watch_request(struct client *client);
/* Has the request answered by an error; the connection ends after that. */
void client_refuse(struct client *client, const struct err *why);
/* The same of one whose body was being read: what went upstream is cut off there. */
void client_body_failed(struct client *client, const struct err *why);

#endif

/*
 * Layer: demo. One job: what the two rooms of a connection share: client.c (its life, requests) and
 * client_answer.c (answers). Seen by nobody else.
 */
#ifndef SIGHTGLASS_DEMO_CLIENT_STATE_H
#define SIGHTGLASS_DEMO_CLIENT_STATE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/timer.h"
#include "demo/answer.h"
#include "http/body_reader.h"
#include "http/head_reader.h"

enum demo_client_phase {
	DEMO_CLIENT_CLOSED,    /* closing; no event comes any more */
	DEMO_CLIENT_IDLE,      /* between requests */
	DEMO_CLIENT_HEAD,      /* within a request's head */
	DEMO_CLIENT_BODY,      /* within its body; nothing is answered yet */
	DEMO_CLIENT_ANSWERING, /* no more of the request is read; its answer is on its way */
	DEMO_CLIENT_TUNNEL,    /* after a 101 */
	DEMO_CLIENT_LINGERING, /* our side has ended; what still comes is dropped */
};

struct demo_client {
	struct list node; /* in service->clients */
	struct demo_service *service;
	struct stream stream;
	struct timer timer;      /* idle, head, body, lingering: by phase */
	struct timer send_timer; /* while the client takes nothing */
	struct task go_on;       /* what was carried can be taken */
	struct task sent;        /* this turn's writes have left, or wait */
	struct task produce;     /* `more` is due */
	struct buffer carried;   /* pipelined bytes */
	size_t lingered;     /* bytes dropped: while lingering, or of a body that nobody reads */
	size_t send_backlog; /* when send_timer was started */
	uint8_t phase;       /* enum demo_client_phase */
	bool close_after;    /* the connection ends after the running answer */
	bool bodiless;       /* the running answer has no body */
	bool chunked;        /* its body goes out in chunks */
	bool ended;          /* it is whole */
	bool broken_off;     /* it will never be */
	bool wants_more;
	/* of the running request */
	struct arena arena;
	struct demo_request request;
	struct head_reader head_reader;
	struct body_reader body_reader;
	struct demo_answer *answer; /* NULL until its head is whole */
};

/* Takes up what was carried, at the end of the turn. */
void demo_client_go_on(struct demo_client *client);

#endif

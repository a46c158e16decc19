/*
 * Layer: demo. One job: what the connection and the answers say to each other. A kind of answer is
 * a table of functions; an answer lives from a request's head to when it is sent or the client has
 * left, in the request's arena. The calls at the end of this file are down to the connection: none
 * of them leads to an event before it returns.
 */
#ifndef SIGHTGLASS_DEMO_ANSWER_H
#define SIGHTGLASS_DEMO_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "http/framing.h"
#include "http/head.h"
#include "http/target.h"

struct demo_answer;
struct demo_client;
struct demo_service;

struct demo_request { /* lives as long as its answer */
	struct head head;
	struct framing framing;
	struct target target;
	struct slice rest; /* of the path: what stands for {id} in the route */
	struct head trailers;
};

struct demo_answer_kind {
	size_t size; /* of the answer, a struct that begins with a struct demo_answer; zeroed */
	/* Events. Each but `end` and `fini` may be NULL; `data` NULL drops the request's body. */
	void (*begin)(struct demo_answer *answer);                    /* the head is whole */
	void (*data)(struct demo_answer *answer, struct slice bytes); /* valid during the call */
	void (*end)(struct demo_answer *answer);                      /* the request is whole */
	void (*more)(struct demo_answer *answer); /* see demo_client_want_more() */
	/* The last call, always and once: stop timers, free what is not in the arena. */
	void (*fini)(struct demo_answer *answer);
};

struct demo_answer {
	const struct demo_answer_kind *kind;
	struct demo_client *client;
	struct demo_service *service;
	const struct demo_request *request;
};

#define DEMO_LENGTH_UNKNOWN UINT64_MAX

struct demo_head {
	unsigned status;
	const char *content_type; /* NULL: none */
	uint64_t length;          /* of the body, or DEMO_LENGTH_UNKNOWN */
	struct slice fields;      /* further field lines, each with its CRLF */
};

/*
 * Begins the answer: once, before or after the request has ended (before: the rest of the request
 * is not read, and the connection closes). False where it has no body (HEAD, 101, 204, 304): what
 * is written of one is then dropped. 101 makes everything that follows `data`.
 */
bool demo_client_head(struct demo_client *client, const struct demo_head *head);
/* `bytes` stay with the caller until the end of the turn: see stream_write(). */
void demo_client_write(struct demo_client *client, struct slice bytes);
/* The same with memory of mem_alloc's, which is freed when its bytes have left. */
void demo_client_write_buffer(struct demo_client *client, struct buffer *bytes);
/* The answer is whole, and over once the client has taken it. */
void demo_client_end(struct demo_client *client);
/* The answer breaks off here: closes the connection once the client has taken what was written. */
void demo_client_break_off(struct demo_client *client);
/*
 * Asks for `more`, once: in the loop's next iteration, or later, when the client has taken all that
 * was written. Whoever writes only there has at most one piece waiting.
 */
void demo_client_want_more(struct demo_client *client);
/* True while the client has not taken all that was written. */
bool demo_client_blocked(const struct demo_client *client);

#endif

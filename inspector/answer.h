/*
 * Layer: inspector (sees base, http, proxy). One job: an answer of the inspector on its way out: a
 * responder whose head a handler builds, and whose body comes from memory or, in slices, from a
 * source that makes it as the client takes it.
 *
 * Belongs to its exchange's worker. Everything happens in tasks of the loop: nothing is delivered
 * from inside a call down, and between two slices the loop serves the exchanges.
 */
#ifndef SIGHTGLASS_INSPECTOR_ANSWER_H
#define SIGHTGLASS_INSPECTOR_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"
#include "proxy/exchange.h"
#include "proxy/responder.h"

struct answer; /* opaque */

/* Builds the answer, at once or later; runs once, in a task. */
typedef void (*answer_handler)(struct answer *answer, void *context);
/* The same once the request's body is there: `body` lives during the call. A NULL pointer: it had
 * more bytes than it may have. */
typedef void (*answer_body_handler)(struct answer *answer, void *context, struct slice body);

/* Something that an answer owns: where its body comes from, or what it waits for. */
struct source;
struct source_ops {
	/*
	 * The next part of the body: appended to `out` (which is empty), or lent in `*part`, which
	 * then lives until destroy(). False once nothing follows. NULL for a source that only
	 * waits.
	 */
	bool (*next)(struct source *self, struct buffer *out, struct slice *part);
	/* Nobody wants the answer any more: begin nothing new. May be NULL. */
	void (*stop)(struct source *self);
	/* Last; what was lent has left by then. The exchange may be gone. */
	void (*destroy)(struct source *self);
};
struct source {
	const struct source_ops *ops;
	struct answer *answer; /* set by answer_send_source() */
	bool waits; /* next() sets it: more will come, but not by itself. answer_wake() goes on */
};

enum answer_kind {    /* decides caching, and what a browser may do with the answer */
	ANSWER_DATA,  /* not kept, not run, not framed */
	ANSWER_PAGE,  /* the panel: its own scripts and styles, and nothing else */
	ANSWER_ASSET, /* a file of the panel: kept, but asked for again */
};

/* Answers `exchange`; `handler` is called soon. Never NULL; ended by the responder's cancel. */
struct responder *answer_start(
	struct exchange *exchange, struct requester *up, answer_handler handler, void *context);

/*
 * Who else may have it, said by every answer: `origin` may read it (CORS; empty: nobody), and pages
 * of `frame_ancestors` may show the panel. Both outlive the answer. Before its head is begun.
 */
void answer_share(struct answer *answer, struct slice origin, const char *frame_ancestors);

struct exchange *answer_exchange(const struct answer *answer);

/*
 * Instead of deciding the answer: waits for the request's body, of at most `max` bytes, and calls
 * `then` in a task; never, where the client leaves before. To be called by the handler, once. A
 * body that nobody waits for is not kept.
 */
void answer_take_body(struct answer *answer, size_t max, answer_body_handler then, void *context);

/*
 * Begins the head, with the fields that the kind asks for. `room` is what the fields to come may
 * take, in bytes, beside a few hundred.
 */
void answer_begin(struct answer *answer, unsigned status, enum answer_kind kind, size_t room);
/* A further field; see head_builder_field(). */
void answer_field(struct answer *answer, struct slice name, struct slice value);

/* Each of these ends the head and sends the answer, in this turn or, called later, soon. */

/* No body: "Content-Length: 0", but for 204 and 304. */
void answer_send_empty(struct answer *answer);
/* Bytes that outlive the answer. */
void answer_send_lent(struct answer *answer, struct slice content_type, struct slice body);
/* What the caller appended to answer_buffer(). */
void answer_send_buffer(struct answer *answer, struct slice content_type);
struct buffer *answer_buffer(struct answer *answer);
/*
 * What `source` makes; the answer owns it from here on, if it does not already (answer_wait()).
 * `length` is UINT64_MAX where it is not known.
 */
void answer_send_source(
	struct answer *answer, struct slice content_type, struct source *source, uint64_t length);

/* Asks a source that waits for its next part, soon; harmless where the client is slow. Not from
 * next(). */
void answer_wake(struct answer *answer);
/* Whether the client takes nothing of the body for now. */
bool answer_is_paused(const struct answer *answer);
/* Gives a body up that is under way: the client's connection breaks off. Not from next(). */
void answer_break(struct answer *answer, enum err_code code, const char *why);

/*
 * Owns `source` although the answer is not decided yet: its stop() tells that nobody waits any
 * more.
 */
void answer_wait(struct answer *answer, struct source *source);

/*
 * A whole answer: a problem (RFC 9457) with that sentence. Fields other than these need
 * answer_begin_problem().
 */
void answer_problem(struct answer *answer, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Begins one, so that fields can be added; answer_send_problem() ends it. */
void answer_begin_problem(struct answer *answer, unsigned status);
void answer_send_problem(struct answer *answer, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

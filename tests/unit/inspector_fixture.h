/*
 * For tests of what the inspector answers: a store with a capture that fills it, and a requester
 * that asks on a real loop, writes down what it hears, and can pause, or leave, in the middle.
 */
#ifndef SIGHTGLASS_TESTS_INSPECTOR_FIXTURE_H
#define SIGHTGLASS_TESTS_INSPECTOR_FIXTURE_H

#include "base/buffer.h"
#include "fake_exchange.h"
#include "inspector/api.h"
#include "inspector/capture.h"
#include "proxy/worker.h"

struct asked { /* one request, and what came back */
	struct exchange exchange;
	struct requester requester;
	struct responder *responder;
	struct buffer head; /* as it would be sent */
	struct buffer body;
	struct response response;
	unsigned status;
	unsigned parts; /* calls of data() */
	size_t largest; /* of them */
	bool ended;
	bool aborted;
	unsigned pause_after; /* parts; 0: never */
	unsigned leave_after; /* parts; 0: never */
	bool left;
};

struct inspector_fixture {
	struct worker worker;
	struct proxy_settings proxy_settings;
	uv_timer_t keep_alive; /* a loop without handles does not turn */
	struct inspector_settings settings;
	struct capture_store *store;
	struct capture *capture;
	struct redactor *redactor;
	struct token token;
	struct api api;
	struct asked asked;
};

/* `token`: NULL for none. */
void inspector_fixture_init(struct inspector_fixture *f, const char *token);
/* Ends what was asked, and fails where memory or references are left. */
void inspector_fixture_fini(struct inspector_fixture *f);
struct observer *inspector_fixture_observer(struct inspector_fixture *f);

/* Begins to ask, from a loopback listener; `fields` are whole lines ("A: b\r\n"), beside Host. */
struct asked *inspect_begin(
	struct inspector_fixture *f, const char *method, const char *target, const char *fields);
/* One turn of the loop. */
void inspect_turn(struct inspector_fixture *f);
/* Turns until the answer has ended; fails after many turns. */
void inspect_until_end(struct inspector_fixture *f);
/* What the client does last, whether the answer has ended or not. */
void inspect_finish(struct inspector_fixture *f);

/* All of it: begin, until the end. What came is valid until the next. */
struct asked *inspect(
	struct inspector_fixture *f, const char *method, const char *target, const char *fields);
struct asked *inspect_get(struct inspector_fixture *f, const char *target);

/*
 * The value of a field of the answer, with a NUL; "" where there is none. Valid until the next
 * call.
 */
const char *inspected_field(struct asked *asked, const char *name);
/* The body, with a NUL behind it. */
const char *inspected_body(struct asked *asked);

#endif
